"""The crowd of Turnout does at a real server what it says, and every event it saw acknowledged is counted there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import uvloop
from serving import DOMAIN, EMAIL, PASSWORD, Turnout

from flashcrowd.arrivals.constant import Constant
from flashcrowd.crowds import turnout, turnout_visitors
from flashcrowd.engine.plan import Limits, Plan
from flashcrowd.engine.run import Run
from flashcrowd.engine.target import parse
from flashcrowd.errors import BadInput
from flashcrowd.result import RunResult
from flashcrowd.users import crowd as users_file
from flashcrowd.users.user import User

DATA = {"site": DOMAIN, "email": EMAIL, "password": PASSWORD}
PRIVATE = "private.example"
HASTY = Limits(lateness_s=3600.0)


class Hasty(User):
    """Does not stop to think, but for a section that is late."""

    weight = 0
    timeout_s = 60.0

    def think(self, seconds: float | tuple[float, float]):  # type: ignore[no-untyped-def]
        return super().think(seconds if seconds == 1.0 else 0.0)


class Visitor(Hasty, turnout.Visitor):
    weight = 4


class Reader(Hasty, turnout.Reader):
    weight = 1


class Analyst(Hasty, turnout.Analyst):
    weight = 1


class Newcomer(Hasty, turnout.Newcomer):
    weight = 1


class Operator(Hasty, turnout.Operator):
    weight = 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turnout]:
    server = Turnout(tmp_path_factory.mktemp("turnout") / "data")
    server.command("user", "create", EMAIL, "--password-stdin", "--operator", stdin=PASSWORD + "\n")
    server.command("site", "create", DOMAIN, "--owner", EMAIL)
    server.command("site", "create", PRIVATE, "--owner", EMAIL)
    server.start()
    yield server
    server.stop()


def run(server: Turnout, *users: type[User], data: Mapping[str, str] = DATA, count: int = 60) -> RunResult:
    plan = Plan(parse(server.url), server.url, users, "test", Constant(count / 3, 3.0), data=data, limits=HASTY)
    return uvloop.run(Run(plan).execute()).result


def publish(server: Turnout) -> None:
    with closing(server.signed_in()) as client:
        form = client.get(f"/sites/{DOMAIN}/settings").text
        token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', form)
        assert token is not None
        fields = {"public": "yes", "_csrf_token": token[1]}
        assert client.post(f"/sites/{DOMAIN}/settings/public", data=fields).status_code == 200


def test_who_can_not_be_what_they_are_told_before_anybody_comes(server: Turnout) -> None:
    with pytest.raises(
        BadInput, match=r"expected a shared link of the server, as /sites/private\.example is not public"
    ):
        run(server, Reader, data={**DATA, "site": PRIVATE})
    with pytest.raises(BadInput, match=r"status 401"):
        run(server, Analyst, data={**DATA, "password": "wrong"})
    with pytest.raises(BadInput, match="FLASHCROWD_PASSWORD: expected the password"):
        run(server, Analyst, data={"site": DOMAIN})


def test_every_user_does_what_it_says_and_every_acknowledged_event_is_counted(server: Turnout) -> None:
    publish(server)
    result = run(server, Visitor, Reader, Analyst, Newcomer, Operator)
    assert result.arrived == 60
    assert set(result.errors) <= {"refused"}, result.reasons  # a busy machine may be told to come back, and does
    did = {step.name: step for step in result.steps}
    assert {"event", "public page", "public page, period", "dashboard", "dashboard, period", "dashboard, filter",
            "details", "sign-in form", "sign in", "operations", "operations, snapshot"} <= did.keys()  # fmt: skip
    assert all(step.good > 0 for step in result.steps)
    server.wait_for("events", did["event"].good)
    pages = server.query(metrics=["pageviews"], dimensions=["event:page"])
    assert {row["dimensions"][0] for row in pages} <= set(turnout.PAGES)
    assert server.total("visitors") > 20


def test_an_event_for_a_site_that_is_not_there_counts_as_wrong(server: Turnout) -> None:
    result = run(server, Visitor, data={"site": "nowhere.example"}, count=6)
    assert (result.good, set(result.errors)) == (0, {"wrong"})
    assert list(result.reasons) == ["status 400"]


def test_both_crowds_are_found_by_name() -> None:
    assert [cls.__name__ for cls in users_file.load("turnout")] == [
        "Visitor", "Reader", "Analyst", "Newcomer", "Operator",
    ]  # fmt: skip
    assert users_file.load("turnout_visitors") == (turnout_visitors.Visitor,)


def test_the_crowds_say_how_they_are_run() -> None:
    for module in (turnout, turnout_visitors):
        name = Path(module.__file__).stem
        assert f"flashcrowd run {name} URL" in str(module.__doc__)
