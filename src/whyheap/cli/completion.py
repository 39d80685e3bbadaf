"""`whyheap completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_HOW = {
    "bash": 'eval "$(whyheap completion bash)"        in ~/.bashrc',
    "zsh": 'eval "$(whyheap completion zsh)"         in ~/.zshrc',
    "fish": "whyheap completion fish > ~/.config/fish/completions/whyheap.fish",
}


@click.command(epilog="\b\nTo switch it on:\n" + "\n".join(f"  {line}" for line in _HOW.values()))
@click.argument("shell", type=click.Choice(sorted(_HOW)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    kind = get_completion_class(shell)
    root = ctx.find_root()
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}.")
    click.echo(kind(root.command, {}, "whyheap", "_WHYHEAP_COMPLETE").source())
