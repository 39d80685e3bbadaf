"""`scan --calls`, `--functions` and `--facts`: what does not go together is refused before anything is compiled."""

from __future__ import annotations

import pytest

from whyheap.cli.scan_code import check_table
from whyheap.errors import UsageError


@pytest.mark.parametrize(
    ("option", "format_", "formats", "outputs", "words"),
    [
        ("--calls", "html", ("jsonl",), (), "--calls is not written as html"),
        ("--calls", None, ("jsonl",), ("x.html",), "'x.html' does not say a format that --calls has"),
        ("--functions", None, ("text", "jsonl"), ("x.json",), "'x.json' does not say a format that --functions has"),
        ("--functions", None, ("text", "jsonl"), ("noname",), "'noname' does not say"),
        ("--calls", None, ("jsonl",), ("a.jsonl", "b.jsonl"), "--calls is written to one place"),
    ],
)
def test_other_formats_are_refused(
    option: str, format_: str | None, formats: tuple[str, ...], outputs: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check_table(option, format_, formats, (), outputs)


def test_two_tables_at_once_are_refused() -> None:
    with pytest.raises(UsageError, match="--facts and --functions do not go together"):
        check_table("--facts", None, ("jsonl",), (("--roots", False), ("--functions", True)))


@pytest.mark.parametrize("outputs", [(), ("-",), ("x.jsonl",), ("x.TXT", "y.ndjson")])
def test_what_the_table_has_is_written(outputs: tuple[str, ...]) -> None:
    check_table("--functions", None, ("text", "jsonl"), (), outputs)


def test_a_named_format_frees_the_name_of_the_file() -> None:
    check_table("--calls", "jsonl", ("jsonl",), (), ("calls.out",))


def test_bounds_are_a_table_of_their_own() -> None:
    with pytest.raises(UsageError, match="--bounds and --binary do not go together"):
        check_table("--bounds", None, ("text", "jsonl"), (("--binary", True),))
