//! Shows a resolved configuration.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::redact::{ends_word, without_url_secrets};
use crate::secret::REDACTED;
use crate::yaml::plain;
use crate::{Node, Value};

/// Keys under which every value is secret, as in the Collector's opaque types, the authenticators and options of object stores.
const SECRET_KEYS: &[&str] = &[
    "access_key",
    "account_key",
    "api_key",
    "apikey",
    "authorization",
    "ca_pem",
    "cert_pem",
    "client_secret",
    "credentials",
    "hash_key",
    "headers",
    "hmac_key",
    "inline",
    "key_pem",
    "object_store",
    "owner_auth",
    "passphrase",
    "password",
    "private_key",
    "response_headers",
    "sas_key",
    "secret",
    "secret_key",
    "token",
    "tokens",
];
/// Endings of keys that are secret as well.
const SECRET_ENDINGS: &[&str] = &[
    "_access_key",
    "_account_key",
    "_api_key",
    "_password",
    "_private_key",
    "_sas_key",
    "_secret",
    "_secret_key",
    "_token",
];

/// Whether secrets are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrintMode {
    /// Values under keys like `headers`, `token` or `password` are shown as `[REDACTED]`.
    #[default]
    Redacted,
    /// Everything is shown.
    Unredacted,
}

/// The form in which a configuration is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrintFormat {
    /// YAML.
    #[default]
    Yaml,
    /// JSON, indented by two spaces.
    Json,
}

/// Why a configuration could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// An unknown mode was asked for.
    #[error("invalid mode {0:?}: modes are: redacted, unredacted")]
    Mode(String),
    /// An unknown format was asked for.
    #[error("unrecognized print format: {0}")]
    Format(String),
    /// The YAML could not be written.
    #[error("cannot write the configuration as YAML: {0}")]
    Yaml(#[from] serde_yaml::Error),
    /// The JSON could not be written.
    #[error("cannot write the configuration as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A node that is shown, or shown as secret.
struct Shown<'a> {
    node: &'a Node,
    mode: PrintMode,
    format: PrintFormat,
    is_secret: bool,
}

/// Put before a text, it has the writer of YAML quote and escape it; what the writer makes of it is taken out again.
const QUOTED: &str = "\u{1}quoted\u{1}";
const WRITTEN: &str = r"\x01quoted\x01";

/// What some readers of YAML take for the end of a line, and the writer too.
const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// What other readers of YAML take for something else where it has no quotes, those of YAML 1.1 above all: numbers of sixties (`12:30:45`), dates,
/// numbers that are too large or have underscores in odd places, truth (`yes`, `off`, `n`), `=` and `<<`.
#[expect(clippy::expect_used, reason = "a constant pattern")]
static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^(?:
          [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
        | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\x20\t].*)?
        | [-+]?(?:[0-9]|\.[0-9])[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?
        | (?i:y|n|yes|no|on|off|true|false|null)
        | = | <<
        )$",
    )
    .expect("valid pattern")
});

/// Writes a configuration as it was resolved: defaults of components are not in it. Ends with a line feed.
///
/// # Errors
///
/// Fails when the writer of the format does.
pub fn print_config(tree: &Node, mode: PrintMode, format: PrintFormat) -> Result<String, PrintError> {
    let shown = Shown { node: tree, mode, format, is_secret: false };
    match format {
        PrintFormat::Yaml => Ok(serde_yaml::to_string(&shown)?.replace(WRITTEN, "")),
        PrintFormat::Json => Ok(serde_json::to_string_pretty(&shown)? + "\n"),
    }
}

// === impl PrintMode ===

impl FromStr for PrintMode {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        match text.to_ascii_lowercase().as_str() {
            "redacted" => Ok(Self::Redacted),
            "unredacted" => Ok(Self::Unredacted),
            _ => Err(PrintError::Mode(text.to_owned())),
        }
    }
}

// === impl PrintFormat ===

impl FromStr for PrintFormat {
    type Err = PrintError;

    fn from_str(text: &str) -> Result<Self, PrintError> {
        match text.to_ascii_lowercase().as_str() {
            "yaml" | "" => Ok(Self::Yaml),
            "json" => Ok(Self::Json),
            _ => Err(PrintError::Format(text.to_owned())),
        }
    }
}

