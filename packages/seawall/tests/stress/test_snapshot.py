"""A snapshot may be taken at any time, whatever is made, used and dropped meanwhile."""

import threading

from seawall import Batcher, Mutex, Semaphore, openmetrics, snapshot


def test_snapshots_are_taken_while_resources_come_and_go() -> None:
    over = threading.Event()
    errors: list[BaseException] = []

    def come_and_go() -> None:
        while not over.is_set():
            made = [Mutex("m"), Semaphore("s", 1), Mutex("m")]
            with made[0], made[1]:
                pass

    def put() -> None:
        batcher = Batcher("b", lambda items: None, max_items=3, capacity=10)
        while not over.is_set():
            batcher.put_sync(1, timeout_s=30)
        batcher.close(30)

    def look() -> None:
        try:
            for _ in range(200):
                assert openmetrics(snapshot()).endswith("# EOF\n")
        except BaseException as error:
            errors.append(error)
        finally:
            over.set()

    threads = [threading.Thread(target=run, daemon=True) for run in (come_and_go, come_and_go, put, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == []
