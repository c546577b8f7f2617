import sys

import pytest


@pytest.fixture(autouse=True)
def threads_that_change_places_often():
    """Have threads interrupt each other hundreds of times as often as usual, so that races get their chance."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(0.00001)
    yield
    sys.setswitchinterval(usual_s)
