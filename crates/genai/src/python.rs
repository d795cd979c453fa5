//! What Python prints of its values: dicts and lists, and the objects of SDKs, `ChatCompletion(id='…', choices=[…])`. Frameworks
//! put such texts into attributes where JSON was meant.

use serde_json::{Map, Value as Json};

/// Longer texts are not read.
const LONGEST: usize = 1 << 16;

/// How deep values may lie in each other.
const DEEPEST: u8 = 48;

/// The longest name of a class with its modules.
const LONGEST_NAME: usize = 96;

/// More values than this are not read: a few are read twice, and what is built to make that many more comes to an end.
const MOST_VALUES: u32 = 1 << 15;

/// A text that is read from left to right.
struct Reader<'t> {
    rest: &'t str,
    /// How many values may still be read.
    left: u32,
}

/// Whether a text may be the fields of a model of Pydantic's, as `str` prints them: `content='…' additional_kwargs={}`.
pub(crate) fn may_be_fields(text: &str) -> bool {
    let Some((name, rest)) = text.split_once('=') else { return false };
    name.starts_with(char::is_lowercase)
        && name.len() <= LONGEST_NAME
        && name.chars().all(is_of_name)
        && rest.starts_with(['\'', '"', '{', '['])
}

/// Reads such fields as an object; nothing if the text is anything else, or does not end with a field.
pub(crate) fn fields(text: &str) -> Option<Json> {
    if text.len() > LONGEST || !may_be_fields(text) {
        return None;
    }
    let mut reader = Reader { rest: text, left: MOST_VALUES };
    let mut entries = Map::new();
    while !reader.rest.trim_start().is_empty() {
        let name = reader.name()?;
        reader.expect('=')?;
        let value = reader.value(1)?;
        entries.insert(name.to_owned(), value);
    }
    Some(Json::Object(entries))
}

/// Whether a text may be one that Python printed of an object: a name of a class, and what it was made of.
pub(crate) fn may_be_object(text: &str) -> bool {
    let name = text.len() - text.trim_start_matches(is_of_name).len();
    let (name, rest) = text.split_at(name);
    let class = name.rsplit('.').next().unwrap_or_default();
    class.starts_with(char::is_uppercase)
        && name.len() <= LONGEST_NAME
        && rest.starts_with('(')
        && rest.trim_end().ends_with(')')
}

/// Reads a text that Python printed of a dict, an object, or a list of such, where its beginning tells that.
pub(crate) fn printed(text: &str) -> Option<Json> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    (inner.starts_with("{'") || may_be_object(inner)).then(|| parse(text))?
}

/// Reads a dict, a list or an object as JSON: its keyword arguments, with names as those who made the class would have them,
/// without underscores in front. Nothing if the text is anything else, or does not end with that value.
pub(crate) fn parse(text: &str) -> Option<Json> {
    if text.len() > LONGEST {
        return None;
    }
    let mut reader = Reader { rest: text, left: MOST_VALUES };
    let value = reader.value(0)?;
    reader.skip_space();
    (reader.rest.is_empty() && (value.is_object() || value.is_array())).then_some(value)
}

// === impl Reader ===

impl<'t> Reader<'t> {
    fn value(&mut self, depth: u8) -> Option<Json> {
        self.left = self.left.checked_sub(1).filter(|_| depth <= DEEPEST)?;
        self.skip_space();
        match self.rest.chars().next()? {
            '\'' | '"' => self.string().map(Json::String),
            '[' => self.expect('[').and_then(|()| self.items(Vec::new(), ']', depth)),
            '(' => self.expect('(').and_then(|()| self.items(Vec::new(), ')', depth)),
            '{' => self.dict_or_set(depth),
            '<' => self.described(depth),
            '-' | '+' | '0'..='9' => self.number(),
            _ => self.named(depth),
        }
    }

    /// The rest of a list, a tuple or a set.
    fn items(&mut self, mut items: Vec<Json>, close: char, depth: u8) -> Option<Json> {
        while !self.take_char(close) {
            items.push(self.value(depth + 1)?);
            self.comma_or(close)?;
        }
        Some(Json::Array(items))
    }

