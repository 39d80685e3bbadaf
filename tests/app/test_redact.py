"""A redacted report names no host and no folder of a machine, wherever it stood."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from whyheap.app.redact import redacted, redacted_profile
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.finding import Certainty, Finding
from whyheap.model.gauge import Gap
from whyheap.model.measure import Measure
from whyheap.model.profile import HeapProfile, Mapping
from whyheap.model.report import EntryPoint, FlameNode, Report
from whyheap.model.site import Position, Site
from whyheap.model.verdict import CauseVerdict, Statement, Verdict

FILE = "/home/alice/secret/shop/cache/lru.go"
OTHER = "/srv/ci/secret/old/cache/lru.go"
SPACED = "/Users/alice/my secret/shop/main.go"
SECRETS = ("alice", "secret", "/srv", "/home", "prod-7.internal", "10.0.0.7")


def finding(file: str) -> Finding:
    place = Position(file, 4, 2)
    step = FlowStep("x", "spill", file, 4, 2)
    fact = CompilerFact(
        FactKind.HEAP, place, "F", "p", f"{file}:4: x", "x", place, (place,), (Flow("a", "b", (step,)),)
    )
    return Finding(
        f"id {file}", "map-storage", Site(file, 4), "x", f"kept by {file}:4", Certainty.STATED, facts=(fact,)
    )


def report() -> Report:
    flame = FlameNode("all", "", 0, "", Measure())
    for _ in range(3000):
        flame = FlameNode("F", FILE, 4, "", Measure(), (flame,))
    statement = Statement(
        f"{SPACED}:41 holds 3 MiB; prod-7.internal:6060 says so", Certainty.MEASURED, Site(SPACED, 41)
    )
    cause = CauseVerdict("goroutine-leak", Certainty.MEASURED, 1, 0.5, f"in {FILE}", (statement,), ("see 10.0.0.7:80",))
    return Report(
        targets=("http://u@prod-7.internal:6060/x", "http://10.0.0.7:80", FILE, "./...", SPACED),
        go="go1.27.3",
        verdict=Verdict((cause,)),
        findings=(finding(FILE), finding(OTHER), finding(SPACED), finding("p/x.go")),
        entry_points=(EntryPoint(f"{FILE}:4", "goroutine", Measure()),),
        gaps=(Gap("target", f"cannot read {FILE}: no", "http://prod-7.internal:6060/debug/pprof/heap"),),
        flame=flame,
        sources={FILE: "a", OTHER: "b", SPACED: "c", "p/x.go": 'open("/etc/motd/x")'},
    )


def test_nothing_of_the_machine_is_left() -> None:
    cleaned = redacted(report())
    text = msgspec.json.encode(replace(cleaned, flame=None)).decode()
    assert not [secret for secret in SECRETS if secret in text]
    node = cleaned.flame
    while node is not None:
        assert node.file in {"cache/lru.go", ""}
        node = node.children[0] if node.children else None


def test_files_keep_their_tail_and_stay_apart() -> None:
    cleaned = redacted(report())
    names = [one.site.file for one in cleaned.findings]
    assert names == ["cache/lru.go", "2~cache/lru.go", "shop/main.go", "p/x.go"]
    assert cleaned.sources == {names[0]: "a", names[1]: "b", names[2]: "c", "p/x.go": 'open("/etc/motd/x")'}
    assert cleaned.findings[3] is report().findings[3] or cleaned.findings[3] == finding("p/x.go")
    assert cleaned.findings[0].facts[0].flow[0].steps[0].file == names[0]
    assert cleaned.targets == ("http://redacted/x", "http://redacted", names[0], "./...", names[2])
    assert cleaned.gaps[0] == Gap("target", f"cannot read {names[0]}: no", "http://redacted/debug/pprof/heap")
    assert cleaned.verdict is not None
    assert cleaned.verdict.causes[0].evidence[0].text == "shop/main.go:41 holds 3 MiB; redacted says so"


def test_names_of_code_stay() -> None:
    kept = (
        "net/http/server.go",
        "example.com/mod@v1.2.3/x.go",
        "example.com/shop/cache.(*T).M",
        "a / b",
        "GET /orders",
    )
    plain = replace(report(), targets=kept)
    assert redacted(plain).targets == kept


def test_windows_paths_are_cut_too() -> None:
    plain = replace(report(), targets=("C:/Users/alice/secret/shop/main.go",))
    assert redacted(plain).targets == ("shop/main.go",)


def test_profiles_are_cut_likewise() -> None:
    empty: list[int] = []
    profile = HeapProfile(
        *({}, empty, [0], empty, empty, [0], empty, empty, ["F", "G"], [FILE, "p/x.go"], empty),
        mappings=(Mapping(0, 1, 0, "/srv/secret/shop", ""),),
        comments=("by alice",),
    )
    cleaned = redacted_profile(profile)
    assert list(cleaned.function_files) == ["cache/lru.go", "p/x.go"]
    assert (cleaned.mappings[0].file, cleaned.comments) == ("shop", ())
