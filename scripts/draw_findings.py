"""Draw findings of `whyheap scan` at random, as rows of a Markdown table to fill in by eye (docs/classified/).

    .venv/bin/python scripts/draw_findings.py CORPUS PATTERN [--go GO] [--seed 20261122] [--count 50] [--json]

Every finding of the corpus has the same chance: `random.Random(seed).sample` over all of them, in the order of place,
pattern and id. CORPUS is the folder to scan from, PATTERN as for go build, GO the go command or a version. The verdict
and its reason are left empty; --json prints the drawn findings whole instead, with flow and machine code.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from steps import VENV

HEAD = "| place | pattern | agreement | verdict | why |\n|---|---|---|---|---|"
SEED = 20261122
COUNT = 50

Finding = dict[str, Any]


def main() -> int:
    """Scan, draw and print; return the scan's exit code."""
    asked = parse_options()
    scan = [str(VENV / "bin" / "whyheap"), "scan", *asked.pattern, "--format", "jsonl", "--quiet", "--no-source"]
    if asked.go:
        scan += ["--go", asked.go]
    scanned = subprocess.run(scan, cwd=asked.corpus, stdout=subprocess.PIPE, check=False)
    findings = sorted(map(json.loads, scanned.stdout.splitlines()), key=order)
    drawn = random.Random(asked.seed).sample(findings, min(asked.count, len(findings)))  # noqa: S311 - no secret
    print(f"{len(drawn)} of {len(findings)} findings", file=sys.stderr)
    if not asked.json:
        print(HEAD)
    for finding in sorted(drawn, key=order):
        print(json.dumps(finding) if asked.json else row(finding))
    return scanned.returncode


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="the folder to scan from")
    parser.add_argument("pattern", nargs="+", help="packages, as for go build")
    parser.add_argument("--go", default="", help="the go command, or a version")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--json", action="store_true", help="the drawn findings whole, one JSON object a line")
    return parser.parse_args()


def order(finding: Finding) -> tuple[str, int, int, str, str]:
    """Return what findings are sorted by: place, pattern, id."""
    site = finding["site"]
    return site["file"], site["line"], site["column"], finding["pattern"], finding["id"]


def row(finding: Finding) -> str:
    """Return a finding as a row, without verdict."""
    site = finding["site"]
    return f"| `{site['file']}:{site['line']}` | {finding['pattern']} | {finding['agreement']} |  |  |"


if __name__ == "__main__":
    sys.exit(main())
