"""How long after the crowd has gone somebody who opens a dashboard is served again."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable

from lab.launch_day.requests import GOOD_WITHIN_MS
from lab.launch_day.seed import Crowd, Visit

EVERY_S = 0.25
IN_A_ROW = 3


def watch(probe: Callable[[], bool], *, ended_at: float, watch_s: float) -> float | None:
    """Seconds from `ended_at` (as time.time) to the first of three good probes in a row; None where none came."""
    time.sleep(max(0.0, ended_at - time.time()))
    first_good_at, good = 0.0, 0
    while good < IN_A_ROW:
        began_at = time.time()
        if began_at - ended_at > watch_s:
            return None
        is_good = probe()
        good = good + 1 if is_good else 0
        if good == 1:
            first_good_at = time.time()
        time.sleep(max(0.0, began_at + EVERY_S - time.time()))
    return max(0.0, first_good_at - ended_at)


def opens_dashboard(port: int, visit: Visit) -> bool:
    """Open one dashboard, and tell whether the answer was right and in time."""
    limit_s = GOOD_WITHIN_MS["dashboard"] / 1000
    began_at = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
    try:
        connection.request("GET", f"/dashboard/{visit.site_id}", headers={"Cookie": f"session={visit.token}"})
        answer = connection.getresponse()
        is_right = answer.status == 200 and json.loads(answer.read())["site"] == visit.site_id
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return is_right and time.monotonic() - began_at <= limit_s


def signs_in(port: int, crowd: Crowd) -> bool:
    """Sign in, and tell whether it was right."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GOOD_WITHIN_MS["sign-in"] / 1000)
    body = json.dumps({"email": crowd.emails[0], "password": crowd.password})
    try:
        connection.request("POST", "/sign-in", body, {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
