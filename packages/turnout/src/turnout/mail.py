"""Outgoing mail. A letter is first a file in the data directory's `outbox`, so that none is lost; a worker sends them.

Without an SMTP server set the files stay there, for the operator to pass on.
"""

from __future__ import annotations

import logging
import os
import secrets
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from seawall import Stop
from seawall.clock import Clock
from turnout.errors import StoreUnavailable

LOOK_S = 30.0
SEND_S = 30.0
LONGEST_WAIT_S = 900.0
MOST_LETTERS = 10_000

_LOG = logging.getLogger("turnout.mail")


class Letter(msgspec.Struct, frozen=True):
    """One letter in plain text."""

    to: str
    subject: str
    text: str


class Outbox:
    """Letters on their way. `post` is called from threads, `run` is the body of one worker."""

    def __init__(self, folder: Path, *, smtp_url: str, sender: str, clock: Clock) -> None:
        """`smtp_url`: `smtp://[user:password@]host[:port]` (STARTTLS) or `smtps://…`; empty: nothing is sent."""
        self._folder = folder
        self._smtp_url = smtp_url
        self._sender = sender
        self._clock = clock
        self._folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def sends(self) -> bool:
        """Whether letters leave by themselves."""
        return bool(self._smtp_url)

    def post(self, letter: Letter) -> None:
        """Puts a letter down, durably. Blocks. Raises `StoreUnavailable` where the disk is full, or the outbox."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = letter.to
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = format_datetime(datetime.fromtimestamp(self._clock.time(), UTC))
        message["Message-ID"] = f"<{secrets.token_hex(16)}@turnout>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        name = f"{int(self._clock.time() * 1000)}-{secrets.token_hex(4)}"
        fresh = self._folder / f"{name}.new"
        try:
            if len(self._letters()) >= MOST_LETTERS:
                raise StoreUnavailable(f"the outbox holds {MOST_LETTERS} letters; send or delete some")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(fresh.with_suffix(".eml"))
        except OSError as error:
            raise StoreUnavailable(f"the letter can't be written to {self._folder}: {error.strerror}") from error

    def run(self, stop: Stop) -> None:
        """Sends what is there until stopped; after a failure waits longer each time."""
        failures = 0
        while not stop.wait(timeout_s=min(LOOK_S * 2**failures, LONGEST_WAIT_S) if failures else 1.0):
            try:
                self.send_all()
                failures = 0
            except (OSError, smtplib.SMTPException) as error:
                failures = min(failures + 1, 10)
                _LOG.warning("mail can't be sent now, and waits in %s: %s", self._folder, error)

    def send_all(self) -> None:
        """Sends every letter once. Blocks. Raises OSError and SMTPException where the server can't be used.

        A letter that the server refuses for good is put aside as `.refused`, and logged. One that it does not take now
        stays, and keeps no other back; the last such error is raised in the end.
        """
        letters = self._letters() if self.sends else []
        if not letters:
            return
        not_now: smtplib.SMTPException | None = None
        with self._connected() as server:
            for path in letters:
                message = BytesParser(policy=SMTP).parsebytes(path.read_bytes())
                try:
                    server.send_message(message)
                except (smtplib.SMTPServerDisconnected, smtplib.SMTPSenderRefused):
                    raise  # it is not this letter that is wrong
                except smtplib.SMTPException as error:
                    if _is_for_good(error):
                        self._refuse(path, error)
                    else:
                        not_now = error
                else:
                    path.unlink()
        if not_now is not None:
            raise not_now

    def _letters(self) -> list[Path]:
        return sorted(self._folder.glob("*.eml"))

    def _refuse(self, path: Path, error: Exception) -> None:
        path.rename(path.with_suffix(".refused"))
        _LOG.warning("the mail server refused %s: %s", path.name, error)

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self._smtp_url)
        host = parts.hostname or ""
        context = ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SEND_S, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or (587 if parts.username else 25), timeout=SEND_S)
        try:
            if parts.scheme == "smtp" and (server.ehlo() and server.has_extn("starttls")):
                server.starttls(context=context)
            elif parts.scheme == "smtp" and parts.username:
                raise smtplib.SMTPNotSupportedError(
                    "the server offers no STARTTLS; the password is not sent in the clear"
                )
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            server.close()
            raise
        return server


def _is_for_good(error: smtplib.SMTPException) -> bool:
    """Whether a letter will not be taken later either. That is so too of an address in letters the server does not know."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, smtplib.SMTPNotSupportedError)
