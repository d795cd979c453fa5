//! Component traits, the pipeline graph, life cycle and own telemetry.

mod batch;
mod client;
mod component;
mod consume;
mod factory;
mod graph;
mod host;
mod known;
mod listen;
mod pages;
mod service;
mod telemetry;
#[cfg(test)]
mod testing;

pub use batch::Batch;
pub use client::Client;
pub use component::{Component, ComponentError, Node};
pub use consume::{Code, ConsumeError, Consumer};
pub use factory::{
    ConnectorFactory, Context, CreateProcessor, ExporterFactory, ExtensionFactory, Factories, Kind, MissingPipelines,
    Outputs, ProcessorFactory, ReceiverFactory, Stability,
};
pub use graph::{Graph, StartError, StopError};
pub use host::{Host, Layout};
pub use listen::{Port, accept, bind, serve, serve_grpc};
pub use pages::{Guard, Page, Pages, Site};
pub use service::{Event, Load, Service, ServiceError, SetUpLogs};
pub use spanmill_otlp::Signal;
pub use telemetry::{
    Encoding, Level, LogLevel, LogSettings, MetricSettings, Operation, Operations, Running, Settings, Summary,
    Telemetry,
};
