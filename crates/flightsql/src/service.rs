//! The calls of Flight SQL.

use std::pin::Pin;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    Any, CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo,
    TicketStatementQuery,
};
use arrow_flight::{
    Action, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, IpcMessage,
    SchemaAsIpc, Ticket,
};
use arrow_ipc::writer::IpcWriteOptions;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use spanmill_query::{QueryError, QueryService, Rows};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::access::Asker;
use crate::catalog::{self, CATALOG, INFO, SCHEMA};
use crate::handle::Handle;

/// Answers the calls of Flight SQL from a query service, each for who asks.
#[derive(Debug, Clone)]
pub(crate) struct FlightSql {
    service: QueryService,
}

type Data = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;
type Answer = Result<Response<Data>, Status>;
type Info = Result<Response<FlightInfo>, Status>;

/// Rows of parameters are few.
const MOST_PARAMETERS: usize = 1 << 20;

// === impl FlightSql ===

impl FlightSql {
    pub(crate) fn new(service: QueryService) -> Self {
        Self { service }
    }

    /// What the service has for who asks.
    fn service_of(&self, asker: &Asker) -> QueryService {
        self.service.confined(asker.tenant())
    }

    async fn rows(&self, asker: &Asker, handle: Bytes) -> Answer {
        let handle = Handle::decode(handle, asker.name())?;
        let rows = self.service_of(asker).run(handle.request()?).await.map_err(status)?;
        let schema = rows.schema();
        Ok(answer(schema, stream::unfold(Some(rows), next)))
    }

    /// The columns of an answer.
    async fn columns(&self, asker: &Asker, handle: Handle) -> Result<SchemaRef, Status> {
        Ok(self.service_of(asker).describe(handle.request()?).await.map_err(status)?.schema)
    }
}

#[tonic::async_trait]
impl FlightSqlService for FlightSql {
    type FlightService = Self;

