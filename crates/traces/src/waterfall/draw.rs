//! The waterfall as text.

use std::fmt::Write;

use super::{Row, Waterfall};

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal.
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

const NARROWEST: usize = 60;
const WIDEST_BAR: usize = 60;
/// Eighths of a cell, so that short spans are told apart.
const BLOCKS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

// === impl Waterfall ===

impl Waterfall {
    /// A line about the trace, and one for each span.
    pub fn draw(&self, style: Style) -> String {
        let colours = Colours::new(style.colours);
        let mut out = String::new();
        self.head(&mut out, &colours);
        let labels: Vec<String> = self.spans.iter().map(label).collect();
        let width = style.width.max(NARROWEST);
        // A third each for names, bars and figures.
        let names = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).min(width * 2 / 5);
        let bar = (width / 3).min(WIDEST_BAR);
        for (row, label) in self.spans.iter().zip(&labels) {
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
            row_figures(row, &colours, &mut out);
            let trimmed = out.trim_end().len();
            out.truncate(trimmed);
            out.push('\n');
        }
        out
    }

    fn head(&self, out: &mut String, colours: &Colours) {
        let Colours { bold, red, end, .. } = colours;
        let spans = self.spans.len();
        let mut services: Vec<&str> = self.spans.iter().map(|row| row.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        let _ = write!(out, "{bold}trace {}{end}  {}", self.trace_id, duration(self.duration_ns));
        let _ = write!(out, "  {spans} {}", if spans == 1 { "span" } else { "spans" });
        let _ = write!(out, "  {}", services.join(", "));
        if self.input_tokens + self.output_tokens > 0 {
            let _ = write!(out, "  {} → {} tokens", grouped(self.input_tokens), grouped(self.output_tokens));
        }
        for (currency, amount) in &self.cost {
            let _ = write!(out, "  {}", money(*amount, currency));
        }
        if self.errors > 0 {
            let _ = write!(out, "  {red}{} failed{end}", self.errors);
        }
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
    // Names come from anywhere: nothing of them may move the cursor.
    label.extend(row.name.chars().map(|letter| if letter.is_control() { '·' } else { letter }));
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

fn row_figures(row: &Row, colours: &Colours, out: &mut String) {
    let Colours { dim, red, yellow, end, .. } = colours;
    let quiet = if row.counts() { "" } else { dim };
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        let tokens = |tokens: Option<i64>| tokens.map_or_else(|| "?".to_owned(), grouped);
        let _ = write!(out, "  {quiet}{} → {} tokens{end}", tokens(row.input_tokens), tokens(row.output_tokens));
    }
    if let Some(amount) = row.cost {
        let _ = write!(out, "  {quiet}{}{end}", money(amount, row.currency.as_deref().unwrap_or("USD")));
    }
    match row.usage_role.as_deref() {
        Some("duplicate") => {
            let _ = write!(out, "  {dim}(duplicate){end}");
        }
        Some("rollup") => {
            let _ = write!(out, "  {dim}(sum of those below){end}");
        }
        _ => {}
    }
    for flag in &row.flags {
        let colour = if flag.starts_with("error") { red } else { yellow };
        let flag: String = flag.chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect();
        let _ = write!(out, "  {colour}{flag}{end}");
    }
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
