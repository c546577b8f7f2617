"""Each test of this folder does something to a real server, to the way there, or to a process that holds a lease."""

import pytest


@pytest.fixture(params=["postgresql", "advisory", "valkey"])
def mortal(request, leases):
    """A kind of store and its server: (`leases.Backend`, `mortal_servers.Server`)."""
    server = request.getfixturevalue("mortal_valkey" if request.param == "valkey" else "mortal_postgres")
    return leases.Backend(request.param, server.url()), server


@pytest.fixture
def name(request) -> str:
    """A lease of the test's own."""
    return request.node.name[:200]
