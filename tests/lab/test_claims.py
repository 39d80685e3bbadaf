"""Claims are read from their programs, and verdicts computed from what was measured."""

from __future__ import annotations

import re

import pytest

from whyheap.errors import ToolError, UsageError
from whyheap.lab.claims import FOLDER, ClaimVerdict, Prediction, claim_of, claims, parse, verdict
from whyheap.lab.probes import PROBES, wasm_memory

SOURCE = """// Claim: It is
// said.
// Truth: It is not.
// Probe: run
// Predicts: a == 1, one
// Predicts: a < b, less
// Shows: c, besides
//
//go:build illegal

package main
"""


def test_reads_the_head_of_a_program() -> None:
    claim = parse("a-claim", SOURCE)
    assert claim is not None
    assert (claim.claim, claim.truth, claim.probes) == ("It is said.", "It is not.", (("run", ""),))
    assert claim.predictions == (Prediction("a", "==", "1", "one"), Prediction("a", "<", "b", "less"))
    assert claim.shows == (("c", "besides"),)


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        ([{"a": 1, "b": 2}], ClaimVerdict.TRUE),
        ([{"a": 3, "b": 2}], ClaimVerdict.FALSE),
        ([{"a": 1, "b": 0}], ClaimVerdict.HALF),
        ([{"a": 1, "b": 2}, {"a": 3, "b": 2}], ClaimVerdict.HALF),
        ([{"a": 1}], ClaimVerdict.TRUE),
        ([{}], ClaimVerdict.UNKNOWN),
        ([], ClaimVerdict.UNKNOWN),
    ],
)
def test_the_verdict_follows_from_what_was_measured(measured: list[dict[str, float]], expected: ClaimVerdict) -> None:
    claim = parse("a-claim", SOURCE)
    assert claim is not None
    assert verdict(claim, measured) is expected


def test_a_prediction_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="a-claim"):
        parse("a-claim", SOURCE.replace("a == 1, one", "a is one"))


def test_an_unknown_claim_names_the_nearest() -> None:
    assert claim_of("large-struct").slug == "large-struct"
    with pytest.raises(UsageError) as caught:
        claim_of("large-strct")
    assert "large-struct" in caught.value.hint


def test_every_program_has_a_claim_or_serves_one() -> None:
    served = {argument for claim in claims() for _, argument in claim.probes}
    alone = {path.name for path in FOLDER.glob("*.go")} - {claim.file for claim in claims()}
    assert alone <= served
    assert len(claims()) >= 19


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.slug)
def test_every_claim_predicts_something_that_its_probes_measure(claim: object) -> None:
    one = claim_of(claim.slug)  # type: ignore[attr-defined]
    assert one.claim.endswith(".")
    assert one.truth.endswith(".")
    assert one.predictions
    assert {name for name, _ in one.probes} <= PROBES.keys()
    assert not re.search(r"\b(true|false|half)\b", one.claim, re.IGNORECASE)


def test_reads_the_memory_of_a_module() -> None:
    head = b"\0asm\1\0\0\0"
    assert wasm_memory(head + b"\5\3\1\0\x20") == {"memory_has_maximum": 0, "initial_pages": 32}
    assert wasm_memory(head + b"\1\1\0\5\4\1\1\2\3") == {"memory_has_maximum": 1, "initial_pages": 2}
    for damaged in (b"", b"\0asm", head, head + b"\5\3\1\0", head + b"\5\x80"):
        with pytest.raises(ToolError):
            wasm_memory(damaged)
