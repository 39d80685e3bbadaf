"""A service that runs but does not answer: the kernel's numbers are read meanwhile, and it is asked again and again."""

from __future__ import annotations

import threading

from whyheap.collect.local_process import LocalProcess, open_local_process
from whyheap.collect.witness import LiveWitness
from whyheap.errors import TargetError

RETRY_SECONDS = 5.0
_TOLD_BY_ITSELF = frozenset({"gogc", "memory_limit"})  # what it was started with may not hold any more


class SilentTarget:
    """One process of this machine. Questions to it are asked in a thread, as each may hang for long."""

    def __init__(self, witness: LiveWitness, pid: int) -> None:
        """`witness` fell silent."""
        self._witness = witness
        self._pid = pid
        self._local: LocalProcess | None = None
        self._asking: threading.Thread | None = None
        self._answered = threading.Event()

    def numbers(self) -> dict[str, float]:
        """Return what the kernel tells of the process and its container; nothing once it has ended."""
        try:
            if self._local is None:
                self._local = open_local_process(self._pid)
            values = self._local.read()
        except TargetError:
            return {}
        return {name: value for name, value in values.items() if name not in _TOLD_BY_ITSELF}

    def answers(self) -> bool:
        """Whether it answered since it fell silent; if not, and nobody asks just now, it is asked again."""
        if self._answered.is_set():
            return True
        if self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask, daemon=True)
            self._asking.start()
        return False

    def _ask(self) -> None:
        try:
            self._witness.sample(stacks=False)
        except TargetError:
            return
        self._answered.set()
