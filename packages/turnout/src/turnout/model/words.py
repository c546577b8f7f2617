"""The words that stand for what is not known of a visit; see docs/decisions/numbers.md."""

from __future__ import annotations

DIRECT = "Direct / None"
NOT_SET = "(not set)"
