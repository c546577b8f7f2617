"""Where an event happened on its site: the host and the page, from its URL."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

from turnout.errors import BadInput

_NO_PAGES = frozenset({"data", "about", "blob", "file", "javascript"})


def split_url(url: str) -> SplitResult:
    """The URL's parts. Raises `BadInput` unless it is http(s) or an app's scheme, with a host (`app://localhost/x`)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise BadInput("url", "must be a URL") from None
    if not parts.scheme or parts.scheme in _NO_PAGES:
        raise BadInput("url", "must be a whole URL of http, https or an app's scheme (https://example.org/page)")
    if not host:
        raise BadInput("url", "must have a host (https://example.org/page)")
    return parts


def hostname_of(parts: SplitResult) -> str:
    """The host in lower case, without a leading `www.`."""
    return (parts.hostname or "").removeprefix("www.")


def page_of(parts: SplitResult, *, hash_mode: bool) -> str:
    """The path, percent-decoded; with the fragment where the site routes by it."""
    page = _decoded(parts.path).rstrip() or "/"
    return f"{page}#{_decoded(parts.fragment)}" if hash_mode and parts.fragment else page


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    # Broken UTF-8 becomes U+FFFD, as browsers show it; a NUL can't be kept by every store.
    return unquote(text, errors="replace").replace("\0", "\ufffd")
