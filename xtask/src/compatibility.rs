//! `docs/compatibility.md`: which components there are, how mature they are, and how they differ from the Go Collector's, out of their own
//! sources and READMEs.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use xtask::cache;

/// What the Go Collector that can be built for the tests does not have: nothing was compared.
const NOT_COMPARED: &[&str] = &[
    "gen_ai_normalizer",
    "routing",
    "failover",
    "basicauth",
    "headers_setter",
    "oidc",
    "queuebatch",
    "resource_detection",
    "pprof",
];
/// What the Go Collector has not at all.
const OWN: &[&str] = &["api_keys", "genai", "genai_metrics"];

/// A component, as its folder tells.
struct Component {
    kind: &'static str,
    name: String,
    stability: String,
    differences: String,
}

/// What is no component.
const SERVICE: &str = "\
* Own metrics are there for Prometheus to read, in one form: names have neither `_total` nor units, and no labels of scopes. \
`without_type_suffix: false`, `without_units: false`, `without_scope_info: false` and `with_resource_constant_labels` have no effect, nor have `periodic`, \
`producers` and `views`.
* There are no traces of the process itself: `traces` has no effect. Its logs go to `output_paths` only, each message of them: `processors`, `initial_fields` and \
`sampling` have no effect.
* All attributes of `resource` are labels of `target_info`; one that is null is left out. `detectors` and `detection/development` find nothing.
* Of what has no effect `validate` and the running process warn, and `migrate` lists it; but not of `traces` without processors, which sends nothing in the \
Collector either, and of what is about the form of logs alone (`sampling`, `development`, `disable_caller`, `disable_stacktrace`, `disable_zap_resource`, `error_output_paths`).
* Pipelines of `profiles` are refused. `migrate` leaves them out.
";

const KINDS: &[&str] = &["receivers", "processors", "connectors", "exporters", "extensions"];

/// Writes the table; says whether that was possible.
pub(crate) fn write() -> bool {
    let path = cache::root().join("docs/compatibility.md");
    let written = table().and_then(|table| fs::write(&path, table));
    if let Err(error) = &written {
        eprintln!("{}: {error}", path.display());
    }
    written.is_ok()
}

fn table() -> std::io::Result<String> {
    let mut out = String::from(
        "# Compatibility with the Go Collector\n\nWritten by `cargo xtask compatibility`; do not edit.\n\nCompared means: the same YAML and the \
         same input through spanmill and the Go Collector 0.161.0, case by case (`tests/differential`). Where it says no, the Collector that can be \
         built for the tests lacks the component, and its documentation decided.\n\n| kind | component | stability | compared |\n|---|---|---|---|\n",
    );
    let mut components = Vec::new();
    for kind in KINDS {
        for folder in folders(&cache::root().join("crates/components/src").join(kind))? {
            components.extend(read(kind, &folder));
        }
    }
    for Component { kind, name, stability, .. } in &components {
        let compared = match name.as_str() {
            own if OWN.contains(&own) => "spanmill's own",
            other if NOT_COMPARED.contains(&other) => "no",
            _ => "yes",
        };
        let _ = writeln!(
            out,
            "| {kind} | [`{name}`](../crates/components/src/{kind}/{name}/README.md) | {stability} | {compared} |"
        );
    }
    out.push_str(
        "\n`otlp` and `otlphttp` are accepted for `otlp_grpc` and `otlp_http`, `spanmetrics` for `span_metrics`, `signaltometrics` for `signal_to_metrics`, \
         `genainormalizer` for `gen_ai_normalizer`. `spanmill components` lists all that there is.\n\n## Differences, component by component\n",
    );
    for Component { kind, name, differences, .. } in
        components.iter().filter(|component| !component.differences.is_empty())
    {
        let _ = write!(out, "\n### {kind}: `{name}`\n\n{differences}\n");
    }
    let _ = write!(out, "\n### service\n\n{SERVICE}");
    Ok(out)
}

/// The folders in a folder, in order.
fn folders(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(path)?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

/// Reads a component; none where the folder holds something else.
fn read(kind: &'static str, folder: &Path) -> Option<Component> {
    let source = fs::read_to_string(folder.join("mod.rs")).ok()?;
    let name = between(&source, "name: \"", &['"'])?;
    let stability = between(&source, "stability: Stability::", &[',', ' ', '}'])?;
    let readme = fs::read_to_string(folder.join("README.md")).unwrap_or_default();
    Some(Component {
        kind,
        name: name.to_owned(),
        stability: stability.to_lowercase(),
        differences: differences(&readme),
    })
}

fn between<'t>(text: &'t str, before: &str, after: &[char]) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// The sections of a README that tell differences and limits.
fn differences(readme: &str) -> String {
    let sections = readme.split("\n## ").skip(1);
    let telling = sections.filter(|section| section.starts_with("Differ") || section.starts_with("Limits"));
    let bodies: Vec<&str> =
        telling.filter_map(|section| section.split_once('\n')).map(|(_, body)| body.trim()).collect();
    bodies.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: the table is made again.
    /// Guarantees: it is the one in the documentation, and names every component once.
    #[test]
    fn the_written_table_is_up_to_date() {
        let made = table().unwrap();
        let written = fs::read_to_string(cache::root().join("docs/compatibility.md")).unwrap_or_default();
        assert!(made == written, "docs/compatibility.md is old: cargo xtask compatibility");
        assert_eq!(made.matches("[`transform`]").count(), 1);
    }
}
