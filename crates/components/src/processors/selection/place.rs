//! Where properties stand in the configuration, and what of them is the same for all signals.

use spanmill_config::{ConfigError, Section};

use super::config::{AttributeConfig, PropertiesConfig};
use super::expected::Attribute;
use super::texts::Texts;

/// Properties at a path of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) section: &'a Section,
    pub(super) path: &'a str,
    pub(super) config: &'a PropertiesConfig,
}

/// Names of scopes, and versions where they are given. The scope must be all of them.
#[derive(Debug, Default)]
pub(super) struct Libraries(Vec<(Texts, Option<Texts>)>);

// === impl Place ===

impl Place<'_> {
    /// What is wrong with an option, or with all where none is named.
    pub(super) fn error(&self, option: &str, message: String) -> ConfigError {
        match option {
            "" => self.section.error(self.path, message),
            option => self.section.error(&format!("{}::{option}", self.path), message),
        }
    }

    /// Texts of which one must be met; none where nothing is asked.
    pub(super) fn texts(&self, option: &str, texts: &[String]) -> Result<Option<Texts>, ConfigError> {
        let compiled = (!texts.is_empty()).then(|| Texts::compile(self.config, texts)).transpose();
        compiled.map_err(|message| self.error(option, message))
    }

    pub(super) fn attributes(
        &self,
        option: &str,
        attributes: &[AttributeConfig],
    ) -> Result<Vec<Attribute>, ConfigError> {
        let compile = |(index, attribute): (usize, &AttributeConfig)| {
            Attribute::compile(self.config, attribute)
                .map_err(|message| self.error(&format!("{option}[{index}]"), message))
        };
        attributes.iter().enumerate().map(compile).collect()
    }

    pub(super) fn libraries(&self) -> Result<Libraries, ConfigError> {
        let mut libraries = Vec::new();
        for (index, library) in self.config.libraries.iter().enumerate() {
            let compile = |option: &str, text: &String| {
                Texts::compile(self.config, [text])
                    .map_err(|message| self.error(&format!("libraries[{index}]::{option}"), message))
            };
            let version = library.version.as_ref().map(|version| compile("version", version)).transpose()?;
            libraries.push((compile("name", &library.name)?, version));
        }
        Ok(Libraries(libraries))
    }
}

// === impl PropertiesConfig ===

impl PropertiesConfig {
    /// Whether an option says anything.
    pub(super) fn has(&self, option: &str) -> bool {
        match option {
            "services" => !self.services.is_empty(),
            "span_names" => !self.span_names.is_empty(),
            "span_kinds" => !self.span_kinds.is_empty(),
            "attributes" => !self.attributes.is_empty(),
            "resources" => !self.resources.is_empty(),
            "libraries" => !self.libraries.is_empty(),
            "log_bodies" => !self.log_bodies.is_empty(),
            "log_severity_texts" => !self.log_severity_texts.is_empty(),
            "log_severity_number" => self.log_severity_number.is_some(),
            "metric_names" => !self.metric_names.is_empty(),
            _ => false,
        }
    }
}

// === impl Libraries ===

impl Libraries {
    pub(super) fn are(&self, name: &[u8], version: &[u8]) -> bool {
        self.0.iter().all(|(names, versions)| {
            names.contain(name) && versions.as_ref().is_none_or(|versions| versions.contain(version))
        })
    }
}
