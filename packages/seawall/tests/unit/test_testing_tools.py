import asyncio
import textwrap

import pytest

from seawall import ThreadPool
from seawall.testing import Failing, Held, leaves_after, no_more_threads

pytest_plugins = ["pytester"]


def test_a_failing_call_fails_the_calls_it_was_told_to_and_counts_all() -> None:
    rows: list[int] = []
    store = Failing(rows.append, calls={2}, error=OSError("full"))
    store(1)
    with pytest.raises(OSError, match="full"):
        store(2)
    store(3)
    assert (rows, store.count) == ([1, 3], 3)


def test_a_held_call_returns_when_it_is_let_go() -> None:
    with ThreadPool("p", max_threads=1) as pool:
        held = Held("done")
        future = pool.submit(held)
        held.wait_begun()
        held.wait_begun()
        assert not future.done()
        held.let_go()
        assert future.result(30) == "done"


def test_a_task_leaves_after_so_many_turns() -> None:
    async def main() -> None:
        assert await leaves_after(2, asyncio.sleep(0, "done")) == "done"
        assert await leaves_after(2, asyncio.sleep(60)) is None

    asyncio.run(main())


def test_without_threads_a_pool_says_so_and_works_again_afterwards() -> None:
    with ThreadPool("p", max_threads=1) as pool:
        with no_more_threads(), pytest.raises(RuntimeError, match="can't start"):
            pool.submit(abs, -1)
        assert pool.submit(abs, -1).result(30) == 1


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("threading.Thread(target=END.wait, name='mine', daemon=True).start()", "leaked thread mine"),
        ("MUTEX.acquire()", "leaked permit of mutex accounts"),
        ("GATE.admit_sync('page').__enter__()", "leaked permit of gate pages"),
        ("PERMITS.try_acquire()", "leaked permit of semaphore slots"),
        ("CONFIG.read.acquire()", "leaked permit of read-write lock config"),
        ("CONFIG.write.acquire()", "leaked permit of read-write lock config"),
        ("hush(enter_twice)", "deadlock: thread MainThread waits for accounts, held by thread MainThread itself*"),
        ("hush(enter_both)", "seen before, in thread MainThread:"),
        (
            "with ThreadPool('p', max_threads=1, spare_threads=0) as pool: pool.submit(swallow, pool).result()",
            "deadlock: its queued work waits for pool p*",
        ),
        ("with MUTEX, PERMITS: pass", None),
        ("ThreadPool('p', max_threads=1).submit(abs, -1).result()", None),
    ],
)
def test_the_plugin_fails_a_test_that_leaves_something_behind(
    pytester: pytest.Pytester, body: str, complaint: str | None
) -> None:
    grace_s = 0.05 if complaint else 10
    pytester.makeconftest(f"from seawall.testing import pytest_plugin\npytest_plugin.GRACE_S = {grace_s}\n")
    pytester.makepyfile(
        textwrap.dedent(
            f"""
            import threading
            from concurrent.futures import wait
            from seawall import Fixed, Gate, Mutex, Semaphore, ThreadPool, Workload

            from seawall import ReadWriteLock, SeawallError, configure

            configure(level="ordered")
            CONFIG, OTHER = ReadWriteLock("config"), Mutex("other")

            def hush(run):
                try:
                    run()
                except SeawallError:
                    pass

            def enter_twice():
                with MUTEX, MUTEX:
                    pass

            def enter_both():
                with MUTEX, OTHER:
                    pass
                with OTHER, MUTEX:
                    pass

            END, MUTEX, PERMITS = threading.Event(), Mutex("accounts"), Semaphore("slots", 2)
            GATE = Gate("pages", Fixed(2), [Workload("page")])

            def swallow(pool):
                wait([pool.submit(abs, -1)])

            def test_it():
                {body}
            """
        )
    )
    result = pytester.runpytest_subprocess("-p", "seawall.testing.pytest_plugin", "-p", "no:cacheprovider")
    if complaint is None:
        result.assert_outcomes(passed=1)
    else:
        result.assert_outcomes(passed=1, errors=1)
        result.stdout.fnmatch_lines([f"*{complaint}*"])


def test_a_lock_order_that_the_file_lacks_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from seawall import Mutex, configure

        def test_it():
            configure(level="ordered")
            with Mutex("accounts"), Mutex("journal"):
                pass
        """
    )
    options = ["-p", "seawall.testing.pytest_plugin", "-p", "no:cacheprovider", "--lock-order=order.txt"]
    result = pytester.runpytest_subprocess(*options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["lock order not in the file: accounts -> journal"])
    assert pytester.runpytest_subprocess(*options, "--lock-order-write").ret == pytest.ExitCode.OK
    assert (pytester.path / "order.txt").read_text() == "accounts -> journal\n"
    assert pytester.runpytest_subprocess(*options).ret == pytest.ExitCode.OK
