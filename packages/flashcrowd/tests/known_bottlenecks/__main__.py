"""The confusion matrix: `uv run --all-groups --directory packages/flashcrowd/tests python -m known_bottlenecks`.

Every service with every seed: 28 × 5 runs, some 17 minutes. Then the gains that were predicted beside those measured.
Exits with 1 where fewer than 95 % of the single faults are named, or a healthy service is not left in peace.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from flashcrowd.samples import ResourceKind
from known_bottlenecks.gains import LOADS, Widened, compare
from known_bottlenecks.judge import Judged, judge
from known_bottlenecks.record import record
from known_bottlenecks.serve import NAMES, REPOSITORY, planted

RIGHT = 0.95


def main() -> int:
    """Run, print, and say whether it is good enough."""
    parser = argparse.ArgumentParser(
        prog="known_bottlenecks", description="What Flashcrowd names, and what is planted."
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds (5)")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them (1)")
    parser.add_argument("--only", nargs="*", default=NAMES, choices=NAMES, metavar="NAME", help="these services (all)")
    parser.add_argument("--no-gains", action="store_true", help="leave out the widened services")
    parser.add_argument("--json", type=Path, help="write everything there")
    parser.add_argument("--keep", type=Path, help="keep what was seen in this folder")
    parser.add_argument("--again", type=Path, help="judge what such a folder has, and run nothing")
    options = parser.parse_args()
    if options.again:
        kept = [_told(judge(pickle.loads(path.read_bytes()))) for path in sorted(options.again.glob("*.pickle"))]
        _print_matrix(kept)
        return 0 if _is_good(kept) else 1
    with postgres_where_needed(options.only) as postgres:
        seeds = range(options.first_seed, options.first_seed + options.seeds)
        judged = [_run(name, seed, postgres, options.keep) for seed in seeds for name in options.only]
        wide = [name for name in options.only if planted(name).can_widen and not options.no_gains]
        gains = [compare(name, 1) for name in wide]
    _print_matrix(judged)
    _print_gains(gains)
    if options.json:
        told = {"runs": [asdict(one) for one in judged], "gains": [asdict(one) for one in gains]}
        options.json.write_text(json.dumps(told, indent=1))
    return 0 if _is_good(judged) else 1


@contextmanager
def postgres_where_needed(names: Sequence[str]) -> Iterator[str]:
    """The address of a PostgreSQL, where one of the services needs it."""
    if not any(planted(name).needs_postgres for name in names):
        yield ""
        return
    path = REPOSITORY / "packages/seawall/tests/servers.py"
    spec = importlib.util.spec_from_file_location("known_bottlenecks_servers", path)
    assert spec is not None
    assert spec.loader is not None
    servers = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = servers
    spec.loader.exec_module(servers)
    with servers.running_postgres("max_connections=200") as server:
        yield server.url()


def _run(name: str, seed: int, postgres: str, keep: Path | None) -> Judged:
    seen = record(name, seed, postgres=postgres)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{name}-{seed}.pickle").write_bytes(pickle.dumps(seen))
    return _told(judge(seen))


def _told(one: Judged) -> Judged:
    named = "-" if one.verdict is None else f"{one.verdict.kind} {one.verdict.resource} ({one.verdict.confidence:.2f})"
    print(f"{one.judgement:10} {one.name:28} seed {one.seed}  {named}", flush=True)
    return one


def _print_matrix(judged: Sequence[Judged]) -> None:
    kinds = [*get_args(ResourceKind), ""]
    seen = Counter((planted(one.name).kind, one.verdict.kind if one.verdict else "") for one in judged)
    print("\nplanted \\ named   " + "".join(f"{(kind or 'none')[:10]:>11}" for kind in kinds))
    for kind in kinds:
        print(f"{kind or 'healthy':17} " + "".join(f"{seen[kind, named] or '·':>11}" for named in kinds))
    for title, of in _groups(judged):
        counts = Counter(one.judgement for one in of)
        told = ", ".join(f"{count} {judgement}" for judgement, count in counts.most_common())
        print(f"{title}: {len(of)} runs: {told}")


def _groups(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    single = _single(judged)
    yield "one fault, on Seawall", [one for one in single if planted(one.name).exposes == "seawall"]
    yield "one fault, with nothing of ours", [one for one in single if planted(one.name).exposes != "seawall"]
    yield "two faults", [one for one in judged if planted(one.name).also]
    yield "healthy", [one for one in judged if planted(one.name).is_healthy]


def _single(judged: Sequence[Judged]) -> list[Judged]:
    return [one for one in judged if not planted(one.name).also and not planted(one.name).is_healthy]


def _is_good(judged: Sequence[Judged]) -> bool:
    single = _single(judged)
    in_peace = all(one.judgement == "right" for one in judged if planted(one.name).is_healthy)
    return in_peace and sum(one.judgement == "right" for one in single) >= RIGHT * len(single)


def _print_gains(gains: Sequence[Widened]) -> None:
    if gains:
        print(f"\nTwice of the resource, at up to {LOADS[-1]} × what it does: peak a second, and the gain")
    for one in gains:
        predicted = "not known" if one.predicted is None else f"{one.predicted:.2f}"
        off = "" if one.predicted is None else f" ({one.predicted / one.measured - 1:+.0%})"
        peaks = f"{one.before_per_s:6.0f} → {one.after_per_s:6.0f}"
        print(f"{one.name:28} {peaks}  measured {one.measured:.2f}, predicted {predicted}{off}")


if __name__ == "__main__":
    sys.exit(main())
