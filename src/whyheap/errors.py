"""Every error that a user can meet, as one tree.

WhyheapError                exit 3   base: the message is one sentence, `hint` one line with the way out
 |- UsageError              exit 2   the command line, a configuration or a rule is wrong
 |- TargetError             exit 3   a named target could not be read at all
 |   `- FormatError         exit 3   its bytes are not what they claim to be
 |- ToolError               exit 3   a needed tool (go, kubectl, ...) is missing or failed
 `- OutputError             exit 3   a report could not be written

A witness that could not speak while others did is no error: it is a `Gap` (see model/gap.py).
"""

from __future__ import annotations


class WhyheapError(Exception):
    """One sentence that says what happened and where; `hint` is the way out, empty if there is none."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep the sentence and the way out."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(WhyheapError):
    """The command line, a configuration file or a rule is wrong."""

    exit_code = 2


class TargetError(WhyheapError):
    """A named target could not be read at all."""


class FormatError(TargetError):
    """Bytes from a target are not what they claim to be."""


class ToolError(WhyheapError):
    """A needed tool is missing or failed."""


class OutputError(WhyheapError):
    """A report could not be written; nothing half-written is left behind."""
