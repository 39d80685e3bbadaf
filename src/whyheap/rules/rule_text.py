"""The text of one rule file -> rules, and what is wrong with the others. Text is not trusted: everything is bounded.

A file holds one rule a YAML document, or a list of them. Keys are those of ast-grep's own rule files, and `requires`.
Regular expressions run in Rust's regex crate, which matches in linear time and refuses those that grow too large.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

import yaml

from whyheap.rules.call_patterns import calls_meant
from whyheap.rules.rule import Requires, Rule, RuleProblem, Severity

LARGEST_FILE_BYTES = 256 << 10
MOST_EVENTS = 20_000
MOST_ALIASES = 64
MOST_NODES = 20_000
DEEPEST = 48

_KEYS = {
    "id",
    "message",
    "note",
    "severity",
    "language",
    "rule",
    "constraints",
    "utils",
    "transform",
    "fix",
    "requires",
}
_IGNORED = {"url", "metadata"}
_QUERY = ("rule", "constraints", "utils", "transform")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CAUSE = re.compile(r"^ *\d+: ", re.MULTILINE)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
E_ = TypeVar("E_", bound=StrEnum)


class _WrongError(Exception):
    """One rule is wrong; `line` is 1-based."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


class _RefusedError(Exception):
    """ast-grep does not take a rule."""


def parse_rules(text: str, file: str) -> tuple[list[Rule], list[RuleProblem]]:
    """Return the rules of one file and what is wrong with the rest of it."""
    rules: list[Rule] = []
    problems: list[RuleProblem] = []
    try:
        _check_bounds(text)
        documents = list(yaml.compose_all(text, Loader=_LOADER))
    except _WrongError as wrong:
        return [], [RuleProblem(file, wrong.line, wrong.reason)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return [], [RuleProblem(file, mark.line + 1 if mark else 0, f"not valid YAML: {error.problem or 'broken'}")]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return [], [RuleProblem(file, 0, f"not valid YAML: {str(error).splitlines()[0]}")]
    for node in _entries(documents):
        try:
            rules.append(_rule(node, file))
        except _WrongError as wrong:
            problems.append(RuleProblem(file, wrong.line, wrong.reason))
    if not documents:
        problems.append(RuleProblem(file, 0, "there is no rule in it"))
    return rules, problems


def _entries(documents: Iterable[yaml.Node | None]) -> Iterator[yaml.Node]:
    for document in documents:
        if isinstance(document, yaml.SequenceNode):
            yield from document.value
        elif document is not None:
            yield document


def _check_bounds(text: str) -> None:
    """Refuse what would take long to build: the parser alone neither recurses nor expands aliases."""
    depth = aliases = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER), 1):
        line = event.start_mark.line + 1 if event.start_mark else 0
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > DEEPEST:
            raise _WrongError(line, f"nested deeper than {DEEPEST} levels")
        if aliases > MOST_ALIASES:
            raise _WrongError(line, f"more than {MOST_ALIASES} aliases (*name)")
        if count > MOST_EVENTS:
            raise _WrongError(line, f"more than {MOST_EVENTS} YAML values in one file")


def _rule(node: yaml.Node, file: str) -> Rule:
    line = _line(node)
    if not isinstance(node, yaml.MappingNode):
        raise _WrongError(line, "a rule is a mapping with id, message and rule")
    lines, values = _fields(node)
    for name in ("id", "message", "rule"):
        if name not in values:
            raise _WrongError(line, f"the rule has no {name}")
    texts = {name: _text(values, lines, name) for name in ("id", "message", "fix", "note", "language")}
    if not _ID.fullmatch(texts["id"]):
        raise _WrongError(lines["id"], "id takes up to 64 letters, digits, dots, dashes and underscores")
    if not texts["message"]:
        raise _WrongError(lines["message"], "message is empty")
    if texts["language"].casefold() not in {"", "go", "golang"}:
        raise _WrongError(lines["language"], f"language {texts['language']} is not go")
    config = {name: calls_meant(values[name]) for name in _QUERY if name in values}
    try:
        _check_query(config)
    except _RefusedError as refused:
        reason = str(refused)
        raise _WrongError(_blamed(node, reason) or lines["rule"], f"ast-grep does not take it: {reason}") from None
    return Rule(
        id=texts["id"],
        message=texts["message"],
        config=config,
        severity=_one_of(Severity, values, lines, "severity", Severity.WARNING),
        requires=_one_of(Requires, values, lines, "requires", Requires.NONE),
        fix=texts["fix"],
        note=texts["note"],
        file=file,
        line=line,
    )


