"""`turnout serve`: one process from the first line it prints to the last event it stores."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn
import uvloop

from seawall import ThreadPool
from seawall.integrations.anyio import use_pool
from seawall.integrations.asyncio import use_as_default_executor
from turnout.compose import Server, kept_secret
from turnout.control.holding import Holding
from turnout.control.socket import ControlServer
from turnout.errors import AlreadyExists, SettingsInvalid
from turnout.jobs.live import LiveTraffic
from turnout.logs import configure
from turnout.settings import Settings
from turnout.web.edge import Application
from turnout.without import Protection

_LOG = logging.getLogger("turnout")

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the interpreter. With the default of 5 ms, threads that compute make the loop wait ten times
as long for its turn; throughput is the same."""
KEEP_ALIVE_S = 75
"""Longer than proxies keep an idle connection (nginx: 60 s), so that it is never closed under a request on its way."""
GENERATIONS = 50_000, 20, 100
"""How many objects more make a young collection, how many of these an older one, and so on; see `gc.set_threshold`."""
ACCEPTED_A_TURN = 16
"""Connections that are accepted in one turn of the loop; see `listeners`."""
LANE_CONNECTIONS, LANE_KEEP_ALIVE_S = 64, 5
"""Those who check are few, and on the lane a connection that is not used is soon closed."""
DEMO_EMAIL = "demo@turnout.example"
DEMO_SITE = "demo.example"
DEMO_EVENTS = 1_000_000


def serve(settings: Settings, *, demo: bool = False, without: Protection | None = None) -> None:
    """Serves until SIGTERM or SIGINT, then drains; `without` is for the lab.

    Raises `DirectoryHeld`, `SettingsInvalid`, `StoreUnavailable` …
    """
    configure(settings)
    if without is not None:
        _LOG.warning("this server runs without its protection %r, for the lab", without)
    if settings.smtp_url and not settings.public_url:
        _LOG.warning("public_url is not set: links in letters begin with the address that this server listens on")
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    _allow_many_files()
    with Holding(settings.data, purpose=f"turnout serve on {settings.host}:{settings.port}") as holding:
        with contextlib.ExitStack() as stack:
            listening = stack.enter_context(_listening(settings.host, settings.port))
            lane = None
            if settings.health_port:
                lane = stack.enter_context(_listening(settings.host, settings.health_port, option="health_port"))
            host, port = listening.getsockname()[:2]
            holding.tell(f"turnout serve on {host}:{port}")
            uvloop.run(_serve(settings, listening, lane, demo=demo, without=without))


async def _serve(
    settings: Settings,
    listening: socket.socket,
    lane: socket.socket | None,
    *,
    demo: bool,
    without: Protection | None,
) -> None:
    server = Server(settings, without=without)
    use_as_default_executor(server.files)
    with use_pool(server.files):
        await _serve_until_stopped(server, settings, listening, lane, demo=demo)


async def _serve_until_stopped(
    server: Server, settings: Settings, listening: socket.socket, lane: socket.socket | None, *, demo: bool
) -> None:
    server.lag.start()
    background: list[asyncio.Task[None]] = []
    control = ControlServer(settings.data, server.core.commands)
    try:
        await server.load()
        await control.open()
        password = await _demo_account(server, settings.data) if demo else None
        await _greet(server, settings, listening)
        if lane is not None:
            background.append(asyncio.create_task(_serve_health(server, lane), name="health"))
        if password is not None:
            print(f"sign in as {DEMO_EMAIL} with the password {password}", flush=True)
            background.append(asyncio.create_task(_show_demo(server), name="demo"))
        await _serve_http(server, settings, listening)
    finally:
        server.drain()
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        server.lag.stop()
        await control.close()
        with ThreadPool("closing", max_threads=1) as closing:  # of its own: every other one is closed by it
            await closing.run_cleanup(server.close, settings.drain_s)


async def _serve_health(server: Server, lane: socket.socket) -> None:
    """Health checks and metrics, on a port that no crowd comes to; until cancelled."""
    config = _config(server.application.health, LANE_KEEP_ALIVE_S, drain_s=1)
    http = _Uvicorn(config, lane, LANE_CONNECTIONS)
    try:
        await http.serve(listeners(lane))
    except asyncio.CancelledError:
        await http.shutdown()
        raise


