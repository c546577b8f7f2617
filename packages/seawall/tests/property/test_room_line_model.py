"""The line of a waiting room beside a list of all that are in it, which the real one does not keep."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.core.room_coming import COMES_S
from seawall.core.room_line import ABSENT_S, DUE_LIMIT, FIRST_PART, LINES, Room
from seawall.core.room_times import LOOKS_PER_S, SOONEST_LOOK_S, SPREAD, look_s, told_s

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.just(0), st.just(0.0)),
        st.tuples(st.just("leave"), st.integers(0, 30), st.just(0.0)),
        st.tuples(st.just("look"), st.integers(0, 30), st.just(0.0)),
        st.tuples(st.just("call"), st.integers(-2, 5), st.floats(0.0, 9.0)),
        st.tuples(st.just("pass"), st.just(0), st.floats(0.0, 20.0)),
        st.tuples(st.just("restart"), st.integers(-3, 3), st.just(0.0)),
    ),
    max_size=120,
)


class Person:
    def __init__(self, started: int, number: int, came: int, place: int) -> None:
        self.ticket = (started, number, 0, 0)
        self.came = came
        self.place = place
        self.is_new = True


def newest(room: Room) -> int:
    return max(line.started for line in room.lines)


@settings(deadline=None)
@given(STEPS)
def test_whoever_comes_first_is_called_first_and_no_place_ever_grows(steps) -> None:
    room, now_s, came, in_all = Room(100), 0.0, 0, 0
    people: list[Person] = []  # in the order in which they came, but for those who left
    for what, number, amount in steps:
        if what == "join":
            came += 1
            drawn = room.join()
            place = room.place(room.own.started, drawn)
            people.append(Person(room.own.started, drawn, came, place))
        elif what == "leave" and people:
            people.pop(number % len(people))
        elif what == "look" and people:
            person = people[number % len(people)]
            assert room.learn(*person.ticket)
            started, drawn, *_ = person.ticket
            place = room.place(started, drawn)
            assert place <= person.place
            person.place = place
            line = next(one for one in room.lines if one.started == started)
            person.ticket = (started, drawn, line.called, line.last)
            if place == 0:
                earlier = [one for one in people if one.came < person.came and one.ticket[0] == started]
                assert all(room.place(one.ticket[0], one.ticket[1]) == 0 for one in earlier)
                room.let_in(started, drawn, now_s)
                people.remove(person)
                in_all += 1
        elif what == "call":
            room.call(now_s, number, amount)
        elif what == "pass":
            now_s += amount
        elif what == "restart" and room.own.last and len(room.lines) < LINES and room.own.started == newest(room):
            # Everybody looks in before it goes down, and the first of them after it is up; the clock may have gone back, but
            # not before yet another restart: lines of earlier servers stand in the order of their clocks.
            tickets = [person.ticket for person in people]
            for person in people:
                assert room.learn(*person.ticket)
                line = next(one for one in room.lines if one.started == person.ticket[0])
                person.ticket = (*person.ticket[:2], line.called, line.last)
            taken = {line.started for line in room.lines}
            started = room.own.started + number
            while started in taken:
                started += 10
            room, in_all = Room(started), 0
            for person in people:
                assert room.learn(*person.ticket)
                person.place = min(person.place, room.place(*person.ticket[:2]))
            assert len(tickets) == len(people)
        assert room.called_total == room.in_total + room.missed_total + room.due
        assert room.in_total + room.late_total == in_all
        assert 0 <= room.due <= DUE_LIMIT
        assert room.waiting >= 0
        places = [room.place(*one.ticket[:2]) for one in people if one.ticket[0] == room.own.started]
        assert places == sorted(places)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 4))
def test_those_who_left_hold_up_nobody_for_long(stays, spare) -> None:
    room, now_s = Room(1), 0.0
    waiting = {room.join() for _ in stays}
    waiting = {number for number, stay in zip(sorted(waiting), stays, strict=True) if stay}
    for _ in range(len(stays) * int(ABSENT_S)):
        if not waiting:
            break
        room.call(now_s, spare, 0.0)
        for number in [one for one in waiting if room.place(1, one) == 0]:
            room.let_in(1, number, now_s)
            waiting.remove(number)
        now_s += 1.0
    assert not waiting
    room.call(now_s + ABSENT_S, spare, 0.0)
    room.call(now_s + 2 * ABSENT_S, spare, 0.0)
    assert room.late_total == 0


def test_who_comes_after_its_number_was_passed_over_still_goes_in() -> None:
    room = Room(1)
    slow = room.join()
    room.call(0.0, 1, 0.0)
    room.call(ABSENT_S, 1, 0.0)
    assert (room.missed_total, room.due, room.is_open) == (1, 0, False)
    assert room.place(1, slow) == 0
    room.let_in(1, slow, ABSENT_S)
    assert (room.in_total, room.late_total) == (0, 1)


def test_as_many_are_on_their_way_as_the_gate_gets_done_until_they_come() -> None:
    room = Room(1)
    for _ in range(1_000):
        room.join()
    room.call(0.0, 0, 80.0, 4)
    called = room.called_total
    assert called == int(80 * FIRST_PART * COMES_S + 4)
    room.call(COMES_S, 0, 80.0, 4)
    called = room.called_total
    room.call(COMES_S, 0, 80.0, 4)
    assert room.called_total == called
    for number in range(1, 11):  # whoever comes makes room for another one
        room.let_in(1, number, COMES_S)
    room.call(COMES_S, 0, 80.0, 4)
    assert room.called_total >= called + 10
    # Not while they wait at the gate, nor while those inside ask for all there is.
    called = room.called_total
    for number in range(11, called + 1):
        room.let_in(1, number, COMES_S)
    room.call(COMES_S, -200, 80.0, 4)
    assert room.called_total == called
    for _ in range(400):
        room.asked(COMES_S)
    room.call(COMES_S, 0, 80.0, 0)
    assert room.called_total == called


def test_a_room_takes_less_of_a_gate_that_turned_somebody_away_and_slowly_more_again() -> None:
    counts = []
    for refused, after_s in ((0, 0.5), (1, 0.5), (9, 0.5), (1, 20.0)):
        room = Room(1)
        for _ in range(1_000):
            room.join()
        room.call(0.0, 0, 1e-9)
        for _ in range(refused):
            room.turned_away(0.1)
        for now_s in range(1, 1 + int(after_s)):
            room.call(float(now_s), -1_000, 80.0)
        room.call(after_s, 0, 80.0)
        counts.append(room.called_total)
    whole, less, no_less, again = counts
    assert less == no_less
    assert 0.65 * whole < less < 0.75 * whole
    assert again > whole


@pytest.mark.parametrize("comes", [1.0, 0.3])
@pytest.mark.parametrize("could", [3.0, 30.0])
def test_the_line_finds_what_the_gate_lets_through_though_it_is_told_twice_as_much(could: float, comes: float) -> None:
    room, dice, backlog, turned_away, in_all = Room(1), Random(1), 0.0, 0, 0
    last, under_way, known = 0, dict[int, list[int]](), 0
    for _ in range(60_000):
        room.join()
    for step in range(6_000):
        now_s = step / 10
        room.call(now_s, 1 if backlog < 1 else -int(backlog), 2 * could, 4)
        for number in range(known + 1, room.called_total + 1):
            if dice.random() < comes:
                under_way.setdefault(step + dice.randrange(1, 40), []).append(number)
        known = room.called_total
        for number in under_way.pop(step, ()):
            room.came(1, number, now_s)
            if backlog >= 16:
                room.turned_away(now_s)
                turned_away += 1
                under_way.setdefault(step + 30, []).append(number)
            else:
                room.let_in(1, number, now_s)
                backlog += 1
                in_all += 1
        backlog = max(0.0, backlog - could * 0.1)
        if step == 3_000:
            last = in_all
    assert 0.7 * could < (in_all - last) / 300 < 1.05 * could
    assert turned_away < in_all * 0.25


def test_a_restarted_server_puts_those_who_were_there_before_its_own() -> None:
    before = Room(5)
    numbers = [before.join() for _ in range(10)]
    before.call(0.0, 4, 0.0)
    after = Room(3)  # its clock was put back
    newcomer = after.join()
    assert after.learn(5, numbers[6], before.own.called, before.own.last)
    assert [after.place(5, number) for number in numbers] == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
    assert after.place(3, newcomer) == 7
    after.call(0.0, 6, 0.0)
    assert (after.place(5, numbers[9]), after.place(3, newcomer)) == (0, 1)


def test_only_so_many_lines_are_known_and_the_oldest_is_forgotten() -> None:
    room = Room(1000)
    for started in range(1, 9):
        assert room.learn(started, 1, 0, 1)
    assert [line.started for line in room.lines] == [6, 7, 8, 1000]
    assert not room.learn(2, 1, 0, 1)


@given(st.floats(0.0, 1e5))
def test_an_estimate_is_told_rounded_up_and_by_no_more_than_a_fifth_or_five_seconds(estimate_s) -> None:
    assert estimate_s - 1e-6 <= told_s(estimate_s) <= max(estimate_s * 1.34, estimate_s + 5)


@settings(deadline=None)
@given(st.integers(1, 200_000), st.floats(0.2, 500.0))
def test_all_who_wait_look_in_so_often_and_no_more(waiting, per_s) -> None:
    step = max(1, waiting // 500)
    looks = sum(step / look_s(place, place / per_s, waiting, 0.5) for place in range(1, waiting + 1, step))
    # The first of each step stands for all of it, so a little more than there are.
    assert looks <= LOOKS_PER_S + 9 * per_s + 2 * step


@given(st.integers(0, 10**6), st.none() | st.floats(0.0, 1e6), st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_nobody_is_ever_asked_to_look_in_at_once(place, estimate_s, waiting, chance) -> None:
    assert look_s(place, estimate_s, waiting, chance) >= SOONEST_LOOK_S * (1 - SPREAD) - 1e-9
