"""Runs `whyheap fix ./... --write` on modules that we did not write, with build, vet and tests before and after.

    .venv/bin/python -m bench.fix_modules [--go PATH|VERSION] [--minutes 30] [--test-timeout 5m] MODULE@VERSION ...

Each module comes through the Go module proxy and is copied, as a git repository, into a temporary folder; no step takes
longer than --minutes. Prints a Markdown row per module, for docs/fix.md; FOLDER (.cache/fix) gets the report as JSON
and the patch, to be read.

proven, unmeasured, refuted are edits; refused are findings that an editor looked at and left alone. Objects are those
at edits that tests or generated calls reached. Ends with 1 when a step that passed before fails after.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.children import Children, end_tidily
from bench.real_sources import CACHE, GO_ENVIRONMENT, ROOT, copy_module, go_output

from whyheap.host.go import find_go
from whyheap.patterns.editors import EDITORS

WHYHEAP = ROOT / ".venv" / "bin" / "whyheap"
_COLUMNS = ("module", "lines of Go", "proven", "unmeasured", "refuted", "refused", "objects", "build, vet, tests")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")  # in names of tests that are what %#v makes of a pointer
_IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")


@dataclass(frozen=True, slots=True)
class State:
    """What a tree does: whether it builds, what vet says, and the tests that passed and failed."""

    builds: bool
    vet: frozenset[str]
    passed: frozenset[str]
    failed: frozenset[str]


class Workplace:
    """A module's copy, and how commands run in it."""

    def __init__(self, folder: Path, log: Path, go: str, seconds: float, children: Children) -> None:
        """Each command may take so many seconds; what it says on standard error goes to `log`."""
        self.folder = folder
        self.go = go
        self._log = log
        self._seconds = seconds
        self._children = children

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command; returns its exit status and its standard output. One that takes too long ends all."""
        with tempfile.TemporaryFile() as output:
            child = self._children.start(command, self.folder, self._log, GO_ENVIRONMENT, stdout=output.fileno())
            try:
                status = child.wait(self._seconds)
            except subprocess.TimeoutExpired:
                sys.exit(f"longer than {self._seconds / 60:g} minutes: {' '.join(command)}")
            output.seek(0)
            return status, output.read().decode(errors="replace")

    def said(self) -> str:
        """Return what the last command printed on standard error."""
        return self._log.read_text(errors="replace").strip()

    def state(self) -> State:
        """Build, vet and test the tree."""
        built, _ = self.run(self.go, "build", "./...")
        self.run(self.go, "vet", "./...")
        vet = frozenset(line.split(": ", 1)[-1] for line in self.said().splitlines() if ".go:" in line)
        _, events = self.run(self.go, "test", "-json", "-count=1", "./...")
        return State(built == 0, vet, *_outcomes(events))

    def passes_again(self, names: frozenset[str]) -> frozenset[str]:
        """Run the packages of tests once more; returns those that pass now."""
        packages = sorted({name.partition(" ")[0] for name in names})
        _, events = self.run(self.go, "test", "-json", "-count=1", *packages)
        passed, failed = _outcomes(events)
        return names & (passed - failed)


def _outcomes(events: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the tests, as "PACKAGE NAME", that passed and failed; a package that fails by itself has no name."""
    told: dict[str, set[str]] = {"pass": set(), "fail": set()}
    for line in events.splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("Action") in told and "Package" in event:
            name = _ADDRESS.sub("0x", event.get("Test", ""))
            told[event["Action"]].add(f"{event['Package']} {name}".strip())
    return frozenset(told["pass"]), frozenset(told["fail"])


