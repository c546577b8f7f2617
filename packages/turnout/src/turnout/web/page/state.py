r"""What a site's page shows, and its spelling in the address. All state of the page is here; nothing is kept elsewhere.

    ?period=7d&metric=visits&f=is,visit:country,DE&f=contains,event:page,/docs&sources=channel

- `period`: a name of `periods.PERIODS`; or `from` and `to`, two ISO dates, both included, in its place.
- `interval`: how finely the chart is drawn; a span that does not offer it is drawn as if it were not given.
- `compare`: `previous` or `year`. `metric`: which headline number the chart draws.
- `f`, as often as needed, all of which must hold: `OPERATOR,DIMENSION,VALUE[,VALUE…]` with the names of the query
  API. A comma in a value is written `\,` and a backslash `\\`.
- `sources`, `pages`, `locations`, `devices`: the tab chosen in that card. `event`, `prop`: an event whose properties
  are listed, and which of them.
- `embed=true`: shown within another page, without Turnout's own bar; so every link on it keeps it.

What is the default is left out. Parameters of other names are ignored: links get decorated on their way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from urllib.parse import quote, urlencode

import msgspec

from turnout.errors import BadInput
from turnout.model.query import Comparison
from turnout.web.page.cards import CARDS, FILTER_DIMENSIONS, OPERATORS, PROPERTY
from turnout.web.page.intervals import INTERVALS
from turnout.web.page.periods import DEFAULT_PERIOD, PERIODS
from turnout.web.page.shifts import COMPARISONS, Compare

METRICS = {
    "visitors": "Visitors",
    "visits": "Visits",
    "pageviews": "Page views",
    "views_per_visit": "Views a visit",
    "bounce_rate": "Bounce rate",
    "visit_duration": "Visit time",
}
FILTER_LIMIT = 20
VALUES_LIMIT = 50
VALUE_LIMIT_CHARS = 2000
NAME_LIMIT_CHARS = 300
"""Of a property's name, and of an event's."""
KEPT_ADDRESSES = 2_000
"""Some 1 kB each, and what the filters hold."""

Pairs = tuple[tuple[str, str], ...]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a site's page. `first` and `last` are set where the dates were chosen freely, `period` else."""

    period: str = DEFAULT_PERIOD
    first: date | None = None
    last: date | None = None
    interval: str = ""
    compare: Compare = ""
    metric: str = "visitors"
    filters: tuple[Comparison, ...] = ()
    tabs: tuple[tuple[str, str], ...] = ()
    """(card, tab) where the tab is not the card's default, in the cards' order."""
    event: str = ""
    prop: str = ""
    embed: bool = False


def read_view(parameters: Iterable[tuple[str, str]]) -> View:
    """The view an address names. Raises `BadInput` with the parameter's name as its field."""
    single: dict[str, str] = {}
    filters: list[Comparison] = []
    for name, value in parameters:
        if name == "f":
            filters.append(_read_filter(value))
        elif name in single:
            raise BadInput(name, "is given twice; give it once")
        else:
            single[name] = value
    if len(filters) > FILTER_LIMIT:
        raise BadInput("f", f"expected at most {FILTER_LIMIT} filters, got {len(filters)}")
    first, last = _read_dates(single)
    event = _short("event", single)
    compare = one_of("compare", single.get("compare", ""), list(COMPARISONS))
    return View(
        period=DEFAULT_PERIOD if first else one_of("period", single.get("period", DEFAULT_PERIOD), PERIODS),
        first=first,
        last=last,
        interval=one_of("interval", single.get("interval", ""), ["", *INTERVALS]),
        compare=next(known for known in COMPARISONS if known == compare),
        metric=one_of("metric", single.get("metric", "visitors"), METRICS),
        filters=tuple(dict.fromkeys(filters)),
        tabs=tuple(
            (card.id, tab)
            for card in CARDS
            if (tab := one_of(card.id, single.get(card.id, card.default), [tab.id for tab in card.tabs]))
            != card.default
        ),
        event=event,
        prop=_short("prop", single) if event else "",
        embed=single.get("embed") == "true",
    )


@lru_cache(KEPT_ADDRESSES)
def write_view(view: View, extra: Pairs = ()) -> str:
    """The query string that `read_view` reads back as `view`, with its `?`; `?` alone where all is the default.

    `extra`: what a page keeps in its address beside the view, such as a search. Kept, since a page has a hundred links,
    most of them on every page.
    """
    return "?" + urlencode([*span_pairs(view), *state_pairs(view), *extra], safe=":/,", quote_via=quote)


