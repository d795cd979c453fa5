use std::io::{Read, Write};
use std::net::TcpListener;

use proptest::prelude::*;
use serde::Deserialize;

use super::{Providers, Resolved, SetFlag, Uri, load};
use crate::{ConfigError, Duration, PrintFormat, PrintMode, Section, print_config};

/// Loads `yaml:` texts and `--set` values with an environment.
fn load_texts(texts: &[&str], sets: &[&str], environment: &[(&str, &str)]) -> Result<Resolved, ConfigError> {
    let uris: Vec<Uri> = texts.iter().map(|text| format!("yaml:{text}").parse().unwrap()).collect();
    let sets: Vec<SetFlag> = sets.iter().map(|set| set.parse().unwrap()).collect();
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let providers = Providers::with_environment(move |name| {
        environment.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    });
    load(&uris, &sets, &providers)
}

/// The resolved tree as JSON on one line.
fn resolved(texts: &[&str], sets: &[&str], environment: &[(&str, &str)]) -> String {
    let tree = load_texts(texts, sets, environment).unwrap().tree;
    let json = print_config(&tree, PrintMode::Unredacted, PrintFormat::Json).unwrap();
    serde_json::from_str::<serde_json::Value>(&json).unwrap().to_string()
}

fn expanded(text: &str, environment: &[(&str, &str)]) -> String {
    resolved(&[text], &[], environment)
}

fn error(texts: &[&str], environment: &[(&str, &str)]) -> String {
    load_texts(texts, &[], environment).unwrap_err().to_string()
}

