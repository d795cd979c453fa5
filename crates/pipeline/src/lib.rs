//! Component traits, the pipeline graph, life cycle and own telemetry.

pub mod auth;
mod batch;
mod client;
mod closing;
mod component;
mod consume;
mod factory;
mod graph;
mod host;
mod known;
mod listen;
mod listeners;
mod pages;
mod readiness;
mod service;
mod telemetry;
#[cfg(test)]
mod testing;

pub use batch::Batch;
pub use client::Client;
pub use closing::{BACKLOG, Closing, LINGER, Lingering, finish};
pub use component::{Abandoned, Component, ComponentError, Node};
pub use consume::{Code, ConsumeError, Consumer};
pub use factory::{
    ConnectorFactory, Context, CreateProcessor, ExporterFactory, ExtensionFactory, Factories, Kind, MissingPipelines,
    Outputs, ProcessorFactory, ReceiverFactory, Stability,
};
pub use graph::{Graph, StartError, StopError};
pub use host::{Host, Layout};
pub use listen::{Port, accept, bind, serve, serve_grpc};
pub use listeners::{Listeners, Sockets, UnixSocket};
pub use pages::{Guard, Page, Pages, Site};
pub use readiness::{Phase, Readiness, Replaying};
pub use service::{Event, Load, News, Service, ServiceError, SetUpLogs, Tell};
pub use spanmill_otlp::Signal;
pub use telemetry::{
    Encoding, Level, LogLevel, LogSettings, MetricEndpoint, MetricSettings, Operation, Operations, Running, Settings,
    Summary, Telemetry,
};
