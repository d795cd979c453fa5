"""Answers questions about the Parquet files of a store by other engines.

Usage: oracle.py FOLDER < QUESTIONS, a JSON list of {"sql": ..., "engines": ["duckdb", "polars"]}.
Prints a JSON list: for each question, each engine's rows as lists of values.
"""
import datetime
import decimal
import json
import sys

import duckdb
import polars

folder = sys.argv[1]
tables = ["spans", "events", "content", "usage_1m"]

duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")
polar = polars.SQLContext()
for table in tables:
    files = f"{folder}/{table}/**/*.parquet"
    try:
        duck.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files}', hive_partitioning = false)")
        polar.register(table, polars.scan_parquet(files, hive_partitioning=False))
    except (duckdb.IOException, FileNotFoundError):
        print(f"no files of {table}", file=sys.stderr)


def plain(value):
    """Times as microseconds since 1970, decimals as floats."""
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return round(value.timestamp() * 1e6)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def answer(engine, sql):
    if engine == "duckdb":
        return duck.execute(sql).fetchall()
    return polar.execute(sql, eager=True).rows()


json.dump(
    [
        {engine: plain(answer(engine, question["sql"])) for engine in question["engines"]}
        for question in json.load(sys.stdin)
    ],
    sys.stdout,
)
