"""CI: the action, the template, the hooks and every example of docs/ci.md run, with stand-ins for what only a host has.

The action's own installation is not run here: it needs
an index and minutes; a folder with this checkout's whyheap stands in for it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolchains import environment
from whyheap.report.formats import FORMATS, format_for

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "ci.md"
ACTION = ROOT / "ci" / "github" / "action.yml"
TEMPLATE = ROOT / "ci" / "gitlab" / "whyheap.gitlab-ci.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
SHOP = ROOT / "examples" / "oomshop"
BIN = Path(sys.executable).parent
COMMANDS = ["scan", "gate"]
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOST_ACTIONS = {"actions/checkout", "actions/setup-go", "github/codeql-action/upload-sarif"}
OWN_ACTION = "OWNER/whyheap/ci/github"
LONGEST_SECONDS = 240
Json = dict[str, Any]


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def examples(language: str, *words: str) -> list[Any]:
    """Return the page's blocks of a language with these words, those of a gate among them."""
    found = []
    for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        marks = match[2].split()
        if match[1] == language and [mark for mark in marks if mark != "gate"] == list(words):
            line = PAGE.read_text(encoding="utf-8").count("\n", 0, match.start()) + 1
            found.append(pytest.param(match[3], id=f"ci.md:{line}"))
    return found


@dataclass
class Host:
    """A stand-in for a CI host: a repository with the module in a folder, temporary files, step outputs."""

    root: Path

    @property
    def module(self) -> Path:
        return self.root / "services" / "oomshop"

    @property
    def temp(self) -> Path:
        return self.root / "temp"

    @property
    def summary(self) -> Path:
        return self.root / "summary.md"

    def outputs(self) -> dict[str, str]:
        lines = (self.root / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def run(
        self, script: str, folder: Path, variables: Mapping[str, str], *, path: str = ""
    ) -> subprocess.CompletedProcess[str]:
        env = environment(
            GITHUB_STEP_SUMMARY=str(self.summary), GITHUB_OUTPUT=str(self.root / "output"), NO_COLOR="1", **variables
        )
        env["WHYHEAP_CACHE"] = str(self.root / "cache")
        env["PATH"] = path + env["PATH"]
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env=env,
            check=False,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
        )


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    host = Host(tmp_path_factory.mktemp("host"))
    (host.root / ".git").mkdir()
    shutil.copytree(SHOP, host.module)
    venv = host.temp / "whyheap-venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "whyheap").symlink_to(BIN / "whyheap")
    done = host.run("whyheap gate --update", host.module, {}, path=f"{BIN}:")
    assert done.returncode == 0, done.stderr
    return host


def run_action(host: Host, given: Mapping[str, str]) -> tuple[int, str, list[str]]:
    """Do what the runner does with the action's steps; return the exit code, what was printed, and the uploads."""
    action = loaded(ACTION)
    inputs = {name: str(one.get("default", "")) for name, one in action["inputs"].items()} | dict(given)
    (host.root / "output").write_text("")
    host.summary.write_text("")
    printed, uploads = "", []

    def resolved(text: str) -> str:
        def value(found: re.Match[str]) -> str:
            scope, _, name = found[1].partition(".")
            if scope == "inputs":
                return inputs[name]
            if scope == "steps":
                return host.outputs().get(name.rpartition(".")[2], "")
            return {"github.action_path": str(ACTION.parent), "runner.temp": str(host.temp)}[found[1]]

        return EXPRESSION.sub(value, text)

    for step in action["runs"]["steps"]:
        assert EXPRESSION.search(step.get("run", "")) is None, "an input in a script is code of whoever wrote it"
        if step["name"] == "Install whyheap":
            continue
        if "uses" in step:
            assert step["if"] == "inputs.upload == 'true' && steps.whyheap.outputs.sarif != ''"
            if inputs["upload"] == "true" and host.outputs().get("sarif"):
                uploads.append(resolved(step["with"]["sarif_file"]))
            continue
        folder = host.module / resolved(step.get("working-directory", "."))
        done = host.run(step["run"], folder, {name: resolved(text) for name, text in step["env"].items()})
        printed += done.stdout + done.stderr
        if done.returncode:
            return done.returncode, printed, uploads
    return 0, printed, uploads


