"""The forms that add a filter and that change one, without scripts: their fields become an `f` in the address.

    add_dimension=visit:country&add_operator=is&add_value=Germany&add_value=France     a filter more
    …&add_at=1                                                                         in place of the second one

A property is `add_dimension=event:props:` with its name in `add_property`. Values that are left empty are none; a
filter changed to have no value goes.
"""

from __future__ import annotations

from collections.abc import Sequence

from turnout.errors import BadInput
from turnout.model.countries import NAMES
from turnout.model.query import Comparison
from turnout.web.page.cards import OPERATORS, PROPERTY
from turnout.web.page.state import FILTER_LIMIT, write_filter

_SINGLE = ("add_dimension", "add_operator", "add_property", "add_at")
_FIELDS = (*_SINGLE, "add_value")


def take_typed_filter(parameters: Sequence[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """The parameters with the form's fields turned into an `f`; None where the form was not sent.

    Raises `BadInput` for a place, an operator or values that can't be used; the dimension is checked with the `f`.
    """
    if "add_value" not in dict(parameters):
        return None
    typed = dict(pair for pair in parameters if pair[0] in _SINGLE)
    rest = [pair for pair in parameters if pair[0] not in _FIELDS]
    filters = [value for name, value in rest if name == "f"]
    at = _place(typed.get("add_at", ""), len(filters))
    values = tuple(value.strip() for name, value in parameters if name == "add_value" and value.strip())
    if not values and at is None:
        raise BadInput("add_value", "expected the value to filter by")
    written = write_filter(_comparison(typed, values)) if values else None
    if at is None:
        at = len(filters)
    filters[at : at + 1] = [] if written is None else [written]
    return [*(pair for pair in rest if pair[0] != "f"), *(("f", value) for value in filters)]


def _comparison(typed: dict[str, str], values: tuple[str, ...]) -> Comparison:
    operator, dimension = typed.get("add_operator", "is"), typed.get("add_dimension", "")
    if operator not in OPERATORS:
        raise BadInput("add_operator", f"expected one of {', '.join(OPERATORS)}; got {operator[:80]!r}")
    if dimension == PROPERTY:
        dimension += typed.get("add_property", "").strip()
        if dimension == PROPERTY:
            raise BadInput("add_property", "expected the name of the property to filter by")
    if dimension == "visit:country":
        values = tuple(_country_code(value) for value in values)
    return Comparison(OPERATORS[operator], dimension, tuple(dict.fromkeys(values)))


def _place(text: str, count: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(FILTER_LIMIT)) and int(text) < count):
        raise BadInput("add_at", f"expected the place of one of {count} filters, got {text[:40]!r}")
    return int(text)


def _country_code(typed: str) -> str:
    """People type names; the store holds codes."""
    if typed.upper() in NAMES:
        return typed.upper()
    return next((code for code, name in NAMES.items() if name.casefold() == typed.casefold()), typed)
