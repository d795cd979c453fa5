use serde::Deserialize;

use crate::{ConfigError, Duration, NullableBlock, OptionalBlock, Section};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Server {
    endpoint: String,
    max_size: u32,
    ratio: f64,
    wait: bool,
    timeout: Duration,
    origins: Vec<String>,
    mode: Mode,
    nested: Batch,
    batch: OptionalBlock<Batch>,
    tls: NullableBlock<Batch>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Normal,
    Detailed,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Batch {
    min_size: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            endpoint: "localhost:4317".to_owned(),
            max_size: 7,
            ratio: 0.5,
            wait: true,
            timeout: Duration::from_secs(5),
            origins: vec!["a".to_owned()],
            mode: Mode::Normal,
            nested: Batch { min_size: 5 },
            batch: OptionalBlock::Off,
            tls: NullableBlock::Off,
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { min_size: 8192 }
    }
}

fn parse(text: &str) -> Result<Server, ConfigError> {
    Section::from_yaml("exporters::x", text)?.parse()
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// Scenario: every field is written as nothing (`key:`).
/// Guarantees: scalars become zero, lists and sections keep their default; a block that nothing turns on is on, one that nothing
/// leaves off is off; a section that is nothing as a whole has all defaults.
#[test]
fn nothing_is_zero_or_default() {
    let text = "endpoint:\nmax_size:\nratio:\nwait:\ntimeout:\norigins:\nnested:\nbatch:\ntls:\n";
    let expected = Server {
        endpoint: String::new(),
        max_size: 0,
        ratio: 0.0,
        wait: false,
        timeout: Duration::ZERO,
        batch: OptionalBlock::On(Batch::default()),
        ..Server::default()
    };
    assert_eq!(parse(text).unwrap(), expected);
    assert_eq!(parse("").unwrap(), Server::default());
}

/// Scenario: a block with `enabled`.
/// Guarantees: `false` turns it off but its content is still checked, `true` is no unknown key, other values are refused.
#[test]
fn blocks_have_a_switch() {
    assert_eq!(parse("batch: {enabled: false, min_size: 3}").unwrap().batch, OptionalBlock::Off);
    assert_eq!(parse("tls: {enabled: true, min_size: 3}").unwrap().tls, NullableBlock::On(Batch { min_size: 3 }));
    assert_eq!(parse("tls: {}").unwrap().tls, NullableBlock::On(Batch::default()));
    insta::assert_snapshot!(error("batch:\n  enabled: maybe"), @r#"exporters::x:2: exporters::x::batch::enabled: expected a boolean, found a string"#);
    insta::assert_snapshot!(error("batch:\n  enabled: false\n  min_siz: 1"), @r#"exporters::x:3: exporters::x::batch: unknown key "min_siz", did you mean "min_size"? (valid keys: min_size)"#);
}

/// Scenario: values of another type than the field's.
/// Guarantees: an error with path and line, no conversion.
#[test]
fn types_are_not_converted() {
    insta::assert_snapshot!(error("endpoint: 4317"), @r#"exporters::x:1: exporters::x::endpoint: expected a string, found the number 4317"#);
    insta::assert_snapshot!(error("endpoint: true"), @r#"exporters::x:1: exporters::x::endpoint: expected a string, found the boolean true"#);
    insta::assert_snapshot!(error("\nmax_size: '7'"), @r#"exporters::x:2: exporters::x::max_size: expected a whole number, found the string "7""#);
    insta::assert_snapshot!(error("max_size: -1"), @r#"exporters::x:1: exporters::x::max_size: expected a whole number from 0 to 4294967295, found the number -1"#);
    insta::assert_snapshot!(error("wait: 'true'"), @r#"exporters::x:1: exporters::x::wait: expected a boolean, found the string "true""#);
    insta::assert_snapshot!(error("wait: yes"), @r#"exporters::x:1: exporters::x::wait: expected a boolean, found the string "yes""#);
    insta::assert_snapshot!(error("origins: {a: b}"), @r#"exporters::x:1: exporters::x::origins: expected a list, found a map"#);
    insta::assert_snapshot!(error("origins:\n- a\n- 2"), @r#"exporters::x:3: exporters::x::origins[1]: expected a string, found the number 2"#);
    insta::assert_snapshot!(error("timeout: 5x"), @r#"exporters::x:1: exporters::x::timeout: unknown unit "x" in duration "5x": expected one of ns, us, ms, s, m, h"#);
    insta::assert_snapshot!(error("mode: detaild"), @r#"exporters::x:1: exporters::x::mode: unknown value "detaild", did you mean "detailed"? (valid values: detailed, normal)"#);
    insta::assert_snapshot!(error("batch: 3"), @r#"exporters::x:1: exporters::x::batch: expected a map, found a number"#);
    insta::assert_snapshot!(error("- 1"), @r#"exporters::x:1: exporters::x: expected a map, found a list"#);
}

/// Scenario: keys that the struct does not know.
/// Guarantees: the error names key, line, nearest valid key and all valid keys.
#[test]
fn unknown_keys_are_refused() {
    insta::assert_snapshot!(error("wait: false\nendpont: x"), @r#"exporters::x:2: exporters::x: unknown key "endpont", did you mean "endpoint"? (valid keys: batch, endpoint, max_size, mode, nested, origins, ratio, timeout, tls, wait)"#);
    insta::assert_snapshot!(error("batch:\n  max: 1"), @r#"exporters::x:2: exporters::x::batch: unknown key "max" (valid keys: min_size)"#);
}

/// Scenario: numbers and lists in forms that the Collector takes as well.
/// Guarantees: a whole number serves as float, a float as whole number, text with commas as list of texts.
#[test]
fn lenient_forms() {
    let server = parse("max_size: 1e3\nratio: 2\ntimeout: 5\norigins: a,b").unwrap();
    assert_eq!((server.max_size, server.ratio), (1000, 2.0));
    assert_eq!(server.timeout, Duration::from_nanos(5));
    assert_eq!(server.origins, ["a", "b"]);
}