@pytest.mark.live
@pytest.mark.parametrize("command", COMMANDS)
def test_the_action_annotates_summarises_uploads_and_ends_as_the_command(host: Host, command: str) -> None:
    code, printed, uploads = run_action(host, {"command": command, "packages": ".", "args": "--no-source"})
    assert host.outputs()["exit-code"] == str(code)
    assert code == 0 or (command == "gate" and code == 1)
    assert re.search(r"^::notice title=whyheap::", printed, re.MULTILINE)
    assert host.summary.read_text().startswith("### whyheap")
    (sarif,) = uploads
    results = json.loads(Path(sarif).read_text())["runs"][0]["results"]
    uris = {result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results}
    assert all(uri.startswith("services/oomshop/") for uri in uris)
    assert command != "scan" or "services/oomshop/cache.go" in uris


@pytest.mark.live
def test_the_action_fails_with_the_command_and_uploads_nothing(host: Host) -> None:
    code, printed, uploads = run_action(host, {"command": "scan", "packages": "./nowhere/..."})
    assert (code, host.outputs()["exit-code"], uploads) == (3, "3", []), printed
    code, printed, uploads = run_action(host, {"command": "scna"})
    assert (code, uploads) == (2, [])
    assert "there is no command 'scna'" in printed


def test_the_action_installs_from_its_own_checkout_by_locks() -> None:
    install = loaded(ACTION)["runs"]["steps"][0]
    for named in re.findall(r"\$root/([\w./]+)", install["run"]):
        assert (ROOT / named).is_file(), named
    assert "--require-hashes" in install["run"]
    done = subprocess.run(["bash", "-n", "-c", install["run"]], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.live
def test_what_is_left_out_is_said_the_second_time_too(host: Host) -> None:
    said = []
    for _ in range(2):
        done = host.run("whyheap scan -o a.sarif -o a.gitlab.json > ../text", host.module, {}, path=f"{BIN}:")
        said.append(done.stderr)
    assert said[0] == said[1]
    assert re.fullmatch(r"(whyheap: (sarif|gitlab): left out: \d+ findings that never allocate\n){2}", said[0]), said
    quiet = host.run("whyheap scan --quiet -o a.sarif > ../text", host.module, {}, path=f"{BIN}:")
    assert (quiet.returncode, quiet.stderr) == (0, "")


def run_template(host: Host, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Do what GitLab's runner does with the template's job."""
    template = loaded(TEMPLATE)
    assert set(variables) <= set(template["variables"]), "a variable that the template does not know"
    job = template["whyheap"]
    known = {name: str(value) for name, value in template["variables"].items()}
    script = "\n".join([*job["before_script"], *job["script"]])
    values = known | {"WHYHEAP_FOLDER": "services/oomshop"} | dict(variables) | {"CI_PROJECT_DIR": str(host.root)}
    done = host.run(script, host.root, values, path=f"{BIN}:")
    for report in (*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()):
        assert (host.root / report).is_file(), done.stdout + done.stderr
        assert format_for(report) in FORMATS
    return done


def test_the_template_says_what_it_needs_where_there_is_no_whyheap(tmp_path: Path) -> None:
    template = loaded(TEMPLATE)
    assert template["variables"]["WHYHEAP_INSTALL"] == "", "no name of a package index is made up"
    (script,) = template["whyheap"]["before_script"]
    environment = {"PATH": str(tmp_path), "WHYHEAP_INSTALL": ""}
    bash = shutil.which("bash") or "bash"
    done = subprocess.run([bash, "-c", script], check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "set WHYHEAP_INSTALL" in done.stderr


def check_reports_of_gitlab(host: Host) -> None:
    issues = json.loads((host.root / "gl-code-quality-report.json").read_text())
    assert all(issue["location"]["path"].startswith("services/oomshop/") for issue in issues)
    assert "<testsuites" in (host.root / "whyheap.junit.xml").read_text()


@pytest.mark.live
@pytest.mark.parametrize("text", examples("yaml", "gitlab"))
def test_gitlab_examples(host: Host, text: str) -> None:
    example = yaml.safe_load(text)
    assert [ROOT / one["file"] for one in example["include"]] == [TEMPLATE]
    done = run_template(host, example["variables"])
    assert done.returncode in {0, 1}, done.stderr
    assert "oomshop" in done.stdout
    check_reports_of_gitlab(host)


@pytest.mark.live
@pytest.mark.parametrize("text", examples("yaml", "workflow"))
def test_workflow_examples(host: Host, text: str) -> None:
    workflow = yaml.safe_load(text)
    assert True in workflow, "YAML reads `on` as true; GitHub does not"
    known = set(loaded(ACTION)["inputs"])
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            used = step.get("uses", "").partition("@")[0]
            if used == OWN_ACTION:
                assert set(step["with"]) <= known
                code, printed, _ = run_action(host, {"upload": "false"} | step["with"])
                assert code in {0, 1}, printed
            elif used:
                assert used in HOST_ACTIONS
            else:
                script = EXPRESSION.sub(lambda found: host.outputs()[found[1].rpartition(".")[2]], step["run"])
                done = host.run(script, host.module, {})
                assert done.returncode == 0, done.stderr


@pytest.mark.live
@pytest.mark.parametrize("text", examples("bash"))
def test_shell_examples(host: Host, text: str) -> None:
    host.summary.write_text("")
    done = host.run(text, host.module, {}, path=f"{BIN}:")
    assert done.returncode == 0 or ("gate" in text and done.returncode == 1), done.stderr
    assert done.stdout.splitlines()[-1].startswith("::notice title=whyheap::")
    assert host.summary.read_text().startswith("### whyheap")


@pytest.mark.live
@pytest.mark.parametrize("hook", loaded(HOOKS), ids=lambda hook: str(hook["id"]))
def test_hooks_run_as_pre_commit_runs_them(host: Host, hook: Json) -> None:
    """pre-commit installs the repository with pip, then runs entry and args, here without file names."""
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    for name, triggers in {
        "a.go": True,
        "go.mod": True,
        "x/go.sum": True,
        "README.md": False,
        "cargo.mod": False,
    }.items():
        assert bool(re.search(hook["files"], name)) is triggers, name
    program, command = shlex.split(hook["entry"])[:2]
    assert (program, hook["id"]) == ("whyheap", f"whyheap-{command}")
    if command in COMMANDS:
        done = host.run(hook["entry"], host.module, {}, path=f"{BIN}:")
        assert done.returncode == 0 or (command == "gate" and done.returncode == 1), done.stderr


def test_the_example_of_pre_commit_names_hooks_that_exist() -> None:
    (example,) = [yaml.safe_load(param.values[0]) for param in examples("yaml", "pre-commit")]
    assert {hook["id"] for repo in example["repos"] for hook in repo["hooks"]} == {hook["id"] for hook in loaded(HOOKS)}


def test_every_example_of_the_page_is_run() -> None:
    kinds = {(match[1], *match[2].split()) for match in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}
    known = {("console",), ("bash",), ("yaml", "workflow"), ("yaml", "gitlab"), ("yaml", "pre-commit")}
    assert {tuple(word for word in kind if word != "gate") for kind in kinds} == known


def test_the_page_names_the_formats_and_their_suffixes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for form in FORMATS:
        if form.gate and form.name not in {"text", "json", "jsonl"}:
            assert f"| `{form.name}` | `{form.suffixes[0]}`" in text, form.name
