from __future__ import annotations

import pytest
from litestar import Litestar, get

from turnout.web.scope import PERSON, check_scopes


@get("/open")
async def without_scope() -> str:
    return "numbers"


@get("/closed", opt=PERSON)
async def with_scope() -> str:
    return "numbers"


def test_a_route_that_names_no_scope_keeps_the_application_from_starting() -> None:
    check_scopes(Litestar([with_scope], openapi_config=None))
    with pytest.raises(TypeError, match="names no scope"):
        check_scopes(Litestar([with_scope, without_scope], openapi_config=None))
