"""From bytes on the wire to an `Incoming`: Plausible's event format, whole, with every limit of it.

Keys may be long or short (`name` or `n`), the body is JSON whatever its content type says. Every error names the
field by its long name. What is not known is skipped. An error is `BadInput`, of a body over the limit `TooLarge`.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from turnout.errors import BadInput, TooLarge
from turnout.model.event import ENGAGEMENT, Incoming

MAX_BODY_BYTES = 64 * 1024
MAX_NAME = 120
MAX_URL = 2_000
MAX_DOMAINS = 20
MAX_DOMAIN = 253
MAX_PROPS = 30
MAX_PROP_KEY = 300
MAX_PROP_VALUE = 2_000
MAX_ENGAGED_MS = 24 * 3600 * 1000
MAX_AMOUNT = Decimal(10) ** 14
"""The event store keeps 18 digits, 4 of them behind the point."""

SCROLL_UNKNOWN = 255
"""What Plausible's tracker sends where it could not tell the scroll depth."""


class _Wire(msgspec.Struct):
    """The body as it comes. Raw values are decoded one by one, so that an error can name its field."""

    name: Raw | UnsetType = UNSET
    n: Raw | UnsetType = UNSET
    url: Raw | UnsetType = UNSET
    u: Raw | UnsetType = UNSET
    domain: Raw | UnsetType = UNSET
    d: Raw | UnsetType = UNSET
    referrer: Raw | UnsetType = UNSET
    r: Raw | UnsetType = UNSET
    props: Raw | UnsetType = UNSET
    p: Raw | UnsetType = UNSET
    meta: Raw | UnsetType = UNSET
    m: Raw | UnsetType = UNSET
    revenue: Raw | UnsetType = UNSET
    revenue_short: Raw | UnsetType = msgspec.field(default=UNSET, name="$")
    hashMode: Raw | UnsetType = UNSET  # noqa: N815 - the wire's name
    h: Raw | UnsetType = UNSET
    interactive: Raw | UnsetType = UNSET
    i: Raw | UnsetType = UNSET
    sd: Raw | UnsetType = UNSET
    e: Raw | UnsetType = UNSET


class _Revenue(msgspec.Struct):
    currency: str
    amount: Raw


def decode_plausible(body: bytes) -> Incoming:
    """Read one event. Raises `TooLarge` for a body over 64 KiB and `BadInput` for anything else that is wrong."""
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge("body", f"at most {MAX_BODY_BYTES} bytes, this one has {len(body)}")
    wire = _whole(body)
    name = _name(_first(wire.name, wire.n))
    is_engagement = name == ENGAGEMENT
    amount, currency = _revenue(_first(wire.revenue, wire.revenue_short))
    scroll_depth, engaged_ms = _integer("sd", wire.sd), _integer("e", wire.e)
    if scroll_depth == SCROLL_UNKNOWN:
        scroll_depth = None
    _within("sd", scroll_depth, 100)
    _within("e", engaged_ms, MAX_ENGAGED_MS)
    return Incoming(
        name=name,
        url=_required("url", _first(wire.url, wire.u), MAX_URL),
        domains=_domains(_first(wire.domain, wire.d)),
        referrer=_text("referrer", _first(wire.referrer, wire.r), MAX_URL),
        props=_props(_first(_first(wire.props, wire.p), _first(wire.meta, wire.m))),
        interactive=_flag("interactive", _first(wire.interactive, wire.i), absent=True),
        revenue_amount=None if is_engagement else amount,
        revenue_currency=None if is_engagement else currency,
        scroll_depth=scroll_depth if is_engagement else None,
        engaged_ms=engaged_ms if is_engagement else None,
        hash_mode=_flag("hashMode", _first(wire.hashMode, wire.h), absent=False),
    )


