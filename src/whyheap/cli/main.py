"""The `whyheap` command: its table of commands, and how every error becomes one sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any, NamedTuple

import click

from whyheap import __version__
from whyheap.errors import WhyheapError

_INTERRUPTED = 130
_USAGE = 2


class _Entry(NamedTuple):
    """A command: where it is defined, and its line in the help, so that help imports nothing."""

    module: str
    summary: str
    matters: bool = False


_COMMANDS = {
    "why": _Entry("why", "Why does it run out of memory, which lines, what to change", matters=True),
    "scan": _Entry("scan", "Which lines allocate on the heap, and why (static)", matters=True),
    "explain": _Entry("explain", "Everything that is known about one line", matters=True),
    "patterns": _Entry("catalogue", "The catalogue of ways to the heap", matters=True),
    "causes": _Entry("catalogue", "The catalogue of reasons to run out of memory"),
    "doctor": _Entry("doctor", "What this machine offers and lacks", matters=True),
    "completion": _Entry("completion", "Shell completion for bash, zsh and fish"),
}
_LATER = " record diff fix gate test run heap debug guard harden node wasm fleet serve mcp lsp lab "


class _Commands(click.Group):
    """Imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"whyheap.cli.{entry.module}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in _COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        if f" {name} " in _LATER:
            raise click.UsageError(f"'{name}' is planned, but not built yet.")
        from difflib import get_close_matches  # noqa: PLC0415 - only for a typing error

        near = get_close_matches(name, _COMMANDS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else " See: whyheap --help"
        raise click.UsageError(f"there is no command '{name}'.{hint}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in _COMMANDS.items()])


def _print_what_matters() -> None:
    click.echo("whyheap: why is it on the heap, and why does it run out of memory?\n")
    for name, entry in _COMMANDS.items():
        if entry.matters:
            click.echo(f"  whyheap {name:<10} {entry.summary}")
    click.echo("\nTry:  whyheap why ./... http://127.0.0.1:6060        all commands: whyheap --help")


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="whyheap", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Answer with evidence: why is this value on the heap, and why does this Go process run out of memory?"""
    if ctx.invoked_subcommand is None:
        _print_what_matters()


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the contract's codes."""
    code = main(arguments)
    if code == _INTERRUPTED:  # threads may still wait for a service that hangs
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        result: Any = cli.main(args=arguments, prog_name="whyheap", standalone_mode=False)
    except WhyheapError as error:
        print_error(error)
        return error.exit_code
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        _complain(error.format_message(), f"See: {context.command_path if context else 'whyheap'} --help")
        return _USAGE
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted", "")
        return _INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the reader has gone, as in `whyheap scan | head`: click exits then
        _discard_stdout()
        return 0
    except OSError as error:  # a full disk behind standard output; whatever else is read or written says so itself
        _discard_stdout()
        _complain(f"standard output could not be written: {error.strerror or error}.", "")
        return WhyheapError.exit_code
    return result if isinstance(result, int) else 0


def _discard_stdout() -> None:
    """Let what is left in the buffer go nowhere, so that Python does not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_error(error: WhyheapError) -> None:
    """One sentence for what happened, one line for the way out."""
    _complain(error.message, error.hint)


def _complain(message: str, hint: str) -> None:
    from whyheap.report.visible_text import visible  # noqa: PLC0415 - only when something went wrong

    click.echo(f"whyheap: {visible(message)}", err=True)
    if hint:
        click.echo(f"  {visible(hint)}", err=True)
