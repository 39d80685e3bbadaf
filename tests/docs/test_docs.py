"""The documentation says what the product does: generated pages are fresh, links lead somewhere, examples run.

A block that begins with ```console is run in a copy of examples/oomshop, where its `$ whyheap ...` lines must end with
status 0, or N if it begins with ```console exit=N. The lines below a command must come in its output, in that order;
numbers may differ, and ... stands for anything. http://127.0.0.1:6060 becomes the address of an oomshop under load, and
heap.pb.gz its heap profile. Blocks with file=NAME are written there first. ```python blocks are run too, and compared
with the ```text block that follows.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from toolchains import environment, go

ROOT = Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "oomshop"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ADDRESS = "http://127.0.0.1:6060"
PROFILE = "heap.pb.gz"
MAKE_DOCS = ROOT / "scripts" / "make_docs.py"
GENERATED = {"allocation-verdicts.md", "causes.md", "commands.md", "folklore.md", "pattern-matrix.md", "patterns.md"}
WHYHEAP = Path(sys.executable).with_name("whyheap")
ALONE = {"patterns", "causes", "completion", "--help", "--version"}
LONGEST_SECONDS = 120


@dataclass(frozen=True)
class Block:
    """A fenced block; `words` stand behind the backticks that open it."""

    page: Path
    line: int
    words: tuple[str, ...]
    text: str

    @property
    def id(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    opened, start, words = False, 0, tuple[str, ...]()
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            if opened:
                yield Block(page, start, words, "\n".join(lines[start : number - 1]))
            opened, start, words = not opened, number, tuple(line[3:].split())
    assert not opened, f"{page}:{start}: a block that is never closed"


ALL = [block for page in PAGES for block in blocks(page)]
CONSOLE = [block for block in ALL if block.words[:1] == ("console",)]
PYTHON = [(block, after) for block, after in zip(ALL, [*ALL[1:], None], strict=True) if block.words == ("python",)]


def needs_go(block: Block) -> bool:
    return any(command.split()[1:2] != [] and command.split()[1] not in ALONE for command, _ in commands(block.text))


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Cut a console block into commands, each with the lines expected below it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            assert found, f"{line!r} stands above the first command"
            found[-1][1].append(line)
    return found


def plain(line: str) -> str:
    """Take out of a line what differs from run to run: sizes, counts, spaces, bars."""
    line = re.sub(r"#{2,}", "#", line)
    line = re.sub(r">=(?=\d)", "", line)  # a rate that is at least so much
    line = re.sub(r"(?<![\w:.])\d[\d,.]*( ?(?:[KMGT]i)?B(?:/s)?\b)?", "0", line)
    return " ".join(line.split())


def missing(expected: list[str], output: str) -> str | None:
    """Return the first expected line that does not come after those before it."""
    rest = [plain(line) for line in output.splitlines()]
    for line in expected:
        wanted = re.compile(".*".join(re.escape(plain(part)) for part in line.split("...")).replace(r"\ ", r"\ ?"))
        while line.strip() not in {"", "..."}:
            if not rest:
                return line
            if wanted.fullmatch(rest.pop(0)):
                break
    return None


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the service's source, to be free to write beside it; one for all examples, as go caches by folder."""
    folder = tmp_path_factory.mktemp("shop") / "oomshop"
    shutil.copytree(SHOP, folder)
    for block in ALL:
        for word in block.words[1:]:
            if word.startswith("file="):
                path = folder / word.removeprefix("file=")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has the toolchains of the tests, so that --go VERSION fetches none."""
    folder = tmp_path_factory.mktemp("cache")
    for there in (ROOT / ".cache" / "go").glob("*"):
        (folder / "toolchains").mkdir(exist_ok=True)
        (folder / "toolchains" / there.name).symlink_to(there.resolve())
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an oomshop under load."""
    folder = tmp_path_factory.mktemp("service")
    subprocess.run([go(), "build", "-o", f"{folder}{os.sep}", "./..."], cwd=SHOP, env=environment(), check=True)
    server = [str(folder / "oomshop"), "-listen", "127.0.0.1:0", "-max-seconds", "300"]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as shop:
        assert shop.stdout is not None
        found = re.search(r"http://[\d.:]+", shop.stdout.readline())
        assert found is not None
        quiet = subprocess.DEVNULL
        load = [str(folder / "loadgen"), "-url", found[0], "-seconds", "300", "-rate", "1000"]
        with subprocess.Popen(load, stdout=quiet, stderr=quiet) as generator:
            yield found[0]
            generator.terminate()
        shop.terminate()


