from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall import Misuse
from seawall.core.room_ticket import RoomTicket, Signer

KEY, OTHER = b"k" * 32, b"o" * 32
SMALL, LARGE = st.integers(0, 2**32 - 1), st.integers(0, 2**63)
TICKETS = st.builds(
    RoomTicket, st.sampled_from(["ticket", "pass"]), LARGE, SMALL, SMALL, SMALL, SMALL, SMALL,
    st.integers(0, 10**10).map(lambda ms: ms / 1000),
)  # fmt: skip
TICKET = RoomTicket("ticket", 1, 2, 3, 4, 5, 6, 7.0)


@given(TICKETS)
def test_what_was_written_is_read_and_is_short(ticket) -> None:
    text = Signer([KEY], "page").write(ticket)
    assert len(text) < 100
    assert Signer([OTHER, KEY], "page").read(text, 0.0, 60.0, 60.0) == ticket


@given(TICKETS, st.integers(0, 63), st.integers(1, 255))
def test_a_ticket_with_one_byte_changed_is_none_of_ours(ticket, at, change) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    signer = Signer([KEY], "page")
    raw = bytearray(urlsafe_b64decode(signer.write(ticket) + "=="))
    raw[at % len(raw)] ^= change
    forged = urlsafe_b64encode(raw).rstrip(b"=").decode()
    assert signer.read(forged, 0.0, 60.0, 60.0) in ("malformed", "forged", "foreign")


@given(st.text(max_size=400))
def test_any_other_text_is_malformed(text) -> None:
    assert Signer([KEY], "page").read(text, 0.0, 60.0, 60.0) == "malformed"


def test_a_ticket_of_another_workload_or_another_key_is_refused_by_name() -> None:
    text = Signer([KEY], "page").write(TICKET)
    assert Signer([KEY], "export").read(text, 0.0, 60.0, 60.0) == "foreign"
    assert Signer([OTHER], "page").read(text, 0.0, 60.0, 60.0) == "forged"


def test_workloads_whose_short_names_collide_do_not_take_each_others_tickets() -> None:
    seen: dict[bytes, str] = {}
    for number in range(1_000_000):
        short = sha256(str(number).encode()).digest()[:4]
        if short in seen:
            break
        seen[short] = str(number)
    text = Signer([KEY], seen[short]).write(TICKET)
    assert Signer([KEY], seen[short]).read(text, 0.0, 60.0, 60.0) == TICKET
    assert Signer([KEY], str(number)).read(text, 0.0, 60.0, 60.0) == "forged"


def test_a_ticket_lapses_when_its_holder_is_away_and_a_pass_when_its_time_is_over() -> None:
    signer = Signer([KEY], "page")
    ticket = signer.write(RoomTicket("ticket", 1, 2, 3, 4, 5, issued_s=1000, seen_s=2000.0))
    right = signer.write(RoomTicket("pass", 1, 2, 3, 4, 5, issued_s=1000, seen_s=2000.0))
    assert isinstance(signer.read(ticket, 2600.0, 600.0, 1.0), RoomTicket)
    assert signer.read(ticket, 2601.0, 600.0, 1.0) == "expired"
    assert isinstance(signer.read(right, 1600.0, 1.0, 600.0), RoomTicket)
    assert signer.read(right, 1601.0, 1.0, 600.0) == "expired"


def test_a_clock_that_goes_back_takes_no_place_away() -> None:
    signer = Signer([KEY], "page")
    assert signer.read(signer.write(TICKET), -1e6, 60.0, 60.0) == TICKET


def test_a_key_that_could_be_guessed_is_misuse() -> None:
    for keys in ([], [b"short"], [KEY, b""]):
        with pytest.raises(Misuse, match="secrets"):
            Signer(keys, "page")
