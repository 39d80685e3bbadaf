"""Edits that spoil the joint proof are found in few rounds, and take no other with them."""

from __future__ import annotations

from pathlib import Path

import pytest

import toolchains
from whyheap.app.fix import Fixes, FixRequest, fix
from whyheap.collect.compiler import ScanOptions
from whyheap.host.go import GoTool
from whyheap.model.edit import Change, Edit, Standing
from whyheap.model.finding import Finding
from whyheap.patterns.edit_source import EditSource
from whyheap.proof.prove import ProofOptions

pytestmark = pytest.mark.live
FUNCTION = """
func {name}(n int) string {{
	return fmt.Sprintf("%d", n)
}}
"""


def edited(finding: Finding, source: EditSource, broken: str, growing: str) -> Edit:
    """Edit a function: one named broken no longer compiles, one named growing brings a value of its own."""
    start = source.text.index("fmt.Sprintf", source.text.index(f"func {finding.site.function}("))
    end = source.text.index("\n", start)
    name = finding.site.function
    new = "undefined(n)" if name.startswith(broken) else "strconv.Itoa(n)"
    if name.startswith(growing):
        new = "strconv.Itoa(n) + *func() *string { kept = append(kept, new(string)); return kept[0] }()"
    return Edit(
        finding.pattern, finding.site.file, name, (Change(start, end, new),), (finding.id,), frozenset({"strconv"})
    )


def fixed(folder: Path, names: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Fixes, list[str]]:
    (folder / "go.mod").write_text("module example.com/m\n\ngo 1.22\n")
    functions = "".join(FUNCTION.format(name=name) for name in names)
    (folder / "m.go").write_text(f'package m\n\nimport "fmt"\n\nvar kept []*string\n{functions}')
    editor = lambda finding, source: edited(finding, source, "Broken", "Growing")  # noqa: E731
    monkeypatch.setattr("whyheap.app.fix.EDITORS", {"variadic-any": editor})
    said: list[str] = []
    options = ScanOptions(folder, ("./...",))
    go = GoTool(str(toolchains.go()), {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"})
    done = fix(go, FixRequest(options, proof=ProofOptions(with_tests=False)), said.append)
    return done, [words for words in said if words.startswith("recompiling")]


def test_more_errors_than_the_compiler_shows_at_once_go_in_one_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"Broken{number}" for number in range(25)] + [f"Good{number}" for number in range(5)]
    done, rounds = fixed(tmp_path, names, monkeypatch)
    standings = {one.edit.title: one.proof.standing for one in done.edits}
    assert standings == {name: Standing.PROVEN if name.startswith("Good") else Standing.REFUTED for name in names}
    assert all("undefined: undefined" in one.proof.reason for one in done.edits if one.edit.title.startswith("Broken"))
    assert len(rounds) == 2


def test_a_new_heap_value_costs_its_own_edit_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["Growing0", "Growing1", *(f"Good{number}" for number in range(5))]
    done, rounds = fixed(tmp_path, names, monkeypatch)
    standings = {one.edit.title: one.proof.standing for one in done.edits}
    assert standings == {name: Standing.PROVEN if name.startswith("Good") else Standing.REFUTED for name in names}
    assert len(rounds) == 2
