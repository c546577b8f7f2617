from __future__ import annotations

import pytest

from flashcrowd.engine.target import Origin, parse
from flashcrowd.errors import BadInput, FlashcrowdError


def test_an_address_has_an_origin_and_a_base() -> None:
    target = parse("https://Example.org/app/")
    assert target.origin == Origin("https", "example.org", 443)
    assert target.origin.authority == "example.org"
    assert target.path("/x?y=1") == "/app/x?y=1"


def test_a_port_and_ipv6_are_named_in_the_host_header() -> None:
    assert parse("http://[::1]:8000").origin.authority == "[::1]:8000"


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://x", "http://", "http://x/?a=1", "http://x:port", "http://x:99999"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="URL: expected an address"):
        parse(url)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a b", "/a%20b"),
        ("/é", "/%C3%A9"),
        ("/x#part", "/x"),
        ("/x\r\nHost: other", "/x%0D%0AHost:%20other"),
        ("/x?a=%20&b='\"<>", "/x?a=%20&b='\"<>"),
        ("/", "/"),
    ],
)
def test_a_path_is_made_fit_to_be_sent(path: str, sent: str) -> None:
    assert parse("http://x").path(path) == sent


@pytest.mark.parametrize("path", ["", "x", "http://other/x"])
def test_a_path_begins_with_a_slash(path: str) -> None:
    with pytest.raises(FlashcrowdError, match="begins with a slash"):
        parse("http://x").path(path)


def test_redirects_stay_on_the_host() -> None:
    target = parse("http://x:8000/app")
    here = target.origin
    assert target.redirect(here, "/app/a/b", "../c") == (here, "/app/c")
    assert target.redirect(here, "/", "/d?e=f") == (here, "/d?e=f")
    assert target.redirect(here, "/", "https://x/") == (Origin("https", "x", 443), "/")
    assert target.redirect(here, "/", "https://sign-in.example/") is None
    assert target.redirect(here, "/", "//other/") is None
    assert target.redirect(here, "/", "mailto:a@b") is None
