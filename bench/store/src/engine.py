"""Answers lines of SQL about the Parquet files of a store, and says how long it took. Usage: engine.py duckdb|chdb FOLDER"""
import json
import sys
import time

engine, folder = sys.argv[1], sys.argv[2]

if engine == "duckdb":
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        f"CREATE VIEW spans AS SELECT * FROM read_parquet('{folder}/spans/**/*.parquet', "
        "hive_partitioning = true, hive_types_autocast = false)"
    )

    def answer(sql):
        return connection.sql(sql).to_arrow_table().num_rows
else:
    from chdb import session

    connection = session.Session()
    connection.query("SET max_threads = 2")
    connection.query("CREATE DATABASE IF NOT EXISTS d ENGINE = Atomic")
    connection.query("USE d")
    connection.query(f"CREATE VIEW spans AS SELECT * FROM file('{folder}/spans/**/*.parquet', Parquet)")

    def answer(sql):
        return connection.query(sql, "ArrowTable").num_rows


for line in sys.stdin:
    try:
        wall, cpu = time.perf_counter(), time.process_time()
        rows = answer(json.loads(line))
        said = {"wall": (time.perf_counter() - wall) * 1e3, "cpu": (time.process_time() - cpu) * 1e3, "rows": rows}
    except Exception as error:  # noqa: BLE001 - whatever it is, the benchmark has to know
        said = {"error": str(error)}
    print(json.dumps(said), flush=True)
