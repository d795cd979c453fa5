//! What the Collector has behind feature gates.

use spanmill_config::{FeatureGate, LAMBDAS};
use spanmill_ottl::Compiler;

/// Whether functions of OTTL may take lambdas.
pub(crate) fn lambdas() -> bool {
    FeatureGate::is_enabled(LAMBDAS)
}

/// Compiles conditions, with what the gates allow.
pub(crate) fn compiler() -> Compiler {
    Compiler::new().with_lambdas(lambdas())
}
