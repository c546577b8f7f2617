"""What is told in the docs of the launch day is written from the kept figures."""

from __future__ import annotations

import json

import pytest

from lab.five_times import record as five_times
from lab.launch_day import record


def test_the_page_in_the_docs_shows_the_kept_figures() -> None:
    told = record.TOLD.read_text()
    assert record.written(told, json.loads(record.FIGURES.read_text())) == told


def test_the_page_on_five_times_shows_the_kept_figures() -> None:
    told = five_times.TOLD.read_text()
    assert five_times.written(told, json.loads(five_times.FIGURES.read_text())) == told


def test_figures_go_between_their_marks_and_nothing_else_changes() -> None:
    document = json.loads(record.FIGURES.read_text())
    made = record.written(f"before\n{record.BEGIN}\nold\n{record.END}\nafter", document)
    assert made.startswith("before\n")
    assert made.endswith("\nafter")
    assert "old" not in made
    for step in document["steps"]:
        assert step["title"] in made


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="measured"):
        record.written("nothing to see", json.loads(record.FIGURES.read_text()))
