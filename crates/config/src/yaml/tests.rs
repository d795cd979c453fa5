use proptest::prelude::*;

use super::{MAX_DEPTH, parse};
use crate::{Node, Value};

fn value(text: &str) -> Value {
    parse(text, "t").unwrap().value().clone()
}

fn error(text: &str) -> String {
    parse(text, "t.yaml").unwrap_err().to_string()
}

fn lines(node: &Node) -> Vec<usize> {
    match node.value() {
        Value::Map(map) => map.values().map(|entry| entry.key_place().unwrap().line()).collect(),
        Value::List(items) => items.iter().map(|item| item.place().unwrap().line()).collect(),
        _ => Vec::new(),
    }
}

/// Scenario: scalars without quotes in every form that means a number, a boolean or nothing, and in forms that do not.
/// Guarantees: they mean what they mean to the Collector.
#[test]
fn plain_scalars() {
    for nothing in ["", "~", "null", "Null", "NULL", "# only a comment"] {
        assert_eq!(value(nothing), Value::Null, "{nothing}");
    }
    for (text, expected) in [
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        ("0123", 83),
        ("0o17", 15),
        ("0xdeadbeef", 3_735_928_559),
        ("0b101", 5),
        ("-0x10", -16),
        ("1_000", 1000),
        ("-9223372036854775808", i64::MIN),
    ] {
        assert_eq!(value(text), Value::Int(expected), "{text}");
    }
    assert_eq!(value("18446744073709551615"), Value::UInt(u64::MAX));
    for (text, expected) in [
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("08", 8.0),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
    ] {
        assert_eq!(value(text), Value::Float(expected), "{text}");
    }
    assert_eq!(value("-.inf"), Value::Float(f64::NEG_INFINITY));
    for (text, expected) in [("true", true), ("FALSE", false)] {
        assert_eq!(value(text), Value::Bool(expected), "{text}");
    }
    for text in ["yes", "on", "tRUE", "5s", "1:30", "0x", "1e999", "2024-01", "+", "0x-5", "--5", "infinity", "nan"] {
        assert_eq!(value(text), Value::String(text.to_owned()), "{text}");
    }
}

