"""Filters as they are sent, checked into the tree of `model/query.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from turnout.errors import BadInput
from turnout.model.query import AllOf, AnyOf, Comparison, Filter, Not, Operator
from turnout.query.dimensions import find, nearest, problem_of, shown

MAX_DEPTH = 10
MAX_COMPARISONS = 100
MAX_VALUES = 1_000
MAX_VALUE_LENGTH = 2_000
MAX_PATTERNS = 20
"""Checking one may take 0.4 s of a core: `\\pL` three hundred times over is 8 MB of program."""
MAX_PATTERN_LENGTH = 1_000

PatternCheck = Callable[[str], str | None]
"""What is wrong with a regular expression, as the event store's engine sees it; None where it can be used."""

_COMPARISONS: dict[str, Operator] = {operator: operator for operator in get_args(Operator)}
_OPERATORS = (*_COMPARISONS, "and", "or", "not")
_UNSUPPORTED = ("has_done", "has_not_done")
_SHAPE = 'expected a filter: ["is", "visit:country", ["DE"]], ["and", [filters]], ["or", [filters]] or ["not", filter]'


def parse_filters(raw: object, pattern_problem: PatternCheck) -> tuple[Filter, ...]:
    """Check the list `filters`. Raises `BadInput` with the path of what can't be used."""
    if not isinstance(raw, list):
        raise BadInput("filters", "expected a list of filters")
    parser = _Parser(pattern_problem)
    return tuple(parser.filter(part, f"filters[{at}]", 1) for at, part in enumerate(raw))


class _Parser:
    """Counts over the whole tree what is limited over the whole tree."""

    def __init__(self, pattern_problem: PatternCheck) -> None:
        self._pattern_problem = pattern_problem
        self._comparisons = 0
        self._values = 0
        self._patterns = 0

    def filter(self, raw: object, path: str, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise BadInput(path, f"filters may be nested {MAX_DEPTH} deep at most")
        if not isinstance(raw, list) or not raw or not isinstance(raw[0], str):
            raise BadInput(path, _SHAPE)
        operator = raw[0]
        if operator in _COMPARISONS:
            return self._comparison(_COMPARISONS[operator], raw, path)
        if operator in ("and", "or"):
            parts = self._parts(raw, path, depth)
            return AllOf(parts) if operator == "and" else AnyOf(parts)
        if operator == "not":
            if len(raw) != 2:
                raise BadInput(path, 'expected ["not", filter]')
            return Not(self.filter(raw[1], f"{path}[1]", depth + 1))
        if operator in _UNSUPPORTED:
            raise BadInput(f"{path}[0]", f"{operator} is not supported")
        raise BadInput(f"{path}[0]", f"unknown operator {shown(operator)}{nearest(operator, _OPERATORS)}")

    def _parts(self, raw: list[object], path: str, depth: int) -> tuple[Filter, ...]:
        parts = raw[1] if len(raw) == 2 else None
        if not isinstance(parts, list) or not parts:
            raise BadInput(path, f'expected ["{raw[0]}", [filters]] with at least one filter')
        return tuple(self.filter(part, f"{path}[1][{at}]", depth + 1) for at, part in enumerate(parts))

    def _comparison(self, operator: Operator, raw: list[object], path: str) -> Comparison:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise BadInput(path, f"a query may have {MAX_COMPARISONS} comparisons at most")
        if len(raw) not in (3, 4):
            raise BadInput(path, f'expected ["{operator}", dimension, [values]] and options where needed')
        dimension = self._dimension(raw[1], f"{path}[1]")
        values = self._texts(raw[2], f"{path}[2]")
        if operator in ("matches", "matches_not"):
            self._check_patterns(values, f"{path}[2]")
        case_sensitive = _case_sensitive(operator, raw[3], f"{path}[3]") if len(raw) == 4 else True
        return Comparison(operator, dimension, values, case_sensitive)

    def _dimension(self, raw: object, path: str) -> str:
        if not isinstance(raw, str):
            raise BadInput(path, "expected the name of a dimension")
        if raw == "segment":
            raise BadInput(path, "segments are not supported")
        dimension = find(raw)
        if dimension is None:
            raise BadInput(path, problem_of(raw))
        if dimension.level == "time":
            raise BadInput(path, "time can't be filtered by; use date_range")
        return raw

    def _texts(self, raw: object, path: str) -> tuple[str, ...]:
        if not isinstance(raw, list) or not raw:
            raise BadInput(path, "expected a list of at least one text")
        self._values += len(raw)
        if self._values > MAX_VALUES:
            raise BadInput(path, f"a query may have {MAX_VALUES} filter values at most")
        texts: list[str] = []
        for at, value in enumerate(raw):
            if not isinstance(value, str):
                raise BadInput(f"{path}[{at}]", "expected a text")
            if len(value) > MAX_VALUE_LENGTH:
                raise BadInput(f"{path}[{at}]", f"expected at most {MAX_VALUE_LENGTH} characters")
            texts.append(value)
        return tuple(texts)

    def _check_patterns(self, patterns: tuple[str, ...], path: str) -> None:
        self._patterns += len(patterns)
        if self._patterns > MAX_PATTERNS:
            raise BadInput(path, f"a query may have {MAX_PATTERNS} patterns at most")
        for at, pattern in enumerate(patterns):
            if len(pattern) > MAX_PATTERN_LENGTH:
                raise BadInput(f"{path}[{at}]", f"expected a pattern of at most {MAX_PATTERN_LENGTH} characters")
            problem = self._pattern_problem(pattern)
            if problem is not None:
                raise BadInput(f"{path}[{at}]", f"expected a regular expression (RE2 syntax): {problem}")


def _case_sensitive(operator: Operator, raw: object, path: str) -> bool:
    if not isinstance(raw, dict):
        raise BadInput(path, 'expected options such as {"case_sensitive": false}')
    for key in raw:
        if key != "case_sensitive":
            raise BadInput(path, f"unknown option {shown(str(key))}; expected case_sensitive")
    if operator in ("matches", "matches_not"):
        raise BadInput(path, f"{operator} takes no options; begin the pattern with (?i) to ignore case")
    value = raw.get("case_sensitive", True)
    if not isinstance(value, bool):
        raise BadInput(f"{path}.case_sensitive", "expected true or false")
    return value
