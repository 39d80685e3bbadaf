"""Callee allocation: the line itself keeps nothing on the heap, but what it calls allocates.

What it is: the profile's bytes of this line come from a call on it. The compiler cannot see it: escape analysis
speaks of the caller's values, never of what a callee allocates for itself or for its result.

Why it costs: each call pays for the callee's allocations; in hot code the caller is the only one who can call less
often, pass a buffer, or choose another function.

How to see it: only in a profile: the allocating function (the leaf) is below this line on the stack. The finding
names the function that is called here and the leaf that allocates.

Fix: call it less often (hoist what does not change: regexp.MustCompile, time.NewTimer, template parsing), use a
variant that fills a buffer of the caller (strconv.AppendInt, fmt.Appendf, hash.Sum into a slice), or reuse the object
(Reset).

When to leave it: the allocation is the callee's result and the result is needed, or the call is not hot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.finding import Finding, Fix
from whyheap.patterns import construction_per_call, error_per_call
from whyheap.patterns.callee_finding import of_callee, short
from whyheap.patterns.context import Context
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="callee-allocation",
    title="Allocated by a function that is called here",
    fixes=(judgement("call it less often, or keep what it returns and use that again"),),
)
_OWN = (judgement("call it less often, or let the caller hand in what it fills"),)
_VARIANTS = (
    (re.compile(r"strconv\.(?:Itoa|FormatInt)$"), "strconv.AppendInt"),
    (re.compile(r"strconv\.Format(Uint|Float|Bool)$"), r"strconv.Append\1"),
    (re.compile(r"strconv\.(Quote\w*)$"), r"strconv.Append\1"),
    (re.compile(r"fmt\.Sprint(f|ln)?$"), r"fmt.Append\1"),
    (re.compile(r"time\.Time\.Format$"), "Time.AppendFormat"),
    (re.compile(r"encoding/hex\.EncodeToString$"), "hex.AppendEncode"),
    (re.compile(r"encoding/(base64|base32)\.\(\*Encoding\)\.EncodeToString$"), r"\1's Encoding.AppendEncode"),
    (re.compile(r"net/netip\.(Addr|AddrPort|Prefix)\.String$"), r"\1.AppendTo"),
    (re.compile(r"encoding/json\.Marshal(?:Indent)?$"), "an Encoder"),
    (re.compile(r"(?:io|io/ioutil)\.ReadAll$"), "ReadFrom of a bytes.Buffer"),
)
"""Functions of std, and what does the same into a buffer of the caller (Go 1.22's documentation)."""


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per function called from the line whose bytes no other finding of the line carries.

    The judge passes an evidence that holds only those callees. What a callee is known to make has a pattern of its
    own: construction-per-call and error-per-call are asked first.
    """
    groups: dict[str, list[CalleeBytes]] = {}
    for one in evidence.callees:
        groups.setdefault(one.callee, []).append(one)
    for callee, parts in groups.items():
        construction = next(construction_per_call.match(replace(evidence, callees=tuple(parts)), context), None)
        known = construction or error_per_call.called(evidence, parts)
        finding = of_callee(PATTERN, evidence, parts, f"allocated in {clipped(short(callee))}")
        yield known or replace(finding, fixes=_fixes(evidence, callee))


def _fixes(evidence: Evidence, callee: str) -> tuple[Fix, ...]:
    """Name the variant that fills a buffer of the caller where there is one."""
    for pattern, variant in _VARIANTS:
        found = pattern.match(callee)
        if found is not None:
            return (judgement(f"call it less often, or use {found.expand(variant)} with a buffer that is used again"),)
    if callee.startswith((f"{evidence.site.package}.", "main.")):
        return _OWN
    return PATTERN.fixes
