"""Processes of this machine, from /proc: who listens on a port, how much memory it has, its GOGC and GOMEMLIMIT.

Format: https://docs.kernel.org/filesystems/proc.html and man 5 proc. Nothing here attaches to or stops a process.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from whyheap.model.gauge import Gap

PROC = Path("/proc")
WITNESS = "process"

_LISTEN = "0A"
_GO_VARIABLES = (b"GOGC", b"GOMEMLIMIT")
_STATUS_BYTES = {
    "VmRSS": "rss",
    "RssAnon": "rss_anon",
    "RssFile": "rss_file",
    "RssShmem": "rss_shmem",
    "VmSwap": "swap",
    "VmSize": "vm_size",
    "VmHWM": "max_rss",
}
_KIB = 1024


def find_listening_pids(port: int, proc: Path = PROC) -> tuple[int, ...]:
    """Return the processes that hold a socket listening on a loopback or wildcard address of this port, ascending.

    Empty when none is visible: another network namespace, or a process of another user.
    """
    inodes = set(_listening_inodes(port, proc))
    if not inodes:
        return ()
    return tuple(sorted(pid for pid in _pids(proc) if inodes & set(_socket_inodes(proc / str(pid) / "fd"))))


def serves_command_line(pid: int, command_line: bytes, proc: Path = PROC) -> bool:
    """Whether a process was started with this NUL-separated command line (which is compared and not kept)."""
    try:
        return (proc / str(pid) / "cmdline").read_bytes().rstrip(b"\0") == command_line.rstrip(b"\0")
    except OSError:
        return False


def read_status(pid: int, proc: Path = PROC) -> tuple[dict[str, float], tuple[Gap, ...]]:
    """Return resident memory by class in bytes (`rss`, `rss_anon`, ...) and `threads`."""
    try:
        text = (proc / str(pid) / "status").read_text(errors="replace")
    except OSError as error:
        return {}, (Gap(WITNESS, f"/proc/{pid}/status could not be read: {error.strerror}", "Run as the same user."),)
    values: dict[str, float] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        fields = rest.split()
        if name in _STATUS_BYTES and fields and fields[0].isdecimal():
            values[_STATUS_BYTES[name]] = float(fields[0]) * _KIB
        elif name == "Threads" and fields and fields[0].isdecimal():
            values["threads"] = float(fields[0])
    return values, ()


def read_name(pid: int, proc: Path = PROC) -> str:
    """Return a process's command name, at most 15 bytes that it chose itself; "" when it is gone.

    What cannot be printed becomes "?": a name may hold line ends and terminal escapes.
    """
    try:
        text = (proc / str(pid) / "comm").read_text(errors="replace").removesuffix("\n")
    except OSError:
        return ""
    return "".join(character if character.isprintable() else "?" for character in text)


def read_go_variables(pid: int, proc: Path = PROC) -> tuple[dict[str, str], tuple[Gap, ...]]:
    """Return GOGC and GOMEMLIMIT as the process was started with, where set. No other variable is looked at or kept."""
    try:
        body = (proc / str(pid) / "environ").read_bytes()
    except OSError as error:
        hint = "Run as the same user or as root, or serve /metrics with the Go collector."
        return {}, (Gap(WITNESS, f"GOGC and GOMEMLIMIT of pid {pid} could not be read: {error.strerror}", hint),)
    found: dict[str, str] = {}
    for entry in body.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if equals and name in _GO_VARIABLES:
            found.setdefault(name.decode(), value.decode("utf-8", "replace")[:64])
    return found, ()


def read_machine_memory(proc: Path = PROC) -> tuple[int, int] | None:
    """Return the machine's memory and what of it is in use and cannot be had back, in bytes."""
    try:
        lines = (proc / "meminfo").read_text().splitlines()
        sizes = {name: int(rest.split()[0]) * _KIB for name, _, rest in (line.partition(":") for line in lines[:5])}
        return sizes["MemTotal"], sizes["MemTotal"] - sizes["MemAvailable"]
    except (OSError, KeyError, ValueError, IndexError):
        return None


def _listening_inodes(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if len(fields) > 9 and fields[3] == _LISTEN:  # noqa: PLR2004  the columns of /proc/net/tcp
                address, _, hex_port = fields[1].partition(":")
                if int(hex_port, 16) == port and _reachable_by_loopback(address):
                    yield fields[9]


def _reachable_by_loopback(hex_address: str) -> bool:
    """Whether a hex address of /proc/net/tcp, each 32-bit word in the machine's byte order, is loopback or wildcard."""
    words = [bytes.fromhex(hex_address[start : start + 8])[::-1] for start in range(0, len(hex_address), 8)]
    address = ipaddress.ip_address(b"".join(words))
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_unspecified


def _pids(proc: Path) -> Iterator[int]:
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            yield int(entry.name)


def _socket_inodes(folder: Path) -> Iterator[str]:
    try:
        for entry in folder.iterdir():
            try:
                target = str(entry.readlink())
            except OSError:  # closed meanwhile
                continue
            if target.startswith("socket:["):
                yield target[8:-1]
    except OSError:  # gone, or another user's
        return
