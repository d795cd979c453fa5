use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, Duration, Secret, Section};

/// Options of the `bearertokenauth` extension.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// The header that carries the token.
    pub(super) header: String,
    /// What stands before the token; nothing where it is empty.
    pub(super) scheme: String,
    /// The token.
    pub(super) token: Secret,
    /// Several tokens, of which any is good; the first one is sent.
    pub(super) tokens: Tokens,
    /// A file with a token a line; what stands behind a space is not read. It goes before `token`, `tokens` go before it.
    pub(super) filename: String,
    /// Whether to wait for the file when it is not there yet.
    pub(super) retry_on_failure: RetryOnFailure,
    /// Whether the start waits for it, too.
    pub(super) wait_for_token_file: bool,
}

/// Options of `retry_on_failure`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RetryOnFailure {
    /// Whether to look again.
    pub(super) enabled: bool,
    /// How often; 0: until it is there.
    pub(super) max_retries: i64,
    /// The time between.
    pub(super) interval: Duration,
}

/// A list, and nothing that could be taken for one: a token may have commas.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens(pub(super) Vec<Secret>);

struct TokensVisitor;

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            header: "Authorization".to_owned(),
            scheme: "Bearer".to_owned(),
            token: Secret::default(),
            tokens: Tokens::default(),
            filename: String::new(),
            retry_on_failure: RetryOnFailure::default(),
            wait_for_token_file: false,
        }
    }
}

impl Config {
    pub(super) fn read(section: &Section) -> Result<Self, ConfigError> {
        let config: Self = section.parse()?;
        if config.token.is_empty() && config.tokens.0.is_empty() && config.filename.is_empty() {
            return Err(section.error("", "no bearer token provided"));
        }
        if !config.token.is_empty() && !config.tokens.0.is_empty() {
            return Err(section.error("tokens", "either tokens or token should be provided, not both"));
        }
        // A variable that is not set must not let in who shows nothing.
        if let Some(index) = config.tokens.0.iter().position(|token| token.expose().trim().is_empty()) {
            return Err(section.error(&format!("tokens::{index}"), "must not be empty"));
        }
        let retry = &config.retry_on_failure;
        if (retry.enabled || config.wait_for_token_file) && config.filename.is_empty() {
            return Err(section.error("filename", "requires filename to be set"));
        }
        if retry.enabled && retry.max_retries < 0 {
            let message =
                "retry_on_failure.max_retries must be greater or equal to 0 when retry_on_failure.enabled is true";
            return Err(section.error("retry_on_failure::max_retries", message));
        }
        if retry.enabled && (retry.interval.is_zero() || retry.interval.is_negative()) {
            let message = "retry_on_failure.interval must be greater than 0 when retry_on_failure.enabled is true";
            return Err(section.error("retry_on_failure::interval", message));
        }
        if config.wait_for_token_file && !retry.enabled {
            return Err(
                section.error("wait_for_token_file", "wait_for_token_file requires retry_on_failure to be enabled")
            );
        }
        Ok(config)
    }
}

// === impl Tokens ===

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TokensVisitor)
    }
}

impl<'de> Visitor<'de> for TokensVisitor {
    type Value = Tokens;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of tokens")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Tokens, E> {
        // It may be a token, so it is not repeated.
        Err(E::custom("expected a list of tokens, found a string"))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Tokens, E> {
        Ok(Tokens::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tokens, A::Error> {
        let mut tokens = Vec::new();
        while let Some(token) = list.next_element()? {
            tokens.push(token);
        }
        Ok(Tokens(tokens))
    }
}
