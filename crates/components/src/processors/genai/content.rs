//! The options of `content`, and what is done by them once a request is normalised.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use spanmill_config::{ByteSize, ConfigError, Secret, Section};
use spanmill_genai::Engine;
use spanmill_genai::content::{self, Applied, ContentOptions, ContentPolicy, ContentRule, HashKey};
use spanmill_otlp::Traces;
use spanmill_pipeline::{Batch, ConsumeError, Consumer, Telemetry};

use super::metrics::ContentMetrics;
use super::store::{Store, StoreConfig};

/// What is done with prompts, answers and other content. By default nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContentConfig {
    /// What is done with content that no rule is about.
    policy: Action,
    /// Rules by attribute and size; the first that is about a value decides.
    rules: Vec<RuleConfig>,
    /// What `truncate` cuts to; 4KiB where nothing is said.
    max_bytes: Option<ByteSize>,
    /// What is done with data in base64, before anything else.
    blobs: DataAction,
    /// What is done with embedding vectors, before anything but blobs.
    embeddings: DataAction,
    /// What is masked, before `policy` and `rules`.
    mask: Vec<MaskConfig>,
    /// Makes hashes HMACs with this key, so that nobody can try out texts.
    hash_key: Option<Secret>,
    /// Where `offload` puts content.
    offload: StoreConfig,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    #[default]
    Keep,
    Drop,
    Hash,
    Truncate,
    Offload,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DataAction {
    #[default]
    Keep,
    Drop,
    Hash,
    Offload,
}

/// An action for some content.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleConfig {
    /// Names of attributes, with `*` for anything; without any, all content.
    #[serde(default)]
    attributes: Vec<String>,
    /// Only values that are larger.
    #[serde(default)]
    larger_than: Option<ByteSize>,
    /// What is done.
    action: Action,
}

/// The name of a built-in kind, or a pattern of the user's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum MaskConfig {
    Builtin(String),
    Own(OwnMask),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnMask {
    name: String,
    pattern: String,
    replacement: Option<String>,
}

/// What is done with content.
pub(super) struct Content {
    policy: ContentPolicy,
    store: Option<Store>,
    metrics: ContentMetrics,
}

/// Does with content what is asked for, and hands requests on.
pub(super) struct ThenContent {
    pub(super) content: Content,
    pub(super) next: Arc<dyn Consumer>,
}

// === impl ThenContent ===

#[async_trait]
impl Consumer for ThenContent {
    async fn consume(&self, batch: Batch) -> Result<(), ConsumeError> {
        let batch = match batch {
            Batch::Traces(traces) => Batch::Traces(self.content.apply(traces).await?),
            other @ Batch::Opaque(_) => other,
        };
        self.next.consume(batch).await
    }
}

// === impl ContentConfig ===

impl ContentConfig {
    /// What is to be done; nothing if everything stays as it is.
    pub(super) fn read(
        self,
        engine: &Engine,
        section: &Section,
        telemetry: &Telemetry,
        id: &str,
    ) -> Result<Option<Content>, ConfigError> {
        let bytes = |size: ByteSize| usize::try_from(size.bytes()).unwrap_or(usize::MAX);
        let store = Store::new(&self.offload, section)?;
        let rules = self.rules.into_iter().map(|RuleConfig { attributes, larger_than, action }| ContentRule {
            attributes,
            larger_than: larger_than.map_or(0, bytes),
            action: action.into(),
        });
        let options = ContentOptions {
            policy: self.policy.into(),
            rules: rules.collect(),
            max_bytes: self.max_bytes.map(bytes),
            blobs: self.blobs.into(),
            embeddings: self.embeddings.into(),
            mask: self.mask.into_iter().map(Into::into).collect(),
            hash_key: self.hash_key.map(|key| HashKey(key.expose().as_bytes().to_vec())),
            store: store.as_ref().map(|store| store.address().to_owned()),
        };
        // Options are checked even where they change nothing.
        let policy = ContentPolicy::new(&options, engine)
            .map_err(|error| section.error(&format!("content::{}", error.option), error))?;
        if options.is_keep() {
            return Ok(None);
        }
        let metrics = ContentMetrics::new(telemetry, id, policy.mask_names());
        Ok(Some(Content { policy, store, metrics }))
    }
}

// === impl Content ===

impl Content {
    /// Does what is to be done. A request whose content cannot be put aside is refused, for the client to send again: nothing of it is lost.
    async fn apply(&self, traces: Traces) -> Result<Traces, ConsumeError> {
        let Applied { traces, aside, tally } = self.policy.apply(traces);
        if let Some(store) = self.store.as_ref().filter(|_| !aside.is_empty()) {
            store.put(aside).await.map_err(|error| {
                self.metrics.failed.inc();
                ConsumeError::retryable(format!("content could not be put aside: {error}"))
            })?;
        }
        self.metrics.count(&tally);
        Ok(traces)
    }
}

// === impl Action ===

impl From<Action> for content::Action {
    fn from(action: Action) -> Self {
        match action {
            Action::Keep => Self::Keep,
            Action::Drop => Self::Drop,
            Action::Hash => Self::Hash,
            Action::Truncate => Self::Truncate,
            Action::Offload => Self::Offload,
        }
    }
}

// === impl DataAction ===

impl From<DataAction> for content::DataAction {
    fn from(action: DataAction) -> Self {
        match action {
            DataAction::Keep => Self::Keep,
            DataAction::Drop => Self::Drop,
            DataAction::Hash => Self::Hash,
            DataAction::Offload => Self::Offload,
        }
    }
}

// === impl MaskConfig ===

impl From<MaskConfig> for content::Mask {
    fn from(mask: MaskConfig) -> Self {
        match mask {
            MaskConfig::Builtin(name) => Self::Builtin(name),
            MaskConfig::Own(OwnMask { name, pattern, replacement }) => Self::Own { name, pattern, replacement },
        }
    }
}
