//! The messages of the protocol that ask something.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Sink;
use pgwire::api::portal::{Format, Portal};
use pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use pgwire::api::results::{FieldInfo, Response, Tag};
use pgwire::api::stmt::QueryParser;
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, METADATA_USER, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use spanmill_query::{Access, Description, Parameters, QueryService, Request};

use crate::error::{code, failed, refused};
use crate::statement::{Kind, split};
use crate::{parameters, rows};

/// Asks the store, for who is connected.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    service: QueryService,
    access: Option<Access>,
}

/// A statement that was prepared.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    sql: String,
    kind: Kind,
    /// Of a query.
    description: Option<Arc<Description>>,
}

// === impl Asker ===

impl Asker {
    /// Without `access` everybody is shown everything.
    pub(crate) fn new(service: QueryService, access: Option<Access>) -> Self {
        Self { service, access }
    }

    /// What the service has for the user of a connection. The name is that whose password was asked for: it stands in a connection's first
    /// message alone.
    fn service_of(&self, client: &impl ClientInfo) -> PgWireResult<QueryService> {
        let Some(access) = &self.access else { return Ok(self.service.clone()) };
        let user = client.metadata().get(METADATA_USER).and_then(|name| access.named(name));
        let user = user.ok_or_else(|| refused(code::UNKNOWN_USER, "it is not known who asks"))?;
        Ok(self.service.confined(user.tenant.clone()))
    }
}

#[async_trait]
impl SimpleQueryHandler for Asker {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let service = self.service_of(client)?;
        let mut responses = Vec::new();
        let statements = split(query);
        let last = statements.len().saturating_sub(1);
        for (at, sql) in statements.into_iter().enumerate() {
            let response = match answer_text(&service, sql).await {
                Ok(Response::Query(answer)) if at < last => rows::complete(answer).await.map(Response::Query),
                other => other,
            };
            match response {
                Ok(response) => responses.push(response),
                // Answers before the error are given, and those behind it are not begun.
                Err(PgWireError::UserError(error)) => {
                    responses.push(Response::Error(error));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(responses)
    }
}

#[async_trait]
impl ExtendedQueryHandler for Asker {
    type Statement = Prepared;
    type QueryParser = Self;

    fn query_parser(&self) -> Arc<Self> {
        Arc::new(self.clone())
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Prepared>, _max_rows: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let Prepared { sql, kind, .. } = &portal.statement.statement;
        if *kind != Kind::Query {
            return Ok(done(*kind));
        }
        let announced = self.get_parameter_types(&portal.statement.statement)?;
        let kinds = portal.statement.parameter_types.iter();
        let kinds = kinds.map(Option::as_ref).chain(std::iter::repeat(None)).zip(announced);
        // What the client announced counts, and what the query needs where it did not.
        let values = kinds.enumerate().map(|(at, (told, found))| parameters::value(portal, at, told.unwrap_or(&found)));
        let parameters = Parameters::Positional(values.collect::<PgWireResult<_>>()?);
        let request = Request { parameters, ..Request::of(sql) };
        rows::answer(&self.service_of(client)?, request, &portal.result_column_format).await.map(Response::Query)
    }
}

#[async_trait]
impl QueryParser for Asker {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, client: &C, sql: &str, _types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let mut statements = split(sql);
        let (Some(sql), true) = (statements.pop(), statements.is_empty()) else {
            return Err(refused(code::UNSUPPORTED, "one statement can be prepared, and not several"));
        };
        let kind = Kind::of(&sql)?;
        let description = match kind {
            Kind::Query => {
                let described = self.service_of(client)?.describe(Request::of(&sql)).await;
                Some(Arc::new(described.map_err(|error| failed(&error, &sql))?))
            }
            _ => None,
        };
        Ok(Some(Prepared { sql, kind, description }))
    }

    fn get_parameter_types(&self, statement: &Prepared) -> PgWireResult<Vec<Type>> {
        let Some(description) = &statement.description else { return Ok(Vec::new()) };
        let number = |name: &str| name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let count = description.parameters.keys().filter_map(|name| number(name)).max().unwrap_or(0);
        if count > usize::from(u16::MAX) || description.parameters.keys().any(|name| number(name).is_none()) {
            return Err(refused(code::BAD_PARAMETER, "parameters are named $1, $2 and so on"));
        }
        let wanted =
            |number| parameters::wanted(description.parameters.get(&format!("${number}")).and_then(Option::as_ref));
        Ok((1..=count).map(wanted).collect())
    }

    fn get_result_schema(&self, statement: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        let Some(description) = &statement.description else { return Ok(Vec::new()) };
        rows::fields(&description.schema, format.unwrap_or(&Format::UnifiedText))
    }
}

/// Text that comes without being prepared is answered as text.
async fn answer_text(service: &QueryService, sql: String) -> PgWireResult<Response> {
    match Kind::of(&sql)? {
        Kind::Query => rows::answer(service, Request::of(sql), &Format::UnifiedText).await.map(Response::Query),
        kind => Ok(done(kind)),
    }
}

/// The answer to a statement that does nothing.
fn done(kind: Kind) -> Response {
    match kind {
        Kind::Query => Response::EmptyQuery,
        Kind::Ignored(tag) => Response::Execution(Tag::new(tag)),
        Kind::Begin => Response::TransactionStart(Tag::new("BEGIN")),
        Kind::End(tag) => Response::TransactionEnd(Tag::new(tag)),
    }
}
