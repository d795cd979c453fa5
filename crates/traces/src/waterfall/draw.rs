//! The waterfall as text.

use std::fmt::Write;

use super::{Row, Waterfall};

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; fewer than 40 are taken as 40.
    pub width: usize,
    /// Whether colours are shown.
    pub colours: bool,
}

/// Codes of a terminal, or nothing.
struct Colours {
    bold: &'static str,
    dim: &'static str,
    red: &'static str,
    yellow: &'static str,
    bar: &'static str,
    end: &'static str,
}

/// A part of a line, in a colour.
struct Piece {
    colour: &'static str,
    text: String,
}

const NARROWEST: usize = 40;
const WIDEST_BAR: usize = 60;
/// A gap and lines around a bar, and the duration behind it.
const BESIDE_BAR: usize = 12;
/// In front of each piece.
const GAP: usize = 2;
/// Eighths of a cell, so that short spans are told apart.
const BLOCKS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

// === impl Waterfall ===

impl Waterfall {
    /// A line about the trace, and one for each span, none wider than the terminal.
    pub fn draw(&self, style: Style) -> String {
        let colours = Colours::new(style.colours);
        let width = style.width.max(NARROWEST);
        let mut out = String::new();
        self.head(&mut out, width, &colours);
        let labels: Vec<String> = self.spans.iter().map(label).collect();
        let figures: Vec<Vec<Piece>> = self.spans.iter().map(|row| row_figures(row, &colours)).collect();
        // Names have two fifths at most, then figures what they need; bars have the rest, a fifth to a third.
        let names = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(width * 2 / 5);
        let wanted = figures.iter().map(|pieces| pieces.iter().map(Piece::width).sum::<usize>()).max().unwrap_or(0);
        let room = width.saturating_sub(names + BESIDE_BAR);
        let most = (width / 3).min(WIDEST_BAR).min(room);
        let bar = room.saturating_sub(wanted).clamp((width / 5).min(most), most);
        for ((row, label), figures) in self.spans.iter().zip(&labels).zip(&figures) {
            let Colours { bold, dim, red, bar: blue, end, .. } = colours;
            let (before, after) = if row.is_error {
                (red, end)
            } else if row.depth == 0 {
                (bold, end)
            } else {
                ("", "")
            };
            let name = fitted(label, names);
            let (color, drawn) = (if row.is_error { red } else { blue }, self.bar(row, bar));
            let duration = duration(row.duration_ns);
            let _ = write!(out, "{before}{name}{after} {dim}│{end}{color}{drawn}{end}{dim}│{end} {duration:>8}");
            put(figures, room.saturating_sub(bar), width, end, &mut out);
            let trimmed = out.trim_end().len();
            out.truncate(trimmed);
            out.push('\n');
        }
        out
    }

    /// The trace's id, and what there is to say about it, on as many lines as it needs.
    fn head(&self, out: &mut String, width: usize, colours: &Colours) {
        let Colours { bold, red, end, .. } = colours;
        let spans = self.spans.len();
        let mut services: Vec<&str> = self.spans.iter().map(|row| row.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        let mut about = vec![
            Piece::plain(duration(self.duration_ns)),
            Piece::plain(format!("{spans} {}", if spans == 1 { "span" } else { "spans" })),
            Piece::plain(services.join(", ").chars().map(visible).collect()),
        ];
        if self.input_tokens + self.output_tokens > 0 {
            about.push(Piece::plain(format!(
                "{} → {} tokens",
                grouped(self.input_tokens),
                grouped(self.output_tokens)
            )));
        }
        about.extend(self.cost.iter().map(|(currency, amount)| Piece::plain(money(*amount, currency))));
        if self.errors > 0 {
            about.push(Piece { colour: red, text: format!("{} failed", self.errors) });
        }
        let _ = write!(out, "{bold}trace {}{end}", self.trace_id);
        put(&about, width.saturating_sub("trace ".len() + self.trace_id.len()), width, end, out);
        out.push('\n');
    }

    /// When the span ran, in so many cells.
    fn bar(&self, row: &Row, cells: usize) -> String {
        let all = self.duration_ns.max(1) as f64;
        let eighths = (cells * 8) as f64;
        let place = |nanos: u64| ((nanos as f64 / all * eighths).round() as usize).min(cells * 8);
        let start = place(row.offset_ns).min((cells * 8).saturating_sub(1));
        // However short, it is seen.
        let end = place(row.offset_ns.saturating_add(row.duration_ns)).max(start + 1);
        let mut bar = String::with_capacity(cells * 3);
        for cell in 0..cells {
            let (first, last) = (cell * 8, cell * 8 + 8);
            let filled = end.min(last).saturating_sub(start.max(first));
            bar.push(match filled {
                // What goes on from within a cell has a block or a line at its right.
                4..8 if start > first && end >= last => '▐',
                1..4 if start > first && end >= last => '▕',
                filled => BLOCKS.get(filled).copied().unwrap_or('█'),
            });
        }
        bar
    }
}

// === impl Piece ===

impl Piece {
    fn plain(text: String) -> Self {
        Self { colour: "", text }
    }

