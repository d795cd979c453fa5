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
    processors::batch::FACTORY,
    processors::filter::FACTORY,
    processors::gen_ai_normalizer::FACTORY,
    processors::genai::FACTORY,
    processors::memory_limiter::FACTORY,
    processors::queuebatch::FACTORY,
    processors::resource_detection::FACTORY,
];

const EXPORTERS: &[ExporterFactory] = &[
    exporters::debug::FACTORY,
    exporters::file::FACTORY,
    exporters::load_balancing::FACTORY,
    exporters::nop::FACTORY,
    exporters::otlp_grpc::FACTORY,
    exporters::otlp_http::FACTORY,
    spanmill_spanstore::FACTORY,
];

const CONNECTORS: &[ConnectorFactory] =
    &[connectors::failover::FACTORY, connectors::forward::FACTORY, connectors::routing::FACTORY];

const EXTENSIONS: &[ExtensionFactory] = &[
    extensions::basicauth::FACTORY,
    extensions::bearertokenauth::FACTORY,
    extensions::health_check::FACTORY,
    extensions::pprof::FACTORY,
    extensions::zpages::FACTORY,
];
