"""The cache against a slow, obvious model: a list of values with their ages, the last one asked for at the end."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall import Cache
from seawall.testing import ManualClock

FRESH_S, STALE_S, MAX_ITEMS = 10, 20, 3


class Model:
    def __init__(self) -> None:
        self.kept: list[tuple[int, int, float]] = []  # key, value, age

    def get(self, key: int, next_value: int, fails: bool) -> int | None:
        """What the caller gets; None for the error."""
        found = next((k for k in self.kept if k[0] == key), None)
        if found is not None and found[2] < FRESH_S + STALE_S:
            self.kept.remove(found)
            is_renewed = found[2] >= FRESH_S and not fails
            self.kept.append((key, next_value, 0.0) if is_renewed else found)
            return found[1]
        if fails:
            return None
        self.kept = [k for k in self.kept if k[0] != key]
        self.kept.append((key, next_value, 0.0))
        self.kept = self.kept[-MAX_ITEMS:]
        return next_value


steps = st.lists(
    st.one_of(
        st.tuples(st.just("get"), st.integers(0, 4), st.booleans()),
        st.tuples(st.just("pass"), st.sampled_from([1, 9, 10, 15, 30]), st.just(False)),
        st.tuples(st.just("forget"), st.integers(0, 4), st.just(False)),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(steps=steps)
def test_every_answer_is_the_models(steps: list[tuple[str, int, bool]]) -> None:
    clock, model = ManualClock(), Model()
    cache = Cache("c", max_items=MAX_ITEMS, fresh_s=FRESH_S, stale_s=STALE_S, clock=clock)

    async def main() -> None:
        for number, (step, detail, fails) in enumerate(steps):
            if step == "pass":
                clock.advance(detail)
                model.kept = [(key, value, age + detail) for key, value, age in model.kept]
            elif step == "forget":
                cache.forget(detail)
                model.kept = [k for k in model.kept if k[0] != detail]
            else:

                async def make(number: int = number, fails: bool = fails) -> int:
                    if fails:
                        raise OSError
                    return number

                try:
                    got: int | None = await cache.get(detail, make)
                except OSError:
                    got = None
                for _ in range(6):
                    await asyncio.sleep(0)  # for the refresh
                assert got == model.get(detail, number, fails)
                assert cache.statistics().items <= MAX_ITEMS

    asyncio.run(main())
