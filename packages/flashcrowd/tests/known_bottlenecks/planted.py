"""What is planted in a service, for the judge alone, and how its sizes are drawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from known_bottlenecks.web import Application

Exposes = Literal["seawall", "metrics", "server timing", "nothing"]


@dataclass(frozen=True, slots=True)
class Planted:
    """What a right verdict says. `kind` is empty for a healthy service, and the right verdict None."""

    kind: str
    names: frozenset[str] = frozenset()
    """What the resource may be called; empty where the service tells no name, so that any will do."""
    exposes: Exposes = "seawall"
    also: str = ""
    """The kind of the second fault, which is a little wider than the first."""
    can_widen: bool = False
    """True where `widen=2` makes twice of the planted resource, and of nothing else."""
    needs_postgres: bool = False

    @property
    def is_healthy(self) -> bool:
        """True where nothing is planted."""
        return not self.kind


@dataclass(frozen=True, slots=True)
class Sizes:
    """Drawn from a seed: the planted resource's places, how long one is held, and what follows from the two."""

    places: int
    hold_s: float
    healthy_per_s: float
    """What a healthy service gets at most."""
    factors: tuple[float, ...]
    """Loads offered, as multiples of what the planted resource can do."""
    widened: int = 1
    """2 where the planted resource is to be twice as wide; `places` has it already."""

    @property
    def capacity_per_s(self) -> float:
        """What the planted resource can do, for services that hold one place of it for `hold_s` a request."""
        return self.places / self.hold_s


Build = Callable[[Sizes], Application]


def draw(name: str, seed: int, *, widened: int = 1) -> Sizes:
    """The sizes of the service `name` for `seed`: 60 to 140 requests a second with 2 to 4 places of 14 to 67 ms."""
    dice = random.Random(f"{name} {seed}")
    places = dice.randint(2, 4)
    capacity_per_s = dice.uniform(60, 140)
    factors = (dice.uniform(0.25, 0.35), dice.uniform(0.6, 0.75), dice.uniform(1.15, 1.3), dice.uniform(1.5, 1.8))
    return Sizes(places * widened, places / capacity_per_s, dice.uniform(60, 140), factors, widened)