    fn dict_or_set(&mut self, depth: u8) -> Option<Json> {
        self.expect('{')?;
        let mut entries = Map::new();
        while !self.take_char('}') {
            let key = self.value(depth + 1)?;
            if entries.is_empty() && !self.take_char(':') {
                self.comma_or('}')?;
                return self.items(vec![key], '}', depth);
            } else if !entries.is_empty() {
                self.expect(':')?;
            }
            let key = match key {
                Json::String(key) => key,
                other => other.to_string(),
            };
            let value = self.value(depth + 1)?;
            entries.insert(key, value);
            self.comma_or('}')?;
        }
        Some(Json::Object(entries))
    }

    /// `<Role.USER: 'user'>` is the value; other objects that are only described, `<object at 0x…>`, are nothing.
    fn described(&mut self, depth: u8) -> Option<Json> {
        self.expect('<')?;
        let before = self.rest;
        self.name();
        if self.take_char(':')
            && let Some(value) = self.value(depth + 1)
            && self.take_char('>')
        {
            return Some(value);
        }
        let (_, rest) = before.split_once('>')?;
        self.rest = rest;
        Some(Json::Null)
    }

    fn number(&mut self) -> Option<Json> {
        let digits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-' | '_');
        let rest = self.rest.trim_start_matches(digits);
        let text = self.rest.get(..self.rest.len() - rest.len())?;
        self.rest = rest;
        if let Ok(whole) = text.parse::<i64>() {
            return Some(whole.into());
        }
        // `-inf` is no number of JSON, and becomes nothing.
        text.parse::<f64>().ok().map(Json::from)
    }

    /// A word of the language, a string with a prefix, an enum's member, or an object.
    fn named(&mut self, depth: u8) -> Option<Json> {
        let name = self.name()?;
        match name {
            "None" | "nan" | "inf" | "Ellipsis" | "..." => return Some(Json::Null),
            "True" => return Some(Json::Bool(true)),
            "False" => return Some(Json::Bool(false)),
            "b" | "u" | "r" | "f" if self.rest.starts_with(['\'', '"']) => return self.string().map(Json::String),
            _ => {}
        }
        if self.rest.starts_with('(') {
            return self.object(depth);
        }
        // `FinishReason.STOP`
        let (_, member) = name.rsplit_once('.')?;
        Some(Json::String(member.to_owned()))
    }

