//! Component traits, the pipeline graph, life cycle and own telemetry.

mod batch;
mod component;
mod consume;
mod factory;
mod host;
mod telemetry;

pub use batch::Batch;
pub use component::{Component, ComponentError, Node};
pub use consume::{Code, ConsumeError, Consumer};
pub use factory::{
    ConnectorFactory, Context, ExporterFactory, ExtensionFactory, Factories, Kind, Outputs, ProcessorFactory,
    ReceiverFactory, Stability,
};
pub use host::Host;
pub use spanmill_otlp::Signal;
pub use telemetry::{Level, Telemetry};
