"""`whyheap doctor`."""

from __future__ import annotations

import click

from whyheap.app.doctor import examine
from whyheap.cli.options import common_options


@click.command()
@click.option("--go", default="", metavar="PATH|VERSION", help="The go command to look at.")
@common_options
def doctor(go: str, *, quiet: bool, verbose: bool, no_color: bool) -> None:  # noqa: ARG001 - common options
    """Say what this machine offers and lacks, with the command that mends it."""
    for check in examine(go):
        click.echo(f" {'ok     ' if check.ok else 'missing'}  {check.name:<10} {check.detail}")
        if check.remedy:
            click.echo(f"{'':21}{check.remedy}")
