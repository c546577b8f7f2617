"""What keeps the process itself: the cores it can use, or something that blocks its event loop."""

from __future__ import annotations

from flashcrowd.samples import Verdict
from flashcrowd.verdict.figure import excess, ms, percent, rate
from flashcrowd.verdict.gain import predict_gain
from flashcrowd.verdict.level import Level
from flashcrowd.verdict.load import Load

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
    evidence = [f"At {rate(level)} the process used {percent(used)} of {cores}."]
    if used < CORE:
        evidence.append(f"Its threads were ready to run {percent(wanted)} of the time: others had the cores meanwhile.")
    gain = predict_gain(load, level, "cpu")
    confidence = 0.9 if used >= CORE else 0.75
    return Verdict("cpu", "cpu", confidence, tuple(evidence), gain.factor, excess(load, level))


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


def _kept_loop(load: Load, level: Level, *, told: str, confidence: float, part: float) -> Verdict | None:
    excess_s = level.mean_s - load.alone_s
    calm_s = min((one.lag_s for one in load.calm if one.lag_s is not None), default=0.0)
    if (level.ready or 0.0) > MACHINE_SHORT:
        return None
    if level.lag_s is None or level.lag_s < max(LATE_S, part * excess_s) or level.lag_s < 4 * calm_s:
        return None
    evidence = [told.format(lag=ms(level.lag_s)) + f" at {rate(level)}, {ms(calm_s)} when all was calm."]
    if level.cpu is not None and level.cores:
        evidence.append(f"The CPU is not the reason: {percent(level.cpu / level.cores)} of it was used.")
    gain = predict_gain(load, level, "event loop")
    return Verdict("event loop", "event loop", confidence, tuple(evidence), gain.factor, excess(load, level))
