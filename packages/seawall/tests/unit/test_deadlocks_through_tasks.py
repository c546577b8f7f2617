"""A task that awaits a task, as part of a deadlock; and what is none, though it looks like one."""

import asyncio
import threading

import pytest

from seawall import DeadlineExceeded, Deadlock, Mutex, Semaphore

PATIENCE_S = 20


def run(main) -> None:
    asyncio.run(asyncio.wait_for(main, PATIENCE_S))


async def await_it(task):
    return await task


async def gather_it(task):
    (answer,) = await asyncio.gather(task)
    return answer


async def wait_in_group(coroutine):
    async with asyncio.TaskGroup() as group:
        task = group.create_task(coroutine)
    return task.result()


async def enter(lock) -> str:
    async with lock:
        return "entered"


async def try_to_enter(lock, refused) -> str:
    try:
        return await enter(lock)
    except Deadlock as error:
        refused.append(error)
        return "refused"


@pytest.mark.parametrize("how", [await_it, gather_it, wait_in_group])
@pytest.mark.parametrize("lock", [lambda: Mutex("m"), lambda: Semaphore("m", 1)], ids=["mutex", "semaphore"])
def test_a_task_that_is_awaited_by_the_holder_of_what_it_wants_is_refused(watched, how, lock) -> None:
    async def main() -> None:
        held, refused = lock(), []
        coroutine = try_to_enter(held, refused)
        async with held:
            awaited = coroutine if how is wait_in_group else asyncio.create_task(coroutine, name="inner")
            assert await how(awaited) == "refused"
        (error,) = refused
        assert error.cycle[0].resource == "m"
        assert all("the end of task" in wait.resource for wait in error.cycle[1:])
        assert all(wait.waiter_stack and wait.holder_stacks[0] for wait in error.cycle)
        assert await enter(held) == "entered"

    run(main())


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_through_tasks_that_await_tasks(watched, depth) -> None:
    async def chain(mutex, refused, left: int) -> str:
        if left == 0:
            return await try_to_enter(mutex, refused)
        return await asyncio.create_task(chain(mutex, refused, left - 1), name=f"link {left}")

    async def main() -> None:
        mutex, refused = Mutex("m"), []
        async with mutex:
            assert await chain(mutex, refused, depth) == "refused"
        assert len(refused[0].cycle) == depth + 1

    run(main())


def test_through_a_thread_and_a_task_on_another_loop(watched, planting) -> None:
    # The task holds `a` and awaits one that wants `b`, which a thread holds that wants `a`.
    a, b, both, refused = Mutex("a"), Mutex("b"), threading.Barrier(2), []

    async def main() -> None:
        async with a:
            await asyncio.to_thread(both.wait, PATIENCE_S)
            await asyncio.create_task(try_to_enter(b, refused))

    def in_thread() -> None:
        try:
            with b:
                both.wait(PATIENCE_S)
                with a:
                    pass
        except Deadlock as error:
            refused.append(error)

    planting.run_all([("loop", lambda: asyncio.run(main())), ("thread", in_thread)])
    (error,) = refused
    assert {"a", "b"} < {wait.resource for wait in error.cycle}


def test_two_gathered_are_no_deadlock_while_one_of_them_may_fail(watched) -> None:
    async def fail_soon() -> None:
        await asyncio.sleep(0.02)
        raise ValueError

    async def main() -> None:
        mutex = Mutex("m")
        async with mutex:
            waiter = asyncio.create_task(enter(mutex))
            with pytest.raises(ValueError):
                await asyncio.gather(waiter, asyncio.create_task(fail_soon()))
        assert await waiter == "entered"

    run(main())


def test_a_group_that_is_cancelled_by_one_of_its_tasks_is_no_deadlock(watched) -> None:
    async def fail_soon() -> None:
        await asyncio.sleep(0.02)
        raise ValueError

    async def run_group(mutex: Mutex) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(enter(mutex))
            group.create_task(fail_soon())

    async def main() -> None:
        mutex = Mutex("m")
        async with mutex:
            with pytest.raises(ExceptionGroup):
                await run_group(mutex)
        assert not mutex.locked()

    run(main())


@pytest.mark.parametrize(
    "how",
    [
        lambda task: asyncio.wait([task], timeout=0.02),
        lambda task: asyncio.wait([task, asyncio.create_task(asyncio.sleep(0.02))], return_when="FIRST_COMPLETED"),
        lambda task: asyncio.wait_for(asyncio.shield(task), 0.02),
    ],
    ids=["wait with a limit", "wait for the first", "shield"],
)
def test_who_may_go_on_without_the_task_is_not_stuck(watched, how) -> None:
    async def main() -> None:
        mutex = Mutex("m")
        async with mutex:
            waiter = asyncio.create_task(enter(mutex))
            try:
                await how(waiter)
            except TimeoutError:
                pass
        assert await waiter == "entered"

    run(main())


def test_awaiting_a_task_that_waits_for_somebody_who_runs_is_no_deadlock(watched) -> None:
    async def main() -> None:
        mine, theirs, go_on = Mutex("mine"), Mutex("theirs"), asyncio.Event()

        async def hold() -> None:
            async with theirs:
                await go_on.wait()

        holder = asyncio.create_task(hold())
        await asyncio.sleep(0)
        async with mine:
            waiter = asyncio.create_task(enter(theirs))
            asyncio.get_running_loop().call_later(0.02, go_on.set)
            assert await waiter == "entered"
        await holder

    run(main())


def test_one_that_began_to_wait_before_it_was_awaited_is_ended_by_its_limit_alone(watched) -> None:
    async def main() -> None:
        mutex = Mutex("m")

        async def late() -> None:
            with pytest.raises(DeadlineExceeded):
                await mutex.acquire_async(timeout_s=0.05)

        async with mutex:
            waiter = asyncio.create_task(late())
            await asyncio.sleep(0)
            await waiter  # it looked before this, and nothing looks now: its limit ends it

    run(main())
