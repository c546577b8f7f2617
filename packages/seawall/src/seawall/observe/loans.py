"""What anyone may give back, and whether the one who took it stands for it now.

A connection is often taken by one thread and given back by another: a web framework opens a session in one worker and
closes it in the next. Then the first one, which has long been at other work, is not to be said to hold it. So a loan is
noted in the context (`contextvars`) of whoever takes it. Frameworks run each piece of work in a context of its own; a
thread that begins to wait while the loan is not in its context is at other work by now. A task is always in its own.
"""

from __future__ import annotations

from contextvars import ContextVar

from seawall.runtime.who import Owner

Loans = tuple["Loan", ...]


class Loan:
    """One thing that `owner` took and that is not back yet."""

    __slots__ = ("__weakref__", "owner")

    def __init__(self, owner: Owner) -> None:
        self.owner: Owner | None = owner
        # What others have given back is dropped here, so that this never grows beyond what is out.
        _HERE.set((*(loan for loan in _HERE.get() if loan.owner is not None), self))

    def end(self) -> None:
        """It is back. By anyone, any number of times."""
        self.owner = None
        here = _HERE.get()
        if self in here:
            _HERE.set(tuple(loan for loan in here if loan is not self))


_HERE: ContextVar[Loans] = ContextVar("seawall_loans", default=())

loans_here = _HERE.get
"""The loans that were taken in the running context, some of which others may have ended."""
