"""Where rules are written: `rules = [...]` in whyheap.toml, `.whyheap/rules/`, or what --rules names.

Without --rules and --config the nearest folder from the current one upward that has either is taken, no higher than
the repository's root. As such a file came perhaps with somebody else's code, its paths may not lead out of its folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from whyheap.errors import UsageError
from whyheap.rules.rule import Rule, RuleProblem, UserRules
from whyheap.rules.rule_text import LARGEST_FILE_BYTES, parse_rules

CONFIG = "whyheap.toml"
FOLDER = Path(".whyheap", "rules")
MOST_FILES = 500
_LARGEST_CONFIG_BYTES = 1 << 20
_SUFFIXES = (".yml", ".yaml")


def load_rules(folder: Path, named: Sequence[str] = (), config: Path | None = None) -> UserRules:
    """Read all rules that apply in `folder`. `named` are those of --rules, `config` is the file of --config.

    Raises UsageError when what was named on the command line is not there, or the configuration says nonsense.
    """
    problems: list[RuleProblem] = []
    digest = hashlib.blake2b(digest_size=16)
    rules: dict[str, Rule] = {}
    for file in _files(_places(folder, named, config, problems), problems):
        shown = _shown(file, folder)
        try:
            text = _read(file)
        except (OSError, ValueError) as error:
            problems.append(RuleProblem(shown, 0, error.strerror or "" if isinstance(error, OSError) else str(error)))
            continue
        digest.update(f"{shown}\0{len(text)}\0{text}".encode(errors="replace"))
        found, wrong = parse_rules(text, shown)
        problems += wrong
        for rule in found:
            other = rules.setdefault(rule.id, rule)
            if other is not rule:
                problems.append(
                    RuleProblem(shown, rule.line, f"id {rule.id} is taken already, by {other.file}:{other.line}")
                )
    is_empty = not rules and not problems
    digest.update(repr(problems).encode())
    return UserRules(tuple(rules.values()), tuple(problems), "" if is_empty else digest.hexdigest())


def _places(folder: Path, named: Sequence[str], config: Path | None, problems: list[RuleProblem]) -> Iterator[Path]:
    """Yield the files and folders that hold rules."""
    if named:
        for text in named:
            if not (folder / text).exists():
                raise UsageError(f"--rules {text}: there is no such file or folder", "It takes a rule file or a folder")
            yield folder / text
        return
    if config is not None:
        yield from _configured(config, folder, problems, confined=False)
        return
    for base in (folder.resolve(), *folder.resolve().parents):
        found = [*_configured(base / CONFIG, folder, problems, confined=True)] if (base / CONFIG).is_file() else []
        if (base / FOLDER).is_dir():
            found.append(base / FOLDER)
        yield from found
        if found or (base / ".git").exists():
            return


def _configured(file: Path, folder: Path, problems: list[RuleProblem], *, confined: bool) -> Iterator[Path]:
    """Yield the paths of `rules = [...]`; other keys and tables are for commands."""
    shown = _shown(file, folder)
    settings = _settings(file, shown)
    paths = settings.get("rules", [])
    if not isinstance(paths, list) or not all(isinstance(path, str) and "\0" not in path for path in paths):
        raise UsageError(f"{shown}: rules is not a list of paths", 'Write  rules = ["rules/"]')
    base = file.resolve().parent
    for path in paths:
        place = (base / path).resolve()
        if confined and not place.is_relative_to(base):
            problems.append(
                RuleProblem(shown, 0, f"rules = {path!r} leads out of its folder: name the file with --config")
            )
        elif not place.exists():
            problems.append(RuleProblem(shown, 0, f"rules = {path!r}: there is no such file or folder"))
        else:
            yield place


def _settings(file: Path, shown: str) -> dict[str, object]:
    try:
        with file.open("rb") as handle:
            data = handle.read(_LARGEST_CONFIG_BYTES + 1)
        if len(data) > _LARGEST_CONFIG_BYTES:
            raise UsageError(f"{shown} is larger than a configuration can be")
        return tomllib.loads(data.decode())
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{shown} is not valid TOML: {error}") from error


def _files(places: Iterable[Path], problems: list[RuleProblem]) -> Iterator[Path]:
    """Yield each rule file once, those of a folder in the order of their paths."""
    seen: set[Path] = set()
    for place in places:
        for file in _below(place) if place.is_dir() else [place]:
            real = file.resolve()
            if real in seen:
                continue
            if len(seen) == MOST_FILES:
                problems.append(RuleProblem(str(place), 0, f"only the first {MOST_FILES} rule files are read"))
                return
            seen.add(real)
            yield file


def _below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(base, name) for name in sorted(names) if name.endswith(_SUFFIXES)]
        if len(found) > MOST_FILES:
            break
    return found


def _read(file: Path) -> str:
    """Read one file. Raises OSError, or ValueError when it is too large, no file, or no text."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise ValueError("it is no plain file")
    with file.open("rb") as handle:
        data = handle.read(LARGEST_FILE_BYTES + 1)
    if len(data) > LARGEST_FILE_BYTES:
        raise ValueError(f"larger than {LARGEST_FILE_BYTES >> 10} KiB: split it")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8 text") from None


def _shown(file: Path, folder: Path) -> str:
    """Spell a path as short as it can be from the current folder."""
    try:
        return str(file.resolve().relative_to(folder.resolve()))
    except ValueError:
        return os.path.relpath(file, folder) if file.is_absolute() else str(file)
