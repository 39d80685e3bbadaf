from __future__ import annotations

from causes.outside_series import counted, crashed, exited, grows, killed, samples, slugs, verdicts, words
from causes.series import MIB
from whyheap.model.finding import Certainty

GIB = 1024 * MIB
ENDED = exited(code="2", known="yes")


def test_reserved_addresses_meet_their_limit() -> None:
    made = samples(vm_size=grows(100, 1800), address_space_limit=3.0 * GIB)
    crash = crashed(about="memory", reason="out of memory", asked=str(64 * MIB), in_use=str(8 * MIB))
    (cause,) = verdicts(made, crash, ENDED)
    assert cause.cause == "address-space-limit"
    assert cause.certainty is Certainty.STATED
    assert cause.summary == (
        "the kernel refused a block of 64 MiB and the runtime ended the program itself with 12 MiB resident; nothing "
        "was killed: 2.9 GiB of 3 GiB of address space (RLIMIT_AS) were used"
    )
    assert "ulimit -v" in cause.advice[0]


def test_a_huge_request_is_the_matter_itself() -> None:
    made = samples(vm_size=1.2 * GIB, address_space_limit=3.0 * GIB)
    crash = crashed(about="memory", reason="out of memory", asked=str(4 * GIB), place="read.go:7")
    (cause,) = verdicts(made, crash, ENDED)
    assert cause.advice[0] == "read.go:7: check the size before it is allocated: 4 GiB were asked for at once"


def test_mappings_that_are_read_rarely_are_followed_to_the_end() -> None:
    made = list(samples(mapping_limit=65530.0))
    for index, count in ((0, 100.0), (8, 44000.0)):
        made[index].values["mappings"] = count
    (cause,) = verdicts(made, crashed(about="memory", reason="out of memory"), ENDED)
    assert "65,530 of 65,530 of mappings (vm.max_map_count)" in cause.summary


def test_a_refused_thread_comes_before_the_threads_that_piled_up() -> None:
    made = samples(
        threads=lambda second: 6 + 50 * second, vm_size=grows(400, 1200), address_space_limit=6.0 * GIB,
        container_charge=grows(2, 10),
    )  # fmt: skip
    crash = crashed(about="threads", reason="pthread_create failed", error="Resource temporarily unavailable")
    assert slugs(made, crash, ENDED) == ["address-space-limit", "thread-growth"]


def test_without_a_limit_in_sight_the_places_to_look_are_told() -> None:
    (cause,) = verdicts(samples(), crashed(about="memory", reason="out of memory"), ENDED)
    assert "which limit was met was not seen" in words(cause)
    assert "vm.overcommit_memory" in words(cause)


def test_a_crash_text_alone_is_enough() -> None:
    assert slugs((), crashed(about="memory", reason="out of memory", asked="4096")) == ["address-space-limit"]


def test_a_living_process_near_its_limit_is_warned() -> None:
    made = samples(vm_size=grows(100, 1830), address_space_limit=3.0 * GIB)
    (cause,) = verdicts(made)
    assert cause.cause == "address-space-limit"
    assert "the runtime gives up in about" in cause.summary
    assert slugs(samples(vm_size=2.95 * GIB, address_space_limit=3.0 * GIB)) == []


def test_a_kill_is_no_refusal() -> None:
    made = samples(rss_anon=grows(8, 10), container_usage=grows(8, 14))
    assert slugs(made, counted(), killed(), exited(signal="9", known="yes")) == ["off-heap"]


def test_mappings_are_told_by_exclusion_where_they_were_counted_too_early() -> None:
    made = samples(mappings=lambda second: 100.0 if second < 1 else 30000.0, mapping_limit=65530.0)
    (cause,) = verdicts(made, crashed(about="memory", reason="out of memory"), ENDED)
    assert "neither ulimit -v nor ulimit -d is set, so it was the number of mappings" in words(cause)
