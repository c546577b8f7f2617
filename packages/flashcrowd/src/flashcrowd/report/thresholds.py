"""Conditions on a result: `--fail-if 'p95>500ms'` says what must not be, `--promise 'p95<=500ms,errors<=0.1%'` what must."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flashcrowd.errors import BadInput
from flashcrowd.report import figures
from flashcrowd.result import RunResult, StepResult

LATENCIES = ("p50", "p95", "p99", "max")
KINDS = ("refused", "timed_out", "wrong", "broken")
SHARES = ("errors", *KINDS)
METRICS = (*LATENCIES, *SHARES, "goodput")
UNITS_MS: Mapping[str, float] = {"us": 0.001, "µs": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
FORM = re.compile(r"\s*(\w+)\s*(?:\[([^\]]*)\])?\s*(<=|>=|<|>)\s*(\d+\.?\d*|\.\d+)\s*(\S*)\s*")
EXAMPLES = "p95>500ms, p99[sign in]>1s, errors>0.1%, refused>5% or goodput<100/s"


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one figure of a result, as it was written in `text`."""

    text: str
    metric: str
    step: str | None
    """None: of the whole run."""
    comparison: str
    bound: float
    """Milliseconds, a part of one, or answers a second, by `metric`."""

    def measured(self, result: RunResult) -> float:
        """The figure that is compared. Latencies where nobody got a right answer, and shares where nothing was asked, are
        infinite: they pass no bound, since nothing was shown to be good."""
        of = _part(result, self.step)
        if of is None:
            return 0.0 if self.metric == "goodput" else math.inf
        if self.metric == "goodput":
            if isinstance(of, RunResult):
                return of.goodput_per_s
            return of.good / result.duration_s if result.duration_s > 0 else 0.0
        if self.metric in LATENCIES:
            return float(getattr(of.latency_ms, self.metric)) if of.latency_ms.count else math.inf
        if not of.requests:
            return math.inf
        failed = sum(of.errors.values()) if self.metric == "errors" else of.errors.get(self.metric, 0)
        return failed / of.requests

    def is_true(self, result: RunResult) -> bool:
        """Whether the result is so."""
        return OPERATORS[self.comparison](self.measured(result), self.bound)

    def told(self, result: RunResult) -> str:
        """The condition with the figure that was measured, for people."""
        if _part(result, self.step) is None:
            names = ", ".join(repr(step.name) for step in result.steps) or "none at all"
            return f"{self.text}: no request of the run was named {self.step!r}; there were {names}"
        return f"{self.text}: {self.metric} was {self._shown(self.measured(result))}"

    def _shown(self, value: float) -> str:
        if self.metric in LATENCIES:
            return figures.milliseconds(value)
        return figures.rate(value) if self.metric == "goodput" else figures.share(value)


def parse(text: str, option: str = "--fail-if") -> Condition:
    """One condition. Raises `BadInput`, which names `option` and says what was expected."""
    found = FORM.fullmatch(text)
    if found is None:
        raise BadInput(option, f"expected a condition such as {EXAMPLES}; not {text!r}")
    metric, step, comparison, value, unit = found.groups()
    if metric not in METRICS:
        raise BadInput(option, f"{metric!r} in {text!r} is no figure of a run; expected one of {', '.join(METRICS)}")
    if step is not None and not step.strip():
        raise BadInput(option, f"expected the name of a request between the brackets of {text!r}")
    bound = float(value) * _factor(metric, unit, text, option)
    return Condition(text.strip(), metric, step.strip() if step else None, comparison, bound)


def parse_promise(text: str, option: str = "--promise") -> tuple[Condition, ...]:
    """Conditions that are apart by commas, all of which must be true. Raises `BadInput` as `parse` does."""
    conditions = tuple(parse(part, option) for part in re.split(r",(?![^\[]*\])", text))
    for condition in conditions:
        if (condition.metric == "goodput") != (condition.comparison in (">", ">=")):
            wanted = ">=" if condition.metric == "goodput" else "<="
            raise BadInput(
                option,
                f"a promise says what must hold, so {condition.metric} is followed by {wanted}; not {condition.text!r}",
            )
    return conditions


def met(conditions: Sequence[Condition], result: RunResult) -> tuple[Condition, ...]:
    """Those of `conditions` that are true of `result`. Of `--fail-if`'s, any of them is a failure; one for a name that no
    request had counts as true, lest a slip of the pen pass for ever."""
    return tuple(
        condition for condition in conditions if condition.is_true(result) or _part(result, condition.step) is None
    )


def holds(promise: Sequence[Condition], result: RunResult) -> bool:
    """Whether every condition is true of `result`."""
    return all(condition.is_true(result) for condition in promise)


def _factor(metric: str, unit: str, text: str, option: str) -> float:
    if metric in LATENCIES:
        if unit not in UNITS_MS:
            raise BadInput(
                option, f"expected a time with its unit (us, ms, s or m) in {text!r}, such as {metric}>500ms"
            )
        return UNITS_MS[unit]
    if metric == "goodput":
        if unit != "/s":
            raise BadInput(option, f"expected good answers a second in {text!r}, such as goodput<100/s")
        return 1.0
    if unit != "%":
        raise BadInput(option, f"expected a percentage of the requests in {text!r}, such as {metric}>0.1%")
    return 0.01


def _part(result: RunResult, step: str | None) -> RunResult | StepResult | None:
    if step is None:
        return result
    return next((part for part in result.steps if part.name == step), None)
