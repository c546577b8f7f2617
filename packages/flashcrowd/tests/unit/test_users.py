from __future__ import annotations

import gzip
from pathlib import Path
from typing import cast

import pytest

from flashcrowd import FlashcrowdError, Response, User, step
from flashcrowd.errors import BadInput
from flashcrowd.users.crowd import load
from flashcrowd.users.user import Session

NOBODY = cast("Session", None)


def test_steps_are_done_in_the_order_in_which_they_are_written() -> None:
    class Visitor(User):
        @step
        async def look(self) -> None: ...

        async def not_a_step(self) -> None: ...

        @step
        async def click(self) -> None: ...

    class Buyer(Visitor):
        @step
        async def buy(self) -> None: ...

        @step
        async def look(self) -> None: ...

    assert Visitor.steps == (Visitor.look, Visitor.click)
    assert Buyer.steps == (Buyer.look, Visitor.click, Buyer.buy)


def test_chance_is_the_users_own_and_the_same_each_time() -> None:
    def drawn(number: int, seed: int) -> float:
        return User(NOBODY, number, seed, {}).random.random()

    assert drawn(1, 1) == drawn(1, 1)
    assert len({drawn(1, 1), drawn(2, 1), drawn(1, 2), drawn(-1, 1)}) == 4


def answer(body: bytes, **headers: str) -> Response:
    response = Response("/")
    response._raw_body = body
    response.raw_headers = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    return response


def test_an_answer_is_read_as_its_headers_say() -> None:
    assert answer(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip").json() == {"a": 1}
    assert answer("é".encode("latin-1"), content_type="text/html; charset=ISO-8859-1").text == "é"
    assert answer("é".encode(), content_type="text/html; charset=unheard-of").text == "é"
    assert answer(b"", X_One="1").header("x-one") == "1"
    assert answer(b"", X_One="1").headers == {"x-one": "1"}


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_an_answer_in_an_encoding_that_cannot_be_read_says_so(encoding: str) -> None:
    with pytest.raises(FlashcrowdError, match=r"not gzip|not asked for"):
        _ = answer(b"plain", content_encoding=encoding).body


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flashcrowd.users.response.LARGEST_BODY_BYTES", 1000)
    with pytest.raises(FlashcrowdError, match="larger than"):
        _ = answer(gzip.compress(b"0" * 5000), content_encoding="gzip").body


@pytest.mark.parametrize(
    "page",
    [
        '<input type="hidden" name="csrf" value="a&amp;b">',
        "<INPUT value='a&amp;b' NAME='csrf'/>",
        '<input name=other value=x><input\n name=csrf\n value="a&#38;b">',
    ],
)
def test_a_hidden_input_is_found_however_it_is_written(page: str) -> None:
    assert answer(f"<form>{page}</form>".encode()).hidden_input("csrf") == "a&b"


def test_a_page_without_the_input_says_so() -> None:
    with pytest.raises(FlashcrowdError, match="no input named 'csrf'"):
        answer(b"<input name=token>").hidden_input("csrf")


GOOD = """
from flashcrowd import User, step
class Visitor(User):
    @step
    async def look(self): await self.get("/")
class Nobody(User):
    weight = 0
    @step
    async def look(self): ...
class Idle(User): ...
"""


def test_a_file_gives_its_users(tmp_path: Path) -> None:
    file = tmp_path / "crowd.py"
    file.write_text(GOOD)
    assert [cls.__name__ for cls in load(str(file))] == ["Visitor"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no users"),
        ("from flashcrowd import User", "holds no users"),
        ("raise ValueError('x')", "can't be run: ValueError: x"),
        ("import no_such_module", "can't be run: ModuleNotFoundError"),
        ("def (", "can't be run: SyntaxError"),
    ],
)
def test_a_file_without_users_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "crowd.py"
    file.write_text(text)
    with pytest.raises(BadInput, match=complaint):
        load(str(file))


def test_what_is_neither_file_nor_name_is_refused() -> None:
    with pytest.raises(BadInput, match="no such file: expected"):
        load("nowhere.py")
    with pytest.raises(BadInput, match="no ready-made crowd of that name"):
        load("nowhere")
