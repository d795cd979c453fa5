//! A client of Arrow Flight SQL that knows no Arrow: answers are shown as the bytes that they are, in which texts can be found.

use bytes::Bytes;
use prost::Message;
use tonic::Status;

use crate::grpc;

/// A user of a server.
#[derive(Debug, Clone)]
pub struct Flight {
    client: grpc::Client,
    authorization: String,
}

#[derive(Clone, PartialEq, Message)]
struct Descriptor {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(bytes = "bytes", tag = "2")]
    command: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Statement {
    #[prost(string, tag = "1")]
    query: String,
}

#[derive(Clone, PartialEq, Message)]
struct Info {
    #[prost(message, repeated, tag = "3")]
    endpoints: Vec<Place>,
}

#[derive(Clone, PartialEq, Message)]
struct Place {
    /// As it is sent back.
    #[prost(bytes = "bytes", tag = "1")]
    ticket: Bytes,
}

/// A descriptor that holds a command.
const COMMAND: i32 = 2;

// === impl Flight ===

impl Flight {
    /// Who has this password, at a port of loopback.
    pub async fn connect(port: u16, password: &str) -> Self {
        Self { client: grpc::Client::connect(port).await, authorization: format!("Bearer {password}") }
    }

    /// The ticket for a statement.
    pub async fn ticket(&self, sql: &str) -> Result<Bytes, Status> {
        self.info("CommandStatementQuery", &Statement { query: sql.to_owned() }.encode_to_vec()).await
    }

    /// What a ticket gives.
    pub async fn shown(&self, ticket: Bytes) -> Result<String, Status> {
        let headers = [("authorization", self.authorization.as_str())];
        let answer = self.client.stream_with("/arrow.flight.protocol.FlightService/DoGet", ticket, &headers).await?;
        Ok(String::from_utf8_lossy(&answer.concat()).into_owned())
    }

    /// The answer to a statement.
    pub async fn ask(&self, sql: &str) -> Result<String, Status> {
        self.shown(self.ticket(sql).await?).await
    }

    /// The tables.
    pub async fn tables(&self) -> Result<String, Status> {
        self.shown(self.info("CommandGetTables", &[]).await?).await
    }

    async fn info(&self, command: &str, value: &[u8]) -> Result<Bytes, Status> {
        let type_url = format!("type.googleapis.com/arrow.flight.protocol.sql.{command}");
        let command = Any { type_url, value: value.to_vec() }.encode_to_vec().into();
        let descriptor = Descriptor { kind: COMMAND, command }.encode_to_vec().into();
        let headers = [("authorization", self.authorization.as_str())];
        let method = "/arrow.flight.protocol.FlightService/GetFlightInfo";
        let info = Info::decode(self.client.call_with(method, descriptor, &headers).await?).expect("it is one");
        Ok(info.endpoints.first().expect("there is a place to ask").ticket.clone())
    }
}
