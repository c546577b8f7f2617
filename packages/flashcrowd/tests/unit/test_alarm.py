from __future__ import annotations

import asyncio
import sys

import pytest

from flashcrowd.clock import monotonic
from flashcrowd.engine.wake import Alarm


@pytest.mark.parametrize("platform", ["linux", "other"])
def test_nobody_is_woken_before_the_instant(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    async def wait() -> list[float]:
        alarm = Alarm(asyncio.get_running_loop())
        early = []
        for number in range(20):
            due_s = monotonic() + number * 0.0007
            await alarm.until(due_s)
            early.append(due_s - monotonic())
        alarm.close()
        return early

    assert max(asyncio.run(wait())) <= 0


@pytest.mark.parametrize("platform", ["linux", "other"])
def test_an_alarm_that_is_set_anew_rings_once_and_closed_not_at_all(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    rang: list[str] = []

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        alarm = Alarm(loop)
        alarm.call_at(monotonic() + 0.01, lambda: rang.append("first"))
        second = loop.create_future()
        alarm.call_at(monotonic() + 0.02, lambda: (rang.append("second"), second.set_result(None)))
        await second
        alarm.call_at(monotonic() + 0.01, lambda: rang.append("third"))
        alarm.close()
        await asyncio.sleep(0.05)

    asyncio.run(wait())
    assert rang == ["second"]
