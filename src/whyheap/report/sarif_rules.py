"""What SARIF says of each rule: the catalogue's patterns with their documentation, the gate's rules, the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from whyheap.model.finding import FixKind, PatternKind
from whyheap.model.violation import RULES
from whyheap.patterns.catalogue import PATTERNS, REASONS
from whyheap.report.visible_text import cut_middle, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from whyheap.patterns.pattern import Pattern

Json = dict[str, Any]
_LONGEST_DESCRIPTION: Final = 1024
_LONGEST_NAME: Final = 255
_GATE_HELP: Final[dict[str, str]] = {
    "new-site": "Take the value off the heap, or accept it: whyheap gate --update.",
    "budget": "Take values off the heap, or raise the budget in whyheap.toml.",
    "noescape": "Cut the way to the heap that the flow shows, or take the directive away.",
    "noalloc": "Cut the way to the heap that the flow shows, or take the directive away.",
    "inline": "Make the function small enough to be inlined, or take the directive away.",
    "bce": "Show the compiler that the index is in range, or take the directive away.",
    "directive": "Move the directive to a line or function that it can speak of.",
    "leak": "Let the goroutine end: close its channel, or cancel its context.",
    "limit": "Allocate less, or raise the limit.",
    "checkptr": "Follow the rules of unsafe.Pointer: go doc unsafe.Pointer.",
}


def pattern_rules() -> list[Json]:
    """Return a reportingDescriptor for each pattern of the catalogue, in its order."""
    return [_pattern(pattern) for pattern in (*PATTERNS, *REASONS)]


def gate_rules() -> list[Json]:
    """Return a reportingDescriptor for each rule of the gate."""
    return [
        _descriptor(
            rule,
            what[:1].upper() + what[1:],
            what,
            f"{what[:1].upper()}{what[1:]}. {_GATE_HELP.get(rule, '')}",
            "error",
        )
        for rule, what in RULES.items()
    ]


def other_rules(names: Iterable[str], level: str) -> list[Json]:
    """Return reportingDescriptors for rules that are in no catalogue: the user's own."""
    return [
        _descriptor(
            name, one_line(name) or "rule", "a rule of this project", "Defined by a rule of this project.", level
        )
        for name in names
    ]


def _pattern(pattern: Pattern) -> Json:
    headings = [(name, " ".join(text.split())) for name, text in pattern.doc.items()]
    fixes = [
        f"{fix.title} ({'the compiler can verify it' if fix.kind is FixKind.MECHANICAL else 'your judgement'})"
        for fix in pattern.fixes
    ]
    text = "\n\n".join(f"{name}: {said}" for name, said in headings)
    markdown = "\n\n".join(f"**{name}.** {said}" for name, said in headings)
    if fixes:
        text += "\n\nWays out: " + "; ".join(fixes)
        markdown += "\n\n**Ways out**\n\n" + "\n".join(f"- {fix}" for fix in fixes)
    markdown += f"\n\n`whyheap patterns {pattern.slug}` tells more."
    what = dict(headings).get("What it is", pattern.title)
    rule = _descriptor(pattern.slug, pattern.title, what, text or pattern.title, "note")
    rule["help"]["markdown"] = markdown
    if pattern.kind is PatternKind.HAZARD:
        rule["properties"]["tags"].append("hazard")
    return rule


def _descriptor(rule: str, short: str, full: str, help_text: str, level: str) -> Json:
    severity = {"error": "error", "warning": "warning"}.get(level, "recommendation")
    return {
        "id": rule,
        "name": cut_middle(one_line(rule) or "rule", _LONGEST_NAME),
        "shortDescription": {"text": cut_middle(short, _LONGEST_DESCRIPTION)},
        "fullDescription": {"text": cut_middle(full, _LONGEST_DESCRIPTION)},
        "help": {"text": help_text},
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": ["go", "memory", "performance"],
            "precision": "very-high" if level == "error" else "high",
            "problem.severity": severity,
        },
    }
