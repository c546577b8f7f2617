from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from turnout.web.page.chart import MAX_BANDS, NARROW, WIDE, Chart, Frame, Lines, draw_chart, scale_steps
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


def chart_of(
    values: list[int], frame: Frame = WIDE, before: list[int] | None = None, *, is_running: bool = False
) -> Chart:
    labels = [str(index) for index in range(len(values))]
    then = before or []
    lines = Lines(
        metric="visitors",
        labels=labels,
        short_labels=labels,
        values=values,
        is_running=is_running,
        labels_before=[f"then {index}" for index in range(len(then))],
        before=then,
    )
    return draw_chart(frame, lines)


COUNTS = st.lists(st.integers(0, 10**9), max_size=120)


@settings(deadline=None)
@given(COUNTS, COUNTS, st.sampled_from([WIDE, NARROW]), st.booleans())
def test_every_point_and_tip_is_inside_the_picture(
    values: list[int], before: list[int], frame: Frame, running: bool
) -> None:
    chart = chart_of(values, frame, before, is_running=running)
    assert len(chart.points) == len(values)
    assert len(chart.dates) <= frame.dates
    for point, value in zip(chart.points, values, strict=True):
        assert frame.left <= point.x <= frame.right
        assert frame.top <= point.y <= frame.bottom
        assert 0 <= point.tip_x <= frame.width - chart.tip_width
        assert 0 <= point.tip_y <= frame.bottom - chart.tip_height
        assert point.value == f"{value:,}"


def test_a_bucket_not_yet_over_is_drawn_apart() -> None:
    done, running = chart_of([1, 2, 3]), chart_of([1, 2, 3], is_running=True)
    assert done.running == ""
    assert running.line + "L" + running.running.split("L")[1] == done.line


def test_higher_values_are_higher() -> None:
    low, high = chart_of([1, 2]).points
    assert high.y < low.y


def test_the_time_before_shares_the_scale_and_is_aligned_by_index() -> None:
    chart = chart_of([1, 2, 3], before=[10, 20, 30, 40])
    assert chart.before.count("L") == 2
    assert chart.scale[-1].text == "40"
    assert [(point.value, point.value_before, point.label_before) for point in chart.points][1] == ("2", "20", "then 1")


def test_too_many_points_are_drawn_without_bands() -> None:
    chart = chart_of([1] * (MAX_BANDS + 1))
    assert chart.points == ()
    assert chart.line.count("L") == MAX_BANDS
