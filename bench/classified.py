"""Prints how many heap sites of real code carry a pattern, and how compiler and machine code agree on them.

    .venv/bin/python -m bench.classified [--go PATH|VERSION] [CORPUS ...]

CORPUS is std or a program of real_sources.py (prometheus, nats-server, caddy); all four by default. The table is
Markdown, for docs/classified/README.md. A site counts as classified unless its pattern is one of REASONS: other, or a
call of which nothing more is known.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.real_sources import CACHE, GO_ENVIRONMENT, ROOT

from whyheap.patterns.catalogue import REASONS

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
UNCLASSIFIED = frozenset(reason.slug for reason in REASONS)
CORPORA = ("std", "prometheus", "nats-server", "caddy")
AGREEMENTS = ("agree", "may-allocate", "never-allocates", "allocates-silently", "unknown")


def main() -> int:
    """Scan and print; 1 when a corpus has less than 98 % of its heap sites classified."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpora", nargs="*", metavar="CORPUS", default=CORPORA)
    parser.add_argument("--go", default="", help="the go command, or a version")
    chosen = parser.parse_args()
    print(f"| corpus | findings | classified | {' | '.join(AGREEMENTS)} | most frequent |")
    print("|---|" + "---|" * (3 + len(AGREEMENTS)))
    worst = 1.0
    with tempfile.TemporaryDirectory() as empty:
        for corpus in chosen.corpora:
            findings = list(scanned(corpus, chosen.go, Path(empty)))
            if not findings:
                sys.exit(f"{corpus}: nothing was found")
            patterns = Counter(finding["pattern"] for finding in findings)
            agreements = Counter(finding["agreement"] for finding in findings)
            rest = sum(count for pattern, count in patterns.items() if pattern in UNCLASSIFIED)
            share = 1 - rest / len(findings)
            worst = min(worst, share)
            told = " | ".join(f"{agreements[name] / len(findings):.1%}" for name in AGREEMENTS)
            top = ", ".join(f"{pattern} {count / len(findings):.0%}" for pattern, count in patterns.most_common(5))
            print(f"| {corpus} | {len(findings):,} | {share:.2%} ({rest} not) | {told} | {top} |", flush=True)
    return 0 if worst >= 0.98 else 1  # noqa: PLR2004 - what is promised


def scanned(corpus: str, go: str, empty: Path) -> Iterator[dict[str, Any]]:
    """Yield the findings of a corpus."""
    command = [str(WHYHEAP), "scan", "--format", "jsonl", "--quiet", "--no-source", *(("--go", go) if go else ())]
    found = sorted(CACHE.glob(f"{corpus}-v*"))
    if corpus != "std" and not found:
        sys.exit(f"{corpus} is not there: python -m bench.real_programs {corpus} fetches it")
    folder, pattern = (empty, "std") if corpus == "std" else (found[-1], "./...")
    done = subprocess.run(
        [*command, pattern], cwd=folder, env={**os.environ, **GO_ENVIRONMENT}, stdout=subprocess.PIPE, check=False
    )
    yield from map(json.loads, done.stdout.splitlines())


if __name__ == "__main__":
    sys.exit(main())
