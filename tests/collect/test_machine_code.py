"""The library of a scan's machine code, on recorded archives."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.collect.code_store import CodeStore
from whyheap.collect.machine_code import CodeLibrary
from whyheap.model.machine_code import Allocates
from whyheap.parse.go_list import ListedPackage
from whyheap.parse.machine_code.line_notes import Instead
from whyheap.parse.source_path import SourceNames

RECORDED = Path(__file__).resolve().parents[1] / "recorded" / "archives"
MODULE = "example.com/archive.v3"
NAMES = SourceNames("/module", ((MODULE, "/module"),), "/goroot", "/modcache")


def listed(package: str, *, name: str = "", build: str = "go1.22.10-amd64", export: str = "") -> ListedPackage:
    file = export or str(RECORDED / f"{package}-{build}.a")
    return ListedPackage(name or f"{MODULE}/{package}", BuildID=f"{package}/{build}", Export=file)


def library(tmp_path: Path, *packages: ListedPackage) -> CodeLibrary:
    return CodeLibrary(packages or (listed("shop"), listed("user")), NAMES, CodeStore(tmp_path / "code"))


def test_functions_carry_their_allocator_calls(tmp_path: Path) -> None:
    found = library(tmp_path).functions_of(f"{MODULE}/user")
    assert found is not None
    buy = next(one for one in found if one.site.function == "Buy")
    assert (buy.site.file, buy.site.line, buy.symbol, buy.alone) == (
        "user/user.go",
        11,
        f"{MODULE}/user.Buy",
        Allocates.ALWAYS,
    )
    first = buy.calls[0]
    assert (first.site.file, first.site.line, first.site.function, first.site.package) == (
        "shop/shop.go",
        17,
        "New",
        f"{MODULE}/shop",
    )
    assert [str(place.position) for place in first.inlined_at] == [
        "shop/shop.go:25",
        "shop/shop.go:21",
        "user/user.go:12",
    ]
    assert set(buy.inlined) == {f"{MODULE}/shop.{name}" for name in ("New", "again", "Twice")}


def test_a_second_scan_opens_no_archive(tmp_path: Path) -> None:
    first = library(tmp_path).functions_of(f"{MODULE}/shop")
    gone = listed("shop", export="/nowhere/gone.a")
    again = library(tmp_path, gone)
    assert again.functions_of(f"{MODULE}/shop") == first
    assert not list(again.gaps())


def test_a_damaged_entry_is_made_anew(tmp_path: Path) -> None:
    first = library(tmp_path).functions_of(f"{MODULE}/shop")
    for file in (tmp_path / "code").rglob("*.code"):
        file.write_bytes(file.read_bytes()[:-5])
    assert library(tmp_path).functions_of(f"{MODULE}/shop") == first


def test_few_builds_are_kept(tmp_path: Path) -> None:
    store = CodeStore(tmp_path / "code")
    for number in range(9):
        store.save("p", f"build{number}", ())
    assert len(list((tmp_path / "code").rglob("*.code"))) == 4
    assert store.load("p", "build8") == ()
    assert store.load("p", "build0") is None


def test_a_store_that_cannot_be_written_is_none_of_the_scan(tmp_path: Path) -> None:
    (tmp_path / "code").write_text("a file where the folder should be")
    assert library(tmp_path).functions_of(f"{MODULE}/shop")


def test_a_function_is_found_by_symbol_in_its_package_or_as_an_instance_in_the_callers(tmp_path: Path) -> None:
    code = library(tmp_path)
    new = code.function(f"{MODULE}/shop.New")
    assert new is not None
    assert new.alone is Allocates.ALWAYS
    as_instance = f"{MODULE}/shop.MakePair[go.shape.string,go.shape.int]"
    elsewhere = library(tmp_path / "2", listed("shop", name="example.com/using"))
    assert elsewhere.function(as_instance) is None
    assert elsewhere.function(as_instance, near="example.com/using") is not None
    assert code.function("no/such.F") is None
    add = code.function(f"{MODULE}/shop.Add")
    assert add is not None
    assert add.site.file.endswith(".s")


def test_instructions_are_there_to_be_shown(tmp_path: Path) -> None:
    raw = library(tmp_path).raw_function(f"{MODULE}/shop.New")
    assert raw is not None
    assert len(raw.code) == 62
    assert raw.calls[0].callee == "runtime.newobject"
    assert library(tmp_path).raw_function(f"{MODULE}/shop.Nothing") is None


def test_what_cannot_be_read_is_a_gap_that_counts(tmp_path: Path) -> None:
    broken = tmp_path / "broken.a"
    broken.write_bytes((RECORDED / "shop-go1.22.10-amd64.a").read_bytes()[:5000])
    empty = tmp_path / "empty.a"
    empty.write_bytes(b"")
    other = tmp_path / "other.a"
    other.write_bytes((RECORDED / "shop-go1.22.10-amd64.a").read_bytes().replace(b"go120ld", b"go199ld"))
    code = library(
        tmp_path,
        listed("a", name="a", export=str(broken)),
        listed("b", name="b", export=str(empty)),
        listed("c", name="c", export=str(other)),
        listed("d", name="d", export=str(tmp_path / "missing.a")),
        listed("shop"),
    )
    assert [code.functions_of(name) for name in "abcd"] == [None] * 4
    assert code.functions_of(f"{MODULE}/shop")
    (gap,) = code.gaps()
    assert gap.witness == "machine code"
    assert gap.reason == "the archive of a could not be read: it is cut off, nor that of 3 more packages"
    assert code.functions_of("not listed") is None


def test_an_archive_that_go_dropped_is_made_anew_once(tmp_path: Path) -> None:
    file = tmp_path / "again.a"
    asked = []

    def restore() -> None:
        asked.append(1)
        file.write_bytes((RECORDED / "shop-go1.22.10-amd64.a").read_bytes())

    package = listed("shop", export=str(file))
    code = CodeLibrary([package], NAMES, CodeStore(tmp_path / "code"), restore)
    assert code.functions_of(package.ImportPath)
    assert asked == [1]


@pytest.mark.parametrize("has_tests", [True, False])
def test_of_a_build_for_tests_only_what_test_files_take_part_in(tmp_path: Path, *, has_tests: bool) -> None:
    name = f"{MODULE}/shop [{MODULE}/shop.test]"
    data = (RECORDED / "shop-go1.22.10-amd64.a").read_bytes()
    file = tmp_path / "test.a"
    spelled = f"{MODULE}/shop/shop.go".encode()
    file.write_bytes(data.replace(spelled, spelled[:-8] + b"_test.go") if has_tests else data)
    code = library(tmp_path, listed("shop", name=name, export=str(file)))
    found = code.functions_of(name)
    assert found is not None
    assert {one.site.file for one in found} == ({"shop_test.go"} if has_tests else set())


@pytest.mark.parametrize("build", ["go1.22.10-amd64", "go1.27.3-arm64"])
def test_a_line_without_a_call_says_what_it_does_instead(tmp_path: Path, build: str) -> None:
    package = f"{MODULE}/shop"
    source = (RECORDED / "program/shop/shop.go").read_text().splitlines()
    expected = {
        "func Constant() any": Instead.CONSTANT,
        "func Empty() any": Instead.ZERO_SIZE,
        "func Small(value byte) any": Instead.SMALL_VALUE,
        "func None() func()": Instead.CONSTANT,
        "// None returns": Instead.NO_CODE,
        "return start": Instead.NOTHING,
    }
    first = library(tmp_path, listed("shop", build=build))
    from_store = library(tmp_path, listed("shop", build=build, export="/nowhere/gone.a"))
    for code in (first, from_store):
        for text, instead in expected.items():
            line = next(number for number, one in enumerate(source, 1) if one.strip().startswith(text))
            assert (text, code.instead(package, "shop/shop.go", line)) == (text, instead)
    assert first.instead("not listed", "shop/shop.go", 1) is None
    assert library(tmp_path / "2", listed("shop", export="/nowhere/gone.a")).instead(package, "x.go", 1) is None
