"""A result survives being written and read, and a bad file is refused by the name of the field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_results import limit, run

from flashcrowd.errors import BadInput
from flashcrowd.report.json import parsed, read, written
from flashcrowd.result import LimitResult, RunResult


@pytest.mark.parametrize(
    "result", [run(), run(verdict=None, void_reason="late"), limit()], ids=["run", "void", "limit"]
)
def test_what_is_written_is_read_back_the_same(result: RunResult | LimitResult) -> None:
    assert parsed(written(result), "a.json") == result


def test_a_run_has_the_fields_that_others_rely_on() -> None:
    document = json.loads(written(run(300)))
    assert document["version"] == 1
    assert {"requests", "goodput_per_s", "errors", "void"} <= document.keys()
    assert document["errors"]["refused"] > 0
    assert {"p50", "p95", "p99", "max"} <= document["latency_ms"].keys()
    assert "p99" in document["lateness_ms"]
    assert {"resource", "kind", "confidence", "evidence", "predicted_gain"} <= document["verdict"].keys()
    assert json.loads(written(run(verdict=None)))["verdict"] is None


def test_fields_of_a_later_flashcrowd_are_left_out() -> None:
    document = json.loads(written(run())) | {"later": [1, 2]}
    assert parsed(json.dumps(document), "a.json") == run()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.update(version=2), "a.json: is version 2 of the format; this Flashcrowd reads version 1"),
        (lambda d: d.update(kind="walk"), "kind: invalid enum value 'walk'"),
        (lambda d: d["latency_ms"].update(p95="fast"), "latency_ms.p95: expected `float`, got `str`"),
        (lambda d: d["seconds"][3].pop("good"), "missing required field `good`"),
        (lambda d: d.pop("requests"), "object missing required field `requests`"),
        (lambda d: d["verdict"].update(kind="gremlin"), "verdict.kind: invalid enum value 'gremlin'"),
    ],
)
def test_a_bad_file_is_refused_by_the_name_of_the_field(change, told) -> None:  # type: ignore[no-untyped-def]
    document = json.loads(written(run()))
    change(document)
    with pytest.raises(BadInput) as refused:
        parsed(json.dumps(document), "a.json")
    assert told in str(refused.value)


def test_a_file_that_is_no_json_or_not_there_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("<html>")
    with pytest.raises(BadInput, match=r"a\.json: is no JSON"):
        read(tmp_path / "a.json")
    with pytest.raises(BadInput, match=r"b\.json: can't be read: No such file or directory"):
        read(tmp_path / "b.json")
