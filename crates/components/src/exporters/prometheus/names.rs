//! Names of metrics and labels as Prometheus has them.

/// Makes the names of metrics.
#[derive(Debug, Clone)]
pub(super) struct MetricNamer {
    pub(super) namespace: String,
    /// Whether unit and type become part of the name.
    pub(super) suffixes: bool,
    /// Whether names may have any characters.
    pub(super) utf8: bool,
}

/// Makes the names of labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct LabelNamer {
    pub(super) utf8: bool,
}

/// What a name depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Counter,
    Gauge,
    Other,
}

const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

const PER: &[(&str, &str)] =
    &[("s", "second"), ("m", "minute"), ("h", "hour"), ("d", "day"), ("w", "week"), ("mo", "month"), ("y", "year")];

// === impl MetricNamer ===

impl MetricNamer {
    /// The name of a metric; none where nothing is left of it.
    pub(super) fn name(&self, name: &str, unit: &str, kind: Type) -> Option<String> {
        if self.utf8 {
            return Some(self.any_name(name, unit, kind));
        }
        let made = if self.suffixes { self.full_name(name, unit, kind) } else { self.plain_name(name) };
        let is_blank = made.bytes().all(|byte| byte == b'_');
        (!made.is_empty() && (made == name || !is_blank)).then_some(made)
    }

    fn plain_name(&self, name: &str) -> String {
        let joined = |text: &str| {
            let parts: Vec<&str> = text.split(|c| !is_name(c) && c != '_').filter(|part| !part.is_empty()).collect();
            parts.join("_")
        };
        let name = joined(name);
        if !self.namespace.is_empty() {
            return format!("{}_{name}", joined(&self.namespace));
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
    }

    fn full_name(&self, name: &str, unit: &str, kind: Type) -> String {
        let mut tokens: Vec<String> =
            name.split(|c| !is_name(c)).filter(|token| !token.is_empty()).map(str::to_owned).collect();
        let (main, per) = unit_suffixes(unit);
        let (mut main, mut per) = (clean(&main), clean(&per));
        if tokens.contains(&main) {
            main.clear();
        }
        if per == "per_" {
            per.clear();
        } else {
            per = per.strip_suffix('_').unwrap_or(&per).to_owned();
            if tokens.contains(&per) {
                per.clear();
            }
        }
        if !per.is_empty() {
            main = main.strip_suffix('_').unwrap_or(&main).to_owned();
        }
        tokens.extend([main, per].into_iter().filter(|suffix| !suffix.is_empty()));
        let mut last = |word: &str| {
            tokens.retain(|token| token != word);
            tokens.push(word.to_owned());
        };
        match kind {
            Type::Counter => last("total"),
            Type::Gauge if unit == "1" => last("ratio"),
            _ => {}
        }
        if !self.namespace.is_empty() {
            tokens.insert(0, self.namespace.clone());
        }
        let joined = tokens.join("_");
        if joined.starts_with(|c: char| c.is_ascii_digit()) { format!("_{joined}") } else { joined }
    }

    fn any_name(&self, name: &str, unit: &str, kind: Type) -> String {
        let mut name = if self.namespace.is_empty() { name.to_owned() } else { format!("{}_{name}", self.namespace) };
        if !self.suffixes {
            return name;
        }
        let word = match kind {
            Type::Counter => Some("total"),
            Type::Gauge if unit == "1" => Some("ratio"),
            _ => None,
        };
        if let Some(word) = word {
            trim(&mut name, word);
        }
        let (main, per) = unit_suffixes(unit);
        if !per.is_empty() {
            trim(&mut name, &per);
        }
        if !main.is_empty() && !name.ends_with(&main) {
            name = format!("{name}_{main}");
        }
        if !per.is_empty() {
            name = format!("{name}_{per}");
        }
        match word {
            Some(word) => format!("{name}_{word}"),
            None => name,
        }
    }
}

/// Takes a suffix off, and the sign before it.
fn trim(name: &mut String, suffix: &str) {
    if name.ends_with(suffix) && name.len() > suffix.len() + 1 {
        let end = name.len() - suffix.len() - 1;
        if name.is_char_boundary(end) {
            name.truncate(end);
        }
    }
}

/// The unit as words: what is counted, and what it is counted by.
fn unit_suffixes(unit: &str) -> (String, String) {
    let word = |unit: &str, words: &[(&str, &str)]| {
        let unit = unit.trim();
        if unit.contains(['{', '}']) {
            return String::new();
        }
        words.iter().find(|(known, _)| *known == unit).map_or(unit, |(_, word)| word).to_owned()
    };
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let per = word(per, PER);
    (word(main, UNITS), if per.is_empty() { per } else { format!("per_{per}") })
}

/// A unit with nothing in it but letters, digits, colons and single underscores.
fn clean(unit: &str) -> String {
    let mut out = String::with_capacity(unit.len());
    for c in unit.chars() {
        if is_name(c) {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out.strip_prefix('_').map(str::to_owned).unwrap_or(out)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

// === impl LabelNamer ===

impl LabelNamer {
    /// The name of a label; none where nothing is left of it.
    pub(super) fn name(self, name: &str) -> Option<String> {
        let made = if self.utf8 { name.to_owned() } else { sanitized(name) };
        let blank = made.bytes().all(|byte| byte == b'_');
        (!name.is_empty() && !blank).then_some(made)
    }
}

fn sanitized(name: &str) -> String {
    let reserved = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    let mut out = String::with_capacity(name.len() + 4);
    for c in reserved.unwrap_or(name).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    match reserved {
        Some(_) => format!("__{out}__"),
        None if out.starts_with(|c: char| c.is_ascii_digit()) => format!("key_{out}"),
        None if out.starts_with('_') => format!("key{out}"),
        None => out,
    }
}
