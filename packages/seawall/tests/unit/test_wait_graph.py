from collections.abc import Sequence

from seawall.core.wait_graph import Need, knot_of, stuck


def wants(*blockers: str, needed: int = 1, resource: str = "r") -> Need[str]:
    return Need(resource, blockers, needed, wait=None)


def graph(**needs: Need[str] | Sequence[Need[str]]) -> dict[str, Sequence[Need[str]]]:
    return {party: (need,) if isinstance(need, Need) else need for party, need in needs.items()}


def test_a_chain_that_ends_with_someone_who_runs_is_no_deadlock() -> None:
    assert stuck(graph(a=wants("b"), b=wants("c"))) == frozenset()


def test_a_cycle_is_named_from_the_one_who_closes_it() -> None:
    cycle = graph(a=wants("b"), b=wants("c"), c=wants("a"))
    assert knot_of("c", cycle) == ("c", "a", "b")


def test_who_waits_for_itself_is_a_cycle_of_one() -> None:
    assert knot_of("a", graph(a=wants("a"))) == ("a",)


def test_who_merely_waits_for_a_deadlock_is_stuck_but_not_part_of_it() -> None:
    waits = graph(a=wants("b"), b=wants("a"), c=wants("a"))
    assert stuck(waits) == {"a", "b", "c"}
    assert knot_of("c", waits) == ()


def test_one_of_several_holders_who_runs_is_enough() -> None:
    assert stuck(graph(a=wants("b", "c"), b=wants("a"))) == frozenset()


def test_it_is_a_knot_when_every_holder_waits_in_the_end_for_the_waiter() -> None:
    waits = graph(a=wants("b", "c"), b=wants("a"), c=wants("b"))
    assert knot_of("a", waits) == ("a", "b", "c")


def test_all_readers_must_leave_so_one_that_is_stuck_suffices() -> None:
    waits = graph(writer=wants("r1", "r2", needed=2), r1=wants("writer"))
    assert knot_of("r1", waits) == ("r1", "writer")


def test_every_need_of_a_party_must_be_met() -> None:
    waits = graph(task=(wants("free"), wants("loop", resource="event loop")), loop=wants("task"))
    assert knot_of("loop", waits) == ("loop", "task")


def test_a_party_without_needs_goes_on() -> None:
    assert stuck({"a": (), "b": (wants("a"),)}) == frozenset()
    assert knot_of("a", {"a": ()}) == ()
