//! `URL`: the parts of a URL, as Go's `net/url` finds them.

use std::borrow::Cow;

use indexmap::IndexMap;

use super::build::MapBuilder;
use super::{Function, ParamKind, required};
use crate::eval::EvalError;
use crate::eval::val::Val;

pub(super) const FUNCTIONS: &[Function] = &[Function::plain("URL", &[required("uri", ParamKind::Str)], |args, env| {
    let text = args.string(0, env)?;
    let wrong = || EvalError::parse("URL", &text);
    if text.is_empty() {
        return Err(wrong());
    }
    let map = match text.strip_prefix(b"?") {
        Some(query) => query_map(query).ok_or_else(wrong)?,
        None => Url::parse(&text).and_then(|url| url.map()).ok_or_else(wrong)?,
    };
    Ok(map.into_val())
})];

/// Where a text stands, which decides what need not be escaped besides letters, digits and `-._~`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Query,
    Fragment,
}

/// A URL, taken apart. What is empty was not there.
#[derive(Debug, Default)]
struct Url<'u> {
    scheme: String,
    opaque: &'u [u8],
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    omit_host: bool,
    raw_path: &'u [u8],
    path: Vec<u8>,
    force_query: bool,
    query: &'u [u8],
    raw_fragment: &'u [u8],
    fragment: Vec<u8>,
}

