"""The folder's name reaches the compiler whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.collect.json_folder import JsonFolder
from whyheap.errors import ToolError


@pytest.mark.parametrize(
    ("folder", "flag"),
    [
        ("/c/json", "-json=0,/c/json"),
        ("/my cache/json", "'-json=0,/my cache/json'"),
        ("/it's/json", '"-json=0,/it\'s/json"'),
        ('/a"b/json', "'-json=0,/a\"b/json'"),
    ],
)
def test_flags_are_quoted_as_go_reads_them(folder: str, flag: str) -> None:
    plain, main = JsonFolder(Path(folder)).flags({"example.com/cmd"}, "-l")
    assert plain == f"-gcflags=-m=2 {flag} -l"
    assert main.startswith("-gcflags=example.com/cmd=-m=2 ")
    assert main.endswith(" -l")


def test_both_quotes_cannot_be_said(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="both quotes"):
        list(JsonFolder(tmp_path / "a'b\"c").flags((), ""))
