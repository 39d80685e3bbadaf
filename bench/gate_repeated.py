"""Asks `whyheap gate` the same again and again, and prints how many of its JSON outputs are equal, byte for byte.

    .venv/bin/python -m bench.gate_repeated [--runs 100] [--empty 4] [--go PATH] [PACKAGE ...]

The packages are of std. The baseline lacks six of its entries, evenly spread, so that there is something to say. The
runs share a cache, but `--empty` of them, spread over all, start with none at all; the last of these also with an empty
build cache of go, so that what the packages import is compiled anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.children import answer, end_tidily
from bench.real_sources import GO_ENVIRONMENT, ROOT, go_output

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
_PACKAGES = ("net/http", "encoding/json")
_TAKEN_OUT = 6
_FIRST_ENTRY = 6
"""The lines above are the baseline's head (docs/gate.md)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked each time. `temporary` holds the baseline and all caches."""

    command: tuple[str, ...]
    folder: Path
    temporary: Path

    def ask(self, env: Mapping[str, str]) -> bytes:
        """Return the JSON; a gate that could not judge ends the measurement."""
        status, output, errors = answer(self.command, self.folder, {**GO_ENVIRONMENT, **env})
        if status not in (0, 1):
            sys.exit(f"exit status {status}: {' '.join(self.command)}\n{errors.decode(errors='replace')}")
        return output

    @property
    def warm(self) -> dict[str, str]:
        """Return the cache that the runs share."""
        return {"WHYHEAP_CACHE": str(self.temporary / "cache")}

    @contextmanager
    def empty(self, *, with_go: bool) -> Iterator[dict[str, str]]:
        """Yield caches that nobody has filled."""
        with tempfile.TemporaryDirectory(prefix="empty-", dir=self.temporary) as folder:
            own = {"WHYHEAP_CACHE": str(Path(folder, "own"))}
            yield own | ({"GOCACHE": str(Path(folder, "go"))} if with_go else {})


def main() -> None:
    """Run, and exit with 1 unless all outputs are equal."""
    parser = argparse.ArgumentParser(description="whyheap gate, again and again")
    parser.add_argument("packages", nargs="*", default=_PACKAGES, help="packages of std")
    parser.add_argument("--runs", type=int, default=100, help="how often to ask")
    parser.add_argument("--empty", type=int, default=4, help="how many of the runs start with an empty cache")
    parser.add_argument("--go", default="go", help="the go command to ask")
    given = parser.parse_args()
    if not 0 <= given.empty <= given.runs:
        parser.error(f"--empty {given.empty} of {given.runs} runs")
    end_tidily()
    go = shutil.which(given.go)
    if go is None:
        sys.exit(f"no go command at {given.go}")
    go = str(Path(go).absolute())
    try:
        with tempfile.TemporaryDirectory(prefix="gate-repeated-") as temporary:
            equal = _repeat(_prepare(go, given.packages, Path(temporary)), given.runs, given.empty)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if equal else 1)


def _prepare(go: str, packages: Sequence[str], temporary: Path) -> Question:
    """Write a baseline that lacks some of what is there."""
    goroot, version = go_output(go, ["env", "GOROOT", "GOVERSION"], temporary).splitlines()
    baseline = temporary / "std.baseline"
    command = (str(WHYHEAP), "gate", *packages, "--go", go, "--baseline", str(baseline))
    question = Question((*command, "--format", "json"), Path(goroot, "src"), temporary)
    Question((*command, "--update"), question.folder, temporary).ask(question.warm)
    *head_and_entries, end = baseline.read_text().splitlines(keepends=True)
    head, entries = head_and_entries[:_FIRST_ENTRY], head_and_entries[_FIRST_ENTRY:]
    gone = {len(entries) * number // _TAKEN_OUT for number in range(_TAKEN_OUT)}
    kept = [line for number, line in enumerate(entries) if number not in gone]
    baseline.write_text("".join((*head, *kept, end)))
    print(f"{' '.join(packages)}: {len(entries)} entries, {len(gone)} of them taken out of the baseline; {version}")
    print(f"{os.cpu_count()} CPUs", flush=True)
    return question


def _repeat(question: Question, runs: int, empty: int) -> bool:
    """Ask, print what came of it, and return whether all answers are equal."""
    empties = [runs * number // empty - 1 for number in range(1, empty + 1)] if empty else []
    answers: Counter[bytes] = Counter()
    began = time.monotonic()
    for number in range(runs):
        if number in empties:
            with question.empty(with_go=number == empties[-1]) as env:
                answers[question.ask(env)] += 1
        else:
            answers[question.ask(question.warm)] += 1
    seconds = time.monotonic() - began
    print(f"{runs} runs in {seconds:.0f} s: {runs - empty} warm, {empty} with an empty cache of whyheap's,")
    print(f"  {min(1, empty)} of these with an empty one of go's as well")
    for output, count in answers.most_common():
        judged = json.loads(output)
        print(f"{count} of {runs} outputs are equal: {len(output)} bytes, {len(judged['violations'])} violations")
    return len(answers) == 1


if __name__ == "__main__":
    main()
