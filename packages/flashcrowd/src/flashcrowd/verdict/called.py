"""A database or another service: what is asked, and takes longer the more ask."""

from __future__ import annotations

from flashcrowd.samples import ResourceKind, Verdict
from flashcrowd.verdict.figure import ms, percent, rate
from flashcrowd.verdict.gain import predict_gain
from flashcrowd.verdict.level import Level
from flashcrowd.verdict.load import INFLATED, UNSEEN_S, Load
from flashcrowd.verdict.use import Use
from flashcrowd.words import kind_of

CALLED = 0.5
"""The part of the excess that has to be spent there: it tells no utilisation, so the time has to."""


def called(load: Load, level: Level) -> Verdict | None:
    """A database or another service, by how much longer it takes under load than when calm."""
    excess_s = level.mean_s - load.alone_s
    if excess_s <= 0 or not load.calm:
        return None
    best: tuple[float, str, ResourceKind, float, float] | None = None
    lent: set[str] = set()
    for key, use in level.uses.items():
        calm = load.calm_hold(key)
        kind = _called_kind(use)
        if calm is None or use.hold_s is None or kind is None or not load.is_inflated(key, level):
            continue
        best = max(
            best or (0.0, "", kind, 0.0, 0.0),
            ((use.hold_s - calm.mean_s) / excess_s, use.name, kind, calm.mean_s, use.hold_s),
        )
        if use.kind == "connection pool":
            lent.add(use.name)
    for name, (now_s, _) in level.timings.items():
        kind = kind_of(name, is_called=True)
        calm_s = min((one.timings.get(name, (0.0, 0.0))[0] for one in load.calm), default=0.0)
        if kind is None or now_s < INFLATED * calm_s + UNSEEN_S:
            continue
        best = max(best or (0.0, "", kind, 0.0, 0.0), ((now_s - calm_s) / excess_s, name, kind, calm_s, now_s))
    if best is None or best[0] < CALLED:
        return None
    explained, name, kind, calm_s, now_s = best
    evidence = [
        f"A request spent {ms(now_s)} in {name} at {rate(level)}, and {ms(calm_s)} when all was calm: "
        f"{percent(min(1.0, explained))} of what it took longer.",
        f"That is the time for which a connection of {name} is held: what stands behind it is slow."
        if name in lent
        else "No pool of the target itself is what it waits for.",
    ]
    gain = predict_gain(load, level, "")
    return Verdict(name, kind, 0.7, tuple(evidence), gain.factor, min(1.0, now_s / level.mean_s))


def _called_kind(use: Use) -> ResourceKind | None:
    """What stands behind a resource that is held for long: what its name says; behind connections, a database."""
    if use.kind in ("database", "downstream"):
        return use.kind
    if use.kind != "connection pool":
        return None
    behind = kind_of(use.name, is_called=True)
    return "downstream" if behind == "downstream" else "database"
