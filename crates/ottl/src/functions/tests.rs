use bytes::Bytes;
use spanmill_otlp::Traces;

use super::{ParamKind, all, re2};
use crate::eval::expr::Env;
use crate::eval::val::Val;
use crate::functions::time::{duration_text, parse_duration};
use crate::{Compiler, Condition, Context, ParseError, Paths};

/// What an expression without paths gives, as JSON.
fn eval(text: &str) -> String {
    let parsed = match crate::parse::value(text) {
        Ok(parsed) => parsed,
        Err(error) => return format!("syntax: {}", error.message),
    };
    let mut compiler = Compiler::new().with_lambdas(true);
    let expr = match compiler.value(Context::Span, false, &parsed) {
        Ok(expr) => expr,
        Err(error) => return format!("refused: {}", error.message),
    };
    let slots = compiler.finish();
    let frame = slots.frame();
    match expr.eval(&Env { frame: &frame, locals: &[] }) {
        Ok(value) => crate::eval::json::encode(&value).unwrap_or_else(|error| format!("error: {error}")),
        Err(error) => format!("error: {error}"),
    }
}

fn refusal(text: &str) -> String {
    let parsed = Condition::parse(&mut Compiler::new(), Paths::Unprefixed(Context::Span), text);
    parsed.err().map_or_else(|| "accepted".to_owned(), |error: ParseError| error.to_string())
}

/// Scenario: every function that takes a lambda, over maps and lists, with wrong bodies and nested.
/// Guarantees: values, keys and indexes are bound; errors inside come out; inner lambdas see the parameters of outer ones.
#[test]
fn lambdas() {
    let table = [
        ("Any([1, 2, 3], (i, v) => v == 2)", "true"),
        ("Any([1, 2, 3], (i, v) => i == 3)", "false"),
        ("All({\"a\": 1, \"b\": 1}, (_, v) => v == 1)", "true"),
        ("All([], (_, _) => false)", "true"),
        ("Filter([1, \"x\", 2.5], (_, v) => IsString(v) or v > 2)", "[\"x\",2.5]"),
        ("Filter({\"a\": 1, \"b\": 2}, (k, _) => k == \"b\")", "{\"b\":2}"),
        ("Find([5, 6, 7], (_, v) => v > 5)", "6"),
        ("Find([5, 6, 7], (_, v) => v > 5, (i, v) => i * 100 + v)", "106"),
        ("Find([5], (_, v) => v > 5)", "null"),
        ("MapEach([1, 2], (i, v) => v * 10 + i)", "[10,21]"),
        ("MapEach({\"a\": [1, 2]}, (k, v) => [k, v[1]])", "{\"a\":[\"a\",2]}"),
        ("MapKeys({\"a\": 1, \"b\": 2}, (k, _) => ToUpperCase(k))", "{\"A\":1,\"B\":2}"),
        ("MapKeys({\"a\": 1, \"b\": 2}, (k, _) => \"same\")", "{\"same\":2}"),
        ("Reduce([1, 2, 3], 10, (sum, _, v) => sum + v)", "16"),
        ("Reduce([], \"seed\", (sum, _, v) => v)", "\"seed\""),
        ("When(() => 1 > 2, \"yes\", \"no\")", "\"no\""),
        ("MapEach([[1, 2], [3]], (i, row) => Reduce(row, i, (sum, _, v) => sum + v + i))", "[3,5]"),
        ("Any([1], (_, v) => v)", "error: expected bool but got int"),
        ("Any([1], (_, v) => v / 0 == 1)", "error: attempted to divide by 0"),
        ("Any(1, (_, v) => true)", "error: expected list but got int"),
        ("Any([1], (v) => true)", "refused: Any: the lambda must have 2 parameters, but has 1"),
        ("Any([1], (v, v) => true)", "refused: Any: argument \"predicate\" parameter \"v\" is declared twice"),
        ("Any([1], (k, v) => k.v == 1)", "refused: parameter \"k\" has no fields; index it with brackets"),
        ("Any([1], true)", "refused: Any: argument \"predicate\" must be a lambda"),
    ];
    for (text, expected) in table {
        assert_eq!(eval(text), expected, "{text}");
    }
}

/// Scenario: a lambda without the feature being enabled.
/// Guarantees: it is refused, and the message says what to enable.
#[test]
fn lambdas_are_refused_by_default() {
    assert!(refusal("Any(attributes[\"tags\"], (_, v) => v == 1)").contains("ottl.functions.enableLambda"));
}

