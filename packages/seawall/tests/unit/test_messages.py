"""What the errors say, as somebody reads it in a log at night."""

import re
import threading

import pytest

from seawall import Deadlock, LockOrderViolation, Misuse, Mutex, configure


def test_a_deadlock_has_a_line_for_each_party_followed_by_its_place_and_then_what_to_do(planting) -> None:
    configure(level="watched")
    first, second = Mutex("anna"), Mutex("bert")
    ((_, error),) = planting.plant(["thread", "thread"], [(first, second), (second, first)]).refused
    lines = str(error).splitlines()
    parties = [line for line in lines if " waits for " in line]
    assert lines[0].startswith("deadlock: thread thread ")
    assert len(parties) == 2
    assert all(re.search(r"waits for (anna|bert), held by thread thread \d$", line) for line in parties)
    places = [line for line in lines if line.startswith("  ")]
    assert all("planting.py" in line for line in places)  # and nothing of how a thread begins
    assert len(places) >= 2
    assert lines[-1].startswith("To mend it: take these in one order")


def test_who_waits_for_itself_is_told_that_nothing_is_re_entrant() -> None:
    mutex = Mutex("accounts")
    with mutex, pytest.raises(Deadlock, match="held by thread MainThread itself: nothing here is re-entrant\n  "):
        mutex.acquire()


def test_an_inverted_order_says_which_place_was_first_and_which_is_refused(ordered) -> None:
    sites, sessions = Mutex("sites"), Mutex("sessions")

    def rename() -> None:
        with sites, sessions:
            pass

    thread = threading.Thread(target=rename, name="renamer")
    thread.start()
    thread.join()
    with sessions, pytest.raises(LockOrderViolation) as caught:
        sites.acquire()
    text = str(caught.value)
    assert re.search(r"seen before, in thread renamer:\n  .*in rename\nrefused now, in thread MainThread:\n  ", text)


def test_two_of_one_name_are_told_to_have_keys(ordered) -> None:
    with Mutex("row"), pytest.raises(LockOrderViolation, match="give each an `order_key`"):
        Mutex("row").acquire()


def test_a_misuse_says_what_to_do_instead() -> None:
    with pytest.raises(Misuse, match="to signal, use a Semaphore"):
        Mutex("ledger").release()
