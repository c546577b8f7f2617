"""The handbook's page docs/patterns/lock-order.md: the trap, what finds it, and the fix."""

import threading
from dataclasses import dataclass, field

import pytest

from seawall import Deadlock, LockOrderViolation, Mutex, configure


def run_both(*runs) -> None:
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_trap_two_transfers_in_opposite_directions_wait_for_each_other() -> None:
    anna, bert = threading.Lock(), threading.Lock()
    both_hold_one = threading.Barrier(2)
    got_second: list[bool] = []

    def transfer(source: threading.Lock, target: threading.Lock) -> None:
        with source:
            both_hold_one.wait(20)
            got_it = target.acquire(timeout=0.05)  # without the timeout: for ever
            got_second.append(got_it)
            both_hold_one.wait(20)
            if got_it:
                target.release()

    run_both(lambda: transfer(anna, bert), lambda: transfer(bert, anna))
    assert got_second == [False, False]


def test_found_the_last_to_wait_is_refused_and_the_other_goes_on() -> None:
    configure(level="watched")
    anna, bert = Mutex("anna"), Mutex("bert")
    both_hold_one = threading.Barrier(2)
    outcome: list[str] = []

    def transfer(source: Mutex, target: Mutex) -> None:
        try:
            with source:
                both_hold_one.wait(20)
                with target:
                    outcome.append("done")
        except Deadlock as error:
            outcome.append(" and ".join(sorted(wait.resource for wait in error.cycle)))

    run_both(lambda: transfer(anna, bert), lambda: transfer(bert, anna))
    assert sorted(outcome) == ["anna and bert", "done"]


def test_found_at_level_ordered_without_any_deadlock_on_one_thread() -> None:
    configure(level="ordered")
    sites, sessions = Mutex("sites"), Mutex("sessions")
    with sites, sessions:
        pass
    with pytest.raises(LockOrderViolation) as caught, sessions, sites:
        pass
    assert (caught.value.first, caught.value.second) == ("sites", "sessions")


@dataclass
class Account:
    number: int
    balance: int = 100
    mutex: Mutex = field(init=False)

    def __post_init__(self) -> None:
        self.mutex = Mutex("account", order_key=self.number)


def transfer(source: Account, target: Account, amount: int) -> None:
    first, second = sorted((source, target), key=lambda account: account.number)
    with first.mutex, second.mutex:
        source.balance -= amount
        target.balance += amount


def test_fix_the_lower_number_first_whoever_pays_whom() -> None:
    configure(level="ordered")
    anna, bert = Account(1), Account(2)

    def there() -> None:
        for _ in range(500):
            transfer(anna, bert, 1)

    def back() -> None:
        for _ in range(500):
            transfer(bert, anna, 1)

    run_both(there, back)
    assert (anna.balance, bert.balance) == (100, 100)
