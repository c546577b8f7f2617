"""Letters through a real SMTP server, one that refuses, and none at all."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from serving import free_port

from seawall import Worker
from seawall.testing import ManualClock
from turnout.errors import StoreUnavailable
from turnout.mail import Letter, Outbox

LETTER = Letter(
    to="ada@example.org", subject="Grüße\nBcc: eve@example.org", text="Ein Gruß:\nhttps://stats.example/x\n"
)


class Post:
    """What the server was given; it refuses whoever is in `refused`, for good or for now."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.refused: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.got.append(envelope)
        return "250 OK"


@contextmanager
def serving(post: Post, **options: bool) -> Iterator[str]:
    controller = Controller(post, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


def outbox(folder: Path, url: str) -> Outbox:
    return Outbox(folder, smtp_url=url, sender="turnout@stats.example", clock=ManualClock(time_s=1_800_000_000))


def test_a_letter_arrives_as_it_was_written_and_its_file_is_gone(tmp_path: Path) -> None:
    post = Post()
    with serving(post) as url:
        box = outbox(tmp_path / "outbox", url)
        box.post(LETTER)
        box.send_all()
        box.send_all()
    (envelope,) = post.got
    assert (envelope.mail_from, envelope.rcpt_tos) == ("turnout@stats.example", ["ada@example.org"])
    message = message_from_bytes(envelope.content or b"", policy=default)
    assert message["Subject"] == "Grüße Bcc: eve@example.org"
    assert message["Bcc"] is None
    assert message.get_content().replace("\r\n", "\n") == LETTER.text
    assert list((tmp_path / "outbox").iterdir()) == []


def test_a_letter_waits_while_the_server_is_away(tmp_path: Path) -> None:
    post = Post()
    with serving(post) as url:
        pass
    box = outbox(tmp_path / "outbox", url)
    box.post(LETTER)
    with pytest.raises(OSError):
        box.send_all()
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
    with serving(post) as url:
        outbox(tmp_path / "outbox", url).send_all()
    assert len(post.got) == 1


def test_what_is_refused_for_good_is_put_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    post = Post()
    post.refused["ada@example.org"] = "550 no such person"
    with serving(post) as url:
        box = outbox(tmp_path / "outbox", url)
        box.post(LETTER)
        box.post(Letter(to="bob@example.org", subject="Hello", text="Hello\n"))
        box.send_all()
    assert [envelope.rcpt_tos for envelope in post.got] == [["bob@example.org"]]
    assert [path.suffix for path in (tmp_path / "outbox").iterdir()] == [".refused"]


def test_what_is_refused_for_now_stays(tmp_path: Path) -> None:
    post = Post()
    post.refused["ada@example.org"] = "451 come back later"
    with serving(post) as url:
        box = outbox(tmp_path / "outbox", url)
        box.post(LETTER)
        with pytest.raises(smtplib.SMTPException):
            box.send_all()
    assert [path.suffix for path in (tmp_path / "outbox").iterdir()] == [".eml"]


def test_what_is_refused_for_now_keeps_no_other_letter_back(tmp_path: Path) -> None:
    post = Post()
    post.refused["ada@example.org"] = "452 mailbox full"
    with serving(post) as url:
        box = outbox(tmp_path / "outbox", url)
        for to in ("ada@example.org", "bob@example.org"):
            box.post(Letter(to=to, subject="Hello", text="Hello\n"))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            box.send_all()
    assert [envelope.rcpt_tos for envelope in post.got] == [["bob@example.org"]]
    assert [path.suffix for path in (tmp_path / "outbox").iterdir()] == [".eml"]


def test_an_address_that_the_server_can_not_write_is_put_aside(tmp_path: Path) -> None:
    post = Post()
    with serving(post, enable_SMTPUTF8=False) as url:
        box = outbox(tmp_path / "outbox", url)
        for to in ("jürgen@example.org", "bob@example.org"):
            box.post(Letter(to=to, subject="Hello", text="Hello\n"))
        box.send_all()
    assert [envelope.rcpt_tos for envelope in post.got] == [["bob@example.org"]]
    assert [path.suffix for path in (tmp_path / "outbox").iterdir()] == [".refused"]


def test_a_password_does_not_go_over_a_connection_in_the_clear(tmp_path: Path) -> None:
    post = Post()
    with serving(post) as url:
        box = outbox(tmp_path / "outbox", url.replace("smtp://", "smtp://turnout:secret@"))
        box.post(LETTER)
        with pytest.raises(smtplib.SMTPNotSupportedError, match="not sent in the clear"):
            box.send_all()
    assert post.got == []


def test_without_a_server_letters_stay_for_their_owner_alone(tmp_path: Path) -> None:
    box = outbox(tmp_path / "outbox", "")
    box.post(LETTER)
    box.send_all()
    (path,) = (tmp_path / "outbox").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "outbox").stat().st_mode & 0o777 == 0o700


def test_a_letter_that_can_not_be_kept_says_so(tmp_path: Path) -> None:
    box = outbox(tmp_path / "outbox", "")
    (tmp_path / "outbox").rmdir()
    with pytest.raises(StoreUnavailable, match="outbox"):
        box.post(LETTER)


def test_the_worker_sends_what_is_posted_and_ends_when_told(tmp_path: Path) -> None:
    post = Post()
    with serving(post) as url:
        box = outbox(tmp_path / "outbox", url)
        worker = Worker("mail", box.run)
        worker.start()
        box.post(LETTER)
        while not post.got:
            worker.wake()
        worker.stop(10)
    assert len(post.got) == 1
