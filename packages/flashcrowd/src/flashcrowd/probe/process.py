"""The process that listens on a port of this machine, as Linux tells of it. Elsewhere there is nothing to read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from flashcrowd.samples import Process

PROC = Path("/proc")
_LISTENS = "0A"


class LocalProcess:
    """The processes that listen on `port`, as one; our own is never among them.

    Reading them is a few files of /proc: some 50 µs, and as much again for each of their threads.
    """

    def __init__(self, port: int, *, proc: Path = PROC) -> None:
        self._proc = proc
        self._pids = tuple(_listening(port, proc))
        self._tick_s = 1 / os.sysconf("SC_CLK_TCK") if self._pids else 1.0
        self._ready_s: dict[Path, float] = {}  # of each thread, at the last look
        self._ready_s_total = 0.0
        self._cores = self._allowed() if self._pids else None

    @property
    def is_there(self) -> bool:
        """True where such a process was found, and may be looked at."""
        return bool(self._pids)

    def read(self) -> Process:
        """How it stands; nothing in it where it has ended. Blocks for no longer than the files take."""
        cpu_s = rss = threads = 0.0
        ready_s: dict[Path, float] = {}
        for pid in self._pids:
            folder = self._proc / str(pid)
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                tasks = [*folder.joinpath("task").iterdir()]
            except OSError:
                return Process()
            cpu_s += (int(fields[11]) + int(fields[12])) * self._tick_s
            threads += int(fields[17])
            rss += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
            ready_s.update((task, _ready_s(task)) for task in tasks)
        if not self._pids:
            return Process()
        # A thread that ends takes its figure along; what it came to before stays counted.
        self._ready_s_total += sum(max(0.0, now_s - self._ready_s.get(task, 0.0)) for task, now_s in ready_s.items())
        self._ready_s = ready_s
        return Process(
            cpu_s_total=cpu_s, ready_s_total=self._ready_s_total, cores=self._cores, rss_bytes=rss, threads=threads
        )

    def _allowed(self) -> float | None:
        try:
            allowed = len(os.sched_getaffinity(self._pids[0]))
        except OSError:
            return None
        one_each = all(map(self._is_python, self._pids))
        return float(min(allowed, len(self._pids)) if one_each else allowed)

    def _is_python(self, pid: int) -> bool:
        """With its interpreter's lock, unless it is a build without (its name ends in `t`: python3.14t)."""
        try:
            name = (self._proc / str(pid) / "exe").resolve().name
        except OSError:
            return False
        return name.startswith("python") and not name.endswith("t")


def _listening(port: int, proc: Path) -> Iterator[int]:
    sockets = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(port, proc / "net" / table)}
    if not sockets:
        return
    for folder in proc.iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid() and _has_one_of(sockets, folder / "fd"):
            yield int(folder.name)


def _inodes(port: int, table: Path) -> Iterator[str]:
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        fields = line.split()
        if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]


def _has_one_of(sockets: Iterable[str], folder: Path) -> bool:
    try:
        return any(os.readlink(descriptor) in sockets for descriptor in folder.iterdir())
    except OSError:
        return False


def _ready_s(task: Path) -> float:
    try:
        return int((task / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