/// Scenario: texts with mistakes of every kind.
/// Guarantees: the message names the text, the position in it, and the nearest name that there is.
#[test]
fn mistakes() {
    let texts = [
        "nam == \"x\"",
        "resource.attribute[\"x\"] == 1",
        "status.cod == 2",
        "IsMtach(name, \"x\")",
        "is_match(name, \"x\")",
        "kind == SPAN_KIND_CLEINT",
        "IsMatch(name)",
        "IsMatch(name, \"(\")",
        "IsMatch(name, patern=\"x\")",
        "Int(\"abc\") == 1",
        "name ==\n  and true",
        "attributes[\"a\" == 1",
        "attributes[\"a\"] = 1",
        "name == 'x'",
        "name == \"\\d\"",
        "name[\"x\"] == 1",
        "0x123 == 1",
        "",
    ];
    let messages: Vec<String> = texts.iter().map(|text| refusal(text)).collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    cannot parse OTTL "nam == \"x\"" at 1:1: invalid path "nam": span has no "nam", did you mean "name"?
    cannot parse OTTL "resource.attribute[\"x\"] == 1" at 1:1: invalid path "resource.attribute[\"x\"]": resource has no "attribute", did you mean "attributes"?
    cannot parse OTTL "status.cod == 2" at 1:1: invalid path "status.cod": span has no "status.cod", did you mean "status.code"?
    cannot parse OTTL "IsMtach(name, \"x\")" at 1:1: undefined function "IsMtach", did you mean "IsMatch"?
    cannot parse OTTL "is_match(name, \"x\")" at 1:1: converter names must start with an upper-case letter, but got "is_match", did you mean "IsMatch"?
    cannot parse OTTL "kind == SPAN_KIND_CLEINT" at 1:9: unknown enum "SPAN_KIND_CLEINT", did you mean "SPAN_KIND_CLIENT"?
    cannot parse OTTL "IsMatch(name)" at 1:1: IsMatch: incorrect number of arguments, expected 2 but got 1
    cannot parse OTTL "IsMatch(name, \"(\")" at 1:1: IsMatch: the pattern "(" is not valid: unclosed group
    cannot parse OTTL "IsMatch(name, patern=\"x\")" at 1:15: IsMatch: no such parameter: patern, did you mean "pattern"?
    cannot parse OTTL "Int(\"abc\") == 1" at 1:5: Int: argument "target" cannot be used: integer: cannot read "abc"
    cannot parse OTTL "name ==\n  and true" at 2:3: unexpected "and" where a value was expected
    cannot parse OTTL "attributes[\"a\" == 1" at 1:16: unexpected "==" where "]" was expected
    cannot parse OTTL "attributes[\"a\"] = 1" at 1:17: unexpected "=" where a comparison operator was expected
    cannot parse OTTL "name == 'x'" at 1:9: unexpected character '\''
    cannot parse OTTL "name == \"\\d\"" at 1:9: invalid escape in string "\d"
    cannot parse OTTL "name[\"x\"] == 1" at 1:1: "name[\"x\"]" names something that cannot be indexed
    cannot parse OTTL "0x123 == 1" at 1:1: bytes must have an even number of hexadecimal digits
    cannot parse OTTL "" at 1:1: ends where a value was expected
    "#);
}

/// Scenario: patterns that RE2 and the `regex` crate read differently.
/// Guarantees: they match, or are refused, as RE2 has it.
#[test]
fn patterns() {
    let table: &[(&str, &str, Option<bool>)] = &[
        ("\\d", "\u{663}", Some(false)),
        ("\\w", "\u{e9}", Some(false)),
        ("\\W", "\u{e9}", Some(true)),
        ("\\s", "\u{a0}", Some(false)),
        ("[^\\d]", "\u{663}", Some(true)),
        ("[\\D]", "5", Some(false)),
        ("\\be", "\u{e9}e", Some(true)),
        ("a{", "a{", Some(true)),
        ("a{,3}", "a{,3}", Some(true)),
        ("a{2,3}?b", "aab", Some(true)),
        ("^{1}$", "", Some(true)),
        ("[[]", "[", Some(true)),
        ("[]a]", "]", Some(true)),
        ("[a&&b]", "&", Some(true)),
        ("[a--]", "-", None),
        ("[a~~b]", "~", Some(true)),
        ("[-a]", "-", Some(true)),
        ("[a-]", "-", Some(true)),
        ("[^]]", "]", Some(false)),
        ("\\Qa.b\\E.", "a.bc", Some(true)),
        ("\\Qa.b", "a.b", Some(true)),
        ("\\101", "A", Some(true)),
        ("\\<", "<", Some(true)),
        ("\\-\\/\\#", "-/#", Some(true)),
        ("(?i)K", "\u{212a}", Some(true)),
        ("(?U)a+", "a", Some(true)),
        ("(?P<n>a)(?<m>b)", "ab", Some(true)),
        ("a$", "a\n", Some(false)),
        ("a.b", "a\nb", Some(false)),
        ("[[:^alpha:]]", "1", Some(true)),
        ("\\pL\\p{Greek}\\P{Lu}", "a\u{3b1}b", Some(true)),
        ("\\1", "", None),
        ("\\h", "", None),
        ("\\C", "", None),
        ("\\Z", "", None),
        ("(?x)a", "", None),
        ("(?=a)", "", None),
        ("(?#c)", "", None),
        ("a**", "", None),
        ("a{1001}", "", None),
        ("[b-a]", "", None),
        ("[", "", None),
        ("(", "", None),
        ("\\", "", None),
        ("*", "", None),
    ];
    for (pattern, text, expected) in table {
        let found = re2::compile(pattern).ok().map(|regex| regex.is_match(text.as_bytes()));
        assert_eq!(found, *expected, "{pattern} on {text:?}");
    }
}

