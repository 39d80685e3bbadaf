"""A warm scan equals a cold one byte for byte, whatever changed in between."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from toolchains import environment, go, oldest

pytestmark = pytest.mark.live

ANSWERS = (("--facts", "--format", "jsonl"), ("--format", "json"), ("--all",))

FILES = {
    "go.mod": "module example.com/fresh\n\ngo 1.21\n\nrequire example.com/dep v0.0.0\n\n"
    "replace example.com/dep => ./dep\n",
    "dep/go.mod": "module example.com/dep\n\ngo 1.21\n",
    "dep/dep.go": "package dep\n\nfunc Keep(p *int) { *p++ }\n",
    "lib/lib.go": "package lib\n\nimport (\n\t\"strconv\"\n\n\t\"example.com/dep\"\n)\n\n"
    "type T struct{ n int }\n\nfunc New(n int) *T { return &T{n} }\n\n"
    "func All(ns []int) (out []*int) {\n\tfor _, n := range ns {\n\t\tout = append(out, &n)\n\t}\n\treturn out\n}\n\n"
    "func Text(n int) string { return strconv.Itoa(n) + \"!\" }\n\nfunc Count() int {\n\tn := 0\n\tdep.Keep(&n)\n\treturn n\n}\n",
    "lib/generic.go": "package lib\n\nfunc Box[V any](v V) *V { return &v }\n",
    "lib/empty/doc.go": "// Package empty has no code.\npackage empty\n",
    "lib/extra.go": "//go:build extra\n\npackage lib\n\nfunc Extra() *int { return new(int) }\n",
    "cmd/one/main.go": "package main\n\nimport \"example.com/fresh/lib\"\n\nfunc main() { println(lib.New(1), lib.Box(2)) }\n",
    "cmd/two/main.go": "package main\n\nimport \"example.com/fresh/lib\"\n\nvar kept *lib.T\n\nfunc main() { kept = lib.New(2) }\n",
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
    for file in module.cache.glob("scan/*/facts/*/*.facts"):
        file.unlink()


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
    module.write("lib/lib.go", FILES["lib/lib.go"].replace("\"!\"", "\"?\""))


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
        module.write("lib/lib.go", FILES["lib/lib.go"].replace("\"!\"", f"\"{number}\""))
        arguments, env = module.command(module.cache, ("--format", "json"))
        scan = subprocess.Popen(
            arguments, cwd=module.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(delay)
        os.killpg(scan.pid, signal.SIGKILL)
        scan.wait()


CHANGES: tuple[Callable[[Module], None], ...] = (
    edit, move_lines, add_file, delete_file, rename_file, give_tag, give_compiler_flag, tag_in_goflags, trim_paths,
    raise_language_version, edit_dependency, other_architecture, other_go, delete_our_cache, damage_our_cache,
    delete_go_cache, add_program, remove_package, edit_and_revert, without_cgo, workspace, vendor, break_and_mend,
    move_module, touch_files, kill_a_scan,
)  # fmt: skip

TELLING = {
    edit, move_lines, add_file, delete_file, give_tag, give_compiler_flag, tag_in_goflags, edit_dependency,
    other_go, add_program, remove_package, break_and_mend,
}  # fmt: skip
"""Changes after which the answer must be another one."""


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_warm_equals_cold(change: Callable[[Module], None], tmp_path: Path) -> None:
    module = Module(tmp_path)
    before = module.scan(module.cache)
    assert module.scan(module.cache) == before
    change(module)
    warm = module.scan(module.cache)
    assert warm == module.scan(module.cache)
    assert warm == module.scan(tmp_path / "cold-cache")
    if change in TELLING:
        assert warm != before
