"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from whyheap.errors import UsageError

_LONGEST_SECONDS = 86_400.0
CONFIG_FILE = "whyheap.config"
"""Key in click's meta: the file that --config named, None without it."""
_RULES = "rules"
_TABLES = {"gate": frozenset({"budgets"})}
"""Tables within a command's own, which the command reads by itself."""
_ONLY_NAMED = frozenset(
    {"output", "update", "write", "force", "record"}  # write
    | {"header", "prometheus-header", "ca-file", "insecure"}
    | {"goroutineleak", "hold-at-limit", "raise-limit", "high"}  # act on the target
    | {"bench"}  # runs the module's code
)
_PLAIN_FLAG = re.compile(
    r"-(?:[BCELNSehlmw+%]\d?|race|msan|asan|live|wb|shared|dynlink|[cdlm]=[\w/,=.-]+|lang=[\w.]+)$"
)
"""Flags of go tool compile that name no file; others (-cpuprofile, -asmhdr, ...) write one."""

F = TypeVar("F", bound=Callable[..., Any])


def build_options(function: F) -> F:
    """Add the flags of the user's real build."""
    for option in reversed(
        (
            click.option("--go", "go", metavar="PATH|VERSION", default="", help="The go command to ask, or a version."),
            click.option("--tags", default="", metavar="TAGS", help="Build tags, as for go build."),
            click.option("--gcflags", default="", metavar="FLAGS", help="More compiler flags of the real build."),
            click.option("--goos", default="", metavar="OS", help="Target system, as GOOS."),
            click.option("--goarch", default="", metavar="ARCH", help="Target architecture, as GOARCH."),
        )
    ):
        function = option(function)
    return function


def binary_option(function: F) -> F:
    """Add the program to read instead of the packages' archives."""
    return click.option(
        "--binary",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="The linked program (stripped or not) whose machine code to read.",
    )(function)


def report_options(function: F) -> F:
    """Add what decides on the report's form."""
    for option in reversed(
        (
            click.option(
                "-o",
                "--output",
                "outputs",
                multiple=True,
                metavar="FILE",
                help="Write a report; its suffix is its format (.html, .json, .whyheap, ...), - is stdout. Repeatable.",
            ),
            click.option(
                "--format", "format_", metavar="FORMAT", help="Format of stdout, or of one -o: text, json, html, ..."
            ),
            click.option("--focus", default="", metavar="REGEX", help="Only functions, files or patterns that match."),
            click.option("--all", "all_rows", is_flag=True, help="All lines, not only the first."),
            click.option("--no-source", is_flag=True, help="Neither show nor store source text."),
            click.option("--redact", is_flag=True, help="Cut hosts and absolute folders out of reports."),
        )
    ):
        function = option(function)
    return common_options(function)


def common_options(function: F) -> F:
    """Add what every command takes."""
    for option in reversed(
        (
            click.option("-q", "--quiet", is_flag=True, help="No progress and no notes."),
            click.option("-v", "--verbose", is_flag=True, help="More detail: what was asked of whom."),
            click.option("--no-color", is_flag=True, help="No colours (also: NO_COLOR)."),
            click.option(
                "--config",
                type=click.Path(path_type=Path, dir_okay=False),
                default=None,
                is_eager=True,
                expose_value=False,
                callback=_read_config,
                help="Defaults for these options [whyheap.toml].",
            ),
        )
    ):
        function = option(function)
    return function


def pattern_of(focus: str) -> re.Pattern[str] | None:
    """Compile --focus; None when it is empty."""
    if not focus:
        return None
    try:
        return re.compile(focus)
    except re.error as error:
        raise UsageError(
            f"--focus {focus}: {error}", "It takes a regular expression, such as  --focus 'Handler$'"
        ) from error


def go_env(goos: str, goarch: str) -> dict[str, str]:
    """Return the environment that a cross scan needs."""
    return {name: value for name, value in (("GOOS", goos), ("GOARCH", goarch)) if value}


def seconds_of(text: str, option: str) -> float:
    """Parse a duration: plain seconds, or as Go writes them (30s, 5m)."""
    from whyheap.units import parse_duration  # noqa: PLC0415 - regular expressions that help need not pay for

    try:
        value = float(text)
    except ValueError:
        value = parse_duration(text)
    if not 0 <= value <= _LONGEST_SECONDS:
        raise UsageError(f"{option} {text}: not between 0 and a day", f"Write {option} 30 or {option} 5m")
    return value


