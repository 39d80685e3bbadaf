"""docs/patterns.md and docs/causes.md: the docstrings and Go files of the two catalogues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from page_markdown import escaped, joined, table
from whyheap.causes.catalogue import CAUSES
from whyheap.model.finding import PatternKind
from whyheap.patterns.catalogue import PATTERNS, REASONS
from whyheap.patterns.pattern import Pattern

ROOT = Path(__file__).resolve().parent.parent


def patterns_page(note: str) -> str:
    """Return docs/patterns.md."""
    lines = [
        "# Patterns: why a value is on the heap",
        note,
        (
            "The first pattern of this list that fits names a finding. The comments in the examples say what is found "
            "on a line; tests hold them against the output of the compilers of Go 1.22 to 1.27. Hazards come last: "
            "they allocate nothing, `whyheap fix` finds them and no ranking of lines does."
        ),
        table(("pattern", "is"), [(f"[{one.slug}](#{one.slug})", escaped(one.title)) for one in PATTERNS]),
        "What none of them claims is named by [the compiler's own reason](#named-by-the-compilers-own-reason).",
    ]
    for pattern in PATTERNS:
        lines += [f"## {pattern.slug}", f"{escaped(pattern.title)}.", *_sections(pattern.doc.items())]
        lines += _example(pattern)
    lines += [
        "## Named by the compiler's own reason",
        *_sections(REASONS[0].doc.items()),
        table(
            ("name", "is", "way out"),
            [
                (f"`{one.slug}`", escaped(one.title), escaped("; ".join(fix.title for fix in one.fixes)))
                for one in REASONS
            ],
        ),
    ]
    return joined(lines)


def _example(pattern: Pattern) -> Iterator[str]:
    """Yield the example in parts: what all of it shares, what is found, what looks alike, what is not found."""
    parts: dict[str, list[str]] = {"": [], "Bad": [], "Near": [], "Good": []}
    for declaration in declarations(pattern.example):
        named = re.search(r"^func (?:\([^)]*\) )?(Bad|Near|Good)\w*", declaration, re.MULTILINE)
        parts[named[1] if named else ""].append(_readable(declaration))
    found_there = "At risk:" if pattern.kind is PatternKind.HAZARD else "On the heap:"
    titles = {"": "The examples share:", "Bad": found_there, "Near": "Close, but another:", "Good": "Better:"}
    for kind, found in parts.items():
        if found:
            yield titles[kind]
            yield "```go\n" + "\n\n".join(found) + "\n```"


def declarations(source: str) -> list[str]:
    """Cut gofmt's text into top-level declarations, each with the comment above it; the package clause is left out.

    A declaration that opens a bracket ends at the bracket in the first column, where gofmt puts it.
    """
    found, current = [], list[str]()
    for line in source.splitlines():
        if not line.strip() and not current:
            continue
        current.append(line)
        opened = any(text.endswith(("{", "(")) for text in current)
        if line.startswith("//") or (opened and not line.startswith(("}", ")"))):
            continue
        if not any(text.startswith("package ") for text in current):
            found.append("\n".join(current))
        current = []
    return found


def _readable(declaration: str) -> str:
    """Turn want comments into words, and leave out what only keeps the compiler from inlining the example away."""
    hidden = ("//go:noinline", "// run ", "// run-once ")
    lines = [line for line in declaration.splitlines() if not line.startswith(hidden)]
    while lines and lines[0] == "//":
        del lines[0]
    kept = [line for number, line in enumerate(lines) if line != "//" or lines[number + 1].startswith("//")]
    return "\n".join(re.sub(r"// want .*$", lambda wants: f"// {_wanted(wants[0])}", line) for line in kept)


def _wanted(comment: str) -> str:
    """Spell want comments: `// want pattern=x since=1.25` -> `x (Go 1.25 and later)`."""
    spelled = []
    for want in comment.split("// want ")[1:]:
        words = [word.partition("=") for word in want.split()]
        names = [value for key, _, value in words if key == "pattern"]
        rest = {key: value for key, _, value in words}
        text = " and ".join(names)
        if "agreement" in rest:
            text += ", " * bool(text) + rest["agreement"].replace("-", " ")
        if "callee" in rest:
            text += f" in {rest['callee']}"
        if "call" in rest:
            text += ", no call" if rest["call"] == "none" else f", calls {rest['call']}"
        if "none" in rest:
            text = "nothing is found here"
        if "since" in rest:
            text += f" (Go {rest['since']} and later)"
        if "until" in rest:
            text += f" (before Go {rest['until']})"
        spelled.append(text)
    return "; ".join(spelled)


def causes_page(note: str) -> str:
    """Return docs/causes.md."""
    lines = [
        "# Causes: why a process runs out of memory",
        note,
        (
            "Several may hold at once; first comes the one that would have kept the process alive if it were put right "
            "([the rule](tuning.md#which-cause-comes-first)). Each has programs that run into it in different ways; "
            "`whyheap lab causes` runs them and demands the verdict ([lab](lab.md#causes))."
        ),
        table(("cause", "is"), [(f"[{one.slug}](#{one.slug})", escaped(one.title)) for one in CAUSES]),
    ]
    for cause in CAUSES:
        lines += [f"## {cause.slug}", f"{escaped(cause.title)}.", *_sections(cause.sections.items())]
        folder = ROOT / "src" / "whyheap" / "causes" / cause.slug.replace("-", "_") / "scenario"
        lines += ["Its programs:", "\n".join(_program(source) for source in sorted(folder.glob("*/main.go")))]
    return joined(lines)


def _program(source: Path) -> str:
    """Return a list's line for one program: its name and the first paragraph of its comment."""
    head = source.read_text(encoding="utf-8").partition("\npackage")[0].partition("\n//\n")[0]
    about = " ".join(line.removeprefix("//").strip() for line in head.splitlines())
    return f"- [{source.parent.name}](../{source.relative_to(ROOT).as_posix()}): {escaped(about)}"


def _sections(sections: Iterable[tuple[str, str]]) -> Iterator[str]:
    for heading, text in sections:
        yield f"**{heading}:** {escaped(text)}"
