"""Who is stuck, against a slow, obvious model: let people go home one at a time, in any order, until nobody can."""

from hypothesis import given
from hypothesis import strategies as st

from seawall.core.order_graph import OrderEdge, OrderGraph
from seawall.core.wait_graph import Need, knot_of, stuck

people = st.integers(0, 6)
needs = st.builds(
    lambda blockers, needed: Need("r", tuple(dict.fromkeys(blockers)), min(needed, len(set(blockers))), None),
    st.lists(people, min_size=1, max_size=4),
    st.integers(1, 4),
)
graphs = st.dictionaries(people, st.lists(needs, max_size=2).map(tuple), max_size=7)


def left_over(graph, order) -> set[int]:
    at_work = set(range(7))
    while True:
        for person in order:
            mine = graph.get(person, ())
            if person in at_work and all(len(set(n.blockers) - at_work) >= n.needed for n in mine):
                at_work.remove(person)
                break
        else:
            return at_work


@given(graph=graphs, order=st.permutations(range(7)))
def test_stuck_are_those_who_never_get_home_in_whatever_order_the_others_go(graph, order) -> None:
    assert stuck(graph) == left_over(graph, order)


@given(graph=graphs, person=people)
def test_who_begins_to_wait_and_so_gets_people_stuck_is_told_of_a_knot(graph, person) -> None:
    before = {other: needs for other, needs in graph.items() if other != person}
    knot = knot_of(person, graph)
    assert set(knot) <= stuck(graph)
    assert not knot or knot[0] == person
    if stuck(graph) and not stuck(before):
        assert knot


@given(pairs=st.lists(st.tuples(people, people).filter(lambda pair: pair[0] != pair[1]), max_size=30))
def test_what_the_order_graph_has_learned_never_has_a_cycle(pairs) -> None:
    graph = OrderGraph()
    for first, second in pairs:
        graph.add(OrderEdge(str(first), str(second)))
    left = {(edge.first, edge.second) for edge in graph.edges()}
    while left:
        ends = {second for _, second in left} - {first for first, _ in left}
        assert ends, f"a cycle among {left}"
        left = {(first, second) for first, second in left if second not in ends}
