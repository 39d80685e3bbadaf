"""Proves edits: together first, as building is what costs; what spoils the whole is found and left out."""

from __future__ import annotations

import difflib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from whyheap.collect.compiler import ScanOptions
from whyheap.host.go import GoTool
from whyheap.model.edit import Edit, OfTests, Proof, ProvenEdit, Standing
from whyheap.model.finding import Finding
from whyheap.model.scan import Scan
from whyheap.proof.edited_lines import watched
from whyheap.proof.generated import FILE, generated_call, run_generated, test_text
from whyheap.proof.line_map import moved_lines
from whyheap.proof.recompile import Recompiled, recompile
from whyheap.proof.test_run import Objects, TestRun, allocated, run_tests
from whyheap.proof.vet import vet
from whyheap.proof.workshop import EditedFile, Workshop

_MOST_ROUNDS = 20
_BENCHMARK_SECONDS = 60.0
_MORE_BYTES = 1.1
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """How much to do: `test_seconds` limits one run of a package's tests."""

    with_tests: bool = True
    test_seconds: float = 300.0


class Prover:
    """Proves the edits of one scan."""

    def __init__(
        self,
        workshop: Workshop,
        scan_options: ScanOptions,
        scan: Scan,
        findings: Mapping[str, Finding],
        options: ProofOptions,
        progress: Progress,
    ) -> None:
        """`findings` are those that edits name, by id."""
        self._workshop = workshop
        self._scan_options = scan_options
        self._scan = scan
        self._findings = findings
        self._options = options
        self._progress = progress
        self._owners = {file: one.package for one in scan.packages for file in one.files}
        self._folders = {one.package: Path(one.folder) for one in scan.packages}
        self._flags = [f"-tags={scan_options.tags}"] if scan_options.tags else []

    def prove(self, edits: Iterable[Edit]) -> list[ProvenEdit]:
        """Return every edit with its proof, in the given order."""
        edits = list(edits)
        proofs: dict[Edit, Proof] = {}
        kept, told = self._compiled(edits, proofs)
        if kept:
            kept = self._vetted(kept, proofs)
        for package in dict.fromkeys(self._owners[edit.file] for edit in kept):
            own = [edit for edit in kept if self._owners[edit.file] == package]
            self._tested(package, own, told, proofs)
            if self._options.with_tests:
                self._benchmarked(package, own, told, proofs)
        self._progress("writing the diffs")
        alone = self._workshop.each_alone(edits)
        return [ProvenEdit(edit, proofs[edit], unified(alone[edit])) for edit in edits]

    def text_with(self, edits: Iterable[Edit]) -> list[EditedFile]:
        """Return the files with all these edits."""
        return self._workshop.put_together(edits)

    def _compiled(self, edits: list[Edit], proofs: dict[Edit, Proof]) -> tuple[list[Edit], dict[Edit, Recompiled]]:
        """Compile until no edit spoils the others; returns those that are left and what the compiler says of them."""
        kept = list(edits)
        told: dict[Edit, Recompiled] = {}
        for number in range(_MOST_ROUNDS):
            if not kept:
                break
            files = self._workshop.put_together(kept)
            for edit in (edit for one in files for edit in one.clashing):
                proofs[edit] = Proof(
                    Standing.REFUTED, reason="it changes what another edit changes: run fix again after that one"
                )
                kept.remove(edit)
            self._progress(f"recompiling with {len(kept)} edits" + (f", round {number + 1}" if number else ""))
            told = recompile(self._workshop, self._scan_options, self._scan, files, self._findings)
            wrong = [edit for edit in kept if told[edit].problem]
            if not wrong:
                return kept, told
            sure, suspects = self._told_apart(wrong, told)
            guilty = sure + (self._guilty(suspects) if suspects else [])
            for edit in guilty:
                proofs[edit] = Proof(Standing.REFUTED, reason=told[edit].problem)
                kept.remove(edit)
        for edit in kept:
            proofs[edit] = Proof(Standing.REFUTED, reason="it could not be told apart from edits that do not compile")
        return [], told

    def _told_apart(self, wrong: list[Edit], told: Mapping[Edit, Recompiled]) -> tuple[list[Edit], list[Edit]]:
        """Split edits into those that a problem names alone, and those that share one: only these need more builds."""
        shared = Counter((self._owners[edit.file], told[edit].problem) for edit in wrong)
        sure = [edit for edit in wrong if shared[self._owners[edit.file], told[edit].problem] == 1]
        return sure, [edit for edit in wrong if edit not in sure]

    def _guilty(self, suspects: list[Edit]) -> list[Edit]:
        """Halve suspects until those are found that are wrong by themselves; all of them, if only together."""
        if len(suspects) == 1:
            return suspects
        half = len(suspects) // 2
        found = []
        for part in (suspects[:half], suspects[half:]):
            files = self._workshop.put_together(part)
            told = recompile(self._workshop, self._scan_options, self._scan, files, self._findings)
            wrong = [edit for edit in part if edit in told and told[edit].problem]
            if wrong:
                found += self._guilty(wrong) if len(wrong) < len(suspects) else wrong
        return found or suspects

    def _vetted(self, kept: list[Edit], proofs: dict[Edit, Proof]) -> list[Edit]:
        """Run go vet with all edits; what it says new costs the edits of that package."""
        packages = sorted({self._owners[edit.file] for edit in kept})
        self._progress(f"go vet of {len(packages)} packages")
        edited = self._workshop.overlay(self._workshop.put_together(kept), "vetted")
        after = self._vet(edited, packages, self._workshop.overlay_file("vetted"))
        if not after:
            return kept
        before = self._vet(self._workshop.go, packages)
        new = {package: words - before.get(package, set()) for package, words in after.items()}
        left = []
        for edit in kept:
            words = new.get(self._owners[edit.file], set()) | new.get("", set())
            if words:
                proofs[edit] = Proof(Standing.REFUTED, reason=f"go vet: {min(words)}")
            else:
                left.append(edit)
        return left

    def _vet(self, go: GoTool, packages: Sequence[str], overlay: Path | None = None) -> dict[str, set[str]]:
        folders = {one: self._folders[one] for one in packages}
        return vet(go, self._scan_options.folder, folders, self._flags, overlay, self._workshop.work)

    def _tested(self, package: str, edits: list[Edit], told: dict[Edit, Recompiled], proofs: dict[Edit, Proof]) -> None:
        """Run a package's tests without and with its edits, and measure both."""
        if not self._options.with_tests:
            for edit in edits:
                proofs[edit] = _static(told[edit], OfTests.SKIPPED, "the tests were not run (--no-tests)")
            return
        self._progress(f"tests of {package}, as they are")
        has_tests = any(self._folders[package].glob("*_test.go"))
        before = self._run(package, []) if has_tests else TestRun(has_tests=False)
        if not before.has_tests or before.timed_out or not before.is_built:
            tests = (
                OfTests.NONE
                if not before.has_tests
                else OfTests.TIMED_OUT
                if before.timed_out
                else OfTests.FAIL_WITHOUT
            )
            why = {
                OfTests.NONE: "the package has no tests",
                OfTests.TIMED_OUT: f"the tests took longer than {self._options.test_seconds:g} s",
            }.get(tests, f"the tests fail without it too: {before.words}")
            for edit in edits:
                proofs[edit] = _static(told[edit], tests, why)
            return
        self._progress(f"tests of {package}, with {len(edits)} edits")
        after = self._run(package, edits)
        if after.failed - before.failed or after.timed_out or not after.is_built:
            wrong = self._culprits(package, edits, before, after)
            for edit in wrong:
                proofs[edit] = Proof(Standing.REFUTED, OfTests.FAIL, told[edit].gone, reason=self._why(before, after))
            edits = [edit for edit in edits if edit not in wrong]
            if not edits:
                return
            after = self._run(package, edits)
        tests = OfTests.FAIL_WITHOUT if before.failed else OfTests.PASS
        old, new = self._objects(package, edits, before, after)
        for number, edit in enumerate(edits):
            proofs[edit] = _measured(edit, told[edit], tests, old.get(str(number)), new.get(str(number)))

    def _why(self, before: TestRun, after: TestRun) -> str:
        failed = sorted(after.failed - before.failed)
        if failed:
            return f"{failed[0]} fails with it"
        return (
            f"the tests took longer than {self._options.test_seconds:g} s with it" if after.timed_out else after.words
        )

    def _run(self, package: str, edits: list[Edit], only: Iterable[str] = ()) -> TestRun:
        go = self._workshop.overlay(self._workshop.put_together(edits), "test") if edits else self._workshop.go
        return run_tests(
            go,
            str(self._folders[package]),
            self._folders[package],
            self._workshop.work,
            flags=self._flags,
            only=frozenset(only),
            seconds=self._options.test_seconds,
            with_profile=not only,
        )

    def _culprits(self, package: str, edits: list[Edit], before: TestRun, after: TestRun) -> list[Edit]:
        """Return the edits for which tests fail that passed: none when they pass at the second try."""
        names = after.failed - before.failed
        if names and not (self._run(package, edits, names).failed - before.failed):
            return []
        return self._bisected(package, edits, names)

    def _bisected(self, package: str, edits: list[Edit], names: frozenset[str]) -> list[Edit]:
        if len(edits) == 1:
            return edits
        half = len(edits) // 2
        found = []
        for part in (edits[:half], edits[half:]):
            run = self._run(package, part, names)
            if run.failed or run.timed_out or not run.is_built:
                found += self._bisected(package, part, names)
        return found or edits

    def _objects(
        self, package: str, edits: list[Edit], before: TestRun, after: TestRun
    ) -> tuple[dict[str, Objects], dict[str, Objects]]:
        """Return what was allocated at each edit's lines (by its number), before and after."""
        if before.profile is None or after.profile is None:
            return {}, {}
        files = {one.file: one for one in self._workshop.put_together(edits)}
        old, new = {}, {}
        for number, edit in enumerate(edits):
            file = files[edit.file]
            lines, moved = moved_lines(file.before, file.text, watched(edit, file.before))
            old[str(number)] = frozenset((file.path, line) for line in lines)
            new[str(number)] = frozenset((file.path, line) for line in moved)
        folder = str(self._folders[package])

        def is_own(path: str) -> bool:
            return path.startswith(folder + "/")

        return allocated(before.profile, old, is_own), allocated(after.profile, new, is_own)

    def _benchmarked(
        self, package: str, edits: list[Edit], told: dict[Edit, Recompiled], proofs: dict[Edit, Proof]
    ) -> None:
        """Measure what no test ran by a generated test, where a function can be called with made-up arguments."""
        left = [
            edit
            for edit in edits
            if proofs[edit].objects_before is None and proofs[edit].standing is not Standing.REFUTED
            if not edit.unchecks  # made-up arguments may be what its check is there for
        ]
        calls = {}
        for number, edit in enumerate(left):
            call = generated_call(self._workshop.source(edit.file), edit)
            if call is not None:
                calls[number] = call
        if not calls:
            return
        self._progress(f"measuring {len(calls)} edits of {package}")
        folder = self._folders[package]
        name = self._workshop.source(left[0].file).package
        more = {str(folder / FILE): test_text(name, calls)}
        before = run_generated(self._workshop.overlay([], "generated", more), folder, self._flags, _BENCHMARK_SECONDS)
        if not before:
            return
        # One edit at a time would be exact where two are in one function; that both are in it is said by the numbers.
        files = self._workshop.put_together([edit for edit in edits if proofs[edit].standing is not Standing.REFUTED])
        after = run_generated(self._workshop.overlay(files, "generated", more), folder, self._flags, _BENCHMARK_SECONDS)
        for number in calls:
            edit = left[number]
            old, new = before.get(number), after.get(number)
            if old is not None and new is not None and old.count:
                tests = proofs[edit].tests
                proofs[edit] = _measured(edit, told[edit], tests, old, new, "benchmark")


