import sys
import threading

import pytest

from seawall.runtime import probe, stacks


@pytest.mark.parametrize("read", [probe.stack_of, probe.futures_waited_for, stacks.stack_of_thread])
def test_a_chain_of_frames_that_leads_to_no_frame_ends_there(read, monkeypatch) -> None:
    monkeypatch.setattr(sys, "_current_frames", lambda: {7: test_a_chain_of_frames_that_leads_to_no_frame_ends_there})
    assert read(7) == ()


def test_a_thread_that_has_ended_has_no_stack() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert probe.stack_of(thread.ident or 0) == ()
