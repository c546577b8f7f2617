"""Admission under a crowd: goodput at 1 to 20 times the service's own peak, behind a gate and behind what else there is.

Run: `uv run --group lab python -m benchmarks.admission` (some 15 minutes; `--quick`: 4). One JSON line a figure, with the
goal beside it. `--save` keeps the results in `benchmarks/admission/results.json` and draws `docs/images/admission.svg` from
them. `--limits` and `--soak MINUTES` are about the adaptive limit, nothing else. Needs two cores that are otherwise
idle; on a shared machine `--urgent` (as root) puts the service before other sessions and the generator before everything.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.admission import limits, plan
from benchmarks.admission.bench import Bench
from benchmarks.admission.plot import draw

RESULTS = Path(__file__).with_name("results.json")
PLOT = Path(__file__).parents[2] / "docs" / "images" / "admission.svg"


def main() -> None:
    """Measure, print, and keep what was asked to be kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--events", type=float, default=1000.0, metavar="PER_S", help="events a second underneath")
    parser.add_argument("--urgent", action="store_true", help="before everything else on the machine; as root")
    parser.add_argument("--save", action="store_true", help="write results.json and the plot")
    parser.add_argument("--plot", action="store_true", help="only draw the plot, from results.json")
    parser.add_argument("--limits", action="store_true", help="only the adaptive limit, beside fixed ones; 5 minutes")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="only the adaptive limit, at 1.2 x for so long")
    asked = parser.parse_args()
    if asked.soak:
        limits.soak(asked.soak)
        return
    if asked.limits:
        limits.compare(asked.quick)
        return
    if not asked.plot:
        with tempfile.TemporaryDirectory(prefix="admission-") as directory:
            document = plan.measure(Bench(Path(directory), asked.events, asked.urgent), asked.quick)
        if not asked.save:
            return
        RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    document = json.loads(RESULTS.read_text())
    PLOT.write_text(draw(document), encoding="utf-8")


if __name__ == "__main__":
    main()
