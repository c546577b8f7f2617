"""The whole way of one run with the real parts, and the documents made of it."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lab.launch_day import crowd as flashcrowd
from lab.launch_day import k6, page, story
from lab.launch_day.__main__ import Story
from lab.launch_day.crowd import Generator
from lab.launch_day.database import Database
from lab.launch_day.document import Document, Load, Seen, StepResult
from lab.launch_day.run import Plan, run
from lab.launch_day.seed import Crowd


@pytest.mark.parametrize(
    ("mends", "coming"),
    [(("locks", "pool"), flashcrowd.coming), (story.MENDS, flashcrowd.coming), (story.MENDS, k6.coming)],
    ids=["step-2b", "step-5", "step-5-by-k6"],
)
def test_a_small_crowd_is_served_and_everybody_accounted_for(
    mends: tuple[str, ...], coming: Generator, server: Database, crowd: Crowd, tmp_path: Path
) -> None:
    plan = Plan(load_s=2.0, watch_s=30.0)
    result = run(mends, server, crowd, tmp_path / "run", plan, rate=5.0, coming=coming)
    told = result.tally
    assert 0 < told.sent + result.dropped <= 11  # a generator that gets no processor may send fewer
    assert told.good + told.slow + told.refused + told.timeouts + told.errors + told.wrong == told.sent
    assert told.wrong == 0
    assert result.served_views > 0
    assert result.memory_deadlocks == 0
    assert result.lost_updates == 0


def load(factor: float, **changed: object) -> Load:
    """A run in which all went well, changed."""
    fine: dict[str, object] = dict.fromkeys(Load.__annotations__, 0)
    fine |= {"factor": factor, "offered_per_s": 30 * factor, "goodput_per_s": 30 * factor, "recovery_s": 0.2}
    fine |= {
        "sent": 100,
        "good": 100,
        "lateness_ms": {"p99": 1.0},
        "void": False,
        "void_reason": "",
        "locks_in_deadlock": [],
        "watched_s": 10.0,
    }
    return fine | changed  # type: ignore[return-value]


@pytest.fixture
def document() -> Document:
    """A story in which step 0 falls at five times its peak."""
    steps: list[StepResult] = [
        {
            "name": step.name,
            "title": step.title,
            "mends": list(step.mends),
            "peak_per_s": 30.0,
            "loads": [load(1.0), load(5.0)],
        }
        for step in story.STEPS
    ]
    steps[0]["loads"][1] = load(
        5.0, goodput_per_s=0.0, recovery_s=None, lost_updates=9, served_views=90, memory_deadlocks=1
    )
    about = {"what": "lab.launch_day", "database": "PostgreSQL <18>", "machine": "m", "commit": "c", "finished": "f"}
    numbers = {"seed": 1, "quick": True, "load_s": 5.0, "watch_s": 10.0, "peak_per_s": 30.0}
    seen = {**dict.fromkeys(Seen.__annotations__, 0), "lateness_ms": {"p99": 1.0}, "void": False, "void_reason": ""}
    check = {"step": "5", "title": "t", "factor": 5.0, "offered_per_s": 150.0}
    check |= {"flashcrowd": {**seen, "goodput_per_s": 41.5}, "k6": {**seen, "goodput_per_s": 42.5}}
    return {**about, **numbers, "steps": steps, "variants": [steps[1]], "cross_check": check}  # type: ignore[typeddict-item, return-value]


class Elements(HTMLParser):
    """Which elements a page has, which address something else, and which were not closed."""

    VOID = {"meta", "br", "rect", "line", "path", "circle"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.outside += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text between elements."""
        self.text += data


def test_the_page_is_whole_and_asks_for_nothing_from_outside(document: Document) -> None:
    elements = Elements()
    elements.feed(page.draw(document))
    assert (elements.open, elements.outside) == ([], [])
    assert "PostgreSQL <18>" in elements.text
    assert "9 of 90 (10.0 %)" in elements.text
    for step in story.STEPS:
        assert step.title in elements.text
    assert "-settings_lock = threading.Lock()" in elements.text
    assert "+settings_lock = Mutex" in elements.text
    assert "41.5/s" in elements.text
    assert "42.5/s" in elements.text
    assert "say nothing about the service" not in elements.text


def test_void_runs_are_told_before_anything_else(document: Document) -> None:
    document["steps"][2]["loads"][0] = load(1.0, void=True, void_reason="9 of 100 requests were not sent")
    elements = Elements()
    elements.feed(page.draw(document))
    told = elements.text.index("9 of 100 requests were not sent")
    assert told < elements.text.index("Good a second, at 5 ×")
    assert "1 of 14 runs is void" in elements.text
    assert "say nothing about the service" in elements.text


def test_the_json_has_the_keys_that_others_read(
    server: Database, crowd: Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "STEPS", story.STEPS[:1])
    monkeypatch.setattr("lab.launch_day.__main__.QUICK", Plan(load_s=1.0, watch_s=1.0))
    monkeypatch.setattr(Story, "peak", lambda _: 3.0)
    monkeypatch.setattr("lab.launch_day.__main__.seed.fill", lambda *_: crowd)
    made = Story(server, tmp_path, 1, is_quick=True).document()
    assert set(made) == set(Document.__annotations__)
    (step,) = made["steps"]
    assert (step["name"], step["peak_per_s"] >= 3.0) == ("0", True)
    assert [run["factor"] for run in step["loads"]] == [1.0, 5.0]
    for one in step["loads"]:
        assert set(one) == set(Load.__annotations__)
    assert made["variants"] == []
    check = made["cross_check"]
    assert (check["step"], check["factor"]) == ("0", 5.0)
    assert check["flashcrowd"]["goodput_per_s"] == step["loads"][1]["goodput_per_s"]
    assert check["k6"]["sent"] > 0
    assert set(check["k6"]) == set(Seen.__annotations__)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--seed", "-1"], "a whole number from 0"),
        (["--json", "/no/such/place/out.json"], "there is no directory /no/such/place"),
        (["--fast"], "unrecognized arguments"),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_started(arguments: list[str], told: str) -> None:
    command = [sys.executable, "-m", "lab.launch_day", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[2])
    assert ran.returncode == 2
    assert told in ran.stderr
    assert "filling" not in ran.stderr
