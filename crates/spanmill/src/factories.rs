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

const RECEIVERS: &[ReceiverFactory] = &[receivers::nop::FACTORY];

const PROCESSORS: &[ProcessorFactory] = &[processors::batch::FACTORY];

const EXPORTERS: &[ExporterFactory] = &[exporters::nop::FACTORY];

const CONNECTORS: &[ConnectorFactory] = &[connectors::forward::FACTORY];

const EXTENSIONS: &[ExtensionFactory] = &[extensions::health_check::FACTORY];
