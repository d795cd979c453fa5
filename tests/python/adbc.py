"""Asks a server over Flight SQL by the ADBC driver. Usage: adbc.py ADDRESS USER PASSWORD; prints JSON."""
import json
import sys

import adbc_driver_flightsql.dbapi as flightsql
from adbc_driver_manager import DatabaseOptions

address, user, password = sys.argv[1:]


def connect(password):
    options = {DatabaseOptions.USERNAME.value: user, DatabaseOptions.PASSWORD.value: password}
    return flightsql.connect(address, db_kwargs=options)


said = {}
with connect(password) as connection, connection.cursor() as cursor:
    cursor.execute("SELECT service, count(*) AS n FROM spans GROUP BY service ORDER BY service")
    said["services"] = [list(row) for row in cursor.fetchall()]
    cursor.execute("SELECT count(*) FROM spans WHERE duration_ns > $1 AND input_tokens < $2", (5_000_000_000, 2000))
    said["slow_small"] = cursor.fetchone()[0]
    cursor.execute("SELECT * FROM spans")
    table = cursor.fetch_arrow_table()
    said["rows"], said["columns"] = table.num_rows, table.num_columns
    catalog = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
    said["tables"] = sorted(
        found["table_name"] for entry in catalog for schema in entry["catalog_db_schemas"] for found in schema["db_schema_tables"]
    )
    refused = []
    for statement in ["COPY (SELECT 1) TO 'stolen.csv'", "DROP TABLE spans", "SELECT nothing"]:
        try:
            cursor.execute(statement)
            cursor.fetchall()
        except Exception as error:  # noqa: BLE001 - any refusal will do, and none is a failure
            refused.append(type(error).__name__)
    said["refused"] = refused
try:
    with connect("wrong") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    said["wrong_password"] = "let in"
except Exception as error:  # noqa: BLE001
    said["wrong_password"] = type(error).__name__
json.dump(said, sys.stdout)
