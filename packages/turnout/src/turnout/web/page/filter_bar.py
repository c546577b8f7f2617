"""The filters as chips, each with the form that edits it, and the form that adds one."""

from __future__ import annotations

import msgspec

from turnout.model.countries import NAMES
from turnout.model.query import Comparison
from turnout.web.page.cards import FILTER_GROUPS, OPERATOR_WORDS, OPERATORS, PROPERTY, dimension_words
from turnout.web.page.links import address
from turnout.web.page.state import FILTER_LIMIT, VALUES_LIMIT, Pairs, View, span_pairs, state_pairs


class Chip(msgspec.Struct, frozen=True):
    """A filter in words, the address without it, and what its form begins with. `at`: its place among the filters."""

    at: int
    text: str
    without: str
    dimension: str
    label: str
    operator: str
    values: tuple[str, ...]
    has_room: bool


class FilterBar(msgspec.Struct, frozen=True, kw_only=True):
    """All that the filters' controls show."""

    chips: tuple[Chip, ...]
    unfiltered: str
    hidden: Pairs
    """State that the forms carry along."""
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    operators: tuple[tuple[str, str], ...]
    has_room: bool


def draw_filters(view: View, extra: Pairs = ()) -> FilterBar:
    """The filters of a view. `extra`: what the page keeps in its address beside the view."""
    return FilterBar(
        chips=tuple(_chip(view, at, part, extra) for at, part in enumerate(view.filters)),
        unfiltered=address(view, extra, filters=()),
        hidden=(*span_pairs(view), *state_pairs(view), *extra),
        groups=tuple((name, tuple(group.items())) for name, group in FILTER_GROUPS),
        operators=tuple((name, OPERATOR_WORDS[name]) for name in OPERATORS),
        has_room=len(view.filters) < FILTER_LIMIT,
    )


def filter_words(part: Comparison) -> str:
    """A filter as a person says it: `Country is Germany or France`."""
    values = [value_words(part.dimension, value) for value in part.values]
    shown = " or ".join(values[:3]) + (f" or {len(values) - 3} more" if len(values) > 3 else "")
    return f"{dimension_words(part.dimension)} {OPERATOR_WORDS[part.operator]} {shown}"


def value_words(dimension: str, value: str) -> str:
    """A value as it is shown: countries by their names."""
    return NAMES.get(value, value) if dimension == "visit:country" else value


def _chip(view: View, at: int, part: Comparison, extra: Pairs) -> Chip:
    is_property = part.dimension.startswith(PROPERTY)
    return Chip(
        at=at,
        text=filter_words(part),
        without=address(view, extra, filters=tuple(one for one in view.filters if one != part)),
        dimension=part.dimension,
        label=f"Property {dimension_words(part.dimension)}" if is_property else dimension_words(part.dimension),
        operator=part.operator,
        values=tuple(value_words(part.dimension, value) for value in part.values),
        has_room=len(part.values) < VALUES_LIMIT,
    )
