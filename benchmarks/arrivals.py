"""Open arrivals at a constant rate, by k6: those who come do not wait for those before them.

Each opens a page that nobody has asked for before, so that none is answered from memory. They come as programs do: people
would be shown the waiting room and come again, which an open arrival never does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
import http from "k6/http";
import exec from "k6/execution";
import { Counter, Trend } from "k6/metrics";

const good = new Counter("good"), late = new Counter("late"), partial = new Counter("partial");
const refused = new Counter("refused"), failed = new Counter("failed"), taken = new Trend("let_in");
export const options = {
  discardResponseBodies: false,
  scenarios: { crowd: {
    executor: "constant-arrival-rate", rate: Number(__ENV.RATE), timeUnit: "10s", duration: __ENV.SECONDS + "s",
    preAllocatedVUs: 200, maxVUs: 4000, gracefulStop: "30s",
  } },
};
export default function () {
  const number = exec.scenario.iterationInTest, site = number % Number(__ENV.SITES);
  const url = `${__ENV.BASE}/sites/site${site}.example?f=is,event:page,/page-${__ENV.RUN}-${number}`;
  const answer = http.get(url, { headers: { cookie: __ENV.COOKIE, accept: "*/*" }, timeout: "30s", redirects: 0 });
  if (answer.status === 503 || answer.status === 429) { refused.add(1); return; }
  if (answer.status !== 200) { failed.add(1); return; }
  taken.add(answer.timings.duration);
  if (answer.body.includes("data-card-url")) partial.add(1);
  else if (answer.timings.duration > 1000) late.add(1);
  else good.add(1);
}
export function handleSummary(data) { return { stdout: JSON.stringify(data.metrics) }; }
"""


@dataclass(frozen=True)
class Came:
    """What became of those who came. `good`: whole, within a second. `not_sent`: k6 was too slow to send them."""

    good: int
    late: int
    partial: int
    refused: int
    failed: int
    not_sent: int
    p99_ms: float


def arrive(base: str, cookie: str, *, sites: int, per_s: float, seconds: float, run: str) -> Came:
    """Has so many come in a second for so long. Blocks."""
    k6 = Path(sys.executable).with_name("k6")
    environment = {
        **os.environ,
        "BASE": base,
        "COOKIE": cookie,
        "SITES": str(sites),
        "RATE": str(max(1, round(per_s * 10))),
        "SECONDS": str(int(seconds)),
        "RUN": run,
        "K6_NO_USAGE_REPORT": "true",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".js") as script:
        script.write(SCRIPT)
        script.flush()
        done = subprocess.run(
            [str(k6), "run", "--quiet", "--summary-trend-stats", "p(99)", script.name],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds + 120,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"k6 ended with {done.returncode}: {done.stderr[-2000:]}")
    metrics = json.loads(done.stdout[done.stdout.index("{") :])

    def count(name: str) -> int:
        return int(metrics.get(name, {}).get("values", {}).get("count", 0))

    return Came(
        count("good"),
        count("late"),
        count("partial"),
        count("refused"),
        count("failed"),
        count("dropped_iterations"),
        float(metrics.get("let_in", {}).get("values", {}).get("p(99)", 0.0)),
    )
