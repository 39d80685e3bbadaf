from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from whyheap.parse.go_mod import module_path, replaced_folders, used_folders

GO_MOD = """module example.com/shop // not example.com/other

go 1.22

replace example.com/a => ../a

replace (
	example.com/b v1.2.3 => ./b // here
	example.com/c => "../c"
	example.com/d => example.com/e v1.0.0
	example.com/f => /abs/f
	// example.com/g => ../g
)
"""


def test_folders_in_place_of_modules() -> None:
    assert list(replaced_folders(GO_MOD)) == ["../a", "./b", "../c", "/abs/f"]
    assert module_path(GO_MOD) == "example.com/shop"


def test_folders_of_a_workspace() -> None:
    work = "go 1.22\n\nuse (\n\t.\n\t../x\n)\nuse ./y\n\nreplace example.com/a => ../a\n"
    assert list(used_folders(work)) == [".", "../x", "./y"]
    assert list(replaced_folders(work)) == ["../a"]


@given(st.text(max_size=200))
def test_any_text_is_read_without_harm(text: str) -> None:
    assert all(folder.startswith((".", "/")) for folder in replaced_folders(text))
