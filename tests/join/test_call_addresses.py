"""With the profiled binary at hand, bytes are told apart by the call that allocated them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from join_samples import MODULE, RUNTIME, own, profile, sample, shop
from whyheap.join import Joined, join
from whyheap.model.facts import AllocatorCall, CallPath
from whyheap.model.machine_code import FunctionCode
from whyheap.model.profile import HeapProfile, Mapping
from whyheap.model.scan import Scan
from whyheap.model.site import Site

CACHE = f"{MODULE}/cache"
AT = Site("cache/cache.go", 41, 0, "Get", CACHE)
CALLS = (0x401000, 0x401040)


def linked(goarch: str = "amd64") -> Scan:
    calls = tuple(
        AllocatorCall(AT, "runtime.newobject", "", address, CallPath.ALWAYS, symbol=f"{CACHE}.Get") for address in CALLS
    )
    code = FunctionCode(AT, f"{CACHE}.Get", 0x400F00, 0x200, calls)
    scan = shop()
    packages = tuple(
        replace(package, functions=(code,)) if package.package == CACHE else replace(package, functions=())
        for package in scan.packages
    )
    return replace(scan, goarch=goarch, binary="shop", packages=packages)


def measured(address: int, moved: int = 0) -> HeapProfile:
    """A profile whose one leaf stands at an address, with the code moved by as much."""
    made = profile([sample([own("Get", 41), ("main.main", "/x/main.go", 9), RUNTIME])])
    leaf = made.stack_locations[0]
    addresses = [address if row == leaf else known for row, known in enumerate(made.addresses)]
    mappings = (Mapping(moved, moved + (1 << 20), 0, "/bin/shop", ""),) if moved else ()
    return replace(made, addresses=addresses, mappings=mappings)


def split(joined: Joined) -> dict[int, int]:
    (line,) = [one for one in joined.evidence if one.site.line == 41]
    return {address: measure.alloc_bytes for address, measure in line.call_bytes}


@pytest.mark.parametrize(("goarch", "inside"), [("amd64", 4), ("arm64", 3)])
def test_a_leaf_belongs_to_the_call_that_its_address_lies_in(goarch: str, inside: int) -> None:
    joined = join(linked(goarch), measured(CALLS[0] + inside))
    assert split(joined) == {CALLS[0]: 100}
    assert joined.is_same_build is True


def test_a_position_independent_program_is_found_where_it_was_loaded() -> None:
    joined = join(linked(), measured(0x5500_0000_0000 + CALLS[1] + 4, moved=0x5500_0000_0000))
    assert split(joined) == {CALLS[1]: 100}


def test_a_profile_of_another_build_is_not_told_apart() -> None:
    joined = join(linked(), measured(0x499_004))
    assert split(joined) == {}
    assert joined.is_same_build is False


def test_without_a_linked_program_nothing_is_asked() -> None:
    joined = join(replace(linked(), binary=""), measured(CALLS[0] + 4))
    assert split(joined) == {}
    assert joined.is_same_build is None
