"""Archives of packages, from recordings of the oldest Go on amd64 and the newest on arm64."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.errors import FormatError
from whyheap.goruntime.allocators import type_argument
from whyheap.parse.machine_code.archive import Archive
from whyheap.parse.machine_code.goobj_builtins import builtins_of, parse_builtins
from whyheap.parse.machine_code.pc_table import PcTable, decode_table
from whyheap.parse.machine_code.type_argument import spelled_type

RECORDED = Path(__file__).resolve().parents[2] / "recorded" / "archives"
BUILDS = ("go1.22.10-amd64", "go1.27.3-arm64")
MODULE = "example.com/archive.v3"


def spell(file: str) -> str:
    return file.removeprefix(f"{MODULE}/")


def archive(package: str, build: str) -> Archive:
    return Archive((RECORDED / f"{package}-{build}.a").read_bytes(), f"{MODULE}/{package}", spell, type_argument)


def told(one: Archive, symbol: str) -> list[tuple[str, str, list[str]]]:
    """Return callee, type and inline stack of each call that is no part of the frame's set-up."""
    function = one.function(f"{one.package}.{symbol}")
    assert function is not None
    return [
        (call.callee, call.type, [f"{frame.function}:{frame.line}" for frame in function.frames(call.offset)])
        for call in function.calls
        if not call.callee.startswith(("runtime.morestack", "runtime.gcWriteBarrier"))
    ]


@pytest.mark.parametrize("build", BUILDS)
def test_calls_have_callee_type_and_inline_stack(build: str) -> None:
    shop = archive("shop", build)
    assert f"{shop.go_version}-{shop.arch}" == build
    make = "runtime.newobject" if "1.22" in build else "runtime.mallocgcSmallScanNoHeaderSC3"
    assert told(shop, "Twice") == [
        (make, "shop.Item", ["New:17", "again:25", "Twice:21"]),
        (make, "shop.Item", ["New:17", "Twice:21"]),
    ]
    assert told(shop, "(*Item).Grow") == [("runtime.growslice", "int", ["(*Item).Grow:40"])]
    assert told(shop, "Fill") == [
        ("runtime.makeslice", "uint8", ["Fill:45"]),
        ("runtime.makemap_small", "", ["Fill:46"]),
        ("runtime.mapassign_faststr", "map[string]int", ["Fill:46"]),
        ("runtime.makechan", "chan shop.Item", ["Fill:47"]),
        ("runtime.slicebytetostring", "", ["Fill:48"]),
        ("runtime.concatstring2", "", ["Fill:48"]),
    ]
    assert told(shop, "Start") == [("runtime.newproc", "", ["Start:64"])]


@pytest.mark.parametrize("build", BUILDS)
def test_a_generic_function_keeps_its_linker_name_and_is_spelled_as_profiles_do(build: str) -> None:
    shop = archive("shop", build)
    symbol = f"{MODULE}/shop.MakePair[go.shape.string,go.shape.int]"
    function = shop.function(symbol)
    assert function is not None
    assert (function.symbol, function.site.function, function.site.line) == (symbol, "MakePair[...]", 31)
    assert told(shop, "Use") == [(symbol, "", ["Use:36"])]
    assert told(shop, "MakePair[go.shape.string,go.shape.int]")[0][1] == "shop.Pair[go.shape.string,go.shape.int]"


@pytest.mark.parametrize("build", BUILDS)
def test_each_function_stands_once_with_its_declaration(build: str) -> None:
    shop = archive("shop", build)
    functions = {function.symbol: function for function in shop.functions()}
    assert len(functions) == sum(1 for _ in shop.functions())
    add = functions[f"{MODULE}/shop.Add"]
    assert add.site.file == f"shop/add_{shop.arch}.s"  # not the wrapper of the same name
    assert add.is_assembly
    assert add.calls == []
    grow = functions[f"{MODULE}/shop.(*Item).Grow"].site
    assert (grow.file, grow.line, grow.column, grow.function, grow.package) == (
        "shop/shop.go",
        39,
        0,
        "(*Item).Grow",
        f"{MODULE}/shop",
    )
    assert functions[f"{MODULE}/shop.Counter.func1"].site.line == 54
    assert functions[f"{MODULE}/shop.Twice"].inlined == (f"{MODULE}/shop.again", f"{MODULE}/shop.New")
    assert all(function.address == 0 for function in functions.values())
    assert shop.function("no.such") is None


