"""Prepare the checkout: `prepare.py install` for the tool itself, `prepare.py test` for everything that tests need.

Sets up what is missing on a bare machine with Python >= 3.11 and does nothing the second time. Every package comes from
a lock in requirements/ and is checked against its hash.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from steps import CACHE, ROOT, VENV, StepFailedError, digest, environment, find_go, run, stamped, stop, which

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
LOCKS = ROOT / "requirements"
NEWEST_GO = "1.27.3"
PIP = ("-m", "pip", "install", "--quiet", "--no-input", "--root-user-action=ignore", "--no-warn-script-location")
LOCKED = ("--require-hashes", "--only-binary=:all:")
PROMETHEUS = "usr/bin/prometheus"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    """Do what the one argument names."""
    jobs = {"install": install, "test": prepare_tests}
    if sys.argv[1:] not in [[name] for name in jobs]:
        sys.exit(f"usage: prepare.py {'|'.join(jobs)}")
    try:
        with_a_new_python()
        jobs[sys.argv[1]]()
    except StepFailedError as error:
        stop(error)


def with_a_new_python() -> None:
    """Go on with a newer Python of this machine when this one is too old."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    newer = which("python3.14", "python3.13", "python3.12", "python3.11")
    if newer is None:
        raise StepFailedError(f"whyheap needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}")
    os.execv(newer, [newer, *sys.argv])  # noqa: S606 - ourselves, with another interpreter


def install() -> None:
    """Build .venv with the tool, its page and, when the machine has none, a Go toolchain."""
    make_venv()
    install_lock("runtime", "runtime.txt", "build.txt")
    if find_go() is None:
        install_lock("go toolchain", f"go/{NEWEST_GO}.txt")
    build_page()
    install_tool()


def prepare_tests() -> None:
    """Install what the tests need beyond the tool; slow downloads run side by side."""
    make_venv()
    with ThreadPoolExecutor(max_workers=4) as pool:
        waiting = [pool.submit(find_debian_programs), pool.submit(install_with_tests)]
        waiting += [pool.submit(unpack_go, lock) for lock in sorted(LOCKS.glob("go/*.txt"), reverse=True)]
    for step in waiting:
        step.result()


def install_with_tests() -> None:
    """Install the tool, then the packages of its tests."""
    install()
    install_lock("tests", "dev.txt")


def make_venv() -> None:
    """Make .venv with a pip of its own."""
    python = VENV / "bin" / "python"
    with stamped(VENV / ".stamps" / "venv", sys.version, python) as stale:
        if not stale or works(python, "import pip"):
            return
        if works(python, "import ensurepip"):
            run("virtual environment", [str(python), "-m", "ensurepip"])
            return
        if not works(Path(sys.executable), "import ensurepip, venv"):
            apt("python3-venv", "this Python has no venv module")
        run("virtual environment", [sys.executable, "-m", "venv", "--clear", str(VENV)])


def install_lock(label: str, *locks: str) -> None:
    """Install locked packages into .venv."""
    files = [LOCKS / lock for lock in locks]
    with stamped(VENV / ".stamps" / label.replace(" ", "-"), digest(files)) as stale:
        if stale:
            wanted = [argument for file in files for argument in ("-r", str(file))]
            run(f"packages: {label}", [str(VENV / "bin" / "python"), *PIP, *LOCKED, *wanted])


def install_tool() -> None:
    """Install the checkout itself, editable, from what is already there."""
    state = digest([ROOT / "pyproject.toml"], str(ROOT))
    with stamped(VENV / ".stamps" / "whyheap", state, VENV / "bin" / "whyheap") as stale:
        if stale:
            offline = ("--no-deps", "--no-build-isolation", "--no-index")
            run("whyheap", [str(VENV / "bin" / "python"), *PIP, *offline, "--editable", str(ROOT)])


def unpack_go(lock: Path) -> None:
    """Unpack one Go toolchain into .cache/go/<version>, whole or not at all."""
    version = lock.stem
    home = CACHE / "go" / version
    with stamped(CACHE / "stamps" / f"go-{version}", digest([lock]), home / "go" / "bin" / "go") as stale:
        if not stale:
            return
        half = CACHE / "go" / f"{version}.part"
        shutil.rmtree(half, ignore_errors=True)
        where = ("--no-compile", "--no-deps", "--target", str(half))
        run(f"go {version}", [str(VENV / "bin" / "python"), *PIP, *LOCKED, *where, "-r", str(lock)])
        if home.is_symlink():
            home.unlink()
        shutil.rmtree(home, ignore_errors=True)
        half.rename(home)


