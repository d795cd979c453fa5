use proptest::prelude::*;

use super::lexer::{Kind, tokens};
use super::{condition, statement, value};
use crate::ast::{ArgValue, Bool, Key, LambdaBody, MathOp, Value};

fn kinds(text: &str) -> Vec<Kind> {
    tokens(text).unwrap().iter().map(|token| token.kind).collect()
}

/// Scenario: texts that are read differently from how they look.
/// Guarantees: the first rule that matches wins, and keywords end at word boundaries.
#[test]
fn tokens_of_odd_texts() {
    use Kind::{
        And, Arrow, Boolean, Bytes, Comparison, End, Equal, Float, Int, Lower, Nil, Or, String, Underscore, Upper,
    };
    let table: &[(&str, &[Kind])] = &[
        ("IsMatch", &[Upper, Lower, Upper, Lower, End]),
        ("SHA256", &[Upper, End]),
        ("1e5", &[Int, Lower, End]),
        ("1.e5", &[Float, End]),
        (".5e-3", &[Float, End]),
        ("1.5e", &[Float, Lower, End]),
        ("0x1F", &[Bytes, End]),
        ("0xg", &[Int, Lower, End]),
        ("nil nilx nil_ true1", &[Nil, Lower, Lower, Lower, End]),
        ("andX orX", &[Lower, Upper, Lower, Upper, End]),
        ("3and", &[Int, And, End]),
        ("true\tor\r\nfalse", &[Boolean, Or, Boolean, End]),
        ("=>=", &[Arrow, Equal, End]),
        ("==>", &[Comparison, Comparison, End]),
        ("_ =", &[Underscore, Equal, End]),
        (r#""a\"b""#, &[String, End]),
        ("\"two\nlines\"", &[String, End]),
    ];
    for (text, expected) in table {
        assert_eq!(kinds(text), *expected, "{text}");
    }
    for text in [
        "_x",
        "#",
        "'x'",
        "\"",
        "\"\\",
        "\"\\\n\"",
        "&",
        "\u{e9}",
        "\"\\q\"",
        "\"\\'\"",
        "\"\\ud800\"",
        "\"\\x4\"",
        "\"\\400\"",
    ] {
        assert!(tokens(text).is_err(), "{text}");
    }
}

/// Scenario: escapes in strings.
/// Guarantees: they mean what they mean in Go, where a byte escape is a character.
#[test]
fn escapes() {
    let text = r#""\a\b\f\n\r\t\v\\\"\x41\xff\101\u00e9\U0001F680""#;
    assert_eq!(tokens(text).unwrap()[0].text, "\x07\x08\x0c\n\r\t\x0b\\\"A\u{ff}A\u{e9}\u{1F680}");
}

/// Scenario: conditions without parentheses.
/// Guarantees: `not` binds stronger than `and`, `and` stronger than `or`.
#[test]
fn precedence_of_conditions() {
    let Bool::Or(terms) = condition("true or not false and true").unwrap() else { panic!("no or") };
    assert_eq!(terms[0], Bool::Literal(true));
    let Bool::And(factors) = &terms[1] else { panic!("no and") };
    assert_eq!(factors[0], Bool::Not(Box::new(Bool::Literal(false))));
}

/// Scenario: arithmetic without parentheses.
/// Guarantees: products before sums, and both from the left.
#[test]
fn precedence_of_arithmetic() {
    let int = |number| Box::new(Value::Int(number));
    let product = Value::Math(int(2), MathOp::Mul, int(3));
    assert_eq!(value("1 + 2 * 3").unwrap(), Value::Math(int(1), MathOp::Add, Box::new(product)));
    let difference = Value::Math(int(1), MathOp::Sub, int(2));
    assert_eq!(value("1 - 2 - 3").unwrap(), Value::Math(Box::new(difference), MathOp::Sub, int(3)));
}

/// Scenario: paths with contexts, fields and keys of every form.
/// Guarantees: each part is kept where it belongs.
#[test]
fn paths() {
    let Value::Path(path) = value(r#"resource.attributes["a"][0][span.name]"#).unwrap() else { panic!("no path") };
    assert_eq!(path.prefix(), Some("resource"));
    let keys = &path.fields[1].keys;
    assert_eq!(keys[..2], [Key::String("a".to_owned()), Key::Int(0)]);
    assert!(matches!(&keys[2], Key::Value(Value::Path(inner)) if inner.prefix() == Some("span")));
    let Value::Path(path) = value(r#"attributes["a"].b"#).unwrap() else { panic!("no path") };
    assert_eq!(path.prefix(), None);
}

/// Scenario: a call with positional and named arguments, a function as argument, and keys on its result.
/// Guarantees: all are kept; a name of capitals is read as an enum.
#[test]
fn calls() {
    let Value::Call(call) = value(r#"F(name, IsMatch, SHA256, some_arg = [1, {"k": nil}])["x"][1]"#).unwrap() else {
        panic!("no call")
    };
    assert_eq!((call.args.len(), call.keys.len()), (4, 2));
    assert!(matches!(&call.args[1].value, ArgValue::Function(name) if name.text == "IsMatch"));
    assert!(matches!(&call.args[2].value, ArgValue::Value(Value::Enum(name)) if name.text == "SHA256"));
    assert_eq!(call.args[3].name.as_ref().map(|name| name.text.as_str()), Some("some_arg"));
}

/// Scenario: lambdas with values and with conditions as bodies.
/// Guarantees: both are told apart, and blank parameters have no name.
#[test]
fn lambdas() {
    let lambda = |text: &str| match value(text) {
        Ok(Value::Lambda(lambda)) => *lambda,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(lambda("(k, _) => k").params, [Some("k".to_owned()), None]);
    assert!(matches!(lambda("() => 1 + 1").body, LambdaBody::Value(_)));
    assert!(matches!(lambda("(v) => v == 1").body, LambdaBody::Bool(Bool::Compare(_))));
    assert!(value("(v) => true or v").is_err(), "a value is no condition");
    assert!(value("(a) => (b) => 1").is_err());
}

/// Scenario: statements.
/// Guarantees: the editor and its condition are found; converters and indexed editors are refused.
#[test]
fn statements() {
    let parsed = statement(r#"set(attributes["a"], 1) where name == "x" and not IsRootSpan()"#).unwrap();
    assert_eq!((parsed.editor.name.text.as_str(), parsed.editor.args.len()), ("set", 2));
    assert!(parsed.condition.is_some());
    assert!(statement(r#"replace_all_patterns(attributes, "key", "^kube_([0-9A-Za-z]+_)", "k8s.$$1.")"#).is_ok());
    for text in [
        "Set(name, 1)",
        "set(name, 1)[0]",
        "set(name, 1) where",
        "set(name, 1) when true",
        "set",
        "set(name 1)",
        "name",
        "",
    ] {
        assert!(statement(text).is_err(), "{text}");
    }
}

/// Scenario: nesting to the limit and beyond, by every bracket.
/// Guarantees: what is too deep is refused, without a stack overflow.
#[test]
fn depth_is_bounded() {
    for (open, core, close) in [
        ("(", "1 == 1", ")"),
        ("[", "1", "]"),
        ("F(", "1", ")"),
        ("{\"a\":", "1", "}"),
        ("a[", "b", "]"),
        ("F(() => ", "1 == 1", ")"),
    ] {
        let nested = |depth: usize| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
        let parses = |text: String| condition(&text).is_ok() || value(&text).is_ok();
        assert!(parses(nested(15)), "{}", nested(15));
        for depth in [100, 10_000] {
            assert!(!parses(nested(depth)), "{open} {depth}");
        }
    }
}

/// Scenario: texts made to be read again and again: each level can begin two ways.
/// Guarantees: reading ends soon, whatever it finds.
#[test]
fn time_is_bounded() {
    let begin = std::time::Instant::now();
    for text in [
        format!("{}1{}", "F(() => (".repeat(25), "+1)".repeat(25)),
        format!("{}1 == 1{}", "(F(() => (".repeat(14), ")))".repeat(14)),
        format!("{}a == 1{}", "(".repeat(60), ")".repeat(60)),
        "(".repeat(200_000),
        "not ".repeat(60_000),
        "a == 1 or ".repeat(20_000),
    ] {
        let _ = condition(&text);
    }
    assert!(begin.elapsed() < std::time::Duration::from_secs(10), "{:?}", begin.elapsed());
}

/// Pieces of the language, to be thrown together.
const PIECES: &[&str] = &[
    "name",
    "attributes",
    "span",
    "resource",
    ".",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ":",
    "=",
    "==",
    "!=",
    "<",
    ">=",
    "=>",
    "+",
    "-",
    "*",
    "/",
    "not",
    "and",
    "or",
    "nil",
    "true",
    "false",
    "1",
    "08",
    "9223372036854775808",
    "1.5",
    ".5",
    "0x01",
    "0x1",
    "\"text\"",
    "\"\\d\"",
    "\"(\"",
    "IsMatch",
    "Concat",
    "Len",
    "F",
    "SHA256",
    "STATUS_CODE_OK",
    "set",
    "where",
    "_",
    "\u{e9}",
    " ",
    "\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Scenario: arbitrary text.
    /// Guarantees: it is read or refused; nothing panics.
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = condition(&text);
        let _ = statement(&text);
    }

    /// Scenario: pieces of the language in arbitrary order, compiled in every context.
    /// Guarantees: they are read and compiled or refused, in little time; positions of errors lie in the text.
    #[test]
    fn arbitrary_pieces_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..80)) {
        use crate::{Compiler, Condition, Context, Paths};
        let text = pieces.concat();
        let begin = std::time::Instant::now();
        if let Err(error) = condition(&text) {
            prop_assert!(error.at <= text.len());
        }
        let _ = statement(&text);
        for paths in [Paths::Prefixed, Paths::Unprefixed(Context::Span), Paths::Unprefixed(Context::Resource)] {
            let _ = Condition::parse(&mut Compiler::new().with_lambdas(true), paths, &text);
        }
        prop_assert!(begin.elapsed() < std::time::Duration::from_secs(1));
    }
}
