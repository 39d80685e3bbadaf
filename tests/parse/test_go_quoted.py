"""Texts as Go literals."""

from __future__ import annotations

import ast

from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.go_quoted import go_quoted, go_raw


@given(st.text())
def test_a_literal_means_its_text(text: str) -> None:
    """Go's escapes of these forms mean the same in Python."""
    assert ast.literal_eval(go_quoted(text)) == text


def test_escapes_are_those_of_go() -> None:
    assert go_quoted('a"b\\c\n\t%\0é\u2028') == '"a\\"b\\\\c\\n\\t%\\x00é\\u2028"'


def test_a_raw_literal_saves_escapes_and_nothing_else() -> None:
    texts = ['say "x"', "a\\b", "plain", 'a"\n', 'a"`']
    assert [go_raw(text) for text in texts] == ['`say "x"`', "`a\\b`", '"plain"', r'"a\"\n"', r'"a\"`"']
