"""The first and only program of the lab's machine: mounts what a container host has, runs one scenario, tells, ends.

Its first line, which names the Python of the image, is put in front by machine_image.py.
"""

import ctypes
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path

POWER_OFF = 0x4321FEDC  # LINUX_REBOOT_CMD_POWER_OFF, include/uapi/linux/reboot.h
MOUNTS = {
    "/proc": "proc",
    "/sys": "sysfs",
    "/dev": "devtmpfs",
    "/sys/fs/cgroup": "cgroup2",
    "/tmp": "tmpfs",  # noqa: S108 - the machine's own
    "/dev/shm": "tmpfs",  # noqa: S108 - as above
}


def boot() -> None:
    """Run the machine's one job, and end the machine whatever happens."""
    libc = ctypes.CDLL(None)
    try:
        for point, kind in MOUNTS.items():
            Path(point).mkdir(parents=True, exist_ok=True)
            libc.mount(kind.encode(), point.encode(), kind.encode(), 0, None)
        os.environ.update(HOME="/root", PATH="/bin", WHYHEAP_CACHE="/root/cache")
        sys.path.insert(0, "/site")
        import_module("whyheap.app.lab_machine").main()  # its folder is known only now
    except BaseException:  # noqa: BLE001 - there is nobody else who could tell
        Path("/dev/console").write_text(traceback.format_exc(), encoding="utf-8")
    finally:
        os.sync()
        libc.reboot(POWER_OFF)


if __name__ == "__main__":
    boot()
