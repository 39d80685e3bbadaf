"""What can be observed over time: a service by HTTP, or a process of this machine by its number."""

from __future__ import annotations

from typing import Protocol

from whyheap.collect.runtime_sample import RuntimeSample
from whyheap.model.event import Event
from whyheap.model.gauge import Gap


class LiveWitness(Protocol):
    """One process, read again and again. Nothing of it is stopped, changed or forced to collect."""

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be read so far, each once."""
        ...

    @property
    def pid(self) -> int | None:
        """The process, when it is on this machine."""
        ...

    @property
    def limit_name(self) -> str:
        """Whose limit counts ("cgroup v2 /shop"), "" when that is not known."""
        ...

    @property
    def cost_seconds(self) -> float:
        """What the target spent on the last sample, as far as that can be told."""
        ...

    def sample(self, *, stacks: bool = True) -> RuntimeSample:
        """Read one moment; `stacks` asks for the goroutines, which cost more. Raises TargetError: nothing answers."""
        ...

    def profile(self) -> bytes | None:
        """Return a raw heap profile; None where there is none. Raises TargetError when it cannot be read now."""
        ...

    def events(self) -> tuple[Event, ...]:
        """Return what happened since the last call."""
        ...
