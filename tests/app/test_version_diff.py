"""What counts as a change between two Go versions."""

from dataclasses import replace

import pytest

from whyheap.app.version_diff import change_of, split_targets
from whyheap.errors import UsageError
from whyheap.model.evidence import Agreement
from whyheap.model.facts import AllocatorCall, CallPath, CompilerFact, FactKind
from whyheap.model.finding import Certainty, Finding
from whyheap.model.site import Site
from whyheap.model.version_diff import Change, calls_of_one_copy

SITE = Site("a.go", 4, 0, "F", "p")


def finding(agreement: Agreement, calls: int = 1) -> Finding:
    made = tuple(
        AllocatorCall(SITE, "runtime.newobject", "", address, CallPath.ALWAYS, symbol="p.F") for address in range(calls)
    )
    return Finding("id", "append-growth", SITE, "s", "", Certainty.STATED, agreement, calls=made)


SURE, MAYBE = Agreement.AGREE, Agreement.MAY_ALLOCATE


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ([SURE], [], Change.STOPS),
        ([], [MAYBE], Change.STARTS),
        ([SURE], [MAYBE], Change.LESS),
        ([MAYBE], [SURE], Change.MORE),
        ([SURE, SURE], [SURE], Change.LESS),
        ([SURE], [Agreement.ALLOCATES_SILENTLY], None),
        ([Agreement.UNKNOWN], [SURE], None),
        ([], [], None),
    ],
)
def test_a_line_changes_when_it_allocates_more_or_less_surely_or_often(
    before: list[Agreement], after: list[Agreement], change: Change | None
) -> None:
    assert change_of([finding(one) for one in before], [finding(one) for one in after]) is change


def test_packages_and_one_profile() -> None:
    assert split_targets(("./...",)) == (("./...",), "")
    assert split_targets(()) == (("./...",), "")
    assert split_targets(("http://127.0.0.1:6060", ".")) == ((".",), "http://127.0.0.1:6060")


def test_two_profiles_are_one_too_many() -> None:
    with pytest.raises(UsageError, match="more than one profile"):
        split_targets(("http://127.0.0.1:1", "http://127.0.0.1:2"))


def test_code_that_was_inlined_twice_counts_once() -> None:
    one = finding(SURE, 2)
    copies = tuple(
        AllocatorCall(SITE, "runtime.newobject", "", address, CallPath.ALWAYS, symbol=symbol)
        for symbol in ("p.G", "p.H", "p.I")
        for address in range(2)
    )
    assert change_of([one], [replace(one, calls=copies)]) is None
    assert len(calls_of_one_copy([replace(one, calls=copies)])) == len(one.calls or ())


@pytest.mark.parametrize(("element", "change"), [("int", Change.LESS), ("p.Large", None)])
def test_an_append_that_starts_on_the_stack_allocates_less(element: str, change: Change | None) -> None:
    growth = AllocatorCall(SITE, "runtime.growslice", element, 0, CallPath.BRANCH, symbol="p.F")
    old = replace(finding(MAYBE), calls=(growth,))
    place = SITE.position
    fact = CompilerFact(FactKind.STACK, place, "F", "p", "append does not escape", "append", place)
    assert change_of([old], [replace(old, facts=(fact,))]) is change
