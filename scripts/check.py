"""Run every check: style, types, layers, front end, then all of pytest. `make test` calls this.

Arguments go to pytest. The exit code is 1 when anything failed.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from prepare import find_npm
from steps import CACHE, ROOT, VENV, StepFailedError, environment, run, say

SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile")
"""Live tests wait for programs most of the time; a file's tests share what they build."""


def checks() -> dict[str, list[str]]:
    """Return what runs before the tests, by name."""
    found = {
        "ruff check": [str(VENV / "bin" / "ruff"), "check"],
        "ruff format": [str(VENV / "bin" / "ruff"), "format", "--check"],
        "import layers": [str(VENV / "bin" / "lint-imports"), "--cache-dir", str(CACHE / "import-linter")],
        "mypy": [str(VENV / "bin" / "mypy")],
    }
    if (ROOT / "web" / "package.json").is_file():
        found["front end"] = [find_npm(), "--prefix", str(ROOT / "web"), "run", "--silent", "check"]
    return found


def failed_checks() -> list[str]:
    """Run the checks, print what fails, and return the names of those."""
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        waiting = {name: pool.submit(run, name, command) for name, command in checks().items()}
        for name, outcome in waiting.items():
            try:
                outcome.result()
            except StepFailedError as error:
                failed.append(name)
                say(str(error))
    return failed


def main() -> None:
    """Run checks and tests."""
    failed = failed_checks()
    pytest = [str(VENV / "bin" / "python"), "-m", "pytest", "-q", *SIDE_BY_SIDE, *sys.argv[1:]]
    tests = subprocess.run(pytest, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=False)
    if failed:
        sys.stderr.write(f"failed before the tests: {', '.join(failed)}\n")
    sys.exit(1 if failed else tests.returncode)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