def build_page() -> None:
    """Build the report's page from web/ with npm."""
    web = ROOT / "web"
    if not (web / "package-lock.json").is_file():
        return
    npm = find_npm()
    with stamped(CACHE / "stamps" / "npm", digest([web / "package-lock.json"]), web / "node_modules") as stale:
        if stale:
            run("npm packages", [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=web)
    sources = [path for path in web.rglob("*") if path.is_file() and "node_modules" not in path.parts]
    page = ROOT / "src" / "whyheap" / "report" / "page" / "index.html"
    with stamped(CACHE / "stamps" / "page", digest(sources), page) as stale:
        if stale:
            run("report page", [npm, "run", "--silent", "build"], cwd=web)


def find_npm() -> str:
    """Return the machine's npm when its Node is new enough, else one in .venv."""
    node, npm = which("node", "nodejs"), which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= OLDEST_NODE:
            return npm
    install_lock("node", "node.txt")
    return str(VENV / "bin" / "npm")


def find_debian_programs() -> None:
    """See that the tests find them; one after the other, because apt does one thing at a time."""
    find_chromium()
    unpack_prometheus()
    find_machine()


def find_chromium() -> None:
    """See that the browser tests find a Chromium."""
    if which(*CHROMIUM) is None:
        apt("chromium", "the browser tests need Chromium")


def unpack_prometheus() -> None:
    """Unpack Debian's prometheus into .cache where the machine has none: installed, it would run as a service."""
    home = CACHE / "prometheus"
    if which("prometheus") is None and not (home / PROMETHEUS).is_file():
        unpack_package("prometheus", home, "the tests need a Prometheus server")


def find_machine() -> None:
    """See that the tests find qemu and a kernel for it: the lab runs programs under cgroup v2 there, on amd64."""
    if os.uname().machine != "x86_64":
        return
    if which("qemu-system-x86_64") is None:
        apt("qemu-system-x86", "the lab's machine needs qemu")
    home = CACHE / "kernel"
    if any(home.glob("boot/vmlinuz-*")):
        return
    quiet, env = apt_command("linux-image-cloud-amd64", "the lab's machine needs a kernel")
    run("apt update", [*quiet, "update"], env=env)
    depends = ["apt-cache", "depends", "--no-recommends", "--no-suggests", "linux-image-cloud-amd64"]
    told = subprocess.run(depends, capture_output=True, text=True, check=False, env=env).stdout
    image = next((line.split()[-1] for line in told.splitlines() if "Depends: linux-image-" in line), None)
    if image is None:
        raise StepFailedError("apt names no kernel image that linux-image-cloud-amd64 depends on")
    unpack_package(image, home, "the lab's machine needs a kernel")


def unpack_package(package: str, home: Path, reason: str) -> None:
    """Unpack a Debian package into a folder, whole or not at all, without installing it."""
    quiet, env = apt_command(package, reason)
    with tempfile.TemporaryDirectory() as folder:
        run("apt update", [*quiet, "update"], env=env)
        unsandboxed = ("-o", "APT::Sandbox::User=root")
        run(f"download {package}", [*quiet, *unsandboxed, "download", package], cwd=Path(folder), env=env)
        (file,) = Path(folder).glob("*.deb")
        half = home.with_name(f"{home.name}.part")
        shutil.rmtree(half, ignore_errors=True)
        run(f"unpack {package}", ["dpkg", "-x", str(file), str(half)], env=env)
        shutil.rmtree(home, ignore_errors=True)
        half.rename(home)


def apt(package: str, reason: str) -> None:
    """Install a Debian package when we may, else say what to do."""
    quiet, env = apt_command(package, reason)
    run("apt update", [*quiet, "update"], env=env)
    run(f"apt install {package}", [*quiet, "install", "-y", "--no-install-recommends", package], env=env)


def apt_command(package: str, reason: str) -> tuple[list[str], dict[str, str]]:
    """Return apt-get as it is called here and its environment; StepFailedError when we may not use it."""
    if os.geteuid() != 0 or which("apt-get") is None:
        raise StepFailedError(f"{reason}. Install it, then try again:  sudo apt install {package}")
    return ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"], {**environment(), "DEBIAN_FRONTEND": "noninteractive"}


def works(python: Path, statement: str) -> bool:
    """Return whether this Python runs the statement."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", statement], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
