"""What a test file tells goleak to leave alone, whyheap leaves alone."""

from __future__ import annotations

import pytest

from whyheap.goruntime.goleak_options import Ignored, goleak_options

TRACE = """\
goroutine 7 [sleep, 2 minutes]:
time.Sleep(0x3b9aca00)
\t/go/src/runtime/time.go:285 +0xf2
example.com/app/cache.(*Cache).sweep(0xc000012345)
\t/src/cache/cache.go:44 +0x1d
created by example.com/app/cache.New in goroutine 1
\t/src/cache/cache.go:20 +0x8a"""


@pytest.mark.parametrize(
    ("option", "text", "fits"),
    [
        ("IgnoreTopFunction", "time.Sleep", True),
        ("IgnoreTopFunction", "example.com/app/cache.(*Cache).sweep", False),
        ("IgnoreAnyFunction", "example.com/app/cache.(*Cache).sweep", True),
        ("IgnoreAnyFunction", "example.com/app/cache.New", False),
        ("IgnoreCreatedBy", "example.com/app/cache.New", True),
        ("IgnoreCreatedBy", "time.Sleep", False),
        ("IgnoreAnyContainingPkg", "example.com/app/cache", True),
        ("IgnoreAnyContainingPkg", "example.com/app/cach", False),
    ],
)
def test_an_option_fits_as_in_goleak(option: str, text: str, *, fits: bool) -> None:
    assert Ignored(option, text, "x_test.go").fits(TRACE) is fits


def test_options_are_read_where_goleak_is_imported() -> None:
    call = 'goleak.VerifyTestMain(m,\n goleak.IgnoreTopFunction("a.b"), goleak.IgnoreCurrent(),'
    call += " goleak.IgnoreAnyFunction(`c.(*T).d`))"
    found = list(goleak_options(f'import "go.uber.org/goleak"\n{call}', "x_test.go"))
    assert [(one.option, one.text) for one in found] == [
        ("IgnoreTopFunction", "a.b"),
        ("IgnoreAnyFunction", "c.(*T).d"),
    ]
    assert found[0].said == 'goleak.IgnoreTopFunction("a.b") in x_test.go'
    assert list(goleak_options(call, "x_test.go")) == []
