"""Which file `whyheap explain FILE:LINE` means."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.app.explain import about_file, explain_targets, find_file
from whyheap.capture import Capture
from whyheap.errors import UsageError
from whyheap.model.finding import Certainty, Finding
from whyheap.model.report import Report
from whyheap.model.site import Site


@pytest.fixture
def module(tmp_path: Path) -> Path:
    for name in ("go.mod", "main.go", "cmd/api/main.go", "cmd/job/main.go", "store/page.go"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for folder in ("vendor/x", "node_modules/y", ".cache", "_old", "store/testdata"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "page.go").write_text("")
    return tmp_path


def test_a_path_an_end_and_the_reports_own_spelling(module: Path) -> None:
    for file, folder in (
        ("store/page.go", module),
        ("./store/page.go", module),
        ("page.go", module),
        ("page.go", module / "store"),
        ("store/page.go", module / "cmd" / "api"),
        (str(module / "store" / "page.go"), module),
    ):
        assert find_file(file, folder) == module / "store" / "page.go", file
    assert explain_targets("page.go", ("http://h:1",), module) == ("./store", "http://h:1")
    assert explain_targets("main.go", (), module) == (".",)


def test_two_files_of_one_name(module: Path) -> None:
    (module / "main.go").unlink()
    with pytest.raises(UsageError, match=r"^main\.go may be any of cmd/api/main\.go, cmd/job/main\.go$"):
        find_file("main.go", module)
    assert find_file("job/main.go", module) == module / "cmd" / "job" / "main.go"


def test_files_that_go_does_not_look_at_are_not_searched(module: Path) -> None:
    (module / "store" / "page.go").unlink()
    with pytest.raises(UsageError, match=r"there is no file page\.go here"):
        find_file("page.go", module)
    assert find_file("vendor/x/page.go", module) == module / "vendor" / "x" / "page.go"


def test_a_report_is_cut_to_the_file(tmp_path: Path) -> None:
    files = ("main.go", "cmd/api/main.go", "cmd/job/main.go")
    findings = tuple(Finding(file, "p", Site(file, 4), "", "", Certainty.STATED) for file in files)
    report = Report((), "", None, findings, sources=dict.fromkeys(files, ""))
    capture = Capture((), "")
    part, name = about_file(report, capture, "./main.go", tmp_path)
    assert (name, part.findings, list(part.sources)) == ("main.go", findings[:1], ["main.go"])
    assert about_file(report, capture, "job/main.go", tmp_path)[1] == "cmd/job/main.go"
    assert about_file(report, capture, "other.go", tmp_path) == (report, "other.go")
    with pytest.raises(UsageError, match=r"cmd/api/main\.go, cmd/job/main\.go"):
        about_file(Report((), "", None, findings[1:]), capture, "main.go", tmp_path)
