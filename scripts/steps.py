"""One step of the build: run quietly, say one line, and do nothing when nothing changed.

Standard library only, and readable by older Pythons: this runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
VENV = ROOT / ".venv"
SITE_PACKAGES = "lib/python*/site-packages"
OLDEST_GO = (1, 22)

_printing = threading.Lock()


class StepFailedError(Exception):
    """A step could not be done; the message is for the person who typed make."""


def say(text: str) -> None:
    """Print one whole line, also from threads."""
    with _printing:
        print(text, flush=True)


def run(label: str, command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run `command` quietly: one line when it is done, its whole output when it failed."""
    began = time.monotonic()
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    seconds = time.monotonic() - began
    if done.returncode:
        raise StepFailedError(f"{label} failed ({' '.join(command)}):\n{done.stdout.rstrip()}")
    say(f"  {label:<28} {seconds:6.1f} s")


def digest(inputs: Iterable[Path], *words: str) -> str:
    """Name the state of the input files and of `words`."""
    state = hashlib.sha256("\0".join(words).encode())
    for path in sorted(inputs):
        state.update(f"\0{path.relative_to(ROOT)}\0".encode())
        state.update(path.read_bytes() if path.is_file() else b"missing")
    return state.hexdigest()


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """Let one process at a time do what is called `name`."""
    locks = CACHE / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def stamped(stamp: Path, state: str, *products: Path) -> Iterator[bool]:
    """Yield whether there is work to do, and note `state` in `stamp` once it is done without an error."""
    lock = "venv" if VENV in stamp.parents else stamp.name
    with alone(lock):
        present = stamp.is_file() and stamp.read_text(encoding="utf-8") == state
        stale = not present or not all(product.exists() for product in products)
        yield stale
        if stale:
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(state, encoding="utf-8")


def environment() -> dict[str, str]:
    """Return the environment of every step: ours, with the virtual environment's programs first."""
    env = dict(os.environ)
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    env.pop("PYTHONHOME", None)
    env.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    return env


def go_version(go: str) -> tuple[int, ...]:
    """Return the version of a go command, (1, 27, 3), or () when it does not run."""
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        text = subprocess.run([go, "env", "GOVERSION"], env=env, cwd="/", capture_output=True, text=True, check=True)
        return tuple(int(part) for part in text.stdout.split()[0].removeprefix("go").split("."))
    return ()


def find_go() -> str | None:
    """Return the go command to build with: the machine's if it is new enough, else the virtual environment's."""
    on_path = which("go")
    if on_path and go_version(on_path)[:2] >= OLDEST_GO:
        return on_path
    return next((str(go) for go in VENV.glob(f"{SITE_PACKAGES}/go/bin/go")), None)


def which(*names: str) -> str | None:
    """Return the first of `names` that the machine has, our own virtual environment aside."""
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if Path(folder).resolve() == (VENV / "bin").resolve():
            continue
        for name in names:
            candidate = Path(folder) / name
            if candidate.is_file() and os.access(candidate, os.X_OK):
                return str(candidate)
    return None


def stop(error: StepFailedError) -> NoReturn:
    """End the program with the step's message."""
    sys.stdout.flush()
    sys.stderr.write(f"{error}\n")
    sys.exit(1)
