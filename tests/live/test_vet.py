"""go vet looks at the edited text on every Go: before 1.24 it reads the files that an overlay replaces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import toolchains
from whyheap.host.go import find_go
from whyheap.proof.vet import vet

pytestmark = pytest.mark.live

MODULE = "module example.test/vetted\n\ngo 1.22\n"
GOOD = 'package vetted\n\nimport "fmt"\n\nfunc F() string { return fmt.Sprint(1) }\n'


@pytest.mark.parametrize("version", toolchains.versions())
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("package vetted\n\nfunc F() string { return `1` }\n", {}),
        (
            GOOD.replace("Sprint(1)", 'Sprintf("%d", "x")'),
            {"example.test/vetted": {'fmt.Sprintf format %d has arg "x" of wrong type string'}},
        ),
    ],
    ids=["drops an import", "is wrong"],
)
def test_it_is_the_new_text_that_is_vetted(text: str, said: dict[str, set[str]], version: str, tmp_path: Path) -> None:
    folder = tmp_path / "a & [b] | c.d$ \N{LATIN SMALL LETTER E WITH ACUTE}"
    work = tmp_path / "our | & own"
    folder.mkdir()
    work.mkdir()
    (folder / "go.mod").write_text(MODULE)
    (folder / "f.go").write_text(GOOD)
    (work / "new.go").write_text(text)
    overlay = work / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(folder / "f.go"): str(work / "new.go")}}))
    plain = {"GOWORK": "off"}
    packages = {"example.test/vetted": folder}
    go = str(toolchains.go(version))
    overlaid = find_go(go, {**plain, "GOFLAGS": f"'-overlay={overlay}'"})
    assert vet(overlaid, folder, packages, [], overlay, work) == said
    assert vet(find_go(go, plain), folder, packages, [], None, work) == {}


def test_a_vet_that_cannot_run_is_heard(tmp_path: Path) -> None:
    go = find_go(str(toolchains.go()), {"GOWORK": "off"})
    said = vet(go, tmp_path, {"example.test/none": tmp_path}, [], None, tmp_path)
    assert list(said) == [""]
