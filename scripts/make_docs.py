"""Write the pages of docs/ that repeat what the code and the recordings say.

    .venv/bin/python scripts/make_docs.py           write them
    .venv/bin/python scripts/make_docs.py --check   exit 1 and name the pages that are not what the code says

Commands come from click's tree, patterns and causes from the docstrings and Go files of the two catalogues, the pattern
matrix and folklore from what the lab has recorded (lab_pages.py).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

import lab_pages
import verdict_page
from whyheap.causes.catalogue import CAUSES
from whyheap.cli.main import cli
from whyheap.model.finding import PatternKind
from whyheap.patterns.catalogue import PATTERNS, REASONS
from whyheap.patterns.pattern import Pattern

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
NOTE = "<!-- Written by scripts/make_docs.py from the code: edit that, then run it again. -->"

CODES = {
    0: "done, with or without findings, also with gaps",
    1: "a gate found a violation, a test a leak, a limit or a pointer check; or the lab a promise that does not hold",
    2: "the command line or whyheap.toml is wrong",
    3: "a named target could not be read, a needed tool is missing or failed, a report could not be written, or a gate "
    "met what it could not judge; what could be read is reported first",
    130: "interrupted with Ctrl-C",
}


@dataclass(frozen=True, slots=True)
class Notes:
    """What click does not know of a command: its exit codes, and an example that the tests run in examples/oomshop."""

    codes: tuple[int, ...]
    example: str


NOTES = {
    "why": Notes(
        (0, 2, 3, 130),
        """\
$ whyheap why ./... http://127.0.0.1:6060 --seconds 5 -o report.html
 oomshop  go1.27.3  ./...  http://127.0.0.1:6060                                       5 s measured
...
 WHERE  inuse now        alloc rate        line, and why it is on the heap
   1    77.2 MiB  84 %   4.9 MiB/s  17 %   cache.go:32  storePage
                                           stored in a package-level map
...
""",
    ),
    "record": Notes(
        (0, 2, 3, 130),
        """\
$ whyheap record http://127.0.0.1:6060 --for 5 -o evening.whyheap
...
whyheap: kept 6 samples, 2 profile...5 s in evening.whyheap (52 KiB)...
...
$ whyheap why evening.whyheap
...
 MEMORY at ...
...
""",
    ),
    "scan": Notes(
        (0, 2, 3, 130),
        """\
$ whyheap scan ./...
 oomshop  go1.27.3  ./...                                           no bytes known: add a URL or pid
...
 WHY    variadic-any          27     37 %  ########################
...
$ whyheap scan --facts --format jsonl -o facts.jsonl
""",
    ),
    "explain": Notes(
        (0, 2, 3, 130),
        """\
$ whyheap explain render.go:10
 render.go:10  renderRow                                                                    go1.27.3
...
  > 10 |     id := fmt.Sprintf("%d", row.Order.ID)
...
 boxed into ...any for fmt.Sprintf
...
""",
    ),
    "fix": Notes(
        (0, 2, 3, 130),
        """\
$ whyheap fix render.go:10 --no-tests
 oomshop  go1.27.3  1 proven
...
-    id := fmt.Sprintf("%d", row.Order.ID)
+    id := strconv.Itoa(row.Order.ID)
...
 proven      builds; go vet passes; tests not run
             gone: row.Order.ID escapes to heap
...
""",
    ),
    "diff": Notes(
        (0, 2, 3, 130),
        """\
$ whyheap diff --go 1.24 --go 1.27 ./...
 oomshop  go1.24.11 -> go1.27.3                                        no bytes known: add a profile
...
""",
    ),
    "gate": Notes(
        (0, 1, 2, 3, 130),
        """\
$ whyheap gate --update
note: whyheap.baseline is written: 72 entries, 72 new, 0 gone
oomshop: no rule was checked; 3 packages, 72 sites; go1...
""",
    ),
    "test": Notes(
        (0, 1, 2, 3, 130),
        """\
