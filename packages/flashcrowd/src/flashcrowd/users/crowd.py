"""A file of users, or a ready-made crowd, by name."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from flashcrowd.errors import BadInput
from flashcrowd.users.user import User

CROWDS = "flashcrowd.crowds"


def load(file_or_name: str) -> tuple[type[User], ...]:
    """The user classes of a Python file, or of a ready-made crowd, that have steps and a weight above 0.

    The file is run. Raises `BadInput` where there is no such file or crowd, where the file can't be run, or holds no user.
    """
    module = _file(Path(file_or_name)) if _is_path(file_or_name) else _ready_made(file_or_name)
    found = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, User) and member.__module__ == module.__name__
    ]
    users = tuple(cls for cls in found if cls.steps and cls.weight > 0)
    if not users:
        raise BadInput(
            file_or_name,
            "holds no users: expected a class from flashcrowd.User with a method marked @step, and a weight above 0",
        )
    return users


def _is_path(text: str) -> bool:
    return text.endswith(".py") or "/" in text or Path(text).is_file()


def _file(path: Path) -> ModuleType:
    if not path.is_file():
        raise BadInput(str(path), "no such file: expected a Python file of users")
    name = f"flashcrowd_users_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadInput(str(path), "expected a Python file, with a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadInput(str(path), f"can't be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _ready_made(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"{CROWDS}.{name}")
    except ModuleNotFoundError as error:
        if error.name not in (CROWDS, f"{CROWDS}.{name}"):
            raise
        raise BadInput(name, f"no such file, and no ready-made crowd of that name. There are: {_names()}") from None


def _names() -> str:
    try:
        package = importlib.import_module(CROWDS)
    except ModuleNotFoundError:
        return "none"
    folders = [Path(folder) for folder in package.__path__]
    return ", ".join(sorted(file.stem for folder in folders for file in folder.glob("[a-z]*.py"))) or "none"
