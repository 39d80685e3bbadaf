"""A package's declarations: files are read when a name in them is asked for; the order of asking changes nothing."""

from __future__ import annotations

from whyheap.patterns.declarations import Declarations
from whyheap.patterns.syntax import GoFile

ONE = GoFile("package p\n\ntype T struct {\n\tRun func()\n}\n\nfunc F() int { return 1 }\n")
TWO = GoFile("package p\n\ntype T struct{ Size int }\n\ntype R interface {\n\tRead /* b */ ([]byte) error\n}\n")
CALLS = GoFile("package p\n\nfunc G(r R, t T) { r.Read(nil); t.Run(); F() }\n")


def test_of_two_declarations_the_later_files_counts_whichever_is_asked_for_first() -> None:
    assert Declarations([ONE, CALLS]).is_function_field("Run")
    for names in (("Run", "Size"), ("Size", "Run")):
        declared = Declarations([ONE, CALLS, TWO])
        assert [declared.is_function_field(name) for name in names] == [False, False]


def test_a_member_is_found_where_it_is_declared() -> None:
    declared = Declarations([ONE, CALLS, TWO])
    assert declared.is_method_of_interface("Read")
    assert not declared.is_method_of_interface("Run")
    assert declared.function("F") is not None
    assert declared.function("T.F") is None
    assert declared.kind("io.Reader") == ""


def test_only_files_that_can_declare_a_member_mention_it() -> None:
    assert not CALLS.mentions("Absent")
    assert CALLS.mentions("Read")
    assert not CALLS.mentions("Size", r"\b")
