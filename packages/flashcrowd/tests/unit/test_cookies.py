from __future__ import annotations

import pytest

from flashcrowd.engine.cookies import MOST_COOKIES, Cookies


def cookies(*headers: str, path: str = "/") -> Cookies:
    found = Cookies()
    for header in headers:
        found.take(header, path)
    return found


def test_a_cookie_comes_back_as_it_was_set() -> None:
    found = cookies("session=a=b; Path=/; HttpOnly; SameSite=Lax", "theme=dark; path=/")
    assert found.header("/x", secure=False) == "session=a=b; theme=dark"
    assert found.values() == {"session": "a=b", "theme": "dark"}


def test_the_last_value_of_a_name_counts() -> None:
    assert cookies("a=1; Path=/", "a=2; Path=/").header("/", secure=False) == "a=2"


@pytest.mark.parametrize(
    "gone", ["a=; Max-Age=0; Path=/", "a=x; Max-Age=-1; Path=/", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"]
)
def test_a_cookie_that_has_expired_is_dropped(gone: str) -> None:
    assert cookies("a=1; Path=/", gone).header("/", secure=False) == ""


def test_max_age_goes_before_expires() -> None:
    kept = cookies("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60; Path=/")
    assert kept.header("/", secure=False) == "a=1"


def test_a_path_is_a_folder_not_a_beginning() -> None:
    found = cookies("a=1; Path=/shop")
    assert found.header("/shop", secure=False) == "a=1"
    assert found.header("/shop/cart?x=/", secure=False) == "a=1"
    assert found.header("/shopping", secure=False) == ""
    assert found.header("/", secure=False) == ""


def test_without_a_path_it_belongs_to_the_folder_of_the_request() -> None:
    found = cookies("a=1", path="/shop/cart?x=1")
    assert found.header("/shop/other", secure=False) == "a=1"
    assert found.header("/else", secure=False) == ""


def test_the_longer_path_goes_first() -> None:
    assert cookies("a=1; Path=/", "a=2; Path=/shop").header("/shop", secure=False) == "a=2; a=1"


def test_a_secure_cookie_stays_with_tls() -> None:
    found = cookies("a=1; Secure; Path=/")
    assert found.header("/", secure=True) == "a=1"
    assert found.header("/", secure=False) == ""


@pytest.mark.parametrize("header", ["", "nothing", "=x", "; Path=/"])
def test_what_is_no_cookie_is_left_out(header: str) -> None:
    assert cookies(header).header("/", secure=True) == ""


def test_a_server_cannot_fill_the_memory() -> None:
    found = cookies(*(f"c{number}=1; Path=/" for number in range(MOST_COOKIES + 5)))
    assert len(found.values()) == MOST_COOKIES
    assert "c0" not in found.values()
