"""`whyheap patterns` and `whyheap causes`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

import click

from whyheap.cli.options import common_options
from whyheap.cli.output import Terminal, write_stdout
from whyheap.cli.rules import rules_here
from whyheap.errors import UsageError
from whyheap.rules.rule import PREFIX, Requires

_LONGEST_LINE = 100


_format_option = click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", help="[text]")


@click.command()
@click.argument("slug", required=False)
@_format_option
@common_options
def patterns(slug: str | None, *, format_: str, quiet: bool, verbose: bool, no_color: bool) -> None:  # noqa: ARG001 - common options
    """List the patterns, or explain the one named SLUG."""
    from whyheap.patterns.catalogue import PATTERNS, REASONS, get  # noqa: PLC0415 - imported when used

    if format_ == "json" and not (slug or "").startswith(PREFIX):
        named = (get(slug),) if slug is not None else (*PATTERNS, *REASONS)
        _print_json(
            "patterns",
            [
                {
                    "slug": one.slug,
                    "title": one.title,
                    "sections": {heading: " ".join(text.split()) for heading, text in one.doc.items()},
                    "fixes": [{"title": fix.title, "kind": fix.kind.value} for fix in one.fixes],
                }
                for one in named
            ],
        )
        return
    width = min(Terminal.detect(no_color=no_color).width, _LONGEST_LINE)
    if slug is None:
        _print_list(((one.slug, one.title) for one in PATTERNS), width)
        click.echo("\n Anything else is named by the compiler's own reason:\n")
        _print_list(((one.slug, one.title) for one in REASONS), width)
        own = rules_here(()).rules
        if own:
            click.echo("\n Your own rules here:\n")
            _print_list(((one.slug, f"{one.message} ({one.file}:{one.line})") for one in own), width)
        click.echo("\n whyheap patterns SLUG explains one")
        return
    if slug.startswith(PREFIX):
        if format_ == "json":
            raise UsageError(f"{slug} is a rule of your own, which is YAML", "Leave --format out")
        _print_rule(slug, width)
        return
    pattern = get(slug)
    _print_page(pattern.slug, pattern.title, pattern.doc, width)
    if pattern.fixes:
        click.echo("\n Ways out")
        for fix in pattern.fixes:
            click.echo(
                textwrap.fill(f"{fix.title} ({fix.kind})", width - 2, initial_indent="   ", subsequent_indent="   ")
            )


def _print_rule(slug: str, width: int) -> None:
    own = {rule.slug: rule for rule in rules_here(()).rules}
    rule = own.get(slug)
    if rule is None:
        known = f"Rules here: {', '.join(own)}" if own else "There are no rules here; see --rules of whyheap scan"
        raise UsageError(f"there is no rule {slug.removeprefix(PREFIX)!r}", known)
    sections = {
        "Message": rule.message,
        "Severity": rule.severity.value,
        "Requires": f"{rule.requires.value}" + (" (a match is a candidate)" if rule.requires is Requires.NONE else ""),
        "Fix": rule.fix,
        "Note": rule.note,
    }
    _print_page(slug, f"{rule.file}:{rule.line}", {name: text for name, text in sections.items() if text}, width)


@click.command()
@click.argument("slug", required=False)
@_format_option
@common_options
def causes(slug: str | None, *, format_: str, quiet: bool, verbose: bool, no_color: bool) -> None:  # noqa: ARG001 - common options
    """List the causes, or explain the one named SLUG."""
    from whyheap.causes.catalogue import CAUSES, get  # noqa: PLC0415 - imported when used

    if format_ == "json":
        named = (get(slug),) if slug is not None else CAUSES
        _print_json("causes", [{"slug": one.slug, "title": one.title, "sections": one.sections} for one in named])
        return
    width = min(Terminal.detect(no_color=no_color).width, _LONGEST_LINE)
    if slug is None:
        _print_list(((one.slug, one.title) for one in CAUSES), width)
        click.echo("\n whyheap causes SLUG explains one")
        return
    cause = get(slug)
    _print_page(cause.slug, cause.title, cause.sections, width)


def _print_json(name: str, rows: list[dict[str, object]]) -> None:
    import msgspec  # noqa: PLC0415 - when asked for

    write_stdout(msgspec.json.format(msgspec.json.encode({"schema": 1, name: rows}), indent=2) + b"\n")


def _print_list(rows: Iterable[tuple[str, str]], width: int) -> None:
    rows = list(rows)
    column = max(len(slug) for slug, _ in rows) + 3
    for slug, title in rows:
        click.echo(
            textwrap.fill(title, width, initial_indent=f" {slug:<{column}}", subsequent_indent=" " * (column + 1))
        )


def _print_page(slug: str, title: str, sections: Mapping[str, str], width: int) -> None:
    click.echo(f" {slug}: {title}")
    for heading, text in sections.items():
        click.echo(f"\n {heading}")
        click.echo(textwrap.fill(" ".join(text.split()), width - 2, initial_indent="   ", subsequent_indent="   "))
