//! Feature gates: what the Go Collector has behind `--feature-gates`.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A gate of the Go Collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureGate {
    /// What it is called on the command line.
    pub id: &'static str,
    /// How far it has come: what is stable cannot be turned off.
    pub stage: GateStage,
    /// Whether it is on where nothing is said.
    pub is_default: bool,
}

/// How far a gate has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateStage {
    /// Off, to be tried.
    Alpha,
    /// On, to be turned off where it does harm.
    Beta,
    /// On for ever.
    Stable,
}

/// Functions of OTTL take lambdas.
pub const LAMBDAS: &str = "ottl.functions.enableLambda";

/// All gates of a Collector of version 0.161 that has the components of this program, in the order of their names. Those that spanmill heeds are
/// few: [`FeatureGate::is_heeded`].
pub const FEATURE_GATES: &[FeatureGate] = &[
    gate("confmap.enableMergeAppendOption", GateStage::Alpha),
    gate("connector.spanmetrics.excludeResourceMetrics", GateStage::Alpha),
    gate("connector.spanmetrics.includeCollectorInstanceID", GateStage::Beta),
    gate("connector.spanmetrics.legacyMetricNames", GateStage::Alpha),
    gate("connector.spanmetrics.useSecondAsDefaultMetricsUnit", GateStage::Alpha),
    gate("exporter.file.nativeCompression", GateStage::Alpha),
    gate("exporter.prometheus.DisableResourceToTelemetryConversion", GateStage::Alpha),
    gate("exporter.prometheusexporter.DisableAddMetricSuffixes", GateStage::Beta),
    gate("extension.healthcheck.useComponentStatus", GateStage::Alpha),
    gate("filter.filterlog.useOTTLBridge", GateStage::Alpha),
    gate("filter.filtermetric.useOTTLBridge", GateStage::Alpha),
    gate("filter.filterspan.useOTTLBridge", GateStage::Alpha),
    gate("ottl.PanicDuplicateName", GateStage::Stable),
    gate("ottl.contexts.enableOTelColContext", GateStage::Stable),
    gate("ottl.functions.enableLambda", GateStage::Alpha),
    gate("ottl.set.allowNil", GateStage::Beta),
    gate("pdata.useProtoPooling", GateStage::Alpha),
    gate("pkg.exporterhelper.queueBatchEnabled", GateStage::Alpha),
    gate("pkg.translator.prometheus.PermissiveLabelSanitization", GateStage::Alpha),
    gate("processor.filter.defaultErrorModeIgnore", GateStage::Stable),
    gate("processor.tailsamplingprocessor.metricstatcountbytessampled", GateStage::Alpha),
    gate("processor.tailsamplingprocessor.metricstatcountspanssampled", GateStage::Alpha),
    gate("processor.tailsamplingprocessor.recordpolicy", GateStage::Alpha),
    gate("processor.tailsamplingprocessor.tailstorageextension", GateStage::Alpha),
    gate("processor.tailsamplingprocessor.usetracestate", GateStage::Alpha),
    gate("processor.transform.defaultErrorModeIgnore", GateStage::Stable),
    gate("receiverhelper.newReceiverMetrics", GateStage::Alpha),
    gate("service.AllowNoPipelines", GateStage::Alpha),
    gate("service.partialReload", GateStage::Alpha),
    gate("service.partialReloadReceivers", GateStage::Beta),
    gate("service.profilesSupport", GateStage::Alpha),
    gate("spanmetrics.statusCodeConvention.useOtelPrefix", GateStage::Alpha),
    gate("telemetry.newPipelineTelemetry", GateStage::Alpha),
    gate("transform.flatten.logs", GateStage::Alpha),
];

/// Which gates are on that are off by default, or the other way round: one bit each, for the whole process, as in Go.
static CHANGED: AtomicU64 = AtomicU64::new(0);

const fn gate(id: &'static str, stage: GateStage) -> FeatureGate {
    FeatureGate { id, stage, is_default: !matches!(stage, GateStage::Alpha) }
}

