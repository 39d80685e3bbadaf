"""Construction per call: something that is costly to make is made again each time, in a loop or a request's handler.

What it is: a regular expression, template, timer, compressor, hash or replacer that is built on a line that runs
often, although one of them would serve all turns: what it is built from does not change, or it can be reset.

Why it costs: such constructors allocate dozens of objects or large tables: compiling a short regular expression is
some 50 allocations, a gzip writer needs 0.8 MB (1 MB in Go 1.27), time.NewTimer three objects.

How to see it: only a profile shows it: the bytes are the callee's, on a stack that goes through this line. The source
then tells that the line stands in a loop or in a handler. Without measured bytes it is no finding: a constructor in a
loop may be reached once.

Fix: make it once: a package variable for what never changes (regexp.MustCompile, template.Must), a variable before
the loop, a sync.Pool with Reset for what holds state (gzip.Writer, bytes.Buffer, hash.Hash), one time.Ticker or
Timer.Reset instead of time.After per turn.

When to leave it: what it is built from differs in each turn, the loop runs a few times at start-up, or the object is
kept by what it is given to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from whyheap.model.evidence import CalleeBytes, Evidence
from whyheap.model.finding import Finding
from whyheap.patterns.callee_finding import of_callee, short
from whyheap.patterns.context import Context
from whyheap.patterns.pattern import Pattern, judgement
from whyheap.patterns.route_text import clipped

PATTERN = Pattern.of(
    __doc__,
    __file__,
    slug="construction-per-call",
    title="Made again in a loop or handler",
    fixes=(
        judgement("make it once and reuse it: a variable before the loop, a package variable, or a pool with Reset"),
    ),
)
_CONSTRUCTORS = re.compile(
    r"""(?:regexp\.(?:Must)?Compile(?:POSIX)?|regexp/syntax\.Parse|regexp\.Match(?:String|Reader)?
    |time\.(?:NewTimer|NewTicker|After|Tick|LoadLocation)
    |(?:text|html)/template\.(?:New|Must|ParseFiles|ParseGlob|ParseFS|\(\*Template\)\.(?:Parse\w*|New|Clone))
    |strings\.NewReplacer
    |compress/(?:gzip|flate|zlib|lzw)\.New(?:Writer|Reader)\w*
    |crypto/(?:md5|sha1|sha256|sha512|hmac|aes)\.New\w*|hash/(?:crc32|crc64|maphash)\.(?:New\w*|MakeTable)
    |bufio\.New(?:Reader|Writer|ReadWriter)(?:Size)?
    |encoding/(?:json|gob|xml|csv)\.New(?:Encoder|Decoder|Reader|Writer)
    |math/rand(?:/v2)?\.New\w*
    |net/http\.(?:\(\*Transport\)\.Clone|NewServeMux)|net/http/httputil\.NewSingleHostReverseProxy
    |crypto/x509\.(?:NewCertPool|SystemCertPool)
    |net\.NewReplacer
    )$""",
    re.VERBOSE,
)
"""Constructors of the standard library whose results can be kept and used again."""
_HANDLER = re.compile(r"\bhttp\.ResponseWriter\b|\*http\.Request\b|\*gin\.Context\b|\becho\.Context\b|\*fiber\.Ctx\b")


def match(evidence: Evidence, context: Context) -> Iterator[Finding]:
    """Yield one finding per constructor whose bytes were measured below a line in a loop or handler."""
    groups: dict[str, list[CalleeBytes]] = {}
    for one in evidence.callees:
        if _CONSTRUCTORS.match(one.callee):
            groups.setdefault(one.callee, []).append(one)
    where = _repeated(evidence, context) if groups else ""
    if where:
        for callee, parts in groups.items():
            yield of_callee(PATTERN, evidence, parts, f"{clipped(short(callee))} {where}")


def _repeated(evidence: Evidence, context: Context) -> str:
    """Tell what makes the line run often, as the source shows: "in a loop", "in a handler"; "" if nothing does."""
    file = context.file(evidence)
    if file is None:
        return ""
    line = evidence.site.line
    if file.loop(line) is not None:
        return "in a loop"
    for function in file.functions(line):
        parameters = function.field("parameters")
        if parameters is not None and _HANDLER.search(parameters.text()):
            return "in a request's handler"
    return ""
