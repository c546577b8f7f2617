"""The fair queue against a slow, obvious model, and against the bound that its paper proves."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.fairness import FORGETS_ABOVE, FairQueue

TENANTS = "abc"
charges = st.sampled_from([0.5, 1.0, 2.0, 3.0])
moves = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.tuples(st.sampled_from(TENANTS), charges)),
        st.tuples(st.just("pop"), st.none()),
        st.tuples(st.just("remove"), st.integers(0, 99)),
    ),
    max_size=80,
)


@dataclass
class Item:
    number: int
    tenant: str
    charge: float
    start: float


@dataclass
class Model:
    """Every tag is worked out anew by looking at everything."""

    items: list[Item] = field(default_factory=list)
    time: float = 0.0
    finish: dict[str, float] = field(default_factory=dict)

    def push(self, number: int, tenant: str, charge: float) -> None:
        item = Item(number, tenant, charge, max(self.time, self.finish.get(tenant, 0.0)))
        self.finish[tenant] = item.start + charge
        self.items.append(item)

    def first(self) -> Item:
        return min(self.items, key=lambda item: (item.start, item.number))

    def pop(self) -> int:
        item = self.first()
        self.items.remove(item)
        self.time = item.start
        self.end()
        return item.number

    def remove(self, item: Item) -> None:
        behind = [other for other in self.items if other.tenant == item.tenant and other.number > item.number]
        before = [other for other in self.items if other.tenant == item.tenant and other.number < item.number]
        self.items.remove(item)
        finish = before[-1].start + before[-1].charge if before else item.start
        for other in behind:
            other.start = max(self.time, finish)
            finish = other.start + other.charge
        self.finish[item.tenant] = finish
        self.end()

    def end(self) -> None:
        if not self.items:
            self.time, self.finish = 0.0, {}


@settings(deadline=None)
@given(moves=moves)
def test_items_come_out_in_the_models_order(moves) -> None:
    queue, model, places = FairQueue[int](), Model(), {}
    for number, (move, detail) in enumerate(moves):
        if move == "push":
            tenant, charge = detail
            turn = queue.turn_of(tenant)
            places[number] = queue.push(number, tenant, charge)
            assert queue.position(places[number]) == turn
            model.push(number, tenant, charge)
        elif move == "pop" and model.items:
            assert queue.pop() == model.pop()
        elif move == "remove" and model.items:
            item = model.items[detail % len(model.items)]
            queue.remove(places[item.number])
            model.remove(item)
        assert list(queue) == [i.number for i in sorted(model.items, key=lambda i: (i.start, i.number))]
        assert len(queue) == len(model.items)
        loads = {t: sum(i.charge for i in model.items if i.tenant == t) for t in TENANTS}
        assert {t: queue.load_of(t) for t in TENANTS} == loads
        assert queue.load == sum(loads.values())
        assert queue.tenants() == sum(load > 0 for load in loads.values())
        if model.items:
            heaviest = queue.heaviest()
            assert loads[heaviest.tenant] == max(loads.values())
            assert heaviest.item == max(i.number for i in model.items if i.tenant == heaviest.tenant)
    while model.items:
        assert queue.pop() == model.pop()


@settings(deadline=None)
@given(
    costs=st.dictionaries(st.sampled_from(TENANTS), st.lists(charges, min_size=1, max_size=30), min_size=2),
    weights=st.fixed_dictionaries({tenant: st.sampled_from([0.5, 1.0, 4.0]) for tenant in TENANTS}),
)
def test_what_two_that_both_wait_are_given_differs_by_one_item_of_each_at_most(costs, weights) -> None:
    queue = FairQueue[tuple[str, float]]()
    for tenant, own in costs.items():
        for cost in own:
            queue.push((tenant, cost), tenant, cost / weights[tenant])
    left = {tenant: len(own) for tenant, own in costs.items()}
    log: list[tuple[str, float]] = []
    while all(left.values()):  # every tenant waits throughout
        tenant, cost = queue.pop()
        left[tenant] -= 1
        log.append((tenant, cost / weights[tenant]))
    for begin in range(len(log)):
        given_ = dict.fromkeys(costs, 0.0)
        for tenant, charge in log[begin:]:
            given_[tenant] += charge
            for one in costs:
                for other in costs:
                    bound = max(costs[one]) / weights[one] + max(costs[other]) / weights[other]
                    assert abs(given_[one] - given_[other]) <= bound + 1e-9


@settings(deadline=None)
@given(tenants=st.lists(st.sampled_from(TENANTS), max_size=40))
def test_within_a_tenant_first_come_is_first_served(tenants) -> None:
    queue = FairQueue[int]()
    for number, tenant in enumerate(tenants):
        queue.push(number, tenant, 1.0)
    order = [queue.pop() for _ in tenants]
    for tenant in TENANTS:
        own = [number for number in order if tenants[number] == tenant]
        assert own == sorted(own)


def test_a_tenant_that_floods_the_queue_is_one_turn_ahead_of_a_newcomer_at_most() -> None:
    queue = FairQueue[str]()
    for _ in range(500):
        queue.push("flood", "loud", 1.0)
    queue.pop()
    queue.push("one", "quiet", 1.0)
    assert [queue.pop() for _ in range(2)].count("one") == 1


def test_tenants_that_are_gone_are_forgotten() -> None:
    queue = FairQueue[int]()
    for number in range(5_000):
        queue.push(number, f"tenant {number}", 1.0)
        queue.push(number, "stays", 1.0)
        queue.pop()
        queue.pop()
        queue.push(number, "stays", 1.0)
    assert len(queue._finish) <= FORGETS_ABOVE + 2 * len(queue) + 1
    assert len(queue._heaviest) <= 64 + 4 * queue.tenants()