    /// An object's keyword arguments. One that was made of a single value, such as `Decimal('1.5')`, is that value; of several,
    /// such as a date, is nothing.
    fn object(&mut self, depth: u8) -> Option<Json> {
        self.expect('(')?;
        let mut entries = Map::new();
        let mut values = Vec::new();
        while !self.take_char(')') {
            let before = self.rest;
            match self.name().filter(|_| self.take_char('=')) {
                Some(name) => {
                    let value = self.value(depth + 1)?;
                    entries.insert(name.trim_start_matches('_').to_owned(), value);
                }
                None => {
                    self.rest = before;
                    values.push(self.value(depth + 1)?);
                }
            }
            self.comma_or(')')?;
        }
        match values.pop() {
            Some(value) if values.is_empty() && entries.is_empty() => Some(value),
            Some(_) if entries.is_empty() => Some(Json::Null),
            _ => Some(Json::Object(entries)),
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = self.rest.chars().next()?;
        let mut characters = self.rest.chars();
        characters.next();
        let mut text = String::new();
        loop {
            match characters.next()? {
                end if end == quote => break,
                '\\' => match characters.next()? {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'x' => text.push(character_of(&mut characters, 2)?),
                    'u' => text.push(character_of(&mut characters, 4)?),
                    'U' => text.push(character_of(&mut characters, 8)?),
                    quoted @ ('\'' | '"' | '\\') => text.push(quoted),
                    other => text.extend(['\\', other]),
                },
                other => text.push(other),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }

    /// A name with dots.
    fn name(&mut self) -> Option<&'t str> {
        self.skip_space();
        let rest = self.rest.trim_start_matches(is_of_name);
        let name = self.rest.get(..self.rest.len() - rest.len()).filter(|name| !name.is_empty())?;
        self.rest = rest;
        Some(name)
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take_char(&mut self, token: char) -> bool {
        self.skip_space();
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }

    fn expect(&mut self, token: char) -> Option<()> {
        self.take_char(token).then_some(())
    }

    /// What follows an element: a comma, or the end, which stays.
    fn comma_or(&mut self, close: char) -> Option<()> {
        (self.take_char(',') || self.rest.starts_with(close)).then_some(())
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '.')
}

/// A character by the digits of its escape; half of a pair of UTF-16 is none.
fn character_of(characters: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text = characters.as_str().get(..digits)?;
    let code = u32::from_str_radix(text, 16).ok()?;
    characters.nth(digits - 1);
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Scenario: dicts, objects, enums, tuples, sets, dates and strings as Python prints them.
    /// Guarantees: each becomes the JSON that says the same.
    #[test]
    fn reads_what_python_prints() {
        for (text, expected) in [
            ("{'a': None, 'b': [True, False], 3: 1.5}", json!({ "a": null, "b": [true, false], "3": 1.5 })),
            (
                "A(id='x', _of=B(n=-1, e=<R.U: 'user'>), c=())",
                json!({ "id": "x", "of": { "n": -1, "e": "user" }, "c": [] }),
            ),
            (
                "a.B(at=datetime.datetime(2026, 1, 2, tzinfo=x.UTC), cost=Decimal('1.5'))",
                json!({ "at": {"tzinfo": "UTC"}, "cost": "1.5" }),
            ),
            (
                "[{'a', 'b'}, {}, F.STOP, <object at 0x7f>, ('x',), nan]",
                json!([["a", "b"], {}, "STOP", null, ["x"], null]),
            ),
            (
                r#"{'t': 'it\'s "é\xe9\u00e9\n" \\', "u": "it's", 'b': b'x'}"#,
                json!({ "t": "it's \"ééé\n\" \\", "u": "it's", "b": "x" }),
            ),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        for text in ["", "None", "'x'", "Hello (world)", "f(x", "[a]", "{'a': 1} and more", "{'a' 1}", "A(b=c d)"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let message =
            "content='It is \\'x\\'' additional_kwargs={'a': None} response_metadata={'id': 'y'} tool_calls=[]";
        assert_eq!(
            fields(message),
            Some(
                json!({ "content": "It is 'x'", "additional_kwargs": { "a": null }, "response_metadata": { "id": "y" }, "tool_calls": [] })
            )
        );
        for text in ["a = 'b'", "a='b' and more", "a=b", "A='b'", "x='1", "url='a'='b'", ""] {
            assert_eq!(fields(text), None, "{text}");
        }
        assert!(may_be_object("ChatMessage(role='x') ") && may_be_object("a.B()"));
        assert!(
            !may_be_object("Hello (world)") && !may_be_object("2(x)") && !may_be_object("(x)") && !may_be_object("f(x")
        );
    }

    /// Scenario: texts that were cut at every place, had any byte replaced, or lie very deep or are very long.
    /// Guarantees: reading ends, without a panic and without a deep stack.
    #[test]
    fn survives_anything() {
        let whole = r#"A(id='é\x41', l=[B(_x=1e3, y=<E.A: "v">), (), {'k': {1, 2}}], d=d.t(1, 2), n=None)"#;
        assert!(parse(whole).is_some());
        for cut in (0..whole.len()).filter(|at| whole.is_char_boundary(*at)) {
            let (head, tail) = whole.split_at(cut);
            assert_eq!(parse(head), None);
            parse(tail);
            fields(&format!("a={tail}"));
            for other in ["(", ")", "'", "\\", "<", ">", "=", "{", "é", ",", ":", ".", "-"] {
                parse(&format!("{head}{other}{tail}"));
                parse(&format!("{head}{other}{}", tail.get(1..).unwrap_or_default()));
            }
        }
        for open in ["[", "{", "(", "A(", "A(a=", "<a: ", "{1: ", "{(", "[<a: [0>, "] {
            assert_eq!(parse(&open.repeat(60_000 / open.len())), None);
        }
        assert_eq!(parse(&format!("['{}']", "x".repeat(LONGEST))), None);
    }
}