fn split<'t>(text: &'t [u8], separator: &[u8]) -> Option<(&'t [u8], &'t [u8])> {
    let at = memchr::memmem::find(text, separator)?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

// === impl Url ===

impl<'u> Url<'u> {
    fn parse(text: &'u [u8]) -> Option<Self> {
        let (text, raw_fragment) = split(text, b"#").unwrap_or((text, b""));
        if text.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
            return None;
        }
        let mut url = Self { raw_fragment, ..Self::default() };
        if text == b"*" {
            url.path = b"*".to_vec();
        } else {
            url.parts(text)?;
        }
        url.fragment = unescape(raw_fragment, Part::Fragment)?.into_owned();
        Some(url)
    }

    fn parts(&mut self, text: &'u [u8]) -> Option<()> {
        let (scheme, rest) = scheme(text)?;
        self.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = split(rest, b"?").unwrap_or((rest, b""));
        self.query = query;
        self.force_query = query.is_empty() && text.ends_with(b"?");
        if !rest.starts_with(b"/") {
            if !self.scheme.is_empty() {
                self.opaque = rest;
                return Some(());
            }
            if rest.split(|byte| *byte == b'/').next().is_some_and(|first| first.contains(&b':')) {
                return None;
            }
        }
        let authority = rest.strip_prefix(b"//").filter(|_| !self.scheme.is_empty() || !rest.starts_with(b"///"));
        if let Some(authority) = authority {
            let end = memchr::memchr(b'/', authority).unwrap_or(authority.len());
            let (authority, path) = authority.split_at(end);
            rest = path;
            self.authority(authority)?;
        } else if !self.scheme.is_empty() && rest.starts_with(b"/") {
            self.omit_host = true;
        }
        self.raw_path = rest;
        self.path = unescape(rest, Part::Path)?.into_owned();
        Some(())
    }

    fn authority(&mut self, authority: &[u8]) -> Option<()> {
        let Some(at) = memchr::memrchr(b'@', authority) else {
            self.host = host(&self.scheme, authority)?;
            return Some(());
        };
        self.host = host(&self.scheme, authority.get(at + 1..)?)?;
        let user = authority.get(..at)?;
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !user.iter().all(valid) {
            return None;
        }
        let (name, password) = match split(user, b":") {
            Some((name, password)) => (name, Some(unescape(password, Part::User)?.into_owned())),
            None => (user, None),
        };
        self.user = Some((unescape(name, Part::User)?.into_owned(), password));
        Some(())
    }

    /// Host and port; brackets around the host are left out.
    fn host_port(&self) -> (&[u8], &[u8]) {
        let (host, port) = match memchr::memrchr(b':', &self.host) {
            Some(at) => {
                let (host, port) = self.host.split_at(at);
                if is_port(port) { (host, port.get(1..).unwrap_or(b"")) } else { (&*self.host, &b""[..]) }
            }
            None => (&*self.host, &b""[..]),
        };
        (host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host), port)
    }

    /// As OpenTelemetry's conventions name the parts.
    fn map(&self) -> Option<MapBuilder> {
        let mut map = MapBuilder::default();
        let (host, port) = self.host_port();
        map.text("url.original", &self.text());
        map.text("url.domain", host);
        map.text("url.scheme", self.scheme.as_bytes());
        map.text("url.path", &self.path);
        if !port.is_empty() {
            map.put("url.port", &Val::Int(std::str::from_utf8(port).ok()?.parse().ok()?)).ok()?;
        }
        if !self.fragment.is_empty() {
            map.text("url.fragment", &self.fragment);
        }
        if let Some((name, password)) = &self.user {
            map.text("url.user_info", &self.user_info(name, password.as_deref()));
            if !name.is_empty() {
                map.text("url.username", name);
            }
            if let Some(password) = password {
                map.text("url.password", password);
            }
        }
        if !self.query.is_empty() {
            map.text("url.query", self.query);
        }
        let extension = memchr::memrchr(b'.', &self.path).and_then(|at| self.path.get(at + 1..));
        if let Some(extension) = extension.filter(|extension| !extension.is_empty()) {
            map.text("url.extension", extension);
        }
        Some(map)
    }

    fn user_info(&self, name: &[u8], password: Option<&[u8]>) -> Vec<u8> {
        let mut out = escape(name, Part::User);
        if let Some(password) = password {
            out.push(b':');
            out.extend(escape(password, Part::User));
        }
        out
    }

    /// The URL put together again.
    fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(self.scheme.as_bytes());
            out.push(b':');
        }
        if self.opaque.is_empty() {
            self.put_hierarchy(&mut out);
        } else {
            out.extend_from_slice(self.opaque);
        }
        if self.force_query || !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escaped(self.raw_fragment, &self.fragment, Part::Fragment));
        }
        out
    }

    fn put_hierarchy(&self, out: &mut Vec<u8>) {
        let known = !self.host.is_empty() || self.user.is_some();
        if known || (!self.scheme.is_empty() && !self.omit_host) {
            if known || !self.path.is_empty() {
                out.extend_from_slice(b"//");
            }
            if let Some((name, password)) = &self.user {
                out.extend(self.user_info(name, password.as_deref()));
                out.push(b'@');
            }
            out.extend(escape(&self.host, Part::Host));
        }
        let path = if self.path == b"*" { b"*".to_vec() } else { escaped(self.raw_path, &self.path, Part::Path) };
        if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && path.split(|byte| *byte == b'/').next().is_some_and(|first| first.contains(&b':')) {
            out.extend_from_slice(b"./");
        }
        out.extend(path);
    }
}

/// A scheme and what follows it; a text may have none.
fn scheme(text: &[u8]) -> Option<(&str, &[u8])> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((std::str::from_utf8(text.get(..at)?).ok()?, text.get(at + 1..)?)),
            _ => break,
        }
    }
    Some(("", text))
}

/// Nothing, or a colon and digits.
fn is_port(text: &[u8]) -> bool {
    text.split_first().is_none_or(|(first, digits)| *first == b':' && digits.iter().all(u8::is_ascii_digit))
}

