"""Record what Go writes when a process dies: tests/recorded/crash/<go version>/<program>.txt, stderr as it came.

The programs stand in tests/recorded/crash/program. Run it for each Go version whose words the recordings shall show:

    python scripts/record_crashes.py --go .cache/go/1.22.10/go/bin/go --go .cache/go/1.27.3/go/bin/go

Two programs need a limit on the process: the address space, and (as another user: root has none) the processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RECORDED = REPOSITORY / "tests" / "recorded" / "crash"
SECONDS = 20
NOBODY = 65534
ADDRESS_SPACE_BYTES = 1536 << 20
PROCESSES = 12


def build(go: str, source: Path, binary: Path) -> None:
    """Build one program, with paths that tell nothing of this machine."""
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    subprocess.run([go, "build", "-trimpath", "-o", str(binary), "main.go"], check=True, env=environment, cwd=source)
    binary.parent.chmod(0o755)  # it may run as another user


def run(binary: Path, name: str) -> bytes:
    """Run a program to its end and return its stderr; one that would not end is asked for its stacks by SIGQUIT."""
    environment = {"PATH": os.defpath}
    if name == "collections":
        environment["GODEBUG"] = "gctrace=1,scavtrace=1"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if name == "address_space":
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
        if name == "process_limit":
            resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))

    user = NOBODY if name == "process_limit" and os.geteuid() == 0 else None
    process = subprocess.Popen(
        [str(binary)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        preexec_fn=limit,  # noqa: PLW1509 - this script has no threads
        user=user,
    )
    with process:
        try:
            return process.communicate(timeout=SECONDS)[1]
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            return process.communicate(timeout=SECONDS)[1]


def record(go: str, names: list[str]) -> None:
    """Record all programs, or those named, with one Go."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    done = subprocess.run([go, "env", "GOVERSION"], check=True, env=environment, capture_output=True, text=True)
    folder = RECORDED / done.stdout.strip().removeprefix("go")
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted((RECORDED / "program").iterdir()):
        if names and source.name not in names:
            continue
        with tempfile.TemporaryDirectory() as place:
            binary = Path(place) / source.name
            build(go, source, binary)
            text = run(binary, source.name)
        target = folder / f"{source.name}.txt"
        target.write_bytes(text)
        print(f"{target.relative_to(REPOSITORY)}: {len(text)} bytes")


def main() -> None:
    """Record with each Go named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--go", action="append", default=[], help="a go command (repeatable)")
    parser.add_argument("names", nargs="*", help="programs to record, all by default")
    options = parser.parse_args()
    for go in options.go or ["go"]:
        record(go, options.names)


if __name__ == "__main__":
    main()
