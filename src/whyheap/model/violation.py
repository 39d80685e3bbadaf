"""What a gate found: broken rules, and what it could not judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from whyheap.model.finding import Finding
from whyheap.model.site import Site, Stack


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule at a site. `id` is stable across runs, line moves, renamed files and machines.

    `rule` is one of RULES; `message` one sentence that says what is wrong and what was allowed. `finding` is the way to
    the heap behind it, where there is one; `labels` are small texts for programs; `stack` is where a goroutine was.
    """

    id: str
    rule: str
    site: Site
    message: str
    finding: Finding | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    stack: Stack = ()


RULES: Mapping[str, str] = {
    "new-site": "a way to the heap that the baseline does not know",
    "budget": "a package or function has more than its budget in whyheap.toml allows",
    "noescape": "a value escapes where the source says that none may",
    "noalloc": "a line allocates where the source says that none may",
    "inline": "a call is not inlined where the source says that it must be",
    "bce": "a bounds check is kept where the source says that none may be",
    "directive": "a directive that makes no sense where it stands",
    "leak": "a test left goroutines behind",
    "limit": "a test or benchmark allocates more than its limit allows",
    "checkptr": "unsafe pointer arithmetic went wrong in a test",
}
"""What each rule guards, as a noun phrase."""


NOT_BUILT = "its tests do not build"
"""How the note of a package ends whose tests do not compile, also of one that is not there."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate, or a test run with checks, found. `violations` are in order of file, line, column, rule, id.

    `unknown` are lines of the compiler or of benchmarks that were not understood: with any, a gate fails closed.
    `notes` are sentences that are no violation ("12 sites differ only because the baseline is of go1.26"). `checked`
    counts what was looked at, by name ("packages", "sites", "directives", "tests"). `failed` says that ordinary tests
    failed. `not_judged` are sentences about packages or benchmarks that could not be built or run: with any, a gate has
    not passed. `in_repository` is the main module's folder in its git repository, with forward slashes; "" = its root
    or unknown.
    """

    go: str
    platform: str
    violations: tuple[Violation, ...]
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    checked: Mapping[str, int] = field(default_factory=dict)
    failed: bool = False
    title: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    in_repository: str = ""
    not_judged: tuple[str, ...] = ()
