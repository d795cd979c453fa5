use std::fs;

use spanmill_config::{Document, Providers, load};

use super::{warn, write_out};
use crate::arguments::Migrate;
use crate::error::CommandError;
use crate::factories::FACTORIES;
use crate::migrate::review;

/// Reports on a Collector's configuration, and writes the suggested one.
pub(super) fn run(options: &Migrate) -> Result<(), CommandError> {
    let name = options.file.display().to_string();
    let text = fs::read_to_string(&options.file)
        .map_err(|source| CommandError::Io { what: "cannot read the configuration", source })?;
    let resolved = load(&[format!("file:{name}").parse()?], &[], &Providers::from_process())?;
    for warning in &resolved.warnings {
        warn(&warning.to_string());
    }
    let document = Document::from_tree(resolved.tree)?;
    let yaml = serde_yaml::from_str(&text)
        .map_err(|error| CommandError::Usage(format!("{name} cannot be read as YAML: {error}")))?;
    let review = review(&document, &yaml, &FACTORIES);
    let mut report = review.report(&name);
    if let Some(output) = &options.output {
        fs::write(output, review.suggestion.yaml())
            .map_err(|source| CommandError::Io { what: "cannot write the suggested configuration", source })?;
        report.push_str(&format!("\nSuggested: {}\n", output.display()));
    } else if !review.suggestion.changes.is_empty() {
        report.push_str("\nSuggested (--output writes the file):\n");
    }
    for change in &review.suggestion.changes {
        report.push_str(&format!("  {change}\n"));
    }
    if let Some(error) = &review.remaining {
        report.push_str(&format!(
            "The suggested file still needs work:\n  {}\n",
            error.to_string().replace('\n', "\n  ")
        ));
    }
    write_out(report.as_bytes())?;
    if options.check && !review.runs() {
        return Err(CommandError::Usage(format!("{name} does not run as it is")));
    }
    Ok(())
}