/// Sets gates as `--feature-gates` says: a list with commas, `-` before what is turned off. What the user should know is returned.
///
/// # Errors
///
/// Fails at a gate that there is not, or that is stable and should be turned off; then nothing changes.
pub fn set_feature_gates(lists: &[String]) -> Result<Vec<String>, String> {
    let (mut changed, mut remarks) = (CHANGED.load(Ordering::Relaxed), Vec::new());
    for (at, name) in lists.iter().filter(|list| !list.is_empty()).flat_map(|list| list.split(',').enumerate()) {
        let (id, on) = match name.strip_prefix('-') {
            Some(id) => (id, false),
            None => (name.strip_prefix('+').unwrap_or(name), true),
        };
        if name.is_empty() {
            return Err(format!("empty feature gate identifier at index {at}"));
        }
        let Some((bit, gate)) = FEATURE_GATES.iter().enumerate().find(|(_, gate)| gate.id == id) else {
            return Err(format!("no such feature gate {id:?}"));
        };
        match (gate.stage, on) {
            (GateStage::Stable, false) => {
                return Err(format!("feature gate {id:?} is stable, can not be disabled"));
            }
            (GateStage::Stable, true) => remarks.push(format!("feature gate {id:?} is stable and already enabled")),
            _ if !gate.is_heeded() && on != gate.is_default => {
                remarks.push(format!("feature gate {id:?} changes the Go Collector only, and nothing here"));
            }
            _ => {}
        }
        let mask = 1 << bit;
        changed = if on == gate.is_default { changed & !mask } else { changed | mask };
    }
    CHANGED.store(changed, Ordering::Relaxed);
    Ok(remarks)
}

// === impl FeatureGate ===

impl FeatureGate {
    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        let at = FEATURE_GATES.iter().position(|gate| gate == self);
        let is_changed = at.is_some_and(|bit| CHANGED.load(Ordering::Relaxed) & (1 << bit) != 0);
        self.is_default != is_changed
    }

    /// Whether it makes a difference to this program.
    pub fn is_heeded(&self) -> bool {
        self.id == LAMBDAS
    }

    /// Whether the gate of that name is on.
    pub fn is_enabled(id: &str) -> bool {
        FEATURE_GATES.iter().any(|gate| gate.id == id && gate.is_on())
    }
}

// === impl GateStage ===

impl fmt::Display for GateStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Alpha => "Alpha",
            Self::Beta => "Beta",
            Self::Stable => "Stable",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: lists with known and unknown gates, signs, gaps, and a stable gate that is turned off.
    /// Guarantees: what Go refuses is refused and changes nothing; what is set holds, and can be taken back; without effect, it is told.
    #[test]
    fn lists() {
        let set = |list: &str| set_feature_gates(&[list.to_owned()]);
        assert!(!FeatureGate::is_enabled(LAMBDAS));
        assert_eq!(set("nope").unwrap_err(), "no such feature gate \"nope\"");
        assert_eq!(set(&format!("{LAMBDAS},,")).unwrap_err(), "empty feature gate identifier at index 1");
        let stable = set("-processor.filter.defaultErrorModeIgnore").unwrap_err();
        assert_eq!(stable, "feature gate \"processor.filter.defaultErrorModeIgnore\" is stable, can not be disabled");
        assert!(!FeatureGate::is_enabled(LAMBDAS));
        assert!(set(&format!("+{LAMBDAS}")).unwrap().is_empty());
        assert!(FeatureGate::is_enabled(LAMBDAS) && FeatureGate::is_enabled("ottl.set.allowNil"));
        assert_eq!(set(&format!("-{LAMBDAS},-ottl.set.allowNil")).unwrap().len(), 1);
        assert!(!FeatureGate::is_enabled(LAMBDAS) && !FeatureGate::is_enabled("ottl.set.allowNil"));
        assert!(set("").unwrap().is_empty() && set("ottl.set.allowNil").unwrap().is_empty());
        assert!(FEATURE_GATES.len() <= 64);
    }
}
