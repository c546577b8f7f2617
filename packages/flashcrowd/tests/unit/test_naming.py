"""Against models in simulated time, where what limits is known."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import Model, Station

from flashcrowd.samples import Process, Reading, ResourceKind, Sample
from flashcrowd.verdict.level import level_of
from flashcrowd.verdict.name import name_bottleneck
from flashcrowd.verdict.of_run import name_in_run, stretches

PLACED: list[ResourceKind] = ["lock", "semaphore", "gate", "thread pool", "connection pool", "queue"]
LOADS = (30.0, 65.0, 120.0, 160.0)
WIDE = Station("wide", "connection pool", 50, 0.010)


def narrow(kind: ResourceKind = "semaphore", *, name: str = "narrow", places: int = 2, per_s: float = 100) -> Station:
    return Station(name, kind, places, places / per_s)


@pytest.mark.parametrize("kind", PLACED)
@pytest.mark.parametrize("timed", [True, False])
def test_the_one_narrow_resource_is_named(kind: ResourceKind, timed: bool) -> None:
    verdict = name_bottleneck(Model(WIDE, narrow(kind), timed=timed).levels(*LOADS))
    assert verdict is not None
    assert (verdict.resource, verdict.kind) == ("narrow", kind)
    assert verdict.confidence > 0.7
    assert verdict.predicted_gain == pytest.approx(2.0, rel=0.05)
    assert verdict.of_p95 is not None
    assert verdict.of_p95 > 0.7


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 1_000), st.integers(1, 6), st.floats(60, 300))
def test_whatever_its_size_it_is_named_and_at_calm_loads_nothing_is(seed: int, places: int, per_s: float) -> None:
    model = Model(WIDE, narrow(places=places, per_s=per_s), seed=seed)
    verdict = name_bottleneck(model.levels(*(per_s * factor for factor in (0.3, 0.5, 1.3, 1.7))))
    assert verdict is not None
    assert verdict.resource == "narrow"
    calm = name_bottleneck(Model(WIDE, Station("narrow", "lock", 20, 0.02), seed=seed).levels(30, 60, 90, 120))
    assert calm is None


def test_a_pool_that_fills_because_its_threads_wait_for_a_lock_is_not_to_blame() -> None:
    threads = Station("handlers", "thread pool", 12, 0.004, keeps=True)
    verdict = name_bottleneck(Model(threads, narrow("lock", places=1)).levels(*LOADS))
    assert verdict is not None
    assert (verdict.resource, verdict.kind) == ("narrow", "lock")


def test_of_two_in_a_row_the_tighter_is_named_and_the_other_bounds_the_gain() -> None:
    first, second = narrow("lock", name="first", places=1, per_s=130), narrow(name="second", places=3, per_s=100)
    verdict = name_bottleneck(Model(first, second).levels(30, 65, 115, 160))
    assert verdict is not None
    assert verdict.resource == "second"
    assert verdict.predicted_gain == pytest.approx(1.3, rel=0.1)
    assert any("first would bind next" in sentence for sentence in verdict.evidence)


def test_where_the_next_bound_was_seen_too_seldom_no_gain_is_promised() -> None:
    first, second = narrow("lock", name="first", places=1, per_s=130), narrow(name="second", places=3, per_s=100)
    calm, pressed = Model(first, second).level(65), Model(first, second, seed=2).level(115, 1)
    few = replace(calm, uses={key: replace(use, looks=4) for key, use in calm.uses.items()})
    verdict = name_bottleneck([few, pressed])
    assert verdict is not None
    assert (verdict.resource, verdict.predicted_gain) == ("second", None)
    assert verdict.evidence[-1] == "With twice of it, first was seen too seldom to say whether it would bind next."


def test_the_gain_is_bounded_by_the_cpu() -> None:
    verdict = name_bottleneck(Model(narrow(), cpu_s=0.008).levels(*LOADS))
    assert verdict is not None
    assert verdict.resource == "narrow"
    assert verdict.predicted_gain == pytest.approx(1.25, rel=0.1)


def test_a_process_that_uses_its_whole_core_is_bound_by_the_cpu_whatever_else_is_full() -> None:
    verdict = name_bottleneck(Model(narrow(), cpu_s=0.0099).levels(*LOADS))
    assert verdict is not None
    assert (verdict.resource, verdict.kind) == ("cpu", "cpu")


def test_an_event_loop_that_runs_late_while_the_cpu_idles_is_blocked() -> None:
    one_at_a_time = Station("turns", "lock", 1, 0.010)
    calm, pressed = Model(one_at_a_time, lag_s=0.0005).levels(30, 65), Model(one_at_a_time, lag_s=0.4).level(150, 3)
    verdict = name_bottleneck([replace(level, uses={}, timings={}) for level in (*calm, pressed)])
    assert verdict is not None
    assert (verdict.resource, verdict.kind) == ("event loop", "event loop")


def test_a_late_event_loop_is_not_to_blame_where_something_full_explains_all() -> None:
    calm, pressed = Model(narrow(), lag_s=0.0005).levels(30, 65), Model(narrow(), lag_s=0.4).level(150, 3)
    verdict = name_bottleneck([*calm, pressed])
    assert verdict is not None
    assert verdict.resource == "narrow"


def test_a_stall_of_the_machine_at_the_highest_load_presses_nothing() -> None:
    low, high = Model(WIDE, seed=3), Model(WIDE, seed=4)
    samples, readings = high.run(100)
    stalled = [
        sample._replace(ended_s=sample.ended_s + 1.0) if 2.0 < sample.intended_s < 2.8 else sample for sample in samples
    ]
    level = level_of(stalled, [replace(reading, process=Process(loop_lag_s=0.5)) for reading in readings])
    assert level is not None
    assert name_bottleneck([low.level(30, 1), low.level(60, 2), level]) is None


def test_connections_held_longer_under_load_with_some_to_spare_point_to_the_database() -> None:
    database = Station("rows", "lock", 1, 0.010)
    model = Model(Station("orders-db", "connection pool", 5_000, 0.001, keeps=True), database, timed=False)
    told = [key for key in model.level(30).uses if "rows" not in key]
    levels = [replace(one, uses={key: one.uses[key] for key in told}) for one in model.levels(*LOADS)]
    verdict = name_bottleneck(levels)
    assert verdict is not None
    assert (verdict.resource, verdict.kind) == ("orders-db", "database")
    assert "a connection of orders-db is held" in verdict.evidence[1]


@pytest.mark.parametrize(("name", "kind"), [("db", "database"), ("upstream", "downstream"), ("http", "downstream")])
def test_what_only_server_timing_tells_of_is_named_by_its_words(name: str, kind: str) -> None:
    model = Model(Station(name, "queue", 1, 0.010))
    levels = [replace(one, uses={}, timings={name: (one.mean_s - 0.003, one.tail_s)}) for one in model.levels(*LOADS)]
    verdict = name_bottleneck(levels)
    assert verdict is not None
    assert (verdict.resource, verdict.kind) == (name, kind)
    assert verdict.evidence[1].startswith("No pool")


@pytest.mark.parametrize("name", ["total", "app", "render", "quux"])
def test_a_name_that_stands_for_everything_or_means_nothing_is_no_cause(name: str) -> None:
    model = Model(Station(name, "queue", 1, 0.010))
    samples, readings = model.run(150)
    bare = [replace(reading, resources=()) for reading in readings]
    slow = level_of(samples, bare)
    assert slow is not None
    assert name_bottleneck([*(replace(one, uses={}, timings={}) for one in model.levels(30, 65)), slow]) is None


def test_a_service_that_is_slow_and_tells_nothing_is_not_guessed_at() -> None:
    levels = [replace(one, uses={}, timings={}, cpu=None, lag_s=None) for one in Model(narrow()).levels(*LOADS)]
    assert name_bottleneck(levels) is None


def test_a_service_as_slow_at_every_load_is_healthy() -> None:
    assert name_bottleneck(Model(Station("slow", "connection pool", 60, 0.3)).levels(30, 60, 100)) is None


def test_one_slow_level_below_calm_ones_is_chance() -> None:
    low, *calm = Model(WIDE).levels(30, 60, 90)
    assert name_bottleneck([replace(low, p50_s=1.0, mean_s=1.0, steady_mean_s=1.0), *calm]) is None


def test_in_a_mix_the_slow_minority_counts_though_half_of_all_answers_are_fast() -> None:
    calm, pressed = Model(narrow()).level(30), Model(narrow(), seed=2).level(150, 1)
    fast = {"look": 0.002}
    mixed = [
        replace(calm, p50_s=0.002, p50_by_name_s={**fast, "buy": calm.p50_s}),
        replace(pressed, p50_s=0.002, p50_by_name_s={**fast, "buy": pressed.p50_s}),
    ]
    verdict = name_bottleneck(mixed)
    assert verdict is not None
    assert verdict.resource == "narrow"


def test_what_turns_people_away_is_named_though_nobody_waits_long() -> None:
    calm, pressed = Model(narrow()).level(30), Model(narrow(), seed=2).level(90, 1)
    (key,) = pressed.uses
    full = replace(pressed.uses[key], in_use=2.0, waiting=0.0, wait_s=0.0, refused_per_s=40.0)
    refusing = replace(calm, offered_per_s=150.0, failed=0.3, uses={key: full}, mean_s=calm.mean_s)
    verdict = name_bottleneck([calm, refusing])
    assert verdict is not None
    assert verdict.resource == "narrow"
    assert verdict.evidence[0] == "narrow turned 40 a second away at 150/s."


def test_failures_that_nothing_explains_are_not_known() -> None:
    calm = Model(narrow()).level(30)
    assert name_bottleneck([calm, replace(calm, offered_per_s=60.0, failed=0.5)]) is None


def test_nothing_at_all_is_not_known() -> None:
    assert name_bottleneck([]) is None
    assert name_in_run([], []) is None


@pytest.mark.parametrize("kind", PLACED)
def test_in_one_run_over_its_limit_the_resource_is_named_too(kind: ResourceKind) -> None:
    verdict = name_in_run(*Model(WIDE, narrow(kind)).run(150))
    assert verdict is not None
    assert (verdict.resource, verdict.kind) == ("narrow", kind)


def test_in_one_run_below_its_limit_nothing_is_named() -> None:
    assert name_in_run(*Model(WIDE, narrow(per_s=300)).run(80)) is None


def test_every_fourth_sample_gives_the_same_rates() -> None:
    samples, readings = Model(narrow()).run(200)
    whole, part = level_of(samples, readings), level_of(samples[::4], readings, one_in=4)
    assert whole is not None
    assert part is not None
    assert part.offered_per_s == pytest.approx(whole.offered_per_s, rel=0.05)
    assert part.flow_per_s == pytest.approx(whole.flow_per_s, rel=0.2)


def test_a_run_is_cut_into_stretches_of_a_second_or_more() -> None:
    assert len([*stretches(*Model(narrow()).run(100))]) in (4, 5)


def test_readings_without_figures_say_nothing() -> None:
    samples, _ = Model(narrow()).run(150)
    level = level_of(samples, [Reading(0.5), Reading(1.0, process=Process())])
    assert level is not None
    assert (level.cpu, level.lag_s, level.uses) == (None, None, {})


def test_resources_of_one_name_count_as_one_with_all_their_places() -> None:
    samples, readings = Model(narrow(places=2)).run(150)
    doubled = [replace(reading, resources=reading.resources * 2) for reading in readings]
    one, two = level_of(samples, readings), level_of(samples, doubled)
    assert one is not None
    assert two is not None
    key = "semaphore narrow"
    assert (two.uses[key].capacity, two.uses[key].utilisation) == (4, one.uses[key].utilisation)


def test_those_placed_are_kinds() -> None:
    assert set(PLACED) < set(get_args(ResourceKind))


def test_what_only_a_later_step_does_is_not_what_made_the_run_slow() -> None:
    """All in time and as quick at the end as at the start: but at the start nobody had come to the second step."""
    samples = []
    for number in range(500):
        came_s = number / 50
        samples.append(Sample("home", came_s, came_s, came_s + 0.004, came_s + 0.005, 200, "good"))
        then_s = came_s + 1.0 + number % 5 / 5
        waits_s = {"query": 0.020}
        samples.append(Sample("products", then_s, then_s, then_s + 0.024, then_s + 0.025, 200, "good", waits_s=waits_s))
    under_load = sorted((one for one in samples if one.intended_s < 10), key=lambda one: one.intended_s)
    assert name_in_run(under_load, []) is None
