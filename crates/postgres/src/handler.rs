//! The messages of the protocol that ask something.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures_util::Sink;
use pgwire::api::portal::{Format, Portal};
use pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use pgwire::api::results::{FieldInfo, Response};
use pgwire::api::stmt::QueryParser;
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, METADATA_USER, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::Execute;
use pgwire::messages::response::TransactionStatus;
use pgwire::messages::simplequery::Query;
use spanmill_query::{Access, Parameters, QueryService, Request};

use crate::error::{code, refused};
use crate::settings::Session;
use crate::statement::{Kind, split};
use crate::translate::{Translated, translate};
use crate::types::{array_of, wanted};
use crate::{rows, transaction, values};

/// Asks the store, for who is connected.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    service: QueryService,
    access: Option<Access>,
}

/// A statement that was prepared.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    kind: Kind,
    /// Of a query.
    asked: Option<Arc<Asked>>,
}

/// A query that was prepared.
#[derive(Debug)]
struct Asked {
    query: Translated,
    /// Types of its parameters.
    parameters: Vec<Type>,
    schema: SchemaRef,
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
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let first = split(&query.query).into_iter().next();
        revive(client, first.and_then(|sql| Kind::of(&sql).ok()));
        self._on_query(client, query).await
    }

    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let (service, session) = (self.service_of(client)?, Session::of(client));
        let (mut responses, mut status) = (Vec::new(), client.transaction_status());
        let statements = split(query);
        if statements.is_empty() {
            return Ok(vec![Response::EmptyQuery]);
        }
        let last = statements.len().saturating_sub(1);
        for (at, sql) in statements.into_iter().enumerate() {
            let response = match answer_text(&service, &session, &sql, &mut status).await {
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
        // The others have all their rows.
        if let Some(Response::Query(_)) = responses.last()
            && let Some(Response::Query(answer)) = responses.pop()
        {
            responses.push(Response::Query(rows::cancellable(client, answer).await));
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

    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let portal = client.portal_store().get_portal(message.name.as_deref().unwrap_or(DEFAULT_NAME));
        let kind = match portal {
            Some(Entry::Value(portal)) => Some(portal.statement.statement.kind),
            _ => None,
        };
        revive(client, kind);
        self._on_execute(client, message).await
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Prepared>, _max_rows: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let (Prepared { kind, asked }, status) = (&portal.statement.statement, client.transaction_status());
        transaction::check(*kind, status)?;
        let Some(asked) = asked else { return Ok(transaction::done(*kind, status)) };
        let given = portal.parameters.len();
        if given != asked.parameters.len() {
            let problem = format!("{given} parameters were given, and the statement has {}", asked.parameters.len());
            return Err(refused(code::PROTOCOL, problem));
        }
        let values = asked.parameters.iter().zip(&portal.parameters).enumerate().map(|(at, (kind, bytes))| {
            let value = values::value(kind, bytes.as_deref(), portal.parameter_format.is_binary(at));
            value.map_err(|error| refused(error.code(), format!("parameter ${}: {error}", at + 1)))
        });
        let parameters = Parameters::Positional(values.collect::<PgWireResult<_>>()?);
        let (service, query) = (self.service_of(client)?, asked.query.clone());
        let answer = rows::answer(&service, query, parameters, &portal.result_column_format).await?;
        Ok(Response::Query(rows::cancellable(client, answer).await))
    }
}

#[async_trait]
impl QueryParser for Asker {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, client: &C, sql: &str, types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let mut statements = split(sql);
        let Some(sql) = statements.pop() else { return Ok(None) };
        if !statements.is_empty() {
            return Err(refused(code::UNSUPPORTED, "one statement can be prepared, and not several"));
        }
        let kind = Kind::of(&sql)?;
        // Savepoints are looked at where they are made.
        if client.transaction_status() == TransactionStatus::Error {
            transaction::check(kind, TransactionStatus::Error)?;
        }
        let asked = match kind {
            Kind::Query => {
                let service = self.service_of(client)?;
                let query = translate(&service, &Session::of(client), &sql)?;
                Some(Arc::new(Asked::of(&service, query, types).await?))
            }
            _ => None,
        };
        Ok(Some(Prepared { kind, asked }))
    }

    fn get_parameter_types(&self, statement: &Prepared) -> PgWireResult<Vec<Type>> {
        Ok(statement.asked.as_ref().map_or_else(Vec::new, |asked| asked.parameters.clone()))
    }

    fn get_result_schema(&self, statement: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        let Some(asked) = &statement.asked else { return Ok(Vec::new()) };
        rows::fields(&asked.schema, format.unwrap_or(&Format::UnifiedText))
    }
}