async def _serve_http(server: Server, settings: Settings, listening: socket.socket) -> None:
    config = _config(server.application, KEEP_ALIVE_S, drain_s=max(1, int(settings.drain_s)))
    http = _Uvicorn(config, listening, settings.max_connections)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if http.should_exit:
            http.force_exit = True  # a second signal waits for nobody
        server.drain()
        http.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    with few_collections():
        await http.serve(listeners(listening))


@contextlib.contextmanager
def few_collections() -> Iterator[None]:
    """Has Python look for garbage seldom, and not among what is there from the start.

    A request that waits outlives the young generation, so that with a crowd inside every collection goes over all of it: a
    fifth of a core at 320 senders, for garbage that hardly a request makes.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GENERATIONS)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _config(application: Application, keep_alive_s: int, *, drain_s: int) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=drain_s,
    )


def listeners(listening: socket.socket) -> list[socket.socket]:
    """The same socket so many times as connections are to be accepted in one turn of the loop.

    uvloop 0.23 takes one a turn from each (its libuv does). A turn in which pages are drawn lasts tens of milliseconds, so
    that a crowd would wait in the system's queue, where no gate sees it, and events among it.
    """
    return [listening.dup() for _ in range(ACCEPTED_A_TURN)]


class _Uvicorn(uvicorn.Server):
    """uvicorn without its own signal handlers, which would end the process by the signal after the drain, and with a bound
    on open connections: above it nothing is accepted, and whoever comes waits in the system's queue."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, max_connections: int) -> None:
        super().__init__(config)
        self._listening = listening  # kept open, so that the system's queue stays while nothing is accepted
        self._max_connections = max_connections

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        count = len(self.server_state.connections)
        if self.servers and count >= self._max_connections:
            for server in self.servers:
                server.close()
            self.servers = []
        elif not self.servers and count < self._max_connections * 0.9:
            loop, backlog = asyncio.get_running_loop(), self.config.backlog
            self.servers = [
                await loop.create_server(self._protocol, sock=one, backlog=backlog)
                for one in listeners(self._listening)
            ]
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Whoever comes now is refused by the system at once."""
        self._listening.close()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _greet(server: Server, settings: Settings, listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    address = settings.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    print(f"Turnout is at {address}", flush=True)
    token = await server.core.accounts.first_account_token()
    if token is not None:
        print(f"first account: {address}/first-account/{token}", flush=True)


async def _demo_account(server: Server, data: Path) -> str:
    """The password of the demo's account, which is made where it is missing."""
    password = kept_secret(data / "demo-password", size_bytes=9)
    with contextlib.suppress(AlreadyExists):
        await server.core.accounts.create_user(DEMO_EMAIL, password, is_operator=True)
    return password


async def _show_demo(server: Server) -> None:
    """Fills the demo's site once, and then lets visitors come. A failure is logged; the server goes on without it."""
    try:
        await _fill_and_visit(server)
    except Exception:  # noqa: BLE001 (logged; it is only the demo)
        _LOG.exception("the demo has ended")


async def _fill_and_visit(server: Server) -> None:
    core = server.core
    if core.directory.find(DEMO_SITE) is None:
        print(f"filling {DEMO_SITE} with a year of visits …", flush=True)
        arguments = {"owner": DEMO_EMAIL, "site": DEMO_SITE, "events": DEMO_EVENTS, "seed": 1}
        print(await core.commands.run("demo", arguments, lambda done: None), flush=True)
    await LiveTraffic(server.pipeline.accept, DEMO_SITE).run()


@contextlib.contextmanager
def _listening(host: str, port: int, option: str = "--port") -> Iterator[socket.socket]:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, UnicodeError) as error:  # a name that can't be one in DNS is an error of its encoding
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SettingsInvalid(f"can't listen on {host}:{port}: {why}. Choose another --host or {option}.") from error
    with listening:
        yield listening


def _allow_many_files() -> None:
    """Each connection is an open file; the usual soft limit of 1,024 is a small crowd."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(65_536, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
