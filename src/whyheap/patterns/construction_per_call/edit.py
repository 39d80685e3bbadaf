"""Compiles a constant regular expression once, in a package variable; the same for strings.NewReplacer.

Both are safe for concurrent use (regexp/regexp.go, strings/replace.go), but for Regexp.Longest, which changes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from whyheap.model.edit import Edit
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import EditSource, UneditableError, arguments, begin, named, replace
from whyheap.patterns.top_level import names_of, variable_before

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_SUFFIXES = {
    "regexp.MustCompile": "Regexp",
    "regexp.MustCompilePOSIX": "Regexp",
    "strings.NewReplacer": "Replacer",
}
_WRITTEN = re.compile(r"\b(?:regexp\.MustCompile(?:POSIX)?|strings\.NewReplacer)\(")


def lines_with_candidates(text: str) -> Iterator[int]:
    """Yield the lines of a file that construct inside of a function, as its text shows without a profile."""
    for number, line in enumerate(text.split("\n"), 1):
        if line[:1] in {" ", "\t"} and _WRITTEN.search(line) and not line.lstrip().startswith("//"):
            yield number


def edit(finding: Finding, source: EditSource) -> Edit:
    """Hoist a construction whose arguments are all constants."""
    call = next((one for one in source.calls_around(finding) if source.called(one) in _SUFFIXES), None)
    if call is None:
        raise UneditableError("only regexp.MustCompile and strings.NewReplacer are made once without judgement")
    given = arguments(call)
    if not given or any(source.constant(one) is None or one.kind() not in _LITERALS for one in given):
        raise UneditableError("what it is made of is no constant")
    if source.called(call) == "strings.NewReplacer" and len(given) % 2:
        raise UneditableError("it panics: a new text is missing")
    function = source.function(call)
    around = source.declaration(begin(call))
    name = around.field("name") if around is not None else None
    if function is None or around is None or name is None:
        raise UneditableError("it is made once already")
    if name.text() in {"init", "main"} and not _is_in_loop(call):
        raise UneditableError(f"it is made once, in {name.text()}")
    if not _is_in_loop(call) and not _is_used_here(source, call):
        raise UneditableError("it is handed on, and nothing says that it is made often")
    if ".Longest()" in source.text:
        raise UneditableError("the file calls Longest, which changes a regular expression")
    if source.called(call).startswith("regexp.") and not source.compiles(source.constant(given[0]) or ""):
        raise UneditableError("the regular expression does not compile")
    wanted = [one[0].lower() + one[1:] for one in names_of(name.text(), "", _SUFFIXES[source.called(call)])]
    variable = source.claim(wanted, call, call.text())
    changes = [variable_before(source, call, variable, call.text()), replace(call, variable)]
    is_regexp = source.called(call).startswith("regexp.")
    drops = (r"^regexp\.(?:Must)?[cC]ompile",) if is_regexp else (r"^strings\.NewReplacer$",)
    # NewReplacer is inlined into init: the Replacer and its copy of the texts are made there, once.
    brings = (r"^\.\.\. argument$",) if is_regexp else (r"^\.\.\. argument$", r"^&strings\.Replacer\{", r"^append\b")
    return source.edit(finding, f"{call.text()} -> var {variable}", changes, drops=drops, brings=brings)


_LITERALS = frozenset({"interpreted_string_literal", "raw_string_literal"})


def _is_used_here(source: EditSource, call: SgNode) -> bool:
    """Whether only methods of what is made are called: at once, or by a variable."""
    parent = call.parent()
    if parent is None or parent.kind() == "selector_expression":
        return parent is not None
    holder = parent.parent()
    left = holder.field("left") if holder is not None and holder.kind() == "short_var_declaration" else None
    names = named(left) if left is not None else []
    if len(names) != 1:
        return False
    uses = [one for one in source.mentions(names[0]) if begin(one) != begin(names[0])]
    return all((around := one.parent()) is not None and around.kind() == "selector_expression" for one in uses)


def _is_in_loop(node: SgNode) -> bool:
    return any(one.kind() == "for_statement" for one in node.ancestors())
