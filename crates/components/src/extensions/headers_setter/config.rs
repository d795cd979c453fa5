use serde::Deserialize;
use spanmill_config::{ComponentId, ConfigError, Secret, Section};

/// Options of the `headers_setter` extension.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// What is done, one after the other.
    pub(super) headers: Vec<HeaderConfig>,
    /// An extension that authenticates besides.
    pub(super) additional_auth: Option<ComponentId>,
}

/// One of the `headers`. Values are not shown: keys of tenants are often among them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HeaderConfig {
    /// What is done with the header.
    pub(super) action: String,
    /// Its name.
    pub(super) key: Option<String>,
    /// Its value as it is.
    pub(super) value: Option<Secret>,
    /// A file that has the value.
    pub(super) value_file: Option<String>,
    /// A header of the client whose data is sent.
    pub(super) from_context: Option<String>,
    /// What an authenticator has found out about this client.
    pub(super) from_attribute: Option<String>,
    /// What stands for these two where there is nothing.
    pub(super) default_value: Option<Secret>,
}

// === impl Config ===

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.headers.is_empty() {
            return Err(section.error("", "missing headers configuration"));
        }
        for (index, header) in config.headers.iter().enumerate() {
            let wrong = |message: &str| Err(section.error(&format!("headers[{index}]"), message));
            if header.key.as_ref().is_none_or(String::is_empty) {
                return wrong("missing header name");
            }
            if header.action == "delete" {
                continue;
            }
            match header.sources() {
                0 => {
                    return wrong(
                        "missing header source, must be 'from_context', 'from_attribute', 'value' or 'value_file'",
                    );
                }
                1 => {}
                _ => {
                    return wrong(
                        "invalid header source, must either be 'from_context', 'from_attribute', 'value' or 'value_file'",
                    );
                }
            }
        }
        if let Some(id) = config.additional_auth.as_ref().filter(|id| id.type_name() == super::FACTORY.kind.name) {
            let message = format!("{id} is a {} itself: give its headers in one list", super::FACTORY.kind.name);
            return Err(section.error("additional_auth", message));
        }
        Ok(config)
    }
}

// === impl HeaderConfig ===

impl HeaderConfig {
    fn sources(&self) -> usize {
        let Self { value, value_file, from_context, from_attribute, .. } = self;
        [value.is_some(), value_file.is_some(), from_context.is_some(), from_attribute.is_some()]
            .into_iter()
            .map(usize::from)
            .sum()
    }
}
