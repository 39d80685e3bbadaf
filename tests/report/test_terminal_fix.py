"""What `whyheap fix` shows of edits and their proofs."""

from __future__ import annotations

import re

from whyheap.model.edit import Change, Edit, OfTests, Proof, ProvenEdit, Refusal, Standing
from whyheap.model.finding import Certainty, Finding, Fix, FixKind
from whyheap.model.site import Site
from whyheap.report.terminal_fix import fixes_to_terminal

EDIT = Edit("variadic-any", "render.go", "fmt.Sprint(n) -> strconv.Itoa(n)", (Change(1, 2, "x"),), ("a1",))
FINDING = Finding(
    "a1",
    "variadic-any",
    Site("render.go", 88, 3, "renderRow", "shop"),
    "n",
    "boxed",
    Certainty.STATED,
    fixes=(Fix("use a typed logger", FixKind.JUDGEMENT),),
)
DIFF = "--- a/render.go\n+++ b/render.go\n@@ -1 +1 @@\n-\told\n+\tnew\n"
PROOF = Proof(Standing.PROVEN, OfTests.PASS, ("n escapes to heap",), 2000, 1000, 32000, 8000, "tests")


def shown(*proofs: Proof, refused: bool = False, everything: bool = False, width: int = 80) -> str:
    edits = [ProvenEdit(EDIT, proof, DIFF) for proof in proofs]
    reasons = [(FINDING, Refusal("the format is no constant"))] if refused else []
    known = {"a1": FINDING}
    return fixes_to_terminal(edits, reasons, known, title="shop", go="go1.27.3", width=width, all_rows=everything)


def test_a_proof_stands_below_its_diff() -> None:
    text = shown(PROOF)
    assert text.splitlines()[0] == " shop  go1.27.3  1 proven"
    assert " render.go:88  renderRow  variadic-any\n--- a/render.go\n" in text
    assert "-    old\n+    new\n proven      builds; go vet passes; the tests pass\n" in text
    assert "             gone: n escapes to heap\n" in text
    assert "objects 2,000 -> 1,000, 31.2 KiB -> 7.8 KiB in one run of the tests" in " ".join(text.split())


def test_what_was_refuted_is_counted_and_shown_when_asked_for() -> None:
    wrong = Proof(Standing.REFUTED, reason="TestRow fails with it")
    assert "1 edit was tried and refuted (--all shows more)" in shown(wrong)
    assert " refuted     TestRow fails with it" in shown(wrong, everything=True)
    assert DIFF.splitlines()[0] not in shown(wrong, everything=True)


def test_an_unmeasured_edit_says_why() -> None:
    proof = Proof(Standing.UNMEASURED, OfTests.PASS, reason="not exercised by the tests")
    assert "nothing says what it saves: not exercised by the tests" in shown(proof)


def test_reasons_are_counted_or_told_one_by_one() -> None:
    assert "       1  the format is no constant" in shown(refused=True)
    told = shown(refused=True, everything=True)
    assert "not automatic: the format is no constant" in told
    assert "your judgement: use a typed logger" in told


def test_a_line_of_a_diff_stays_whole() -> None:
    added = "+\t" + "strconv.AppendInt(anIdentifierOfSomeLength, 10), " * 6 + "end"
    known = {"a1": FINDING}
    for color in (False, True):
        text = fixes_to_terminal(
            [ProvenEdit(EDIT, PROOF, DIFF + added + "\n")], [], known, title="t" * 99, go="go1", width=60, color=color
        )
        plain = re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()
        assert added.replace("\t", "    ") in plain
        assert max(len(row) for row in plain if not row.startswith("+")) <= 60


def test_one_finding_is_no_plural() -> None:
    assert " 1 finding has no automatic edit" in shown(refused=True)


def test_no_line_is_wider_than_the_terminal_but_a_diff() -> None:
    for width in (40, 60, 80):
        text = shown(PROOF, refused=True, everything=True, width=width)
        assert max(map(len, text.splitlines())) <= width
