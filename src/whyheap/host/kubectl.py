"""The user's own kubectl: its context, its credentials, its plug-ins. Only reading commands are run.

Every child is in a process group of its own, ends with its time limit, with the context that opened it, on Ctrl-C
(`end_running`) and at the latest with this process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from typing import IO, Self

from whyheap.errors import TargetError, ToolError
from whyheap.host.interrupts import uninterrupted

DEFAULT_SECONDS = 20.0
MOST_BYTES = 64 << 20
_PIECE_BYTES = 1 << 16
_MOST_ERROR_BYTES = 16 << 10
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d{1,5}) -> \d{1,5}")
_KEPT_LINES = 20
_GRACE_SECONDS = 1.0
_INSTALL = "Install it and choose a context:  https://kubernetes.io/docs/tasks/tools/"
_running: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command said. `is_cut`: there was more output than was asked for."""

    code: int
    output: bytes
    error: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A kubectl program, and how long one of its commands may take."""

    program: str
    seconds: float = DEFAULT_SECONDS

    def run(
        self, *arguments: str, seconds: float | None = None, most_bytes: int = MOST_BYTES, keep_last: bool = False
    ) -> Answer:
        """Run one command to its end; of too much output the first part is kept, or the last one.

        Raises:
            ToolError: kubectl cannot be started, or took too long.
        """
        limit = self.seconds if seconds is None else seconds
        process = _start([self.program, *arguments], stderr=subprocess.PIPE)
        output = _Bounded(process.stdout, most_bytes, keep_last=keep_last)
        error = _Bounded(process.stderr, _MOST_ERROR_BYTES, keep_last=False)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise ToolError(
                f"kubectl {arguments[0]} took longer than {limit:g} s and was ended.",
                "Is the cluster reachable?  kubectl version",
            ) from None
        finally:
            _end(process)
        return Answer(code, output.taken(), error.taken().decode("utf-8", "replace"), output.is_cut)

    def port_forward(self, namespace: str, pod: str, port: int) -> PortForward:
        """Return a way to a pod's port through this machine; it is open inside the returned context.

        Raises:
            ToolError: kubectl cannot be started.
            TargetError: the forward does not come about.
        """
        command = [self.program, "port-forward", "-n", namespace, "--address", "127.0.0.1", f"pod/{pod}", f":{port}"]
        return PortForward(command, self.seconds)


class PortForward:
    """A running `kubectl port-forward`; `url` is where the pod's port is on this machine."""

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        """Start it and wait until it listens."""
        self._process = _start(command, stderr=subprocess.STDOUT)
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._ports: Queue[int | None] = Queue()
        self._listener = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._listener.start()
        port = None
        with contextlib.suppress(Empty):
            port = self._ports.get(timeout=seconds)
        if port is None:
            self.close()
            said = " ".join(self._said)[-300:] or "it says nothing"
            raise TargetError(f"kubectl port-forward does not come about: {said}")
        self.url = f"http://127.0.0.1:{port}"

    @property
    def is_open(self) -> bool:
        """Whether kubectl still runs: it ends when the container does, or refuses a connection."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it."""
        _end(self._process)
        self._listener.join(_GRACE_SECONDS)

    def __enter__(self) -> Self:
        """Return it, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()

    def _listen(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        with contextlib.suppress(OSError), stream:
            while line := stream.readline(_PIECE_BYTES):
                text = line.decode("utf-8", "replace").strip()
                match = _FORWARDING.match(text)
                if match is not None:
                    self._ports.put(int(match[1]))
                self._said.append(text)
        self._ports.put(None)


def find_kubectl() -> Kubectl:
    """Return the kubectl on PATH. Raises ToolError when there is none."""
    program = shutil.which("kubectl")
    if program is None:
        raise ToolError("there is no kubectl on PATH, which reads pods.", _INSTALL)
    return Kubectl(program)


def end_running() -> None:
    """End every kubectl that runs, for a process that is about to exit without waiting for its threads."""
    for process in tuple(_running):
        _end(process)


def _start(command: Sequence[str], *, stderr: int) -> subprocess.Popen[bytes]:
    try:
        process = uninterrupted(
            lambda: subprocess.Popen(  # noqa: S603 - the user's kubectl, no shell
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C"},
            )
        )
    except OSError as error:
        raise ToolError(f"cannot run {command[0]}: {error.strerror}.", _INSTALL) from error
    if not _running:
        atexit.register(end_running)
    _running.add(process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, and all of its group; threads of ours read its output to the end meanwhile."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
    _running.discard(process)


class _Bounded:
    """Reads a stream to its end in a thread and keeps so much of it."""

    def __init__(self, stream: IO[bytes] | None, most_bytes: int, *, keep_last: bool) -> None:
        self._stream = stream
        self._most_bytes = most_bytes
        self._keep_last = keep_last
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self.is_cut = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def taken(self) -> bytes:
        """Return what was kept; the process has ended."""
        self._thread.join(1.0)
        whole = b"".join(self._pieces)
        return whole[-self._most_bytes :] if self._keep_last else whole[: self._most_bytes]

    def _read(self) -> None:
        if self._stream is None:
            return
        with contextlib.suppress(OSError), self._stream:
            while piece := self._stream.read(_PIECE_BYTES):
                self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        if self._keep_last:
            self._pieces.append(piece)
            self._size += len(piece)
            while self._size - len(self._pieces[0]) >= self._most_bytes:
                self._size -= len(self._pieces.popleft())
                self.is_cut = True
        elif self._size < self._most_bytes:
            self._pieces.append(piece)
            self._size += len(piece)
            self.is_cut = self._size > self._most_bytes
        else:
            self.is_cut = True
