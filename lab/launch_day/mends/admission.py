"""Mend 4: a gate before everything else. It knows who asks for what, and refuses before any work is done."""

from __future__ import annotations

from lab.launch_day.step0_as_it_was import app
from seawall import Fixed, Gate, Workload
from seawall.asgi import Scope, Ticket, admission

# As many inside as the database can serve. A dashboard is good for a second, of which a crowded machine takes the half to
# make it: who would have to wait longer than 0.3 s is told so on arrival, and somebody is always there to take a seat
# that comes free. People wait longer for a sign-in; one seat of the four is theirs whenever they want it.
SEATS = 4
gate = Gate(
    "web",
    Fixed(SEATS),
    [
        Workload("sign-in", priority="critical", share=0.25, deadline_s=2.0),
        Workload("dashboard", priority="interactive", share=0.75, deadline_s=0.3),
    ],
)


def ticket(scope: Scope) -> Ticket | None:
    """What a request is to the gate: its workload, and whose it is. Figures and the like pass by."""
    kind = scope["path"].lstrip("/").partition("/")[0]
    if kind == "dashboard":
        return Ticket(kind, tenant=dict(scope["headers"]).get(b"cookie", b"").decode("latin-1"))
    return Ticket(kind) if kind == "sign-in" else None


gated = admission(app, gate, ticket)
