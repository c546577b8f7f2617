"""The steps of the story, each a set of mends; the faults; and what each mend is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """A service with some of the mends. `before` is the step whose code this one changes."""

    name: str
    title: str
    mends: tuple[str, ...]
    before: str | None = None
    tells: str = ""


STEPS: Sequence[Step] = (
    Step(
        "0",
        "as it was",
        (),
        tells="FastAPI with plain handlers on 40 threads, SQLAlchemy's default pool of 5 + 10 connections, two caches with a "
        "lock each, a counter that is read, raised and written, numbers summed up by a worker and after each sign-in.",
    ),
    Step(
        "1",
        "locks",
        ("locks",),
        before="0",
        tells="What lives in memory is kept by mutexes that are never held while something else is waited for. The counter "
        "is one statement. Whoever writes rows writes them in one order: a mutex ends at the border of its process.",
    ),
    Step(
        "2a",
        "more threads",
        ("locks", "more_threads"),
        before="1",
        tells="The mend that everybody tries first: 400 threads in place of 40. They wait for the same 15 connections.",
    ),
    Step(
        "2b",
        "a sized pool",
        ("locks", "pool"),
        before="1",
        tells="As many threads as the database can serve, connections enough that none is waited for, a queue as short as "
        "is worth waiting in. Who comes when it is full is told so at once. Who is inside finishes first.",
    ),
    Step(
        "4",
        "admission",
        ("locks", "pool", "admission"),
        before="2b",
        tells="A gate before everything else: sign-ins and dashboards wait in lines of their own, each with a share of the "
        "seats and a limit to the wait. Who would come too late is told so on arrival, before any work is done; who leaves "
        "is taken out of the line.",
    ),
    Step(
        "5",
        "shared work",
        ("locks", "pool", "admission", "sharing"),
        before="4",
        tells="People who look at the same site within a second get one answer to the same queries; who asks a little later "
        "gets the last one while it is made anew. Everybody's cookie is still checked, their password still hashed, and each "
        "view counted by itself.",
    ),
)

MENDS = STEPS[-1].mends
WORDS = {"locks": "locks", "pool": "the pool", "admission": "admission", "sharing": "shared work"}

VARIANTS: Sequence[Step] = (
    *(Step(f"only {mend}", f"{WORDS[mend]} alone", (mend,)) for mend in MENDS),
    *(Step(f"no {mend}", f"all but {WORDS[mend]}", tuple(m for m in MENDS if m != mend)) for mend in MENDS),
)
"""Each mend alone, and each left out."""

FACTORS = (0.5, 1.0, 2.0, 5.0, 10.0)
QUICK_FACTORS = (1.0, 5.0)
VARIANT_FACTORS = (1.0, 5.0)
CROSS_CHECKED = 5.0
"""The factor at which the last step's crowd comes a second time, sent by k6."""
