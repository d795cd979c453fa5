//! Reading of a row of CSV as Go's `encoding/csv` does it, except that a row may go over several lines: the first field of a
//! line goes on where the last one of the line before ended.

/// How quotes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Quotes must be around the whole field, and doubled inside.
    Strict,
    /// They may also stand in the middle of a field.
    Lazy,
    /// They are like any other character.
    Ignore,
}

/// The lines that are left.
struct Lines<'t> {
    rest: &'t [u8],
}

/// What is read of one record: its fields, up to where it breaks the rules.
#[derive(Default)]
struct Record {
    fields: Vec<Vec<u8>>,
    broken: bool,
}

/// The fields of a row; nothing where it breaks the rules before its first field ends.
pub(super) fn read_row(row: &[u8], delimiter: char, quotes: Quotes) -> Option<Vec<Vec<u8>>> {
    let mut buffer = [0; 4];
    let separator = delimiter.encode_utf8(&mut buffer).as_bytes();
    if quotes == Quotes::Ignore {
        return Some(super::text::split(row, separator).into_iter().map(<[u8]>::to_vec).collect());
    }
    if matches!(delimiter, '\0' | '"' | '\r' | '\n' | char::REPLACEMENT_CHARACTER) {
        return None;
    }
    let mut lines = Lines { rest: row };
    let mut joined: Vec<Vec<u8>> = Vec::new();
    while let Some(line) = lines.next_filled() {
        let record = record(line, &mut lines, separator, quotes == Quotes::Lazy);
        if record.broken && record.fields.is_empty() {
            return None;
        }
        let mut fields = record.fields.into_iter();
        if let (Some(last), Some(first)) = (joined.last_mut(), fields.as_slice().first()) {
            last.push(b'\n');
            last.extend_from_slice(first);
            fields.next();
        }
        joined.extend(fields);
    }
    (!joined.is_empty()).then_some(joined)
}

// === impl Lines ===

impl Lines<'_> {
    /// The next line with its end, which is always `\n`; nothing at the end of the text.
    fn next(&mut self) -> Option<Vec<u8>> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr::memchr(b'\n', self.rest) {
            Some(at) => self.rest.split_at(at + 1),
            None => (self.rest, &b""[..]),
        };
        self.rest = rest;
        Some(match (line.strip_suffix(b"\r\n"), line.strip_suffix(b"\r")) {
            (Some(line), _) => [line, b"\n"].concat(),
            (None, Some(line)) => line.to_vec(),
            (None, None) => line.to_vec(),
        })
    }

    /// The next line that is not empty.
    fn next_filled(&mut self) -> Option<Vec<u8>> {
        loop {
            let line = self.next()?;
            if !line.is_empty() && line != b"\n" {
                return Some(line);
            }
        }
    }
}

/// The fields of the record that begins with this line.
fn record(line: Vec<u8>, lines: &mut Lines<'_>, separator: &[u8], lazy: bool) -> Record {
    let mut record = Record::default();
    let mut line = line;
    loop {
        match line.strip_prefix(b"\"") {
            None => {
                let end = memchr::memmem::find(&line, separator);
                let field = match end {
                    Some(end) => line.get(..end).unwrap_or(&[]),
                    None => line.strip_suffix(b"\n").unwrap_or(&line),
                };
                if !lazy && field.contains(&b'"') {
                    record.broken = true;
                    return record;
                }
                record.fields.push(field.to_vec());
                match end {
                    Some(end) => line = line.split_off(end + separator.len()),
                    None => return record,
                }
            }
            Some(inner) => {
                let mut field = Vec::new();
                match quoted(inner.to_vec(), lines, separator, lazy, &mut field) {
                    Some(rest) => {
                        record.fields.push(field);
                        match rest {
                            Some(rest) => line = rest,
                            None => return record,
                        }
                    }
                    None => {
                        record.broken = true;
                        return record;
                    }
                }
            }
        }
    }
}

/// Reads a field up to its closing quote, over lines: what follows behind the separator, `Some(None)` where the record ends,
/// nothing where a quote is wrong.
fn quoted(
    line: Vec<u8>,
    lines: &mut Lines<'_>,
    separator: &[u8],
    lazy: bool,
    field: &mut Vec<u8>,
) -> Option<Option<Vec<u8>>> {
    let mut line = line;
    loop {
        if let Some(at) = memchr::memchr(b'"', &line) {
            field.extend_from_slice(line.get(..at).unwrap_or(&[]));
            let after = line.split_off(at + 1);
            if let Some(after) = after.strip_prefix(b"\"") {
                field.push(b'"');
                line = after.to_vec();
            } else if let Some(after) = after.strip_prefix(separator) {
                return Some(Some(after.to_vec()));
            } else if after.is_empty() || after == b"\n" {
                return Some(None);
            } else if lazy {
                field.push(b'"');
                line = after;
            } else {
                return None;
            }
        } else if !line.is_empty() {
            field.extend_from_slice(&line);
            line = lines.next().unwrap_or_default();
        } else {
            return lazy.then_some(None);
        }
    }
}
