"""What is full by its own figures, and whose wait explains why answers take longer.

After B. Gregg's USE method (utilisation, saturation, errors), with Little's law as a check.
"""

from __future__ import annotations

from flashcrowd.samples import Verdict
from flashcrowd.verdict.figure import ms, percent, rate
from flashcrowd.verdict.gain import predict_gain
from flashcrowd.verdict.level import Level
from flashcrowd.verdict.load import Load
from flashcrowd.verdict.use import Use

FULL = 0.85
"""Utilisation from which a resource is full. At random arrivals the wait for one place is then six times its hold."""

EXPLAINS, EXPLAINS_ALONE = 0.3, 0.5
"""What all that is full has to explain of the excess, at the least; of the whole latency, where nothing was calm."""

MOST = 0.6

TAKES_PART = 0.03
"""What each of several has to explain that are full together."""


def full_for_certain(load: Load, level: Level) -> Verdict | None:
    """As `full`, where it explains most of the excess: then whatever else runs late is late because of it."""
    return full(load, level, explains=MOST) if load.calm else None


def full(load: Load, level: Level, *, explains: float = EXPLAINS) -> Verdict | None:
    """A lock, pool, semaphore or queue that is full by its own figures and whose wait explains the excess.

    Of several in a row that are full, the one that lets the fewest through: the first may have the longest line, since what
    comes after it is spared. One that is full only because it is held longer than when calm, as a pool is whose threads
    wait for a lock, is not to blame, and the wait for it counts for what it is held for.
    """
    keys = [key for key, use in level.uses.items() if _is_full(use)]
    explained = {key: _explained(load, level, key) for key in keys}
    inflated = [key for key in keys if load.is_inflated(key, level)]
    found = [
        (_bound_per_s(load, level, key), -explained[key], key)
        for key in keys
        if key not in inflated and explained[key] >= TAKES_PART
    ]
    in_all = min(1.0, sum(explained.values()))
    if not found or in_all < (explains if load.calm else EXPLAINS_ALONE):
        return None
    _, _, key = min(found)
    use, gain = level.uses[key], predict_gain(load, level, key)
    evidence = [_waits(load, level, use, explained[key]), _fullness(use)]
    if (law := _little(level, use)) is not None:
        evidence.append(law)
    behind = [other for other in inflated if explained[other] >= TAKES_PART]
    evidence += [_filled(load, level, other) for other in behind]
    if gain.next_bound:
        how = "would" if gain.factor is not None else "was seen too seldom to say whether it would"
        evidence.append(f"With twice of it, {gain.next_bound} {how} bind next.")
    known = 0.5 + 0.25 * (use.utilisation is not None) + 0.1 * use.is_measured + 0.1 * bool(load.calm)
    confidence = round(known * min(1.0, 0.6 + in_all / 2), 2)
    of_tail = min(1.0, sum(_of_tail(level, level.uses[one]) for one in (key, *behind)))
    return Verdict(use.name, use.kind, confidence, tuple(evidence), gain.factor, of_tail)


def _is_full(use: Use) -> bool:
    if use.utilisation is None:
        return use.kind == "queue" and (use.waiting or 0.0) >= 1
    return use.utilisation >= FULL and (use.waiting is None or use.waiting >= 0.5 or use.refused_per_s > 0)


def _explained(load: Load, level: Level, key: str) -> float:
    wait_s, excess_s = level.uses[key].wait_s, level.mean_s - load.alone_s
    failing_per_s = level.failed * level.offered_per_s
    if failing_per_s > 0 and level.uses[key].refused_per_s > failing_per_s / 2:
        return 1.0  # those whom it turned away never waited
    return 0.0 if wait_s is None or excess_s <= 0 else min(1.0, (wait_s - load.calm_wait_s(key)) / excess_s)


def _bound_per_s(load: Load, level: Level, key: str) -> float:
    """How many requests a second its places let through; what does go through, where that is not known."""
    # From the calm levels, where as many leave as come: at a pressed one, what is early in a row sees more than get through.
    use, calm = level.uses[key], load.calm_hold(key)
    hold_s = use.hold_s if calm is None or not calm.mean_s else calm.mean_s
    return use.capacity / hold_s if use.capacity and hold_s else level.done_per_s


def _of_tail(level: Level, use: Use) -> float:
    if use.tail_wait_s is not None:
        return use.tail_wait_s / level.tail_s
    return (use.wait_s or 0.0) / level.mean_s


def _waits(load: Load, level: Level, use: Use, explained: float) -> str:
    if use.refused_per_s > level.failed * level.offered_per_s / 2 > 0:
        return f"{use.name} turned {use.refused_per_s:.0f} a second away at {rate(level)}."
    whole = "what it took longer than when all was calm" if load.calm else "what it took"
    how = "" if use.is_measured else ", by how many wait"
    return f"A request waited {ms(use.wait_s or 0.0)} for {use.name} at {rate(level)}{how}: {percent(explained)} of {whole}."


def _fullness(use: Use) -> str:
    waiting = "" if use.waiting is None else f", {use.waiting:.1f} waiting"
    if use.utilisation is None:
        return f"It had {use.waiting or 0.0:.1f} waiting on average."
    return f"It was {percent(use.utilisation)} in use ({use.in_use:.1f} of {use.capacity:g}{waiting})."


def _little(level: Level, use: Use) -> str | None:
    """Little's law as a check: those who wait are as many as come a second, times what each waits."""
    if not use.is_measured or use.waiting is None or use.wait_s is None:
        return None
    return f"Little's law: {level.flow_per_s:.0f}/s × {ms(use.wait_s)} is {level.flow_per_s * use.wait_s:.1f} waiting."


def _filled(load: Load, level: Level, key: str) -> str:
    use, calm = level.uses[key], load.calm_hold(key)
    calm_s = calm.mean_s if calm is not None else 0.0
    return f"{use.name} is full because of it: held {ms(use.hold_s or 0.0)} a request, {ms(calm_s)} when all was calm."