/// Scenario: scalars in quotes, as blocks and with tags.
/// Guarantees: quotes and blocks are strings, YAML's own tags are obeyed, others are ignored.
#[test]
fn quoted_and_tagged_scalars() {
    assert_eq!(value("'5'"), Value::String("5".to_owned()));
    assert_eq!(value("\"\\x41\""), Value::String("A".to_owned()));
    assert_eq!(value("|\n  a\n  b\n"), Value::String("a\nb\n".to_owned()));
    assert_eq!(value("!!str 5"), Value::String("5".to_owned()));
    assert_eq!(value("!!int '5'"), Value::Int(5));
    assert_eq!(value("!mine 5"), Value::String("5".to_owned()));
    assert_eq!(value("!!binary aGVs bG8="), Value::String("hello".to_owned()));
    assert_eq!(value("'2024-01-01'"), Value::String("2024-01-01".to_owned()));
    insta::assert_snapshot!(error("!!int x"), @r#"t.yaml:1: cannot read "x" as !!int"#);
    insta::assert_snapshot!(error("!!binary x"), @"t.yaml:1: cannot read \"x\" as !!binary");
    insta::assert_snapshot!(error("a: [2024-01-01]"), @r#"t.yaml:1: 2024-01-01 without quotes is a time, which no option takes: for text write "2024-01-01""#);
    insta::assert_snapshot!(error("!!timestamp 2024-01-01"), @r#"t.yaml:1: 2024-01-01 without quotes is a time, which no option takes: for text write "2024-01-01""#);
}

/// Scenario: maps and lists over several lines.
/// Guarantees: order is kept and every key and item knows its line.
#[test]
fn places() {
    let node = parse("# first\nb: 1\na:\n  - x\n\n  - y\nc: {d: 1,\n  e: 2}\n", "t").unwrap();
    assert_eq!(lines(&node), [2, 3, 7]);
    assert_eq!(lines(node.get("a").unwrap()), [4, 6]);
    assert_eq!(lines(node.get("c").unwrap()), [7, 8]);
    assert_eq!(node.get("a").unwrap().place().unwrap().to_string(), "t:4");
}

/// Scenario: anchors, aliases and merge keys.
/// Guarantees: aliases repeat, own keys win over merged ones, quoted `<<` is a key like any other.
#[test]
fn aliases_and_merges() {
    let node = parse("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 8}, *a]}\nd: {'<<': 1}\n", "t").unwrap();
    let int = |key: &str, inner: &str| node.get(key).and_then(|node| node.get(inner)).map(|node| node.value().clone());
    assert_eq!(int("b", "x"), Some(Value::Int(1)));
    assert_eq!(int("b", "y"), Some(Value::Int(3)));
    assert_eq!(int("c", "x"), Some(Value::Int(8)));
    assert_eq!(int("d", "<<"), Some(Value::Int(1)));
}

/// Scenario: several documents in one text.
/// Guarantees: the first one counts, whatever follows.
#[test]
fn only_the_first_document_counts() {
    assert_eq!(value("a: 1\n---\nb: ["), value("a: 1"));
    assert_eq!(value("\u{feff}a: 1\n...\n}"), value("a: 1"));
}

/// Scenario: text that is no YAML, or not the YAML of a configuration.
/// Guarantees: an error with the line.
#[test]
fn refused() {
    insta::assert_snapshot!(error("a: b: c"), @r#"t.yaml:1: invalid YAML: mapping values are not allowed in this context"#);
    insta::assert_snapshot!(error("a:\n  - b\n c: d"), @r#"t.yaml:3: invalid YAML: while parsing a block mapping, did not find expected key"#);
    insta::assert_snapshot!(error("a: 'b"), @r#"t.yaml:1: invalid YAML: while scanning a quoted scalar, found unexpected end of stream"#);
    insta::assert_snapshot!(error("a: 1\nb: 2\na: 3"), @r#"t.yaml:3: key "a" was already given in line 1"#);
    insta::assert_snapshot!(error("a: *nobody"), @r#"t.yaml:1: invalid YAML: while parsing node, found unknown anchor"#);
    insta::assert_snapshot!(error("a: &a [*a]"), @r#"t.yaml:1: an anchor's value contains itself"#);
    insta::assert_snapshot!(error("[a]: b"), @r#"t.yaml:1: a list or a map cannot be a key"#);
    insta::assert_snapshot!(error("{<<: {a: 1}, <<: {b: 1}}"), @r#"t.yaml:1: key "<<" was already given"#);
    insta::assert_snapshot!(error("<<: 5"), @r#"t.yaml:2: << needs a map or a list of maps"#);
}

/// Scenario: aliases of aliases that would fill the memory, and nesting that would exhaust the stack.
/// Guarantees: both are refused quickly.
#[test]
fn bombs() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let item = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", [item.as_str(); 10].join(", ")));
    }
    assert!(error(&text).contains("repetition limit") || error(&text).contains("more than"), "{}", error(&text));

    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&deep(MAX_DEPTH), "t").is_ok());
    assert!(parse(&deep(MAX_DEPTH + 1), "t").is_err());
    assert!(parse(&deep(100_000), "t").is_err());
    assert!(parse(&"- ".repeat(100_000), "t").is_err());
    assert!(parse(&"{a: ".repeat(100_000), "t").is_err());

    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..=MAX_DEPTH {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(parse(&chain, "t").is_err());
}

proptest! {
    /// Scenario: arbitrary text, and text made of YAML's own characters.
    /// Guarantees: a tree or an error, never a panic.
    #[test]
    fn arbitrary_text_is_survived(text in prop_oneof![".*", "[-a-c0-9:,?&*!|>'\"%@`#{}\\[\\] \n\t<.~$]{0,60}"]) {
        let _ = parse(&text, "t");
    }

    /// Scenario: trees of maps, lists and strings, written by another library.
    /// Guarantees: the same tree is read.
    #[test]
    fn what_was_written_is_read(tree in tree()) {
        let text = serde_yaml::to_string(&tree).unwrap();
        let node = parse(&text, "t").unwrap();
        prop_assert!(same(&node, &tree), "{text}\n{node:?}");
    }
}

fn tree() -> impl Strategy<Value = serde_yaml::Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(serde_yaml::Value::from),
        any::<bool>().prop_map(serde_yaml::Value::from),
        "[ -~\n\u{e9}]{0,12}".prop_map(serde_yaml::Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_yaml::Value::from),
            prop::collection::btree_map("[a-z ]{1,6}", inner, 0..4)
                .prop_map(
                    |map| serde_yaml::Mapping::from_iter(map.into_iter().map(|(key, node)| (key.into(), node))).into()
                ),
        ]
    })
}

fn same(node: &Node, tree: &serde_yaml::Value) -> bool {
    match (node.value(), tree) {
        (Value::Null, serde_yaml::Value::Null) => true,
        (Value::Bool(ours), serde_yaml::Value::Bool(theirs)) => ours == theirs,
        (Value::Int(ours), serde_yaml::Value::Number(theirs)) => Some(*ours) == theirs.as_i64(),
        (Value::String(ours), serde_yaml::Value::String(theirs)) => ours == theirs,
        (Value::List(ours), serde_yaml::Value::Sequence(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Map(ours), serde_yaml::Value::Mapping(theirs)) => {
            ours.len() == theirs.len()
                && theirs
                    .iter()
                    .all(|(key, theirs)| ours.get(key.as_str().unwrap()).is_some_and(|ours| same(ours.node(), theirs)))
        }
        _ => false,
    }
}
