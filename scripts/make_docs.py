"""Write the pages of docs/ that repeat what the code and the recordings say.

    .venv/bin/python scripts/make_docs.py           write them
    .venv/bin/python scripts/make_docs.py --check   exit 1 and name the pages that are not what the code says

Commands come from click's tree (commands_page.py), patterns and causes from the docstrings and Go files of the two
catalogues (catalogue_pages.py), the pattern matrix and folklore from what the lab has recorded (lab_pages.py).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import catalogue_pages
import commands_page
import lab_pages
import verdict_page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NOTE = "<!-- Written by scripts/make_docs.py from the code: edit that, then run it again. -->"

PAGES: dict[str, Callable[[str], str]] = {
    "commands.md": commands_page.commands_page,
    "patterns.md": catalogue_pages.patterns_page,
    "causes.md": catalogue_pages.causes_page,
    "pattern-matrix.md": lab_pages.matrix_page,
    "folklore.md": lab_pages.folklore_page,
    "allocation-verdicts.md": verdict_page.verdict_page,
}


def stale(folder: Path = DOCS) -> list[str]:
    """Return the names of the pages that are not what the code says."""
    return [name for name, page in PAGES.items() if not _holds(folder / name, page(NOTE))]


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where the pages are")
    chosen = parser.parse_args()
    for name in stale(chosen.folder):
        if chosen.check:
            print(f"{chosen.folder / name} is stale: run scripts/make_docs.py", file=sys.stderr)
        else:
            (chosen.folder / name).write_text(PAGES[name](NOTE), encoding="utf-8")
            print(f"wrote {chosen.folder / name}")
    return 1 if chosen.check and stale(chosen.folder) else 0


if __name__ == "__main__":
    sys.exit(main())