    /// Whoever comes here has been let through.
    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>, Status> {
        let token = Asker::of(&request)?.token();
        let said = HandshakeResponse { protocol_version: 0, payload: Bytes::from(token.to_owned()) };
        let said: Pin<Box<dyn Stream<Item = _> + Send>> = Box::pin(stream::iter([Ok(said)]));
        let mut response = Response::new(said);
        if let Ok(header) = MetadataValue::try_from(format!("Bearer {token}")) {
            response.metadata_mut().insert("authorization", header);
        }
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Info {
        let asker = Asker::of(&request)?;
        let handle = Handle::of(query.query);
        let ticket = TicketStatementQuery { statement_handle: handle.encode(asker.name())? };
        let columns = self.columns(asker, handle).await?;
        info(&columns, &ticket, request)
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Info {
        let asker = Asker::of(&request)?;
        let handle = Handle::decode(query.prepared_statement_handle.clone(), asker.name())?;
        let columns = self.columns(asker, handle).await?;
        info(&columns, &query, request)
    }

    async fn get_flight_info_catalogs(&self, query: CommandGetCatalogs, request: Request<FlightDescriptor>) -> Info {
        info(&query.into_builder().schema(), &query, request)
    }

    async fn get_flight_info_schemas(&self, query: CommandGetDbSchemas, request: Request<FlightDescriptor>) -> Info {
        info(&query.clone().into_builder().schema(), &query, request)
    }

    async fn get_flight_info_tables(&self, query: CommandGetTables, request: Request<FlightDescriptor>) -> Info {
        info(&query.clone().into_builder().schema(), &query, request)
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Info {
        info(&query.into_builder().schema(), &query, request)
    }

    async fn get_flight_info_sql_info(&self, query: CommandGetSqlInfo, request: Request<FlightDescriptor>) -> Info {
        let known = INFO.as_ref().ok_or_else(|| Status::internal("nothing is known of this server"))?;
        info(&query.clone().into_builder(known).schema(), &query, request)
    }

    async fn do_get_statement(&self, ticket: TicketStatementQuery, request: Request<Ticket>) -> Answer {
        self.rows(Asker::of(&request)?, ticket.statement_handle).await
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Answer {
        self.rows(Asker::of(&request)?, query.prepared_statement_handle).await
    }

    async fn do_get_catalogs(&self, query: CommandGetCatalogs, _request: Request<Ticket>) -> Answer {
        let mut builder = query.into_builder();
        builder.append(CATALOG);
        one(builder.schema(), builder.build())
    }

    async fn do_get_schemas(&self, query: CommandGetDbSchemas, _request: Request<Ticket>) -> Answer {
        let mut builder = query.into_builder();
        builder.append(CATALOG, SCHEMA);
        one(builder.schema(), builder.build())
    }

    async fn do_get_tables(&self, query: CommandGetTables, request: Request<Ticket>) -> Answer {
        let service = self.service_of(Asker::of(&request)?);
        let mut builder = query.into_builder();
        for (name, (kind, columns)) in catalog::tables(&service).await.map_err(status)? {
            builder.append(CATALOG, SCHEMA, name, kind, &columns).map_err(Status::from)?;
        }
        one(builder.schema(), builder.build())
    }

    async fn do_get_table_types(&self, query: CommandGetTableTypes, _request: Request<Ticket>) -> Answer {
        let mut builder = query.into_builder();
        for kind in ["TABLE", "VIEW"] {
            builder.append(kind);
        }
        one(builder.schema(), builder.build())
    }

    async fn do_get_sql_info(&self, query: CommandGetSqlInfo, _request: Request<Ticket>) -> Answer {
        let known = INFO.as_ref().ok_or_else(|| Status::internal("nothing is known of this server"))?;
        let builder = query.into_builder(known);
        one(builder.schema(), builder.build())
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let asker = Asker::of(&request)?;
        let handle = Handle::of(query.query);
        let prepared_statement_handle = handle.encode(asker.name())?;
        // A statement that is wrong is told when it is asked.
        let dataset_schema = match self.columns(asker, handle).await {
            Ok(columns) => encoded(&columns)?,
            Err(_) => Bytes::new(),
        };
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle,
            dataset_schema,
            parameter_schema: Bytes::new(),
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let asker = Asker::of(&request)?.clone();
        let mut handle = Handle::decode(query.prepared_statement_handle, asker.name())?;
        let data = request.into_inner().map_err(FlightError::from);
        let mut rows = FlightRecordBatchStream::new_from_flight_data(data);
        let mut all: Option<RecordBatch> = None;
        while let Some(rows) = rows.try_next().await.map_err(Status::from)? {
            if all.is_some() || rows.get_array_memory_size() > MOST_PARAMETERS {
                return Err(Status::invalid_argument("one row of parameters is wanted, of no more than a megabyte"));
            }
            all = Some(rows);
        }
        handle.parameters = all;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle.encode(asker.name())?) })
    }

    /// There is nothing to forget.
    async fn do_action_close_prepared_statement(
        &self,
        _query: ActionClosePreparedStatementRequest,
        _request: Request<Action>,
    ) -> Result<(), Status> {
        Ok(())
    }

    async fn do_get_fallback(&self, _request: Request<Ticket>, message: Any) -> Answer {
        Err(Status::unimplemented(format!("{} is not offered", message.type_url)))
    }

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}

/// The next rows of an answer. One that was cut off at the limit ends with an error: this protocol has no other way to tell.
async fn next(rows: Option<Rows>) -> Option<(Result<RecordBatch, FlightError>, Option<Rows>)> {
    let mut rows = rows?;
    let failed = |status| Some((Err(FlightError::Tonic(Box::new(status))), None));
    match rows.next().await {
        Some(Ok(batch)) => Some((Ok(batch), Some(rows))),
        Some(Err(error)) => failed(status(error)),
        None if rows.truncated() => failed(Status::resource_exhausted(format!(
            "the answer has more than {} rows; LIMIT says how many are wanted",
            rows.most()
        ))),
        None => None,
    }
}

fn answer(
    schema: SchemaRef,
    rows: impl Stream<Item = Result<RecordBatch, FlightError>> + Send + 'static,
) -> Response<Data> {
    let data = FlightDataEncoderBuilder::new().with_schema(schema).build(rows);
    Response::new(data.map_err(Status::from).boxed())
}

fn one(schema: SchemaRef, rows: Result<RecordBatch, FlightError>) -> Answer {
    Ok(answer(schema, stream::iter([rows])))
}

fn info(columns: &Schema, ticket: &impl ProstMessageExt, request: Request<FlightDescriptor>) -> Info {
    let ticket = Ticket { ticket: ticket.as_any().encode_to_vec().into() };
    let info = FlightInfo::new().try_with_schema(columns).map_err(arrow)?;
    let info = info.with_endpoint(FlightEndpoint::new().with_ticket(ticket)).with_descriptor(request.into_inner());
    Ok(Response::new(info))
}

fn encoded(columns: &Schema) -> Result<Bytes, Status> {
    let IpcMessage(bytes) = SchemaAsIpc::new(columns, &IpcWriteOptions::default()).try_into().map_err(arrow)?;
    Ok(bytes)
}

#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
fn arrow(error: ArrowError) -> Status {
    Status::internal(error.to_string())
}

/// The status of gRPC that says why there is no answer.
#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
fn status(error: QueryError) -> Status {
    let code = match &error {
        QueryError::Sql { .. } | QueryError::Request(_) | QueryError::Accept(_) => Code::InvalidArgument,
        QueryError::UnknownQuestion { .. } => Code::NotFound,
        QueryError::TooLong { .. } | QueryError::TooComplex { .. } | QueryError::Memory(_) | QueryError::Busy => {
            Code::ResourceExhausted
        }
        QueryError::Time(_) => Code::DeadlineExceeded,
        QueryError::Store(_) => Code::Internal,
    };
    Status::new(code, error.to_string())
}
