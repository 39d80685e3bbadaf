"""Open-source servers that we did not write: where their source comes from, and how they are built and run."""

from __future__ import annotations

import json
import os
import shutil
import string
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "real"
HELPERS = Path(__file__).resolve().parent / "real"
GO_ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOWORK": "off"}
"""The Go of the measurement and no other; prometheus' go.work names folders that its module does not contain."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run happens: its folder, the server's binary, our helpers, free loopback ports, the longest load."""

    folder: Path
    binary: Path
    helpers: Path
    ports: Sequence[int]
    load_seconds: int

    def address(self, number: int) -> str:
        """Return host:port of the n-th free port."""
        return f"127.0.0.1:{self.ports[number]}"

    def helper(self, name: str, *arguments: str) -> list[str]:
        """Return the command of one of our helpers, which ends by itself."""
        return [str(self.helpers / name), "-seconds", str(self.load_seconds), *arguments]


@dataclass(frozen=True, slots=True)
class Run:
    """What to start: the server, its load, and the host:port that serves /debug/pprof."""

    server: list[str]
    pprof: str
    before: list[list[str]]
    load: list[list[str]]


@dataclass(frozen=True, slots=True)
class Program:
    """A server at an exact version. `plan` writes its configuration and says how it is run."""

    name: str
    module: str
    version: str
    package: str
    plan: Callable[[Place], Run]

    @property
    def folder(self) -> Path:
        """Where its source is, writable."""
        return CACHE / f"{self.name}-{self.version}"

    def owns(self, function: str) -> bool:
        """Whether a linker symbol belongs to the module (or to a main package, whose symbols say just "main")."""
        return function.startswith((f"{self.module}/", f"{self.module}.", "main."))


def _plan_prometheus(place: Place) -> Run:
    server, exporter = place.address(0), place.address(1)
    _fill("prometheus.yml", place.folder, {"server": server, "exporter": exporter})
    _fill("rules.yml", place.folder, {})
    queries = (
        "sum by (handler) (rate(shop_requests_total[30s]))",
        "histogram_quantile(0.9, sum by (le, handler) (rate(shop_latency_seconds_bucket[30s])))",
        "topk(20, shop_requests_total)",
        '{job="prometheus"}',
        'label_replace(shop_requests_total, "team", "$1", "pod", "shop-(.*)")',
    )
    urls = [f"http://{server}/api/v1/query?{urlencode({'query': query})}" for query in queries]
    urls += [
        f"http://{server}/api/v1/series?" + urlencode({"match[]": 'shop_requests_total{code="300"}'}),
        f"http://{server}/api/v1/label/pod/values",
        f"http://{server}/federate?" + urlencode({"match[]": '{handler=~"/orders/1.*"}'}),
        f"http://{server}/metrics",
    ]
    command = [str(place.binary), "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    return Run(
        server=[*command, f"--web.listen-address={server}", "--log.level=warn"],
        pprof=server,
        before=[place.helper("exporter", "-listen", exporter)],
        load=[place.helper("httpload", "-rate", "40", *urls)],
    )


def _plan_nats(place: Place) -> Run:
    client, pprof = place.ports[0], place.ports[1]
    command = [str(place.binary), "-a", "127.0.0.1", "-p", str(client), "-profile", str(pprof)]
    return Run(
        server=[*command, "-js", "-sd", "data"],
        pprof=place.address(1),
        before=[],
        load=[place.helper("natsload", "-url", f"nats://{place.address(0)}")],
    )


def _plan_caddy(place: Place) -> Run:
    admin, server, upstream = place.address(0), place.address(1), place.address(2)
    site = place.folder / "site"
    (site / "files").mkdir(parents=True, exist_ok=True)
    for number in range(50):
        (site / "files" / f"{number}.txt").write_text(f"{number} lines of text\n" * 400)
    shutil.copy(HELPERS / "page.html", site)
    _fill("Caddyfile", place.folder, {"admin": admin, "server": server, "upstream": upstream, "root": str(site)})
    paths = ["page.html", "files/", "files/7.txt", "hello/you", "api/metrics", "files/8.txt", "hello/me?x=1"]
    return Run(
        server=[str(place.binary), "run", "--config", "Caddyfile", "--adapter", "caddyfile"],
        pprof=admin,
        before=[place.helper("exporter", "-listen", upstream, "-series", "200")],
        load=[place.helper("httpload", "-rate", "500", *(f"http://{server}/{path}" for path in paths))],
    )


PROGRAMS = (
    Program("prometheus", "github.com/prometheus/prometheus", "v0.315.0", "./cmd/prometheus", _plan_prometheus),
    Program("nats-server", "github.com/nats-io/nats-server/v2", "v2.15.2", ".", _plan_nats),
    Program("caddy", "github.com/caddyserver/caddy/v2", "v2.11.9", "./cmd/caddy", _plan_caddy),
)
"""No build tags: without `builtinassets` prometheus builds from its module alone, serving the API but no pages."""


def choose(names: Sequence[str]) -> list[Program]:
    """Return the programs of these names, all of them for none."""
    known = {program.name: program for program in PROGRAMS}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no program {unknown[0]}: known are {', '.join(known)}")
    return [known[name] for name in names] or list(PROGRAMS)


def fetch(program: Program, go: str) -> Path:
    """Copy the module from Go's module cache, writable, unless that was done before; returns its folder."""
    if program.folder.is_dir():
        return program.folder
    partial = program.folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    copy_module(f"{program.module}@{program.version}", partial, go)
    partial.rename(program.folder)
    return program.folder


def copy_module(wanted: str, folder: Path, go: str) -> None:
    """Download MODULE@VERSION and copy it from Go's module cache, writable, to a folder that is not there yet."""
    said = go_output(go, ["mod", "download", "-json", wanted], CACHE.parent)
    shutil.copytree(json.loads(said)["Dir"], folder, copy_function=shutil.copyfile)
    for inner, _, _ in os.walk(folder):
        Path(inner).chmod(0o755)


def build(program: Program, go: str) -> Path:
    """Build the server; returns the binary. The first build of prometheus compiles 1,500 packages."""
    binary = CACHE / "bin" / program.name
    go_output(go, ["build", "-buildvcs=false", "-o", str(binary), program.package], program.folder)
    return binary


def build_helpers(go: str) -> Path:
    """Build the exporter and the loads; returns the folder of their binaries."""
    folder = CACHE / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    go_output(go, ["build", "-buildvcs=false", "-o", f"{folder}/", "./..."], HELPERS)
    return folder


def go_output(go: str, arguments: Sequence[str], folder: Path) -> str:
    """Run go, which must succeed, and return what it printed."""
    folder.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, **GO_ENVIRONMENT}
    done = subprocess.run([go, *arguments], cwd=folder, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{go} {' '.join(arguments)} failed in {folder}")
    return done.stdout


def _fill(template: str, folder: Path, values: Mapping[str, str]) -> None:
    """Write one of our configurations with its addresses filled in."""
    text = (HELPERS / template).read_text()
    (folder / template).write_text(string.Template(text).substitute(values))
