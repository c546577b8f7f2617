"""The pure parts of leases beside slow, obvious models; and the servers beside the pure parts."""

import itertools
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from seawall.core.lease_table import Claim, Granted, LeaseTable, Refused
from seawall.core.lease_term import MARGIN, Term
from seawall.core.polling import OTHERS_AT_MOST_S, PLACE_S, look_again_s
from seawall.core.rate import spend

HOLDERS = ("anna", "bert", "cleo", "dora")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "try", "renew", "leave", "brief"]),
        st.sampled_from(HOLDERS),
        st.integers(1, 3),
    ),
    max_size=40,
)


@given(STEPS, st.lists(st.floats(0, 3), min_size=40, max_size=40), st.integers(1, 3))
def test_a_table_lets_in_who_has_waited_longest_never_too_many_and_tokens_rise(steps, pauses, permits) -> None:
    table, now_s, newest = LeaseTable(), 100.0, 0
    inside: dict[str, float] = {}
    waiting: list[tuple[str, float]] = []  # in the order of coming, with the end of the place
    for (step, holder, _), pause_s in zip(steps, pauses, strict=False):
        now_s += pause_s
        inside = {other: until_s for other, until_s in inside.items() if until_s > now_s}
        waiting = [(other, until_s) for other, until_s in waiting if until_s > now_s]
        if step == "renew":
            assert table.renew(holder, 4.0, now_s) is (holder in inside)
            if holder in inside:
                inside[holder] = now_s + 4.0
            continue
        if step == "leave":
            assert table.leave(holder, now_s) is (holder in inside)
            inside.pop(holder, None)
            waiting = [place for place in waiting if place[0] != holder]
            continue
        was_inside = holder in inside
        answer = table.ask(Claim("n", holder, permits, 4.0, step != "try", 2.0), now_s)
        order = [other for other, _ in waiting if other != holder]
        ahead = order[: [other for other, _ in waiting].index(holder)] if holder in dict(waiting) else order
        if was_inside or len(ahead) < permits - len(inside):
            assert isinstance(answer, Granted)
            assert was_inside or answer.token > newest
            newest = max(newest, answer.token)
            inside[holder] = now_s + 4.0
            waiting = [place for place in waiting if place[0] != holder]
            assert len({held.slot for held in table.inside.values()}) == len(inside) <= permits
        else:
            assert answer == Refused(len(ahead))
            if step != "try" and dict(waiting).get(holder, now_s) - now_s < 1.0:
                if holder in dict(waiting):
                    waiting = [(o, now_s + 2.0 if o == holder else u) for o, u in waiting]
                else:
                    waiting.append((holder, now_s + 2.0))
        assert set(table.inside) == set(inside)
        assert list(table.line.items()) == waiting


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=30))
def test_tokens_rise_also_where_the_clock_does_not_and_after_the_table_is_lost(times_s) -> None:
    newest = 0
    for number, now_s in enumerate(times_s):
        table = LeaseTable(last_token=newest)
        answer = table.ask(Claim("n", str(number), 1, 1.0), now_s)
        assert isinstance(answer, Granted)
        assert answer.token > newest
        newest = answer.token
    later_s = max(times_s) + 1e3  # more than the one microsecond a token that a counter may be ahead of the clock
    fresh = LeaseTable().ask(Claim("n", "after", 1, 1.0), later_s)
    assert isinstance(fresh, Granted)
    assert fresh.token > newest


@given(
    st.floats(0.3, 100),
    st.floats(-1e-3, 1e-3),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["ok", "lost", "late"])), max_size=20),
)
@example(1.0, 0.0, [(0.0, 0.0, "late"), (1.0, 1.0, "late"), (1.0, 1.0, "ok")])
def test_a_holder_takes_itself_for_lost_before_the_server_does(ttl_s, rate, renewals) -> None:
    """The server's clock runs at a rate that differs by up to a thousandth; answers are lost, requests take their time."""

    def server(at_s: float) -> float:
        return at_s * (1 + rate)

    now_s = 50.0
    term = Term(ttl_s, now_s)
    ends_s = server(now_s) + ttl_s  # the server may have taken it up as early as it was sent
    for wait, travel, outcome in renewals:
        now_s = max(now_s, term.renew_at_s()) + wait * ttl_s / 10
        if term.is_lost(now_s):
            break
        arrives_s = now_s + travel * ttl_s / 5
        is_kept = outcome != "late" and server(arrives_s) < ends_s
        if is_kept:
            ends_s = server(arrives_s) + ttl_s
        elif outcome == "ok":
            break  # it came too late, and the holder is told so
        if outcome == "ok":
            term.renewed(now_s)
        else:
            term.failed(now_s)
        now_s = arrives_s
    assert server(term.lost_at_s()) < ends_s
    assert term.lost_at_s() - term.sent_s == pytest.approx(ttl_s * (1 - MARGIN))


