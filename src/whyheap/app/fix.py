"""The job of `whyheap fix`: from findings to edits that are proven, and onto the disk where that is asked for."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from whyheap.app.constructions import constructions
from whyheap.app.hazards import hazards, is_hazard
from whyheap.app.scan_report import count_packages, go_numbers, title
from whyheap.collect.compiled_packages import CompiledPackages
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.go_types import GoTypes
from whyheap.collect.sources import SourceFiles
from whyheap.errors import TargetError, UsageError
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.model.edit import Edit, ProvenEdit, Refusal, Standing
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Finding, Fix, FixKind
from whyheap.model.report import Report, Totals
from whyheap.model.scan import Scan
from whyheap.patterns.context import Context
from whyheap.patterns.edit_source import EditSource, UneditableError
from whyheap.patterns.editors import EDITORS
from whyheap.patterns.judge import judge
from whyheap.patterns.syntax import GoFile
from whyheap.proof.composition import merged
from whyheap.proof.prove import ProofOptions, Prover
from whyheap.proof.workshop import EditedFile, Workshop

_GENERATED = re.compile(r"^// Code generated .* DO NOT EDIT\.$", re.MULTILINE)  # go.dev/s/generatedcode
_LINE_DIRECTIVE = re.compile(r"^//line |/\*line ", re.MULTILINE)
_OPENING = ("argument_list", "literal_value")
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class FixRequest:
    """What to mend: lines by the end of their file's name, ids of findings, one pattern; all when nothing is named."""

    options: ScanOptions
    lines: tuple[tuple[str, int], ...] = ()
    ids: tuple[str, ...] = ()
    pattern: str = ""
    proof: ProofOptions = field(default_factory=ProofOptions)
    written: frozenset[Standing] = frozenset({Standing.PROVEN})


@dataclass(frozen=True, slots=True)
class Fixes:
    """What came of it: edits with proofs, findings without one and why, and the files as they would be."""

    report: Report
    edits: tuple[ProvenEdit, ...]
    refused: tuple[tuple[Finding, Refusal], ...]
    files: tuple[EditedFile, ...]
    findings: dict[str, Finding] = field(default_factory=dict)
    failure: TargetError | None = None
    notes: tuple[str, ...] = ()


def fix(go: GoTool, request: FixRequest, progress: Progress) -> Fixes:
    """Find, edit and prove. Raises TargetError when nothing builds, UsageError when nothing is where it was named."""
    compiled = compile_packages(go, request.options, progress)
    if compiled.failure is not None and not any(one.BuildID for one in compiled.packages):
        raise compiled.failure
    progress("judging")
    scan = compiled.load()
    texts = SourceFiles(scan)
    findings = judge(join(scan, None).evidence, Context(go_numbers(scan.go), texts))
    findings += constructions(scan, texts)
    findings += hazards(compiled, scan, texts)
    wanted = _wanted(findings, request, texts)
    sources, refused = _sources(go, compiled, scan, texts, wanted, progress)
    edits, unfit = _edits(wanted, sources)
    by_id = {one.id: one for one in wanted}
    proven: list[ProvenEdit] = []
    files: list[EditedFile] = []
    if edits:
        paths = {
            file: str(Path(package.folder, file.rsplit("/", 1)[-1]))
            for package in scan.packages
            for file in package.files
        }
        with tempfile.TemporaryDirectory(prefix="whyheap-fix-") as work:
            workshop = Workshop(go, GoTypes(go, compiled.environment.release), sources, paths, Path(work))
            prover = Prover(workshop, request.options, scan, by_id, request.proof, progress)
            proven = prover.prove(edits)
            files = prover.text_with(one.edit for one in proven if one.proof.standing in request.written)
    return Fixes(
        _report(request, scan, wanted, proven),
        tuple(proven),
        tuple((by_id[name], reason) for name, reason in {**refused, **unfit}.items()),
        tuple(files),
        by_id,
        compiled.failure,
        tuple(
            f"{one.file} was not as gofmt writes it: it was edited and not formatted"
            for one in files
            if not one.is_formatted
        ),
    )


def _wanted(findings: Iterable[Finding], request: FixRequest, texts: Mapping[str, str]) -> list[Finding]:
    """Return the findings that are meant: of the user's lines, ids or pattern; nothing that never allocates."""
    found = [one for one in findings if not request.pattern or one.pattern == request.pattern]
    if not request.lines and not request.ids:
        return [one for one in found if one.agreement is not Agreement.NEVER_ALLOCATES]
    named = []
    for file, line in request.lines:
        in_file = [one for one in found if _is_file(one.site.file, file)]
        own = [one for one in in_file if one.site.line == line] or _opened(in_file, line, texts)
        if not own:
            raise UsageError(f"{file}:{line}: nothing allocates there", f"See:  whyheap explain {file}:{line}")
        named += own
    for name in request.ids:
        own = [one for one in found if one.id == name]
        if not own:
            raise UsageError(f"{name} is the id of no finding here", "Ids are in:  whyheap scan --format json")
        named += own
    return list({one.id: one for one in named}.values())


def _opened(in_file: Iterable[Finding], line: int, texts: Mapping[str, str]) -> list[Finding]:
    """Return the findings in the further lines of a call or literal whose parenthesis or brace opens on a line."""
    files = {one.site.file: GoFile(texts[one.site.file]) for one in in_file if one.site.file in texts}
    last = {
        name: max((node.range().end.line + 1 for kind in _OPENING for node in file.nodes(kind, line)), default=0)
        for name, file in files.items()
    }
    return [one for one in in_file if line < one.site.line <= last.get(one.site.file, 0)]


