import psycopg
import pytest


def test_each_test_has_a_database_of_its_own(postgres) -> None:
    with postgres.fresh_database() as first, postgres.fresh_database() as second:
        with psycopg.connect(postgres.url(first)) as connection:
            connection.execute("CREATE TABLE t (n int)")
            connection.commit()
            with psycopg.connect(postgres.url(second)) as other:
                assert other.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_a_database_is_dropped_though_somebody_is_connected(postgres) -> None:
    with postgres.fresh_database() as name:
        left = psycopg.connect(postgres.url(name))
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    left.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres.url(name))
