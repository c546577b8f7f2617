"""Mend 5: people who look at the same site within a second share one answer to its queries."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated

from fastapi import BackgroundTasks, Depends, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from lab.launch_day.step0_as_it_was import (
    Db,
    Settings,
    SignIn,
    app,
    begin_session,
    count_view,
    current_user,
    new_session,
    numbers,
    roll_up,
    settings_for,
)
from seawall import Cache, ThreadPool

# For a second an answer is simply given again. For half a minute more it is given while its queries run anew, for one site
# at a time: under the greatest crowd an answer is some seconds old, instead of coming too late. Sums are quick, and need
# not stand behind queries.
queries = ThreadPool("queries", max_threads=1, queue_limit=1_000)
sums = ThreadPool("sums", max_threads=1, queue_limit=1_000)
cards = Cache("cards", max_items=1_000, fresh_s=1, stale_s=30)
summed_up = Cache("summed-up", max_items=1_000, fresh_s=1, stale_s=30)


@app.post("/sign-in")
def sign_in(form: SignIn, response: Response, background: BackgroundTasks, db: Db) -> dict[str, str]:
    """Check the password, begin a session, and have the numbers of this user's sites ready."""
    token, sites = begin_session(db, form)
    background.add_task(roll_up_once, sites)
    response.set_cookie("session", token, httponly=True, samesite="lax")
    return {"user": form.email}


@app.get("/dashboard/{site_id}")
async def dashboard(site_id: int, user_id: Annotated[int, Depends(current_user)], db: Db) -> dict[str, object]:
    """A site's numbers: by day, its pages, its countries; and how often they were looked at."""
    shown, views = await run_in_threadpool(open_dashboard, db, site_id, user_id)
    shared = await cards.get((site_id, shown), partial(queries.run, numbers_now, site_id, shown))
    return {"site": site_id, **shared, "views": views}


def open_dashboard(db: Session, site_id: int, user_id: int) -> tuple[Settings, int]:
    """What each has to themselves: whether they may see it, and being counted. It commits, and so keeps no connection."""
    return settings_for(db, site_id, user_id), count_view(db, site_id)


def numbers_now(site_id: int, shown: Settings) -> dict[str, list[tuple[object, ...]]]:
    """The three cards, in a session of their own: they belong to all who wait for them."""
    with new_session() as db:
        return numbers(db, site_id, shown)


async def roll_up_once(site_ids: Iterable[int]) -> None:
    """Sum up those of these sites that were not summed up within the last second, each by itself."""
    for site_id in site_ids:
        await summed_up.get(site_id, partial(sums.run, roll_up, [site_id]))
