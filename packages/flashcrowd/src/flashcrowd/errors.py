"""Every exception of Flashcrowd."""

from __future__ import annotations


class FlashcrowdError(Exception):
    """Any of them."""


class BadInput(FlashcrowdError):
    """Raised when an option, a file of users or an address can't be used. Says which, and what was expected."""

    def __init__(self, what: str, expected: str) -> None:
        self.what = what
        self.expected = expected
        super().__init__(f"{what}: {expected}")


class RequestFailed(FlashcrowdError):
    """Raised when a request got no right answer: refused to the end, timed out, broken, or not as expected.

    A user who does not catch it leaves: the steps that were left are not done. To see an answer that is not as usual, say so
    with `expect`.
    """

    def __init__(self, outcome: str, reason: str, status: int) -> None:
        self.outcome = outcome
        """`refused`, `timed_out`, `wrong` or `broken`."""
        self.reason = reason
        self.status = status
        """Of the answer; 0 where no whole one came."""
        super().__init__(f"{outcome}: {reason}")


class GeneratorFull(FlashcrowdError):
    """Raised when the generator itself can't send: no connection, descriptor or port is left. The run is void then."""
