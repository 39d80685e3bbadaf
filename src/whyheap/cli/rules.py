"""The user's own rules, as commands take them: which apply here, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from whyheap.cli.options import CONFIG_FILE
from whyheap.errors import UsageError
from whyheap.rules.rule import UserRules

if TYPE_CHECKING:
    from collections.abc import Sequence

F = TypeVar("F", bound=Callable[..., Any])


def rules_option(function: F) -> F:
    """Add --rules."""
    return click.option(
        "--rules",
        multiple=True,
        metavar="PATH",
        help="Your own rules, a file or folder. Repeatable. [rules in whyheap.toml, and .whyheap/rules/]",
    )(function)


def rules_here(named: Sequence[str]) -> UserRules:
    """Read the rules that apply in the current folder: those named, else the configured ones."""
    config: Path | None = click.get_current_context().meta.get(CONFIG_FILE)
    folder = Path.cwd()
    if not named and config is None and not _may_have_rules(folder):
        return UserRules()
    from whyheap.rules.rule_files import load_rules  # noqa: PLC0415 - brings YAML: only where there are rules

    return load_rules(folder, named, config)


def report_problems(rules: UserRules) -> int:
    """Say on standard error what is wrong with rules; return the exit code that follows from it."""
    from whyheap.report.visible_text import visible  # noqa: PLC0415 - only when something is wrong

    for problem in rules.problems:
        click.echo(f"whyheap: {visible(str(problem))}", err=True)
    if rules.problems:
        click.echo("  The other rules were applied. Mend it, then scan again.", err=True)
    return UsageError.exit_code if rules.problems else 0


def _may_have_rules(folder: Path) -> bool:
    """Whether any folder above may configure rules: most users have none, and pay nothing for it."""
    return any((base / "whyheap.toml").is_file() or (base / ".whyheap").is_dir() for base in (folder, *folder.parents))