def main() -> int:
    """Go through the modules named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="+", metavar="MODULE@VERSION")
    parser.add_argument("--go", default="", help="the go command, or a version")
    parser.add_argument("--minutes", type=float, default=30, help="how long a step may take [30]")
    parser.add_argument(
        "--test-timeout", default="5m", help="how long one package's tests may take in whyheap fix [5m]"
    )
    parser.add_argument("--output", type=Path, default=CACHE.parent / "fix", help="folder of reports and patches")
    parser.add_argument("--keep", action="store_true", help="keep the edited trees in the output folder, too")
    given = parser.parse_args()
    end_tidily()
    go = find_go(given.go).command
    given.output.mkdir(parents=True, exist_ok=True)
    rows = []
    is_broken = False
    try:
        for module in given.modules:
            row, is_equal = _measure(module, go, given)
            rows.append(row)
            is_broken |= not is_equal
    except KeyboardInterrupt:
        return 130
    print(f"\n| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}")
    print(*rows, sep="\n")
    return 1 if is_broken else 0


def _measure(module: str, go: str, given: argparse.Namespace) -> tuple[str, bool]:
    """Fix one module; returns its row, and whether all that passed before passes after."""
    output: Path = given.output
    name = module.removeprefix("github.com/").replace("/", "+")
    with tempfile.TemporaryDirectory(prefix="whyheap-bench-") as work, Children() as children:
        place = Workplace(Path(work, "module"), Path(work, "stderr"), go, given.minutes * 60, children)
        _say(f"{module}: fetching")
        copy_module(module, place.folder, go)
        for words in (["init", "-q"], ["add", "-A", "-f"], [*_IDENTITY, "commit", "-q", "-m", "As published"]):
            if place.run("git", *words)[0]:
                sys.exit(f"git {' '.join(words)} failed: {place.said()}")
        _say("building, vetting, testing as published")
        before = place.state()
        _tell(before)

        lines = _lines(place)

        _say("whyheap fix ./... --write")
        begun = time.monotonic()
        command = [str(WHYHEAP), "fix", "./...", "--write", "--format", "json", "--go", go]
        status, report = place.run(*command, "--test-timeout", given.test_timeout)
        took = time.monotonic() - begun
        (output / f"{name}.json").write_text(report)
        if status:
            sys.exit(f"whyheap fix failed with exit status {status}\n{place.said()}")
        (output / f"{name}.patch").write_text(place.run("git", "diff")[1])

        _say(f"took {took:.0f} s; building, vetting, testing with the edits")
        after = place.state()
        fresh = after.failed - before.failed
        shaky = place.passes_again(fresh) if fresh else frozenset()
        is_equal, verdict = _compared(before, after, fresh, shaky)
        row = _row(module, lines, json.loads(report), verdict)
        print(f"{row}\n\n{_patterns(json.loads(report))}", flush=True)
        if given.keep:
            shutil.copytree(place.folder, output / name, symlinks=True, dirs_exist_ok=True)
    return row, is_equal


def _compared(before: State, after: State, fresh: frozenset[str], shaky: frozenset[str]) -> tuple[bool, str]:
    """Say how two states differ; `fresh` fail for the first time, of which `shaky` pass at a second run."""
    wrong = []
    if before.builds and not after.builds:
        wrong.append("does not build")
    wrong += [f"vet: {one}" for one in sorted(after.vet - before.vet)]
    wrong += [f"{one} fails" for one in sorted(fresh - shaky)]
    missing = before.passed - after.passed - after.failed
    wrong += [f"{len(missing)} tests are gone"] if missing else []
    if wrong:
        return False, "; ".join(wrong)
    said = f"equal: {len(after.passed):,} pass"
    said += f", {len(after.failed - shaky):,} fail with and without" if after.failed - shaky else ""
    said += f", {len(shaky):,} pass at a second run" if shaky else ""
    said += f", vet says {len(after.vet)} things" if after.vet else ""
    return True, said


def _row(module: str, lines: int, report: dict[str, Any], verdict: str) -> str:
    """Write a module's row of the table."""
    proofs = [edit["proof"] for edit in report["edits"]]
    standings = Counter(proof["standing"] for proof in proofs)
    kept = [proof for proof in proofs if proof["standing"] == "proven"]
    measured = Counter(proof["measured_by"] or "compiler" for proof in kept)
    before, after = Counter[str](), Counter[str]()
    for proof in kept:
        before[proof["measured_by"]] += proof["objects_before"] or 0
        after[proof["measured_by"]] += proof["objects_after"] or 0
    objects = ", ".join(f"{before[by]:,} -> {after[by]:,} by {by}" for by in sorted(before) if by) or "-"
    how = ", ".join(f"{count} by {by}" for by, count in measured.most_common())
    refused = sum(one["pattern"] in EDITORS for one in report["refused"])
    cells = (module, f"{lines:,}", f"{standings['proven']} ({how})", f"{standings['unmeasured']}")
    return f"| {' | '.join((*cells, str(standings['refuted']), f'{refused:,}', objects, verdict))} |"


def _patterns(report: dict[str, Any]) -> str:
    """Say how many proven edits each pattern has, and the most frequent reasons to refute and to refuse."""
    proven = Counter(edit["pattern"] for edit in report["edits"] if edit["proof"]["standing"] == "proven")
    refuted = Counter(edit["proof"]["reason"] for edit in report["edits"] if edit["proof"]["standing"] == "refuted")
    refused = Counter(one["reason"] for one in report["refused"] if one["pattern"] in EDITORS)
    parts = [("proven", proven), ("refuted", refuted), ("refused", refused)]
    return "\n".join(
        f"{head}: " + "; ".join(f"{count} {one}" for one, count in of.most_common(12)) for head, of in parts
    )


def _lines(place: Workplace) -> int:
    """Return the lines of Go of the module's packages, tests and other systems' files too, testdata not."""
    folders = go_output(place.go, ["list", "-e", "-f", "{{.Dir}}", "./..."], place.folder).split()
    return sum(file.read_bytes().count(b"\n") for folder in folders for file in Path(folder).glob("*.go"))


def _tell(state: State) -> None:
    """Say what fails without any edit."""
    if not state.builds:
        _say("it does not build")
    for one in sorted(state.failed):
        _say(f"fails as published: {one}")
    _say(f"{len(state.passed):,} tests pass, vet says {len(state.vet)} things")


def _say(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
