"""Whatever is put, in whatever groups, is flushed once, in order, in batches that are not too large."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall import Batcher


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(st.lists(st.integers(0, 9), max_size=7), max_size=30),
    max_items=st.integers(1, 5),
    bad=st.integers(0, 9),
)
def test_each_group_learns_how_its_own_batch_went(groups: list[list[int]], max_items: int, bad: int) -> None:
    batches: list[list[int]] = []

    def flush(items: list[int]) -> None:
        batches.append(items)
        if bad in items:
            raise ValueError(bad)

    batcher = Batcher("b", flush, max_items=max_items, capacity=8)

    async def main() -> list[object]:
        return await asyncio.gather(*[batcher.put_many(group) for group in groups], return_exceptions=True)

    outcomes = asyncio.run(main())
    batcher.close(10)
    assert sorted(item for batch in batches for item in batch) == sorted(item for group in groups for item in group)
    assert all(0 < len(batch) <= max_items for batch in batches)
    for group, outcome in zip(groups, outcomes, strict=True):
        if bad in group:
            assert isinstance(outcome, ValueError)
    if not any(bad in group for group in groups):
        assert outcomes == [None] * len(groups)
        if all(len(group) <= max_items for group in groups):  # larger ones interleave with their neighbours
            assert [i for batch in batches for i in batch] == [i for group in groups for i in group]
