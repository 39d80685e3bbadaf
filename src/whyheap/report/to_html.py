"""A report as ONE HTML file that works offline: the bundled page with the report's data in it as inert JSON.

The page (web/, built by npm) carries a strict content security policy: it can load nothing, and only its own hashed
script runs. All text of targets is inside one `<script type="application/json">`, which browsers never execute, and
reaches the document as text nodes only.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from whyheap.errors import OutputError
from whyheap.report.page_data import page_data

if TYPE_CHECKING:
    from whyheap.model.report import Report

DATA_MARK: Final = "@@whyheap:data@@"
TITLE_MARK: Final = "@@whyheap:title@@"

_BUILD_IT: Final = "Run make install, or (cd web && npm ci && npm run build)."
_LONGEST_TITLE: Final = 200
_ESCAPES: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
_TITLE_ESCAPES: Final = {ord("<"): "&lt;", ord(">"): "&gt;", ord("&"): "&amp;"}


def to_html(report: Report) -> str:
    """Render the report as a page. Raises `OutputError` when the page's template was never built."""
    return fill(page_template(), report)


def page_template() -> str:
    """Read the template that `npm run build` made of web/."""
    try:
        return files("whyheap.report").joinpath("page", "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise OutputError("The HTML page is no part of a source checkout until it is built.", _BUILD_IT) from None


def fill(template: str, report: Report) -> str:
    """Put title and data into a template that has each mark once, in this order; `OutputError` if it has not."""
    before, title, rest = template.partition(TITLE_MARK)
    between, data, after = rest.partition(DATA_MARK)
    if not (title and data):
        raise OutputError("The HTML page was built by an older version of web/.", _BUILD_IT)
    return "".join((before, _title(report), between, island(page_data(report)), after))


def island(data: object) -> str:
    """Write JSON that no HTML parser can leave: pure ASCII without <, > and &."""
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)


def _title(report: Report) -> str:
    name = report.title or " ".join(report.targets)
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name[:_LONGEST_TITLE])
    title = f"{shown} - whyheap" if shown else "whyheap"
    return title.translate(_TITLE_ESCAPES)
