"""A small server for test_drain_and_shutdown.py: `python draining_server.py JOURNAL [DRAIN_S]`.

A line `put WORD` is answered with `ok` when the word is taken. `slow WORD` is answered with `begun`, and with `ok` after
`go` has come on another connection. With DRAIN_S it ends in order at SIGTERM; without, as a process does that was not
told what to do.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from seawall import Batcher, DeadlineExceeded, Fixed, Gate, Overloaded, Workload


class Server:
    """Takes words over TCP, and keeps them in a journal."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal.open("a", encoding="utf-8")
        self.gate = Gate("web", Fixed(10), [Workload("word")])
        self.may_go = asyncio.Event()

    async def keep(self, word: str) -> None:
        self.journal.write(f"{word}\n")  # stays in the buffer, which is written when it is full: fast

    async def run(self) -> None:
        listening = await asyncio.start_server(self.converse, "127.0.0.1", 0)
        print(listening.sockets[0].getsockname()[1], flush=True)
        await self.serve(listening)

    async def serve(self, listening: asyncio.Server) -> None:
        await listening.serve_forever()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := (await reader.readline()).decode().split():
                if line == ["go"]:
                    self.may_go.set()
                    continue
                try:
                    async with self.gate.admit("word"):
                        await self.answer(line[0], line[1], writer)
                except Overloaded as error:
                    writer.write(f"{error.reason}\n".encode())
                await writer.drain()
        finally:
            writer.close()

    async def answer(self, verb: str, word: str, writer: asyncio.StreamWriter) -> None:
        if verb == "slow":
            writer.write(b"begun\n")
            await self.may_go.wait()
        await self.keep(word)
        writer.write(b"ok\n")


class DrainingServer(Server):
    """Acknowledges what is durable; at SIGTERM takes no more, finishes what it has, flushes, and ends."""

    def __init__(self, journal: Path, drain_s: float) -> None:
        super().__init__(journal)
        self.drain_s = drain_s
        self.batches = Batcher("journal", self.commit, max_items=100, capacity=1_000)

    def commit(self, words: list[str]) -> None:
        self.journal.writelines(f"{word}\n" for word in words)
        self.journal.flush()
        os.fsync(self.journal.fileno())

    async def keep(self, word: str) -> None:
        await self.batches.put(word)

    async def serve(self, listening: asyncio.Server) -> None:
        told_to_end = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
        print("serving", flush=True)
        await told_to_end.wait()
        listening.close()  # 1. nobody comes in,
        self.gate.close()  # nor does anything new on the connections that are open
        print("draining", flush=True)
        try:
            await self.gate.drain_async(timeout_s=self.drain_s)  # 2. who is inside gets an answer, within a time
        except DeadlineExceeded:
            print("cut off", flush=True)

    def close(self) -> None:
        self.batches.close(timeout_s=30)  # 3. what was taken is written,
        self.journal.close()  # 4. and what it is written with goes last


if __name__ == "__main__":
    if len(sys.argv) > 2:
        draining = DrainingServer(Path(sys.argv[1]), float(sys.argv[2]))
        asyncio.run(draining.run())
        draining.close()
    else:
        asyncio.run(Server(Path(sys.argv[1])).run())
