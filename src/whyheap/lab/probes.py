"""How a claim is measured on one Go version: each probe builds, runs or reads its program, and returns numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whyheap.errors import ToolError
from whyheap.host.go import GoTool, first_line
from whyheap.host.program import run_program
from whyheap.lab.claims import FOLDER, Claim

_GO_MOD = "module example.test/folklore\n\ngo 1.22\n"
_ENV: Final = {"GOFLAGS": "", "GOWORK": "off"}
_SECONDS = 300
_WATCH = re.compile(r"// watch\b")
_AT = re.compile(r"^\./main\.go:(\d+):\d+: (.*)$")
_SHOWN = re.compile(r"^([a-z_]\w*) (-?[\d.]+(?:e[+-]?\d+)?)$")
_TEXT = re.compile(r"^main\.(\w+) STEXT")
_INSTRUCTION = re.compile(r"^\s+0x[0-9a-f]+ \d+ \([^)]*\)\t([A-Z][A-Z0-9.]*)\t?(.*)$")
_PSEUDO = {"TEXT", "FUNCDATA", "PCDATA", "NOP", "XCHGL"}
_ALLOCATORS = re.compile(r"runtime\.(newobject|mallocgc\w*|makeslice\w*|growslice\w*|conv[TIi]\w*)\(SB\)")
_WASM_MEMORY = 5


@dataclass(frozen=True, slots=True)
class Bench:
    """A claim's program as main.go of a module in `folder`, for one go command."""

    go: GoTool
    folder: Path
    claim: Claim

    def go_run(self, *arguments: str, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """Run go in the module: status, standard output, standard error."""
        done = run_program(
            [self.go.command, *arguments], self.folder, env={**self.go.env, **_ENV, **(env or {})}, seconds=_SECONDS
        )
        return done.returncode, done.stdout, done.stderr

    def build(self, *flags: str, env: Mapping[str, str] | None = None) -> str:
        """Build and return what the compiler prints. Raises ToolError when it does not compile."""
        status, _, told = self.go_run("build", *flags, "-o", "program", ".", env=env)
        if status:
            raise ToolError(f"{self.claim.file} does not compile: {_words(told)}")
        return told

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run what was built."""
        done = run_program([str(self.folder / "program"), *arguments], self.folder, seconds=_SECONDS)
        return done.returncode, done.stdout, done.stderr


Probe = Callable[[Bench, str], Mapping[str, float]]


def measure(go: GoTool, folder: Path, claim: Claim) -> dict[str, float]:
    """Return all values of a claim's probes. Raises ToolError when one of them cannot be taken."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(_GO_MOD, encoding="utf-8")
    values: dict[str, float] = {}
    for name, argument in claim.probes:
        (folder / "main.go").write_text(claim.source, encoding="utf-8")
        values |= PROBES[name](Bench(go, folder, claim), argument)
    return values


def _run(bench: Bench, _: str) -> Mapping[str, float]:
    """`run`: the values are what the program prints, a name and a number a line."""
    bench.build()
    status, shown, told = bench.run()
    if status:
        raise ToolError(f"{bench.claim.file} ended with status {status}: {_words(told)}")
    return {found[1]: float(found[2]) for line in shown.splitlines() if (found := _SHOWN.match(line))}


def _errors(bench: Bench, file: str) -> Mapping[str, float]:
    """`errors [FILE]`: how many lines the compiler refuses."""
    if file:
        (bench.folder / "main.go").write_text((FOLDER / file).read_text(encoding="utf-8"), encoding="utf-8")
    _, _, told = bench.go_run("build", "-tags", "illegal", "-o", "program", ".")
    return {"errors": len({found[1] for line in told.splitlines() if (found := _AT.match(line))})}


def _verdicts(bench: Bench, _: str) -> Mapping[str, float]:
    """`verdicts`: what the compiler says at lines marked `// watch`, with and without inlining."""
    watched = {str(n) for n, line in enumerate(bench.claim.source.splitlines(), 1) if _WATCH.search(line)}
    values = {}
    for suffix, flags in (("", "-m=2"), ("_without_inlining", "-m=2 -l")):
        told = bench.build(f"-gcflags={flags}")
        said = {(found[1], found[2]) for line in told.splitlines() if (found := _AT.match(line))}
        texts = [text for line, text in said if line in watched]
        moved = sum(text.startswith("moved to heap: ") for text in texts)
        values[f"moved{suffix}"] = moved
        values[f"heap{suffix}"] = moved + sum(text.endswith(" escapes to heap") for text in texts)
        values[f"by_value{suffix}"] = sum(" capturing by value: " in text for text in texts)
    return values


def _assembly(bench: Bench, _: str) -> Mapping[str, float]:
    """`assembly`: instructions and calls of each function in the compiler's listing for amd64."""
    told = bench.build("-gcflags=-S", env={"GOOS": "linux", "GOARCH": "amd64", "CGO_ENABLED": "0"})
    values = {}
    for name, code in _functions(told):
        stores = [one for one in code if one[0] == "MOVQ" and re.fullmatch(r"[A-Z]\w*, \(SP\)", one[1])]
        near = any(operation == "LEAQ" for operation, _ in code)
        calls = [operands for operation, operands in code if operation == "CALL"]
        values[f"{name}.moves_to_sp"] = int(bool(stores) and near)
        values[f"{name}.instructions"] = len(code)
        values[f"{name}.calls"] = sum("morestack" not in one for one in calls)
        values[f"{name}.allocator_calls"] = sum(bool(_ALLOCATORS.search(one)) for one in calls)
        for family in ("newobject", "mallocgc"):
            values[f"{name}.{family}_calls"] = sum(f"runtime.{family}" in one for one in calls)
    return values


def _functions(listing: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the functions of package main in a -S listing, each with operations and operands."""
    name, code = "", list[tuple[str, str]]()
    for line in listing.splitlines():
        if line and not line[0].isspace():
            if name:
                yield name, code
            found = _TEXT.match(line)
            name, code = (found[1] if found else ""), []
            continue
        read = _INSTRUCTION.match(line)
        if read and name and read[1] not in _PSEUDO:
            code.append((read[1], read[2]))
    if name:
        yield name, code


def _pprof(bench: Bench, _: str) -> Mapping[str, float]:
    """`pprof`: what go tool pprof does with -functions=REGEX and -focus=REGEX on the program's own heap profile."""
    bench.build()
    status, _shown, told = bench.run("heap.pb.gz")
    if status:
        raise ToolError(f"{bench.claim.file} ended with status {status}: {_words(told)}")
    pprof = ("tool", "pprof", "-top", "-nodefraction=0", "-sample_index=alloc_space")
    functions_status, shown_functions, told_functions = bench.go_run(*pprof, "-functions=.*Handler", "heap.pb.gz")
    focus_status, shown, told = bench.go_run(*pprof, "-focus=.*Handler", "heap.pb.gz")
    if focus_status and "no such tool" in told:
        raise ToolError(f"go tool pprof is not there: {_words(told)}")
    rows = [line.split() for line in shown.splitlines() if re.match(r"^\s+[\d.]+\w*B?\s+[\d.]+%", line)]
    others = [row for row in rows if not row[0].startswith("0") and "Handler" not in row[5]]
    text = f"{shown_functions}{shown}" + ("" if functions_status else told_functions)
    return {
        "functions_exit": functions_status,
        "focus_exit": focus_status,
        "focus_rows": len(rows),
        "focus_others": len(others),
        "escape_words": len(re.findall(r"escape", text)),
    }


def _tool(bench: Bench, name: str) -> Mapping[str, float]:
    """`tool NAME`: the exit status of `go tool NAME`."""
    status, _, _ = bench.go_run("tool", name)
    return {"tool_exit": status}


def _race(bench: Bench, _: str) -> Mapping[str, float]:
    """`race`: what a program built with -race prints of leaks and races."""
    bench.build("-race", env={"CGO_ENABLED": "1"})
    status, shown, told = bench.run()
    values = {found[1]: float(found[2]) for line in shown.splitlines() if (found := _SHOWN.match(line))}
    return {**values, "race_exit": status, "race_reports": len(re.findall(r"WARNING|leak", told, re.IGNORECASE))}


def _wasm(bench: Bench, _: str) -> Mapping[str, float]:
    """`wasm`: the limits of the memory that the program declares when built for wasip1."""
    bench.build(env={"GOOS": "wasip1", "GOARCH": "wasm", "CGO_ENABLED": "0"})
    return wasm_memory((bench.folder / "program").read_bytes())


def wasm_memory(module: bytes) -> dict[str, float]:
    """Read the memory section (WebAssembly core specification, 5.5.8). Raises ToolError when there is none."""
    if module[:4] != b"\0asm":
        raise ToolError("what go built for wasip1 is no WebAssembly module")
    offset = 8
    while offset < len(module):
        kind = module[offset]
        size, offset = _leb128(module, offset + 1)
        if kind == _WASM_MEMORY:
            _, at = _leb128(module, offset)
            flags, at = _leb128(module, at)
            return {"memory_has_maximum": flags & 1, "initial_pages": _leb128(module, at)[0]}
        offset += size
    raise ToolError("the module declares no memory")


def _leb128(data: bytes, offset: int) -> tuple[int, int]:
    value = shift = 0
    while offset < len(data):
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte has no high bit
            return value, offset
        shift += 7
    raise ToolError("the module ends within a number")


def _words(text: str) -> str:
    return first_line("\n".join(line for line in text.splitlines() if not line.startswith("# ")))


PROBES: Final[Mapping[str, Probe]] = {
    "run": _run,
    "errors": _errors,
    "verdicts": _verdicts,
    "assembly": _assembly,
    "pprof": _pprof,
    "tool": _tool,
    "race": _race,
    "wasm": _wasm,
}
