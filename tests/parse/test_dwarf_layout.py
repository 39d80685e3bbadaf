"""Debug information of a real program: what it tells, and that damage to it is told in bounded time."""

from __future__ import annotations

import io
import random
import subprocess
import time
from pathlib import Path

import pytest

import toolchains
from whyheap.errors import FormatError
from whyheap.goruntime.allocators import type_argument
from whyheap.goruntime.runtime_layout import NEEDED, RUNTIME_PACKAGES, TYPES, VARIABLES
from whyheap.parse.dwarf_layout import read_layout
from whyheap.parse.machine_code.build_settings import build_settings, split_version
from whyheap.parse.machine_code.elf_image import ElfImage
from whyheap.parse.machine_code.program import Program
from whyheap.parse.machine_code.symbol_table import symbol_addresses
from whyheap.parse.machine_code.variable_votes import find_references, vote
from whyheap.parse.machine_code.wait_reasons import read_wait_reasons
from whyheap.parse.source_path import spell_foreign
from whyheap.parse.struct_layout import StructLayout

pytestmark = pytest.mark.live

SOURCE = toolchains.ROOT / "src" / "whyheap" / "collect" / "layout_program"
OTHER = toolchains.ROOT / "tests" / "collect" / "census_program"


def build(folder: Path, source: Path, version: str, *flags: str, **environment: str) -> bytes:
    output = folder / "program"
    (folder / "main.go").write_bytes((source / "main.go").read_bytes())
    (folder / "go.mod").write_text("module example.test/layout\n\ngo 1.22\n")
    env = toolchains.environment(version, GOFLAGS="", GOWORK="off", CGO_ENABLED="0", **environment)
    command = [str(toolchains.go(version)), "build", "-o", str(output), *flags, "."]
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return output.read_bytes()


def program(data: bytes) -> Program:
    return Program(memoryview(data), spell_foreign, type_argument)


@pytest.fixture(scope="module")
def newest(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return build(tmp_path_factory.mktemp("newest"), SOURCE, toolchains.newest())


def layout(data: bytes) -> StructLayout:
    return read_layout(io.BytesIO(data), TYPES, VARIABLES)


def test_structs_and_addresses_are_those_of_the_symbol_table(newest: bytes) -> None:
    found = layout(newest)
    image = ElfImage(memoryview(newest))
    addresses = symbol_addresses(image, VARIABLES)
    assert set(NEEDED) <= set(found.variables)
    assert {name: one.address for name, one in found.variables.items()} == {
        name: addresses[name] for name in found.variables
    }
    assert found.sizeof("mspan") == found.sizeof("runtime.mspan") > 100
    assert found.field("runtime.mheap_", "allspans.len").size == 8
    assert found.field("g", "atomicstatus").size == 4
    assert "chan receive" in read_wait_reasons(image, found)


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_a_majority_of_instructions_finds_every_variable_of_another_program(tmp_path: Path, arch: str) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one = build(tmp_path / "one", SOURCE, toolchains.newest(), GOARCH=arch)
    other = build(tmp_path / "other", OTHER, toolchains.newest(), GOARCH=arch)
    known = layout(one).variables
    references = find_references(
        program(one), {name: (place.address, place.size) for name, place in known.items()}, RUNTIME_PACKAGES
    )
    truth = layout(other).variables
    found = vote(program(other), references)
    assert set(NEEDED) | {"runtime.mbuckets", "runtime.MemProfileRate"} <= set(found)
    assert {name: one.address for name, one in found.items()} == {name: truth[name].address for name in found}


def test_a_program_tells_how_it_was_built(newest: bytes) -> None:
    settings = build_settings(ElfImage(memoryview(newest)))
    assert settings["GOARCH"] == "amd64"
    assert settings["-buildmode"] == "exe"
    assert settings["CGO_ENABLED"] == "0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("go1.27.3", ("go1.27.3", "")),
        ("go1.24.11 X:synctest,rangefunc", ("go1.24.11", "synctest,rangefunc")),
        ("go1.27.3-X:nogreenteagc", ("go1.27.3", "nogreenteagc")),
        ("", ("", "")),
    ],
)
def test_experiments_are_split_off(text: str, expected: tuple[str, str]) -> None:
    assert split_version(text) == expected


def test_a_stripped_program_is_told(tmp_path: Path) -> None:
    data = build(tmp_path, SOURCE, toolchains.newest(), "-ldflags=-s -w")
    with pytest.raises(FormatError, match="no debug information"):
        layout(data)
    assert symbol_addresses(ElfImage(memoryview(data)), VARIABLES) == {}


def test_damage_is_told_in_bounded_time(newest: bytes) -> None:
    chance = random.Random(1)  # noqa: S311 - repeatable
    sections = ElfImage(memoryview(newest)).sections
    began = time.monotonic()
    for round_ in range(24):
        data = bytearray(newest)
        name = (".debug_info", ".debug_abbrev", ".debug_addr", ".shstrtab")[round_ % 4]
        region = sections[name]
        for _ in range(1 + round_ * 8):
            data[region.offset + chance.randrange(region.size_bytes)] = chance.randrange(256)
        if round_ % 5 == 0:
            del data[chance.randrange(64, len(data)) :]
        try:
            found = layout(bytes(data))
        except FormatError:
            continue
        assert len(found.types) < 10_000
        for name_ in found.types:
            assert found.sizeof(name_) >= 0
    assert time.monotonic() - began < 60
