"""Files with findings and types as they were recorded, so that editors can be asked without a compiler.

`python tests/editor_samples.py` records them anew with the newest Go, and what comes of each: NAME.json holds what the
editors are told, NAME.want.txt the text with all edits, and below it why the other findings have none.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec

import toolchains
from whyheap.app.constructions import constructions
from whyheap.app.hazards import hazards
from whyheap.collect.compiler import ScanOptions, compile_packages
from whyheap.collect.go_types import GoTypes
from whyheap.collect.sources import SourceFiles
from whyheap.host.go import GoTool
from whyheap.join import join
from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.model.go_types import CheckedFile
from whyheap.patterns.context import Context
from whyheap.patterns.edit_source import EditSource, UneditableError
from whyheap.patterns.editors import EDITORS
from whyheap.patterns.judge import judge
from whyheap.proof.composition import compose, merged

FOLDER = Path(__file__).with_name("recorded") / "editors"
MODULE = Path(__file__).with_name("live") / "fix_module"
SAMPLES = {
    "good": MODULE / "good.go.txt",
    "traps": MODULE / "traps.go.txt",
    **{name: FOLDER / f"{name}.go.txt" for name in ("construction", "own-slice", "string-room", "unguarded-copy")},
}


class Recorded(msgspec.Struct, omit_defaults=True):
    """What editors are told of a file."""

    findings: list[Finding]
    scope: tuple[str, ...]
    checked: CheckedFile


def sample(name: str, recorded: Recorded | None = None) -> tuple[EditSource, list[Finding]]:
    """Return a recorded file and its findings."""
    told = recorded or msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Recorded)
    file = SAMPLES[name]
    beside = [one.read_text() for one in MODULE.glob("*.go.txt") if one != file] if file.parent == MODULE else []

    def is_elsewhere(word: str) -> bool:
        return any(re.search(rf"\b{word}\b", text) for text in beside)

    source = EditSource(
        file.stem, file.read_text(), told.checked, told.scope, {}, lambda regexp: "(" not in regexp, is_elsewhere
    )
    return source, told.findings


def outcome(source: EditSource, findings: list[Finding]) -> str:
    """Return the text with all edits, as no gofmt wrote it, and below it the findings that have none."""
    edits: list[Edit] = []
    refused = []
    for one in findings:
        try:
            edits.append(EDITORS[one.pattern](one, source))
        except UneditableError as reason:
            refused.append(f"{one.site.line}: {one.pattern}: {reason}")
    composed = compose(source, merged(edits))
    assert not composed.clashing
    return "\n".join([composed.text, "Not automatic:", *dict.fromkeys(refused), ""])


def record(name: str) -> Recorded:
    """Scan a sample as `whyheap fix` does."""
    go = GoTool(str(toolchains.go()), toolchains.environment(GOFLAGS="", GOWORK="off"))
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "go.mod").write_text("module example.com/sample\n\ngo 1.24\n")
        beside = SAMPLES[name].parent.glob("*.go.txt") if SAMPLES[name].parent == MODULE else [SAMPLES[name]]
        for one in beside:
            (folder / one.stem).write_text(one.read_text())
        file = SAMPLES[name].stem
        compiled = compile_packages(go, ScanOptions(folder, (".",)), lambda _: None)
        scan = compiled.load()
        texts = SourceFiles(scan)
        findings = judge(join(scan, None).evidence, Context((1, 27), texts))
        findings += [*constructions(scan, texts), *hazards(compiled, scan, texts)]
        own = [one for one in findings if one.pattern in EDITORS and one.site.file == file]
        lines = {scan.packages[0].package: {file: [one.site.line for one in own]}}
        (checked,) = GoTypes(go, compiled.environment.release).check(compiled, lines)
    own = [replace(one, facts=(), calls=None, fixes=()) for one in own]  # no editor asks for them
    return Recorded(own, checked.scope, checked.files[file])


if __name__ == "__main__":
    for name in SAMPLES:
        recorded = record(name)
        (FOLDER / f"{name}.json").write_bytes(msgspec.json.encode(recorded) + b"\n")
        (FOLDER / f"{name}.want.txt").write_text(outcome(*sample(name)))
