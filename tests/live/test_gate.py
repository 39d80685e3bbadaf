"""`whyheap gate` with real compilers: what is new, since when, by which Go, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from cli_runs import Cli
from git_history import commit, git, repository
from go_module import GO_MOD, cli_in, write_files
from toolchains import go, versions

pytestmark = pytest.mark.live

MODULE = {
    "go.mod": GO_MOD,
    "good/good.go": "package good\n\nfunc New(n int) *int { return &n }\n",
    "my-pkg/big.go": (
        "package mypkg\n\nfunc use(b []byte) (n int) {\n\tfor i := range b {\n\t\tb[i] = byte(i)\n\t\tn += int(b[i])\n"
        "\t}\n\treturn n\n}\n\nfunc Big() int {\n\tvar buffer [200 << 10]byte\n\treturn use(buffer[:])\n}\n"
    ),
}
ADDED = "package mypkg\n\nfunc Added() *int {\n\tn := 4\n\treturn &n\n}\n"


@pytest.fixture
def cli(cache: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run in a small module, where the newest Go is the only one that can be found."""
    found = cli_in(write_files(tmp_path / "shop", MODULE), cache, capsys, monkeypatch)
    monkeypatch.setenv("PATH", f"{go().parent}:/usr/bin:/bin")
    return found


def digest(folder: Path) -> str:
    """Return what changes when anything below a folder does."""
    parts = sorted((str(file.relative_to(folder)), file.read_bytes()) for file in folder.rglob("*") if file.is_file())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def test_a_baseline_knows_what_is_there_and_nothing_else(cli: Cli) -> None:
    assert "nothing to check" in cli("gate").check_error(2)
    assert "entries, 2 new, 0 gone" in cli("gate", "--update").out.replace("2 entries", "entries")
    before = digest(Path.cwd())
    clean = cli("gate")
    assert (clean.code, clean.out.count("\n")) == (0, 1)
    assert clean.out.startswith("shop: no violations; 2 packages, 2 sites; go1.")
    assert digest(Path.cwd()) == before

    Path("my-pkg/added.go").write_text(ADDED)
    ran = cli("gate")
    assert ran.code == 1
    assert ran.out.startswith("my-pkg/added.go:4:2: new-site: allocates: moved to heap: n: ")
    summary, way_out = ran.out.splitlines()[-2:]
    assert summary.startswith("shop: 1 violation (1 new-site); ")
    assert way_out.endswith("whyheap explain my-pkg/added.go:4 says why), or accept them:  whyheap gate --update")
    violation = json.loads(cli("gate", "--format", "json").out)["violations"][0]
    assert (violation["rule"], violation["site"]["line"], violation["pattern"]) == ("new-site", 4, "returned-address")
    assert violation["id"] == violation["finding"]

    Path("my-pkg/added.go").unlink()
    Path("good/good.go").write_text("package good\n")
    gone = cli("gate")
    assert gone.code == 0
    assert "note: 1 entry is gone: --update" in gone.out


def test_equal_code_has_equal_results(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(Path(__file__).parent / "gate_planted", Path.cwd(), dirs_exist_ok=True)
    Path("go.mod").write_text("module example.com/planted\n\ngo 1.22\n")
    results = [cli("gate", "--format", "json") for _ in range(4)]
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "cold"))
    results += [cli("gate", "--format", "json") for _ in range(2)]
    assert results[0].code == 1
    assert len({ran.out for ran in results}) == 1


def test_update_of_some_packages_keeps_the_others(cli: Cli) -> None:
    assert cli("gate", "--update").code == 0
    Path("my-pkg/added.go").write_text(ADDED)
    assert cli("gate", "--update", "./my-pkg").code == 0
    assert cli("gate").code == 0
    lines = Path("whyheap.baseline").read_text().splitlines()
    assert [line.split("\t")[2:4] for line in lines if "\t" in line] == [
        ["example.com/shop/good", "New"],
        ["example.com/shop/my-pkg", "Added"],
        ["example.com/shop/my-pkg", "Big"],
    ]


