"""What a gate looks at: one scan, judged, with the syntax and machine code behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

from whyheap.app.scan_report import go_numbers
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.compiler import Progress, ScanOptions, compile_packages
from whyheap.collect.sources import SourceFiles
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Finding
from whyheap.model.machine_code import FunctionCode
from whyheap.model.scan import Scan
from whyheap.parse.fact_lines import unknown_texts
from whyheap.patterns.context import Context
from whyheap.patterns.judge import judge

_ID_BYTES = 6


@dataclass(frozen=True)
class GateScan:
    """One scan. `findings` are all that was judged, `sites` those that may allocate, by id."""

    compiled: CompiledPackages
    scan: Scan
    sources: SourceFiles
    findings: tuple[Finding, ...]

    @cached_property
    def sites(self) -> Mapping[str, Finding]:
        """The ways to the heap that a baseline holds: those of which nobody knows that they never allocate."""
        return {one.id: one for one in self.findings if one.agreement is not Agreement.NEVER_ALLOCATES}

    @cached_property
    def owners(self) -> Mapping[str, str]:
        """The import path of each scanned file."""
        return {file: package.package for package in self.scan.packages for file in package.files}

    @cached_property
    def codes(self) -> tuple[tuple[str, FunctionCode], ...]:
        """All functions with machine code, each with the build (an ImportPath of the listing) that holds it."""
        return tuple(
            (listed.ImportPath, code)
            for listed in self.compiled.packages
            for code in self.compiled.library.functions_of(listed.ImportPath) or ()
        )

    @property
    def is_code_read(self) -> bool:
        """Whether the machine code of all that was built could be read."""
        return all(package.functions is not None for package in self.scan.packages if not package.error)

    def unknown(self) -> Iterator[str]:
        """Yield the compiler's lines that were not understood."""
        if self.compiled.unknown:
            for lines in self.compiled.fact_lines():
                yield from unknown_texts(lines)


def scan_for_gate(go: GoTool, options: ScanOptions, progress: Progress) -> GateScan:
    """Compile and judge. Raises TargetError when nothing at all could be scanned."""
    compiled = compile_packages(go, options, progress)
    scan = compiled.load()
    progress(f"judging {scan.go}")
    sources = SourceFiles(scan)
    findings = judge(join(scan, None).evidence, Context(go_numbers(scan.go), sources))
    return GateScan(compiled, scan, sources, tuple(findings))


def stable_ids(keys: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield an id for each key, equal ones told apart by their order."""
    counted: dict[tuple[str, ...], int] = {}
    for key in keys:
        counted[key] = ordinal = counted.get(key, -1) + 1
        text = "\0".join((*key, str(ordinal)))
        yield blake2b(text.encode(errors="surrogatepass"), digest_size=_ID_BYTES).hexdigest()


def shown(path: Path, root: str) -> str:
    """Spell a file as sites do: from the main module's root where it is below, with forward slashes."""
    try:
        return path.resolve().relative_to(Path(root).resolve()).as_posix()
    except ValueError:
        return path.as_posix()
