"""The compiler's flow in plain English. Flows are those that go1.26 and go1.27 print for small programs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from report.sample_report import oomshop
from whyheap.model.evidence import Agreement
from whyheap.model.facts import CompilerFact, FactKind, Flow, FlowStep
from whyheap.model.site import Position
from whyheap.report.plain_words import SENTENCES, chain, conclusion, headline

# field/compiler.md, "reason | construct"; checked against go1.26 src/cmd/compile/internal/escape/*.go
REASONS = (
    "address-of",
    "indirection",
    "dot",
    "dot of pointer",
    "fixed-array-index-of",
    "slice",
    "slice-to-array",
    "interface-converted",
    "captured by a closure",
    "reference",
    "assign",
    "assign-pair",
    "assign-pair-dot-type",
    "assign-pair-mapr",
    "assign-pair-receive",
    "return",
    "send",
    "range",
    "range-deref",
    "switch case",
    "call parameter",
    "callee operand",
    "appendee slice",
    "appended slice...",
    "copied slice",
    "array literal element",
    "slice-literal-element",
    "struct literal element",
    "map literal key",
    "map literal value",
    "key of map put",
    "too large for stack",
    "too aligned for stack",
    "non-constant size",
    "zero-sized element",
    "conversion to unsafe.Pointer",
    "//go:uintptrescapes",
    "reflect.Header.Data",
)


def _fact(subject: str, message: str, *flows: tuple[str, str, tuple[tuple[str, str], ...]]) -> CompilerFact:
    at = Position("a.go", 7, 2)
    flow = tuple(
        Flow(to, from_, tuple(FlowStep(expr, reason, "a.go", 7, 2) for expr, reason in steps))
        for to, from_, steps in flows
    )
    return CompilerFact(FactKind.HEAP, at, "work", "p", message, subject, at, (), flow)


def _texts(fact: CompilerFact, pattern: str = "") -> list[str]:
    return [sentence.text for sentence in chain(fact, pattern)]


BOXED = _fact(
    "n",
    "n escapes to heap",
    (
        "{storage for ... argument}",
        "&{storage for n}",
        (("n", "spill"), ("... argument", "slice-literal-element")),
    ),
    (
        "{heap}",
        "{storage for ... argument}",
        (("... argument", "spill"), ('fmt.Sprintf("%d", ... argument...)', "call parameter")),
    ),
)
RETURNED = _fact("it", "moved to heap: it", ("~r0", "&it", (("&it", "address-of"), ("return &it", "return"))))
GROWN = _fact(
    "append(out, i)",
    "append escapes to heap",
    (
        "out",
        "&{storage for append(out, i)}",
        (("append(out, i)", "spill"), ("out = append(out, i)", "assign")),
    ),
    ("~r0", "out", (("return out", "return"),)),
)
CAPTURED = _fact(
    "n",
    "moved to heap: n",
    ("{storage for func literal}", "&n", (("n", "captured by a closure"), ("n", "reference"))),
)
METHOD = _fact("it", "moved to heap: it", ("{heap}", "&it", (("&it", "address-of"), ("s.Put(&it)", "call parameter"))))
SYNC_PUT = _fact(
    "b", "b escapes to heap", ("{heap}", "&b", (("b", "spill"), ("(*sync.Pool).Put(pool, b)", "call parameter")))
)


@pytest.mark.parametrize(
    ("fact", "pattern", "expected"),
    [
        (
            BOXED,
            "variadic-any",
            ["n is stored in an interface", "the interface goes into the argument slice", "fmt.Sprintf keeps it"],
        ),
        (RETURNED, "", ["the address of it is taken", "work returns it to its caller"]),
        (
            GROWN,
            "append-growth",
            [
                "append makes a larger array when the old one is full",
                "it is stored in out",
                "work returns it to its caller",
            ],
        ),
        (CAPTURED, "", ["a func literal captures n", "the capture is by reference: it holds the address of n"]),
        (
            METHOD,
            "interface-method-argument",
            [
                "the address of it is taken",
                "s.Put is called through an interface: it may keep it, so the compiler assumes so",
            ],
        ),
        (SYNC_PUT, "pool-boxing", ["b is stored in an interface", "(*sync.Pool).Put keeps it"]),
    ],
)
def test_flows_read_as_sentences(fact: CompilerFact, pattern: str, expected: list[str]) -> None:
    assert _texts(fact, pattern) == expected


@pytest.mark.parametrize(
    ("fact", "pattern", "expected"),
    [
        (BOXED, "", "so n must outlive work: it is copied to the heap"),
        (RETURNED, "", "so it must outlive work: the variable is moved to the heap"),
        (GROWN, "", "so the new array must outlive work: it is allocated on the heap"),
        (CAPTURED, "", "so n goes to the heap together with the func literal"),
        (
            _fact("x", "moved to heap: x", ("{heap}", "&x", (("x", "too large for stack"),))),
            "",
            "so x is allocated on the heap",
        ),
        (replace(BOXED, kind=FactKind.STACK), "", ""),
    ],
)
def test_what_follows(fact: CompilerFact, pattern: str, expected: str) -> None:
    assert conclusion(fact, pattern) == expected


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_compiler_has_a_sentence(reason: str) -> None:
    (text,) = _texts(_fact("x", "", ("y", "x", (("x.y", reason),))))
    assert reason in SENTENCES
    assert "{" not in text
    assert f"({reason})" not in text


def test_an_unknown_reason_keeps_the_compilers_words() -> None:
    assert _texts(_fact("x", "", ("y", "x", (("x ~> y", "new reason of go1.99"),)))) == [
        "x ~> y (new reason of go1.99)"
    ]


def test_braces_in_expressions_are_text() -> None:
    assert _texts(_fact("x", "", ("y", "x", (("T{0}{expr}", "dot"),)))) == ["T{0}{expr} is a part of it"]


def test_a_fact_without_a_flow_gives_the_message() -> None:
    assert _texts(_fact("x", "x escapes to heap")) == ["the compiler says: x escapes to heap"]


def test_long_expressions_are_cut_in_the_middle() -> None:
    (text,) = _texts(_fact("x", "", ("y", "x", (("a" * 9_000 + "z", "dot"),))))
    assert len(text) < 100
    assert "z is a part" in text


def test_headlines_say_where_witnesses_disagree() -> None:
    finding = oomshop().findings[0]
    assert headline(finding) == "stored in a package-level map"
    silent = replace(finding, agreement=Agreement.ALLOCATES_SILENTLY)
    assert headline(silent) == "stored in a package-level map (the compiler is silent)"
    unread = replace(silent, message="allocates; its source was not read, so the reason is not known")
    assert headline(unread) == unread.message, "who was not asked is not silent"
    denied = replace(silent, facts=(replace(finding.facts[0], message="p does not escape"),))
    assert headline(denied) == 'stored in a package-level map ("does not escape", allocates anyway)'
    never = replace(finding, agreement=Agreement.NEVER_ALLOCATES)
    assert headline(never) == "stored in a package-level map, but never allocates"
    bare = replace(finding, message="", facts=())
    assert headline(bare) == "global store"