def _whole(body: bytes) -> _Wire:
    try:
        return _WIRE.decode(body)
    except msgspec.ValidationError:
        raise BadInput("body", "must be a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput("body", f"must be JSON in UTF-8: {error}") from None
    except RecursionError:
        raise BadInput("body", "must be JSON that is not nested so deeply") from None


def _first(long: Raw | UnsetType, short: Raw | UnsetType) -> Raw | UnsetType:
    return short if long is UNSET else long


T = TypeVar("T")


def _value(field: str, raw: Raw, decoder: msgspec.json.Decoder[T], expected: str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise BadInput(field, f"must be {expected}") from None


def _text(field: str, raw: Raw | UnsetType, limit: int) -> str:
    if raw is UNSET:
        return ""
    text = _value(field, raw, _TEXT, "a text in UTF-8")
    return "" if text is None else _checked(field, text, limit)


def _checked(field: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise BadInput(field, f"must have at most {limit} characters, this one has {len(text)}")
    if "\0" in text:
        raise BadInput(field, "must not hold a NUL character")
    return text.strip()


def _required(field: str, raw: Raw | UnsetType, limit: int) -> str:
    text = _text(field, raw, limit)
    if not text:
        raise BadInput(field, "is required and must not be blank")
    return text


def _name(raw: Raw | UnsetType) -> str:
    return _required("name", raw, MAX_NAME)


def _domains(raw: Raw | UnsetType) -> tuple[str, ...]:
    text = _required("domain", raw, MAX_DOMAINS * (MAX_DOMAIN + 2)).lower()
    names = list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))
    if not names:
        raise BadInput("domain", "is required and must not be blank")
    if len(names) > MAX_DOMAINS:
        raise BadInput("domain", f"must name at most {MAX_DOMAINS} sites, this one names {len(names)}")
    for name in names:
        if len(name) > MAX_DOMAIN:
            raise BadInput("domain", f"must have at most {MAX_DOMAIN} characters a site")
    return tuple(names)


def _props(raw: Raw | UnsetType) -> dict[str, str]:
    if raw is UNSET:
        return {}
    expected = "an object of texts, numbers and booleans, or such an object as a JSON text"
    found = _value("props", raw, _PROPS, expected)
    if isinstance(found, str):
        if not found:
            return {}
        found = _value("props", Raw(found.encode()), _PROPS_OBJECT, expected)
    if not found:
        return {}
    if len(found) > MAX_PROPS:
        raise BadInput("props", f"must have at most {MAX_PROPS} properties, this one has {len(found)}")
    return {key: text for key, value in found.items() if (text := _prop(key, value))}


def _prop(key: str, raw: Raw) -> str:
    """The property as a text; empty for null and blank ones, which are left out."""
    if len(key) > MAX_PROP_KEY:
        raise BadInput("props", f"keys must have at most {MAX_PROP_KEY} characters, {key[:40]}… has {len(key)}")
    if not key or "\0" in key:
        raise BadInput("props", "keys must not be blank or hold a NUL character")
    field = f"props.{key}"
    value = _value(field, raw, _SCALAR, "a text, a number or a boolean")
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    return _checked(field, value if isinstance(value, str) else bytes(raw).decode().strip(), MAX_PROP_VALUE)


def _revenue(raw: Raw | UnsetType) -> tuple[str | None, str | None]:
    if raw is UNSET:
        return None, None
    found = _value("revenue", raw, _REVENUE, "an object with `currency` and `amount`")
    if found is None:
        return None, None
    currency = found.currency.strip().upper()
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
        raise BadInput("revenue.currency", "must be a currency code of three letters (ISO 4217)")
    return _amount(found.amount), currency


def _amount(raw: Raw) -> str:
    found = _value("revenue.amount", raw, _NUMBER, _AMOUNT_EXPECTED)
    try:
        # A number is read from its own digits: by way of a float 0.1 would not stay 0.1.
        amount = Decimal(found if isinstance(found, str) else bytes(raw).decode().strip())
        if amount.is_finite() and abs(amount) < MAX_AMOUNT:
            return f"{amount.quantize(Decimal('0.0001')):f}"
    except InvalidOperation:
        pass
    raise BadInput("revenue.amount", f"must be {_AMOUNT_EXPECTED}")


def _flag(field: str, raw: Raw | UnsetType, *, absent: bool) -> bool:
    if raw is UNSET:
        return absent
    value = _value(field, raw, _FLAG, "true or false")
    return absent if value is None else bool(value)


def _integer(field: str, raw: Raw | UnsetType) -> int | None:
    return None if raw is UNSET else _value(field, raw, _INTEGER, "a whole number")


def _within(field: str, value: int | None, most: int) -> None:
    if value is not None and not 0 <= value <= most:
        raise BadInput(field, f"must be from 0 to {most}")


_WIRE = msgspec.json.Decoder(_Wire)
_TEXT = msgspec.json.Decoder(str | None)
_PROPS = msgspec.json.Decoder(dict[str, Raw] | str | None)
_PROPS_OBJECT = msgspec.json.Decoder(dict[str, Raw] | None)
_SCALAR = msgspec.json.Decoder(str | int | float | bool | None)
_NUMBER = msgspec.json.Decoder(str | int | float)
_AMOUNT_EXPECTED = "a number of at most 14 digits before the point"
_REVENUE = msgspec.json.Decoder(_Revenue | None)
_FLAG: msgspec.json.Decoder[bool | int | None] = msgspec.json.Decoder(bool | int | None)
_INTEGER = msgspec.json.Decoder(int | None, strict=False)
