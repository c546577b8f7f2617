"""Every error Turnout raises. The second level says whose turn it is."""

from __future__ import annotations


class TurnoutError(Exception):
    """The root of all errors of Turnout."""


class BadInput(TurnoutError):
    """Raised when something from outside can't be used. Fix the named field and send it again.

    `field` is the path of the field as the sender knows it (`filters[0][1]`), `problem` says what was expected.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class TooLarge(BadInput):
    """Raised when a body or a list is over its limit. Send less at once."""


class NotSignedIn(TurnoutError):
    """Raised when a request carries no valid session or key. Sign in, or send a valid key."""


class NotFound(TurnoutError):
    """Raised when a thing does not exist, or the asker may not know that it does."""


class AlreadyExists(BadInput):
    """Raised when a name is taken. Choose another."""


class StoreUnavailable(TurnoutError):
    """Raised when a store can't be read or written now. Come back after `retry_after_s`."""

    def __init__(self, detail: str, retry_after_s: float = 5.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class JournalFull(StoreUnavailable):
    """Raised when the journal is at its size cap or the disk at its floor: the event was not accepted.

    Send it again later."""


class JournalCorrupt(TurnoutError):
    """Raised when a journal batch fails its checksum. Nothing after it is read until an operator has looked."""


class DirectoryHeld(TurnoutError):
    """Raised when another process holds the data directory. The message names it."""


class SettingsInvalid(TurnoutError):
    """Raised at start when a setting can't be used. The message names the setting, its source and what was expected."""


class QueryCancelled(TurnoutError):
    """Raised inside a query whose asker has gone or whose deadline has passed; nobody is left to read it."""


class NotAllowed(TurnoutError):
    """Raised when the asker knows of a thing but their role does not allow this. Ask an admin or owner."""


class TooManyAttempts(TurnoutError):
    """Raised when an account or a peer has guessed too often. Come back after `retry_after_s`."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("too many attempts")
        self.retry_after_s = retry_after_s


class SecondFactorNeeded(TurnoutError):
    """Raised when a password was right and a code is asked for now. `token` names the sign-in that waits for it."""

    def __init__(self, token: str) -> None:
        super().__init__("a code is needed")
        self.token = token