$ whyheap test ./... -- -short
...
note: 2 packages have no tests
./...: no violations; ...
""",
    ),
    "patterns": Notes(
        (0, 2),
        """\
$ whyheap patterns append-growth
 append-growth: Slice grows by append
...
 Fix
...
""",
    ),
    "causes": Notes(
        (0, 2),
        """\
$ whyheap causes gc-headroom
 gc-headroom: The heap goal exceeds the limit
...
 What tells it apart
...
""",
    ),
    "lab": Notes(
        (0, 1, 2, 3, 130),
        """\
$ whyheap lab interface-boxing
 Go 1.27.3 ...
 ok    interface-boxing ... 1 -> 0
 every want holds: 1 patterns on Go 1.27.3
$ whyheap lab folklore address-of-local
...
 true          address-of-local
...
""",
    ),
    "doctor": Notes(
        (0, 2),
        """\
$ whyheap doctor
 ok       python     3.11.7
 ok       go         go1.27.3 linux/amd64 at ...
...
""",
    ),
    "completion": Notes(
        (0, 2),
        """\
$ whyheap completion bash
...
    complete -o nosort -F _whyheap_completion whyheap
...
""",
    ),
}


def commands_page() -> str:
    """Return docs/commands.md."""
    root = click.Context(cli, info_name="whyheap", terminal_width=400, max_content_width=400)
    names = cli.list_commands(root)
    if set(names) != set(NOTES):
        sys.exit(f"scripts/make_docs.py: NOTES must hold exactly these commands: {', '.join(names)}")
    commands = {name: cli.get_command(root, name) for name in names}
    contexts = {
        name: click.Context(command, info_name=name, parent=root, terminal_width=400, max_content_width=400)
        for name, command in commands.items()
        if command is not None
    }
    with_options = [set(_options(context)) for name, context in contexts.items() if name != "completion"]
    shared = set.intersection(*with_options)
    lines = [
        "# Commands",
        NOTE,
        (
            "Typed alone, `whyheap` shows the commands that matter. Reports go to standard output, progress and notes "
            "to standard error; nothing is written unless `-o` names a file."
        ),
        "## Exit codes",
        _table(("code", "means"), [(str(code), text) for code, text in CODES.items()]),
        "An error is one sentence on standard error, and one line with the way out.",
        "## Options of every command",
        _table(("option", "does"), _ordered(contexts["why"], shared)),
        (
            "`whyheap.toml` in the current folder, or the file that `--config` names, holds defaults: keys are the "
            "long options' names, at the top for all commands or in a table named after one, such as `[why]`. From a "
            "file that `--config` did not name, what runs a program, writes a file or weakens a connection is refused: "
            "`go` and `baseline-go` as paths, `output`, `update`, `header`, `ca-file`, `insecure`, `gcflags` that name "
            "files, and budgets that run benchmarks ([gate.md](gate.md#budgets))."
        ),
    ]
    for name, context in contexts.items():
        lines += _command(name, context, shared)
    return _joined(lines)


def _command(name: str, context: click.Context, shared: set[tuple[str, str]]) -> Iterator[str]:
    notes = NOTES[name]
    yield f"## whyheap {name}"
    yield f"```\n{context.get_usage().removeprefix('Usage: ')}\n```"
    for paragraph in (context.command.help or "").split("\n\n"):
        yield _text(paragraph)
    own = _ordered(context, set(_options(context)) - shared)
    if own:
        yield _table(("option", "does"), own)
    epilog = (context.command.epilog or "").replace("\b\n", "")
    if epilog:
        first, _, rest = epilog.partition("\n")
        yield first
        yield f"```\n{rest}\n```"
    yield f"Exit codes: {', '.join(map(str, notes.codes))}."
    yield f"```console\n{notes.example}```"


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the options of a command as its help shows them; --help itself is left out."""
    for parameter in context.command.params:
        record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if record is not None:
            yield record


def _ordered(context: click.Context, wanted: set[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"`{names}`", _text(text)) for names, text in _options(context) if (names, text) in wanted]


