"""The metrics of gates, which have a workload and a reason beside a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from seawall.core.gate_statistics import GateStatistics, Refused, WorkloadStatistics

Row = tuple[dict[str, str], float]


def gate_rows(gates: Sequence[GateStatistics]) -> Iterable[tuple[str, str, str, list[Row]]]:
    """Family, kind, help and rows of each of their metrics, but for the histogram of waits."""

    def by_workload(figure: Callable[[WorkloadStatistics], float]) -> list[Row]:
        return [({"gate": g.name, "workload": w.name}, figure(w)) for g in gates for w in g.workloads]

    def by_reason(refused: Callable[[WorkloadStatistics], Sequence[Refused]]) -> list[Row]:
        return [
            ({"gate": g.name, "workload": w.name, "reason": r.reason}, r.total)
            for g in gates
            for w in g.workloads
            for r in refused(w)
        ]

    yield "seawall_gate_limit", "gauge", "Seats.", [({"gate": g.name}, g.limit) for g in gates]
    yield "seawall_gate_taken", "gauge", "Seats taken.", [({"gate": g.name}, g.seats_taken) for g in gates]
    yield "seawall_gate_waiting", "gauge", "Waiting for a seat.", by_workload(lambda w: w.waiting)
    yield "seawall_gate_in_flight", "gauge", "Inside.", by_workload(lambda w: w.in_flight)
    yield "seawall_gate_arrivals", "counter", "All that came.", by_workload(lambda w: w.arrivals_total)
    yield "seawall_gate_done", "counter", "Let in and done.", by_workload(lambda w: w.done_total)
    yield "seawall_gate_cancelled", "counter", "Left by themselves.", by_workload(lambda w: w.cancelled_total)
    yield "seawall_gate_refused", "counter", "Refused.", by_reason(lambda w: w.refused)
    yield "seawall_gate_shed", "counter", "Would have been refused, in shadow.", by_reason(lambda w: w.shed)
