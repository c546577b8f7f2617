from __future__ import annotations

import os
from pathlib import Path

import pytest

from flashcrowd.probe.process import LocalProcess

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux tells of processes in /proc")

LISTENS = "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 4711 1 0000 100 0 0 10 0\n"
CONNECTED = LISTENS.replace(" 0A ", " 01 ").replace("4711", "4712")
ME = os.getpid()


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc with our own process, and others that listen on port 8080 with the same socket."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text("  sl  local_address …\n" + CONNECTED + LISTENS)
    for pid in (ME, 1):
        add_process(tmp_path, pid)
    return tmp_path


def add_process(proc: Path, pid: int, *, program: str = "python3.11", socket: int = 4711) -> None:
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "fd" / "7").symlink_to(f"socket:[{socket}]")
    (folder / "exe").symlink_to(f"/usr/bin/{program}")
    (folder / "stat").write_text(f"{pid} (a) name) S " + " ".join(["0"] * 10) + " 150 50 0 0 20 0 3 0 99 0 1000 0\n")
    add_task(folder, pid, ready_ns=1_000_000_000)


def add_task(folder: Path, tid: int, ready_ns: int) -> None:
    (folder / "task" / str(tid)).mkdir(parents=True, exist_ok=True)
    (folder / "task" / str(tid) / "schedstat").write_text(f"123 {ready_ns} 4\n")


def test_the_process_that_listens_is_read_and_never_our_own(proc: Path) -> None:
    process = LocalProcess(8080, proc=proc)
    found = process.read()
    assert process.is_there
    assert found.cpu_s_total == pytest.approx(200 / os.sysconf("SC_CLK_TCK"))
    assert (found.threads, found.cores) == (3, 1)
    assert found.rss_bytes == 1000 * os.sysconf("SC_PAGE_SIZE")


def test_where_nobody_listens_there_is_nothing(proc: Path) -> None:
    process = LocalProcess(9090, proc=proc)
    assert not process.is_there
    assert process.read().cpu_s_total is None


def test_a_system_without_proc_tells_nothing(tmp_path: Path) -> None:
    assert not LocalProcess(8080, proc=tmp_path / "nothing").is_there


def test_the_wait_of_a_thread_that_has_ended_stays_counted(proc: Path) -> None:
    process = LocalProcess(8080, proc=proc)
    first = process.read().ready_s_total
    add_task(proc / "1", 77, ready_ns=500_000_000)
    second = process.read().ready_s_total
    (proc / "1" / "task" / "77" / "schedstat").unlink()
    assert (first, second, process.read().ready_s_total) == (1.0, 1.5, 1.5)


def test_several_workers_are_one_target_with_a_core_each(proc: Path) -> None:
    add_process(proc, 2)
    found = LocalProcess(8080, proc=proc).read()
    assert found.threads == 6
    assert found.cores == min(2, len(os.sched_getaffinity(1)))


@pytest.mark.parametrize("program", ["nginx", "python3.14t", "java"])
def test_what_has_no_interpreters_lock_may_use_all_cores(proc: Path, program: str) -> None:
    (proc / "1" / "exe").unlink()
    (proc / "1" / "exe").symlink_to(f"/usr/bin/{program}")
    assert LocalProcess(8080, proc=proc).read().cores == len(os.sched_getaffinity(1))


def test_a_process_that_has_ended_is_read_as_nothing(proc: Path) -> None:
    process = LocalProcess(8080, proc=proc)
    (proc / "1" / "stat").unlink()
    assert process.read().cpu_s_total is None
