"""The demo: put examples/oomshop under load and ask whyheap why its memory grows. `make demo` calls this.

Everything that it starts ends with it, also on Ctrl-C; the service would end by itself after two minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from steps import CACHE, ROOT, VENV, StepFailedError, environment, find_go, run, say, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOP = ROOT / "examples" / "oomshop"
PROGRAMS = CACHE / "demo"
READY_SECONDS = 10
WARM_UP_SECONDS = 6
LOAD_SECONDS = 60
SERVICE_SECONDS = 120
GRACE_SECONDS = 3


def main() -> int:
    """Build, load, ask, clean up; return whyheap's exit code."""
    options = parse_options()
    go = find_go()
    if go is None:
        raise StepFailedError("no Go toolchain was found; `make install` gets one")
    env = environment()
    env["PATH"] = f"{Path(go).parent}{os.pathsep}{env['PATH']}"
    report = Path(options.output).resolve()
    report.parent.mkdir(parents=True, exist_ok=True)

    say("whyheap demo")
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    run("build oomshop and its load", [go, "build", "-o", f"{PROGRAMS}{os.sep}", "./..."], cwd=SHOP, env=env)
    service = [str(PROGRAMS / "oomshop"), "-listen", "127.0.0.1:0", "-max-seconds", str(SERVICE_SECONDS)]
    with child(service, stdout=subprocess.PIPE) as shop:
        url = ready_url(shop)
        say(f"  oomshop is up                {url}")
        load = [str(PROGRAMS / "loadgen"), "-url", url, "-seconds", str(LOAD_SECONDS), "-rate", str(options.rate)]
        with child(load, stdout=subprocess.DEVNULL):
            time.sleep(WARM_UP_SECONDS)
            question = ["why", "./...", url, "--seconds", str(options.seconds), "-o", str(report)]
            shown = " ".join(question[:-1]).replace(url, "URL")
            say(f"  {options.rate:,} requests a second; now: whyheap {shown} {report.name}\n")
            code = subprocess.run([options.whyheap, *question], cwd=SHOP, env=env, check=False).returncode
    if code == 0:
        say(f"\nreport: {report}")
    return code


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", default=str(ROOT / "out" / "demo.html"), help="where the HTML report goes")
    parser.add_argument("--seconds", type=int, default=10, help="how long whyheap samples")
    parser.add_argument("--rate", type=int, default=2000, help="requests per second")
    parser.add_argument("--whyheap", default=str(VENV / "bin" / "whyheap"), help="the whyheap to run")
    return parser.parse_args()


@contextlib.contextmanager
def child(command: list[str], stdout: int) -> Iterator[subprocess.Popen[str]]:
    """Run a program for as long as the block lasts."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, text=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def ready_url(shop: subprocess.Popen[str]) -> str:
    """Wait for the service's ready line and return the address in it."""
    if shop.stdout is None:
        raise StepFailedError("oomshop was started without a pipe")
    with selectors.DefaultSelector() as selector:
        selector.register(shop.stdout, selectors.EVENT_READ)
        line = shop.stdout.readline() if selector.select(READY_SECONDS) else ""
    found = re.search(r"http://[\d.:]+", line)
    if found is None:
        raise StepFailedError(f"oomshop did not come up within {READY_SECONDS} s")
    return found.group()


def interrupt(signum: int, frame: object) -> NoReturn:
    """End like Ctrl-C, so that the children are ended too."""
    del signum, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(main())
    except StepFailedError as error:
        stop(error)
    except KeyboardInterrupt:
        sys.exit(130)
