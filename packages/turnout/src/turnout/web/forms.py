"""What a form holds."""

from __future__ import annotations

from litestar import Request
from litestar.datastructures import FormMultiDict, State

PageRequest = Request[object, object, State]


class Fields:
    """The texts of a form that was sent. A field that is missing, or a file, is an empty text."""

    def __init__(self, form: FormMultiDict) -> None:
        self._form = form

    def __getitem__(self, name: str) -> str:
        value = self._form.get(name, "")
        return value if isinstance(value, str) else ""


async def fields(request: PageRequest) -> Fields:
    """The form in a request's body."""
    return Fields(await request.form())
