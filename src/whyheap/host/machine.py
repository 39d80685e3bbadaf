"""A small virtual machine for what this kernel cannot do: qemu without hardware help, a Debian kernel, an initramfs.

Used where a real cgroup v2 is needed and the host has none. Nothing is installed or mounted on the host; the machine
ends with the block, by itself or by force. Format of the initramfs: Documentation/driver-api/early-userspace/
buffer-format.rst (cpio "newc").
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from whyheap.errors import ToolError
from whyheap.host.cache import cache_folder
from whyheap.host.interrupts import uninterrupted
from whyheap.host.program import end_group

_QEMU = "qemu-system-x86_64"
_KERNEL_VARIABLE = "WHYHEAP_KERNEL"
_INSTALL = (
    "Install both:  apt-get install qemu-system-x86 linux-image-cloud-amd64, or name a kernel with WHYHEAP_KERNEL=FILE"
)
_MEBIBYTE = 1 << 20
_FOLDER_MODE = stat.S_IFDIR | 0o755
_FILE_MODE = stat.S_IFREG | 0o755
_CONSOLE_BYTES = 4000


class Initramfs:
    """The machine's root file system while it is written; folders appear with the files in them."""

    def __init__(self, stream: BinaryIO) -> None:
        """Write to `stream`; `close` ends it."""
        self._stream = stream
        self._known: set[str] = set()
        self._number = 0

    def folder(self, path: str) -> None:
        """Add a folder and those above it."""
        parts = path.strip("/").split("/")
        for count in range(1, len(parts) + 1):
            name = "/".join(parts[:count])
            if name and name not in self._known:
                self._known.add(name)
                self._entry(name, _FOLDER_MODE, b"")

    def file(self, path: str, data: bytes) -> None:
        """Add a file that anybody may run; the first one of a path stays."""
        name = path.strip("/")
        if name in self._known:
            return
        if "/" in name:
            self.folder(name.rpartition("/")[0])
        self._known.add(name)
        self._entry(name, _FILE_MODE, data)

    def same(self, path: Path) -> None:
        """Add a file of this machine at the same path."""
        self.file(str(path), path.read_bytes())

    def close(self) -> None:
        """Write the end."""
        self._entry("TRAILER!!!", 0, b"")

    def _entry(self, name: str, mode: int, data: bytes) -> None:
        self._number += 1
        encoded = os.fsencode(name) + b"\0"
        numbers = (self._number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        head = b"070701" + b"".join(b"%08x" % number for number in numbers) + encoded
        self._stream.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))


def machine_available() -> str:
    """Return why no machine can be run here, "" when one can."""
    if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
        return "the lab's machine runs on Linux on amd64 only"
    if shutil.which(_QEMU) is None:
        return f"there is no {_QEMU}"
    return "" if _kernel() is not None else "there is no kernel for it"


def run_machine(initramfs: Path, *, memory_mebibytes: int = 1024, seconds: float = 180.0) -> tuple[bytes, str]:
    """Run a machine until it powers off; return what its /init wrote to its second serial port, /dev/ttyS1.

    The text is the end of what the console said, where errors stand.

    Raises ToolError when it cannot be run or takes longer than `seconds`.
    """
    reason = machine_available()
    kernel = _kernel()
    if reason or kernel is None:
        raise ToolError(f"no machine with cgroup v2 can be run: {reason}", _INSTALL)
    with TemporaryDirectory(prefix="whyheap-machine-") as folder:
        said, console = Path(folder, "said"), Path(folder, "console")
        command = [_QEMU, "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"]
        command += ["-m", str(memory_mebibytes), "-kernel", str(kernel), "-initrd", str(initramfs)]
        command += ["-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on", "-display", "none", "-no-reboot"]
        command += ["-nic", "none", "-monitor", "none", "-serial", f"file:{console}", "-serial", f"file:{said}"]
        process = uninterrupted(
            lambda: subprocess.Popen(  # noqa: S603 - qemu, with our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        )
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            tail = console.read_bytes()[-_CONSOLE_BYTES:].decode("utf-8", "replace") if console.exists() else ""
            last = tail.strip().rpartition("\n")[2]
            raise ToolError(f"the machine took longer than {seconds:g} s; its last words: {last[:200]!r}") from error
        finally:
            end_group(process)
        if process.returncode:
            text = errors.decode("utf-8", "replace").strip().partition("\n")[0]
            raise ToolError(f"{_QEMU} failed: {text}", _INSTALL)
        return said.read_bytes(), console.read_bytes()[-_CONSOLE_BYTES:].decode("utf-8", "replace")


def _kernel() -> Path | None:
    """Return a kernel with cgroup v2 and memory control built in: Debian's, of /boot or of our cache."""
    named = os.environ.get(_KERNEL_VARIABLE)
    if named:
        return Path(named) if Path(named).is_file() else None
    return next(_kernels(), None)


def _kernels() -> Iterator[Path]:
    for folder in (cache_folder() / "kernel", Path("/boot")):
        yield from sorted(folder.glob("vmlinuz-*-cloud-amd64"), reverse=True)
