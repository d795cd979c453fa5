//! Pages for people. Everything that is not markup is escaped on its way in.

use std::fmt::{Display, Write as _};

/// A page being written.
pub(super) struct Html(String);

/// A text that may stand anywhere in a page.
struct Escaped<T>(T);

// === impl Html ===

impl Html {
    pub(super) fn new(title: &str) -> Self {
        let mut page = Self(String::with_capacity(4096));
        let title = Escaped(title);
        page.raw(format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>\
             body{{font-family:sans-serif}}td,th{{padding:.2em 1em;text-align:left;vertical-align:top}}\
             tr:nth-child(even){{background:#eee}}pre{{margin:0}}</style></head>\n<body>\n<h2>{title}</h2>\n"
        ));
        page
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.raw(format_args!("<h3>{}</h3>\n", Escaped(text)));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.raw(format_args!("<p>{}</p>\n", Escaped(text)));
    }

    /// A link on a line of its own.
    pub(super) fn link(&mut self, to: &str, text: &str) {
        self.raw(format_args!("<p>{}</p>\n", anchor(to, text)));
    }

    /// A table with a head; cells are markup, as [`cell`] and [`anchor`] make it.
    pub(super) fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.raw("<table>\n");
        if !head.is_empty() {
            let cells: String = head.iter().map(|cell| format!("<th>{}</th>", Escaped(cell))).collect();
            self.raw(format_args!("<tr>{cells}</tr>\n"));
        }
        for row in rows {
            let cells: String = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
            self.raw(format_args!("<tr>{cells}</tr>\n"));
        }
        self.raw("</table>\n");
    }

    pub(super) fn finish(mut self) -> String {
        self.raw("</body>\n</html>\n");
        self.0
    }

    fn raw(&mut self, text: impl Display) {
        // Writing to memory does not fail.
        let _ = write!(self.0, "{text}");
    }
}

/// A text as a cell.
pub(super) fn cell(text: impl Display) -> String {
    Escaped(text).to_string()
}

/// A link as a cell.
pub(super) fn anchor(to: &str, text: impl Display) -> String {
    format!("<a href=\"{}\">{}</a>", Escaped(to), Escaped(text))
}

// === impl Escaped ===

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: texts full of markup.
    /// Guarantees: none of it is markup in the page.
    #[test]
    fn escapes() {
        assert_eq!(cell("<b a=\"x\">&'"), "&lt;b a=&quot;x&quot;&gt;&amp;&#39;");
        assert_eq!(anchor("?a=\"", "<"), "<a href=\"?a=&quot;\">&lt;</a>");
        assert!(Html::new("<script>").finish().contains("<h2>&lt;script&gt;</h2>"));
    }
}