fn host(scheme: &str, host: &[u8]) -> Option<Vec<u8>> {
    match memchr::memrchr(b'[', host) {
        Some(0) => {
            let close = memchr::memrchr(b']', host)?;
            let (inner, port) = (host.get(1..close)?, host.get(close + 1..)?);
            if !is_port(port) {
                return None;
            }
            let name = match memchr::memmem::find(inner, b"%25") {
                Some(at) => {
                    let (address, zone) = inner.split_at(at);
                    [unescape(address, Part::Host)?, unescape(zone, Part::Zone)?].concat()
                }
                None => unescape(inner, Part::Host)?.into_owned(),
            };
            let (address, zone) = split(&name, b"%").map_or((&*name, None), |(address, zone)| (address, Some(zone)));
            let valid = std::str::from_utf8(address).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok());
            if !valid || zone.is_some_and(<[u8]>::is_empty) {
                return None;
            }
            Some([b"[", &*name, b"]", port].concat())
        }
        Some(_) => None,
        None => {
            if let Some(first) = memchr::memchr(b':', host) {
                let last = memchr::memrchr(b':', host).unwrap_or(first);
                // Elsewhere a list of hosts with ports is let through.
                let at = if matches!(scheme, "http" | "https") { first } else { last };
                if !is_port(host.get(at..)?) {
                    return None;
                }
            }
            unescape(host, Part::Host).map(Cow::into_owned)
        }
    }
}

/// The parameters of a query by name, each with its values; nothing where one of them cannot be read.
fn query_map(query: &[u8]) -> Option<MapBuilder> {
    let mut parameters: IndexMap<Vec<u8>, Vec<Val<'_>>> = IndexMap::new();
    for pair in query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        if pair.contains(&b';') {
            return None;
        }
        let (key, value) = split(pair, b"=").unwrap_or((pair, b""));
        let key = unescape(key, Part::Query)?;
        let value = Val::Str(unescape(value, Part::Query)?);
        parameters.entry(key.into_owned()).or_default().push(value);
    }
    let mut map = MapBuilder::default();
    if !parameters.is_empty() {
        let mut inner = MapBuilder::default();
        for (key, values) in parameters {
            inner.put(key, &Val::List(crate::eval::val::ListVal::Owned(values))).ok()?;
        }
        map.put("query", &inner.into_val()).ok()?;
    }
    Some(map)
}

// === impl Part ===

impl Part {
    /// Whether a byte may stand there as it is.
    fn allows(self, byte: u8) -> bool {
        let more: &[u8] = match self {
            Self::Path => b"$&+,/:;=@",
            Self::Host | Self::Zone => b"!\"$&'()*+,:;<=>[]",
            Self::User => b"$&+,;=",
            Self::Query => b"",
            Self::Fragment => b"!$&()*+,/:;=?@",
        };
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || more.contains(&byte)
    }
}

fn unescape(text: &[u8], part: Part) -> Option<Cow<'_, [u8]>> {
    let checked = matches!(part, Part::Host | Part::Zone);
    if !text.contains(&b'%') && !text.contains(&b'+') && !checked {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => {
                let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
                let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
                let value = u8::from_str_radix(digits, 16).ok()?;
                let percent = digits == "25";
                if (part == Part::Host && value < 0x80 && !percent)
                    || (part == Part::Zone && !percent && value != b' ' && !Part::Host.allows(value))
                {
                    return None;
                }
                out.push(value);
                rest = after.get(2..)?;
            }
            b'+' if part == Part::Query => out.push(b' '),
            byte if checked && byte < 0x80 && !part.allows(byte) => return None,
            byte => out.push(byte),
        }
    }
    Some(Cow::Owned(out))
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or(b'0');
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if part.allows(*byte) {
            out.push(*byte);
        } else {
            out.extend([b'%', digit(byte >> 4), digit(*byte)]);
        }
    }
    out
}

/// As it was written where that is a valid escaping, else escaped anew.
fn escaped(raw: &[u8], text: &[u8], part: Part) -> Vec<u8> {
    let valid = |byte: &u8| b"!$&'()*+,;=:@[]%".contains(byte) || part.allows(*byte);
    if raw.iter().all(valid) { raw.to_vec() } else { escape(text, part) }
}
