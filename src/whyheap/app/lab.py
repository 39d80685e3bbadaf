"""The job of `whyheap lab`: prove patterns, and popular claims, on real compilers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from whyheap.host.go import GoTool, find_go
from whyheap.host.toolchains import versions
from whyheap.lab.claims import claim_of, claims
from whyheap.lab.folklore_run import FolkloreRecording, measure_claims
from whyheap.lab.folklore_run import save as save_folklore
from whyheap.lab.recording import save
from whyheap.lab.run import Progress, Proof, prove
from whyheap.patterns.catalogue import PATTERNS, get
from whyheap.patterns.pattern import Pattern


@dataclass(frozen=True, slots=True)
class LabRequest:
    """What to prove on which Go versions. `record` is a folder for the recordings, VERSION/patterns/SLUG.* below it."""

    slugs: tuple[str, ...] = ()
    go: str = ""
    record: Path | None = None


def patterns_of(slugs: Sequence[str]) -> list[Pattern]:
    """Return the patterns of these slugs, all when there is none; UsageError with the nearest for one unknown."""
    chosen = [get(slug) for slug in dict.fromkeys(slugs)] if slugs else list(PATTERNS)
    return [one for one in chosen if one.example]


def toolchains_of(go: str, announce: Callable[[str], None]) -> list[GoTool]:
    """Return the go commands that --go names, before any work begins: one that cannot be had costs nothing."""
    return [find_go(one, None, announce) for one in versions(go)] if go else [find_go()]


def prove_patterns(request: LabRequest, progress: Progress, announce: Callable[[str], None]) -> Iterator[Proof]:
    """Yield the proofs, version by version; each is recorded before the next begins."""
    patterns = patterns_of(request.slugs)
    for go in toolchains_of(request.go, announce):
        for proof in prove(go, patterns, progress, with_text=request.record is not None):
            if request.record is not None and proof.text:
                save(request.record / proof.recording.go, proof.recording, proof.text)
            yield proof


def measure_folklore(
    slugs: Sequence[str], go: str, record: Path | None, progress: Progress, announce: Callable[[str], None]
) -> Iterator[FolkloreRecording]:
    """Yield what was measured of popular claims, version by version; all claims when none is named."""
    chosen = [claim_of(slug) for slug in dict.fromkeys(slugs)] if slugs else list(claims())
    for tool in toolchains_of(go, announce):
        recording = measure_claims(tool, chosen, progress)
        if record is not None:
            save_folklore(record / recording.go, recording)
        yield recording
