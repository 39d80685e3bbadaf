"""Allocator calls go to the line of the user's code that they stand in, copies of a line counted once."""

from whyheap.join.calls import calls_by_line
from whyheap.join.evidence import join
from whyheap.model.facts import AllocatorCall, CallPath, CompilerFact, FactKind
from whyheap.model.gauge import Origin
from whyheap.model.machine_code import FunctionCode
from whyheap.model.scan import Scan, ScannedPackage
from whyheap.model.site import Position, Site

PACKAGE = "example.com/shop"
FILE = "shop.go"


def site(line: int, function: str = "F", file: str = FILE, package: str = PACKAGE) -> Site:
    return Site(file, line, 0, function, package)


def call(
    at: Site, callee: str = "runtime.newobject", path: CallPath = CallPath.ALWAYS, **more: object
) -> AllocatorCall:
    fields = {"symbol": f"{PACKAGE}.F", "type": "int", "address": 16, "inlined_at": (), **more}
    return AllocatorCall(at, callee, path=path, **fields)  # type: ignore[arg-type]


def function(name: str, *calls: AllocatorCall, inlined: tuple[str, ...] = ()) -> FunctionCode:
    return FunctionCode(site(1, name), f"{PACKAGE}.{name}", 0, 64, calls, inlined=inlined)


def scan(*functions: FunctionCode, facts: tuple[CompilerFact, ...] = (), read: bool = True) -> Scan:
    package = ScannedPackage(PACKAGE, "/shop", (FILE,), facts=facts, functions=functions if read else None)
    return Scan("/shop", PACKAGE, "go1.27.3", "linux", "amd64", (package,), Origin("compiler", "", "", "", ""))


def heap(line: int, name: str = "F") -> CompilerFact:
    at = Position(FILE, line, 3)
    return CompilerFact(FactKind.HEAP, at, name, PACKAGE, "moved to heap: x", "x", at)


def test_without_machine_code_nothing_is_claimed() -> None:
    assert calls_by_line(scan(read=False)) is None
    assert join(scan(read=False, facts=(heap(4),)), None).evidence[0].calls is None


def test_a_line_of_a_function_that_was_compiled_has_its_calls_or_none() -> None:
    evidence = join(scan(function("F", call(site(4))), facts=(heap(4), heap(5))), None).evidence
    assert [[one.callee for one in line.calls or ()] for line in evidence] == [["runtime.newobject"], []]
    assert evidence[1].calls == ()


def test_a_function_that_was_not_linked_is_unknown() -> None:
    assert join(scan(function("G"), facts=(heap(4),)), None).evidence[0].calls is None


def test_code_that_lives_only_inlined_was_compiled() -> None:
    assert join(scan(function("G", inlined=(f"{PACKAGE}.F",)), facts=(heap(4),)), None).evidence[0].calls == ()


def test_a_line_without_a_word_of_the_compiler_appears_with_its_function() -> None:
    (line,) = join(scan(function("F", call(site(9), "runtime.makechan"))), None).evidence
    assert (line.site.line, line.site.function, line.site.package) == (9, "F", PACKAGE)


def test_code_of_another_module_belongs_to_the_line_that_it_is_inlined_into() -> None:
    foreign = call(site(61, "New", "errors/errors.go", "errors"), inlined_at=(site(7),))
    (line,) = join(scan(function("F", foreign)), None).evidence
    assert (line.site.file, line.site.line, line.site.function) == (FILE, 7, "F")


def test_copies_of_a_line_count_once_as_in_the_function_itself() -> None:
    own = call(site(4), path=CallPath.BRANCH)
    copy = call(site(4), inlined_at=(site(20, "G"),), symbol=f"{PACKAGE}.G")
    (line,) = join(scan(function("F", own), function("G", copy)), None).evidence
    assert [one.path for one in line.calls or ()] == [CallPath.BRANCH]


def test_two_calls_in_one_copy_are_two() -> None:
    (line,) = join(scan(function("F", call(site(4)), call(site(4), address=40))), None).evidence
    assert len(line.calls or ()) == 2


def test_a_moved_parameter_of_an_inlined_function_is_filed_where_it_is_called() -> None:
    def moved(line: int, column: int, at: int | None = None) -> CompilerFact:
        place = Position(FILE, line, column)
        printed = Position(FILE, at, 9) if at else place
        name = "Use" if at else "ptr"
        inlined_at = (printed,) if at else ()
        return CompilerFact(FactKind.HEAP, printed, name, PACKAGE, "moved to heap: v", "v", place, inlined_at)

    copies = (moved(5, 15), moved(8, 2), moved(5, 15, at=20), moved(5, 15, at=21), moved(8, 2, at=22))
    own = FunctionCode(site(5, "ptr"), f"{PACKAGE}.ptr", 0, 64, (call(site(5, "ptr")),))
    local = FunctionCode(site(7, "local"), f"{PACKAGE}.local", 0, 64, (call(site(8, "local")),))
    made = (call(site(20, "Use")), call(site(8, "local"), inlined_at=(site(22, "Use"),)))
    use = FunctionCode(site(19, "Use"), f"{PACKAGE}.Use", 0, 64, made)
    evidence = join(scan(own, local, use, facts=copies), None).evidence
    told = {line.site.line: (len(line.facts), len(line.calls or ())) for line in evidence}
    assert told == {5: (1, 1), 8: (1, 1), 20: (1, 1)}, "21 makes none: its copy stays one with that of line 5"
