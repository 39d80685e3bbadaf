"""A warm scan equals a cold one byte for byte, whatever changed in between."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from toolchains import environment, go, oldest
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.host.go import GoTool
from whyheap.host.stamps import GRAIN_SECONDS

pytestmark = pytest.mark.live

ANSWERS = (("--facts", "--format", "jsonl"), ("--format", "json"))

FILES = {
    "go.mod": "module example.com/fresh\n\ngo 1.21\n\nrequire example.com/dep v0.0.0\n\n"
    "replace example.com/dep => ./dep\n",
    "dep/go.mod": "module example.com/dep\n\ngo 1.21\n",
    "dep/dep.go": "package dep\n\nfunc Keep(p *int) { *p++ }\n",
    "lib/lib.go": 'package lib\n\nimport (\n\t"strconv"\n\n\t"example.com/dep"\n)\n\n'
    "type T struct{ n int }\n\nfunc New(n int) *T { return &T{n} }\n\n"
    "func All(ns []int) (out []*int) {\n\tfor _, n := range ns {\n\t\tout = append(out, &n)\n\t}\n\treturn out\n}\n\n"
    'func Text(n int) string { return strconv.Itoa(n) + "!" }\n\n'
    "func Count() int {\n\tn := 0\n\tdep.Keep(&n)\n\treturn n\n}\n",
    "lib/generic.go": "package lib\n\nfunc Box[V any](v V) *V { return &v }\n",
    "lib/empty/doc.go": "// Package empty has no code.\npackage empty\n",
    "lib/extra.go": "//go:build extra\n\npackage lib\n\nfunc Extra() *int { return new(int) }\n",
    "cmd/one/main.go": 'package main\n\nimport "example.com/fresh/lib"\n\n'
    "func main() { println(lib.New(1), lib.Box(2)) }\n",
    "cmd/two/main.go": 'package main\n\nimport "example.com/fresh/lib"\n\n'
    "var kept *lib.T\n\nfunc main() { kept = lib.New(2) }\n",
}


class Module:
    """A small module, scanned with a cache of its own."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "module"
        self.cache = base / "cache"
        self.go = go()
        self.env: dict[str, str] = {}
        self.flags: list[str] = []
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def replace(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def command(self, cache: Path, answer: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
        arguments = [sys.executable, "-m", "whyheap", "scan", *answer, "--go", str(self.go), *self.flags, "./..."]
        env = {**environment(), "WHYHEAP_CACHE": str(cache), **self.env}
        return arguments, env

    def scan(self, cache: Path) -> list[bytes]:
        outputs = []
        for answer in ANSWERS:
            arguments, env = self.command(cache, answer)
            result = subprocess.run(arguments, cwd=self.root, env=env, capture_output=True, check=False)
            assert result.returncode == 0, result.stderr.decode()
            outputs.append(result.stdout)
        return outputs


def edit(module: Module) -> None:
    module.replace("lib/lib.go", "return &T{n}", "println(new(int))\n\treturn &T{n}")


def move_lines(module: Module) -> None:
    module.replace("lib/lib.go", "package lib\n", "package lib\n\n// A comment.\n")


def add_file(module: Module) -> None:
    module.write("lib/more.go", "package lib\n\nfunc More() any { return make([]int, 100) }\n")


def delete_file(module: Module) -> None:
    module.replace("cmd/one/main.go", ", lib.Box(2)", "")
    (module.root / "lib/generic.go").unlink()


def rename_file(module: Module) -> None:
    (module.root / "lib/generic.go").rename(module.root / "lib/boxes.go")


def give_tag(module: Module) -> None:
    module.flags = ["--tags", "extra"]


def give_compiler_flag(module: Module) -> None:
    module.flags = ["--gcflags", "-l"]


def tag_in_goflags(module: Module) -> None:
    module.env = {"GOFLAGS": "-tags=extra"}


def trim_paths(module: Module) -> None:
    module.env = {"GOFLAGS": "-trimpath"}


def raise_language_version(module: Module) -> None:
    module.replace("go.mod", "go 1.21", "go 1.22")


def edit_dependency(module: Module) -> None:
    module.write("dep/dep.go", "package dep\n\nvar kept *int\n\nfunc Keep(p *int) { kept = p }\n")


def other_architecture(module: Module) -> None:
    module.flags = ["--goarch", "arm64"]


def other_go(module: Module) -> None:
    module.go = go(oldest())


def delete_our_cache(module: Module) -> None:
    shutil.rmtree(module.cache)


def damage_our_cache(module: Module) -> None:
    shutil.rmtree(module.cache / "answers")
    for number, file in enumerate(sorted(module.cache.glob("scan/*/facts/*/*.facts"))):
        if number % 2:
            file.unlink()
        else:
            os.truncate(file, file.stat().st_size - 1)


def delete_go_cache(module: Module) -> None:
    module.env = {"GOCACHE": str(module.base / "gocache")}


def add_program(module: Module) -> None:
    module.write("cmd/three/main.go", "package main\n\nfunc main() { println(new(int)) }\n")


def remove_package(module: Module) -> None:
    shutil.rmtree(module.root / "cmd/two")


def edit_and_revert(module: Module) -> None:
    edit(module)
    module.scan(module.cache)
    module.write("lib/lib.go", FILES["lib/lib.go"])


def without_cgo(module: Module) -> None:
    module.env = {"CGO_ENABLED": "0"}


def workspace(module: Module) -> None:
    module.write("go.work", "go 1.22\n\nuse .\n\nuse ./dep\n")


def vendor(module: Module) -> None:
    subprocess.run(
        [str(module.go), "mod", "vendor"], cwd=module.root, env={**environment()}, check=True, capture_output=True
    )


def break_and_mend(module: Module) -> None:
    module.write("lib/lib.go", "package lib\n\nfunc Broken( {\n")
    arguments, env = module.command(module.cache, ("--format", "json"))
    subprocess.run(arguments, cwd=module.root, env=env, capture_output=True, check=False)
    module.write("lib/lib.go", FILES["lib/lib.go"].replace('"!"', '"?"'))


def move_module(module: Module) -> None:
    moved = module.base / "elsewhere"
    module.root.rename(moved)
    module.root = moved


def touch_files(module: Module) -> None:
    for path in module.root.rglob("*.go"):
        os.utime(path, (0, time.time()))


def kill_a_scan(module: Module) -> None:
    """End a scan the hard way at several moments: what go has cached by then is missing in our cache."""
    for number, delay in enumerate((0.15, 0.3, 0.45, 0.6)):
        module.write("lib/lib.go", FILES["lib/lib.go"].replace('"!"', f'"{number}"'))
        arguments, env = module.command(module.cache, ("--format", "json"))
        scan = subprocess.Popen(
            arguments,
            cwd=module.root,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(delay)
        os.killpg(scan.pid, signal.SIGKILL)
        scan.wait()


def go_settings(module: Module) -> None:
    """`go env -w` writes a file that go reads besides the environment."""
    settings = module.base / "goenv"
    settings.write_text("GOFLAGS=-tags=extra\n")
    module.env = {"GOENV": str(settings)}


def edit_quietly(module: Module) -> None:
    """Change a file without changing its size or its modification time."""
    path = module.root / "lib/lib.go"
    status = path.stat()
    module.replace("lib/lib.go", "return &T{n}", "return &T{0}")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def add_file_to_dependency(module: Module) -> None:
    module.write("dep/more.go", "package dep\n\nfunc init() { println(new(int)) }\n")


CHANGES: tuple[Callable[[Module], None], ...] = (
    edit, move_lines, add_file, delete_file, rename_file, give_tag, give_compiler_flag, tag_in_goflags, trim_paths,
    raise_language_version, edit_dependency, other_architecture, other_go, delete_our_cache, damage_our_cache,
    delete_go_cache, add_program, remove_package, edit_and_revert, without_cgo, workspace, vendor, break_and_mend,
    move_module, touch_files, kill_a_scan, go_settings, edit_quietly, add_file_to_dependency,
)  # fmt: skip

TELLING = {
    edit, move_lines, add_file, delete_file, give_tag, give_compiler_flag, tag_in_goflags, go_settings, edit_dependency,
    other_go, add_program, remove_package, break_and_mend,
}  # fmt: skip
"""Changes after which the answer must be another one."""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Module]:
    """One module per change, all old enough for their time stamps to be trusted."""
    made = {change.__name__: Module(tmp_path_factory.mktemp(change.__name__)) for change in CHANGES}
    time.sleep(GRAIN_SECONDS + 0.1)
    return made


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_warm_equals_cold(change: Callable[[Module], None], modules: dict[str, Module]) -> None:
    module = modules[change.__name__]
    before = module.scan(module.cache)
    assert list(module.cache.glob("unchanged/*")), "nothing was remembered: the warm path is not tested"
    assert module.scan(module.cache) == before
    change(module)
    warm = module.scan(module.cache)
    assert warm == module.scan(module.cache)
    assert warm == module.scan(module.base / "cold-cache")
    if change in TELLING:
        assert warm != before


def test_an_unchanged_program_is_answered_without_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Module(tmp_path)
    monkeypatch.setenv("WHYHEAP_CACHE", str(module.cache))
    started: list[object] = []
    start = subprocess.Popen

    def counting(*arguments: Any, **options: Any) -> subprocess.Popen[Any]:
        started.append(arguments)
        return start(*arguments, **options)

    def scan() -> str:
        return compile_packages(GoTool(str(module.go), environment()), ScanOptions(module.root)).key

    monkeypatch.setattr(subprocess, "Popen", counting)
    time.sleep(GRAIN_SECONDS + 0.1)
    first = scan()
    asked = len(started)
    assert asked > 0
    assert scan() == first
    assert len(started) == asked
    edit(module)
    assert scan() != first
    assert len(started) > asked
