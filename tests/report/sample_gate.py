"""Believable results of a gate: broken, clean, not understood, hostile."""

from __future__ import annotations

from dataclasses import replace

from report.sample_report import HOSTILE_NAMES, oomshop
from whyheap.model.site import Site
from whyheap.model.violation import RULES, GateResult, Violation

PACKAGE = "example.com/oomshop"
CHECKED = {"packages": 9, "sites": 214, "directives": 3}


def broken() -> GateResult:
    """Return a gate with a new site, a budget that is used up, and a broken directive."""
    store, boxing = oomshop().findings[:2]
    return GateResult(
        go="go1.27.3",
        platform="linux/amd64",
        violations=(
            Violation(
                "c0ffee01", "budget", Site("", 0, 0, "", PACKAGE), f"{PACKAGE} has 215 heap sites, its budget is 214"
            ),
            Violation(
                store.id,
                "new-site",
                store.site,
                "&Page{...} is stored in a package-level map, and the baseline does not know it",
                store,
            ),
            Violation(
                "77b0de11-noescape",
                "noescape",
                boxing.site,
                "n escapes to heap, and //whyheap:noescape of renderRow allows none",
                boxing,
            ),
        ),
        notes=("12 sites differ only because the baseline is of go1.26",),
        checked=CHECKED,
        title="oomshop",
        sources=oomshop().sources,
    )


def clean() -> GateResult:
    """Return a gate that holds."""
    return replace(broken(), violations=(), notes=())


def not_understood() -> GateResult:
    """Return a gate that fails closed, beside tests that fail."""
    return replace(clean(), unknown=("cache.go:9:2: a sentence of a later compiler", "::error::x"), failed=True)


def hostile() -> GateResult:
    """Return a gate in which every text that the code controls is an attack."""
    finding = oomshop().findings[0]
    return GateResult(
        go=HOSTILE_NAMES[0],
        platform=HOSTILE_NAMES[1],
        violations=tuple(
            Violation(name, list(RULES)[index % len(RULES)], Site(name, 0, 0, name, name), name, finding)
            for index, name in enumerate(HOSTILE_NAMES)
        ),
        notes=HOSTILE_NAMES,
        unknown=HOSTILE_NAMES,
        checked=dict.fromkeys(HOSTILE_NAMES, 1),
        title=HOSTILE_NAMES[2],
        sources={name: name for name in HOSTILE_NAMES},
    )
