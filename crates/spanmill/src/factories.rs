//! The table of components: what stands here is what there is.

use spanmill_components::{connectors, exporters, extensions, processors, receivers};
use spanmill_pipeline::{
    ConnectorFactory, ExporterFactory, ExtensionFactory, Factories, ProcessorFactory, ReceiverFactory,
};

/// All components, each kind in alphabetical order.
pub(crate) const FACTORIES: Factories = Factories {
    receivers: RECEIVERS,
    processors: PROCESSORS,
    exporters: EXPORTERS,
    connectors: CONNECTORS,
    extensions: EXTENSIONS,
};

const RECEIVERS: &[ReceiverFactory] = &[receivers::nop::FACTORY, receivers::otlp::FACTORY];

const PROCESSORS: &[ProcessorFactory] = &[
    processors::attributes::FACTORY,
    processors::batch::FACTORY,
    processors::filter::FACTORY,
    processors::gen_ai_normalizer::FACTORY,
    processors::genai::FACTORY,
    processors::groupbyattrs::FACTORY,
    processors::groupbytrace::FACTORY,
    processors::memory_limiter::FACTORY,
    processors::probabilistic_sampler::FACTORY,
    processors::queuebatch::FACTORY,
    processors::redaction::FACTORY,
    processors::resource::FACTORY,
    processors::resource_detection::FACTORY,
    processors::span::FACTORY,
    processors::tail_sampling::FACTORY,
    processors::transform::FACTORY,
];

const EXPORTERS: &[ExporterFactory] = &[
    exporters::debug::FACTORY,
    exporters::file::FACTORY,
    exporters::load_balancing::FACTORY,
    exporters::nop::FACTORY,
    exporters::otlp_grpc::FACTORY,
    exporters::otlp_http::FACTORY,
    exporters::prometheus::FACTORY,
    spanmill_spanstore::FACTORY,
];

const CONNECTORS: &[ConnectorFactory] = &[
    connectors::count::FACTORY,
    connectors::failover::FACTORY,
    connectors::forward::FACTORY,
    connectors::genai_metrics::FACTORY,
    connectors::routing::FACTORY,
    connectors::signal_to_metrics::FACTORY,
    connectors::span_metrics::FACTORY,
];

const EXTENSIONS: &[ExtensionFactory] = &[
    extensions::api_keys::FACTORY,
    extensions::basicauth::FACTORY,
    extensions::bearertokenauth::FACTORY,
    extensions::file_storage::FACTORY,
    extensions::headers_setter::FACTORY,
    extensions::health_check::FACTORY,
    extensions::oidc::FACTORY,
    extensions::pprof::FACTORY,
    extensions::zpages::FACTORY,
];
