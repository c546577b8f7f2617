"""How each resource was used during a level: what the target said of it, joined with what requests waited for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from flashcrowd.samples import Reading, Resource, ResourceKind

SEAWALL = {"lock", "semaphore", "pool", "flight"}
"""What comes before the name in Seawall's Server-Timing."""


@dataclass(frozen=True, slots=True)
class Use:
    """How one resource was used, on average over the level. What was not told is None."""

    name: str
    kind: ResourceKind
    capacity: float | None = None
    in_use: float | None = None
    waiting: float | None = None
    wait_s: float | None = None
    """For it, a request."""
    tail_wait_s: float | None = None
    """For it, a request of the tail."""
    hold_s: float | None = None
    """How long it was held, a request."""
    looks: int = 0
    """How often it was looked at, where `hold_s` rests on that; 0 where the target counts holds itself."""
    refused_per_s: float = 0.0
    """Whom it turned away."""
    is_measured: bool = False
    """True where waits were measured, request by request or in all; False where they are reckoned from how many wait."""

    @property
    def utilisation(self) -> float | None:
        """The part that was in use, 0 to 1; None where it is not known."""
        if not self.capacity or self.in_use is None:
            return None
        return self.in_use / self.capacity


@dataclass(frozen=True, slots=True)
class Looked:
    """The looks of a level, and what goes with them."""

    inside: Sequence[Reading]
    """While requests came, for what stands at a moment."""
    around: Sequence[Reading]
    """From before the first arrival to after the last answer, for what is counted."""
    flow_per_s: float
    answered: int


def uses_of(
    looked: Looked, timings: dict[str, float], tail: dict[str, float]
) -> tuple[dict[str, Use], dict[str, tuple[float, float]]]:
    """Uses by kind and name; and those of the timings that are none of them, each with the tail's.

    `timings` and `tail` are seconds a request by name in Server-Timing: of all requests, and of those of the tail.
    """
    counted, uses, joined = _by_key(looked.around), {}, set()
    for key, looks in _by_key(looked.inside).items():
        timing = _timing_of(looks[0], timings)
        if timing is not None:
            joined.add(timing)
        measured = None if timing is None else (timings[timing], tail.get(timing, 0.0))
        uses[key] = _use(looks, counted.get(key, looks), looked, measured)
    return uses, {name: (timings[name], tail.get(name, 0.0)) for name in timings if name not in joined}


def grown(before: float | None, after: float | None) -> float | None:
    """By how much a figure grew; None where it is not told, or fell, as after a restart."""
    if before is None or after is None or after < before:
        return None
    return after - before


def _by_key(readings: Sequence[Reading]) -> dict[str, list[Resource]]:
    seen: dict[str, list[Resource]] = defaultdict(list)
    for reading in readings:
        for key, resource in _added(reading):
            seen[key].append(resource)
    return seen


def _added(reading: Reading) -> Iterator[tuple[str, Resource]]:
    """The resources of a reading; those of one kind and name as one, their figures added up."""
    found: dict[str, Resource] = {}
    for resource in reading.resources:
        key = f"{resource.kind} {resource.name}"
        other = found.get(key)
        found[key] = resource if other is None else _sum(other, resource)
    yield from found.items()


def _sum(one: Resource, other: Resource) -> Resource:
    def both(figure: Callable[[Resource], float | None]) -> float | None:
        mine, others = figure(one), figure(other)
        return others if mine is None else mine + (others or 0.0)

    return Resource(
        one.name,
        one.kind,
        both(lambda resource: resource.capacity),
        both(lambda resource: resource.in_use),
        both(lambda resource: resource.waiting),
        both(lambda resource: resource.wait_s_total),
        both(lambda resource: resource.waits_total),
        both(lambda resource: resource.hold_s_total),
        both(lambda resource: resource.uses_total),
        both(lambda resource: resource.refused_total),
    )


def _timing_of(resource: Resource, timings: Mapping[str, float]) -> str | None:
    """The name in Server-Timing that means this resource: its own, or Seawall's with the kind before it."""
    for name in timings:
        prefix, _, rest = name.partition(".")
        if name == resource.name or (prefix in SEAWALL and rest == _token(resource.name)):
            return name
    return None


def _token(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "!#$%&'*+.^_`|~-" else "_" for letter in name)


def _use(
    looks: Sequence[Resource], counted: Sequence[Resource], looked: Looked, measured: tuple[float, float] | None
) -> Use:
    first, last, flow_per_s = counted[0], counted[-1], looked.flow_per_s
    in_use, waiting = _mean([look.in_use for look in looks]), _mean([look.waiting for look in looks])
    in_all_s, uses = grown(first.wait_s_total, last.wait_s_total), grown(first.uses_total, last.uses_total)
    held_s, refused = grown(first.hold_s_total, last.hold_s_total), grown(first.refused_total, last.refused_total)
    span_s = looked.around[-1].at_s - looked.around[0].at_s if looked.around else 0.0
    wait_s = tail_s = hold_s = None
    is_counted = held_s is not None and bool(uses)
    if measured is not None:
        wait_s, tail_s = measured
    elif in_all_s:
        wait_s = in_all_s / looked.answered
    elif waiting is not None and flow_per_s > 0:
        wait_s = waiting / flow_per_s
    if held_s is not None and is_counted:
        hold_s = held_s / looked.answered
    elif in_use is not None and flow_per_s > 0:
        hold_s = in_use / flow_per_s
    return Use(
        last.name,
        last.kind,
        last.capacity,
        in_use,
        waiting,
        wait_s,
        tail_s,
        hold_s,
        is_measured=measured is not None or bool(in_all_s),
        looks=0 if is_counted else len(looks),
        refused_per_s=(refused or 0.0) / span_s if span_s > 0 else 0.0,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
