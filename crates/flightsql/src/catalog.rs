//! What tables there are, for clients that browse.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::AsArray;
use arrow::datatypes::Schema;
use arrow_flight::sql::SqlInfo;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use spanmill_query::{QueryError, QueryService, Request};

/// The catalog and schema that all tables are in.
pub(crate) const CATALOG: &str = "spanmill";
pub(crate) const SCHEMA: &str = "public";

/// What is asked most of a server.
pub(crate) static INFO: LazyLock<Option<SqlInfoData>> = LazyLock::new(|| {
    let mut builder = SqlInfoDataBuilder::new();
    builder.append(SqlInfo::FlightSqlServerName, "spanmill");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    builder.append(SqlInfo::FlightSqlServerReadOnly, true);
    builder.append(SqlInfo::FlightSqlServerSql, true);
    builder.append(SqlInfo::FlightSqlServerSubstrait, false);
    builder.append(SqlInfo::FlightSqlServerTransaction, 0_i32);
    builder.build().ok()
});

/// Tables and their kinds, with columns.
pub(crate) async fn tables(service: &QueryService) -> Result<BTreeMap<String, (String, Arc<Schema>)>, QueryError> {
    let sql = format!(
        "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = '{SCHEMA}' ORDER BY table_name"
    );
    let rows = service.run(Request::of(sql)).await?.collect().await?;
    let mut tables = BTreeMap::new();
    for rows in rows {
        let (Some(names), Some(kinds)) = (rows.column(0).as_string_opt::<i32>(), rows.column(1).as_string_opt::<i32>())
        else {
            continue;
        };
        for (name, kind) in names.iter().zip(kinds).filter_map(|(name, kind)| name.zip(kind)) {
            let schema = service.describe(Request::of(format!("SELECT * FROM \"{name}\""))).await?.schema;
            tables.insert(name.to_owned(), (if kind == "VIEW" { "VIEW" } else { "TABLE" }.to_owned(), schema));
        }
    }
    Ok(tables)
}
