"""The rules by which a bottleneck is named, one function each. Every one returns a verdict, or None where it has none.

Common to them: E, the excess, is by how much the mean latency at a pressed level exceeds that when calm. A resource
explains as much of E as the wait for it grew. Each resource must besides be full by its own figures (B. Gregg's USE method:
utilisation, saturation, errors), and must not be full only because something inside it takes longer: then it is held longer
than when calm, and the cause is elsewhere.
"""

from __future__ import annotations

from flashcrowd.samples import ResourceKind, Verdict
from flashcrowd.verdict.gain import predict_gain
from flashcrowd.verdict.level import Level, Use
from flashcrowd.verdict.load import INFLATED, UNSEEN_S, Load
from flashcrowd.words import kind_of

FULL = 0.85
"""Utilisation from which a resource is full. At random arrivals the wait for one place is then six times its hold."""

EXPLAINS = 0.3
"""What a resource has to explain of the excess, at the least; `CALLED` of what tells no utilisation, and where nothing was
calm, so that the excess is not known."""

TAKES_PART = 0.03
"""What each of several has to explain that are full together."""

CALLED = 0.5

CORE = 0.88
"""The part of its cores that a process uses, or waits for with threads that are ready, when they bind it."""

STARVED, STARVED_USE = 0.95, 0.3
"""The same where others have the cores meanwhile: the process wants so much of them and has so much. With less in use, it
is the machine that is short, and not by this process."""

MACHINE_SHORT = 0.4
"""Threads ready and without a core, on average, from which a late event loop says nothing: it is late for want of a core."""

LATE, LATE_S = 0.2, 0.02
"""An event loop that is blocked is late by so much of the excess, and by so many seconds: more than a switch of threads."""

FEW_THREADS = 4
"""A process with no more has no pool of threads that could be full: the one thread that answers is kept."""


def core(load: Load, level: Level) -> Verdict | None:
    """The CPU: the process has all the cores it can use."""
    if level.cpu is None or not level.cores:
        return None
    used = level.cpu / level.cores
    wanted = min(1.0, used + (level.ready or 0.0) / level.cores)
    if used < CORE and not (wanted >= STARVED and used >= STARVED_USE):
        return None
    cores = "the one core that its interpreter's lock allows" if level.cores == 1 else f"{level.cores:g} cores"
    evidence = [f"At {_rate(level)} the process used {used:.0%} of {cores}."]
    if used < CORE:
        evidence.append(f"Its threads were ready to run {wanted:.0%} of the time: others had the cores meanwhile.")
    gain = predict_gain(load, level, "cpu")
    confidence = 0.9 if used >= CORE else 0.75
    return Verdict("cpu", "cpu", confidence, tuple(evidence), gain.factor, _excess(load, level))


def event_loop(load: Load, level: Level) -> Verdict | None:
    """The event loop, by the lag it tells of: something keeps it while the CPU is idle."""
    if not level.loop_lag_is_told:
        return None
    return _kept_loop(load, level, told="The event loop ran its timers {lag} late", confidence=0.9, part=LATE)


def event_loop_at_last(load: Load, level: Level) -> Verdict | None:
    """The same with a lag that is small beside the excess: one turn of the loop is short where many queue for it."""
    if not level.loop_lag_is_told:
        return None
    return _kept_loop(load, level, told="The event loop ran its timers {lag} late", confidence=0.7, part=LATE / 3)


def answering_thread(load: Load, level: Level) -> Verdict | None:
    """The event loop of a target that tells nothing, by how long it takes to answer a look that needs no work."""
    if level.loop_lag_is_told or level.threads is None or level.threads > FEW_THREADS:
        return None
    told = "An address that needs no work was answered after {lag}, by a process with " + f"{level.threads:.0f} threads"
    return _kept_loop(load, level, told=told, confidence=0.75, part=LATE)


def full(load: Load, level: Level) -> Verdict | None:
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
    if not found or in_all < (EXPLAINS if load.calm else CALLED):
        return None
    _, _, key = min(found)
    use, gain = level.uses[key], predict_gain(load, level, key)
    evidence = [_waits(level, use, explained[key]), _fullness(use)]
    if (law := _little(level, use)) is not None:
        evidence.append(law)
    behind = [other for other in inflated if explained[other] >= TAKES_PART]
    evidence += [_filled(load, level, other) for other in behind]
    if gain.next_bound:
        evidence.append(f"With twice of it, {gain.next_bound} would bind next.")
    known = 0.5 + 0.25 * (use.utilisation is not None) + 0.1 * use.is_measured + 0.1 * bool(load.calm)
    confidence = round(known * min(1.0, 0.6 + in_all / 2), 2)
    of_tail = min(1.0, sum(_of_tail(level, level.uses[one]) for one in (key, *behind)))
    return Verdict(use.name, use.kind, confidence, tuple(evidence), gain.factor, of_tail)