@pytest.mark.parametrize("build", BUILDS)
def test_functions_that_were_only_inlined_are_named_by_the_archive_of_their_package(build: str) -> None:
    shop = archive("shop", build)
    asked = set()

    def foreign(package: str, symbol: int) -> str:
        asked.add(package)
        return shop.symbol_name(symbol) if package == shop.package else ""

    data = (RECORDED / f"user-{build}.a").read_bytes()
    user = Archive(data, f"{MODULE}/user", spell, type_argument, foreign=foreign)
    stacks = [frames for callee, _, frames in told(user, "Buy") if "memmove" not in callee]
    assert stacks[:2] == [["New:17", "again:25", "Twice:21", "Buy:12"], ["New:17", "Twice:21", "Buy:12"]]
    assert told(user, "Join")[1][2][-1] == "Join:20"
    assert asked == {f"{MODULE}/shop", "strings"}
    function = user.function(f"{MODULE}/user.Buy")
    assert function is not None
    assert {frame.package for frame in function.frames(function.calls[0].offset)} == {
        f"{MODULE}/shop",
        f"{MODULE}/user",
    }


def test_what_is_no_archive_is_refused_in_one_sentence() -> None:
    data = (RECORDED / "user-go1.22.10-amd64.a").read_bytes()
    for damaged in (
        b"",
        b"\x7fELF" + data,
        data[:3000],
        data.replace(b"go120ld", b"go199ld"),
        data.replace(b"linux amd64", b"linux riscv"),
        data.replace(b"amd64 go1.22.10", b"amd64 go1.99.10"),
    ):
        with pytest.raises(FormatError) as raised:
            list(Archive(damaged, "p", spell, type_argument).functions())
        assert raised.value.message


def test_the_toolchains_own_list_goes_before_the_one_that_is_kept() -> None:
    data = (RECORDED / "shop-go1.22.10-amd64.a").read_bytes()
    names = ["renamed.newobject", *builtins_of("go1.22.10")[1:]]
    shop = Archive(data, f"{MODULE}/shop", spell, type_argument, names)
    assert told(shop, "New")[0][0] == "renamed.newobject"
    source = '\nvar builtins = [...]struct {\n\t{"runtime.newobject", 1},\n\t{"type:func(error) string", 0},\n}\n'
    assert parse_builtins(source) == ("runtime.newobject", "type:func(error) string")
    assert parse_builtins("package other") == ()
    assert builtins_of("devel") == ()
    assert [len(builtins_of(f"go1.{minor}")) for minor in range(22, 28)] == [253, 255, 264, 265, 266, 299]


def test_types_are_spelled_as_go_prints_them() -> None:
    for symbol, spelled in {
        "type:int": "int",
        "type:*example.com/m/a.T": "*a.T",
        "type:map[example.com/m/a.K][]example.com/x/v2.V": "map[a.K][]x.V",
        "type:gopkg.in/yaml%2ev3.Node": "yaml.Node",
        'type:struct { A "a/b.C"; X0 *net/http.Request }': 'struct { A "a/b.C"; X0 *http.Request }',
        "type:noalg.map.group[string]int": "map.group[string]int",
        "type:main.T·1": "main.T",
        "type:*crypto/ecdsa.Curve[*crypto/nistec.P224,a/b.C]": "*ecdsa.Curve[*crypto/nistec.P224,a/b.C]",
        "type:map[a/b.L[c/d.K]][4]e/f.V": "map[b.L[c/d.K]][4]f.V",
        "type:struct { sync.f func() a/b.T; sync.Mutex; Count int }": "struct { f func() b.T; sync.Mutex; Count int }",
        "type:entropy/v1%2e0%2e0.source": "entropy.source",
        "type:func(error) string": "func(error) string",
        "type:chan<- net/http.Header": "chan<- http.Header",
        "go:string.*": "",
        "runtime.newobject": "",
    }.items():
        assert spelled_type(symbol) == spelled


def test_a_table_of_values() -> None:
    # +3 (zigzag 6) for 4, then -2 (zigzag 3) for 300 (two bytes), then the end; what follows is of no account
    table = bytes([6, 4, 3, 0xAC, 0x02, 0, 99])
    assert decode_table(table, 1) == PcTable([4, 304], [2, 0])
    decoded = decode_table(table, 4)
    assert [decoded.at(offset) for offset in (-1, 0, 15, 16, 1215, 1216)] == [-1, 2, 2, 0, 0, -1]
    assert decode_table(b"", 1).at(0) == -1
    assert decode_table(bytes([0, 1, 0]), 1).values == [-1]  # the first pair may change nothing
    for damaged in (b"\x06", b"\x06\x80", b"\x80\x80\x80\x80\x80\x80\x01\x01"):
        with pytest.raises(FormatError):
            decode_table(damaged, 1)
