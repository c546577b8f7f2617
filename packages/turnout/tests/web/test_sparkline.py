from __future__ import annotations

import re

from turnout.web.page.sparkline import HEIGHT, PAD, WIDTH, draw_sparkline


def spots(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_the_busiest_day_is_at_the_top_and_none_at_the_ground() -> None:
    drawn = draw_sparkline([0, 5, 10])
    assert spots(drawn.line) == [(0, HEIGHT - PAD), (WIDTH / 2, HEIGHT / 2), (WIDTH, PAD)]
    assert drawn.total == "15"
    assert drawn.words == "15 visitors in 3 days, 10 on the busiest, 10 today"


def test_a_site_without_visitors_lies_on_the_ground() -> None:
    assert {y for _, y in spots(draw_sparkline([0] * 30).line)} == {HEIGHT - PAD}
