//! How a table is encoded in files.

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::schema::{Kind, Table};

/// Rows a row group: large enough to compress, small enough to skip.
pub(crate) const ROW_GROUP: usize = 128 << 10;

/// Bytes a page, uncompressed.
const PAGE: usize = 128 << 10;

/// One id in a hundred that is not there is looked for in vain.
const BLOOM_FPP: f64 = 0.01;

/// The properties of a file of that many rows, about `traces` of them of different traces.
pub(crate) fn properties(table: Table, traces: u64, level: i32) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("spanmill ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level)?))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_data_page_size_limit(PAGE)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for column in table.columns() {
        let path = ColumnPath::from(column.name);
        builder = match column.kind {
            // Least and most of texts prune nothing here, and cost a comparison a value.
            Kind::Word => builder
                .set_column_dictionary_enabled(path.clone(), true)
                .set_column_statistics_enabled(path, EnabledStatistics::None),
            // Times grow from row to row.
            Kind::Time | Kind::Nanos => builder
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_statistics_enabled(path, EnabledStatistics::Page),
            // Lengths of ids are all the same and take no place this way.
            Kind::Id | Kind::Json => builder
                .set_column_encoding(path.clone(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
                .set_column_statistics_enabled(path, EnabledStatistics::None),
            Kind::Int | Kind::Small => builder.set_column_statistics_enabled(path, EnabledStatistics::Page),
            Kind::Flag => builder,
        };
    }
    if table == Table::Usage {
        return Ok(builder.set_dictionary_enabled(true).build());
    }
    let trace_id = ColumnPath::from("trace_id");
    builder = builder
        .set_column_bloom_filter_enabled(trace_id.clone(), true)
        .set_column_bloom_filter_fpp(trace_id.clone(), BLOOM_FPP)
        .set_column_bloom_filter_max_ndv(trace_id, traces.clamp(1, ROW_GROUP as u64));
    Ok(builder.build())
}
