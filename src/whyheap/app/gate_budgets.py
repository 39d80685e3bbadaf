"""Budgets of packages and functions: `[gate.budgets."PACKAGE[.FUNCTION]"]` in whyheap.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from whyheap.app.gate_scan import GateScan, shown, stable_ids
from whyheap.collect.benchmarks import BenchmarkAllocations
from whyheap.errors import UsageError
from whyheap.model.evidence import Agreement
from whyheap.model.finding import Finding
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.model.site import Site
from whyheap.model.violation import Violation

TABLE = "budgets"
_STATIC = ("heap_sites", "silent_allocations")
_MEASURED = ("allocs_per_op", "bytes_per_op")
_WORDS = {
    "heap_sites": "heap sites",
    "silent_allocations": "silent allocations",
    "allocs_per_op": "allocations per operation",
    "bytes_per_op": "bytes per operation",
}
_NAMED = 3
_BELOW = "/..."


@dataclass(frozen=True, slots=True)
class Budget:
    """What a package, all packages below one, or a function may have; `line` is where whyheap.toml says so."""

    target: str
    limits: Mapping[str, int]
    line: int

    @property
    def is_measured(self) -> bool:
        """Whether benchmarks must run for it."""
        return any(name in self.limits for name in _MEASURED)


@dataclass(frozen=True, slots=True)
class Budgets:
    """All budgets of one file."""

    file: Path
    budgets: tuple[Budget, ...] = ()


def load_budgets(file: Path, *, is_named: bool) -> Budgets:
    """Read the budgets of a configuration. Raises UsageError for what makes no sense.

    A file that nobody named may run nothing: budgets that take benchmarks need --config.
    """
    try:
        text = file.read_text(encoding="utf-8")
        table = tomllib.loads(text).get("gate", {}).get(TABLE, {})
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    if not isinstance(table, dict):
        raise UsageError(f"{file}: gate.{TABLE} is no table", f'Write [gate.{TABLE}."example.com/module/package"]')
    budgets = tuple(_budget(file, text, target, limits) for target, limits in table.items())
    measured = next((one for one in budgets if one.is_measured), None)
    if measured is not None and not is_named:
        raise UsageError(
            f"{file}:{measured.line}: this budget runs benchmarks, which a file that was not named may not do",
            f"Name the file:  whyheap gate --config {file}",
        )
    return Budgets(file, budgets)


def _budget(file: Path, text: str, target: str, limits: object) -> Budget:
    header = re.compile(rf"{TABLE}\s*\.\s*[\"']?{re.escape(target)}[\"']?\s*\]")
    line = next((at for at, one in enumerate(text.split("\n"), 1) if header.search(one)), 1)
    if not isinstance(limits, dict) or not limits:
        raise UsageError(f"{file}:{line}: the budget of {target!r} is no table", "Write  heap_sites = 10  below it")
    for name, limit in limits.items():
        if name not in _WORDS:
            near = get_close_matches(name, _WORDS, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"It knows: {', '.join(_WORDS)}"
            raise UsageError(f"{file}:{line}: a budget has no {name!r}", hint)
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
            raise UsageError(f"{file}:{line}: {name} = {limit!r} is not a number of 0 or more")
    return Budget(target, limits, line)


@dataclass(frozen=True, slots=True)
class _Target:
    """What a budget speaks of, in this scan."""

    packages: tuple[ScannedPackage, ...]
    function: str = ""

    def has(self, finding: Finding) -> bool:
        site = finding.site
        if site.package not in {package.package for package in self.packages}:
            return False
        return not self.function or site.function == self.function or site.function.startswith(f"{self.function}.")


def measured_packages(scanned: GateScan, budgets: Budgets) -> list[str]:
    """Return the packages whose benchmarks budgets ask for."""
    targets = (_find(scanned.scan, one.target) for one in budgets.budgets if one.is_measured)
    return sorted({package.package for target in targets if target for package in target.packages})


def judge_budgets(
    scanned: GateScan, budgets: Budgets, benchmarks: Sequence[BenchmarkAllocations] | None = None
) -> Iterator[Violation]:
    """Yield a violation for each limit that is not kept; `benchmarks` None leaves out those that need them."""
    broken: list[tuple[str, str, Site, str, int]] = []
    for budget in budgets.budgets:
        site = Site(shown(budgets.file, scanned.scan.root), budget.line, 1)
        target = _find(scanned.scan, budget.target)
        if target is not None and any(package.error for package in target.packages):
            continue  # which is told by itself
        if target is None or (target.function and not _is_declared(scanned, target)):
            what = "function" if target is not None else "scanned package"
            message = f"there is no {what} {budget.target}, so its budget guards nothing"
            broken.append((budget.target, what.rpartition(" ")[2], site, message, 0))
            continue
        for name, limit in budget.limits.items():
            if name in _STATIC:
                found = [one for one in scanned.sites.values() if target.has(one) and _is_counted(name, one)]
                if len(found) > limit:
                    message = (
                        f"{_WORDS[name]} of {budget.target}: {len(found)}, its budget is {limit}: {_places(found)}"
                    )
                    broken.append((budget.target, name, site, message, len(found)))
            elif benchmarks is not None:
                message = _measured(budget.target, target, name, limit, benchmarks)
                if message:
                    broken.append((budget.target, name, site, message, 0))
    ids = stable_ids(("budget", target, name) for target, name, *_ in broken)
    for (target_name, name, site, message, count), id_ in zip(broken, ids, strict=True):
        labels = {"target": target_name, "budget": name, "count": str(count)}
        yield Violation(id_, "budget", site, message, labels=labels)


def _is_counted(name: str, finding: Finding) -> bool:
    return name == "heap_sites" or finding.agreement is Agreement.ALLOCATES_SILENTLY


def _places(found: Iterable[Finding]) -> str:
    places = [str(one.site.position) for one in sorted(found, key=lambda one: one.site)]
    more = f" and {len(places) - _NAMED} more" if len(places) > _NAMED else ""
    return f"{', '.join(places[:_NAMED])}{more}"


def _measured(
    name: str, target: _Target, limit_name: str, limit: int, benchmarks: Iterable[BenchmarkAllocations]
) -> str:
    """Say what is wrong with a limit that benchmarks measure; "" when it is kept."""
    packages = {package.package for package in target.packages}
    wanted = _benchmark_of(target.function)
    there = [one for one in benchmarks if one.package in packages and wanted.match(one.name)]
    if not there:
        return f"no benchmark measures {name}, so its {limit_name} guards nothing"

    def value(one: BenchmarkAllocations) -> int:
        return one.allocations if limit_name == "allocs_per_op" else one.bytes

    worst = max(there, key=value)
    if value(worst) <= limit:
        return ""
    return f"{_WORDS[limit_name]} of {worst.package}.{worst.name}: {value(worst)}, its budget is {limit}"


def _benchmark_of(function: str) -> re.Pattern[str]:
    """Return what names a function's benchmarks: BenchmarkEncode, and BenchmarkT_Encode of (*T).Encode."""
    if not function:
        return re.compile("")
    if function.startswith("Benchmark"):
        return re.compile(rf"{re.escape(function)}(?:/|$)")
    kind, _, name = function.rpartition(".")
    bare = re.sub(r"\W", "", kind)
    names = [rf"_?{re.escape(name[:1].upper() + name[1:])}"] + (
        [rf"{re.escape(bare)}_?{re.escape(name)}"] if bare else []
    )
    return re.compile(rf"Benchmark(?:{'|'.join(names)})(?:[/_]|$)")


