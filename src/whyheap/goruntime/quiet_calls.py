"""Functions that make no heap object on ordinary paths, although their own code would leave that open.

Compiled code calls those of cmd/compile/internal/typecheck/_builtin/runtime.go and internal/ssagen/ssa.go; the standard
library reaches the others through the runtime's `//go:linkname` lines (1.22 to 1.27). Two kinds stand here: those that
have no allocation at all but look as if (hash functions and systemstack are called through pointers), and those that
allocate only to refill a pool of the runtime's own, off the Go heap or once in a program's life (acquireSudog of
runtime/proc.go for a goroutine that waits).
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from whyheap.goruntime import allocators

_SOURCES: Final = MappingProxyType(
    {
        # cmd/internal/obj/x86/obj6.go, arm64/obj7.go and runtime/asm_*.s, mbitmap.go, mwbbuf.go, duff_*.s
        "writes and copies": r"runtime\.(?:morestack\w*|duffzero|duffcopy|gcWriteBarrier\d?|wbZero|wbMove"
        r"|bulkBarrierPreWrite\w*|typedmem\w+|typedslicecopy|mem(?:move|clr\w*|equal\w*|hash\w*)|reflectcall\w*"
        r"|cgoCheck\w+|checkptr\w*)",
        # runtime/map*.go, internal/runtime/maps: only mapassign makes room
        "map reads": r"runtime\.(?:mapaccess\w+|mapdelete\w*|mapclear|mapiter\w+|mapIter\w+)",
        # runtime/map.go, chan.go, mbarrier.go, type.go: what reflect reaches by linkname
        "reflect": r"reflect\.(?:mapaccess\w*|mapdelete\w*|mapclear|mapiter\w+|maplen|chanlen|chancap|typedmem\w+"
        r"|typedslicecopy|typedarrayclear|memmove|memclr\w+|unsafeslice|ifaceE2I|resolve\w+Off|verifyNotInHeapPtr"
        r"|typehash|chanrecv|chansend0?|chanclose|escapes)",
        "reflectlite": r"internal/reflectlite\.(?:chanlen|ifaceE2I|maplen|resolve\w+Off|typedmemmove)",
        # runtime/chan.go, select.go: a blocked goroutine takes a sudog from the pool
        "channels": r"runtime\.(?:chanrecv[12]?|chansend1?|closechan|selectgo|selectnb\w+|selectsetpc|chanlen|chancap)",
        # runtime/alg.go, iface.go (typeAssert fills a cache per type), string.go, float.go, softfloat64.go, utf8.go
        "values": r"runtime\.(?:str(?:equal|hash)|(?:nil)?inter(?:equal|hash)|[fc]\d+(?:equal|hash)|efaceeq|ifaceeq"
        r"|assert[EI]2I2?|typeAssert|interfaceSwitch|cmpstring|decoderune|countrunes|slicecopy|slicebytetostringtmp"
        r"|typehash|nilinter\w+|u?int\d+to\w+|float\d+tou?int\d+|complex128div|u?int64(?:div|mod)"
        r"|f(?:add|mul|div|eq|g[et])(?:32|64)|fu?int\d+to\d+|f(?:32|64)to\w+)",
        # runtime/panic.go, proc.go, extern.go, rand.go, print.go, mfinal.go, race.go, time_nofake.go
        "control": r"runtime\.(?:deferprocStack|gorecover|goschedguarded|Gosched|KeepAlive|getcaller\w+|rand\w*"
        r"|fastrand\w*|cheaprand\w*|print\w+|panicwrap|race\w+|msan\w+|asan\w+|libfuzzer\w+|nanotime\w*|walltime\w*|cputicks"
        r"|procyield\w*|osyield\w*|entersyscall\w*|exitsyscall\w*|procPin|procUnpin|acquirem|releasem|(?:un)?lock\w*"
        r"|systemstack\w*|mcall|asmcgocall\w*|cgocall|GOMAXPROCS|NumCPU|NumCgoCall|LockOSThread|UnlockOSThread"
        r"|unsafe\w+checkptr\w*|unsafe(?:slice|string)\w*|GC|Version|NumGoroutine)",
        # runtime/sema.go, proc.go, rwmutex.go, netpoll.go: waiting takes a sudog from the pool
        "waiting": r"(?:sync|internal/sync|internal/poll)\.runtime_(?:Sem\w+|notifyList\w+|canSpin|doSpin|nanotime"
        r"|procPin|procUnpin|registerPoolCleanup|isPollServerDescriptor|pollReset|pollWait\w*|pollSetDeadline"
        r"|pollUnblock|pollClose)",
        # sync/mutex.go, rwmutex.go, waitgroup.go: they wait in runtime/sema.go
        "locks": r"sync\.\(\*(?:Mutex|RWMutex)\)\.(?!RLocker$)\w+|internal/sync\.\(\*Mutex\)\.\w+"
        r"|sync\.\(\*WaitGroup\)\.(?:Add|Done|Wait)",
        # sync/pool.go, poolqueue.go: an array per GOMAXPROCS, then queues that double their size
        "pools": r"sync\.\(\*Pool\)\.(?:pin|pinSlow|Put|getSlow)|sync\.\(\*pool(?:Chain|Dequeue)\)\.\w+",
        # sync/atomic/asm.s, internal/runtime/atomic; atomic.Value is left out: it stores what it is given
        "atomic instructions": r"(?:sync/atomic|internal/runtime/atomic|runtime/internal/atomic)\.\w+",
        # runtime/timestub.go, time.go
        "time": r"time\.(?:now|runtimeNano|runtimeNow|runtimeIsBubbled|Sleep|stopTimer|resetTimer)",
        # syscall/asm_linux_*.s, internal/runtime/syscall
        "system calls": r"syscall\.(?:RawSyscall\w*|Syscall\w*|rawSyscall\w*|rawVforkSyscall|runtime_\w+)"
        r"|internal/runtime/syscall(?:/linux)?\.\w+",
        # internal/race/norace.go and its like: empty without -race
        "detectors": r"internal/(?:race|msan|asan)\.\w+",
        # runtime/map.go, internal/abi/escape.go
        "linknames": r"internal/runtime/maps\.(?:rand|typedmem\w+|fatal)"
        r"|internal/abi\.(?:Escape\w*|NoEscape|FuncPC\w+)",
    }
)
_QUIET: Final = re.compile("|".join(f"(?:{names})" for names in _SOURCES.values()))


@lru_cache(maxsize=1 << 16)
def makes_no_object(symbol: str) -> bool:
    """Tell whether a call to this linker symbol makes no heap object on ordinary paths."""
    name = symbol.removesuffix(".abi0").removesuffix(".abiinternal")
    return _QUIET.fullmatch(name) is not None and not allocators.is_allocator(name)


class GoRuntime:
    """What reading machine code has to know of Go's runtime (parse.machine_code.runtime_names)."""

    def is_allocator(self, symbol: str) -> bool:
        """Tell whether a call asks for a heap object."""
        return allocators.is_allocator(symbol)

    def always_allocates(self, symbol: str, *, without_buffer: bool) -> bool:
        """Tell whether each such call makes one; `without_buffer`: the caller has no stack buffer for it."""
        return allocators.always_allocates(symbol, without_buffer=without_buffer)

    def buffer_argument(self, symbol: str) -> int | None:
        """Return which integer argument, counted from 0, is the stack buffer, None if there is none."""
        found = allocators.allocator(symbol)
        return found.buffer if found else None

    def never_returns(self, symbol: str) -> bool:
        """Tell whether the code behind such a call never runs."""
        return allocators.never_returns(symbol)

    def makes_no_object(self, symbol: str) -> bool:
        """Tell whether a call makes no heap object on ordinary paths."""
        return makes_no_object(symbol)


GO_RUNTIME: Final = GoRuntime()
