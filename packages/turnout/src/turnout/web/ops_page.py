"""Operations, for operators: what limits now, everything by name with its last hour; and the same as data for tools."""

from __future__ import annotations

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Template

from seawall import snapshot
from seawall.clock import Clock
from seawall.console.wait_tree import wait_tree
from seawall.observe.whereabouts import stacks_of
from turnout.model.site import Principal
from turnout.web.forms import PageRequest
from turnout.web.ops import Operations
from turnout.web.ops_history import OpsHistory, refusals
from turnout.web.page.ops_table import draw_ops
from turnout.web.page.sparkline import HEIGHT, WIDTH
from turnout.web.pages import page
from turnout.web.scope import OPERATOR, OPERATOR_OR_KEY

PrincipalDependency = NamedDependency[SkipValidation[Principal]]
OperationsDependency = NamedDependency[SkipValidation[Operations]]
HistoryDependency = NamedDependency[SkipValidation[OpsHistory]]
ClockDependency = NamedDependency[SkipValidation[Clock]]

MAX_NAME = 500


@get("/ops", opt=OPERATOR, include_in_schema=False)
async def show_ops(
    request: PageRequest,
    principal: PrincipalDependency,
    operations: OperationsDependency,
    ops_history: HistoryDependency,
) -> Template:
    """How everything stands."""
    found = snapshot()
    table = draw_ops(operations.readings(found), ops_history.last_hour(), refusals(found))
    return page(
        request,
        "ops.html",
        principal,
        table=table,
        box=(WIDTH, HEIGHT),
        trees=wait_tree(found),
        found=found.found[::-1],
        level=found.level,
    )


@get("/ops/stacks", opt=OPERATOR, include_in_schema=False)
async def show_stacks(request: PageRequest, principal: PrincipalDependency) -> Template:
    """Where the threads or tasks of a name stand now."""
    who = request.query_params.get("who", "")[:MAX_NAME]
    return page(request, "ops_stacks.html", principal, who=who, stacks=stacks_of(who))


@get("/ops/snapshot", opt=OPERATOR_OR_KEY, include_in_schema=False)
async def show_snapshot(operations: OperationsDependency, clock: ClockDependency) -> dict[str, object]:
    """The same as JSON, also for whoever holds a key of scope `ops`."""
    return operations.snapshot(clock.time())