// === impl Shown ===

impl<'a> Shown<'a> {
    fn inner(&self, node: &'a Node, is_secret: bool) -> Self {
        Self { node, is_secret: self.is_secret || is_secret, ..*self }
    }

    /// A text. What is read as something else without quotes has them: the writer does not know all of that.
    fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let is_other = OTHERS.is_match(text) || !matches!(plain(text), Value::String(_));
        let is_quoted = self.format == PrintFormat::Yaml && (is_other || text.contains(BREAKS));
        if is_quoted { format!("{QUOTED}{text}").into() } else { text.into() }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.node.value {
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&self.inner(item, false))?;
                }
                list.end()
            }
            Value::Map(map) => {
                // A secret list of names and values (`headers: [{name: a, value: b}]`) keeps its names.
                let is_pair = self.is_secret && map.contains_key("name") && map.contains_key("value");
                let mut shown = serializer.serialize_map(Some(map.len()))?;
                for (key, entry) in map {
                    let inner = match is_pair && key == "name" {
                        true => Shown { node: &entry.node, is_secret: false, ..*self },
                        false => self.inner(&entry.node, is_secret_key(key)),
                    };
                    shown.serialize_entry(&self.text(key), &inner)?;
                }
                shown.end()
            }
            Value::Null => serializer.serialize_unit(),
            _ if self.is_secret && self.mode == PrintMode::Redacted => serializer.serialize_str(REDACTED),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::UInt(value) => serializer.serialize_u64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::String(text) if self.mode == PrintMode::Redacted => {
                serializer.serialize_str(&self.text(&without_secrets(text)))
            }
            Value::String(text) => serializer.serialize_str(&self.text(text)),
        }
    }
}

/// A text that is an address, without what may be secret in it. Other text that has addresses is shown as it is.
fn without_secrets(text: &str) -> Cow<'_, str> {
    if text.contains(ends_word) { text.into() } else { without_url_secrets(text) }
}

fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_KEYS.contains(&key.as_str()) || SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::{PrintFormat, PrintMode, print_config};
    use crate::Section;

    const TEXT: &str = "exporters:\n  otlp:\n    endpoint: x:1\n    headers: {authorization: Bearer x, n: 5}\n    tls: {key_pem: abc, key_file: k}\n\
                        extensions:\n  bearertokenauth: {token: t}\n  other: {db_password: [p, {q: r}], metadata_keys: [k]}\n\
                        \x20 basicauth: {htpasswd: {inline: 'a:b'}, proxy_url: 'http://me:pw@proxy:1/x@y', plain: 'http://proxy/a:b@c'}\n\
                        \x20 bearertokenauth/many: {tokens: [t, u]}\n\
                        \x20 spanstore: {path: a, object_store: {aws_region: r, aws_secret_access_key: s}, offload: {options: {azure_storage_account_key: s}}}\n\
                        telemetry:\n  headers:\n  - {name: a, value: b}\n  empty:\n";

    fn print(mode: &str, format: &str) -> String {
        let section = Section::from_yaml("t", TEXT).unwrap();
        let mode: PrintMode = mode.parse().unwrap();
        let format: PrintFormat = format.parse().unwrap();
        print_config(section.node(), mode, format).unwrap()
    }

    /// Scenario: a configuration with secrets in several shapes.
    /// Guarantees: they are hidden, names and everything else are shown.
    #[test]
    fn secrets_are_hidden() {
        insta::assert_snapshot!(print("redacted", "yaml"), @r#"
exporters:
  otlp:
    endpoint: x:1
    headers:
      authorization: '[REDACTED]'
      "n": '[REDACTED]'
    tls:
      key_pem: '[REDACTED]'
      key_file: k
extensions:
  bearertokenauth:
    token: '[REDACTED]'
  other:
    db_password:
    - '[REDACTED]'
    - q: '[REDACTED]'
    metadata_keys:
    - k
  basicauth:
    htpasswd:
      inline: '[REDACTED]'
    proxy_url: http://[REDACTED]@proxy:1/x@y
    plain: http://proxy/a:b@c
  bearertokenauth/many:
    tokens:
    - '[REDACTED]'
    - '[REDACTED]'
  spanstore:
    path: a
    object_store:
      aws_region: '[REDACTED]'
      aws_secret_access_key: '[REDACTED]'
    offload:
      options:
        azure_storage_account_key: '[REDACTED]'
telemetry:
  headers:
  - name: a
    value: '[REDACTED]'
  empty: null
"#);
    }

    /// Scenario: the same without hiding, in both formats.
    /// Guarantees: the YAML is read as the same tree; the JSON has the values.
    #[test]
    fn everything_is_shown() {
        let yaml = print("Unredacted", "YAML");
        let again = Section::from_yaml("t", &yaml).unwrap();
        assert_eq!(again, Section::from_yaml("t", TEXT).unwrap());
        let json: serde_json::Value = serde_json::from_str(&print("unredacted", "json")).unwrap();
        assert_eq!(json["exporters"]["otlp"]["headers"]["n"], 5);
        assert_eq!(json["telemetry"]["empty"], serde_json::Value::Null);
    }

    /// Scenario: keys and values that are text, and would be numbers without quotes, some of them for the Collector alone; and such with characters
    /// that some take for the end of a line; and what merges maps where it has no quotes.
    /// Guarantees: they are printed in quotes, and read as the same text.
    #[test]
    fn text_stays_text() {
        let text =
            r#"{'1_000': ['1_', '0x_f', '0X1', '0o7', '1e3', a_b, _1, '- 1_', 1_0, {'<<': 1}, "a\Pb: \"\N'", "\L"]}"#;
        let section = Section::from_yaml("t", text).unwrap();
        let printed = print_config(section.node(), PrintMode::Unredacted, PrintFormat::Yaml).unwrap();
        insta::assert_snapshot!(printed, @r#"
"1_000":
- "1_"
- "0x_f"
- "0X1"
- "0o7"
- "1e3"
- a_b
- _1
- '- 1_'
- 10
- "<<": 1
- "a\Pb: \"\N'"
- "\L"
"#);
        assert_eq!(Section::from_yaml("t", &printed).unwrap(), section);
    }

    /// Scenario: text that readers of YAML 1.1 take for dates, truth or numbers of sixties, in all manners of writing, as values and keys; and
    /// text that only looks like it.
    /// Guarantees: the former has quotes, the latter none; both are read as the same text.
    #[test]
    fn text_stays_text_elsewhere() {
        let others = "'2024-01-01', '2024-1-1', '2024-01-01T12:00:00Z', '2024-01-01 12:00:00', yes, No, ON, Off, oFF, y, N, '12:30:45', '190:20:30.15', '+1:30', '1:0', \
                      '=', '~', '<<', '1e+999', '.1_0', '1_0.5e+999', nULL";
        let alike = "2024-01, 2024-01-01x, v2024-01-01, yess, one, '12:60', '127.0.0.1:4317', '1.2.3', ':10', '10:', '==', a~, 0.161.0, e5, ._";
        let text = format!("a: [{others}]\nb: [{alike}]\nc: {{'on': d}}\n");
        let section = Section::from_yaml("t", &text).unwrap();
        let printed = print_config(section.node(), PrintMode::Unredacted, PrintFormat::Yaml).unwrap();
        assert_eq!(Section::from_yaml("t", &printed).unwrap(), section);
        let (quoted, rest) = printed.split_once("b:\n").unwrap();
        let (plain, key) = rest.split_once("c:\n").unwrap();
        assert!(quoted.lines().skip(1).all(|line| line.starts_with("- \"")), "{quoted}");
        assert!(!plain.contains('"'), "{plain}");
        assert_eq!(key, "  \"on\": d\n");
    }

    /// Scenario: modes and formats that do not exist.
    /// Guarantees: the Collector's words.
    #[test]
    fn unknown_modes() {
        insta::assert_snapshot!("secret".parse::<PrintMode>().unwrap_err(), @r#"invalid mode "secret": modes are: redacted, unredacted"#);
        insta::assert_snapshot!("xml".parse::<PrintFormat>().unwrap_err(), @r#"unrecognized print format: xml"#);
    }
}