def called(load: Load, level: Level) -> Verdict | None:
    """A database or another service, by how much longer it takes under load than when calm."""
    excess_s = level.mean_s - load.alone_s
    best: tuple[float, str, ResourceKind, float, float] | None = None
    for key, use in level.uses.items():
        calm_s = load.calm_hold_s(key)
        kind = _called_kind(use)
        if calm_s is None or use.hold_s is None or kind is None or not load.is_inflated(key, level):
            continue
        best = max(
            best or (0.0, "", kind, 0.0, 0.0), ((use.hold_s - calm_s) / excess_s, use.name, kind, calm_s, use.hold_s)
        )
    for name, (now_s, _) in level.timings.items():
        kind = kind_of(name, is_called=True)
        calm_s = min((one.timings.get(name, (0.0, 0.0))[0] for one in load.calm), default=0.0)
        if kind is None or not load.calm or now_s < INFLATED * calm_s + UNSEEN_S:
            continue
        best = max(best or (0.0, "", kind, 0.0, 0.0), ((now_s - calm_s) / excess_s, name, kind, calm_s, now_s))
    if best is None or best[0] < CALLED:
        return None
    explained, name, kind, calm_s, now_s = best
    evidence = [
        f"A request spent {_ms(now_s)} in {name} at {_rate(level)}, and {_ms(calm_s)} when all was calm: "
        f"{min(1.0, explained):.0%} of what it took longer.",
        "No pool of the target itself is what it waits for.",
    ]
    gain = predict_gain(load, level, "")
    return Verdict(name, kind, 0.7, tuple(evidence), gain.factor, min(1.0, now_s / level.mean_s))


RULES = (core, event_loop, full, answering_thread, called, event_loop_at_last)
"""In the order in which they are asked. What keeps the process itself comes first, since it fills everything else."""


def _kept_loop(load: Load, level: Level, *, told: str, confidence: float, part: float) -> Verdict | None:
    excess_s = level.mean_s - load.alone_s
    calm_s = min((one.lag_s for one in load.calm if one.lag_s is not None), default=0.0)
    if (level.ready or 0.0) > MACHINE_SHORT:
        return None
    if level.lag_s is None or level.lag_s < max(LATE_S, part * excess_s) or level.lag_s < 4 * calm_s:
        return None
    evidence = [told.format(lag=_ms(level.lag_s)) + f" at {_rate(level)}, {_ms(calm_s)} when all was calm."]
    if level.cpu is not None and level.cores:
        evidence.append(f"The CPU is not the reason: {level.cpu / level.cores:.0%} of it was used.")
    gain = predict_gain(load, level, "event loop")
    return Verdict("event loop", "event loop", confidence, tuple(evidence), gain.factor, _excess(load, level))


def _excess(load: Load, level: Level) -> float:
    """The part of the time that is more than when calm."""
    return max(0.0, level.mean_s - load.alone_s) / level.mean_s


def _explained(load: Load, level: Level, key: str) -> float:
    wait_s, excess_s = level.uses[key].wait_s, level.mean_s - load.alone_s
    failing_per_s = level.failed * level.offered_per_s
    if failing_per_s > 0 and level.uses[key].refused_per_s > failing_per_s / 2:
        return 1.0  # those whom it turned away never waited
    return 0.0 if wait_s is None or excess_s <= 0 else min(1.0, (wait_s - load.calm_wait_s(key)) / excess_s)


def _bound_per_s(load: Load, level: Level, key: str) -> float:
    """How many requests a second its places let through; what does go through, where that is not known."""
    use, hold_s = level.uses[key], load.calm_hold_s(key) or level.uses[key].hold_s
    return level.done_per_s if not use.capacity or not hold_s else use.capacity / hold_s


def _is_full(use: Use) -> bool:
    if use.utilisation is None:
        return use.kind == "queue" and (use.waiting or 0.0) >= 1
    return use.utilisation >= FULL and (use.waiting is None or use.waiting >= 0.5 or use.refused_per_s > 0)


def _called_kind(use: Use) -> ResourceKind | None:
    """What stands behind a resource that is held for long: what its name says; behind connections, a database."""
    if use.kind in ("database", "downstream"):
        return use.kind
    if use.kind != "connection pool":
        return None
    behind = kind_of(use.name, is_called=True)
    return "downstream" if behind == "downstream" else "database"


def _waits(level: Level, use: Use, explained: float) -> str:
    how = "" if use.is_measured else ", by how many wait"
    return (
        f"A request waited {_ms(use.wait_s or 0.0)} for {use.name} at {_rate(level)}{how}: "
        f"{explained:.0%} of what it took longer than when all was calm."
    )


def _fullness(use: Use) -> str:
    waiting = "" if use.waiting is None else f", {use.waiting:.1f} waiting"
    if use.utilisation is None:
        return f"It had {use.waiting or 0.0:.1f} waiting on average."
    return f"It was {use.utilisation:.0%} in use ({use.in_use:.1f} of {use.capacity:g}{waiting})."


def _little(level: Level, use: Use) -> str | None:
    """Little's law as a check: those who wait are as many as come a second, times what each waits."""
    if not use.is_measured or use.waiting is None or use.wait_s is None:
        return None
    return f"Little's law: {level.flow_per_s:.0f}/s × {_ms(use.wait_s)} is {level.flow_per_s * use.wait_s:.1f} waiting."


def _filled(load: Load, level: Level, key: str) -> str:
    use = level.uses[key]
    return (
        f"{use.name} is full because of it: held {_ms(use.hold_s or 0.0)} a request, "
        f"{_ms(load.calm_hold_s(key) or 0.0)} when all was calm."
    )


def _of_tail(level: Level, use: Use) -> float:
    if use.tail_wait_s is not None:
        return use.tail_wait_s / level.tail_s
    return (use.wait_s or 0.0) / level.mean_s


def _rate(level: Level) -> str:
    return f"{level.offered_per_s:.0f}/s" if level.offered_per_s >= 10 else f"{level.offered_per_s:.1f}/s"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