def _is_file(spelled: str, wanted: str) -> bool:
    return spelled == wanted or spelled.endswith(f"/{wanted}") or wanted.endswith(f"/{spelled}")


def _sources(
    go: GoTool,
    compiled: CompiledPackages,
    scan: Scan,
    texts: SourceFiles,
    wanted: Iterable[Finding],
    progress: Progress,
) -> tuple[dict[str, EditSource], dict[str, Refusal]]:
    """Return the files that may be edited, with their types, and why other findings' files may not."""
    own = [one for one in wanted if one.pattern in EDITORS]
    packages = {file: package for package in scan.packages for file in package.files}
    unfit: dict[str, Refusal | None] = {}
    lines: dict[str, dict[str, list[int]]] = {}
    refused: dict[str, Refusal] = {}
    for one in own:
        file = one.site.file
        if file not in unfit:
            unfit[file] = _unfit(file, packages[file].folder if file in packages else "", texts)
        reason = unfit[file]
        if reason is not None:
            refused[one.id] = reason
        else:
            name = file.rsplit("/", 1)[-1]
            lines.setdefault(packages[file].package, {}).setdefault(name, []).append(one.site.line)
    progress("asking for types")
    types = GoTypes(go, compiled.environment.release)
    sources = {}
    for checked in types.check(compiled, lines) if lines else []:
        claimed: dict[str, tuple[str, int, str]] = {}
        for name, told in checked.files.items():
            spelled = next(one for one in packages if packages[one].package == checked.path and _base(one) == name)
            elsewhere = partial(_is_elsewhere, Path(packages[spelled].folder), name)
            sources[spelled] = EditSource(
                spelled, texts[spelled], told, checked.scope, claimed, types.compiles, elsewhere
            )
        if checked.error:
            reason = Refusal(f"the package's types are not all known: {checked.error}")
            refused.update({one.id: reason for one in own if one.site.package == checked.path})
    return sources, refused


def _is_elsewhere(folder: Path, file: str, word: str) -> bool:
    """Whether another Go file of a folder has a word: tests and files of other systems, too."""
    try:
        return any(one.name != file and word in _words(one) for one in folder.glob("*.go"))
    except OSError:
        return True


@lru_cache(maxsize=1000)
def _words(file: Path) -> frozenset[str]:
    """Return the words of a file. Raises OSError."""
    return frozenset(re.findall(r"\w+", file.read_text("utf-8", "surrogateescape")))


def _base(file: str) -> str:
    return file.rsplit("/", 1)[-1]


def _unfit(file: str, folder: str, texts: SourceFiles) -> Refusal | None:
    """Say why a file is not edited at all."""
    if not folder or file not in texts:
        return Refusal("its source cannot be read")
    text = texts[file]
    found = next((reason for holds, reason in _UNFIT if holds(file, text)), "")
    if found:
        return Refusal(found)
    with suppress(OSError):
        if Path(folder, _base(file)).read_bytes() != text.encode("utf-8", "surrogateescape"):
            return Refusal("its lines do not end in a plain newline")
    return None


_UNFIT: tuple[tuple[Callable[[str, str], bool], str], ...] = (
    (lambda file, _: file.endswith("_test.go"), "it is a test"),
    (lambda _, text: _GENERATED.search(text.partition("\npackage ")[0]) is not None, "the file is generated"),
    (lambda _, text: 'import "C"' in text, "the file uses cgo"),
    (
        lambda _, text: _LINE_DIRECTIVE.search(text) is not None,
        "//line directives say that its lines come from elsewhere",
    ),
    (lambda _, text: any("\udc80" <= char <= "\udcff" for char in text), "it is not UTF-8"),
)


def _edits(wanted: Iterable[Finding], sources: dict[str, EditSource]) -> tuple[list[Edit], dict[str, Refusal]]:
    """Ask the patterns for their edits."""
    edits: list[Edit] = []
    refused: dict[str, Refusal] = {}
    for one in wanted:
        editor, source = EDITORS.get(one.pattern), sources.get(one.site.file)
        if editor is None:
            refused[one.id] = Refusal("it needs judgement")
        elif source is not None:
            try:
                edits.append(editor(one, source))
            except UneditableError as reason:
                refused[one.id] = Refusal(str(reason))
    return merged(edits), refused


def _report(request: FixRequest, scan: Scan, wanted: Sequence[Finding], proven: Sequence[ProvenEdit]) -> Report:
    """Return the report about the findings that have edits, and all that were named."""
    by_id = {name: one for one in proven for name in one.edit.findings}
    is_named = bool(request.lines or request.ids)
    findings = []
    for one in wanted:
        own = by_id.get(one.id)
        if own is None and not is_named:
            continue
        fixes = one.fixes
        if own is not None:
            others = tuple(other for other in one.fixes if other.kind is FixKind.JUDGEMENT)
            fixes = (Fix(own.edit.title, FixKind.MECHANICAL, own.proof), *others)
        findings.append(replace(one, fixes=fixes))
    return Report(
        targets=request.options.patterns,
        go=scan.go,
        verdict=None,
        findings=tuple(findings),
        gaps=scan.gaps,
        totals=Totals(heap_sites=sum(not is_hazard(one) for one in findings), packages=count_packages(scan)),
        title=title(scan),
    )
