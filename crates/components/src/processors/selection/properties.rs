//! Properties of spans, compiled.

use spanmill_config::{ConfigError, Section};
use spanmill_otlp::{AnyValue, ResourceRef, ScopeRef, SpanRef, ValueRef, put_plain_double};

use super::config::{AttributeConfig, PropertiesConfig};
use super::texts::Texts;
use crate::processors::identity;
use crate::processors::literal::Literal;

/// What a span must be like, all of it.
#[derive(Debug)]
pub(super) struct Properties {
    services: Option<Texts>,
    names: Option<Texts>,
    kinds: Option<Texts>,
    attributes: Vec<Attribute>,
    resources: Vec<Attribute>,
    libraries: Vec<(Texts, Option<Texts>)>,
}

/// An attribute that must be there.
#[derive(Debug)]
struct Attribute {
    key: String,
    expected: Expected,
}

#[derive(Debug)]
enum Expected {
    Anything,
    /// A text, a number or a boolean whose text matches.
    Text(Texts),
    /// The very value, and its canonical form.
    Value(Literal, Vec<u8>),
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
        if let Some((option, message)) = config.mistake() {
            let place = if option.is_empty() { path.to_owned() } else { format!("{path}::{option}") };
            return Err(section.error(&place, message));
        }
        let texts = |option: &str, texts: &[String]| {
            (!texts.is_empty())
                .then(|| Texts::compile(config, texts))
                .transpose()
                .map_err(|message| section.error(&format!("{path}::{option}"), message))
        };
        let attributes = |option: &str, attributes: &[AttributeConfig]| {
            let compile = |(index, attribute): (usize, &AttributeConfig)| {
                Attribute::compile(config, attribute)
                    .map_err(|message| section.error(&format!("{path}::{option}[{index}]"), message))
            };
            attributes.iter().enumerate().map(compile).collect::<Result<Vec<_>, _>>()
        };
        let mut libraries = Vec::new();
        for (index, library) in config.libraries.iter().enumerate() {
            let compile = |option: &str, text: &String| {
                Texts::compile(config, [text])
                    .map_err(|message| section.error(&format!("{path}::libraries[{index}]::{option}"), message))
            };
            let version = library.version.as_ref().map(|version| compile("version", version)).transpose()?;
            libraries.push((compile("name", &library.name)?, version));
        }
        Ok(Self {
            services: texts("services", &config.services)?,
            names: texts("span_names", &config.span_names)?,
            kinds: texts("span_kinds", &config.span_kinds)?,
            attributes: attributes("attributes", &config.attributes)?,
            resources: attributes("resources", &config.resources)?,
            libraries,
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
        self.libraries.iter().all(|(name, version)| {
            name.contain(scope.name()) && version.as_ref().is_none_or(|version| version.contain(scope.version()))
        })
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
        let not_for_spans = [
            ("log_bodies", !self.log_bodies.is_empty()),
            ("log_severity_texts", !self.log_severity_texts.is_empty()),
            ("log_severity_number", self.log_severity_number.is_some()),
            ("metric_names", !self.metric_names.is_empty()),
        ];
        if let Some((option, _)) = not_for_spans.into_iter().find(|(_, given)| *given) {
            return Some((option, "should not be specified for trace spans".to_owned()));
        }
        if self.services.is_empty()
            && self.span_names.is_empty()
            && self.span_kinds.is_empty()
            && self.attributes.is_empty()
            && self.resources.is_empty()
            && self.libraries.is_empty()
        {
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

// === impl Attribute ===

impl Attribute {
    fn compile(config: &PropertiesConfig, attribute: &AttributeConfig) -> Result<Self, String> {
        if attribute.key.is_empty() {
            return Err("can't have empty key in the list of attributes".to_owned());
        }
        let expected = match (&attribute.value, config.match_type.as_str()) {
            (None, _) => Expected::Anything,
            (Some(value), "strict") => {
                let mut form = Vec::new();
                identity::put_value(&mut form, value.value());
                Expected::Value(value.clone(), form)
            }
            (Some(value), "regexp") => {
                let pattern = value.value().as_str().ok_or("match_type=regexp only supports strings as value")?;
                Expected::Text(Texts::compile(config, [&pattern.to_owned()])?)
            }
            // Says that there is no such type.
            (Some(_), _) => Expected::Text(Texts::compile(config, [])?),
        };
        Ok(Self { key: attribute.key.clone(), expected })
    }

    fn is_met(&self, found: Option<ValueRef<'_>>) -> bool {
        let Some(found) = found else { return false };
        match &self.expected {
            Expected::Anything => true,
            Expected::Text(texts) => match found.get() {
                AnyValue::Text(text) => texts.contain(text),
                AnyValue::Double(number) => {
                    let mut text = Vec::new();
                    put_plain_double(&mut text, number);
                    texts.contain(&text)
                }
                AnyValue::Bool(_) | AnyValue::Int(_) => {
                    let mut text = Vec::new();
                    found.put_text(&mut text);
                    texts.contain(&text)
                }
                AnyValue::Empty | AnyValue::Array(_) | AnyValue::Map(_) | AnyValue::Bytes(_) => false,
            },
            Expected::Value(value, form) => match (value.value().get(), found.get()) {
                (AnyValue::Text(expected), AnyValue::Text(found)) => expected == found,
                // Not their bits: both zeros are the same.
                (AnyValue::Double(expected), AnyValue::Double(found)) => expected == found,
                _ => {
                    let mut found_form = Vec::new();
                    identity::put_value(&mut found_form, found);
                    *form == found_form
                }
            },
        }
    }
}
