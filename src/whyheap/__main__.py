"""`python -m whyheap`."""

from whyheap.cli.main import run

run()