    /// With the gap in front of it.
    fn width(&self) -> usize {
        self.text.chars().count() + GAP
    }
}

// === impl Colours ===

impl Colours {
    fn new(wanted: bool) -> Self {
        if wanted {
            Self {
                bold: "\x1b[1m",
                dim: "\x1b[2m",
                red: "\x1b[31m",
                yellow: "\x1b[33m",
                bar: "\x1b[36m",
                end: "\x1b[0m",
            }
        } else {
            Self { bold: "", dim: "", red: "", yellow: "", bar: "", end: "" }
        }
    }
}

/// The lines of the tree and the span's name.
fn label(row: &Row) -> String {
    let mut label = String::new();
    if let Some((own, above)) = row.has_later.split_last()
        && row.depth > 0
    {
        for later in above.iter().skip(1) {
            label.push_str(if *later { "│ " } else { "  " });
        }
        label.push_str(if *own { "├ " } else { "└ " });
    }
    if row.is_orphan {
        label.push_str("… ");
    }
    label.extend(row.name.chars().map(visible));
    label
}

/// In exactly so many columns.
fn fitted(label: &str, width: usize) -> String {
    let length = label.chars().count();
    if length <= width {
        let mut padded = label.to_owned();
        padded.extend(std::iter::repeat_n(' ', width - length));
        return padded;
    }
    let mut cut: String = label.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Tokens, cost, and what is remarkable.
fn row_figures(row: &Row, colours: &Colours) -> Vec<Piece> {
    let Colours { dim, red, yellow, .. } = colours;
    let quiet = if row.counts() { "" } else { dim };
    let mut pieces = Vec::new();
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        let tokens = |tokens: Option<i64>| tokens.map_or_else(|| "?".to_owned(), grouped);
        let text = format!("{} → {} tokens", tokens(row.input_tokens), tokens(row.output_tokens));
        pieces.push(Piece { colour: quiet, text });
    }
    if let Some(amount) = row.cost {
        pieces.push(Piece { colour: quiet, text: money(amount, row.currency.as_deref().unwrap_or("USD")) });
    }
    match row.usage_role.as_deref() {
        Some("duplicate") => pieces.push(Piece { colour: dim, text: "(duplicate)".to_owned() }),
        Some("rollup") => pieces.push(Piece { colour: dim, text: "(sum of those below)".to_owned() }),
        _ => {}
    }
    for flag in &row.flags {
        let colour = if flag.starts_with("error") { red } else { yellow };
        pieces.push(Piece { colour, text: flag.chars().map(visible).collect() });
    }
    pieces
}

/// Pieces in the room that is left of a line, and on lines of their own where that is too little.
fn put(pieces: &[Piece], mut room: usize, width: usize, end: &str, out: &mut String) {
    for piece in pieces {
        if piece.width() > room {
            let _ = write!(out, "\n{:GAP$}", "");
            room = width.saturating_sub(GAP);
        }
        let Piece { colour, text } = piece;
        let text = fitted(text, text.chars().count().min(room.saturating_sub(GAP)));
        let _ = write!(out, "{:GAP$}{colour}{text}{}", "", if colour.is_empty() { "" } else { end });
        room = room.saturating_sub(piece.width());
    }
}

/// Names come from anywhere: nothing of them may move the cursor.
fn visible(letter: char) -> char {
    if letter.is_control() { '·' } else { letter }
}

fn duration(nanos: u64) -> String {
    let number = nanos as f64;
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.0} µs", number / 1e3),
        1_000_000..1_000_000_000 => format!("{:.0} ms", number / 1e6),
        1_000_000_000..60_000_000_000 => format!("{:.2} s", number / 1e9),
        _ => format!("{}m{:02}s", nanos / 60_000_000_000, nanos / 1_000_000_000 % 60),
    }
}

fn money(amount: f64, currency: &str) -> String {
    let digits = if amount.abs() >= 1.0 {
        2
    } else if amount.abs() >= 0.01 {
        4
    } else {
        6
    };
    if currency == "USD" { format!("${amount:.digits$}") } else { format!("{amount:.digits$} {currency}") }
}

/// With a comma before each three digits.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
