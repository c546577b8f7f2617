from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.web.page.chart import NARROW, WIDE, Frame, draw_chart, scale_steps
from turnout.web.page.numbers import scale_text


@settings(deadline=None)
@given(st.floats(0, 1e12), st.sampled_from(["visitors", "views_per_visit", "visit_duration"]))
def test_the_scale_is_even_and_holds_the_highest_value(highest: float, metric: str) -> None:
    steps = scale_steps(highest, metric)
    assert steps[0] == 0
    assert steps[-1] >= highest
    assert 2 <= len(steps) <= 6
    assert metric != "visitors" or all(step == int(step) for step in steps)


def test_durations_have_steps_that_clocks_have() -> None:
    assert scale_steps(400, "visit_duration") == [0, 120, 240, 360, 480]
    assert [scale_text("visit_duration", at).replace("\u00a0", " ") for at in (0, 30, 120, 3600)] == [
        "0 s",
        "30 s",
        "2 m",
        "1 h",
    ]


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**9), max_size=120), st.sampled_from([WIDE, NARROW]), st.booleans())
def test_every_point_and_tip_is_inside_the_picture(values: list[int], frame: Frame, running: bool) -> None:
    labels = [str(index) for index in range(len(values))]
    chart = draw_chart(frame, "visitors", labels, labels, values, is_running=running)
    assert len(chart.points) == len(values)
    assert len(chart.dates) <= frame.dates
    for point, value in zip(chart.points, values, strict=True):
        assert frame.left <= point.x <= frame.right
        assert frame.top <= point.y <= frame.bottom
        assert 0 <= point.tip_x <= frame.width - 168
        assert point.tip_y >= 0
        assert point.value == f"{value:,}"


def test_a_bucket_not_yet_over_is_drawn_apart() -> None:
    labels = ["a", "b", "c"]
    done = draw_chart(WIDE, "visitors", labels, labels, [1, 2, 3], is_running=False)
    running = draw_chart(WIDE, "visitors", labels, labels, [1, 2, 3], is_running=True)
    assert done.running == ""
    assert running.line + "L" + running.running.split("L")[1] == done.line


def test_higher_values_are_higher() -> None:
    labels = ["a", "b"]
    low, high = draw_chart(WIDE, "visitors", labels, labels, [1, 2], is_running=False).points
    assert high.y < low.y
