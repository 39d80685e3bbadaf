"""What the lab's machine boots: this Python with whyheap, one scenario, and an init that runs and records it."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import msgspec

from whyheap.host.machine import Initramfs
from whyheap.host.program import run_program
from whyheap.lab.scenarios import Scenario

INIT = Path(__file__).with_name("machine_init.py")
SCENARIO = "/scenario"
"""Where the program stands in the machine."""
CACHE = "/root/cache"
"""The machine's cache of whyheap, as machine_init.py names it."""
_PACKAGES = ("msgspec", "elftools", "numpy")
_LEFT_OUT = frozenset(
    {"test", "tests", "site-packages", "idlelib", "tkinter", "ensurepip", "lib2to3", "turtledemo", "pydoc_data"}
)
_SITE = "/site"
_LIBRARY = re.compile(r"(/\S+)")


class MachineJob(msgspec.Struct, frozen=True):
    """What the init is told, as JSON at /job.json."""

    scenario: Scenario
    binary: str = SCENARIO


def write_image(target: Path, scenario: Scenario, binary: Path, more: Mapping[str, Path] | None = None) -> None:
    """Write the initramfs for one scenario; about 130 MiB, most of it Python's and numpy's libraries.

    `more` are further files by their paths in the machine.
    """
    with target.open("wb") as stream:
        tree = Initramfs(stream)
        for folder in ("proc", "sys", "dev", "tmp", "run", "root"):
            tree.folder(folder)
        python = Path(sys.executable).resolve()
        tree.same(python)
        needed = set(_libraries(python))
        standard = Path(sysconfig.get_path("stdlib")).resolve()
        needed |= _add(tree, standard, str(standard))
        for name, source in _packages():
            needed |= _add(tree, source, f"{_SITE}/{name}")
        for name, program in (("sh", "/bin/sh"), ("prlimit", "/usr/bin/prlimit")):
            found = Path(program).resolve()
            needed |= set(_libraries(found))
            tree.file(f"/bin/{name}", found.read_bytes())
        for library in sorted({*needed, *_libraries(binary)}):
            tree.same(Path(library))
        tree.file("/init", f"#!{python} -I\n".encode() + INIT.read_bytes())
        tree.file(SCENARIO, binary.read_bytes())
        for path, file in (more or {}).items():
            tree.file(path, file.read_bytes())
        tree.file("/job.json", msgspec.json.encode(MachineJob(scenario), enc_hook=str))
        tree.close()


def _packages() -> Iterator[tuple[str, Path]]:
    yield "whyheap", Path(__file__).parents[1]
    for name in _PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            yield name, Path(spec.origin).parent
            beside = Path(spec.origin).parent.with_name(f"{name}.libs")
            if beside.is_dir():
                yield beside.name, beside


def _add(tree: Initramfs, folder: Path, target: str) -> set[str]:
    """Add a folder without its tests; return the libraries that its extension modules need."""
    needed: set[str] = set()
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_left_out = any(part in _LEFT_OUT or part.startswith("config-") for part in parts)
        if is_left_out or not path.is_file() or path.suffix in {".a", ".html"} or ".opt-" in path.name:
            continue
        tree.file(f"{target}/{'/'.join(parts)}", path.read_bytes())
        if path.suffix == ".so":
            needed.update(_libraries(path))
    return needed


def _libraries(program: Path) -> Iterable[str]:
    """Return the shared libraries of a program, without those that a package brings beside itself."""
    said = run_program(["ldd", str(program)], Path("/")).stdout
    return [path for path in _LIBRARY.findall(said) if "site-packages" not in path]
