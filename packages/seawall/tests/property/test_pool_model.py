"""A pool of one thread against a slow, obvious model: a list of what is queued and a list of what was done."""

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall import Overloaded, ThreadPool
from seawall.testing import Held

LIMIT = 4

steps = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("fail"), st.integers(0, 9)),
        st.tuples(st.just("drain"), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps=steps)
def test_what_is_done_refused_and_cancelled_is_what_the_model_says(steps: list[tuple[str, int]]) -> None:
    done: list[int] = []
    with ThreadPool("p", max_threads=1, queue_limit=LIMIT) as pool:

        def fail(number: int) -> None:
            done.append(number)
            raise ValueError(number)

        held = Held(None)
        pool.submit(held)  # keeps the only thread, so that all else queues
        held.wait_begun()
        queued: list[tuple[int, object]] = []
        expected: list[int] = []
        refused = cancelled = 0
        for number, (step, which) in enumerate(steps):
            if step in ("submit", "fail"):
                fn = done.append if step == "submit" else fail
                try:
                    queued.append((number, pool.submit(fn, number)))
                    assert len(queued) <= LIMIT
                except Overloaded:
                    refused += 1
                    assert len(queued) == LIMIT
            elif step == "cancel" and queued:
                _, future = queued.pop(which % len(queued))
                assert future.cancel()
                cancelled += 1
            elif step == "drain":
                held.let_go()
                for queued_number, future in queued:
                    error = future.exception(30)
                    assert error is None or error.args == (queued_number,)
                    expected.append(queued_number)
                queued.clear()
                held = Held(None)
                pool.submit(held)
                held.wait_begun()
            assert pool.statistics().queued == len(queued)
        held.let_go()
        expected += [number for number, _ in queued]
    assert done == expected
    figures = pool.statistics()
    assert (figures.refused_total, figures.cancelled_total) == (refused, cancelled)