def test_a_failing_renewal_is_tried_again_in_time() -> None:
    term, tries = Term(12.0, 100.0), 0
    while term.renew_at_s() < term.lost_at_s():
        term.failed(term.renew_at_s())
        tries += 1
    assert tries >= 6
    term.renewed(110.0)
    assert (term.renew_at_s(), term.lost_at_s()) == (114.0, pytest.approx(120.8))
    assert not term.is_lost(120.0)
    assert term.is_lost(121.0)


@given(st.integers(0, 10_000), st.integers(1, 1000), st.integers(0, 10_000), st.floats(0, 1))
def test_a_waiter_asks_again_well_before_its_place_is_over(place, permits, looks, chance) -> None:
    pause_s = look_again_s(place, permits, looks, chance)
    assert 0 < pause_s <= OTHERS_AT_MOST_S < PLACE_S / 5


@given(
    st.floats(0.5, 100),
    st.floats(1, 20),
    st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 1)), max_size=60),
)
def test_a_rate_gives_what_a_bucket_that_is_filled_drop_by_drop_gives(rate_per_s, burst, asked) -> None:
    full_at_s, level, now_s = 0.0, burst, 1000.0
    for pause_s, cost in asked:
        now_s += pause_s
        level = min(burst, level + pause_s * rate_per_s)
        full_at_s, wait_s = spend(full_at_s, rate_per_s=rate_per_s, burst=burst, cost=cost, now_s=now_s)
        if wait_s == 0:
            level -= cost
            assert level >= -1e-3 * burst
        else:
            assert wait_s == pytest.approx((cost - level) / rate_per_s, abs=1e-5)
            _, then_s = spend(full_at_s, rate_per_s=rate_per_s, burst=burst, cost=cost, now_s=now_s + wait_s)
            assert then_s == 0


def test_a_clock_put_back_holds_nobody_up_for_longer_than_an_empty_bucket() -> None:
    full_at_s, wait_s = spend(0.0, rate_per_s=2, burst=4, cost=4, now_s=1e9)
    assert wait_s == 0
    _, wait_s = spend(full_at_s, rate_per_s=2, burst=4, cost=1, now_s=5e8)
    assert 0 < wait_s <= 2


@pytest.mark.parametrize("server", ["lease_postgres", "lease_valkey"])
def test_a_server_takes_the_same_steps_as_the_table(request, leases, server) -> None:
    url = request.getfixturevalue(server)
    kind = "valkey" if server == "lease_valkey" else "postgresql"
    with leases.Backend(kind, url).open(timeout_s=10.0) as store:
        names = map("model {}".format, itertools.count(time.time_ns()))

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(STEPS)
        def compare(steps) -> None:
            name, table, now_s = next(names), LeaseTable(), 0.0
            tokens: dict[int, int] = {}
            for step, holder, permits in steps:
                # `brief` is granted or lined up for a millisecond, and over before anything else; else nothing runs out.
                is_brief = step == "brief"
                duration_s = 0.001 if is_brief else 1000.0
                if step == "renew":
                    claim = Claim(name, holder, permits, 1000.0)
                    assert store.renew(claim) is table.renew(holder, 1000.0, now_s)
                elif step == "leave":
                    assert store.leave(Claim(name, holder, permits, 1000.0)) is table.leave(holder, now_s)
                else:
                    claim = Claim(name, holder, permits, duration_s, step != "try", duration_s)
                    theirs, ours = store.ask(claim), table.ask(claim, now_s)
                    if isinstance(ours, Refused):
                        assert theirs == ours
                    else:
                        assert isinstance(theirs, Granted)
                        assert theirs.slot == ours.slot
                        assert tokens.setdefault(ours.token, theirs.token) == theirs.token
                if is_brief:
                    time.sleep(0.003)
                    now_s += 0.003
            assert [tokens[token] for token in sorted(tokens)] == sorted(tokens.values())

        compare()