def headers_of(headers: Iterable[str]) -> dict[str, str]:
    """Split `Name: value` headers; their values are sent and never stored."""
    split = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            raise UsageError("--header needs a name and a value", "Write --header 'Authorization: Bearer TOKEN'")
        split[name.strip()] = value.strip()
    return split


def _read_config(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    """Take defaults from whyheap.toml: keys are the long options' names, in a table per command or at the top.

    A file that nobody named, found in the current folder, came perhaps with somebody else's code: it may neither run a
    program, nor write a file, nor act on a target, nor weaken a connection.
    """
    file = value or Path("whyheap.toml")
    if value is None and not file.is_file():
        return
    settings = _load_config(file)
    ctx.meta[CONFIG_FILE] = file if value is not None else None
    own = settings.get(ctx.info_name or "", {})
    if not isinstance(own, dict):
        raise UsageError(f"{file}: {ctx.info_name} is no table", f"Write [{ctx.info_name}] and its options below")
    known = _options(ctx.command)
    tables = _TABLES.get(ctx.info_name or "", frozenset())
    own = {name: setting for name, setting in own.items() if name not in tables}
    for name in own:
        if name not in known:
            raise _unknown(f"{file}: [{ctx.info_name}] has no option {name!r}", name, known)
    _check_top(ctx, file, settings, known)
    flat = {name: setting for name, setting in settings.items() if not isinstance(setting, dict)}
    defaults = {}
    for name, setting in {**flat, **own}.items():
        if name in known:
            _check_setting(known[name], name, setting, file)
            if name == _RULES:  # its paths are relative to the file: cli/rules.py reads them there
                continue
            if value is None and not _is_harmless(name, str(setting)):
                raise UsageError(
                    f"{file}: {name} is not taken from a file that was not named", f"Name the file with --config {file}"
                )
            defaults[str(known[name].name)] = setting
    ctx.default_map = defaults


def _load_config(file: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - only where there is a file

    try:
        with file.open("rb") as handle:
            return tomllib.load(handle)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error


def _options(command: click.Command) -> dict[str, click.Parameter]:
    """Return what a configuration may set of a command, by the long option's name."""
    return {
        option.removeprefix("--"): parameter
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and parameter.expose_value
    }


def _check_top(ctx: click.Context, file: Path, settings: Mapping[str, object], known: Iterable[str]) -> None:
    """Refuse tables and keys at the top that belong to no command at all."""
    group = ctx.find_root().command
    if not isinstance(group, click.Group):
        return
    commands = group.list_commands(ctx)
    later = getattr(group, "later", ())  # commands of other versions of whyheap, which may read the same file
    tables = [
        name for name, setting in settings.items() if isinstance(setting, dict) and name not in {*commands, *later}
    ]
    if tables:
        raise _unknown(f"{file}: there is no command for [{tables[0]}]", tables[0], commands)
    keys = [name for name, one in settings.items() if name not in known and not isinstance(one, dict)]
    if keys:  # of another command, perhaps
        loaded = (group.get_command(ctx, name) for name in commands)
        every = {option for command in loaded if command is not None for option in _options(command)}
        for name in keys:
            if name not in every:
                raise _unknown(f"{file}: no command has an option {name!r}", name, every)


def _unknown(message: str, name: str, known: Iterable[str]) -> UsageError:
    from difflib import get_close_matches  # noqa: PLC0415 - only for a typing error

    near = get_close_matches(name, list(known), n=1)
    return UsageError(message, f"Did you mean {near[0]}?" if near else f"It knows: {', '.join(sorted(known))}")


def _is_harmless(name: str, setting: str) -> bool:
    """Whether a file that nobody named may say this."""
    if name in {"go", "baseline-go"}:
        from whyheap.host.go import is_version  # noqa: PLC0415 - only where there is a file

        return is_version(setting)
    if name == "gcflags":
        return all(_PLAIN_FLAG.match(flag) for flag in setting.split())
    return name not in _ONLY_NAMED


def _check_setting(parameter: click.Parameter, name: str, setting: object, file: Path) -> None:
    """Refuse values of another type than the option's: click would take some of them for text."""
    types: tuple[type, ...]
    if isinstance(parameter, click.Option) and parameter.is_flag:
        wanted, types = "true or false", (bool,)
    elif parameter.multiple:
        wanted, types = "a list of texts", (list,)
    else:
        wanted, types = "text", (str, int, float)
    entries = setting if isinstance(setting, list) else []
    is_flag = isinstance(setting, bool) and bool not in types
    if not isinstance(setting, types) or is_flag or not all(isinstance(entry, str) for entry in entries):
        raise UsageError(f"{file}: {name} = {setting!r} is not {wanted}")
