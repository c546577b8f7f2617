"""Locust's users: the same, by its faster client; `PER_USER_S` is the time from a user's request to its next."""

import os

from locust import FastHttpUser, constant, constant_throughput, task

PER_USER_S = float(os.environ.get("PER_USER_S", "0"))


class Visitor(FastHttpUser):
    """Asks, and looks at the answer."""

    wait_time = constant_throughput(1 / PER_USER_S) if PER_USER_S else constant(0)
    connection_timeout = network_timeout = 60.0

    @task
    def look(self) -> None:
        """One request."""
        with self.client.get("/", catch_response=True) as answer:
            if answer.content != b"ok":
                answer.failure("not ok")
