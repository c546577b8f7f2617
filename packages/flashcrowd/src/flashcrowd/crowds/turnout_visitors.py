"""Visitors of a site that Turnout counts, and nobody who looks at the numbers: `flashcrowd run turnout_visitors URL`.

`--data site=DOMAIN` says which site, `demo.example` where it is not given. No account is needed.
"""

from __future__ import annotations

from flashcrowd.crowds import turnout


class Visitor(turnout.Visitor):
    """As in the crowd `turnout`."""
