"""The peer of the lateness benchmark: sleeps until each instant of a constant rate, and does nothing else.

`python -m benchmarks.flashcrowd.sleeper 100 10` prints by how many milliseconds it woke late, at the 99th percentile:
what the machine itself costs anybody just then.
"""

from __future__ import annotations

import sys
import time

from benchmarks.report import percentile


def lateness_p99_ms(per_s: float, seconds: float) -> float:
    """Of all instants; several that are due at once are all late by what they are."""
    began = time.monotonic()
    late_s: list[float] = []
    for number in range(int(per_s * seconds)):
        due = began + number / per_s
        if (left := due - time.monotonic()) > 0:
            time.sleep(left)
        late_s.append(time.monotonic() - due)
    return percentile(late_s, 0.99) * 1000


if __name__ == "__main__":
    print(lateness_p99_ms(float(sys.argv[1]), float(sys.argv[2])))
