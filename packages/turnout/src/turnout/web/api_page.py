"""`/api/docs`: the operations of the API as a page of our own, without scripts, and their description for tools."""

from __future__ import annotations

from typing import Any, NamedTuple

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

from turnout.web.templating import make_environment


class Operation(NamedTuple):
    """One operation as it is listed."""

    method: str
    path: str
    title: str
    text: str


class OperationsPage(OpenAPIRenderPlugin):
    """Lists what programs may ask. Pages for people are not in it."""

    def __init__(self) -> None:
        super().__init__(path="/")
        self._template = make_environment().get_template("api.html")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page."""
        description = self.get_openapi_json_route(request)
        return self._template.render(operations=_operations(openapi_schema), description=description).encode()


def _operations(openapi_schema: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method.upper(), path, said.get("summary", ""), said.get("description", ""))
        for path, methods in openapi_schema["paths"].items()
        if path.startswith("/api/")
        for method, said in methods.items()
    ]
