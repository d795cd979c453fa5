//! Rows one below the other, where a table would be too wide.

use std::fmt::Write;

/// A column is sensible from this width on, or from its content's.
const LEAST: usize = 8;
/// Blanks around a column.
const PADDING: usize = 2;
/// Lines at both sides of a table.
const BORDERS: usize = 2;
/// Between a name and its value.
const GAP: usize = 2;

/// Whether a table of columns whose contents are so wide has room for a sensible part of each.
pub(crate) fn fits(contents: &[usize], width: u16) -> bool {
    contents.iter().map(|content| (*content).min(LEAST) + PADDING).sum::<usize>() + BORDERS <= usize::from(width)
}

/// A row: its number, then a line a column, or more where a value does not fit into one.
pub(crate) fn row(number: usize, names: &[String], values: &[String], width: u16) -> String {
    let width = usize::from(width);
    let title = format!("─ row {number} ");
    let mut text = format!("{title}{}\n", "─".repeat(width.saturating_sub(title.chars().count())));
    // Names have half of the room at most.
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(width / 2);
    let room = width.saturating_sub(longest + GAP).max(1);
    for (name, value) in names.iter().zip(values) {
        let mut name = pieces(name, longest.max(1));
        let mut value = pieces(value, room);
        loop {
            let (name, value) = (name.next(), value.next());
            if name.is_none() && value.is_none() {
                break;
            }
            let line = format!("{:longest$}{:GAP$}{}", name.unwrap_or_default(), "", value.unwrap_or_default());
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

fn pieces(text: &str, width: usize) -> impl Iterator<Item = String> {
    let mut signs = text.chars();
    std::iter::from_fn(move || Some(signs.by_ref().take(width).collect::<String>()).filter(|piece| !piece.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: columns that have room for a sensible part of each, and columns that have not.
    /// Guarantees: short contents need no more than they have.
    #[test]
    fn sensible_widths() {
        assert!(fits(&[2, 200], 16) && !fits(&[2, 200], 15));
        assert!(!fits(&[100; 6], 60));
    }

    /// Scenario: a row with a long name, a long value and none.
    /// Guarantees: no line is wider than there is room; nothing is left out.
    #[test]
    fn a_row() {
        let texts = |texts: [&str; 3]| texts.map(str::to_owned);
        let (names, values) = (texts(["id", "time_to_first_chunk", "none"]), texts(["0123456789abcdef", "2.5", ""]));
        insta::assert_snapshot!(row(3, &names, &values, 20), @"
        ─ row 3 ────────────
        id          01234567
                    89abcdef
        time_to_fi  2.5
        rst_chunk
        none
        ");
    }
}
