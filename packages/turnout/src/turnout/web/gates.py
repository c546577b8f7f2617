"""The gates in front of the application: how many of each workload are served at once, and how long the others wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from litestar import Request
from litestar.datastructures import State

from seawall import Fixed, Gate, Workload
from seawall.asgi import Scope, Ticket
from seawall.core.limits import Outcome
from turnout.model.site import Principal, Site
from turnout.settings import Settings
from turnout.web.peer import peer_of
from turnout.web.together import follows
from turnout.web.workloads import work_of

FOLLOWERS = "followers"
"""The workload of whoever asks for a page that is being drawn for somebody else: see `together.py`."""

TIME_S: dict[str, float] = {
    "operations": 30.0,
    "account": 30.0,
    "dashboard": 30.0,
    FOLLOWERS: 30.0,
    "sections": 60.0,
    "api": 60.0,
    "export": 3600.0,
    "sign-in": 60.0,
}
"""The deadline of a request that was let in: no wait below it lasts longer. Streams have none."""
FOLLOWING = 16
"""Followers at once: drawing what others have asked for takes the loop 5 to 10 ms each, and nothing else gets on."""
WAITING = 500
"""How many may wait for one workload. The predicted wait refuses before that, unless answers are very quick."""

CALM_S = 0.1
LATE_S = 0.5
"""The lag of the loop from which on fewer are let in, and at which one at a time is."""
INGEST_WAITING = 50_000
"""Events that may wait for a seat: more than there can be connections, so that the expected wait alone refuses."""
INGEST_WAIT_S = 2.0
INGEST_BURST_S = 4.0
"""How long an event waits while more come than the journal takes, and in a burst: less than the five seconds after which
many senders give up, and tell it again."""


class Gates(NamedTuple):
    """One gate for each resource: the core that draws pages, patience with the store, the cores that check passwords,
    the loop that draws what is there already, connections that stay open, and the journal."""

    pages: Gate
    answers: Gate
    sign_ins: Gate
    followers: Gate
    streams: Gate
    ingest: Gate

    def close(self) -> None:
        """Refuses whoever comes from now on."""
        for gate in self:
            gate.close()


class WhileQuick:
    """The limit for what the event loop itself carries out: fewer at once the later it is, one at the least.

    What is let in beyond what it can draw waits where no gate sees it: on sockets, and in the loop's own list of what is
    ready, together with the events on their way to the journal.
    """

    wants_delays = False

    def __init__(self, most: int, lag_s: Callable[[], float]) -> None:
        self.seats = most
        self._most = most
        self._lag_s = lag_s

    def left(self, outcome: Outcome, now_s: float, is_wanted: bool) -> None:
        """See `seawall.Limit`."""
        late = (self._lag_s() - CALM_S) / (LATE_S - CALM_S)
        self.seats = max(1, round(self._most * (1 - max(0.0, late))))

    def delayed(self, delay_s: float, now_s: float) -> None:
        """See `seawall.Limit`."""


def make_gates(settings: Settings, lag_s: Callable[[], float], *, seats: int | None = None) -> Gates:
    """The gates for these settings, or with as many `seats` each as the lab says. Close them.

    `lag_s` tells how late the event loop is, in seconds.
    """
    wait_s, burst_s = settings.page_wait_s, settings.page_burst_s
    pages = [
        Workload("dashboard", "interactive", 0.5, WAITING, wait_s, burst_s, cancel_on_disconnect=True),
        Workload("account", "interactive", 0.25, WAITING, wait_s, burst_s),
        Workload("operations", exempt=True),
    ]
    answers = [
        Workload("sections", "interactive", 0.5, WAITING, 20.0, cancel_on_disconnect=True),
        Workload("api", "default", 0.25, WAITING, 10.0, cancel_on_disconnect=True),
        Workload("export", "background", 0.0, 64, 30.0, max_share=0.25, cancel_on_disconnect=True),
    ]
    sign_in = Workload(
        "sign-in", "interactive", queue_limit=settings.sign_ins_waiting, deadline_s=settings.sign_in_wait_s
    )
    return Gates(
        Gate("pages", Fixed(seats) if seats else WhileQuick(settings.page_seats, lag_s), pages),
        Gate("answers", Fixed(seats or settings.answer_seats), answers),
        Gate("sign-ins", Fixed(seats or settings.hash_threads), [sign_in]),
        Gate(
            "followers",
            Fixed(seats) if seats else WhileQuick(FOLLOWING, lag_s),
            [Workload(FOLLOWERS, "interactive", 1.0, WAITING, wait_s, burst_s, cancel_on_disconnect=True)],
        ),
        Gate("streams", Fixed(settings.live_streams), [Workload("live", queue_limit=0)]),
        Gate(
            "ingest",
            Fixed(seats or settings.ingest_in_flight),
            [Workload("ingest", "critical", 1.0, INGEST_WAITING, INGEST_WAIT_S, INGEST_BURST_S)],
        ),
    )


def make_classify(
    settings: Settings,
    find_site: Callable[[str], Site | None],
    holder_of: Callable[[str], Principal | None],
) -> Callable[[Scope], Ticket]:
    """What says of a request which workload it is, and whose: `find_site` and `holder_of` (of a key) answer from memory.

    Whoever comes without a name that is known shares one line with all others of that kind, or an attacker would make
    up as many as he likes.
    """
    common: dict[str, Ticket] = {work: Ticket(work) for work in (*TIME_S, "live")}

    def classify(scope: Scope) -> Ticket:
        path: str = scope["path"]
        work: str = work_of(scope["method"], path)
        line = ""
        if follows(scope):
            line, work = work, FOLLOWERS
        tenant = ""
        if work == "sign-in":
            request: Request[object, object, State] = Request(scope)  # type: ignore[arg-type]
            tenant = peer_of(request, settings)
        elif work == "api":
            tenant = _holder(scope, holder_of)
        elif work != "account" and work != "operations":
            tenant = _owner(path, find_site)
        return Ticket(work, tenant, line=line) if tenant or line else common[work]

    return classify


def _owner(path: str, find_site: Callable[[str], Site | None]) -> str:
    """The organisation whose site the path names. Links are known by the store alone: 64 lines, by their first letter."""
    kind, _, rest = path.lstrip("/").partition("/")
    name = rest.partition("/")[0]
    if kind == "share":
        return f"links {name[:1]}"
    site = find_site(name)
    return "" if site is None else f"organisation {site.organisation_id}"


def _holder(scope: Scope, holder_of: Callable[[str], Principal | None]) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            holder = holder_of(value.decode("latin-1").partition(" ")[2].strip())
            if holder is not None:
                return f"organisation {holder.only_organisation}" if holder.only_organisation else f"{holder.user_id}"
    return ""
