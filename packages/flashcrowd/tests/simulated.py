"""A model of a service in simulated time: places that are taken first come, first served, and who waits for them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from flashcrowd.samples import Process, Reading, Resource, ResourceKind, Sample
from flashcrowd.verdict.level import Level, level_of

LEVEL_S, LOOK_S, GAP_S = 5.0, 0.1, 100.0


@dataclass(frozen=True, slots=True)
class Station:
    """One resource. `keeps` has it held until the request is over, as a thread is that waits for a lock."""

    name: str
    kind: ResourceKind
    places: int
    hold_s: float
    keeps: bool = False
    tells_capacity: bool = True


@dataclass(frozen=True, slots=True)
class Visit:
    """One request at one station."""

    came_s: float
    began_s: float
    left_s: float


class Model:
    """Stations in a row. `timed` adds a Server-Timing by station; `cpu_s` is what a request takes of the one core."""

    def __init__(
        self, *stations: Station, timed: bool = True, cpu_s: float = 0.0, lag_s: float = 0.0, seed: int = 1
    ) -> None:
        self._stations, self._timed, self._cpu_s, self._lag_s = stations, timed, cpu_s, lag_s
        self._dice = random.Random(seed)

    def level(self, rate_per_s: float, number: int = 0) -> Level:
        """What a level at this load shows."""
        samples, readings = self.run(rate_per_s, number * GAP_S)
        found = level_of(samples, readings, until_s=number * GAP_S + LEVEL_S)
        assert found is not None
        return found

    def levels(self, *rates_per_s: float) -> list[Level]:
        """Levels at rising loads."""
        return [self.level(rate, number) for number, rate in enumerate(rates_per_s)]

    def run(self, rate_per_s: float, began_s: float = 0.0) -> tuple[list[Sample], list[Reading]]:
        """Samples and readings of one load."""
        free: list[list[float]] = [[began_s] * station.places for station in self._stations]
        visits: list[list[Visit]] = [[] for _ in self._stations]
        samples, at_s = [], began_s
        while (at_s := at_s + self._dice.expovariate(rate_per_s)) < began_s + LEVEL_S:
            path = self._path(at_s, free)
            for station, visit in zip(visits, path, strict=True):
                station.append(visit)
            waits = {s.name: v.began_s - v.came_s for s, v in zip(self._stations, path, strict=True)}
            ended_s = max([v.left_s for v in path], default=at_s) + 0.002
            samples.append(
                Sample("/", at_s, at_s, ended_s, ended_s, 200, "good", waits_s=waits if self._timed else None)
            )
        looks = [began_s + LOOK_S * (index + 0.5) for index in range(int(LEVEL_S / LOOK_S))]
        return samples, [self._reading(look_s, visits, samples) for look_s in looks]

    def _path(self, at_s: float, free: list[list[float]]) -> list[Visit]:
        path, kept = [], []
        for station, places in zip(self._stations, free, strict=True):
            place = min(range(len(places)), key=places.__getitem__)
            began_s = max(at_s, places[place])
            path.append(Visit(at_s, began_s, began_s + station.hold_s))
            if station.keeps:
                kept.append((len(path) - 1, places, place))
            places[place] = at_s = began_s + station.hold_s
        for index, places, place in kept:
            path[index] = Visit(path[index].came_s, path[index].began_s, at_s)
            places[place] = at_s
        return path

    def _reading(self, at_s: float, visits: Sequence[Sequence[Visit]], samples: Sequence[Sample]) -> Reading:
        resources = [
            Resource(
                station.name,
                station.kind,
                capacity=station.places if station.tells_capacity else None,
                in_use=sum(visit.began_s <= at_s < visit.left_s for visit in of),
                waiting=sum(visit.came_s <= at_s < visit.began_s for visit in of),
            )
            for station, of in zip(self._stations, visits, strict=True)
        ]
        done = sum(sample.ended_s <= at_s for sample in samples)
        process = Process(cpu_s_total=self._cpu_s * done, cores=1.0, loop_lag_s=self._lag_s)
        return Reading(at_s, tuple(resources), process)
