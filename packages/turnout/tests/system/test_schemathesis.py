"""schemathesis sends what the API's own description allows, and what it does not; nothing may break."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

if TYPE_CHECKING:
    from serving import Turnout

if not os.environ.get("REQUIRE_ALL_TESTS"):
    pytest.importorskip("schemathesis", reason="schemathesis is not installed (the dependency group `api`)")
import schemathesis
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

EVENTS = Path(__file__).parents[4] / "docs" / "reference" / "events-api.json"
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, make_turnout: type[Turnout]) -> Iterator[Turnout]:
    server = make_turnout(tmp_path_factory.mktemp("fuzz") / "data").prepare().start()
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("mode", MODES)
def test_the_stats_api_answers_as_it_is_described(running: Turnout, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{running.url}/api/docs/openapi.json").include(path_regex="^/api/v2/")
    assert send(schema, mode, {"Authorization": f"Bearer {running.key}"}) == 1


@pytest.mark.parametrize("mode", MODES)
def test_the_events_api_answers_as_it_is_described(running: Turnout, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(json.loads(EVENTS.read_text()))
    schema.config.update(base_url=running.url)
    assert send(schema, mode, {}) == 1


def send(schema: Any, mode: GenerationMode, headers: dict[str, str]) -> int:
    """Sends made-up requests for every operation and checks the answers; how many operations there were."""
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:

        @settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: Any) -> None:
            # What a description can't say (an end before its beginning) is refused with 400, which is in it.
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance], timeout=30)

        check()
    return len(operations)