def _fields(node: yaml.MappingNode) -> tuple[dict[str, int], dict[str, Any]]:
    """Return each key's line and value."""
    lines: dict[str, int] = {}
    values: dict[str, Any] = {}
    room = [MOST_NODES]
    for key, value in node.value:
        name = str(key.value)
        if name in values:
            raise _WrongError(_line(key), f"{name} stands twice in one rule")
        if name not in _KEYS and name not in _IGNORED:
            near = get_close_matches(name, _KEYS, n=1)
            known = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(_KEYS))}"
            raise _WrongError(_line(key), f"unknown key {name[:40]!r} ({known})")
        lines[name] = _line(key)
        values[name] = _value(value, room)
    return lines, values


def _value(node: yaml.Node, room: list[int], depth: int = 0) -> Any:  # noqa: ANN401 - any YAML value
    """Build one value, aliases written out, within what is left of `room`."""
    room[0] -= 1
    if room[0] < 0 or depth > DEEPEST:
        raise _WrongError(_line(node), "its aliases expand to too much")
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), _value(value, room, depth + 1)) for key, value in node.value]
        twice = next((name for index, (name, _) in enumerate(pairs) if name in dict(pairs[:index])), None)
        if twice is not None:
            raise _WrongError(_line(node), f"{twice} stands twice in one mapping")
        return dict(pairs)
    if isinstance(node, yaml.SequenceNode):
        return [_value(part, room, depth + 1) for part in node.value]
    if node.tag == "tag:yaml.org,2002:int":
        return _integer(node)
    if node.tag == "tag:yaml.org,2002:bool":
        return str(node.value).casefold() in {"true", "yes", "on"}
    return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _integer(node: yaml.Node) -> int:
    try:
        return int(str(node.value))
    except ValueError:
        raise _WrongError(_line(node), f"{str(node.value)[:40]} is no plain number") from None


def _text(values: dict[str, Any], lines: dict[str, int], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise _WrongError(lines[name], f"{name} is not text")
    return str(value).strip()


def _one_of(kind: type[E_], values: dict[str, Any], lines: dict[str, int], name: str, default: E_) -> E_:
    if name not in values:
        return default
    try:
        return kind(values[name])
    except ValueError:
        known = ", ".join(member.value for member in kind)
        raise _WrongError(lines[name], f"{name} {str(values[name])[:40]!r} is none of {known}") from None


def _check_query(config: dict[str, Any]) -> None:
    """Let ast-grep compile the rule. Raises _RefusedError with its reason."""
    from ast_grep_py import SgRoot  # noqa: PLC0415 - loads a native parser: only where there are rules

    if not config["rule"]:
        raise _RefusedError("the rule is empty")
    try:
        SgRoot("package p\n", "go").root().find(config)  # type: ignore[call-overload] # a dict for its TypedDict
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of the Rust library derives from BaseException
        raise _RefusedError(_reason(str(error))) from None


def _blamed(rule: yaml.MappingNode, reason: str) -> int:
    """Return the line of the first word in backticks that the rule has, 0 if none."""
    words = re.findall(r"`([^`]+)`", reason)[:1]
    waiting: list[yaml.Node] = [value for key, value in rule.value if key.value in _QUERY]
    for _ in range(MOST_NODES):
        if not waiting:
            break
        node = waiting.pop(0)
        if isinstance(node, yaml.ScalarNode):
            if node.value in words:
                return _line(node)
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        else:
            waiting += node.value
    return 0


def _reason(text: str) -> str:
    """Return the last and most exact of ast-grep's causes, on one line."""
    told = text.partition("\n\nStack backtrace")[0].partition("Caused by:\n")
    parts = [" ".join(part.split()) for part in _CAUSE.split(told[2])] if told[2] else [" ".join(text.split())]
    return ": ".join(part.rstrip(".") for part in parts[-2:] if part)[:300]


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
