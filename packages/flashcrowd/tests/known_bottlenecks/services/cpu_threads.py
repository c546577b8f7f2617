"""Threads enough, and all of them compute in Python."""

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.compute import compute
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import ThreadPool

PLANTED = Planted(kind="cpu")


def build(sizes: Sizes) -> Application:
    render, bystanders = ThreadPool("render", min_threads=4, max_threads=16), Bystanders()

    async def work() -> None:
        await bystanders.use()
        await render.run(compute, 1 / sizes.capacity_per_s)

    return on_seawall(work)
