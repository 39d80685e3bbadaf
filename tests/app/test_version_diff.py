"""What counts as a change between two Go versions."""

import pytest

from whyheap.app.version_diff import change_of, split_targets
from whyheap.errors import UsageError
from whyheap.model.evidence import Agreement
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.finding import Certainty, Finding
from whyheap.model.site import Site
from whyheap.model.version_diff import Change

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
