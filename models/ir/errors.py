"""The errors a user can cause, one family, each with its exit code.

Every message names the thing that is wrong and the remedy.  The command line
turns these into one line on standard error and an exit code; anything else
that escapes is a defect of ours and keeps its traceback.
"""

from __future__ import annotations


class BitsmithError(Exception):
    """Base of all errors that a user can cause."""

    exit_code = 2


class InputError(BitsmithError):
    """The user's input is wrong: a file, a key, a value, a model (exit code 2)."""


class InvalidNetError(InputError):
    """A QNet breaks a rule of :mod:`bitsmith.models.ir.verify` (exit code 2)."""


class UnsupportedError(InputError):
    """A model or a net holds something that cannot be handled; lists all of it (exit code 2)."""


class DoesNotFitError(BitsmithError):
    """It does not fit the board, or no candidate meets the constraint (exit code 3)."""

    exit_code = 3


class ToolError(BitsmithError):
    """A tool is missing or failed; the message holds its last lines (exit code 4)."""

    exit_code = 4


class MismatchError(BitsmithError):
    """Verification found a difference (exit code 5)."""

    exit_code = 5
