"""What the commands of the lab have in common."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from types import FrameType


def seed(text: str) -> int:
    """The number of `--seed`. Raises ArgumentTypeError."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0, not {text!r}")
    return int(text)


def say(text: str) -> None:
    """Tell whoever watches; the results go elsewhere."""
    print(text, file=sys.stderr, flush=True)


def end_on_signals() -> None:
    """SIGTERM is as Ctrl-C; so is SIGINT where a shell has started it with that ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def run(main: Callable[[], int]) -> None:
    """Leave with the status of `main`, or with that of an interrupted command."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("interrupted; everything that was started has been ended")
        sys.exit(128 + signal.SIGINT)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
