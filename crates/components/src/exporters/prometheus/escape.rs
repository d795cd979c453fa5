//! Names for clients that do not read all characters.

use std::borrow::Cow;
use std::fmt::Write;

/// What becomes of characters that are not plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaping {
    /// They stay, and the name is quoted.
    AllowUtf8,
    Underscores,
    Dots,
    Values,
}

/// Whether a name has plain characters only.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().enumerate().all(|(at, c)| is_plain_char(c, at))
}

fn is_plain_char(c: char, at: usize) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | ':') || (c.is_ascii_digit() && at > 0)
}

// === impl Escaping ===

impl Escaping {
    /// By its word in the headers.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "allow-utf-8" => Self::AllowUtf8,
            "underscores" => Self::Underscores,
            "dots" => Self::Dots,
            "values" => Self::Values,
            _ => return None,
        })
    }

    /// Its word in the headers.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// A name as it is shown.
    pub(super) fn name(self, name: &str) -> Cow<'_, str> {
        let plain = |(at, c): (usize, char)| is_plain_char(c, at);
        match self {
            Self::AllowUtf8 => Cow::Borrowed(name),
            Self::Underscores | Self::Dots | Self::Values if is_plain(name) => Cow::Borrowed(name),
            Self::Underscores => {
                Cow::Owned(name.char_indices().map(|found| if plain(found) { found.1 } else { '_' }).collect())
            }
            Self::Dots => Cow::Owned(name.char_indices().fold(String::new(), |mut out, found| {
                match found.1 {
                    '_' => out.push_str("__"),
                    '.' => out.push_str("_dot_"),
                    c if plain(found) => out.push(c),
                    _ => out.push_str("__"),
                }
                out
            })),
            Self::Values => Cow::Owned(name.char_indices().fold("U__".to_owned(), |mut out, found| {
                match found.1 {
                    '_' => out.push_str("__"),
                    c if plain(found) => out.push(c),
                    c => {
                        // Writing to a string cannot fail.
                        let _ = write!(out, "_{:x}_", u32::from(c));
                    }
                }
                out
            })),
        }
    }
}
