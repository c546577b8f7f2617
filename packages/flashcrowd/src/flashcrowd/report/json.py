"""A result as JSON, and read back. The fields are those of `flashcrowd.result`, with `version` and `kind` before them.

A later version of Flashcrowd may add fields; readers leave out what they do not know. `version` rises when a field changes
its meaning or goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from flashcrowd.errors import BadInput
from flashcrowd.result import LimitResult, RunResult

VERSION = 1


class Head(msgspec.Struct, frozen=True):
    """What is read first, to know how to read the rest."""

    version: int
    kind: Literal["run", "limit"]


def written(result: RunResult | LimitResult) -> str:
    """The result as JSON text, indented, with a newline at its end."""
    kind = "run" if isinstance(result, RunResult) else "limit"
    document = {"version": VERSION, "kind": kind, **msgspec.to_builtins(result)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def parsed(text: str | bytes, source: str) -> RunResult | LimitResult:
    """The result that `written` made `text` of.

    Raises `BadInput`, which names `source`, the field, and what was expected there.
    """
    try:
        head = msgspec.json.decode(text, type=Head)
        if head.version != VERSION:
            raise BadInput(source, f"is version {head.version} of the format; this Flashcrowd reads version {VERSION}")
        if head.kind == "run":
            return msgspec.json.decode(text, type=RunResult)
        return msgspec.json.decode(text, type=LimitResult)
    except msgspec.ValidationError as error:
        raise BadInput(source, f"is no result of Flashcrowd: {_place(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(source, f"is no JSON: {error}") from None


def read(path: Path) -> RunResult | LimitResult:
    """The result in the file `path`. Raises `BadInput` as `parsed` does, and where the file can't be read."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadInput(str(path), f"can't be read: {error.strerror}; expected a file written by --json") from None
    return parsed(text, str(path))


def _place(message: str) -> str:
    """``Expected `float`, got `str` - at `$.a.b` `` with the place first: ``a.b: expected `float`, got `str` ``."""
    what, at, place = message.partition(" - at `$")
    what = what[:1].lower() + what[1:]
    return f"{place.rstrip('`').removeprefix('.')}: {what}" if at else what
