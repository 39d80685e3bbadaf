"""Whether goroutines that pile up are on their way, or wait for what never comes.

A goroutine profile shows where each waits, not for how long. Three things tell that a pile would drain:

- each is a request that waits for something with an end of its own: a sleep, an answer over the network;
- others of them are past the point where these wait, as many in each moment: a resource that few may use at once;
- part of what was allocated for them in the window is free again: some of them have ended.

A goroutine that is stuck behind its work (a result that nobody takes) is past what the others do, not before it; and
what is freed says little where one of many ways through a function leaks: there it counts only for requests whose
clients still wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from whyheap.causes.goroutine_piles import ASKED, CLIENT_READ, SERVED, Pile, lines_of, samples_with_stacks
from whyheap.causes.history import RuntimeHistory
from whyheap.model.facts import GoroutineGroup
from whyheap.model.finding import Certainty
from whyheap.model.site import Site
from whyheap.model.verdict import Statement
from whyheap.units import format_count, format_share

_ANSWERS = frozenset(
    {
        ASKED,
        "net/http.(*http2ClientConn).RoundTrip",  # net/http/h2_bundle.go, 1.22 to 1.26
        "net/http.(*http2ClientConn).roundTrip",
        "net/http/internal/http2.(*ClientConn).roundTrip",  # net/http/internal/http2/transport.go, 1.27
        "database/sql.(*DB).conn",  # database/sql/sql.go: waits for a connection of the pool
        "google.golang.org/grpc.(*ClientConn).Invoke",
        "google.golang.org/grpc/internal/transport.(*recvBufferReader).readClient",
    }
)
_TIMED = frozenset({"sleep", "IO wait"})
_AT_WORK = _TIMED | {"running", "runnable", "syscall"}
_LOCKS = frozenset({"sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "semacquire"})
MAIN_SHARE = 0.5
_LEAST_STEADY_SHARE = 0.6  # reads from outside race with the program: a few miss a goroutine that moves
_STEADY_SPREAD = 0.5
_LEAST_FREED_SHARE = 0.05
_CLIENTS_WAIT_SHARE = 0.5
_LEAST_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """Why a pile would drain. `ahead` is where the others work that these wait for; `answer` whether it is a network's.

    `clients` is how many clients of these requests are still connected; None when that cannot be told.
    """

    evidence: tuple[Statement, ...]
    ahead: Site | None = None
    answer: bool = False
    clients: int | None = None


def progress(history: RuntimeHistory, pile: Pile) -> Progress | None:
    """Return why a pile would drain; None when nothing tells that it does."""
    if pile.leaked >= MAIN_SHARE * pile.group.count:
        return None
    clients = _clients(history, pile)
    bounded = _bounded_wait(pile)
    if bounded:
        return Progress((Statement(bounded, Certainty.INFERRED),), answer=_awaits_answer(pile), clients=clients)
    freed = _freed_share(history, pile)
    ended = [] if freed is None or freed < _LEAST_FREED_SHARE else [_freed_statement(freed)]
    steady = _ahead(history, pile)
    if steady is not None and (freed is None or ended):
        where, count = steady
        are = f"{format_count(count)} of them are" if count > 1 else "one of them is"
        text = f"{are} past that point at any moment, at {where.position}: the others wait for their turn"
        return Progress((Statement(text, Certainty.MEASURED, where), *ended), ahead=where, clients=clients)
    waits = pile.is_request and clients is not None and clients >= _CLIENTS_WAIT_SHARE * pile.group.count
    if ended and (waits or pile.group.state in _LOCKS):
        return Progress(tuple(ended), clients=clients)
    return None


def _bounded_wait(pile: Pile) -> str:
    """Say why the wait of a request ends by itself; "" when that does not follow from where it waits."""
    if not pile.is_request:
        return ""
    if _awaits_answer(pile):
        return "each waits for an answer over the network: it goes on when that comes or a timeout ends the wait"
    return "each sleeps: it goes on by itself" if pile.group.state == "sleep" else ""


def _awaits_answer(pile: Pile) -> bool:
    return not pile.symbols.isdisjoint(_ANSWERS) or pile.group.state == "IO wait"


def _freed_statement(share: float) -> Statement:
    text = f"{format_share(share)} of what was allocated for them in the window is free again: some of them have ended"
    return Statement(text, Certainty.MEASURED)


def _freed_share(history: RuntimeHistory, pile: Pile) -> float | None:
    """Return how much of what their lines allocated in the window is free again; None when that is not known."""
    lines = [line for line in lines_of(history, (pile,)) if line.allocated_bytes > 0]
    allocated = sum(line.allocated_bytes for line in lines)
    if not allocated:
        return None
    return max(1.0 - sum(line.grown_bytes for line in lines) / allocated, 0.0)


def _clients(history: RuntimeHistory, pile: Pile) -> int | None:
    """Return how many clients are connected while their request is handled.

    While a handler runs, net/http reads ahead on its connection in a goroutine that ends when the client has gone.
    """
    if SERVED not in pile.symbols:
        return None
    groups = samples_with_stacks(history)[-1].goroutines
    return sum(group.count for group in groups if any(site.symbol == CLIENT_READ for site in group.stack))


def _ahead(history: RuntimeHistory, pile: Pile) -> tuple[Site, int] | None:
    """Return where goroutines of the same kind work beyond the pile's point, if as many do in nearly each moment."""
    counts: list[int] = []
    where: dict[Site, int] = {}
    for sample in samples_with_stacks(history):
        if _count_of(sample.goroutines, pile) == 0:
            continue
        working = 0
        for group in sample.goroutines:
            site = _beyond(history, pile, group)
            if site is not None:
                where[site] = where.get(site, 0) + group.count
            if site is not None or _moved(pile, group):
                working += group.count
        counts.append(working)
    busy = sorted(count for count in counts if count)
    if not where or len(busy) < max(_LEAST_SAMPLES, _LEAST_STEADY_SHARE * len(counts)):
        return None
    usual = busy[len(busy) // 2]
    odd = sum(1 for count in busy if abs(count - usual) > max(1.0, _STEADY_SPREAD * usual))
    if odd > (1 - _LEAST_STEADY_SHARE) * len(busy):
        return None
    return max(where, key=lambda site: where[site]), usual


def _count_of(groups: Iterable[GoroutineGroup], pile: Pile) -> int:
    return sum(group.count for group in groups if group.stack == pile.group.stack)


def _moved(pile: Pile, group: GoroutineGroup) -> bool:
    """Whether goroutines moved while they were read from outside: state and stack are of two moments."""
    return group.stack == pile.group.stack and group.state in _TIMED and group.state != pile.group.state


def _beyond(history: RuntimeHistory, pile: Pile, group: GoroutineGroup) -> Site | None:
    """Return the user's line at which a group works, if it is behind the pile's in the function where they part."""
    if group.state not in _AT_WORK or not group.stack or group.stack[-1].symbol != pile.group.stack[-1].symbol:
        return None
    mine, theirs = _outermost_first(pile.group.stack), _outermost_first(group.stack)
    for here, there in zip(mine, theirs, strict=False):
        if here == there:
            continue
        if here.symbol != there.symbol or here.file != there.file or there.line <= here.line:
            return None
        site, own = history.locate(there)
        return site if own else None
    return None


def _outermost_first(stack: Sequence[Site]) -> list[Site]:
    return list(reversed(stack))