def prepared(text: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """Put the address of a running service into a block, and its profile beside it, where the block speaks of them."""
    if ADDRESS not in text and PROFILE not in text:
        return text
    address: str = request.getfixturevalue("service")
    if PROFILE in text and f"-o {PROFILE}" not in text:
        with urllib.request.urlopen(f"{address}/debug/pprof/heap", timeout=30) as answer:  # noqa: S310 - loopback
            (folder / PROFILE).write_bytes(answer.read())
    return text.replace(ADDRESS, address)


def surroundings(cache: Path, *, with_go: bool) -> dict[str, str]:
    env = environment() if with_go else dict(os.environ)
    return env | {"WHYHEAP_CACHE": str(cache), "COLUMNS": "100", "NO_COLOR": "1"}


def make_docs(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, MAKE_DOCS, *arguments], check=False, capture_output=True, text=True)


def test_generated_pages_are_fresh() -> None:
    checked = make_docs("--check")
    assert checked.returncode == 0, checked.stderr


def test_check_names_the_stale_page_and_writes_nothing(tmp_path: Path) -> None:
    assert make_docs("--folder", tmp_path).returncode == 0
    assert {page.name for page in tmp_path.iterdir()} == GENERATED
    (tmp_path / "causes.md").write_text("old")
    checked = make_docs("--check", "--folder", tmp_path)
    assert checked.returncode == 1
    assert "causes.md is stale" in checked.stderr
    assert "commands.md" not in checked.stderr
    assert (tmp_path / "causes.md").read_text() == "old"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"(?<!\\)\]\(([^)]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_scripts_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [f"{module.replace('.', '/')}.py" for module in re.findall(r"-m (bench\.\w+)", text)]
    named += re.findall(r"\b(?:bench|scripts)/\w+\.py", text)
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert {page.name for page in PAGES[1:]} - {"README.md"} <= set(re.findall(r"\]\(([^)#]+)", index))


def test_examples_declare_what_they_are() -> None:
    for block in CONSOLE:
        assert all(command.split()[0] == "whyheap" for command, _ in commands(block.text)), block.id
    assert len(CONSOLE) > 5
    assert PYTHON


@pytest.mark.parametrize("block", [pytest.param(one, id=one.id) for one in CONSOLE if not needs_go(one)])
def test_example_without_go(block: Block, shop: Path, cache: Path, request: pytest.FixtureRequest) -> None:
    run_console(block, shop, cache, request)


@pytest.mark.live
@pytest.mark.parametrize("block", [pytest.param(one, id=one.id) for one in CONSOLE if needs_go(one)])
def test_example(block: Block, shop: Path, cache: Path, request: pytest.FixtureRequest) -> None:
    run_console(block, shop, cache, request)


def run_console(block: Block, folder: Path, cache: Path, request: pytest.FixtureRequest) -> None:
    status = next((int(word.removeprefix("exit=")) for word in block.words if word.startswith("exit=")), 0)
    env = surroundings(cache, with_go=needs_go(block))
    for command, expected in commands(prepared(block.text, folder, request)):
        done = subprocess.run(
            [WHYHEAP, *shlex.split(command)[1:]],
            cwd=folder,
            env=env,
            check=False,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
        )
        assert done.returncode == status, f"$ {command}\n{done.stdout}{done.stderr}"
        output = done.stdout + done.stderr
        lost = missing(expected, output)
        assert lost is None, f"$ {command}\nprints no line like {lost!r}:\n{output}"


@pytest.mark.live
@pytest.mark.parametrize(("block", "after"), [pytest.param(*pair, id=pair[0].id) for pair in PYTHON])
def test_python_example(
    block: Block, after: Block | None, shop: Path, cache: Path, request: pytest.FixtureRequest
) -> None:
    code = prepared(block.text, shop, request)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=shop,
        env=surroundings(cache, with_go=True) | {"PYTHONPATH": str(ROOT / "tests")},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    if after is not None and after.page == block.page and after.words == ("text",):
        lost = missing(after.text.splitlines(), done.stdout)
        assert lost is None, f"prints no line like {lost!r}:\n{done.stdout}"


def test_numbers_may_differ_but_words_may_not() -> None:
    output = " 12 MiB  84 %   cache.go:32  storePage\n next line 7"
    assert missing(["   77.2 MiB 8 % cache.go:32 storePage", "..."], output) is None
    assert missing([" ... cache.go:32 ...", "next line 8"], output) is None
    assert missing(["77.2 MiB 8 % cache.go:33 storePage"], output) is not None
    assert missing(["next line 7", "... cache.go:32 ..."], output) is not None