def patterns_page() -> str:
    """Return docs/patterns.md."""
    lines = [
        "# Patterns: why a value is on the heap",
        NOTE,
        (
            "The first pattern of this list that fits names a finding. The comments in the examples say what is found "
            "on a line; tests hold them against the output of the compilers of Go 1.22 to 1.27. Hazards come last: "
            "they allocate nothing, `whyheap fix` finds them and no ranking of lines does."
        ),
        _table(("pattern", "is"), [(f"[{one.slug}](#{one.slug})", _text(one.title)) for one in PATTERNS]),
        "What none of them claims is named by [the compiler's own reason](#named-by-the-compilers-own-reason).",
    ]
    for pattern in PATTERNS:
        lines += [f"## {pattern.slug}", f"{_text(pattern.title)}.", *_sections(pattern.doc.items())]
        lines += _example(pattern)
    lines += [
        "## Named by the compiler's own reason",
        *_sections(REASONS[0].doc.items()),
        _table(
            ("name", "is", "way out"),
            [(f"`{one.slug}`", _text(one.title), _text("; ".join(fix.title for fix in one.fixes))) for one in REASONS],
        ),
    ]
    return _joined(lines)


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


def causes_page() -> str:
    """Return docs/causes.md."""
    lines = [
        "# Causes: why a process runs out of memory",
        NOTE,
        (
            "Several may hold at once; first comes the one that would have kept the process alive if it were put right "
            "([the rule](tuning.md#which-cause-comes-first)). Each has programs that run into it in different ways; "
            "`whyheap lab causes` runs them and demands the verdict ([lab](lab.md#causes))."
        ),
        _table(("cause", "is"), [(f"[{one.slug}](#{one.slug})", _text(one.title)) for one in CAUSES]),
    ]
    for cause in CAUSES:
        lines += [f"## {cause.slug}", f"{_text(cause.title)}.", *_sections(cause.sections.items())]
        folder = ROOT / "src" / "whyheap" / "causes" / cause.slug.replace("-", "_") / "scenario"
        lines += ["Its programs:", "\n".join(_program(source) for source in sorted(folder.glob("*/main.go")))]
    return _joined(lines)


def _program(source: Path) -> str:
    """Return a list's line for one program: its name and the first paragraph of its comment."""
    head = source.read_text(encoding="utf-8").partition("\npackage")[0].partition("\n//\n")[0]
    about = " ".join(line.removeprefix("//").strip() for line in head.splitlines())
    return f"- [{source.parent.name}](../{source.relative_to(ROOT).as_posix()}): {_text(about)}"


def _sections(sections: Iterable[tuple[str, str]]) -> Iterator[str]:
    for heading, text in sections:
        yield f"**{heading}:** {_text(text)}"


def _text(text: str) -> str:
    """Escape what Markdown would take for markup, outside of `code`; line breaks go."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<\[\]])", r"\\\1", part) for part in parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "patterns.md": patterns_page,
    "causes.md": causes_page,
    "pattern-matrix.md": lambda: lab_pages.matrix_page(NOTE),
    "folklore.md": lambda: lab_pages.folklore_page(NOTE),
    "allocation-verdicts.md": lambda: verdict_page.verdict_page(NOTE),
}


def stale(folder: Path = DOCS) -> list[str]:
    """Return the names of the pages that are not what the code says."""
    return [name for name, page in PAGES.items() if not _holds(folder / name, page())]


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    parser.add_argument("--folder", type=Path, default=DOCS, help="where the pages are")
    chosen = parser.parse_args()
    for name in stale(chosen.folder):
        if chosen.check:
            print(f"{chosen.folder / name} is stale: run scripts/make_docs.py", file=sys.stderr)
        else:
            (chosen.folder / name).write_text(PAGES[name](), encoding="utf-8")
            print(f"wrote {chosen.folder / name}")
    return 1 if chosen.check and stale(chosen.folder) else 0


if __name__ == "__main__":
    sys.exit(main())
