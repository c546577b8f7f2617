"""Logs: one line an event on standard error, for people or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from turnout.settings import Settings


def configure(settings: Settings) -> None:
    """Sets up logging for the whole process, the libraries' included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JSONFormatter() if settings.log_format == "json" else _TextFormatter())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    if settings.log_level == "info":  # theirs are of interest when something is wrong
        for name in ("uvicorn", "alembic", "litestar"):
            logging.getLogger(name).setLevel("WARNING")


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


class _JSONFormatter(logging.Formatter):
    """{"at", "level", "logger", "message"} and, where there are such, "exception" and the `data` that `extra` gave."""

    def format(self, record: logging.LogRecord) -> str:
        content: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        content |= getattr(record, "data", {})
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False)
