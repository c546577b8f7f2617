"""Compile Turnout's country table from the two text files of Debian's package `tor-geoipdb` (IPFire Location).

    apt-get download tor-geoipdb && dpkg -x tor-geoipdb_*.deb t
    uv run python tools/country_table.py t/usr/share/tor/geoip t/usr/share/tor/geoip6 \\
        packages/turnout/src/turnout/ingest/data/countries.bin

The format is read, and described, by `turnout/ingest/countries.py`.
"""

from __future__ import annotations

import ipaddress
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator

from turnout.model.countries import NAMES

Range = tuple[int, int, str]

V6_SHIFT = 64
"""Networks smaller than a /64 are one household; they take the country of their /64's first address."""


def read_v4(path: str) -> Iterator[Range]:
    """Lines `first,last,CC` with decimal addresses."""
    for first, last, country in _fields(path):
        yield int(first), int(last), country


def read_v6(path: str) -> Iterator[Range]:
    """Lines `first,last,CC` with IPv6 addresses, cut to their upper 64 bits."""
    for first, last, country in _fields(path):
        low, high = int(ipaddress.IPv6Address(first)), int(ipaddress.IPv6Address(last))
        yield low >> V6_SHIFT, high >> V6_SHIFT, country


def _fields(path: str) -> Iterator[list[str]]:
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if not line.startswith("#"):
                yield line.strip().split(",")


def starts(ranges: Iterable[Range]) -> tuple[list[int], list[str]]:
    """Where each run of one country begins; equal neighbours are joined, gaps and codes of no country are ""."""
    at: list[int] = []
    countries: list[str] = []

    def begin(start: int, country: str) -> None:
        if at and at[-1] == start:
            at.pop()
            countries.pop()
        if (countries[-1] if countries else "") != country:
            at.append(start)
            countries.append(country)

    following = 0
    for first, last, country in sorted(ranges):
        first = max(first, following)
        if last < first:
            continue
        if first > following:
            begin(following, "")
        begin(first, country if country in NAMES else "")
        following = last + 1
    begin(following, "")
    return at, countries


def main(v4_path: str, v6_path: str, out_path: str) -> None:
    """Write the table."""
    v4_at, v4_countries = starts(read_v4(v4_path))
    v6_at, v6_countries = starts(read_v6(v6_path))
    codes = ["", *sorted({*v4_countries, *v6_countries} - {""})]
    number = {code: i for i, code in enumerate(codes)}
    payload = b"".join(
        (
            _little(array("I", v4_at)),
            bytes(number[c] for c in v4_countries),
            _little(array("Q", v6_at)),
            bytes(number[c] for c in v6_countries),
        )
    )
    head = f"turnout-countries 1 {len(v4_at)} {len(v6_at)} {','.join(codes)}\n".encode("ascii")
    with open(out_path, "wb") as out:
        out.write(head + zlib.compress(payload, 9))
    print(f"{len(v4_at)} IPv4 and {len(v6_at)} IPv6 runs, {len(codes) - 1} countries")


def _little(numbers: array[int]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


if __name__ == "__main__":
    main(*sys.argv[1:4])