def unified(file: EditedFile) -> str:
    """Return a file's unified diff, as git writes it: a line ends in a newline, and in nothing else."""
    lines = difflib.unified_diff(
        list(io.StringIO(file.before, newline="\n")),
        list(io.StringIO(file.text, newline="\n")),
        f"a/{file.file}",
        f"b/{file.file}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _static(told: Recompiled, tests: OfTests, why: str) -> Proof:
    """Return the proof of an edit that no test ran: the compiler's word is all there is."""
    if told.gone:
        return Proof(Standing.PROVEN, tests, told.gone, notes=(why,))
    return Proof(Standing.UNMEASURED, tests, reason=why)


def _measured(
    edit: Edit, told: Recompiled, tests: OfTests, old: Objects | None, new: Objects | None, by: str = "tests"
) -> Proof:
    if old is None or new is None or not old.count:
        return _static(told, tests, "not exercised by the tests")
    proof = Proof(Standing.PROVEN, tests, told.gone, old.count, new.count, old.bytes, new.bytes, by)
    if new.count < old.count:
        return proof
    if edit.stays and new.bytes > old.bytes * _MORE_BYTES:
        return replace(
            proof, standing=Standing.REFUTED, reason="its lines allocate fewer objects, but more bytes with it"
        )
    if new.count > old.count:
        return replace(proof, standing=Standing.REFUTED, reason="its lines allocate more often with it")
    if edit.stays or not told.gone:
        return replace(proof, standing=Standing.REFUTED, reason="its lines allocate as often with it")
    return proof
