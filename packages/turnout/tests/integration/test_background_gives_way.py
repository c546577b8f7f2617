"""What runs in the background of a server looks at the gates of that server."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from turnout.compose import Server
from turnout.settings import Settings


@pytest.mark.parametrize(("gate", "workload"), [("pages", "dashboard"), ("answers", "api"), ("sign_ins", "sign-in")])
def test_summing_up_deleting_and_exporting_see_who_is_served(tmp_path: Path, gate: str, workload: str) -> None:
    tmp_path.joinpath("data").mkdir()
    server = Server(Settings(data=tmp_path / "data", page_seats=2, answer_seats=8, hash_threads=1))
    try:
        at = getattr(server.gates, gate)
        bustles = [server.core.derivation.bustle, server.core.deletions.bustle, server.exports.bustle]
        assert [bustle.is_busy() for bustle in bustles] == [False] * 3
        with ExitStack() as stack:
            for _ in range(at.statistics().limit):
                stack.enter_context(at.admit_sync(workload))
            assert [bustle.is_busy() for bustle in bustles] == [True] * 3
        assert [bustle.is_busy() for bustle in bustles] == [False] * 3
    finally:
        server.close(10.0)
