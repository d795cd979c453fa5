//! Properties of spans, compiled.

use spanmill_config::{ConfigError, Section};
use spanmill_otlp::{ResourceRef, ScopeRef, SpanRef};

use super::config::PropertiesConfig;
use super::expected::Attribute;
use super::place::{Libraries, Place};
use super::texts::Texts;

/// What a span must be like, all of it.
#[derive(Debug)]
pub(super) struct Properties {
    services: Option<Texts>,
    names: Option<Texts>,
    kinds: Option<Texts>,
    attributes: Vec<Attribute>,
    resources: Vec<Attribute>,
    libraries: Libraries,
}

/// The kinds by number.
const KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];

// === impl Properties ===

impl Properties {
    /// Compiles the properties that stand at `path` of a section.
    pub(super) fn compile(section: &Section, path: &str, config: &PropertiesConfig) -> Result<Self, ConfigError> {
        let place = Place { section, path, config };
        if let Some((option, message)) = config.mistake() {
            return Err(place.error(option, message));
        }
        Ok(Self {
            services: place.texts("services", &config.services)?,
            names: place.texts("span_names", &config.span_names)?,
            kinds: place.texts("span_kinds", &config.span_kinds)?,
            attributes: place.attributes("attributes", &config.attributes)?,
            resources: place.attributes("resources", &config.resources)?,
            libraries: place.libraries()?,
        })
    }

    pub(super) fn meet_resource(&self, resource: ResourceRef<'_>) -> bool {
        let meets_service = self.services.as_ref().is_none_or(|services| {
            let mut service = Vec::new();
            match resource.attribute("service.name") {
                Some(name) => name.put_text(&mut service),
                None => service.extend_from_slice(b"<nil-service-name>"),
            }
            services.contain(&service)
        });
        meets_service && self.resources.iter().all(|expected| expected.is_met(resource.attribute(&expected.key)))
    }

    pub(super) fn meet_scope(&self, scope: ScopeRef<'_>) -> bool {
        self.libraries.are(scope.name(), scope.version())
    }

    pub(super) fn meet_span(&self, span: SpanRef<'_>) -> bool {
        self.names.as_ref().is_none_or(|names| names.contain(span.name()))
            && self.kinds.as_ref().is_none_or(|kinds| kinds.contain(kind(span.kind()).as_bytes()))
            && self.attributes.iter().all(|expected| expected.is_met(span.attribute(&expected.key)))
    }
}

/// The name of a kind, as it is in the protocol; nothing for one that is unknown.
fn kind(number: i32) -> &'static str {
    usize::try_from(number).ok().and_then(|number| KINDS.get(number)).copied().unwrap_or("")
}

// === impl PropertiesConfig ===

impl PropertiesConfig {
    /// An option that is wrong whatever the others are, and why.
    fn mistake(&self) -> Option<(&'static str, String)> {
        let not_for_spans = ["log_bodies", "log_severity_texts", "log_severity_number", "metric_names"];
        if let Some(option) = not_for_spans.into_iter().find(|option| self.has(option)) {
            return Some((option, "should not be specified for trace spans".to_owned()));
        }
        let for_spans = ["services", "span_names", "span_kinds", "attributes", "resources", "libraries"];
        if !for_spans.into_iter().any(|option| self.has(option)) {
            let options = "services, span_names, span_kinds, attributes, resources and libraries";
            return Some(("", format!("at least one of {options} must be specified")));
        }
        let unknown = |kind: &&String| !KINDS.iter().skip(1).any(|known| known == kind);
        match self.span_kinds.iter().find(unknown).filter(|_| self.match_type == "strict") {
            Some(kind) => {
                let known = KINDS.get(1..).unwrap_or(&[]).join(", ");
                Some(("span_kinds", format!("unknown span kind {kind:?}, valid with match_type strict are {known}")))
            }
            None => None,
        }
    }
}