/// Scenario: two sources that share keys.
/// Guarantees: maps are joined, lists and scalars replaced, and nothing (`key:`) replaces as well.
#[test]
fn later_sources_win() {
    let first = "a: {b: 1, c: [1, 2]}\nd: {e: 1}";
    assert_eq!(resolved(&[first, "a: {b: 2, c: [3]}"], &[], &[]), r#"{"a":{"b":2,"c":[3]},"d":{"e":1}}"#);
    assert_eq!(resolved(&[first, "a:\nd: 5"], &[], &[]), r#"{"a":null,"d":5}"#);
    assert_eq!(resolved(&[first, "", "d: {f: 2}"], &[], &[]), r#"{"a":{"b":1,"c":[1,2]},"d":{"e":1,"f":2}}"#);
}

/// Scenario: keys with `::` at any level, and inside a list.
/// Guarantees: they stand for nested maps, except within lists.
#[test]
fn keys_are_paths() {
    assert_eq!(expanded("a::b: 1\na: {c::d: 2, e: [{f::g: 3}]}", &[]), r#"{"a":{"b":1,"c":{"d":2},"e":[{"f::g":3}]}}"#);
    let deep = format!("{}: 1", "a::".repeat(200));
    assert!(error(&[&deep], &[]).contains("nested deeper"), "{}", error(&[&deep], &[]));
}

/// Scenario: `--set` beside sources.
/// Guarantees: it is applied after all sources, dots part keys, the value is YAML.
#[test]
fn set_comes_last() {
    let source = "exporters: {otlp: {timeout: 1s, headers: {a: b}}}";
    let sets = ["exporters.otlp.timeout = 4s", "exporters.otlp.headers={c: d}", "x.y=[1, 2]"];
    let expected = r#"{"exporters":{"otlp":{"timeout":"4s","headers":{"a":"b","c":"d"}}},"x":{"y":[1,2]}}"#;
    assert_eq!(resolved(&[source], &sets, &[]), expected);
    insta::assert_snapshot!("a.b".parse::<SetFlag>().unwrap_err(), @r#"--set "a.b": missing equal sign"#);
    insta::assert_snapshot!(load_texts(&["a: 1"], &["a.b=c: d: e"], &[]).unwrap_err(), @r#"--set a.b:1: invalid YAML: mapping values are not allowed in this context"#);
}

/// Scenario: references alone, within text, nested, with defaults, and escaped.
/// Guarantees: the Collector's rules for `${...}` and `$$`.
#[test]
fn references() {
    let environment = [
        ("A", "1"),
        ("TEXT", "x y"),
        ("NAME", "A"),
        ("EMPTY", ""),
        ("LIST", "[1, '${A}']"),
        ("QUOTED", "\"q\""),
        ("D", "$$"),
    ];
    for (text, expected) in [
        ("${env:A}", "1"),
        ("${A}", "1"),
        ("x${A}", r#""x1""#),
        ("${A}${A}", r#""11""#),
        ("${env:${NAME}}", "1"),
        ("${LIST}", "[1,1]"),
        ("${QUOTED}", r#""\"q\"""#),
        ("${EMPTY}", "null"),
        ("x${EMPTY}y", r#""xy""#),
        ("${NOT_SET}", "null"),
        ("x${NOT_SET}y", r#""xy""#),
        ("${env:NOT_SET:-7}", "7"),
        ("${env:NOT_SET:-}", r#""""#),
        ("${env:NOT_SET:-a:-b}", r#""a:-b""#),
        ("${env:EMPTY:-7}", "null"),
        ("${env:NOT_SET:-${TEXT}}", r#""x y""#),
        ("${yaml:[a, b]}", r#"["a","b"]"#),
        ("$A", r#""$A""#),
        ("$${A}", r#""${A}""#),
        ("$$$${A}", r#""$${A}""#),
        ("$$${A}", r#""$1""#),
        ("a$$b", r#""a$b""#),
        ("${D}", r#""$""#),
        ("${A", r#""${A""#),
        ("}${A}", r#""}1""#),
    ] {
        assert_eq!(expanded(&format!("k: '{text}'"), &environment), format!(r#"{{"k":{expected}}}"#), "{text}");
    }
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
struct Typed {
    text: String,
    number: i64,
    switch: bool,
    wait: Duration,
    names: Vec<String>,
}

fn typed(text: &str, value: &str) -> Result<Typed, ConfigError> {
    let tree = load_texts(&[text], &[], &[("V", value)]).unwrap().tree;
    Section::new("x", tree).parse()
}

/// Scenario: the same value of a variable for fields of different types.
/// Guarantees: a string takes the original text, every other type the value that the text means.
#[test]
fn typing_of_references() {
    let both = "text: ${V}\nnumber: ${V}";
    assert_eq!(typed(both, "0123").unwrap(), Typed { text: "0123".to_owned(), number: 83, ..Typed::default() });
    let text = "0xdeadbeef".to_owned();
    assert_eq!(typed(both, "0xdeadbeef").unwrap(), Typed { text, number: 3_735_928_559, ..Typed::default() });
    assert_eq!(typed("text: ${V}", "true").unwrap().text, "true");
    assert_eq!(typed("text: ${V}", "[1, 2]").unwrap().text, "[1, 2]");
    assert_eq!(typed("text: http://h:${V}/", "0123").unwrap().text, "http://h:0123/");
    assert_eq!(typed("names: ${V}", "a,b").unwrap().names, ["a", "b"]);
    assert_eq!(typed("switch: ${V}\nwait: 1s", "true").unwrap().wait, Duration::from_secs(1));
    let empty = typed("text: ${V}\nnumber: ${V}\nswitch: ${V}\nwait: ${V}\nnames: ${V}", "").unwrap();
    assert_eq!(empty, Typed::default());
    insta::assert_snapshot!(typed("text: a\nnumber: ${V}", "x").unwrap_err(), @r#"yaml:text:2: x::number: expected a whole number, found a string"#);
    insta::assert_snapshot!(typed("text: a\nswitch: ${V}", "1").unwrap_err(), @r#"yaml:text:2: x::switch: expected a boolean, found a number"#);
    insta::assert_snapshot!(typed("number: '1${V}'", "2").unwrap_err(), @r#"yaml:number:1: x::number: expected a whole number, found a string"#);
}

/// Scenario: references that cannot be resolved.
/// Guarantees: an error with the line of the reference.
#[test]
fn bad_references() {
    insta::assert_snapshot!(error(&["a: 1\nb:\n  - ${env:9}"], &[]), @r#"yaml:a:3: b[0]: environment variable "9" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$"#);
    insta::assert_snapshot!(error(&["a: ${nope:x}"], &[]), @r#"yaml:a:1: a: unsupported scheme on URI "nope:x" (valid schemes: env, file, http, https, yaml)"#);
    insta::assert_snapshot!(error(&["a: ${env:$A}"], &[]), @r#"yaml:a:1: a: the uri "env:$A" contains unsupported characters ('$')"#);
    insta::assert_snapshot!(error(&["a: ${NOT_SET:-x}"], &[]), @r#"yaml:a:1: a: invalid uri: "NOT_SET:-x", did you mean "env:NOT_SET:-x"?"#);
    insta::assert_snapshot!(error(&["a: ${file:/does/not/exist}"], &[]), @r#"yaml:a:1: a: unable to read the file /does/not/exist: No such file or directory (os error 2)"#);
    insta::assert_snapshot!(error(&["a: ${LOOP}"], &[("LOOP", "${LOOP}")]), @r#"yaml:a:1: a: too many recursive expansions"#);
}

/// Scenario: variables that grow without end when they are put in.
/// Guarantees: limits stop them before memory, stack or time run out.
#[test]
fn expansion_is_bounded() {
    let doubling = error(&["a: x${A}"], &[("A", "${B}${B}y"), ("B", "${A}${A}z")]);
    assert!(doubling.contains("too many recursive") || doubling.contains("more than"), "{doubling}");
    let nesting = error(&["a: ${A}"], &[("A", "[[[[['${A}']]]]]")]);
    assert!(nesting.contains("nested deeper") || nesting.contains("more than"), "{nesting}");
    let branching = error(&["a: ${A}"], &[("A", "['${A}', '${A}', '${A}']")]);
    assert!(branching.contains("nested deeper") || branching.contains("more than"), "{branching}");
}

/// Scenario: a variable that is not set.
/// Guarantees: a warning that names it and the line; none where it has a default.
#[test]
fn unset_variables_are_warned_about() {
    let loaded = load_texts(&["a: ${env:NOT_SET}\nb: ${env:NOT_SET:-x}"], &[], &[]).unwrap();
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r#"yaml:a:1: configuration references unset environment variable "NOT_SET""#);
}

/// Scenario: sources that are no configuration.
/// Guarantees: an error that says which and why.
#[test]
fn bad_sources() {
    insta::assert_snapshot!(error(&[], &[]), @r#"at least one config flag must be provided"#);
    insta::assert_snapshot!(error(&["[a]"], &[]), @r#"yaml:...:1: a configuration must be a map"#);
    insta::assert_snapshot!(error(&["a: 1\nb: c: d"], &[]), @r#"yaml:a:2: invalid YAML: mapping values are not allowed in this context"#);
    let big = [("BIG", "9223372036854775808")];
    insta::assert_snapshot!(error(&["a: x ${env:BIG}"], &big), @"yaml:a:1: a: unsupported type=uint64 for retrieved config, ensure that values are wrapped in quotes");
    insta::assert_snapshot!("nope:x".parse::<Uri>().unwrap_err(), @r#"unsupported scheme on URI "nope:x" (valid schemes: env, file, http, https, yaml)"#);
    insta::assert_snapshot!(":x".parse::<Uri>().unwrap_err(), @r#"invalid uri: ":x""#);
    let missing = load(&["file:/does/not/exist".parse().unwrap()], &[], &Providers::from_process()).unwrap_err();
    insta::assert_snapshot!(missing, @r#"/does/not/exist:1: cannot retrieve the configuration: unable to read the file /does/not/exist: No such file or directory (os error 2)"#);
}

/// Scenario: files named with and without scheme, one of them put into the other.
/// Guarantees: both are read; places in the inner file name the inner file.
#[test]
fn files() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner.yaml");
    std::fs::write(&inner, "x: 1\nunknown: 2\n").unwrap();
    let outer = folder.path().join("outer.yaml");
    std::fs::write(
        &outer,
        format!("a: ${{file:{}}}\ntoken: ${{file:{}}}\n", inner.display(), folder.path().join("token").display()),
    )
    .unwrap();
    std::fs::write(folder.path().join("token"), "secret\n").unwrap();

    for uri in [outer.display().to_string(), format!("file:{}", outer.display())] {
        let tree = load(&[uri.parse().unwrap()], &[], &Providers::from_process()).unwrap().tree;
        let section = Section::new("", tree);
        assert_eq!(section.get("token").unwrap().parse::<String>().unwrap(), "secret\n");
        let place = section.error("a::unknown", "x").problems()[0].place.clone().unwrap();
        assert_eq!(place.to_string(), format!("{}:2", inner.display()));
    }
}

/// Scenario: a file in UTF-16 with a byte order mark, in either order of bytes; and such files that are cut or broken.
/// Guarantees: the former are read as text; the latter are refused, and told why.
#[test]
fn files_in_utf_16() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    let read = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let loaded = load(&[file.display().to_string().parse().unwrap()], &[], &Providers::from_process());
        loaded.map(|loaded| Section::new("", loaded.tree))
    };
    let encoded =
        |order: fn(u16) -> [u8; 2]| "\u{feff}a: \u{e9}\u{1f600}\n".encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let plain = read("a: \u{e9}\u{1f600}\n".as_bytes()).unwrap();
    for bytes in [encoded(u16::to_le_bytes), encoded(u16::to_be_bytes)] {
        assert_eq!(read(&bytes).unwrap(), plain);
        let cut = read(&bytes[..bytes.len() - 1]).unwrap_err().to_string();
        assert!(cut.contains("not UTF-16: half a character at the end"), "{cut}");
    }
    let half = read(&[0xfe, 0xff, 0xd8, 0x3d]).unwrap_err().to_string();
    assert!(half.contains("not UTF-16: unpaired surrogate"), "{half}");
}

/// Scenario: a configuration on an HTTP server, and a server that is not there.
/// Guarantees: it is read like a file; an unreachable one is an error that names the URL.
#[test]
fn http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/config.yaml", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        let body = "a: {b: 1}\n";
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let loaded = load(&[url.parse().unwrap()], &[], &Providers::from_process()).unwrap();
    assert!(server.join().unwrap().starts_with("GET /config.yaml HTTP/1.1"));
    assert_eq!(
        Section::new("", loaded.tree).get("a").unwrap().error("b", "x").problems()[0].place.as_ref().unwrap().source(),
        url
    );

    let gone = load(&[url.parse().unwrap()], &[], &Providers::from_process()).unwrap_err().to_string();
    assert!(gone.contains(&url), "{gone}");
}

proptest! {
    /// Scenario: arbitrary text as configuration and as the value of the variable it refers to.
    /// Guarantees: a tree or an error, never a panic.
    #[test]
    fn arbitrary_sources_are_survived(text in ".{0,60}", value in "[a$({}):\\[\\],' \n-]{0,20}", set in ".{0,20}") {
        let texts = [text.as_str(), "k: '${V}'", "k::${V}: x${V}"];
        let providers = Providers::with_environment(move |_| Some(value.clone()));
        let uris: Vec<Uri> = texts.iter().map(|text| format!("yaml:{text}").parse().unwrap()).collect();
        let sets: Vec<SetFlag> = set.parse().into_iter().collect();
        let _ = load(&uris, &sets, &providers);
    }
}

/// Scenario: a file and one that it names are read; nothing changes; the inner one is written again, is removed, and comes back.
/// Guarantees: each change is seen once it happened, until the files are read again.
#[test]
fn changes_of_files_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let [outer, inner] = ["outer.yaml", "inner.yaml"].map(|name| folder.path().join(name));
    std::fs::write(&inner, "b: 1").unwrap();
    std::fs::write(&outer, format!("a: ${{file:{}}}", inner.display())).unwrap();
    let providers = Providers::from_process();
    let read = || load(&[outer.display().to_string().parse().unwrap()], &[], &providers);
    assert_eq!(providers.changed_file(), None);
    read().unwrap();
    assert_eq!(providers.changed_file(), None);
    std::fs::write(&inner, "b: 12").unwrap();
    assert_eq!(providers.changed_file().as_ref(), Some(&inner));
    read().unwrap();
    std::fs::remove_file(&inner).unwrap();
    assert_eq!(providers.changed_file().as_ref(), Some(&inner));
    read().unwrap_err();
    assert_eq!(providers.changed_file(), None);
    std::fs::write(&inner, "b: 1").unwrap();
    assert_eq!(providers.changed_file().as_ref(), Some(&inner));
}

/// Scenario: values that may be secret where something else is expected, alone and as parts; a map, a list or a whole file of them; URLs with passwords.
/// Guarantees: no error shows what was put in, nor credentials of URLs; where it stands and what is expected is told.
#[test]
fn errors_show_no_secrets() {
    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Strict {
        timeout: Duration,
        number: u32,
        list: Vec<String>,
        headers: crate::Headers,
        inner: std::collections::HashMap<String, u32>,
    }
    let providers =
        Providers::with_environment(|name| Some(if name == "MAP" { "{a: SEKRIT}" } else { "SEKRIT" }.to_owned()));
    for text in [
        "timeout: ${env:V}",
        "timeout: x${env:V}",
        "number: ${env:V}",
        "list: {a: '${env:V}'}",
        "headers: [SEKRIT]",
        "headers: 'a,SEKRIT'",
        "inner: ${env:MAP}",
        "inner: SEKRIT",
    ] {
        let uri: Uri = format!("yaml:{text}").parse().unwrap();
        let tree = load(&[uri], &[], &providers).unwrap().tree;
        let section = Section::new("x", tree);
        let problem = section.parse::<Strict>().unwrap_err().into_problems().remove(0);
        let message = problem.to_string();
        assert!(message.contains(": x::") && !message.contains("SEKRIT"), "{text}: {message}");
        let later = section.error("timeout", "\"SEKRIT\" is wrong").to_string();
        assert_eq!(later.contains("[REDACTED]"), text.contains("${"), "{text}: {later}");
    }
    let uri: Uri = "http://u:SEKRIT@127.0.0.1:1/x".parse().unwrap();
    let error = load(&[uri], &[], &providers).unwrap_err().to_string();
    assert!(error.contains("http://[REDACTED]@127.0.0.1:1/x") && !error.contains("SEKRIT"), "{error}");
    let error = Section::default().error("a", "\"http://u:SEKRIT@host:99999999\" is no URL").to_string();
    assert_eq!(error, "a: \"http://[REDACTED]@host:99999999\" is no URL");
}
