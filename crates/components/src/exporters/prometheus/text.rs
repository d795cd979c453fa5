//! Pages as text: Prometheus's own form, and OpenMetrics.

use std::fmt::Write;

use super::escape::{Escaping, is_plain};
use super::families::{Exemplar, Family, Kind, Sample, Shown};
use crate::exporters::debug::text::shortest;

/// The form of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Prometheus,
    OpenMetrics,
}

struct Writer<'w> {
    form: Form,
    escaping: Escaping,
    out: &'w mut String,
}

/// Writes a page.
pub(super) fn write(families: &[Family], form: Form, escaping: Escaping) -> String {
    let mut out = String::new();
    let mut writer = Writer { form, escaping, out: &mut out };
    for family in families {
        writer.family(family);
    }
    if form == Form::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

// === impl Writer ===

impl Writer<'_> {
    fn family(&mut self, family: &Family) {
        let name = self.escaping.name(&family.name);
        let is_open = self.form == Form::OpenMetrics;
        let base = if is_open && family.kind == Kind::Counter { name.strip_suffix("_total") } else { None };
        let head = quoted(base.unwrap_or(&name));
        let kind = match family.kind {
            // OpenMetrics has no counters without the suffix.
            Kind::Counter if is_open && base.is_none() => "unknown",
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Summary => "summary",
            Kind::Histogram => "histogram",
        };
        let help = escaped(&family.help, is_open);
        self.put(format_args!("# HELP {head} {help}\n# TYPE {head} {kind}\n"));
        for sample in &family.metrics {
            self.sample(&name, sample);
        }
    }

    fn sample(&mut self, name: &str, sample: &Sample) {
        let line = |writer: &mut Self,
                    suffix: &str,
                    label: Option<(&str, f64)>,
                    value: String,
                    exemplar: Option<&Exemplar>| {
            writer.line(&format!("{name}{suffix}"), sample, label, &value, exemplar);
        };
        match &sample.value {
            Shown::Counter { value, exemplar } => line(self, "", None, self.number(*value), exemplar.as_ref()),
            Shown::Gauge(value) => line(self, "", None, self.number(*value), None),
            Shown::Summary { count, sum, quantiles } => {
                for (quantile, value) in quantiles {
                    line(self, "", Some(("quantile", *quantile)), self.number(*value), None);
                }
                line(self, "_sum", None, self.number(*sum), None);
                line(self, "_count", None, self.count(*count), None);
            }
            Shown::Histogram { count, sum, buckets } => {
                for bucket in buckets {
                    let le = Some(("le", bucket.bound));
                    line(self, "_bucket", le, self.count(bucket.count), bucket.exemplar.as_ref());
                }
                if !buckets.iter().any(|bucket| bucket.bound == f64::INFINITY) {
                    line(self, "_bucket", Some(("le", f64::INFINITY)), self.count(*count), None);
                }
                line(self, "_sum", None, self.number(*sum), None);
                line(self, "_count", None, self.count(*count), None);
            }
            Shown::Native(native) => {
                line(self, "_bucket", Some(("le", f64::INFINITY)), self.count(native.count), None);
                line(self, "_sum", None, self.number(native.sum), None);
                line(self, "_count", None, self.count(native.count), None);
            }
        }
    }

    fn line(
        &mut self,
        name: &str,
        sample: &Sample,
        label: Option<(&str, f64)>,
        value: &str,
        exemplar: Option<&Exemplar>,
    ) {
        let mut labels: Vec<String> = Vec::new();
        if is_plain(name) {
            self.out.push_str(name);
        } else {
            labels.push(quoted(name));
        }
        for (label, value) in &sample.labels {
            let label = self.escaping.name(label);
            labels.push(format!("{}=\"{}\"", quoted(&label), escaped(value, true)));
        }
        labels.extend(label.map(|(label, value)| format!("{label}=\"{}\"", self.number(value))));
        if !labels.is_empty() {
            self.put(format_args!("{{{}}}", labels.join(",")));
        }
        self.put(format_args!(" {value}"));
        if let Some(ms) = sample.timestamp_ms {
            let time = match self.form {
                Form::Prometheus => ms.to_string(),
                Form::OpenMetrics => self.number(ms as f64 / 1000.0),
            };
            self.put(format_args!(" {time}"));
        }
        if let (Form::OpenMetrics, Some(exemplar)) = (self.form, exemplar)
            && !exemplar.labels.is_empty()
        {
            let labels: Vec<String> =
                exemplar.labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            let (value, time) = (self.number(exemplar.value), self.number(exemplar.time as f64 / 1e9));
            self.put(format_args!(" # {{{}}} {value} {time}", labels.join(",")));
        }
        self.out.push('\n');
    }

    /// A number as Go writes it; in OpenMetrics whole ones have a fraction, too.
    fn number(&self, value: f64) -> String {
        let text = if value == 0.0 { "0".to_owned() } else { shortest(value) };
        if self.form == Form::OpenMetrics && value.is_finite() && !text.contains(['.', 'e']) {
            format!("{text}.0")
        } else {
            text
        }
    }

    /// How many there are: a number like others in Prometheus's form.
    fn count(&self, count: u64) -> String {
        match self.form {
            Form::Prometheus => self.number(count as f64),
            Form::OpenMetrics => count.to_string(),
        }
    }

    /// Writing to a string cannot fail.
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(text);
    }
}

/// A name, between quotes where it is not plain.
fn quoted(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { format!("\"{}\"", escaped(name, true)) }
}

fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quotes { text.replace('"', "\\\"") } else { text }
}
