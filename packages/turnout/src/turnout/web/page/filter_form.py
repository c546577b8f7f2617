"""The form that adds a filter, without scripts: three fields that become one more `f` in the address."""

from __future__ import annotations

from collections.abc import Sequence

from turnout.errors import BadInput
from turnout.model.countries import NAMES
from turnout.model.query import Comparison
from turnout.web.page.cards import OPERATORS
from turnout.web.page.state import write_filter

_FIELDS = ("add_dimension", "add_operator", "add_value")


def take_typed_filter(parameters: Sequence[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """The parameters with the form's fields turned into an `f`; None where the form was not sent.

    Raises `BadInput` for an operator or a value that can't be used; the dimension is checked with the `f`.
    """
    typed = dict(pair for pair in parameters if pair[0] in _FIELDS)
    if "add_value" not in typed:
        return None
    operator, dimension, value = (
        typed.get("add_operator", "is"),
        typed.get("add_dimension", ""),
        typed["add_value"].strip(),
    )
    if operator not in OPERATORS:
        raise BadInput("add_operator", f"expected one of {', '.join(OPERATORS)}; got {operator[:80]!r}")
    if not value:
        raise BadInput("add_value", "expected the value to filter by")
    if dimension == "visit:country":
        value = _country_code(value)
    part = Comparison(OPERATORS[operator], dimension, (value,))
    return [*(pair for pair in parameters if pair[0] not in _FIELDS), ("f", write_filter(part))]


def _country_code(typed: str) -> str:
    """People type names; the store holds codes."""
    if typed.upper() in NAMES:
        return typed.upper()
    return next((code for code, name in NAMES.items() if name.casefold() == typed.casefold()), typed)
