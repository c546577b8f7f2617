from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

from turnout.model.access import GUEST_RIGHTS, RIGHTS, ROLES, Right, may_manage

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "roles.md"


def test_the_reference_page_tells_what_each_role_may_do() -> None:
    columns = [*(RIGHTS[role] for role in ROLES), GUEST_RIGHTS["editor"], GUEST_RIGHTS["viewer"]]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \|(.*)\|$", PAGE.read_text(), re.MULTILINE))
    assert set(rows) == set(get_args(Right))
    for right, cells in rows.items():
        assert [cell.strip() == "✓" for cell in cells.split("|")] == [right in column for column in columns], right


def test_each_role_may_all_that_the_next_lower_may() -> None:
    for higher, lower in pairwise(ROLES):
        assert RIGHTS[lower] < RIGHTS[higher]


def test_owners_deal_with_all_and_admins_with_all_but_owners() -> None:
    managed = {own: {other for other in ROLES if may_manage(own, other)} for own in ROLES}
    assert managed == {"owner": set(ROLES), "admin": set(ROLES) - {"owner"}, "editor": set(), "viewer": set()}
