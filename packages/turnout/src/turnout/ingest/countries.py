"""The country of an address, from the table that ships with the package (see data/NOTICE, tools/country_table.py).

Two sorted arrays of where each run of one country begins, IPv4 as 32 bits and IPv6 by its upper 64, each with one
byte a run; a look-up is one bisection.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from importlib import resources
from ipaddress import IPv4Address, IPv6Address
from typing import Literal


class CountryTable:
    """The table in memory, about 5 MB. Immutable once made; for any thread."""

    __slots__ = ("_codes", "_v4_at", "_v4_code", "_v6_at", "_v6_code")

    def __init__(self, data: bytes) -> None:
        head, _, packed = data.partition(b"\n")
        kind, version, v4_runs, v6_runs, codes = head.decode("ascii").split(" ")
        if (kind, version) != ("turnout-countries", "1"):
            raise ValueError("not a country table of version 1")
        v4_bytes, v6_bytes = int(v4_runs) * 4, int(v6_runs) * 8
        size_bytes = v4_bytes + int(v4_runs) + v6_bytes + int(v6_runs)
        payload = memoryview(zlib.decompress(packed, bufsize=size_bytes))  # kept whole: what follows are views of it
        self._codes = codes.split(",")
        self._v4_at = _numbers("I", payload[:v4_bytes])
        self._v4_code = payload[v4_bytes : v4_bytes + int(v4_runs)]
        rest = payload[v4_bytes + int(v4_runs) :]
        self._v6_at = _numbers("Q", rest[:v6_bytes])
        self._v6_code = rest[v6_bytes:]

    @classmethod
    def shipped(cls) -> CountryTable:
        """The table of the package."""
        return cls(resources.files("turnout.ingest.data").joinpath("countries.bin").read_bytes())

    def country(self, address: IPv4Address | IPv6Address) -> str:
        """The ISO 3166-1 alpha-2 code; empty where it is not known, as for private addresses."""
        if isinstance(address, IPv4Address):
            return self._codes[self._v4_code[bisect_right(self._v4_at, int(address)) - 1]]
        if address.ipv4_mapped is not None:
            return self.country(address.ipv4_mapped)
        return self._codes[self._v6_code[bisect_right(self._v6_at, int(address) >> 64) - 1]]


def _numbers(typecode: Literal["I", "Q"], data: memoryview) -> Sequence[int]:
    if sys.byteorder == "little":
        return data.cast(typecode)
    numbers: array[int] = array(typecode)
    numbers.frombytes(data)
    numbers.byteswap()
    return numbers
