"""Record the machine code of tests/recorded/flow/program, so that tests of control flow need no Go.

.venv/bin/python scripts/record_flow.py     # toolchains of .cache/go: the oldest and the newest, amd64 and arm64
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

from whyheap.goruntime import allocators
from whyheap.goruntime.quiet_calls import GO_RUNTIME
from whyheap.host.program import run_program
from whyheap.parse.machine_code.binary import Binary
from whyheap.parse.machine_code.function_code import function_codes

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "recorded" / "flow"


def record(version: str, arch: str) -> None:
    """Build the program for one toolchain and processor, and write its functions' code."""
    go = ROOT / ".cache" / "go" / version / "go" / "bin" / "go"
    env = {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off", "GOOS": "linux", "GOARCH": arch, "CGO_ENABLED": "0"}
    with tempfile.TemporaryDirectory() as name:
        program = Path(name, "flow")
        done = run_program([str(go), "build", "-o", str(program), "."], FOLDER / "program", env=env)
        if done.returncode:
            sys.exit(done.stderr)
        binary = Binary(program.read_bytes(), allocators.is_allocator, allocators.type_argument)
    own = [one for one in binary.functions() if one.symbol.startswith("main.")]
    memory: dict[str, str] = {}

    def read(address: int, size_bytes: int) -> bytes | None:
        found = binary.read(address, size_bytes)
        memory[str(address)] = bytes(found or b"").hex()
        return None if found is None else bytes(found)

    list(function_codes(own, arch, GO_RUNTIME, read))
    functions = [
        {
            "symbol": one.symbol,
            "address": one.address,
            "code": bytes(one.code).hex(),
            "calls": [(call.offset, call.callee, call.type) for call in one.calls],
        }
        for one in own
    ]
    data = {"go": version, "arch": arch, "functions": functions, "memory": memory}
    (FOLDER / f"go{version}-{arch}.json").write_bytes(msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n")


if __name__ == "__main__":
    for arch_ in ("amd64", "arm64"):
        for version_ in ("1.22.10", "1.27.3"):
            record(version_, arch_)
