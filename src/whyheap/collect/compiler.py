"""Witness: the compiler. Runs `go list -export` with -m=2 and -json=0,DIR in one compile, on the user's build cache.

The go command replays the text of a cached build but not its JSON, so both are read only when a package is really
compiled, and kept by build ID (fact_store). The JSON folder's name is part of go's cache key: it is drawn once for our
cache folder, so whoever deletes that folder makes go compile again. What is still missing after a run (one that was
interrupted between compiling and reading) is compiled once more under a fresh name. What was edited while go ran is
used for this answer and not kept.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import msgspec

from whyheap.collect.code_ahead import CodeAhead
from whyheap.collect.code_store import CodeStore
from whyheap.collect.compiled_packages import CompiledPackages, hint_for, is_own, no_collection, refuse_nothing
from whyheap.collect.fact_store import FactStore
from whyheap.collect.fresh_facts import FreshFacts, fresh_facts
from whyheap.collect.fresh_output import follow_lines
from whyheap.collect.json_folder import JsonFolder, is_of
from whyheap.collect.unchanged import Memory, inputs, is_path, module_folders
from whyheap.errors import FormatError, TargetError, ToolError
from whyheap.host.cache import cache_folder, locked
from whyheap.host.go import GoEnvironment, GoTool, first_line
from whyheap.host.stamps import changed_since
from whyheap.model.facts import CompilerFact
from whyheap.model.gauge import Origin
from whyheap.parse.compiler_text import Block, split_blocks
from whyheap.parse.fact_lines import encode_facts
from whyheap.parse.go_list import FIELDS, ListedPackage, parse_go_list
from whyheap.parse.go_mod import module_path
from whyheap.parse.source_path import SourceNames

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """What to scan, and flags of the real build that change what the compiler decides.

    `patterns` are as the user wrote them, relative to `folder`, which is made absolute.
    """

    folder: Path
    patterns: tuple[str, ...] = ("./...",)
    tags: str = ""
    gcflags: str = ""
    tests: bool = False

    def __post_init__(self) -> None:
        """Equal options mean the same folder, whatever the current one is."""
        object.__setattr__(self, "folder", self.folder.resolve())


def compile_packages(
    go: GoTool,
    options: ScanOptions,
    progress: Progress = lambda _: None,
    stop: threading.Event | None = None,
    *,
    facts_only: bool = False,
) -> CompiledPackages:
    """Compile what changed and read it; setting `stop` ends go and raises KeyboardInterrupt.

    Machine code is read ahead, in a second process, unless only facts will be asked for.

    Raises TargetError when no package at all could be scanned.
    """
    started_at = time.time()
    question = repr((FIELDS, go.command, sorted(go.env.items()), options))
    memory = Memory(go, question, options.folder, options.patterns, options.gcflags)
    stop = stop or threading.Event()
    remembered = memory.recall()
    if remembered is not None:
        compiler = _Compiler(go, remembered.environment, options, progress, stop)
        if not any(compiler.is_missing(package) for package in remembered.packages):
            return compiler.compiled(remembered.packages, started_at)
    environment = go.environment(options.folder)
    compiler = _Compiler(go, environment, options, progress, stop)
    compiler.ahead = None if facts_only else CodeAhead()
    packages, note = compiler.run()
    compiled = compiler.compiled(packages, started_at)
    if not any(package.BuildID for package in compiled.packages):
        refuse_nothing(compiled, options.patterns, note)
    if all(package.BuildID for package in compiled.packages):  # what failed may work the next time: a download
        memory.remember(environment, packages, started_at)
    return compiled


class _Compiler:
    """One scan: where its files are and which flags its packages get."""

    def __init__(
        self,
        go: GoTool,
        environment: GoEnvironment,
        options: ScanOptions,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._stop = stop
        self._go = go
        self._options = options
        self._progress = progress
        self.environment = environment
        self.root = Path(environment.root or options.folder).resolve()
        self._place = ("scan", hashlib.blake2b(str(self.root).encode(), digest_size=10).hexdigest())
        self.folder = cache_folder().joinpath(*self._place)
        self.store = FactStore(self.folder / "facts")
        self._code = CodeStore(self.folder / "code")
        self.ahead: CodeAhead | None = None
        self.names = SourceNames(
            str(self.root), tuple(_modules(environment)), environment.GOROOT, environment.GOMODCACHE
        )
        self.origin = Origin(
            "compiler", environment.GOVERSION, "go list -export -gcflags=-m=2", " ".join(options.patterns), _now()
        )

    def run(self) -> tuple[list[ListedPackage], str]:
        """Compile, read what was compiled, and make sure that every package's facts are stored."""
        with locked(*self._place), no_collection():
            self._started_at = time.time()
            for leftover in self.folder.glob("json-*"):  # of a run that was interrupted
                shutil.rmtree(leftover, ignore_errors=True)
            nonce, is_new = self._nonce()
            json = JsonFolder(self.folder / f"json-{nonce}")
            mains = self._known_mains()
            packages, note = self._compile(self._patterns(), json, mains)
            found = {package.path for package in packages if package.Name == "main" and is_own(package)}
            if not found <= mains:  # two programs must not share a JSON folder
                mains |= found
                self._remember_mains(mains)
                packages, note = self._compile(self._patterns(), json, mains)
            missing = [package for package in packages if self.is_missing(package)]
            if not missing:
                return packages, note
            listed = missing if is_new else self._compile_again(missing, mains)
            failed = {package.ImportPath: package for package in self._without_code(missing, listed)}
            return [failed.get(package.ImportPath, package) for package in packages], note

    def compiled(self, packages: Iterable[ListedPackage], started_at: float) -> CompiledPackages:
        """Return what the scan hands on."""
        where = (self.environment, self.names, self.store, self.origin)
        return CompiledPackages(*where, packages, self.run, started_at, self._code, self.ahead)

    def _compile_again(self, missing: Iterable[ListedPackage], mains: Iterable[str]) -> list[ListedPackage]:
        """Compile what go has in its cache and we do not have in ours, under a fresh name."""
        builds = {package.ImportPath: package.BuildID for package in missing}
        again = JsonFolder(self.folder / f"json-{secrets.token_hex(6)}")
        return self._compile({package.ForTest or package.path for package in missing}, again, mains, builds)[0]

    def _without_code(
        self, missing: Iterable[ListedPackage], listed: Iterable[ListedPackage]
    ) -> Iterator[ListedPackage]:
        """Store that nothing was said about packages without code; yield those that failed to compile, as such.

        `listed` is what go said when it last compiled the missing packages.
        """
        said = {package.ImportPath: package for package in listed}
        is_settled = self._is_settled(said.values())
        for package in missing:
            if not self.is_missing(package):
                continue
            last = said.get(package.ImportPath)
            if last is not None and last.BuildID and last.Error is None:
                self._save(package.ImportPath, package.BuildID, (), (), is_settled=is_settled)
            elif last is not None:
                yield msgspec.structs.replace(package, BuildID="", Error=last.Error, DepsErrors=last.DepsErrors)
            else:
                yield msgspec.structs.replace(package, BuildID="")

    def _nonce(self) -> tuple[str, bool]:
        """Return the name that ties go's build cache to our cache folder, and whether it was drawn just now."""
        file = self.folder / "nonce"
        try:
            nonce = file.read_text().strip()
        except OSError:
            nonce = ""
        if nonce:
            return nonce, False
        nonce = secrets.token_hex(6)
        file.write_text(nonce)
        return nonce, True

    def _patterns(self) -> list[str]:
        """Patterns relative to the root, where go is run: relative paths in replayed text then always mean the same."""
        patterns = []
        for pattern in self._options.patterns:
            if is_path(pattern) and self.environment.root:
                here = (self._options.folder / pattern.removesuffix("...")).resolve()
                rest = "/..." if pattern.endswith("...") else ""
                try:
                    inside = here.relative_to(self.root)
                except ValueError:
                    patterns.append(f"{here}{rest}")
                else:
                    patterns.append(f"./{inside}{rest}" if str(inside) != "." else f".{rest}")
            else:
                patterns.append(pattern)
        return patterns

    def _known_mains(self) -> set[str]:
        """Return the programs seen so far: each needs a JSON folder of its own, as all are compiled as "main"."""
        file = self.folder / "mains.json"
        try:
            return msgspec.json.decode(file.read_bytes(), type=set[str])
        except (OSError, msgspec.DecodeError):
            pass
        self._progress("listing packages")
        result = self._go.run(
            ["list", "-e", *self._build_flags(), "-json=ImportPath,Name", *self._patterns()], self.root
        )
        if result.returncode != 0:
            return set()
        mains = {package.path for package in parse_go_list(result.stdout.encode()) if package.Name == "main"}
        self._remember_mains(mains)
        return mains

    def _remember_mains(self, mains: set[str]) -> None:
        (self.folder / "mains.json").write_bytes(msgspec.json.encode(sorted(mains)))

    def _build_flags(self) -> list[str]:
        flags = [f"-tags={self._options.tags}"] if self._options.tags else []
        return [*flags, "-test"] if self._options.tests else flags

    def _compile(
        self, patterns: Iterable[str], json: JsonFolder, mains: Iterable[str], builds: Mapping[str, str] | None = None
    ) -> tuple[list[ListedPackage], str]:
        """Run go once and store what it compiles; returns all packages and go's own first words.

        `builds` gives the build IDs of an earlier run to store under, where they are not the packages' own.
        """
        shutil.rmtree(json.root, ignore_errors=True)  # of the run before
        arguments = [
            "list",
            "-e",
            "-export",
            "-deps",
            f"-json={FIELDS}",
            *self._build_flags(),
            *json.flags(mains, self._options.gcflags),
            *sorted(patterns),
        ]
        listing_file, text_file = self.folder / "listing", self.folder / "text"
        self._progress("compiling")
        try:
            with (
                listing_file.open("wb") as stdout,
                text_file.open("wb") as stderr,
                self._go.start(arguments, self.root, stdout, stderr) as process,
            ):
                fresh = self._read_fresh(text_file, json, lambda: self._has_ended(process, listing_file))
                status = process.wait()
            packages = self._listed(status, listing_file, text_file)
            is_same = builds is None or self._is_settled(packages)
            for package in packages:
                build_id = (builds or {}).get(package.ImportPath, package.BuildID)
                if build_id and is_own(package):
                    self._keep(package, build_id, fresh, json, is_same=is_same)
            return packages, _go_words(text_file)
        finally:
            for leftover in (listing_file, text_file):
                leftover.unlink(missing_ok=True)
            shutil.rmtree(json.root, ignore_errors=True)

    def _read_fresh(self, text_file: Path, json: JsonFolder, finished: Callable[[], bool]) -> dict[str, FreshFacts]:
        """Read the packages that go compiles, while it does; by import path with the variant."""
        fresh: dict[str, FreshFacts] = {}
        torn: set[tuple[str, str]] = set()

        def keep(block: Block) -> None:
            log_folder = json.log_folder(block.package, block.variant)
            if log_folder is not None:
                name = f"{block.package} [{block.variant}]" if block.variant else block.package
                fresh[name] = self._read(block, log_folder)
                self._progress(f"compiled {block.package}")

        for block in split_blocks(follow_lines(text_file, json.has_entries, finished)):
            try:
                keep(block)
            except FormatError:  # a package and its test build write the same files: read again when go has ended
                torn.add((block.package, block.variant))
        for block in split_blocks(follow_lines(text_file, json.has_entries, finished)) if torn else ():
            if (block.package, block.variant) in torn:
                keep(block)
        return fresh

    def _has_ended(self, process: subprocess.Popen[bytes], listing_file: Path) -> bool:
        """Whether go has ended; most of its text is still to be read then, and its archives are there."""
        if self._stop.is_set():
            raise KeyboardInterrupt
        if process.poll() is None:
            return False
        if self.ahead is not None and not self.ahead.is_told:
            with suppress(FormatError):  # which is told when the text was read
                packages = parse_go_list(listing_file.read_bytes())
                self.ahead.start(packages, filter(is_own, packages), self._code, self.names)
        return True

    def _keep(
        self, package: ListedPackage, build_id: str, fresh: Mapping[str, FreshFacts], json: JsonFolder, *, is_same: bool
    ) -> None:
        """Store what was read of a package, if it was compiled now. `is_same`: from what the build ID stands for."""
        read = fresh.get(package.ImportPath)
        log_folder = json.log_folder(package.path, package.variant)
        if read is None and log_folder is not None and is_of(package, log_folder):  # code without a word in the text
            read = self._read(Block(package.path, package.variant, ()), log_folder)
        if read is None or self.store.has(package.ImportPath, build_id):
            return
        facts = read.facts
        if package.variant:  # a test build repeats the package's other files
            facts = [fact for fact in facts if fact.printed_at.file.endswith("_test.go")]
        is_settled = is_same and self._is_settled([package], read.sources)
        self._save(package.ImportPath, build_id, facts, read.unknown, is_settled=is_settled)

    def _save(
        self,
        package: str,
        build_id: str,
        facts: Collection[CompilerFact],
        unknown: Collection[str],
        *,
        is_settled: bool,
    ) -> None:
        """Keep facts, or have them for this answer only when they may be of other source than the build ID says."""
        save = self.store.save if is_settled else self.store.hold
        save(package, build_id, facts, encode_facts(facts, unknown), len(unknown))

    def _is_settled(self, packages: Iterable[ListedPackage], sources: Iterable[str] = ()) -> bool:
        """Whether nothing of these was changed since the run began: go and we have then read the same."""
        return not changed_since(chain((self.environment.GOWORK,), inputs(packages), sources), self._started_at)

    def _listed(self, status: int, listing_file: Path, text_file: Path) -> list[ListedPackage]:
        listing = listing_file.read_bytes()
        if status != 0 and not listing:
            words = _go_words(text_file) or f"exit status {status}"
            raise TargetError(f"go list failed: {words}", hint_for(words))
        try:
            packages = parse_go_list(listing)
        except FormatError as error:
            raise ToolError(error.message) from error
        return sorted((one for one in packages if one.ImportPath), key=lambda package: package.ImportPath)

    def _read(self, block: Block, log_folder: Path) -> FreshFacts:
        return fresh_facts(block, log_folder, self.names, self.environment.GOROOT)

    def is_missing(self, package: ListedPackage) -> bool:
        """Whether facts of a package that could be built are not in the store."""
        return bool(package.BuildID) and is_own(package) and not self.store.has(package.ImportPath, package.BuildID)


def _modules(environment: GoEnvironment) -> Iterator[tuple[str, str]]:
    """Yield path and folder of each main module, the longest path first."""
    found = {module_path(_text(folder / "go.mod")): str(folder.resolve()) for folder in module_folders(environment)}
    return ((module, found[module]) for module in sorted(found, key=len, reverse=True) if module)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _go_words(text_file: Path) -> str:
    """Return what go itself said first ("go: ..."), else the first line."""
    with text_file.open("rb") as handle:
        head = handle.read(1 << 16).decode("utf-8", "replace")
    own = next((line for line in head.splitlines() if line.startswith("go: ")), "")
    return own.removeprefix("go: ") or first_line(head)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
