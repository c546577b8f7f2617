"""The line against a slow, obvious model: a number of free permits and a list of names."""

from hypothesis import given
from hypothesis import strategies as st

from seawall.core.line import Line


class Person:
    """A waiter that can be granted once, gives up at most once, or is unable to be woken."""

    def __init__(self, number: int, reachable: bool) -> None:
        self.number = number
        self.reachable = reachable
        self.over = False
        self.is_decided = False
        self.has_permit = False

    def claim(self) -> bool:
        was, self.is_decided = self.is_decided, True
        return not was

    def grant(self) -> bool:
        if not self.claim() or not self.reachable:
            return False
        self.has_permit = True
        return True


class Model:
    def __init__(self, permits: int) -> None:
        self.free = permits
        self.line: list[Person] = []
        self.granted: list[int] = []

    def settle(self) -> None:
        while self.free and self.line:
            first = self.line.pop(0)
            if first.reachable:
                self.granted.append(first.number)
                self.free -= 1


steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.booleans()),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("give"), st.none()),
    ),
    max_size=60,
)


@given(permits=st.integers(0, 3), steps=steps)
def test_line_grants_as_the_model_does_in_the_same_order(permits: int, steps: list[tuple[str, object]]) -> None:
    line, model = Line(permits), Model(permits)
    granted: list[int] = []
    people: list[Person] = []

    def note() -> None:
        for person in people:
            if person.has_permit and person.number not in granted:
                granted.append(person.number)
                line.arrived(person)

    for number, (step, detail) in enumerate(steps):
        if step == "join":
            person = Person(number, bool(detail) or number % 3 > 0)
            people.append(person)
            line.join(person)
            model.line.append(person)
        elif step == "leave" and model.line:
            leaver = model.line.pop(int(str(detail)) % len(model.line))
            assert leaver.claim()
            line.leave(leaver)
        elif step == "give":
            line.give()
            model.free += 1
        model.settle()
        note()
        assert granted == model.granted
        assert len(line.free) == model.free
        assert list(line.queued()) == model.line
        assert line.in_transit() == []
