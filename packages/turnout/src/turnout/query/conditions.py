"""Filters as SQL conditions. Every value is a parameter; the text holds only column names of the schema."""

from __future__ import annotations

from collections.abc import Sequence

from turnout.model.countries import NAMES as COUNTRY_NAMES
from turnout.model.query import AllOf, AnyOf, Comparison, Filter, Not
from turnout.model.words import NOT_SET
from turnout.query.dimensions import Dimension, find

# The empty code reads "(not set)", like every other value of a place that is not known.
_CODES = ("", *COUNTRY_NAMES)
_COUNTRIES = (NOT_SET, *COUNTRY_NAMES.values())


class Parameters:
    """Collects values and hands out the numbered marks that stand for them in the text."""

    def __init__(self) -> None:
        self._values: list[object] = []

    def mark(self, value: object) -> str:
        """The mark (`$1`, `$2` …) of one value."""
        self._values.append(value)
        return f"${len(self._values)}"

    def marks(self, values: Sequence[object]) -> str:
        """The marks of several values, separated by commas."""
        return ", ".join(self.mark(value) for value in values)

    def values(self) -> tuple[object, ...]:
        """All values in the order of their marks."""
        return tuple(self._values)


def known(name: str) -> Dimension:
    """The dimension of a name that the parser has checked."""
    dimension = find(name)
    if dimension is None:
        raise KeyError(name)
    return dimension


def comparisons(filters: Sequence[Filter]) -> list[Comparison]:
    """All comparisons of the trees, in order."""
    found: list[Comparison] = []
    for part in filters:
        if isinstance(part, Comparison):
            found.append(part)
        elif isinstance(part, Not):
            found += comparisons((part.part,))
        else:
            found += comparisons(part.parts)
    return found


def read_value(dimension: Dimension, parameters: Parameters) -> str:
    """The SQL expression of a dimension's value as answers read it, in a row of `events` (and `exits`)."""
    if dimension.property is not None:
        value = f"{dimension.column}[{parameters.mark(dimension.property)}]"
        return f"coalesce(nullif({value}, ''), {parameters.mark(dimension.missing)})"
    if dimension.missing:
        column = dimension.column
        return f"CASE WHEN {column} = '' THEN {parameters.mark(dimension.missing)} ELSE {column} END"
    return dimension.column


def country_named(code: str, parameters: Parameters) -> str:
    """The SQL expression of a country's name; a code that has no name reads as itself. For few rows: it searches."""
    table = f"map({parameters.mark(_CODES)}::VARCHAR[], {parameters.mark(_COUNTRIES)}::VARCHAR[])"
    return f"coalesce({table}[{code}], {code})"


def condition(filters: Sequence[Filter], parameters: Parameters) -> str:
    """The SQL condition that all `filters` hold for a row; `true` where there are none."""
    if not filters:
        return "true"
    return " AND ".join(_holds(part, parameters) for part in filters)


def _holds(part: Filter, parameters: Parameters) -> str:
    if isinstance(part, AllOf):
        return f"({' AND '.join(_holds(each, parameters) for each in part.parts)})"
    if isinstance(part, AnyOf):
        return f"({' OR '.join(_holds(each, parameters) for each in part.parts)})"
    if isinstance(part, Not):
        return f"(NOT {_holds(part.part, parameters)})"
    return _comparison(part, parameters)


def _comparison(part: Comparison, parameters: Parameters) -> str:
    positive = part.operator.removesuffix("_not")
    if part.dimension == "visit:country_name":
        fits = _country_fits(positive, part, parameters)
    else:
        fits = _fits(positive, part, known(part.dimension), parameters)
    return fits if positive == part.operator else f"(NOT {fits})"


def _fits(positive: str, part: Comparison, dimension: Dimension, parameters: Parameters) -> str:
    if positive == "is" and part.case_sensitive and dimension.missing and dimension.property is None:
        # As fast as a plain comparison: the word for a missing value stands for the empty text, which stands for itself
        # nowhere.
        values = [value for value in part.values if value]
        if dimension.missing in values:
            values.append("")
        return f"({dimension.column} IN ({parameters.marks(values)}))" if values else "false"
    return _test(positive, part, read_value(dimension, parameters), parameters)


def _country_fits(positive: str, part: Comparison, parameters: Parameters) -> str:
    # Tested once a country, not once a row. A code without a name reads as itself.
    table = f"SELECT unnest({parameters.mark(_CODES)}) AS code, unnest({parameters.mark(_COUNTRIES)}) AS called"
    named = f"country IN (SELECT code FROM ({table}) WHERE {_test(positive, part, 'called', parameters)})"
    codes = f"SELECT unnest({parameters.mark(_CODES)})"
    return f"({named} OR ({_test(positive, part, 'country', parameters)} AND country NOT IN ({codes})))"


def _test(positive: str, part: Comparison, value: str, parameters: Parameters) -> str:
    if positive == "matches":
        tests = [f"regexp_matches({value}, {parameters.mark(pattern)})" for pattern in part.values]
        return f"({' OR '.join(tests)})"
    marks = [parameters.mark(each) for each in part.values]
    if not part.case_sensitive:
        value, marks = f"lower({value})", [f"lower({mark})" for mark in marks]
    if positive == "is":
        return f"({value} IN ({', '.join(marks)}))"
    return f"({' OR '.join(f'contains({value}, {mark})' for mark in marks)})"
