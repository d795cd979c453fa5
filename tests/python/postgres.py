"""Asks a server over PostgreSQL's protocol by psycopg. Usage: postgres.py PORT USER PASSWORD; prints JSON."""
import json
import sys
from datetime import datetime, timedelta, timezone

import psycopg

port, user, password = sys.argv[1:]


def connect(password):
    return psycopg.connect(host="127.0.0.1", port=port, user=user, password=password, dbname="spanmill")


said = {}
with connect(password) as connection:
    with connection.cursor() as cursor:
        cursor.execute("SELECT service, count(*) AS n FROM spans GROUP BY service ORDER BY service")
        said["services"] = [list(row) for row in cursor.fetchall()]
        slow_small = "SELECT count(*) FROM spans WHERE duration_ns > %s AND input_tokens < %s"
        cursor.execute(slow_small, (5_000_000_000, 2000))
        said["slow_small"] = cursor.fetchone()[0]
        since = datetime.now(timezone.utc) - timedelta(days=365)
        cursor.execute("SELECT count(*) FROM spans WHERE start_time > %s AND name <> %s", (since, "nothing"))
        said["since"] = cursor.fetchone()[0]
        cursor.execute("SELECT * FROM spans")
        said["rows"] = len(cursor.fetchall())
    few = "SELECT name, input_tokens, start_time, cost_nano / 1e9, cost_nano > 0, NULL FROM spans WHERE usage_role = 'owner' AND cost_nano > 0 ORDER BY trace_id, span_id LIMIT 50"
    for form in [False, True]:
        with connection.cursor(binary=form) as cursor:
            rows = cursor.execute(few).fetchall()
            said["binary" if form else "text"] = repr(rows)
            said["types"] = [type(value).__name__ for value in rows[0]]
with connect(password) as connection:
    connection.autocommit = True
    refused = []
    for statement in ["COPY (SELECT 1) TO 'stolen.csv'", "DROP TABLE spans", "SELECT nothing FROM spans"]:
        try:
            connection.execute(statement)
        except psycopg.Error as error:
            refused.append(error.sqlstate)
    said["refused"] = refused
try:
    with connect("wrong") as connection:
        connection.execute("SELECT 1")
    said["wrong_password"] = "let in"
except psycopg.Error as error:
    said["wrong_password"] = type(error).__name__
json.dump(said, sys.stdout)
