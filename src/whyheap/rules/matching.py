"""Rules applied to sources: syntax by ast-grep, joined with the witnesses, as findings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from whyheap.model.evidence import Agreement, Evidence
from whyheap.model.facts import FactKind
from whyheap.model.finding import Finding, Fix, FixKind
from whyheap.model.gauge import Gap
from whyheap.model.site import Position, Site
from whyheap.rules.confirm import Confirmed, Span, confirm
from whyheap.rules.rule import Requires, Rule, UserRules

if TYPE_CHECKING:
    from ast_grep_py import SgNode

MOST_MATCHES = 5_000
"""Findings of one rule; what comes after them is counted in a Gap."""

_ID_BYTES = 6
_LONGEST_WORDS = 80
_VARIABLE = re.compile(r"\$\$\$([A-Z_][A-Z0-9_]*)|\$([A-Z_][A-Z0-9_]*)")
BoundsOf = Callable[[str], Sequence[Position]]
"""Gives the positions of the bounds checks that the compiler kept in a package."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Findings of all rules by place, and what could not be judged."""

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...] = ()


def match_rules(
    rules: UserRules,
    files: Mapping[str, str],
    sources: Mapping[str, str],
    evidence: Iterable[Evidence],
    bounds_of: BoundsOf,
) -> Matches:
    """Apply all rules. `files` maps each scanned file to its package, `sources` files to text; one without is left out.

    `bounds_of` is asked only where a rule requires a bounds check and its syntax matches.
    """
    if not rules.rules:
        return Matches((), tuple(_problem_gaps(rules)))
    return _Matching(rules, files, sources, evidence, bounds_of).run()


class _Matching:
    """One run over all files."""

    def __init__(
        self,
        rules: UserRules,
        files: Mapping[str, str],
        sources: Mapping[str, str],
        evidence: Iterable[Evidence],
        bounds_of: BoundsOf,
    ) -> None:
        self._rules = rules
        self._files = files
        self._sources = sources
        self._bounds_of = bounds_of
        self._bounds: dict[str, dict[str, list[Position]]] = {}
        self._counts: dict[str, int] = defaultdict(int)
        self._lines: dict[str, dict[int, Evidence]] = defaultdict(dict)
        self._has_bytes = self._has_code = False
        for one in evidence:
            self._lines[one.site.file][one.site.line] = one
            self._has_bytes = self._has_bytes or one.profiled
            self._has_code = self._has_code or one.calls is not None

    def run(self) -> Matches:
        """Match file by file, so that one syntax tree is alive at a time."""
        found = [finding for file in sorted(self._files) for finding in self._of_file(file)]
        return Matches(tuple(_with_ids(found)), (*_problem_gaps(self._rules), *self._gaps()))

    def _of_file(self, file: str) -> Iterator[Finding]:
        lines = self._lines.get(file, {})
        wanted = [rule for rule in self._rules.rules if self._may_match(rule, lines)]
        text = self._sources.get(file) if wanted else None
        if text is None:
            return
        from ast_grep_py import SgRoot  # noqa: PLC0415 - loads a native parser: only where there are rules

        root = SgRoot(text, "go").root()
        rows = text.split("\n")
        found = [finding for rule in wanted for finding in self._of_rule(rule, file, root, rows, lines)]
        yield from sorted(found, key=lambda finding: (finding.site.line, finding.site.column, finding.pattern))

    @staticmethod
    def _may_match(rule: Rule, lines: Mapping[int, Evidence]) -> bool:
        """Whether any line of a file can confirm a rule: most files need not be parsed."""
        if rule.requires is Requires.HEAP:
            return any(fact.kind is FactKind.HEAP for one in lines.values() for fact in one.facts)
        return rule.requires is not Requires.ALLOCATES or any(one.calls or one.measure for one in lines.values())

    def _of_rule(
        self, rule: Rule, file: str, root: SgNode, rows: Sequence[str], lines: Mapping[int, Evidence]
    ) -> Iterator[Finding]:
        for node in root.find_all(rule.config):  # type: ignore[call-overload] # a dict for its TypedDict
            span = _span(node, rows)
            bounds = self._kept(file) if rule.requires is Requires.BOUNDS_CHECK else ()
            said = confirm(rule.requires, file, span, lines, bounds)
            if said is None:
                continue
            self._counts[rule.id] += 1
            if self._counts[rule.id] <= MOST_MATCHES:
                yield _finding(rule, node, Site(file, *span.start, _function(node), self._files[file]), lines, said)

    def _kept(self, file: str) -> Sequence[Position]:
        package = self._files[file]
        if package not in self._bounds:
            by_file = self._bounds[package] = defaultdict(list)
            for at in self._bounds_of(package):
                by_file[at.file].append(at)
        return self._bounds[package].get(file, ())

    def _gaps(self) -> Iterator[Gap]:
        for rule in self._rules.rules:
            more = self._counts[rule.id] - MOST_MATCHES
            if more > 0:
                yield Gap("rules", f"{rule.slug} matched {more} more times than are kept", "Make the rule narrower")
            if rule.requires is Requires.ALLOCATES and not (self._has_bytes or self._has_code):
                yield Gap(
                    "rules",
                    f"{rule.slug} requires allocates, and neither machine code nor a profile was read",
                    "requires: heap asks the compiler alone",
                )


