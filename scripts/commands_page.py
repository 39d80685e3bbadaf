"""docs/commands.md: click's tree of commands, with what click does not know of each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click

from page_markdown import escaped, joined, table
from whyheap.cli.main import cli

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


def commands_page(note: str) -> str:
    """Return docs/commands.md."""
    root = click.Context(cli, info_name="whyheap", terminal_width=400, max_content_width=400)
    names = cli.list_commands(root)
    if set(names) != set(NOTES):
        sys.exit(f"scripts/commands_page.py: NOTES must hold exactly these commands: {', '.join(names)}")
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
        note,
        (
            "Typed alone, `whyheap` shows the commands that matter. Reports go to standard output, progress and notes "
            "to standard error; nothing is written unless `-o` names a file. The examples run in `examples/oomshop` of "
            "this repository, which has the lines that they name."
        ),
        "## Exit codes",
        table(("code", "means"), [(str(code), text) for code, text in CODES.items()]),
        "An error is one sentence on standard error, and one line with the way out.",
        "## Options of every command",
        table(("option", "does"), _ordered(contexts["why"], shared)),
        (
            "`whyheap.toml` in the current folder, or the file that `--config` names, holds defaults: keys are the "
            "long options' names, at the top for all commands or in a table named after one, such as `[why]`. From a "
            "file that `--config` did not name, what runs a program, writes a file, acts on a target or weakens a "
            "connection is refused: `go` and `baseline-go` as paths, `output`, `update`, `write`, `force`, `record`, "
            "`header`, `prometheus-header`, `ca-file`, `insecure`, `bench`, `goroutineleak`, `hold-at-limit`, "
            "`raise-limit`, `high`, `gcflags` that name files, and budgets that run benchmarks "
            "([gate.md](gate.md#budgets))."
        ),
    ]
    for name, context in contexts.items():
        lines += _command(name, context, shared)
    return joined(lines)


def _command(name: str, context: click.Context, shared: set[tuple[str, str]]) -> Iterator[str]:
    notes = NOTES[name]
    yield f"## whyheap {name}"
    yield f"```\n{context.get_usage().removeprefix('Usage: ')}\n```"
    for paragraph in (context.command.help or "").split("\n\n"):
        yield escaped(paragraph)
    own = _ordered(context, set(_options(context)) - shared)
    if own:
        yield table(("option", "does"), own)
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
    return [(f"`{names}`", escaped(text)) for names, text in _options(context) if (names, text) in wanted]
