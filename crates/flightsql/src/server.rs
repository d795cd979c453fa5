use std::future::Future;

use arrow_flight::flight_service_server::FlightServiceServer;
use spanmill_pipeline::Port;
use spanmill_query::{Access, QueryService};
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;

use crate::access::Gate;
use crate::service::FlightSql;

/// An answer is cut off, with an error, after so many rows.
const MOST_ROWS: u64 = 10_000_000;

/// Answers Flight SQL on a port until `shutdown`; calls that run then are answered. A user who acts for a tenant
/// sees the rows of that tenant alone; without `access` everybody may ask, and sees all.
pub async fn serve(
    port: impl Into<Port>,
    service: QueryService,
    access: Option<Access>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let gate = Gate::new(access);
    let flight = FlightServiceServer::new(FlightSql::new(service.with_most_rows(MOST_ROWS)));
    let services = Routes::new(InterceptedService::new(flight, gate));
    spanmill_pipeline::serve_grpc(port, services, shutdown).await;
}
