"""What a person can put right: raised by use cases, shown as it is. The text says what to do, not only what is wrong."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 - it is shown to people, and that is what they call it
    """The base of all of them. Nothing was changed when one is raised."""


class NotFound(Problem):
    """There is no such thing, or it belongs to somebody else."""


class Invalid(Problem):
    """A value that can't be; `field` is its name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Conflict(Problem):
    """It contradicts what is there: a name that is taken, a state that does not allow it."""


class NotEnoughCredit(Problem):
    """The purse has less than is needed."""
