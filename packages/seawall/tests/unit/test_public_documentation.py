"""What is public says what it does: whether it blocks, in which units, what it raises, and for locks where it is from."""

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import seawall
import seawall.dist
from seawall import Condition, Gate, Mutex, ReadWriteLock, Semaphore
from seawall.locks.sides import Side

LOCKS = (Mutex, Semaphore, ReadWriteLock, Condition, Gate)
BLOCKS = re.compile(r"block|wait|await|returns? when|[Rr]eturn|within|for at most", re.IGNORECASE)


def public_methods(kind: type) -> Iterator[tuple[str, Callable[..., object]]]:
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_") and method.__module__.startswith("seawall."):
            yield f"{kind.__name__}.{name}", method


CLASSES = [
    getattr(package, name)
    for package in (seawall, seawall.dist)
    for name in package.__all__
    if inspect.isclass(getattr(package, name))
]
METHODS = dict(pair for kind in (*CLASSES, Side) for pair in public_methods(kind))
FUNCTIONS = {name: getattr(seawall, name) for name in seawall.__all__ if inspect.isfunction(getattr(seawall, name))}


@pytest.mark.parametrize("name", METHODS)
def test_a_public_method_is_documented(name: str) -> None:
    assert inspect.getdoc(METHODS[name])


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if "timeout_s" in inspect.signature(m).parameters])
def test_what_takes_a_timeout_says_what_happens_when_it_is_over(name: str) -> None:
    text = inspect.getdoc(METHODS[name]) or ""
    known = text + (inspect.getdoc({kind.__name__: kind for kind in CLASSES}.get(name.split(".")[0])) or "")
    assert re.search(r"second|`?wait`?[,.]|DeadlineExceeded|True when", known), f"{name}: units, or what is raised"


@pytest.mark.parametrize("kind", LOCKS, ids=lambda kind: kind.__name__)
def test_a_lock_says_how_it_is_fair_and_what_cancellation_and_deadlines_do(kind: type) -> None:
    text = " ".join((inspect.getdoc(kind) or "").split())
    for what, words in {
        "fairness": r"[Ff]irst come, first served|first to wait is the first",
        "threads and tasks": r"threads and tasks in one line",
        "cancellation": r"cancel",
        "deadlines": r"[Dd]eadline",
        "what it raises": r"`(Deadlock|Misuse|DeadlineExceeded)`",
        "an example": r">>> ",
    }.items():
        assert re.search(words, text) or (kind is Semaphore and "those of `Mutex`" in text), f"{kind.__name__}: {what}"


@pytest.mark.parametrize("name", [n for n in METHODS if n.split(".")[0] in {k.__name__ for k in (*LOCKS, Side)}])
def test_a_verb_of_a_lock_says_whether_it_blocks(name: str) -> None:
    assert BLOCKS.search(inspect.getdoc(METHODS[name]) or ""), name


@pytest.mark.parametrize("name", ["accept_order", "add_observer", "configure", "lock_order", "request_timing"])
def test_a_function_around_locks_says_that_it_does_not_block(name: str) -> None:
    assert re.search(r"[Dd]oes not block", inspect.getdoc(FUNCTIONS[name]) or "")


def test_the_source_of_each_algorithm_is_named() -> None:
    for kind in (ReadWriteLock, Condition):
        assert re.search(r"Source:|Hoare", inspect.getdoc(kind) or "")
    for kind in (seawall.dist.Lease, seawall.dist.Fence, seawall.dist.SharedLimit):
        assert "Source:" in (inspect.getdoc(kind) or "")
    for module in ("wait_graph", "order_graph", "fairness", "limits", "shares"):
        text = (Path(seawall.__file__).parent / "core" / f"{module}.py").read_text(encoding="utf-8")
        assert re.search(r"Bracha|lockdep|Goyal|DAGOR|Waldspurger", text)


def test_every_public_name_is_in_the_readme_or_is_data_that_one_of_them_returns() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    missing = {name for name in (*seawall.__all__, *seawall.dist.__all__) if not re.search(rf"\b{name}\b", readme)}
    data = {"Admitted", "OrderEdge", "RequestTiming", "Snapshot", "Wait", "Held", "Store"}
    assert missing <= {*data, "forget_lock_order"}