def test_a_new_go_is_told_from_new_code(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = versions()[1]
    old = go(version)
    assert cli("gate", "--update", "--go", old).code == 0
    monkeypatch.setenv("WHYHEAP_CACHE", str(tmp_path / "other"))  # where nobody has seen the old Go
    monkeypatch.setenv("HOME", str(tmp_path))
    doubtful = cli("gate")
    assert doubtful.code == 1
    assert f"it is of go{version}, this is go1." in doubtful.out
    assert (
        f"go{version} is not on this machine, so it cannot be told whether code or Go brings 1 new site" in doubtful.out
    )
    assert cli("gate", "--allow-unknown").code == 0

    told = cli("gate", "--baseline-go", old)
    assert told.code == 0
    assert "note: 1 site differs only because of Go: " in told.out
    Path("my-pkg/added.go").write_text(ADDED)
    mixed = cli("gate")  # the old Go was seen in the meantime
    assert mixed.code == 1
    assert [line.split(": ")[:2] for line in mixed.out.splitlines() if "new-site:" in line] == [
        ["my-pkg/added.go:4:2", "new-site"]
    ]
    assert "1 site differs only because of Go" in mixed.out
    assert "and the baseline is of go" in cli("gate", "--baseline-go", go()).check_error(2)


def test_since_a_revision(cli: Cli, cache: Path) -> None:
    assert "is in no git repository" in cli("gate", "--since", "HEAD").check_error(2)
    root = repository(Path.cwd())
    old = "package good\n\nvar kept *int\n\nfunc Old() {\n\t//whyheap:noescape\n\tn := 1\n\tkept = &n\n}\n"
    commit(root, {".gitattributes": "good export-ignore\n", "good/old.go": old})
    assert "git knows no revision 'nothing'" in cli("gate", "--since", "nothing").check_error(2)
    assert cli("gate", "--since", "HEAD").code == 0

    Path("my-pkg/added.go").write_text(ADDED)
    Path("good/good.go").write_text("package good\n\n// Moved.\n\nfunc New(n int) *int {\n\treturn &n\n}\n")
    git(root, "add", "good/good.go")
    Path("good/good.go").write_text("package good\n\n// Moved again.\n\nfunc New(n int) *int {\n\n\treturn &n\n}\n")
    before = (git(root, "status", "--porcelain"), digest(root))
    ran = cli("gate", "--since", "HEAD")
    assert ran.code == 1
    assert [line.split(": ")[:2] for line in ran.out.splitlines()[:-2]] == [["my-pkg/added.go:4:2", "new-site"]]
    assert "--update" not in ran.out
    assert "HEAD does not have it" in ran.out
    assert (digest(root), git(root, "status", "--porcelain")) == (before[1], before[0])
    assert [path.name for path in cache.glob("revisions/*/*")] == ["lock"]

    Path("fresh").mkdir()
    Path("fresh/fresh.go").write_text(ADDED.replace("mypkg", "fresh"))
    fresh = cli("gate", "--since", "HEAD", "./fresh")
    assert (fresh.code, fresh.out.count("new-site:")) == (1, 1)
    assert "note: HEAD has no ./fresh here: all sites are new" in fresh.out


def test_since_a_revision_that_needs_what_is_beside_it(cli: Cli, tmp_path: Path) -> None:
    root = repository(Path.cwd())
    other = {"go.mod": "module example.com/other\n\ngo 1.22\n", "other.go": "package other\n\nfunc F() {}\n"}
    write_files(tmp_path / "other", other)
    uses = 'package uses\n\nimport "example.com/other"\n\nfunc G() { other.F() }\n'
    commit(root, {"go.work": "go 1.22\n\nuse (\n\t.\n\t../other\n)\n", "uses/uses.go": uses})
    Path("my-pkg/added.go").write_text(ADDED)
    ran = cli("gate", "--since", "HEAD", "./my-pkg", "./uses", f"{root}/good/...")
    assert ran.code == 1, ran
    first, *notes, _, _ = ran.out.splitlines()
    assert "my-pkg/added.go:4:2: new-site" in first
    outside = f"{tmp_path / 'other'} is a folder outside the repository, and used as now"
    assert notes == [f"note: git: {outside}. What changed in there is in neither side"]


def test_since_a_revision_whose_build_needs_a_submodule(cli: Cli, tmp_path: Path) -> None:
    root, inner = repository(Path.cwd()), repository(tmp_path / "inner")
    commit(inner, {"go.mod": "module example.com/inner\n", "x.go": "package inner\n\nfunc F() {}\n"})
    git(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "third/inner")
    needs = f"{GO_MOD}\nrequire example.com/inner v0.0.0\n\nreplace example.com/inner => ./third/inner\n"
    uses = 'package uses\n\nimport "example.com/inner"\n\nfunc G() { inner.F() }\n'
    commit(root, {"go.mod": needs, "uses/uses.go": uses})
    assert cli("gate", "--since", "HEAD").out.startswith("shop: no violations; 3 packages, 2 sites")

    Path("third/inner/x.go").write_text(f"package inner\n\nfunc F() {{}}\n{ADDED.removeprefix('package mypkg')}")
    ran = cli("gate", "--since", "HEAD", "./...", "example.com/inner")
    assert ran.code == 1, ran
    new = [line.split(": ")[0] for line in ran.out.splitlines() if ": new-site: " in line]
    assert new == ["third/inner/x.go:7:2"]
    commit(root / "third" / "inner", {})
    commit(root, {})
    changes = json.loads(cli("diff", "HEAD~1", "HEAD", "./...", "example.com/inner", "--format", "json").out)["changes"]
    assert [(one["change"], one["after"]["site"]["file"]) for one in changes] == [("added", "third/inner/x.go")]

    Path("go.mod").write_text(GO_MOD)
    shutil.rmtree("uses")
    git(root, "submodule", "deinit", "-q", "-f", "third/inner")
    shutil.rmtree(root / ".git" / "modules")
    ran = cli("gate", "--since", "HEAD")
    assert ran.code == 0, ran
    assert (
        "third/inner is a submodule whose commit is not here: left out. Fetch what is missing: git submodule" in ran.out
    )
    ran = cli("diff", "HEAD", "HEAD", "./uses")
    assert (ran.code, "git submodule update --init --recursive" in ran.err) == (3, True)


@pytest.mark.parametrize("old", ["go 1.22\n\ntoolchain go{}\n", "go 1.22\n"])
def test_a_revision_that_asks_for_another_go(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    newest, other = versions()[-1], versions()[0]
    found = tmp_path / "go"
    found.mkdir()
    for version in (newest, other):
        (found / f"go{version}").symlink_to(go(version))
    (found / "go").symlink_to(go(other))
    monkeypatch.setenv("PATH", f"{found}:/usr/bin:/bin")
    monkeypatch.setenv("GOTOOLCHAIN", "path")
    root = repository(Path.cwd())
    commit(root, {"go.mod": f"module example.com/shop\n\n{old.format(other)}"})
    Path("go.mod").write_text(f"module example.com/shop\n\ngo 1.22\n\ntoolchain go{newest}\n")
    ran = cli("gate", "--since", "HEAD")  # the old Go keeps the buffer of big.go on the stack
    assert ran.code == 0, ran
    assert f"go{newest}" in ran.out
    assert json.loads(cli("diff", "HEAD", "--format", "json").out)["changes"] == []


def test_generic_code_of_other_packages(cli: Cli) -> None:
    box = "package box\n\ntype Box[T any] struct{ v []T }\n\nfunc (b *Box[T]) Add(v T) { b.v = append(b.v, v) }\n"
    uses = 'package uses\n\nimport "example.com/shop/box"\n\nvar B box.Box[string]\n\nfunc G(s string) { B.Add(s) }\n'
    write_files(Path.cwd(), {"box/box.go": box, "uses/uses.go": uses})
    assert cli("gate", "--update").code == 0
    before = Path("whyheap.baseline").read_bytes()
    for package in ("./uses", "./box", "./..."):
        assert cli("gate", package).code == 0
        assert cli("gate", "--update", package).code == 0
        assert Path("whyheap.baseline").read_bytes() == before, package
    Path("uses/uses.go").write_text(f"{uses}\nfunc H() *int {{ return new(int) }}\n")
    assert cli("gate", "./uses").out.count("new-site:") == 1


def test_a_part_of_the_code(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    uses = 'package uses\n\nimport "example.com/shop/good"\n\nfunc G(n int) []int { return good.Many(n) }\n'
    many = "package good\n\nfunc Many(n int) []int { return make([]int, n) }\n"
    write_files(Path.cwd(), {"uses/uses.go": uses, "good/good.go": many})
    Path("whyheap.toml").write_text(
        '[gate.budgets."./good"]\nheap_sites = 1\n\n[gate.budgets."./uses/gone"]\nheap_sites = 0\n'
    )
    assert cli("gate", "--update").code == 0
    before = Path("whyheap.baseline").read_bytes()
    known = ("--baseline", Path("whyheap.baseline").resolve())
    assert "1 budget" in cli("gate").out  # of ./uses/gone, which is not there
    part = cli("gate", "./uses")
    assert (part.code, part.out.count("note: there is no scanned package")) == (0, 2), part
    assert "note: 1 site is of packages that were not asked about, and not judged" in part.out
    assert cli("gate", "--update", "./uses").code == 0
    assert Path("whyheap.baseline").read_bytes() == before

    monkeypatch.chdir("uses")
    config = ("--config", Path("../whyheap.toml").resolve())
    part = cli("gate", *known, *config)
    assert part.out.count("note: there is no scanned package ./good") == 1, part
    assert [line.split(": ")[1] for line in part.out.splitlines() if ": budget: " in line] == ["budget"]
    assert "./uses/gone, so its budget guards nothing" in part.out
    assert cli("gate", *known, "--update").code == 0
    assert Path("../whyheap.baseline").read_bytes() == before

    Path("uses.go").write_text(f"{uses}\nfunc H() *int {{ return new(int) }}\n")
    assert cli("gate", *known).out.count("new-site:") == 1


def test_budgets(cli: Cli) -> None:
    config = Path("whyheap.toml")
    config.write_text(
        '[gate.budgets."./good"]\nheap_sites = 0\n\n[gate.budgets."example.com/shop/my-pkg.Big"]\nheap_sites = 1\n'
        'silent_allocations = 0\n\n[gate.budgets."./good.Neww"]\nheap_sites = 1\n'
    )
    ran = cli("gate")
    assert ran.code == 1
    first, second = ran.out.splitlines()[:2]
    assert first.startswith("whyheap.toml:1:1: budget: heap sites of ./good: 1, its budget is 0: good/good.go:3:10")
    assert second.startswith("whyheap.toml:8:1: budget: there is no function ./good.Neww")
    config.write_text('[gate.budgets."./..."]\nheap_sites = 2\n')
    assert cli("gate").code == 0
    for option in ("update = true", 'baseline-go = "./go"'):
        config.write_text(f"[gate]\n{option}\n")
        assert "is not taken from a file that was not named" in cli("gate").check_error(2)
    config.write_text('[gate.budgets."./good"]\nheap_site = 2\n')
    assert cli("gate").check_error(2) == "whyheap.toml:1: a budget has no 'heap_site'"


def test_budgets_that_benchmarks_measure(cli: Cli) -> None:
    config = Path("whyheap.toml")
    config.write_text('[gate.budgets."./good.New"]\nallocs_per_op = 0\nbytes_per_op = 8\n')
    assert "runs benchmarks, which a file that was not named may not do" in cli("gate").check_error(2)
    missing = cli("gate", "--config", config)
    assert "no benchmark measures ./good.New" in missing.out
    Path("good/good_test.go").write_text(
        'package good\n\nimport "testing"\n\nvar kept *int\n\nfunc BenchmarkNew(b *testing.B) {\n'
        "\tfor i := 0; i < b.N; i++ {\n\t\tkept = New(i)\n\t}\n}\n"
    )
    ran = cli("gate", "--config", config)
    assert ran.code == 1
    assert ran.out.startswith(
        "whyheap.toml:1:1: budget: allocations per operation of example.com/shop/good.BenchmarkNew: 1, its budget is "
    )
    assert ran.out.splitlines()[-2].startswith("shop: 1 violation (1 budget); ")
    Path("good/good_test.go").write_text(
        'package good\n\nimport "testing"\n\nfunc BenchmarkNew(b *testing.B) { b.Fatal() }\n'
    )
    failed = cli("gate", "--config", config)
    assert failed.code == 3
    assert "the benchmarks failed: " in failed.err


def test_what_was_not_understood_fails_closed(cli: Cli) -> None:
    flags = ("--gcflags", "-d=ssa/check_bce/debug=1")  # prints in words of its own
    Path("good/index.go").write_text("package good\n\nfunc At(s []int, i int) int { return s[i] }\n")
    refused = cli("gate", *flags, "--update")
    assert (refused.code, Path("whyheap.baseline").exists()) == (3, False)
    assert cli("gate", *flags, "--update", "--allow-unknown").code == 0
    ran = cli("gate", *flags)
    assert ran.code == 3
    assert "not understood: good/index.go:3:39: Found IsInBounds" in ran.out
    assert "line not understood (--allow-unknown passes over them)" in ran.out.splitlines()[-1]
    assert cli("gate", *flags, "--allow-unknown").code == 0


def test_what_does_not_build_is_no_pass(cli: Cli) -> None:
    assert cli("gate", "--update").code == 0
    before = Path("whyheap.baseline").read_bytes()
    Path("my-pkg/added.go").write_text("package mypkg\n\nfunc Added() { missing }\n")
    ran = cli("gate")
    assert ran.code == 3
    assert "1 of 2 packages could not be built" in ran.err
    assert "shop: not all of it could be judged; " in ran.out
    said = {name: cli("gate", "--format", name).out for name in ("json", "sarif", "github", "junit", "markdown")}
    assert json.loads(said["json"])["not_judged"][0].startswith("1 of 2 packages could not be built")
    assert '"executionSuccessful":false' in said["sarif"]
    assert said["github"].startswith("::error title=whyheap::not judged: 1 of 2 packages could not be built")
    assert 'errors="1"' in said["junit"]
    assert " holds" not in said["junit"]
    assert "- not judged: " in said["markdown"]
    assert cli("gate", "--update").code == 3
    assert Path("whyheap.baseline").read_bytes() == before
    Path("my-pkg/added.go").unlink()
    assert cli("gate", "./...", "./nope").code == 3
    Path("empty").mkdir()
    assert "matched no packages" in cli("gate", "./empty/...").check_error(3)
    Path("go.mod").unlink()
    assert "Run it inside a Go module" in cli("gate").err


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda text: b"<<<<<<< HEAD\n" + text, "whyheap.baseline:1: a merge conflict is not resolved"),
        (lambda text: text.replace(b"baseline 1", b"baseline 2"), "is a baseline of schema 2"),
        (lambda text: text[: len(text) // 2], "whyheap.baseline is cut off"),
        (lambda text: b"\xff\xfe" + text, "it is not UTF-8 text"),
        (lambda _: b"package main\n", "whyheap.baseline is no baseline"),
        (lambda text: text.replace(b"returned-address", b"a\tb"), "this is no entry of a baseline"),
        (lambda text: re.sub(rb"platform: .*", b"platform: plan9/386", text), "is of a build plan9/386, this one is "),
    ],
)
def test_a_bad_baseline_is_refused_and_kept(cli: Cli, spoil: object, reason: str) -> None:
    assert cli("gate", "--update").code == 0
    file = Path("whyheap.baseline")
    assert callable(spoil)
    bad = spoil(file.read_bytes())
    file.write_bytes(bad)
    assert reason in cli("gate").check_error(2)
    if "this one is" not in reason:
        cli("gate", "--update").check_error(2)
        assert file.read_bytes() == bad


def test_words_that_make_no_sense(cli: Cli, tmp_path: Path) -> None:
    assert "there is no such file" in cli("gate", "--baseline", tmp_path / "none").check_error(2)
    assert "it is no file" in cli("gate", "--baseline", tmp_path).check_error(2)
    assert "there is no such file" in cli("gate", "--baseline", "whyheap.baseline").check_error(2)
    assert "--since names no revision" in cli("gate", "--since", "").check_error(2)
    cli("gate", "--update", "--since", "HEAD").check_error(2)
    assert "is not a format; there are text" in cli("gate", "--format", "html").check_error(2)
    ran = cli("gate", "--update", "--baseline", tmp_path / "missing" / "file")
    assert "could not be written" in ran.check_error(3)
