"""Sites are found again in the other revision; only what is new or gone is left over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whyheap.app.revision_diff import change_of
from whyheap.app.site_matching import Placed, match_sites
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Certainty, Finding
from whyheap.model.revision_diff import SiteChange
from whyheap.model.site import Site


def placed(
    text: str,
    line: int,
    function: str = "F",
    *,
    pattern: str = "interface-boxing",
    subject: str = "x",
    package: str = "p",
) -> Placed:
    site = Site("a.go", line, 2, function, package)
    return Placed(Finding(f"{text}{line}", pattern, site, subject, "", Certainty.STATED, Agreement.AGREE), text)


def left(before: list[Placed], after: list[Placed]) -> tuple[list[str], list[str]]:
    found = match_sites(before, after)
    return [one.text for one in found.removed], [one.text for one in found.added]


def test_moved_and_edited_lines_of_a_function_match() -> None:
    assert left([placed("f(x)", 3), placed("g(x)", 4)], [placed("f(x)", 13), placed("g(x, y)", 14)]) == ([], [])


def test_of_equals_the_new_one_is_the_one_with_the_new_text() -> None:
    assert left([placed("f(x)", 3)], [placed("g(x)", 3), placed("f(x)", 4)]) == ([], ["g(x)"])
    assert left([placed("g(x)", 3), placed("f(x)", 4)], [placed("f(x)", 3)]) == (["g(x)"], [])


def test_func_literals_may_be_renumbered() -> None:
    before = [placed("f(x)", 3, "F.func1"), placed("h(x)", 9, "F.func2.1")]
    after = [placed("new(x)", 2, "F.func1"), placed("f(x)", 5, "F.func2"), placed("h(x)", 12, "F.func3.gowrap1")]
    assert left(before, after) == ([], ["new(x)"])


def test_renamed_functions_and_moved_code_are_told_apart() -> None:
    found = match_sites(
        [placed("f(x)", 3, "Old"), placed("g(x)", 8)], [placed("f(x)", 3, "New"), placed("g(x)", 1, package="q")]
    )
    assert (found.removed, found.added, len(found.moved), found.same) == ((), (), 2, ())


def test_another_reason_is_the_same_site() -> None:
    found = match_sites([placed("f(x)", 3)], [placed("f(x)", 3, pattern="global-store")])
    assert len(found.same) == 1
    assert change_of(found.same[0][0].finding, found.same[0][1].finding) is SiteChange.OTHER


def test_without_a_source_only_names_match() -> None:
    assert left([placed("", 3), placed("", 4, "G")], [placed("", 9), placed("", 1, "H")]) == ([""], [""])


SITES = st.lists(
    st.builds(
        placed,
        st.sampled_from(["f(x)", "g(x)", "h(x)", ""]),
        st.integers(1, 40),
        st.sampled_from(["F", "G", "F.func1", "F.func2"]),
        pattern=st.sampled_from(["interface-boxing", "global-store"]),
        subject=st.sampled_from(["x", "y"]),
        package=st.sampled_from(["p", "q"]),
    ),
    max_size=25,
)


@given(SITES, SITES)
def test_each_site_is_in_one_place(before: list[Placed], after: list[Placed]) -> None:
    found = match_sites(before, after)
    pairs = [*found.same, *found.moved]
    assert sorted(map(id, before)) == sorted(map(id, [*(old for old, _ in pairs), *found.removed]))
    assert sorted(map(id, after)) == sorted(map(id, [*(new for _, new in pairs), *found.added]))


@given(SITES)
def test_nothing_changes_against_itself(sites: list[Placed]) -> None:
    found = match_sites(sites, sites)
    assert (found.removed, found.added, found.moved) == ((), (), ())
