"""Bytes and facts meet on the first line of the user's code; no byte is lost on the way."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from join_samples import GOEXIT, HERE, MALLOC, MODULE, RUNTIME, Call, fact, own, profile, sample, scan, shop, std
from whyheap.join import Joined, join
from whyheap.model.evidence import Evidence
from whyheap.model.facts import CompilerFact, FactKind
from whyheap.model.measure import Measure
from whyheap.model.site import Site

CACHE = f"{MODULE}/cache"
PROGRAM = f"{MODULE}/cmd/shop"
MAIN = ("main.main", f"{HERE}/cmd/shop/main.go", 9)


def lines(joined: Joined) -> dict[str, Evidence]:
    return {f"{one.site.file}:{one.site.line}": one for one in joined.evidence}


def test_a_leaf_on_the_users_line_is_direct() -> None:
    joined = join(
        shop(fact("cache/cache.go", 41, function="(*Cache).Get")),
        profile([sample([own("(*Cache).Get", 41), MAIN, RUNTIME])]),
    )
    (evidence,) = joined.evidence
    assert evidence.site == Site("cache/cache.go", 41, 2, "(*Cache).Get", CACHE)
    assert evidence.direct.alloc_bytes == 100
    assert evidence.callees == ()
    assert len(evidence.facts) == 1
    assert joined.attributed.alloc_bytes == 100


def test_bytes_of_callees_go_to_the_innermost_user_frame_with_both_names() -> None:
    stack = [
        std("strings.(*Builder).Grow", "strings/builder.go"),
        std("strings.Repeat", "strings/strings.go"),
        own("render", 7),
        own("page", 3),
        MAIN,
        RUNTIME,
    ]
    joined = join(
        shop(), profile([sample(stack), sample([std("strings.Repeat", "strings/strings.go"), *stack[2:]], alloc=30)])
    )
    there = lines(joined)
    assert set(there) == {"cache/cache.go:7"}
    assert [(one.callee, one.leaf, one.measure.alloc_bytes) for one in there["cache/cache.go:7"].callees] == [
        ("strings.Repeat", "strings.(*Builder).Grow", 100),
        ("strings.Repeat", "strings.Repeat", 30),
    ]
    assert there["cache/cache.go:7"].direct == Measure()


def test_inline_frames_of_one_location_count_as_frames() -> None:
    inlined = [own("newItem", 12), own("(*Cache).Get", 41)]
    joined = join(shop(), profile([sample([inlined, MAIN, RUNTIME])]))
    assert set(lines(joined)) == {"cache/cache.go:12"}


def test_foreign_code_that_was_inlined_into_a_users_line_is_direct() -> None:
    builder = fact("cache/cache.go", 20, "strings.s escapes to heap", site=("strings/builder.go", 60))
    joined = join(
        shop(builder), profile([sample([[std("strings.NewX", "strings/builder.go", 60), own("F", 20)], MAIN])])
    )
    evidence = lines(joined)["cache/cache.go:20"]
    assert evidence.direct.alloc_bytes == 100
    assert evidence.callees == ()


def test_facts_of_inlined_user_code_stand_where_they_were_written() -> None:
    at_definition = fact("cache/cache.go", 5, "&Item{...} escapes to heap", function="newItem")
    at_caller = fact(
        "cmd/shop/main.go",
        9,
        "&cache.Item{...} escapes to heap",
        function="main",
        package=PROGRAM,
        site=("cache/cache.go", 5),
    )
    written = fact("cache/cache.go", 5, "&Item{...} escapes to heap", column=5, function="newItem")
    joined = join(shop(written, at_caller), None)
    assert list(lines(joined)) == ["cache/cache.go:5"]
    assert joined.evidence[0].facts == (written,)
    only_inlined = join(shop(at_caller), None).evidence[0]
    assert (only_inlined.site.package, only_inlined.facts[0].package) == (CACHE, CACHE)
    assert len(join(shop(at_definition, at_caller), None).evidence[0].facts) == 2, "another column is another fact"


def test_two_allocations_of_one_text_stay_two_and_callers_do_not_multiply_them() -> None:
    twice = [fact("cache/cache.go", 5, "[]int{...} escapes to heap", column=5)] * 2
    callers = [
        fact("cmd/shop/main.go", line, "[]int{...} escapes to heap", package=PROGRAM, site=("cache/cache.go", 5))
        for line in (9, 9, 10, 10)
    ]
    assert len(join(shop(*twice, *callers), None).evidence[0].facts) == 2


def test_one_caller_that_inlines_a_site_through_two_calls_does_not_double_it() -> None:
    through = [
        fact("cmd/shop/main.go", 9, package=PROGRAM, site=("cache/cache.go", 5), through=[("cache/cache.go", call)])
        for call in (7, 8)
    ]
    assert len(join(shop(*through), None).evidence[0].facts) == 1


def test_instances_of_generics_are_one_line_of_one_function() -> None:
    shapes = [
        fact("cache/cache.go", 3, "moved to heap: v", function=f"Box[{shape}]")
        for shape in ("go.shape.int", "go.shape.string")
    ]
    elsewhere = fact("cache/cache.go", 3, "moved to heap: cache.v", function="Box[main.T]", package=PROGRAM)
    (evidence,) = join(shop(*shapes, elsewhere), None).evidence
    assert evidence.site == Site("cache/cache.go", 3, 2, "Box[...]", CACHE)
    assert [one.function for one in evidence.facts] == ["Box[...]"]


def test_generic_functions_are_spelled_alike_in_profile_and_scan() -> None:
    stack = [own("Box[go.shape.int]", 3), ("main.main", f"{HERE}/cmd/shop/main.go", 9)]
    (evidence,) = join(
        shop(fact("cache/cache.go", 3, "moved to heap: v", function="Box[go.shape.int]")), profile([sample(stack)])
    ).evidence
    assert evidence.site.function == "Box[...]"
    assert evidence.direct.alloc_bytes == 100


def test_instances_of_other_modules_generics_are_no_line_of_the_user() -> None:
    foreign = [
        fact(file, 27, "func literal escapes to heap")
        for file in ("slices/iter.go", "example.com/dep@v1.0.0/d.go", "vendor/x/y.go")
    ]
    assert join(shop(*foreign), None).evidence == ()


def test_generated_files_that_a_comment_names_are_the_users() -> None:
    joined = join(shop(fact("cache/grammar.y", 10, column=0)), profile([sample([own("Parse", 10, "cache/grammar.y")])]))
    assert lines(joined)["cache/grammar.y:10"].direct.alloc_bytes == 100
    assert set(
        lines(join(shop(fact("grammar.y", 10, column=0)), profile([sample([(f"{CACHE}.Parse", "grammar.y", 10)])])))
    ) == {"grammar.y:10"}


def test_the_build_machines_folder_does_not_matter() -> None:
    for file in (
        "/build/src/shop/cache/cache.go",
        "/elsewhere/cache.go",
        f"{CACHE}/cache.go",
        "C:/ci/shop/cache/cache.go",
    ):
        joined = join(shop(), profile([sample([(f"{CACHE}.F", file, 5)])]))
        assert set(lines(joined)) == {"cache/cache.go:5"}, file


def test_a_vendored_build_is_told_from_the_users_code() -> None:
    stack = [("example.com/dep.New", f"{HERE}/vendor/example.com/dep/dep.go", 3), own("F", 8)]
    joined = join(shop(), profile([sample(stack)]))
    assert lines(joined)["cache/cache.go:8"].callees[0].callee == "example.com/dep.New"


def test_import_paths_that_the_linker_escapes() -> None:
    path = f"{MODULE}/yaml.v3"
    joined = join(
        scan({path: (["yaml.v3/y.go"], [])}), profile([sample([(f"{MODULE}/yaml%2ev3.F", "/b/yaml.v3/y.go", 4)])])
    )
    assert joined.evidence[0].site == Site("yaml.v3/y.go", 4, 0, "F", path)


def test_programs_share_the_name_main_and_are_told_apart_by_their_files() -> None:
    programs: dict[str, tuple[list[str], list[CompilerFact]]] = {
        f"{MODULE}/cmd/{name}": ([f"cmd/{name}/main.go", f"cmd/{name}/{name}.go"], []) for name in ("api", "worker")
    }
    both = scan({**programs, MODULE: (["main.go"], [])}, programs={*programs, MODULE})
    for file, found in {
        f"{HERE}/cmd/api/main.go": "cmd/api/main.go",
        f"{MODULE}/cmd/worker/main.go": "cmd/worker/main.go",
        "/docker/worker.go": "cmd/worker/worker.go",
        f"{HERE}/main.go": "main.go",
        "/app/main.go": "main.go",
    }.items():
        (evidence,) = join(both, profile([sample([("main.run", file, 5), RUNTIME])])).evidence
        assert evidence.site.file == found, file


def test_a_program_that_was_not_scanned_is_own_code_all_the_same() -> None:
    joined = join(scan({CACHE: (["cache/cache.go"], [])}), profile([sample([MAIN, RUNTIME])]))
    assert joined.attributed.alloc_bytes == 100


def test_other_packages_of_the_module_are_own_code_although_not_scanned() -> None:
    stack = [own("Put", 3, "store/store.go", "store"), own("F", 8)]
    assert set(lines(join(shop(), profile([sample(stack)])))) == {"store/store.go:3"}
    alike = (f"{MODULE}ping/x.F", "/b/x.go", 1)
    assert join(shop(), profile([sample([alike])])).attributed == Measure()


def test_without_a_scan_own_code_is_what_is_neither_std_nor_a_dependency() -> None:
    stack = [
        MALLOC,
        std("encoding/json.Marshal", "encoding/json/encode.go"),
        ("github.com/x/y.Do", "/root/go/pkg/mod/github.com/x/y@v1.2.3/y.go", 4),
        own("F", 8),
        MAIN,
        RUNTIME,
        GOEXIT,
    ]
    (evidence,) = join(None, profile([sample(stack)])).evidence
    assert evidence.site == Site(f"{CACHE}/cache.go", 8, 0, "F", CACHE), "spelled as with -trimpath"
    assert evidence.callees[0].callee == "github.com/x/y.Do"


def test_without_a_scan_a_trimmed_build() -> None:
    stack = [
        ("strings.Repeat", "strings/strings.go", 3),
        ("github.com/x/y.Do", "github.com/x/y@v1.2.3/y.go", 4),
        (f"{CACHE}.F", f"{CACHE}/cache.go", 8),
        ("main.main", f"{MODULE}/cmd/shop/main.go", 9),
        ("runtime.main", "runtime/proc.go", 1),
    ]
    (evidence,) = join(None, profile([sample(stack)])).evidence
    assert evidence.site.symbol == f"{CACHE}.F"
    assert join(None, profile([sample(stack[:2] + stack[4:])])).attributed == Measure()


def test_bytes_without_a_user_frame_are_named_and_not_hidden() -> None:
    stack = [std("bufio.NewWriterSize", "bufio/bufio.go"), std("net/http.(*conn).serve", "net/http/server.go"), GOEXIT]
    joined = join(shop(), profile([sample(stack, alloc=40, inuse=4), sample([own("F", 8)], alloc=60)]))
    assert joined.profile == Measure(4, 4, 100, 100)
    assert joined.attributed.alloc_bytes == 60
    assert [(one.leaf, one.measure.alloc_bytes) for one in joined.unattributed] == [("bufio.NewWriterSize", 40)]


def test_a_moved_parameter_is_blamed_on_its_own_line() -> None:
    moved = fact("cache/cache.go", 12, "moved to heap: first", function="Two")
    joined = join(shop(moved), profile([sample([own("Two", 11), MAIN]), sample([own("Other", 11), MAIN])]))
    there = lines(joined)
    assert there["cache/cache.go:12"].direct.alloc_bytes == 100
    assert there["cache/cache.go:11"].direct.alloc_bytes == 100, "another function stays"


def test_a_returned_append_is_blamed_on_the_append() -> None:
    source = "\n" * 7 + "\tout = append(out, x)\n\treturn out\n"
    grown = fact("cache/cache.go", 8, "append escapes to heap", function="Collect")
    stacks = profile([sample([own("Collect", 9), MAIN])])
    there = lines(join(shop(grown), stacks, {"cache/cache.go": source}))
    assert there["cache/cache.go:8"].direct.alloc_bytes == 100
    assert "cache/cache.go:9" not in there
    two = [grown, fact("cache/cache.go", 7, "append escapes to heap", function="Collect")]
    assert lines(join(shop(*two), stacks, {"cache/cache.go": source}))["cache/cache.go:9"].direct.alloc_bytes == 100, (
        "which of two?"
    )
    assert lines(join(shop(grown), stacks, {}))["cache/cache.go:9"].direct.alloc_bytes == 100, "no source, no guess"


def test_a_line_with_a_verdict_of_its_own_keeps_its_bytes() -> None:
    facts = [
        fact("cache/cache.go", 12, "moved to heap: first", function="Two"),
        fact("cache/cache.go", 11, function="Two"),
    ]
    assert (
        lines(join(shop(*facts), profile([sample([own("Two", 11), MAIN])])))["cache/cache.go:11"].direct.alloc_bytes
        == 100
    )


def test_focus_keeps_whole_stacks_by_function_or_file() -> None:
    stacks = profile([sample([own("render", 7), own("handle", 3), MAIN]), sample([own("refresh", 9), MAIN], alloc=11)])
    for focus, total in (("handle$", 100), (r"cache\.go:9", 11), ("nothing", 0), (f"{MODULE}/cache", 111)):
        joined = join(shop(), stacks, focus=re.compile(focus))
        assert joined.profile is not None
        assert joined.profile.alloc_bytes == total


def test_neither_or_one_witness() -> None:
    assert join(None, None) == Joined((), (), None, Measure(), ())
    (static,) = join(shop(fact("cache/cache.go", 5)), None).evidence
    assert not static.profiled
    (seen,) = join(shop(fact("cache/cache.go", 5)), profile([])).evidence
    assert seen.profiled
    assert seen.measure == Measure()
    in_use_only = join(None, profile([sample([own("F", 8)], alloc=0, inuse=5)], columns=("inuse",)))
    assert in_use_only.profile == Measure(5, 5, 0, 0)


def test_the_order_is_always_the_same() -> None:
    facts = [fact("cache/cache.go", line, column=column) for line in (9, 5) for column in (3, 2)]
    stacks = [sample([own(name, line)]) for name, line in (("b", 9), ("a", 5), ("c", 7))]
    first = join(shop(*facts), profile(stacks))
    second = join(shop(*facts), profile(reversed(stacks)))
    assert [one.site for one in first.evidence] == [one.site for one in second.evidence]
    assert first.entry_points == second.entry_points


CALLS: list[Call] = [
    MALLOC, RUNTIME, GOEXIT, MAIN, own("F", 5), own("F", 6), own("G[go.shape.int]", 7), own("H", 8, "cache/lru.go"),
    std("fmt.Sprintf", "fmt/print.go", 60), std("net/http.HandlerFunc.ServeHTTP", "net/http/server.go"),
    ("github.com/x/y.Do", "/m/pkg/mod/github.com/x/y@v1.2.3/y.go", 4), ("", "", 0), ("odd", "", 1), ("main.x", "", 3),
]  # fmt: skip
STACKS = st.lists(st.lists(st.sampled_from(CALLS), min_size=1, max_size=3), min_size=1, max_size=4)
SAMPLES = st.lists(st.tuples(STACKS, st.integers(-5, 1000), st.integers(-5, 1000)), max_size=8)
FACTS = st.lists(
    st.builds(
        fact,
        st.sampled_from(["cache/cache.go", "cache/lru.go", "fmt/print.go", ""]),
        st.integers(0, 12),
        st.sampled_from(["moved to heap: x", "append escapes to heap", "x escapes to heap"]),
        function=st.sampled_from(["F", "H", ""]),
        kind=st.sampled_from([FactKind.HEAP, FactKind.STACK, FactKind.PARAM_LEAK]),
        site=st.none() | st.tuples(st.sampled_from(["cache/lru.go", "fmt/print.go"]), st.integers(0, 60)),
    ),
    max_size=6,
)


@given(SAMPLES, FACTS, st.booleans())
def test_no_byte_is_lost_and_none_is_counted_twice(samples: list, facts: list, has_scan: bool) -> None:  # type: ignore[type-arg]  # noqa: FBT001
    joined = join(shop(*facts) if has_scan else None, profile(samples), {"cache/cache.go": "\treturn x\n" * 20})
    total = Measure(*(sum(row[index] for row in samples) for index in (2, 2, 1, 1)))
    assert joined.profile == total
    assert sum((one.measure for one in joined.evidence), Measure()) == joined.attributed
    assert sum((one.measure for one in joined.unattributed), joined.attributed) == total
    assert sum((one.measure for one in joined.entry_points), Measure()) == total
    sites = [(one.site.file, one.site.line) for one in joined.evidence]
    assert len(sites) == len(set(sites))
