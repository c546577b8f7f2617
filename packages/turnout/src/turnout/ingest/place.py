"""Where a visitor is: the country from the shipped table; region and city from the operator's own mmdb, if any."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import maxminddb
import msgspec

from turnout.errors import SettingsInvalid
from turnout.ingest.countries import CountryTable


class Place(msgspec.Struct, frozen=True):
    """A place; texts that are not known are empty. `country` ISO 3166-1, `region` ISO 3166-2, `city` in English."""

    country: str = ""
    region: str = ""
    city: str = ""


NOWHERE = Place()


class Places:
    """Looks addresses up. `city_database` is a GeoLite2-City or DB-IP City file; opened now, read by memory map.

    Raises `SettingsInvalid` when it can't be read. For any thread.
    """

    def __init__(self, city_database: Path | None = None) -> None:
        self._countries = CountryTable.shipped()
        self._cities = None if city_database is None else _opened(city_database)

    def of(self, address: str) -> Place:
        """The place of an address; nowhere for what is no address."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return NOWHERE
        found = NOWHERE if self._cities is None else _city(self._cities, parsed)
        return found if found.country else Place(self._countries.country(parsed), found.region, found.city)

    def close(self) -> None:
        """Close the city file."""
        if self._cities is not None:
            self._cities.close()


def _opened(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise SettingsInvalid(f"city_database: {path} is no readable mmdb file: {error}") from error


def _city(reader: maxminddb.Reader, address: IPv4Address | IPv6Address) -> Place:
    try:
        record = reader.get(address)
    except ValueError:
        return NOWHERE  # an IPv6 address in an IPv4-only file
    country = _text(record, "country", "iso_code")
    subdivisions = record.get("subdivisions") if isinstance(record, dict) else None
    first = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else None
    code = _text(first, "iso_code")
    return Place(country, f"{country}-{code}" if country and code else "", _text(record, "city", "names", "en"))


def _text(record: object, *path: str) -> str:
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record if isinstance(record, str) else ""
