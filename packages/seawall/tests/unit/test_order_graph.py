import pytest

from seawall.core.order_graph import OrderEdge, OrderGraph, is_in_key_order


def learned(*pairs: str) -> OrderGraph:
    graph = OrderGraph()
    for first, second in pairs:
        assert graph.add(OrderEdge(first, second, owner=f"who saw {first}{second}")) is None
    return graph


def test_an_inversion_shows_when_both_orders_have_been_seen() -> None:
    graph = learned("ab")
    inversion = graph.add(OrderEdge("b", "a"))
    assert inversion is not None
    assert [edge.owner for edge in inversion.path] == ["who saw ab"]


def test_a_way_around_counts_and_the_shortest_one_is_shown() -> None:
    graph = learned("ab", "bc", "cd", "bd")
    inversion = graph.add(OrderEdge("d", "a"))
    assert inversion is not None
    assert [(edge.first, edge.second) for edge in inversion.path] == [("a", "b"), ("b", "d")]


def test_an_inverted_order_is_not_learned_so_the_first_one_holds() -> None:
    graph = learned("ab")
    assert graph.add(OrderEdge("b", "a")) is not None
    assert not graph.knows("b", "a")
    assert graph.was_inverted("b", "a")
    assert graph.add(OrderEdge("a", "b")) is None
    assert [inversion.edge.first for inversion in graph.inversions()] == ["b"]


def test_an_accepted_edge_is_listed_with_its_reason_and_proves_nothing_of_others() -> None:
    graph = learned("ab")
    graph.accept("b", "a", "only at start, before any thread")
    assert graph.knows("b", "a")
    assert [(edge.second, edge.reason) for edge in graph.edges()] == [
        ("b", None),
        ("a", "only at start, before any thread"),
    ]
    assert graph.add(OrderEdge("a", "c")) is None
    assert graph.add(OrderEdge("c", "b")) is None  # no way from b to c, since b before a is no rule


def test_an_edge_accepted_after_it_was_seen_forbids_nothing_any_more() -> None:
    graph = learned("ab")
    graph.accept("a", "b", "never at once")
    assert graph.add(OrderEdge("b", "a")) is None


def test_clear_forgets_everything() -> None:
    graph = learned("ab")
    graph.clear()
    assert graph.edges() == ()
    assert graph.add(OrderEdge("b", "a")) is None


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [(1, 2, True), (2, 1, False), (1, 1, False), ("a", "b", True), (None, 1, False), (1, None, False), (1, "b", False)],
)
def test_locks_of_one_name_nest_by_rising_keys_of_one_type(outer, inner, expected) -> None:
    assert is_in_key_order(outer, inner) is expected
