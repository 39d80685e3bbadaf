"""Where rules are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from whyheap.errors import UsageError
from whyheap.rules.rule_files import load_rules
from whyheap.rules.rule_text import LARGEST_FILE_BYTES


def write(path: Path, *ids: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n".join(f"id: {name}\nmessage: m\nrule: {{kind: block}}\n" for name in ids))
    return path


def ids(folder: Path, *named: str, config: Path | None = None) -> list[str]:
    return [rule.id for rule in load_rules(folder, named, config).rules]


def test_the_nearest_folder_upward_counts(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "whyheap.toml").write_text('rules = ["rules/"]\n[gate]\nbudget = 3\n[anything]\n')
    write(tmp_path / "rules" / "b.yml", "b")
    write(tmp_path / "rules" / "deep" / "a.yaml", "a")
    write(tmp_path / "rules" / "notes.txt", "no")
    write(tmp_path / ".whyheap" / "rules" / "c.yml", "c")
    below = tmp_path / "svc" / "api"
    below.mkdir(parents=True)
    assert ids(below) == ["b", "a", "c"]
    assert load_rules(below).rules[0].file == "../../rules/b.yml"
    write(tmp_path / "svc" / ".whyheap" / "rules" / "d.yml", "d")
    assert ids(below) == ["d"]
    (below / ".git").mkdir()
    assert ids(below) == [], "no higher than the repository"
    assert load_rules(below).key == ""


def test_named_rules_and_a_named_configuration_come_first(tmp_path: Path) -> None:
    write(tmp_path / ".whyheap" / "rules" / "c.yml", "c")
    other = write(tmp_path / "else" / "d.yml", "d")
    assert ids(tmp_path, "else/d.yml", "else") == ["d"], "each file once"
    config = tmp_path / "conf" / "mine.toml"
    config.parent.mkdir()
    config.write_text('rules = ["../else"]\n')
    assert ids(tmp_path, config=config) == ["d"]
    assert ids(tmp_path, str(other)) == ["d"]
    with pytest.raises(UsageError, match="there is no such file or folder"):
        load_rules(tmp_path, ["missing.yml"])


@pytest.mark.parametrize("text", ["rules = 3\n", "rules = [3]\n", 'rules = "x"\n', "rules = [\n", "\xff"])
def test_a_configuration_that_is_wrong(text: str, tmp_path: Path) -> None:
    (tmp_path / "whyheap.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"whyheap\.toml"):
        load_rules(tmp_path)


def test_problems_do_not_hide_other_rules(tmp_path: Path) -> None:
    (tmp_path / "whyheap.toml").write_text('rules = ["r", "../out.yml", "gone.yml"]\n')
    write(tmp_path.parent / "out.yml", "out")
    write(tmp_path / "r" / "a.yml", "a", "b")
    write(tmp_path / "r" / "b.yml", "b")
    (tmp_path / "r" / "c.yml").write_bytes(b"\xff\xfe")
    (tmp_path / "r" / "d.yml").write_text("#" * (LARGEST_FILE_BYTES + 1))
    found = load_rules(tmp_path)
    assert [rule.id for rule in found.rules] == ["a", "b"]
    told = "\n".join(map(str, found.problems))
    for words in (
        "leads out of its folder",
        "rules = 'gone.yml': there is no such",
        "r/b.yml:1: id b is taken already, by r/a.yml:5",
        "r/c.yml: it is no UTF-8 text",
        "r/d.yml: larger than 256 KiB",
    ):
        assert words in told
    assert load_rules(tmp_path).key == found.key != ""