def span_pairs(view: View) -> Pairs:
    """The parameters of the period."""
    if view.first and view.last:
        return (("from", view.first.isoformat()), ("to", view.last.isoformat()))
    return (("period", view.period),) if view.period != DEFAULT_PERIOD else ()


def state_pairs(view: View) -> Pairs:
    """All other parameters, which forms that change the period carry along."""
    named = {
        "interval": view.interval,
        "compare": view.compare,
        "metric": view.metric if view.metric != "visitors" else "",
    }
    chosen = {"event": view.event, "prop": view.prop, "embed": "true" if view.embed else ""}
    return (
        *((name, value) for name, value in named.items() if value),
        *(("f", write_filter(part)) for part in view.filters),
        *view.tabs,
        *((name, value) for name, value in chosen.items() if value),
    )


def write_filter(part: Comparison) -> str:
    """A filter as one value of the parameter `f`."""
    values = (value.replace("\\", "\\\\").replace(",", "\\,") for value in part.values)
    dimension = part.dimension.replace("\\", "\\\\").replace(",", "\\,")
    return ",".join([part.operator, dimension, *values])


def toggle_filters(view: View, parts: Iterable[Comparison]) -> View:
    """The view with these filters added; taken away where all of them were there. Other filters stay."""
    wanted = tuple(parts)
    if all(part in view.filters for part in wanted):
        return msgspec.structs.replace(view, filters=tuple(one for one in view.filters if one not in wanted))
    return msgspec.structs.replace(view, filters=tuple(dict.fromkeys((*view.filters, *wanted))))


def _read_filter(text: str) -> Comparison:
    parts = _split(text)
    expected = "expected OPERATOR,DIMENSION,VALUE such as is,visit:country,DE"
    if len(parts) < 3:
        raise BadInput("f", f"{expected}; got {text[:80]!r}")
    operator, dimension, *values = parts
    if operator not in OPERATORS:
        raise BadInput("f", f"{expected}, the operator one of {', '.join(OPERATORS)}; got {operator[:80]!r}")
    is_prop = dimension.startswith(PROPERTY) and 0 < len(dimension.removeprefix(PROPERTY)) <= NAME_LIMIT_CHARS
    if dimension not in FILTER_DIMENSIONS and not is_prop:
        raise BadInput("f", f"{expected}; {dimension[:80]!r} can't be filtered by")
    if len(values) > VALUES_LIMIT or any(not 0 < len(value) <= VALUE_LIMIT_CHARS for value in values):
        raise BadInput("f", f"expected 1 to {VALUES_LIMIT} values of 1 to {VALUE_LIMIT_CHARS} characters")
    return Comparison(OPERATORS[operator], dimension, tuple(values))


def _split(text: str) -> list[str]:
    """Parts between commas; a backslash makes the next character an ordinary one."""
    parts, escaped = [""], False
    for character in text:
        if escaped or character not in "\\,":
            parts[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append("")
    return parts


def _read_dates(single: dict[str, str]) -> tuple[date | None, date | None]:
    if not single.get("from") and not single.get("to"):
        return None, None
    days = []
    for name in ("from", "to"):
        try:
            days.append(date.fromisoformat(single.get(name, "")))
        except ValueError:
            raise BadInput(name, f"expected a date such as 2026-11-24, got {single.get(name, '')[:40]!r}") from None
        if not 2000 <= days[-1].year <= 2099:
            raise BadInput(name, f"expected a year from 2000 to 2099, got {days[-1].year}")
    if days[0] > days[1]:
        raise BadInput("from", f"expected a date no later than {days[1]}, got {days[0]}")
    return days[0], days[1]


def _short(name: str, single: dict[str, str]) -> str:
    value = single.get(name, "")
    if len(value) > NAME_LIMIT_CHARS:
        raise BadInput(name, f"expected at most {NAME_LIMIT_CHARS} characters")
    return value


def one_of(name: str, value: str, allowed: Iterable[str]) -> str:
    """The value of a parameter where it is one of `allowed`. Raises `BadInput`."""
    if value not in allowed:
        raise BadInput(name, f"expected one of {', '.join(one for one in allowed if one)}; got {value[:80]!r}")
    return value
