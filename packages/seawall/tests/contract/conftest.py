"""Every test of this folder runs against every store; those of one kind say which."""

import pytest

KINDS = ("memory", "postgresql", "advisory", "valkey")


@pytest.fixture(params=KINDS)
def backend(request, leases):
    """One kind of store: a `leases.Backend`."""
    servers = {"postgresql": "lease_postgres", "advisory": "lease_postgres", "valkey": "lease_valkey"}
    server = servers.get(request.param)
    return leases.Backend(request.param, request.getfixturevalue(server) if server else "")


@pytest.fixture
def shared(backend):
    """The same, where other processes can reach it."""
    if not backend.is_shared:
        pytest.skip("holds in one process only")
    return backend


@pytest.fixture
def store(backend):
    """An open one. Its time limit is far beyond what a round trip takes, so that a busy machine loses no lease."""
    with backend.open(timeout_s=5.0) as store:
        yield store


@pytest.fixture
def name(request) -> str:
    """A lease of the test's own."""
    return request.node.name[:200].replace("{", "(")
