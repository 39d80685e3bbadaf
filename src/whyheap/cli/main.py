"""The `whyheap` command: its table of commands, and how every error becomes one sentence and an exit code."""

from __future__ import annotations

import gc
import importlib
import os
import re
import signal
import sys
from typing import Any, NamedTuple

import click

from whyheap import __version__
from whyheap.errors import OutputError, ToolError, WhyheapError

_INTERRUPTED = 130
_USAGE = 2


class _Entry(NamedTuple):
    """A command: where it is defined, and its line in the help, so that help imports nothing."""

    module: str
    summary: str
    matters: bool = False


_COMMANDS = {
    "why": _Entry("why", "Why does it run out of memory, which lines, what to change", matters=True),
    "record": _Entry("record", "Flight recorder: keeps what a process does until it ends", matters=True),
    "scan": _Entry("scan", "Which lines allocate on the heap, and why (static)", matters=True),
    "explain": _Entry("explain", "Everything that is known about one line", matters=True),
    "test": _Entry("test", "go test, with checks for leaked goroutines and allocation limits"),
    "fix": _Entry("fix", "Edits that are proven by compiler, vet, tests and allocation counts"),
    "diff": _Entry("diff", "What grew between two captures, or what a Go upgrade changes"),
    "gate": _Entry("gate", "CI gate: baseline of heap sites, budgets, directives in the source"),
    "patterns": _Entry("catalogue", "The catalogue of ways to the heap"),
    "causes": _Entry("catalogue", "The catalogue of reasons to run out of memory"),
    "lab": _Entry("lab", "Proves the catalogue on real compilers, and measures popular claims"),
    "doctor": _Entry("doctor", "What this machine offers and lacks", matters=True),
    "completion": _Entry("completion", "Shell completion for bash, zsh and fish"),
}
_LATER = " run heap debug guard harden node wasm fleet serve mcp lsp "


class _Commands(click.Group):
    """Imports a command when it is used. `later` are commands that are planned."""

    later = frozenset(_LATER.split())

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
        hint = f" Did you mean '{near[0]}'?" if near else ""
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
    if sys.stderr is None:  # closed by `2>&-`
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - to the end
    gc.disable()  # one answer, then the process ends: walking millions of facts again and again frees nothing
    ended: list[int] = []

    def end(number: int, _: object) -> None:
        """Leave nothing behind when a job is cancelled either: what Ctrl-C ends, SIGTERM does."""
        ended.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    code = main(arguments)
    if code == _INTERRUPTED:  # threads may still wait for a service that hangs
        code = 128 + ended[0] if ended else code
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        if sys.stdout is None:  # closed by `>&-`: a file opened later would take its place
            raise OutputError("standard output is closed.", "Send it somewhere, if only to /dev/null")
        result: Any = cli.main(args=arguments, prog_name="whyheap", standalone_mode=False)
    except WhyheapError as error:
        print_error(error)
        return error.exit_code
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        # click lists choices one a line, with tabs
        message = re.sub(r",?\n\t", ", ", error.format_message()).replace("Choose from:, ", "Choose from: ")
        _complain(message, f"See: {context.command_path if context else 'whyheap'} --help")
        return _USAGE
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted", "")
        return _INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the reader has gone, as in `whyheap scan | head`: click exits then
        from whyheap.cli.output import discard_stdout  # noqa: PLC0415 - only when something went wrong

        discard_stdout()
        return 0
    except OSError as error:
        from whyheap.cli.output import stdout_error  # noqa: PLC0415 - only when something went wrong

        failure = stdout_error(error) if _is_from_echo(error) else _refused(error)
        print_error(failure)
        return failure.exit_code
    return result if isinstance(result, int) else 0


def _refused(error: OSError) -> ToolError:
    """Say what the operating system refused: a file of the cache, or the current folder."""
    from whyheap.host.cache import cache_folder  # noqa: PLC0415 - only when something went wrong

    path = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else ""
    if not path and isinstance(error, FileNotFoundError):  # os.getcwd
        return ToolError("the current folder does not exist any more.", "Change to one that does")
    reason = error.strerror or str(error) or type(error).__name__
    cache = str(cache_folder())
    is_cache = path.startswith(cache) or cache.startswith(path)  # what is written without a name is our cache, too
    hint = f"Set WHYHEAP_CACHE to a folder with space that you may write to, instead of {cache}" if is_cache else ""
    return ToolError(f"{path or 'the operating system'}: {reason}.", hint)


def _is_from_echo(error: OSError) -> bool:
    """Whether standard output did not take a text; reports go through write_stdout, which says so itself."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is click.echo.__code__


def print_error(error: WhyheapError) -> None:
    """One sentence for what happened, one line for the way out."""
    _complain(error.message, error.hint)


def _complain(message: str, hint: str) -> None:
    from whyheap.report.visible_text import visible  # noqa: PLC0415 - only when something went wrong

    click.echo(f"whyheap: {visible(message)}", err=True)
    if hint:
        click.echo(f"  {visible(hint)}", err=True)
