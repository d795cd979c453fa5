#![doc = include_str!("../README.md")]

mod de;
mod document;
mod duration;
mod endpoint;
mod error;
mod gates;
mod headers;
mod id;
mod known;
mod load;
mod node;
mod optional;
mod place;
mod print;
mod profiles;
mod redact;
mod secret;
mod section;
mod size;
mod stamp;
mod suggest;
mod telemetry;
mod validate;
mod yaml;

pub use document::{Components, Document, PipelineConfig, Service};
pub use duration::{Duration, DurationError};
pub use endpoint::{Endpoint, EndpointError};
pub use error::{ConfigError, Problem};
pub use gates::{FEATURE_GATES, FeatureGate, GateStage, LAMBDAS, set_feature_gates};
pub use headers::Headers;
pub use id::{ComponentId, IdError, Kind, PipelineId, Signal};
pub use known::{KnownType, KnownTypes};
pub use load::{Providers, Resolved, SetFlag, SetFlagError, Uri, UriError, load};
pub use node::{Entry, Map, Node, Value};
pub use optional::{NullableBlock, OptionalBlock};
pub use place::Place;
pub use print::{PrintError, PrintFormat, PrintMode, print_config};
pub use redact::without_url_secrets;
pub use secret::{REDACTED, Secret};
pub use section::Section;
pub use size::{ByteSize, ByteSizeError};
pub use stamp::Stamp;
pub use telemetry::{
    LogLevel, LogSampling, LogsTelemetry, MetricReader, MetricsLevel, MetricsTelemetry, PrometheusReader, PullExporter,
    PullReader, ResourceAttributes, TelemetryConfig,
};
