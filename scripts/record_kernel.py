"""Record what a kernel says of a group that runs out of memory, and of a cgo program: tests/recorded/kernel/.

    python scripts/record_kernel.py --go .cache/go/1.27.3/go/bin/go v1 v2 cgo

v1 needs root where cgroup v1 memory is mounted; v2 is recorded in a machine of its own (qemu and Debian's
linux-image-cloud-amd64, see docs/lab.md), whose kernel also names Go's regions in smaps. The program stands in
tests/recorded/kernel/program. Only what tests read is kept.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from whyheap.host.machine import Initramfs, run_machine

REPOSITORY = Path(__file__).resolve().parent.parent
RECORDED = REPOSITORY / "tests" / "recorded" / "kernel"
CGO = REPOSITORY / "src/whyheap/causes/off_heap/scenario/c_malloc"
SECONDS = 60
KEPT = re.compile(
    r"before/(cgroup|mountinfo|smaps|status|limits)|after/(kmsg|wait)"
    r"|(before|after)/(pod|shop)/(memory\.(stat|current|max|high|peak|events|pressure|oom_control|failcnt"
    r"|(max_)?usage_in_bytes|(kmem\.usage|limit|memsw\.limit)_in_bytes|swap\.(current|max))|pids\.(current|max)"
    r"|cgroup\.procs)"
)
KEPT_MOUNTS = re.compile(rb"(/|/proc|/sys|/dev/shm|/sys/fs/cgroup.*)")
SECTION = re.compile(rb"=== (\S+) (\d+)\n")


def build(go: str, binary: Path) -> None:
    """Build the program, with paths that tell nothing of this machine."""
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    source = RECORDED / "program"
    subprocess.run([go, "build", "-trimpath", "-o", str(binary), "main.go"], check=True, env=environment, cwd=source)


def in_machine(binary: Path, folder: Path) -> bytes:
    """Run the program as the first process of a machine with cgroup v2."""
    image = folder / "initramfs"
    with image.open("wb") as stream:
        initramfs = Initramfs(stream)
        initramfs.file("/init", binary.read_bytes())
        for name in ("proc", "sys", "dev"):
            initramfs.folder(name)
        initramfs.close()
    return run_machine(image, memory_mebibytes=512, seconds=SECONDS)[0]


def record_cgo(go: str, folder: Path) -> None:
    """Keep the smaps of a program whose memory is mostly the C allocator's."""
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "1"}
    binary = folder / "cgo"
    command = [go, "build", "-trimpath", "-o", str(binary), "main.go"]
    subprocess.run(command, check=True, env=environment, cwd=CGO)
    options = ["-bytes", "65536", "-rate", "200"]
    with subprocess.Popen([binary, *options], stdout=subprocess.PIPE) as process:
        if process.stdout is not None:
            process.stdout.readline()
        time.sleep(2)
        text = Path(f"/proc/{process.pid}/smaps").read_text().replace(str(binary), "/srv/cgo")
        process.kill()
    (RECORDED / "cgo.smaps").write_text(text)


def keep(version: str, text: bytes, binary: Path) -> None:
    """Write what was printed to one file each, and only what tests read."""
    target = RECORDED / version
    at = 0
    while (head := SECTION.match(text, at)) is not None:
        name, size = head[1].decode(), int(head[2])
        content = text[head.end() : head.end() + size]
        at = head.end() + size + 1
        if name.endswith("/mountinfo"):  # what else this machine has mounted is nobody's business
            content = b"".join(
                line for line in content.splitlines(keepends=True) if KEPT_MOUNTS.fullmatch(line.split()[4])
            )
        if KEPT.fullmatch(name):
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.replace(str(binary).encode(), b"/srv/oomrecording"))
            print(f"{file.relative_to(REPOSITORY)}: {size} bytes")


def main() -> None:
    """Record one or both versions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--go", required=True)
    parser.add_argument("versions", nargs="+", choices=("v1", "v2", "cgo"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        binary = Path(place) / "oomrecording"
        build(str(Path(arguments.go).resolve()), binary)
        for version in arguments.versions:
            if version == "cgo":
                record_cgo(str(Path(arguments.go).resolve()), Path(place))
                continue
            if version == "v2":
                text = in_machine(binary, Path(place)).replace(b"\r\n", b"\n")
            else:
                text = subprocess.run([binary, "-v1"], check=True, capture_output=True, timeout=SECONDS).stdout
            keep(version, text, binary)


if __name__ == "__main__":
    main()