/// Scenario: replacements that ask for groups by name: one that is there once, twice, and one that begins with a digit.
/// Guarantees: the first group of a name is filled in, and names that only RE2 takes are no mistake.
#[test]
fn groups_are_replaced_by_name() {
    for (pattern, replacement, expected) in [
        ("(?P<first>a)(?<second>b)", "${second}${first}", "ba"),
        ("(?P<n>a)(?P<n>b)", "<${n}>", "<a>"),
        ("(?P<1x>a)b", "<$1>", "<a>"),
    ] {
        let regex = re2::compile(pattern).unwrap();
        assert_eq!(regex.replace(b"ab", replacement.as_bytes()), expected.as_bytes(), "{pattern}");
    }
}

/// Scenario: patterns made to fill the memory.
/// Guarantees: they are refused.
#[test]
fn patterns_are_bounded() {
    for pattern in ["((a{1000}){1000}){1000}", "(\\pL{900}){900}", &"a".repeat(70_000), &"(".repeat(60_000)] {
        assert!(re2::compile(pattern).is_err());
    }
}

/// Scenario: durations as text and back.
/// Guarantees: what Go reads is read, and written as Go writes it.
#[test]
fn durations() {
    for (text, written) in [
        ("90m", Some("1h30m0s")),
        ("1.5s", Some("1.5s")),
        ("250.5ms", Some("250.5ms")),
        ("-1h2m3.004s", Some("-1h2m3.004s")),
        ("+5us", Some("5\u{b5}s")),
        ("0", Some("0s")),
        ("1ns", Some("1ns")),
        (".5m", Some("30s")),
        ("1.s", Some("1s")),
        ("2562047h47m16.854775807s", Some("2562047h47m16.854775807s")),
        ("2562047h47m16.854775808s", None),
        ("", None),
        ("5", None),
        (".s", None),
        ("5 s", None),
        ("5d", None),
        ("--5s", None),
    ] {
        assert_eq!(parse_duration(text.as_bytes()).map(duration_text).as_deref(), written, "{text}");
    }
}

/// Scenario: every function with every kind of value at every place, as many arguments as it has parameters.
/// Guarantees: it gives a value or an error; nothing panics.
#[test]
fn no_function_panics_on_odd_types() {
    let values = [
        "nil",
        "true",
        "-1",
        "9223372036854775807",
        "0.5",
        "attributes[\"nan\"]",
        "\"\"",
        "\"\u{e9}x\"",
        "0x00ff",
        "[]",
        "[1, nil, \"a\", [2]]",
        "{}",
        "{\"a\": {\"b\": 1}}",
        "Split(\"a,b\", \",\")",
        "start_time",
        "end_time - start_time",
        "trace_id",
        "span_id",
        "events",
        "links",
        "status",
        "attributes",
        "resource.attributes",
        "(a, b) => a == b",
        "() => true",
        "(a, b, c) => c",
        "ParseJSON(\"[1,{}]\")",
        "Duration(\"1s\")",
        "attributes[\"missing\"]",
        "9007199254740993 * 4096",
        "(0 - 9223372036854775807) - 1",
    ];
    // One span with an event, and a NaN.
    let request = b"\x0a\x1d\x12\x1b\x12\x19\x4a\x10\x0a\x03nan\x12\x09\x21\x00\x00\x00\x00\x00\x00\xf8\x7f\x5a\x00\x2a\x01x\x30\x03";
    let traces = Traces::parse(Bytes::copy_from_slice(request)).unwrap();
    let mut evaluated = 0;
    for function in all() {
        for value in values {
            for other in values {
                let args: Vec<&str> = function
                    .params
                    .iter()
                    .enumerate()
                    .map(|(at, param)| match (at, param.kind) {
                        (0, _) => value,
                        (_, ParamKind::StrLiteral) => "\"%v %d %s\"",
                        (_, ParamKind::BoolLiteral) => "true",
                        (_, ParamKind::Anys) => "[1, nil, events, start_time]",
                        _ => other,
                    })
                    .collect();
                let text = format!("{}({})", function.name, args.join(", "));
                let mut compiler = Compiler::new().with_lambdas(true);
                let Ok(expr) = compiler.value(Context::Span, false, &crate::parse::value(&text).unwrap()) else {
                    continue;
                };
                let slots = compiler.finish();
                let mut frame = slots.frame();
                for span in traces.spans() {
                    frame.enter_resource(span.resource());
                    frame.enter_scope(span.scope());
                    frame.enter_span(span);
                    evaluated += usize::from(
                        expr.eval(&Env { frame: &frame, locals: &[] }).is_ok_and(|value| !matches!(value, Val::Nil)),
                    );
                }
            }
        }
    }
    assert!(evaluated > 1000, "{evaluated}");
}
