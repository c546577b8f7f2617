"""`turnout` whose server derives no day: the peer of the dashboard's benchmark. Takes the arguments of `turnout`."""

from __future__ import annotations

from seawall import Stop
from turnout.cli import main
from turnout.jobs.derive import Derivation


def _wait(self: Derivation, stop: Stop) -> None:
    stop.wait(timeout_s=None)


if __name__ == "__main__":
    Derivation.run = _wait  # type: ignore[method-assign]
    raise SystemExit(main())
