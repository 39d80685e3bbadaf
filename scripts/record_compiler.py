"""Record what each Go compiler prints about tests/recorded/compiler/program, for tests that need no Go.

    .venv/bin/python scripts/record_compiler.py                      all locked versions, from .cache/go
    .venv/bin/python scripts/record_compiler.py --go PATH --out DIR  one toolchain, into DIR

Writes into tests/recorded/<go version>/compiler: `m1.txt` and `m2.txt`, the text of -m=1 and -m=2, and the files of
-json=0 as json/<package>/<file>.json. The module stands in /module and Go in /goroot there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests" / "recorded"
PROGRAM = RECORDED / "compiler" / "program"
MODULE = "example.com/my-prog"
MAINS = (f"{MODULE}/cmd/my-app", f"{MODULE}/cmd/other")


def main() -> None:
    """Record one toolchain, or all that `make test` has unpacked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--go", type=Path, help="a go command; needs --out")
    parser.add_argument("--out", type=Path, help="folder for the recording")
    parser.add_argument("--toolchains", type=Path, default=ROOT / ".cache" / "go", help="holds <version>/go/bin/go")
    chosen = parser.parse_args()
    if chosen.go is not None and chosen.out is not None:
        record(chosen.go, chosen.out)
        return
    for go in sorted(chosen.toolchains.glob("*/go/bin/go")):
        version = go.parents[2].name
        record(go, RECORDED / version / "compiler")
        print(f"recorded Go {version}")


def record(go: Path, out: Path) -> None:
    """Compile the program with one go command, once for each level of detail."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name).resolve()
        module = base / "module"
        shutil.copytree(PROGRAM, module)
        goroot = run(go, module, "env", "GOROOT").stdout.strip()

        def portable(text: str) -> str:
            return text.replace(str(module), "/module").replace(goroot, "/goroot")

        # A JSON folder that go has never seen: everything is compiled, nothing replayed.
        detailed = [f"-gcflags=-m=2 -json=0,{base}/json"]
        detailed += [f"-gcflags={main}=-m=2 -json=0,{base}/mains/{quote(main, safe='')}" for main in MAINS]
        compiled = run(go, module, "list", "-export", *detailed, "./...")
        (out / "m2.txt").write_text(portable(compiled.stderr), encoding="utf-8")
        brief = run(go, module, "list", "-export", "-gcflags=-m=1", "./...")
        (out / "m1.txt").write_text(portable(brief.stderr), encoding="utf-8")
        for file in sorted(base.glob("json/*/*.json")):
            keep(file, out / "json" / file.parent.name, portable)
        for file in sorted(base.glob("mains/*/main/*.json")):
            keep(file, out / "json" / file.parents[1].name, portable)


def keep(file: Path, folder: Path, portable: Callable[[str], str]) -> None:
    """Write one JSON file into the recording."""
    folder.mkdir(parents=True, exist_ok=True)
    text = portable(file.read_text(encoding="utf-8"))
    (folder / file.name).write_text(text, encoding="utf-8")


def run(go: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run go, which must succeed."""
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}
    done = subprocess.run([go, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done


if __name__ == "__main__":
    main()