def _problem_gaps(rules: UserRules) -> Iterator[Gap]:
    for problem in rules.problems:
        yield Gap("rules", str(problem), "Mend the rule; the others were applied")


def _finding(rule: Rule, node: SgNode, site: Site, lines: Mapping[int, Evidence], said: Confirmed) -> Finding:
    here = lines.get(site.line)
    function = next((fact.function for fact in said.facts if fact.function), "")
    if not function and here is not None:
        function = here.site.function
    labels = {"severity": rule.severity.value, "requires": rule.requires.value}
    if rule.note:
        labels["note"] = rule.note
    return Finding(
        id="",
        pattern=rule.slug,
        site=Site(site.file, site.line, site.column, function or site.function, site.package),
        subject=_clipped(node.text()),
        message=_filled(rule.message, node),
        certainty=said.certainty,
        agreement=Agreement.AGREE if said.facts and (said.calls or said.measure) else Agreement.UNKNOWN,
        facts=said.facts,
        calls=said.calls,
        measure=said.measure,
        callees=said.callees,
        fixes=(Fix(_filled(rule.fix, node), FixKind.JUDGEMENT),) if rule.fix else (),
        labels=labels,
    )


def _with_ids(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Name findings by package, function, pattern, subject and an ordinal among equals, as patterns' findings are."""
    counted: dict[tuple[str, ...], int] = {}
    for finding in findings:
        key = (finding.site.package, finding.site.function, finding.pattern, finding.subject)
        counted[key] = ordinal = counted.get(key, -1) + 1
        text = "\0".join((*key, str(ordinal)))
        yield replace(finding, id=blake2b(text.encode(errors="replace"), digest_size=_ID_BYTES).hexdigest())


def _span(node: SgNode, rows: Sequence[str]) -> Span:
    at = node.range()
    return Span(_place(at.start.line, at.start.column, rows), _place(at.end.line, at.end.column, rows))


def _place(line: int, column: int, rows: Sequence[str]) -> tuple[int, int]:
    """Turn ast-grep's 0-based line and character column into Go's 1-based line and byte column."""
    row = rows[line] if line < len(rows) else ""
    return line + 1, (column if row.isascii() else len(row[:column].encode(errors="surrogatepass"))) + 1


def _function(node: SgNode) -> str:
    """Name the declared function around a node, as symbols do: `F`, `(*T).M`, `T.M`; empty outside functions."""
    for parent in (node, *node.ancestors()):
        if parent.kind() not in {"function_declaration", "method_declaration"}:
            continue
        name, receiver = parent.field("name"), parent.field("receiver")
        own = name.text() if name is not None else ""
        kind = receiver.find(kind="type_identifier") if receiver is not None else None
        if kind is None or receiver is None:
            return own
        return f"(*{kind.text()}).{own}" if receiver.find(kind="pointer_type") is not None else f"{kind.text()}.{own}"
    return ""


def _filled(template: str, node: SgNode) -> str:
    """Put the text of meta variables into a template; a name that the match has not stays as it is."""

    def text(found: re.Match[str]) -> str:
        if found[1]:
            parts = node.get_multiple_matches(found[1]) or [
                one for one in [node.get_match(found[1])] if one is not None
            ]
            return _clipped("".join(f"{part.text()} " if part.text() == "," else part.text() for part in parts))
        one = node.get_match(found[2])
        return _clipped(one.text()) if one is not None else found[0]

    return _VARIABLE.sub(text, template)


def _clipped(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_WORDS else f"{line[: _LONGEST_WORDS - 3]}..."
