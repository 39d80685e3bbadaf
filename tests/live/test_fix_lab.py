"""Every mechanical fix of the catalogue on the lab's own examples: produced, proven, written, and as good as before.

Each example stands in a package of its own, beside tests that hold its functions to their meaning. FUNCTIONS says what
comes of each Bad function: objects before and after in one run of these tests (where neither the tiny allocator nor a
pool has a say in them), or why its edit is refused.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import toolchains
from whyheap.lab.functions import functions
from whyheap.patterns.catalogue import get
from whyheap.patterns.editors import EDITORS

pytestmark = pytest.mark.live
TESTS = Path(__file__).with_name("fix_lab")
_COPY = "the copy is needed: it is kept, changed or handed on"
_NO_EQUAL = "only fmt.Sprintf and fmt.Sprint have an exact equal in strconv"
_NO_POOL = "the pool is not declared in this file with a New of its own"
FUNCTIONS = {
    "append-growth": {
        "BadGrow": "proven 3 -> 1",
        "BadGrowGlobal": "what grows is no local variable",
        "BadGrowLocal": "proven 3 -> 1",
    },
    "closure-by-reference": {
        "BadCounter": "the closure changes it, or hands its address on",
        "BadReassigned": "the closure is made before the function ends: it may see what is assigned later",
        "BadLarge": "proven 2 -> 1",
        "BadAddressed": "proven 2 -> 1",
    },
    "construction-per-call": {
        "BadLoop": "proven",
        "BadHandler": "only a profile finds it",
        "BadTimer": "only a profile finds it",
    },
    "deferred-call-in-loop": {"BadCall": "proven 16 -> 0", "BadLiteral": "proven 8 -> 0"},
    "error-per-call": {
        "BadNew": "proven 2 -> 0",
        "BadErrorf": "proven 2 -> 0",
        "BadKept": "proven 1 -> 0",
        "BadText": "the error's text is no constant",
        "BadArguments": "the error's text is no constant",
        "BadWrapped": "the error's text is no constant",
    },
    "loop-variable-address": {
        "BadRange": "proven 8 -> 1",
        "BadCounter": "it is no variable of a loop over a slice",
        "BadPointer": "it is no variable of a loop over a slice",
        "BadPart": "proven 8 -> 1",
        "BadOwn": "proven 8 -> 0",
    },
    "map-storage": {
        "BadCache": "the map is no local variable",
        "BadLocalMap": "proven",
        "BadLiteral": "the map is not filled by a loop beside it",
        "BadGrowth": "proven",
    },
    "pool-boxing": {"BadSlice": _NO_POOL, "BadField": _NO_POOL, "BadStruct": _NO_POOL, "BadRound": "proven"},
    "reflection-call": {
        "BadSort": "proven 3 -> 0",
        "BadEqual": "proven",
        "BadMarshal": "only sort.Slice and reflect.DeepEqual have a typed equal",
        "BadEncode": "only sort.Slice and reflect.DeepEqual have a typed equal",
    },
    "string-concatenation": {
        "BadReturned": "nothing is added to the end of a variable",
        "BadLoop": "proven 19 -> 1",
        "BadLocal": "nothing is added to the end of a variable",
    },
    "string-conversion": {
        "BadString": _COPY,
        "BadBytes": _COPY,
        "BadRunes": _COPY,
        "BadTemporary": _COPY,
        "BadWritten": "proven",
        "BadKey": "proven 1 -> 0",
        "BadBoxed": _COPY,
    },
    "unguarded-copy": {
        "BadArray": "proven by its bounds check",
        "BadMade": "proven by its bounds check",
        "BadText": "proven by its bounds check",
        "BadSlice": "dst may have room behind its length, which is filled now and would not be",
        "BadCounted": "later code uses src, and may count on all of it having been copied",
    },
    "variadic-any": {"BadSprintf": "proven", "BadLog": _NO_EQUAL, "BadKept": _NO_EQUAL, "BadPointer": _NO_EQUAL},
}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lab")
    (folder / "go.mod").write_text("module example.com/lab\n\ngo 1.22\n")
    for slug in EDITORS:
        (folder / slug).mkdir()
        (folder / slug / "example.go").write_text(get(slug).example)
        (folder / slug / "example_test.go").write_text((TESTS / f"{slug}.go.txt").read_text())
    return folder


def go(folder: Path, *command: str) -> str:
    env = toolchains.environment(GOFLAGS="", GOWORK="off")
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def answer(module: Path) -> dict[str, Any]:
    env = toolchains.environment(NO_COLOR="1", GOFLAGS="", GOWORK="off")
    command = [sys.executable, "-m", "whyheap", "fix", "./...", "--write", "--all", "--format", "json"]
    done = subprocess.run(command, cwd=module, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def outcomes(answer: dict[str, Any], slug: str) -> dict[str, str]:
    """Return what came of each Bad function of an example: a proven edit, else why there is none."""
    told = {one.name: "only a profile finds it" for one in functions(get(slug).example) if one.kind == "Bad"}
    for one in answer["refused"]:
        function = around(one["file"], one["line"], slug, one["pattern"])
        if function in told:
            told[function] = one["reason"]
    sites = {one["id"]: one["site"] for one in answer["findings"]}
    for edit in answer["edits"]:
        proof = edit["proof"]
        for site in (sites[one] for one in edit["findings"]):
            function = around(site["file"], site["line"], slug, edit["pattern"])
            if function in told:
                told[function] = f"{proof['standing']} {saved(proof)}"
    return told


def around(file: str, line: int, slug: str, pattern: str) -> str:
    """Return the function of a pattern's own example that a line stands in."""
    if pattern != slug or file != f"{slug}/example.go":
        return ""
    return ["", *(one.name for one in functions(get(slug).example) if one.line <= line)][-1]


def saved(proof: dict[str, Any]) -> str:
    if proof["measured_by"]:
        assert proof["tests"] == "pass"
        return f"{proof['objects_before']} -> {proof['objects_after']}"
    return "by its bounds check" if str(proof["gone"]).startswith("['bounds check of ") else proof["reason"]


def test_every_mechanical_fix_is_in_the_table() -> None:
    assert set(FUNCTIONS) == set(EDITORS)


@pytest.mark.parametrize("slug", EDITORS)
def test_each_bad_function_is_mended_and_proven_or_refused_for_its_reason(answer: dict[str, Any], slug: str) -> None:
    told = outcomes(answer, slug)
    wanted = FUNCTIONS[slug]
    assert any(one.startswith("proven") for one in wanted.values())
    assert told.keys() == wanted.keys()
    assert {name: words for name, words in told.items() if not f"{words} ".startswith(f"{wanted[name]} ")} == {}


def test_the_module_is_as_good_as_before(module: Path, answer: dict[str, Any]) -> None:
    assert answer["edits"]
    command = str(toolchains.go())
    go(module, command, "vet", "./...")
    go(module, command, "test", "./...")
    assert go(module, str(toolchains.go().with_name("gofmt")), "-l", ".") == ""
