"""Readers and writers at the turnstile against a slow, obvious model: one line of names, walked from its front."""

from hypothesis import given
from hypothesis import strategies as st

from seawall.core.turnstile import Turnstile


class Person:
    def __init__(self, turnstile: Turnstile, number: int, reads: bool, reachable: bool) -> None:
        self.turnstile, self.number, self.reads, self.reachable = turnstile, number, reads, reachable
        self.over = False
        self.is_decided = False
        self.is_through = False

    def claim(self) -> bool:
        was, self.is_decided = self.is_decided, True
        return not was

    def grant(self) -> bool:
        if not self.claim() or not self.reachable:
            return False
        self.is_through = True
        if self.reads:
            self.turnstile.pass_later()
        return True


steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.tuples(st.booleans(), st.booleans())),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("wrote"), st.none()),
    ),
    max_size=60,
)


@given(steps=steps)
def test_people_get_through_as_in_the_model_and_a_writer_keeps_the_turnstile(steps) -> None:
    turnstile = Turnstile()
    line: list[Person] = []
    through: list[int] = []
    expected: list[int] = []
    people: list[Person] = []
    writer: Person | None = None

    for number, (step, detail) in enumerate(steps):
        if step == "join":
            reads, reachable = detail
            person = Person(turnstile, number, reads, reachable or number % 3 > 0)
            people.append(person)
            turnstile.join(person)
            line.append(person)
        elif step == "leave" and line:
            leaver = line.pop(detail % len(line))
            assert leaver.claim()
            turnstile.leave(leaver)
        elif step == "wrote" and writer is not None:
            writer = None
            turnstile.give()
        while line and writer is None:
            first = line.pop(0)
            if first.reachable:
                expected.append(first.number)
                writer = None if first.reads else first
        for person in people:
            if person.is_through and person.number not in through:
                through.append(person.number)
                turnstile.arrived(person)
        assert sorted(through) == sorted(expected)
        assert len(turnstile.free) == (writer is None)
        assert list(turnstile.queued()) == line
        assert turnstile.in_transit() == []
