"""Where package testing is hooked: lines of its source that testing_overlay/whyheap.go is called from.

| file | line | in | Go |
|---|---|---|---|
| testing.go | `defer m.after()` | `(*M).Run`, after the flags are parsed and profiles are started | 1.22 to 1.27 |
| testing.go | `fn(t)` | `tRunner`, the goroutine of each test | 1.22 to 1.27 |
| testing.go | `go tRunner(t, f)` | `(*T).Run`, where the goroutine is started | 1.22 to 1.27 |
| testing.go | `if !<-t.signal {` | `(*T).Run`, where the caller learns that it is over or parallel | 1.22 to 1.27 |
| fuzz.go | `fn(f)` | `fRunner`, the goroutine of each fuzz target | 1.22 to 1.27 |
| fuzz.go | `ok = ok && !f.Failed()` | `runFuzzTests`, where a fuzz target is over | 1.22 to 1.27 |
| benchmark.go | `r := b.doBench()` | `processBench` | 1.22 to 1.27 |
| example.go | `if !runExample(eg) {` | `runExamples` | 1.22 to 1.27 |

Each stands there exactly once. What is put in stays on its line, so that stacks name the lines of the real file. The
hooks themselves go to the end of example.go: a file of their own is not found by the vet of Go 1.22 and 1.23, which
looks for the files of package testing where they are without an overlay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from whyheap.errors import ToolError

_HOOKS_FOLDER = Path(__file__).with_name("testing_overlay")
_HOOK_FILES = ("whyheap.go", "whyheap_left.go", "whyheap_dump.go", "whyheap_text.go")
_BESIDE = "example.go"
_IMPORTS = re.compile(r"^import \(\n(.*?)^\)\n", re.MULTILINE | re.DOTALL)
_IMPORT = re.compile(r'"[^"]+"')
FOLDER_VARIABLE = "WHYHEAP_TEST"
"""Names the folder that a test binary reads its settings from and writes its report to."""
GOTMPDIR_VARIABLE = "WHYHEAP_GOTMPDIR"
"""What GOTMPDIR was for the user: tests see that, and not the one that whyheap gives to go."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One line of a file of package testing, without its indentation, and what takes its place."""

    file: str
    line: str
    becomes: str


HOOKS = (
    Hook("testing.go", "defer m.after()", "defer m.after(); whyheapStart(m); defer whyheapStop(m)"),
    Hook("testing.go", "fn(t)", "whyheapBegin(t); defer whyheapEnd(t); fn(t)"),
    Hook("testing.go", "go tRunner(t, f)", "whyheapBeforeTest(t); go tRunner(t, f)"),
    Hook(
        "testing.go",
        "if !<-t.signal {",
        "whyheapSignal := <-t.signal; whyheapAfter(t); if !whyheapSignal {",
    ),
    Hook("fuzz.go", "fn(f)", "whyheapFuzz(f); fn(f)"),
    Hook("fuzz.go", "ok = ok && !f.Failed()", "whyheapAfterFuzz(f); ok = ok && !f.Failed()"),
    Hook("benchmark.go", "r := b.doBench()", "whyheapBefore(); r := b.doBench(); whyheapBenchmark(b, r)"),
    Hook(
        "example.go",
        "if !runExample(eg) {",
        "whyheapBefore(); whyheapPassed := runExample(eg); whyheapExample(eg.Name); if !whyheapPassed {",
    ),
)
FILES = tuple(dict.fromkeys(hook.file for hook in HOOKS))


def hooked(file: str, source: str, go: str) -> str:
    """Return a file of package testing with its hooks. Raises ToolError where a line is not there exactly once."""
    for hook in HOOKS:
        if hook.file != file:
            continue
        source, count = re.subn(
            rf"^([ \t]+){re.escape(hook.line)}$",
            lambda found, hook=hook: found[1] + hook.becomes,  # type: ignore[misc] # the default binds this turn's hook
            source,
            flags=re.MULTILINE,
        )
        if count != 1:
            raise ToolError(
                f"package testing of {go or 'this Go'} is unknown: {hook.line!r} stands {count} times in {file}",
                "Use a release of Go 1.22 to 1.27:  --go 1.27.3",
            )
    return _with_hooks(source) if file == _BESIDE else source


def _with_hooks(source: str) -> str:
    """Put what testing_overlay declares behind a file's own declarations, and its imports on line 1."""
    own = _IMPORTS.search(source)
    known = own[1] if own is not None else ""
    missing: list[str] = []
    bodies: list[str] = []
    for name in _HOOK_FILES:
        text = (_HOOKS_FOLDER / name).read_text(encoding="utf-8")
        head, _, body = text.partition("\n)\n")
        missing += [one for one in _IMPORT.findall(head) if one not in known and one not in missing]
        bodies.append(f"\n//line {name}:{head.count(chr(10)) + 3}\n{body}")
    first = f"package testing; import ({'; '.join(missing)})"
    return re.sub(r"^package testing$", first, source, flags=re.MULTILINE) + "".join(bodies)
