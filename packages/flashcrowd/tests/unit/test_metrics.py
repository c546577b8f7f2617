from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashcrowd.probe.metrics import read_metrics
from flashcrowd.probe.metrics_text import parse_metrics
from flashcrowd.samples import Resource
from seawall import Mutex, ResourcePool, openmetrics, snapshot


def resources(text: str) -> dict[str, Resource]:
    found, _ = read_metrics(parse_metrics(text))
    return {resource.name: resource for resource in found}


def test_opentelemetrys_connection_pool_is_read() -> None:
    text = """
# TYPE db_client_connection_count gauge
db_client_connection_count{db_client_connection_pool_name="orders",db_client_connection_state="used"} 4
db_client_connection_count{db_client_connection_pool_name="orders",db_client_connection_state="idle"} 1
db_client_connection_max{db_client_connection_pool_name="orders"} 5
db_client_connection_pending_requests{db_client_connection_pool_name="orders"} 7
db_client_connection_wait_time_seconds_sum{db_client_connection_pool_name="orders"} 2.5
db_client_connection_wait_time_seconds_count{db_client_connection_pool_name="orders"} 10
db_client_connection_wait_time_seconds_bucket{db_client_connection_pool_name="orders",le="1"} 9
"""
    assert resources(text) == {
        "db_client_connection orders": Resource(
            "db_client_connection orders", "connection pool", capacity=5, in_use=4, waiting=7,
            wait_s_total=2.5, waits_total=10,
        )
    }  # fmt: skip


def test_what_a_client_asks_for_is_a_database_or_another_service_by_its_words() -> None:
    text = """
http_client_request_duration_seconds_sum{server_address="rates.internal",http_request_method="GET"} 3
http_client_request_duration_seconds_sum{server_address="rates.internal",http_request_method="POST"} 1
http_client_request_duration_seconds_count{server_address="rates.internal",http_request_method="GET"} 30
db_client_operation_duration_seconds_sum{db_system_name="postgresql"} 9
db_client_operation_duration_seconds_count{db_system_name="postgresql"} 90
http_server_request_duration_seconds_sum 40
http_server_request_duration_seconds_count 100
"""
    found = resources(text)
    rates = found["http_client_request_duration_seconds rates.internal"]
    assert (rates.kind, rates.hold_s_total, rates.uses_total) == ("downstream", 4, 30)
    assert [one.kind for one in found.values()].count("database") == 1
    assert len(found) == 2


def test_a_pool_of_threads_and_its_queue_are_one_resource() -> None:
    text = "worker_threads_max 4\nworker_threads_busy 3\nworker_threads_queue_size 11\nthreadpool_size 5\n"
    pool = resources(text)["worker_threads"]
    assert (pool.kind, pool.capacity, pool.in_use, pool.waiting) == ("thread pool", 4, 3, 11)


def test_a_queue_with_workers_is_a_queue() -> None:
    queue = resources("render_queue_depth 11\nrender_queue_workers 2\nrender_queue_workers_busy 2\n")["render_queue"]
    assert (queue.kind, queue.capacity, queue.in_use, queue.waiting) == ("queue", 2, 2, 11)


def test_seawalls_own_metrics_have_seawalls_names() -> None:
    with Mutex("ledger"), ResourcePool("orders", object, max_size=3).borrow(timeout_s=1):
        found = resources(openmetrics(snapshot()))
    assert (found["orders"].kind, found["orders"].capacity, found["orders"].in_use) == ("connection pool", 3, 1)
    assert found["ledger"].kind == "lock"


def test_the_process_is_read_too() -> None:
    _, process = read_metrics(
        parse_metrics("python_info 1\nprocess_cpu_seconds_total 12.5\nprocess_resident_memory_bytes 1e6\n")
    )
    assert (process.cpu_s_total, process.rss_bytes, process.cores) == (12.5, 1e6, 1)


@pytest.mark.parametrize("name", ["go_sched_gomaxprocs_threads", "system_cpu_count"])
def test_other_runtimes_say_how_many_cores_they_use(name: str) -> None:
    _, process = read_metrics(parse_metrics(f"process_cpu_seconds_total 12.5\n{name} 8\n"))
    assert process.cores == 8


def test_how_many_cores_another_languages_process_has_is_not_known() -> None:
    _, process = read_metrics(parse_metrics("process_cpu_seconds_total 12.5\n"))
    assert process.cores is None


@pytest.mark.parametrize(
    "text", ["", "# EOF", "<html>", "a b c", 'x{y="z} 1', "threads_in_use NaNa", "threads_in_use NaN", "x_in_use{} "]
)
def test_what_says_nothing_is_nothing(text: str) -> None:
    assert resources(text) == {}


def test_labels_with_quotes_and_braces_are_read() -> None:
    (metric,) = parse_metrics(r'x_used{pool="a\"b}c\\",state="used"} 3')
    assert metric.labels == {"pool": 'a"b}c\\', "state": "used"}


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    read_metrics(parse_metrics(text))
