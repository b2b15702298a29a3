"""Connections that lie in the pool: those that are gone are seen to be, and the others are not asked each time."""

import select
import time

import psycopg
import pytest
from django.db import DataError, transaction
from django.db import connection as shared

from core.postgresql import direct
from core.postgresql.base import RETURNED, DatabaseWrapper, is_alive


@pytest.fixture
def connection(db):
    parts = shared.settings_dict
    given = {"dbname": parts["NAME"], "user": parts["USER"], "host": parts["HOST"], "port": parts["PORT"]}
    with psycopg.connect(**{k: v for k, v in given.items() if v}, autocommit=True) as made:
        yield made


@pytest.fixture
def asked(connection, monkeypatch):
    """The statements that are sent over the connection."""
    sent = []
    execute = connection.execute
    monkeypatch.setattr(connection, "execute", lambda text: (sent.append(text), execute(text)))
    return sent


def returned(connection, seconds_ago):
    setattr(connection, RETURNED, time.monotonic() - seconds_ago)


def terminate(connection):
    pid = connection.info.backend_pid
    with shared.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        assert cursor.fetchone() == (True,)


def test_one_that_was_used_just_now_is_not_asked(connection, asked):
    returned(connection, 0.1)
    assert is_alive(connection)
    assert asked == []


def test_one_that_was_idle_for_long_is_asked(connection, asked):
    returned(connection, 60)
    assert is_alive(connection)
    assert asked == [""]


def test_one_of_which_nothing_is_known_is_asked(connection, asked):
    assert is_alive(connection)
    assert asked == [""]


@pytest.mark.parametrize("seconds_ago", [0.1, 60])
def test_one_that_the_server_ended_is_not_alive(connection, seconds_ago):
    returned(connection, seconds_ago)
    terminate(connection)
    assert not is_alive(connection)


def test_one_that_has_something_to_say_and_works_is_alive(connection, asked):
    connection.execute("LISTEN here")
    with psycopg.connect(connection.info.dsn, autocommit=True) as other:
        other.execute("NOTIFY here")
    assert select.select([connection], [], [], 20)[0]
    asked.clear()
    returned(connection, 0.1)
    assert is_alive(connection)
    assert asked == [""]


def test_one_that_is_closed_is_not_alive(connection):
    connection.close()
    assert not is_alive(connection)


@pytest.fixture
def pooled(db, monkeypatch):
    """A wrapper with a pool of its own."""
    monkeypatch.setattr(DatabaseWrapper, "_connection_pools", {})
    parts = shared.settings_dict
    options = {**parts["OPTIONS"], "pool": {"min_size": 0, "max_size": 2, "timeout": 10}}
    wrapper = DatabaseWrapper({**parts, "OPTIONS": options, "CONN_HEALTH_CHECKS": False})
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def pid_of(wrapper):
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_the_same_one_is_taken_again(pooled):
    first = pid_of(pooled)
    pooled.close()
    assert pid_of(pooled) == first


def test_another_one_is_taken_when_the_server_ended_it_meanwhile(pooled):
    first = pid_of(pooled)
    pooled.close()
    with shared.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [first])
    assert pid_of(pooled) != first


def prepared(made):
    return [name for (name,) in made.execute("SELECT name FROM pg_prepared_statements WHERE statement LIKE '%42%'")]


def test_a_statement_is_prepared_once(connection):
    for given in (1, 2):
        assert direct._run(connection, "SELECT %s::int + 42", [given]) == [(given + 42,)]
    assert len(prepared(connection)) == 1


def test_without_a_row_there_is_none(db):
    assert direct.first_row("SELECT 1 WHERE %s::bool", [False]) is None


def test_a_statement_that_the_server_forgot_runs_all_the_same(connection):
    assert direct._run(connection, "SELECT %s::int + 42", [1]) == [(43,)]
    connection.pgconn.exec_(b"DEALLOCATE ALL")  # the library does not see it
    assert direct._run(connection, "SELECT %s::int + 42", [2]) == [(44,)]
    assert direct._run(connection, "SELECT %s::int + 42", [3]) == [(45,)]
    assert prepared(connection) == []


def test_a_statement_whose_columns_changed_runs_all_the_same(connection):
    connection.execute("CREATE TEMPORARY TABLE changing (value int)")
    connection.execute("INSERT INTO changing VALUES (42)")
    assert direct._run(connection, "SELECT value FROM changing WHERE %s::int > 0", [1]) == [(42,)]
    connection.execute("ALTER TABLE changing ALTER value TYPE text")
    assert direct._run(connection, "SELECT value FROM changing WHERE %s::int > 0", [1]) == [("42",)]


def test_within_a_transaction_it_belongs_to_it(db):
    with shared.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE belonging (value int) ON COMMIT DROP")
    assert direct.first_row("INSERT INTO belonging VALUES (%s) RETURNING value", [7]) == (7,)


def test_errors_are_those_of_the_framework(db):
    with pytest.raises(DataError), transaction.atomic():
        direct.first_row("SELECT 1 / %s::int", [0])


@pytest.mark.django_db(transaction=True)
def test_outside_of_one_a_connection_is_taken_and_given_back():
    shared.close()
    assert direct.first_row("SELECT %s::int", [1]) == (1,)
    assert shared.connection is None


def test_who_counts_statements_counts_these_too(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert direct.first_row("SELECT %s::int", [1]) == (1,)
