from __future__ import annotations

import pytest

from whyheap.cli.history_options import history_of
from whyheap.errors import UsageError


def test_without_a_server_there_is_no_history() -> None:
    assert history_of("", "", "1h", "", ()) is None
    for at, selector in (("now", ""), ("", "shop")):
        with pytest.raises(UsageError, match="belongs to a history") as caught:
            history_of("", at, "1h", selector, ())
        assert "--prometheus" in caught.value.hint


def test_what_was_given() -> None:
    options = history_of("prometheus:9090", "1714533120", "90m", "shop", ("Authorization: Bearer x",), insecure=True)
    assert options is not None
    assert (options.url, options.at, options.seconds) == ("http://prometheus:9090", 1714533120.0, 5400.0)
    assert options.selector.matchers == 'job="shop"'
    assert options.access.headers == {"Authorization": "Bearer x"}
    assert options.access.insecure
    assert "Bearer" not in repr(options)


@pytest.mark.parametrize(
    ("at", "seconds", "selector"), [("soon", "1h", ""), ("", "0", ""), ("", "week", ""), ("", "1h", "job=shop")]
)
def test_what_makes_no_sense(at: str, seconds: str, selector: str) -> None:
    with pytest.raises(UsageError):
        history_of("http://prometheus:9090", at, seconds, selector, ())
