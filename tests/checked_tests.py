"""Runs `whyheap test` in a module of a test's own, and writes the Go tests for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from toolchains import environment

WHYHEAP = Path(sys.executable).with_name("whyheap")
LEAK = "\tc := make(chan int)\n\tgo func() { <-c }()\n"
TEST = """\
package {package}

import "testing"

func TestClean(t *testing.T) {{}}

func TestLeak(t *testing.T) {{
{body}}}
"""
MAIN = "package {package}\n\nimport (\n{imports})\n\nfunc TestMain(m *testing.M) {{ {body} }}\n"


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def run(folder: Path, *arguments: str, version: str | None = None, **env: str) -> tuple[int, list[str], str]:
    """Run `whyheap test`: status, lines of standard output, standard error."""
    done = subprocess.run(
        [WHYHEAP, "test", *arguments],
        cwd=folder,
        env=environment(version, **env),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def rows(lines: list[str], rule: str) -> list[str]:
    return [line for line in lines if f": {rule}: " in line]