/// Text that comes without being prepared is answered as text.
async fn answer_text(
    service: &QueryService,
    session: &Session,
    sql: &str,
    status: &mut TransactionStatus,
) -> PgWireResult<Response> {
    let kind = Kind::of(sql)?;
    transaction::check(kind, *status)?;
    let before = *status;
    *status = transaction::after(kind, before);
    if kind != Kind::Query {
        return Ok(transaction::done(kind, before));
    }
    let query = translate(service, session, sql)?;
    if query.parameters > 0 {
        return Err(refused(
            code::UNKNOWN_PARAMETER,
            "there is no parameter $1: values are given to prepared statements",
        ));
    }
    rows::answer(service, query, Parameters::default(), &Format::UnifiedText).await.map(Response::Query)
}

/// Back at a savepoint, a transaction that failed is good. pgwire looks at its status before it asks for an answer.
fn revive(client: &mut impl ClientInfo, kind: Option<Kind>) {
    if kind == Some(Kind::BackToSavepoint) && client.transaction_status() == TransactionStatus::Error {
        client.set_transaction_status(TransactionStatus::Transaction);
    }
}

// === impl Asked ===

impl Asked {
    /// Settles the types of parameters and columns. What the client announced counts, then casts, then what the query needs.
    async fn of(service: &QueryService, query: Translated, announced: &[Option<Type>]) -> PgWireResult<Self> {
        let describe = async |sql: &str, parameters| {
            let request = Request { parameters, ..Request::of(sql) };
            service.describe(request).await.map_err(|error| query.failed(&error))
        };
        if query.parameters == 0 {
            let schema = describe(&query.sql, Parameters::default()).await?.schema;
            return Ok(Self { query, parameters: Vec::new(), schema });
        }
        let known = |number: usize| {
            let told = announced.get(number.checked_sub(1)?).and_then(Option::as_ref);
            told.filter(|kind| **kind != Type::UNKNOWN).or_else(|| query.casts.get(&number)).cloned()
        };
        let mut kinds: Vec<Option<Type>> = (1..=query.parameters).map(known).collect();
        let mut found = None;
        if kinds.contains(&None) {
            let description = describe(&query.with_elements, Parameters::default()).await?;
            for (at, kind) in kinds.iter_mut().enumerate().filter(|(_, kind)| kind.is_none()) {
                let number = at + 1;
                let inferred = wanted(description.parameters.get(&format!("${number}")).and_then(Option::as_ref));
                *kind = if query.arrays.contains(&number) { array_of(&inferred) } else { Some(inferred) };
            }
            found = Some(description.schema);
        }
        let parameters: Vec<Type> = kinds.into_iter().map(|kind| kind.unwrap_or(Type::TEXT)).collect();
        // Columns that are made of parameters have types once those have.
        let nulls = parameters.iter().map(values::null).collect::<Result<_, _>>();
        let nulls = nulls.map_err(|error| refused(error.code(), error.to_string()))?;
        let schema = match (describe(&query.sql, Parameters::Positional(nulls)).await, found) {
            (Ok(description), _) => description.schema,
            // Some functions take no nulls; with values they do as the query says without any.
            (Err(_), Some(schema)) => schema,
            (Err(_), None) => describe(&query.sql, Parameters::default()).await?.schema,
        };
        Ok(Self { query, parameters, schema })
    }
}