def _find(scan: Scan, target: str) -> _Target | None:
    """Return what a budget's name means: an import path or ./folder, with /... or .Function behind it."""
    by_name = {package.package: package for package in scan.packages}
    by_name |= {_relative(package, scan.root): package for package in scan.packages if package.files}
    name = target.removesuffix("/") if target != "./" else "."
    if target.endswith(_BELOW):
        base = target.removesuffix(_BELOW)
        below = [one for known, one in by_name.items() if base in {known, "."} or known.startswith(f"{base}/")]
        return _Target(tuple({one.package: one for one in below}.values())) if below else None
    if name in by_name:
        return _Target((by_name[name],))
    matching = [known for known in by_name if name.startswith(f"{known}.")]
    longest = max(matching, key=len, default=None)
    return _Target((by_name[longest],), name[len(longest) + 1 :]) if longest is not None else None


def _relative(package: ScannedPackage, root: str) -> str:
    try:
        folder = PurePosixPath(package.folder).relative_to(root).as_posix()
    except ValueError:
        return package.folder
    return f"./{folder}" if folder != "." else "."


def _is_declared(scanned: GateScan, target: _Target) -> bool:
    """Whether the function has machine code or findings, or is a benchmark, which only tests have."""
    if target.function.startswith("Benchmark"):
        return True
    packages = {package.package for package in target.packages}
    names = {code.site.function for _, code in scanned.codes if code.site.package in packages}
    names |= {one.site.function for one in scanned.findings if one.site.package in packages}
    return target.function in names
