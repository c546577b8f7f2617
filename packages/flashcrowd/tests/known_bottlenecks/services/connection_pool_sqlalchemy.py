"""SQLAlchemy's pool, with fewer connections than there are threads."""

import time

from sqlalchemy import create_engine, text

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import ThreadPool
from seawall.integrations.sqlalchemy import SeawallPool

PLANTED = Planted(kind="connection pool", names=frozenset({"sqlalchemy"}))


def build(sizes: Sizes) -> Application:
    engine = create_engine(
        "sqlite:///:memory:", poolclass=SeawallPool, pool_size=sizes.places, max_overflow=0,
        connect_args={"check_same_thread": False},
    )  # fmt: skip
    handlers, bystanders = ThreadPool("handlers", min_threads=40, max_threads=40), Bystanders()

    def query() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1")).one()
            time.sleep(sizes.hold_s)  # what is done with the rows before the connection goes back

    async def work() -> None:
        await bystanders.use()
        await handlers.run(query)

    return on_seawall(work)
