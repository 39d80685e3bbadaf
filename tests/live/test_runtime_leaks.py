"""Each program of GOROOT's testgoroutineleakprofile as a test, against what the runtime's own test expects of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from toolchains import environment, go

pytestmark = pytest.mark.live

WHYHEAP = Path(sys.executable).with_name("whyheap")


def test_the_runtimes_own_leaks_are_found(tmp_path: Path) -> None:
    source = go().parents[1] / "src" / "runtime"
    folder = tmp_path / "leaks"
    shutil.copytree(source / "testdata" / "testgoroutineleakprofile", folder, ignore=shutil.ignore_patterns("goker"))
    expected = expectations((source / "goroutineleakprofile_test.go").read_text(encoding="utf-8"))
    programs = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.go"))
    names = [name for name in re.findall(r'register\("(\w+)"', programs) if name in expected]
    names.remove("SelectNoCasesMain")  # its leak is that main waits for ever
    body = "".join(f'func Test{name}(t *testing.T) {{ cmds["{name}"]() }}\n' for name in names)
    (folder / "go.mod").write_text("module example.test/leaks\n\ngo 1.27\n", encoding="utf-8")
    (folder / "x_test.go").write_text(f'package main\n\nimport "testing"\n\n{body}', encoding="utf-8")
    env = environment(GOMAXPROCS="1")
    command = [str(WHYHEAP), "test", "--all"]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=200)
    found = stuck(done.stdout.splitlines())
    assert len(names) == 20
    for name in names:
        for pattern in expected[name]:
            assert any(re.search(pattern, leak) for leak in found.get(name, [])), (name, pattern)
        for leak in found.get(name, []):
            assert any(re.search(pattern, leak) for pattern in expected[name]), (name, leak)


def expectations(source: str) -> dict[str, list[str]]:
    """Read the runtime's tables: name -> regular expressions of `function() [state]`, without flaky ones."""
    text = "\n".join(line for line in source.splitlines() if not line.strip().startswith("//"))
    found = re.finditer(r'makeTest\("(\w+)"((?:,|\s|`[^`]*`)*)\)', text)
    return {match[1]: re.findall(r"`([^`]*)`", match[2]) for match in found if match[1] != "DaisyChain"}


def stuck(lines: list[str]) -> dict[str, list[str]]:
    """Return per test what it left that can never go on, as `function() [state]` of the goroutine's first function."""
    found: dict[str, list[str]] = {}
    for number, line in enumerate(lines):
        match = re.search(r": leak: .* can never go on: (.*); (?:left by|first seen after) Test(\w+)", line)
        if match is None:
            continue
        creator = next(at for at in range(number, len(lines)) if lines[at].strip().startswith("created by "))
        function = lines[creator - 1].split()[0].rpartition("/")[2].partition(".")[2]
        found.setdefault(match[2], []).append(f"{function}() [{match[1]}]")
    return found
