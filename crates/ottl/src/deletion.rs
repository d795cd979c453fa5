//! `delete_key` and `delete_matching_keys` of attributes: the editors that change what a router passes on.

use regex::bytes::Regex;

use crate::ast::{Arg, ArgValue, Call, Value};
use crate::compile::{CompileError, Paths};
use crate::condition::ParseError;
use crate::context::{Context, Root};
use crate::functions::re2;
use crate::parsed_statement::ParsedStatement;

/// Which attributes go, and of what.
#[derive(Debug, Clone)]
pub struct Deletion {
    of: Context,
    keys: Keys,
}

#[derive(Debug, Clone)]
enum Keys {
    One(String),
    Matching(Regex),
}

// === impl Deletion ===

impl Deletion {
    /// Reads the editor of a statement; none where it is another one.
    ///
    /// # Errors
    ///
    /// Fails where its arguments are not attributes of a resource, a scope or a span, and a literal.
    pub fn of(statement: &ParsedStatement, paths: Paths) -> Result<Option<Self>, ParseError> {
        let editor = &statement.parsed.editor;
        let failed = |error| ParseError::new(&statement.text, error);
        let make: fn(&str, usize) -> Result<Keys, CompileError> = match editor.name.text.as_str() {
            "delete_key" => |key, _| Ok(Keys::One(key.to_owned())),
            "delete_matching_keys" => |pattern, at| match re2::compile(pattern) {
                Ok(regex) => Ok(Keys::Matching(regex)),
                Err(error) => Err(CompileError::new(at, format!("invalid regular expression {pattern:?}: {error}"))),
            },
            _ => return Ok(None),
        };
        let [target, keys] = editor.args.as_slice() else {
            let message = format!("{} takes a map of attributes and a text", editor.name.text);
            return Err(failed(CompileError::new(editor.name.at, message)));
        };
        let of = attributes_of(target, paths).map_err(failed)?;
        let keys = literal(editor, keys).and_then(|text| make(text, keys.at)).map_err(failed)?;
        Ok(Some(Self { of, keys }))
    }

    /// What the attributes belong to.
    pub fn context(&self) -> Context {
        self.of
    }

    /// Whether the attribute with that key goes.
    pub fn removes(&self, key: &[u8]) -> bool {
        match &self.keys {
            Keys::One(one) => one.as_bytes() == key,
            Keys::Matching(pattern) => pattern.is_match(key),
        }
    }
}

/// The owner of `attributes`, with or without its name in front.
fn attributes_of(target: &Arg, paths: Paths) -> Result<Context, CompileError> {
    let wrong = || CompileError::new(target.at, "expected the attributes of a resource, a scope or a span");
    let ArgValue::Value(Value::Path(path)) = &target.value else { return Err(wrong()) };
    let fields: Vec<&str> = path.fields.iter().map(|field| field.name.as_str()).collect();
    let indexed = path.fields.iter().any(|field| !field.keys.is_empty());
    match (fields.as_slice(), paths) {
        _ if indexed => Err(wrong()),
        (["attributes"], Paths::Unprefixed(context)) => Ok(context),
        ([prefix, "attributes"], _) => match Root::of_prefix(prefix) {
            Some(Root::Resource) => Ok(Context::Resource),
            Some(Root::Scope) => Ok(Context::Scope),
            Some(Root::Span) => Ok(Context::Span),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

fn literal<'a>(editor: &Call, arg: &'a Arg) -> Result<&'a str, CompileError> {
    match &arg.value {
        ArgValue::Value(Value::String(text)) => Ok(text),
        _ => Err(CompileError::new(arg.at, format!("{} takes a literal text here", editor.name.text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deletion(text: &str, paths: Paths) -> Result<Option<Deletion>, String> {
        let statement = ParsedStatement::parse(text).map_err(|error| error.to_string())?;
        Deletion::of(&statement, paths).map_err(|error| error.to_string())
    }

    /// Scenario: both editors, with and without the name of the owner, and another editor.
    /// Guarantees: owner and keys are those written; other editors are none.
    #[test]
    fn reads_both() {
        let span = Paths::Unprefixed(Context::Span);
        let one = deletion(r#"delete_key(attributes, "a") where name == "x""#, span).unwrap().unwrap();
        assert!(one.context() == Context::Span && one.removes(b"a") && !one.removes(b"ab"));
        let many = deletion(r#"delete_matching_keys(resource.attributes, "^a")"#, span).unwrap().unwrap();
        assert!(many.context() == Context::Resource && many.removes(b"ab") && !many.removes(b"ba"));
        assert!(deletion("route()", span).unwrap().is_none());
    }

    /// Scenario: arguments of other kinds and numbers, a pattern that is none, a path without its owner where it must be named.
    /// Guarantees: refused, with the place.
    #[test]
    fn refusals() {
        let span = Paths::Unprefixed(Context::Span);
        for text in [
            r#"delete_key(attributes)"#,
            r#"delete_key(attributes["x"], "a")"#,
            r#"delete_key(name, "a")"#,
            r#"delete_key(attributes, name)"#,
            r#"delete_matching_keys(attributes, "(")"#,
            r#"delete_key("attributes", "a")"#,
        ] {
            assert!(deletion(text, span).unwrap_err().starts_with("cannot parse OTTL"), "{text}");
        }
        assert!(deletion(r#"delete_key(attributes, "a")"#, Paths::Prefixed).is_err());
    }
}
