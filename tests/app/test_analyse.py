"""What is concluded does not depend on what is shown, and a capture's word opens no file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from join_samples import MODULE, Call, fact, own, shop, std
from whyheap.app import analyse as analyse_module
from whyheap.app.analyse import Analysis, View, analyse
from whyheap.app.gather import WhyRequest, gather
from whyheap.capture import Capture, save_capture
from whyheap.causes.catalogue import Judgement
from whyheap.causes.history import RuntimeHistory
from whyheap.collect.sources import SourceFiles
from whyheap.errors import FormatError
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Finding
from whyheap.model.gauge import Gauge
from whyheap.model.scan import Scan
from whyheap.model.site import Site

AT = "2026-01-01T00:00:00Z"
SOURCE = "package cache\n\nvar kept = map[string]*int{}\n\nfunc keep(k string, v *int) {\n\tkept[k] = v\n}\n"
SERVE = std("net/http.(*conn).serve", "net/http/server.go", 1900)


def heap(*stacks: tuple[list[Call], int]) -> bytes:
    """A text profile at a rate of one byte: stacks with the bytes that they hold and have allocated."""
    lines = ["heap profile: 0: 0 [0: 0] @ heap/2"]
    addresses: dict[Call, int] = {}
    for stack, size in stacks:
        at = [addresses.setdefault(call, 16 * len(addresses) + 16) for call in stack]
        lines.append(f"1: {size} [1: {size}] @ " + " ".join(f"{address:#x}" for address in at))
        lines += [
            f"#\t{address:#x}\t{symbol}+0x1\t{file}:{line}"
            for address, (symbol, file, line) in zip(at, stack, strict=True)
        ]
    return "\n".join([*lines, ""]).encode()


SCAN = shop(
    fact("cache/cache.go", 5, "moved to heap: k", function="keep"),
    fact("cache/cache.go", 20, "&T{...} escapes to heap", function="other"),
)
PROFILE = heap(
    ([own("keep", 6), own("page", 40)], 100), ([own("other", 20), own("page", 41)], 30), ([own("list", 50)], 7)
)
CAPTURE = Capture(("./...",), AT, SCAN, (PROFILE,), sources={"cache/cache.go": SOURCE})


def seen(analysis: Analysis) -> dict[str, tuple[str, str, int]]:
    return {one.id: (one.pattern, one.site.function, allocated(one)) for one in analysis.report.findings}


def allocated(finding: Finding) -> int:
    return finding.measure.alloc_bytes if finding.measure else 0


def test_the_folders_in_a_capture_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "cache.go").write_text("a secret of this machine\n")
    packages = tuple(replace(package, folder=str(tmp_path)) for package in SCAN.packages)
    hostile = replace(CAPTURE, scan=replace(SCAN, packages=packages), sources={})
    file = tmp_path / "x.whyheap"
    file.write_bytes(save_capture(hostile, "0"))
    gathered = gather(WhyRequest((str(file),), tmp_path))
    assert gathered.files is None
    analysis = analyse(gathered.capture, View(), gathered.files)
    assert analysis.report.findings
    assert not analysis.report.sources
    assert not analysis.sources
    assert "secret" not in repr(analysis)


def scanned(folder: Path) -> tuple[Scan, SourceFiles]:
    (folder / "cache.go").write_text(SOURCE)
    scan = replace(SCAN, packages=tuple(replace(package, folder=str(folder)) for package in SCAN.packages))
    return scan, SourceFiles(scan)


def test_without_source_the_judgement_is_the_same_and_no_source_is_handed_on(tmp_path: Path) -> None:
    scan, files = scanned(tmp_path)
    capture = replace(CAPTURE, scan=scan, sources={})
    shown, hidden = (analyse(capture, View(keep_sources=keep), files) for keep in (True, False))
    assert "map-storage" in {pattern for pattern, _, _ in seen(shown).values()}, "this pattern needs the source"
    assert seen(shown) == seen(hidden)
    assert shown.report.sources
    assert shown.sources
    assert not hidden.report.sources
    assert not hidden.sources


def test_a_capture_is_judged_as_the_run_that_saved_it(tmp_path: Path) -> None:
    scan, files = scanned(tmp_path)
    live = analyse(replace(CAPTURE, scan=scan, sources={}), View(), files)
    later = analyse(replace(CAPTURE, scan=scan, sources=dict(live.sources)), View())
    assert seen(later) == seen(live)


def test_ids_of_what_the_compiler_says_do_not_depend_on_a_profile() -> None:
    static = {one.id for one in analyse(replace(CAPTURE, profiles=()), View()).report.findings}
    assert static < set(seen(analyse(CAPTURE, View())))


@pytest.mark.parametrize(
    ("focus", "kept"),
    [
        ("nothing", {}),
        ("page$", {"keep": 100, "other": 30}),
        ("keep$", {"keep": 100}),
        (r"cache\.go:20", {"other": 30}),
        ("map-storage", {"keep": 100}),
    ],
)
def test_focus_is_on_functions_files_and_patterns(focus: str, kept: Mapping[str, int]) -> None:
    whole = analyse(CAPTURE, View())
    part = analyse(CAPTURE, View(re.compile(focus)))
    assert seen(part).items() <= seen(whole).items()
    assert {one.site.function: allocated(one) for one in part.report.findings if allocated(one)} == kept
    assert part.report.totals.profile == whole.report.totals.profile
    assert part.report.flame is not None
    assert part.report.flame.measure.alloc_bytes == sum(kept.values())


def test_focus_leaves_the_bytes_of_stacks_that_pass_through_it() -> None:
    stacks = heap(([own("keep", 6), own("page", 40)], 100), ([own("keep", 6), own("feed", 60)], 11))
    part = analyse(replace(CAPTURE, profiles=(stacks,)), View(re.compile("feed$")))
    assert [(one.site.function, allocated(one)) for one in part.report.findings] == [("keep", 11)]


def grown(monkeypatch: pytest.MonkeyPatch, capture: Capture, view: View) -> dict[str, tuple[int, int]]:
    """Return what the verdict is told of each line: bytes at the start of the window and at its end."""
    told: list[RuntimeHistory] = []

    def judge(history: RuntimeHistory) -> Judgement:
        told.append(history)
        return Judgement(None, ())

    monkeypatch.setattr(analyse_module, "judge_causes", judge)
    analyse(capture, view)
    (history,) = told
    return {line.place: (line.before_bytes, line.after_bytes) for line in history.growth}


def test_growth_is_told_from_two_ends_that_are_joined_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Site("/build/src/shop/cache/cache.go", 70, 0, "listen", f"{MODULE}/cache")
    waits = GoroutineGroup(1, "IO wait", (Site("net/http/server.go", 1, 0, "(*Server).Serve", "net/http"), listener))
    begun = heap(([own("keep", 6), own("page", 40)], 100), ([SERVE], 500))
    ended = heap(([own("keep", 6), own("page", 40)], 130), ([SERVE], 500))
    gauges = tuple(Gauge("seconds", float(second), "seconds", f"2026-01-01T00:00:0{second}Z") for second in range(2))
    capture = replace(
        CAPTURE, profiles=(begun, ended), window_seconds=1.0, gauges=gauges, goroutines={gauges[1].at: (waits,)}
    )
    expected = {"cache/cache.go:6": (100, 130), "cache/cache.go:70": (500, 500)}
    assert grown(monkeypatch, capture, View()) == expected
    assert grown(monkeypatch, capture, View(re.compile("nothing"))) == expected


def test_damaged_profiles_of_a_recording_are_left_out_and_counted() -> None:
    cut = b"\x1f\x8bcut short"
    alone = replace(CAPTURE, scan=None, profiles=(cut, cut))
    with pytest.raises(FormatError):
        analyse(alone, View())
    whole = seen(analyse(replace(CAPTURE, profiles=(PROFILE, PROFILE)), View()))
    for profiles in ((PROFILE, PROFILE, cut), (cut, PROFILE, PROFILE), (PROFILE, cut, PROFILE, cut)):
        analysis = analyse(replace(CAPTURE, profiles=profiles), View())
        assert seen(analysis) == whole
        assert any(f"of {len(profiles)} heap profiles could not be read" in gap.reason for gap in analysis.report.gaps)
    nothing = analyse(replace(CAPTURE, profiles=(cut,)), View())
    assert nothing.report.findings
    assert any("1 of 1 heap profiles" in gap.reason for gap in nothing.report.gaps)


def test_without_packages_the_command_that_names_them_is_complete() -> None:
    capture = replace(CAPTURE, targets=("http://127.0.0.1:6060",), scan=None, sources={})
    report = analyse(capture, View()).report
    command = "whyheap why ./... http://127.0.0.1:6060"
    assert {fix.title.partition(":  ")[2] for one in report.findings for fix in one.fixes} == {command}
    assert any(command in gap.hint for gap in report.gaps)
    assert not any("FILE:LINE" in fix.title for one in report.findings for fix in one.fixes)


def test_rates_without_numbers_beside_the_profiles_are_the_least_they_can_be() -> None:
    later = heap(([own("keep", 6), own("page", 40)], 130))
    told = analyse(replace(CAPTURE, profiles=(PROFILE, later), window_seconds=10.0), View()).report
    assert told.totals.alloc_window_seconds is None
    assert told.totals.is_rate_least
    same = analyse(replace(CAPTURE, profiles=(PROFILE, PROFILE), window_seconds=3.0), View()).report
    [gap] = [gap for gap in same.gaps if gap.witness == "profile"]
    assert "no collection within 3 s has shown yet what was allocated" in gap.reason
    assert gap.hint == "Watch longer:  --seconds 30"


def test_the_larger_of_two_values_of_a_line_gives_its_reason() -> None:
    there = shop(
        fact("cache/cache.go", 6, "&session{...} escapes to heap", column=3, function="keep"),
        fact("cache/cache.go", 6, "make([]byte, 4096) escapes to heap", column=30, function="keep"),
    )
    for size, lead in ((4096, "make([]byte, 4096)"), (9000, "&session{...}")):  # with 9,000 the session is the larger
        stacks = heap(([own("keep", 6)], size))
        report = analyse(Capture(("./...",), AT, there, (stacks,)), View()).report
        assert report.findings[0].subject == lead
        assert len(report.findings) == 2
