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
    let (document, profiles) = Document::without_profiles(resolved.tree)?;
    let yaml = serde_yaml::from_str(&text)
        .map_err(|error| CommandError::Usage(format!("{name} cannot be read as YAML: {error}")))?;
    let review = review(&document, profiles, &yaml, &FACTORIES);
    let mut report = review.report(&name);
    let written = options.output.as_ref().map(|output| output.display().to_string());
    if let Some(output) = &options.output {
        review
            .suggestion
            .write(&options.file, output)
            .map_err(|source| CommandError::Io { what: "cannot write the suggested configuration", source })?;
    }
    let log = &review.suggestion.log;
    match &written {
        Some(written) => report.push_str(&format!("\nSuggested: {written}\n")),
        None if log.changes.is_empty() => {}
        None => report.push_str("\nSuggested (--output writes the file):\n"),
    }
    log.changes.iter().for_each(|change| report.push_str(&format!("  {change}\n")));
    if !log.notes.is_empty() {
        report.push_str("\nTo be looked at by hand:\n");
        log.notes.iter().for_each(|note| report.push_str(&format!("  {note}\n")));
    }
    let remaining = review.suggestion.check(written.as_deref(), &FACTORIES).err();
    if let Some(error) = &remaining {
        let problems = error.to_string().replace('\n', "\n  ");
        report.push_str(&format!("\nThe suggested file is not valid yet:\n  {problems}\n"));
    }
    write_out(report.as_bytes())?;
    if remaining.is_some() {
        let suggested = written.as_deref().unwrap_or("the suggested file");
        return Err(CommandError::Usage(format!(
            "{suggested} is not valid yet: see above what has to be done by hand"
        )));
    }
    if options.check && !review.runs() {
        return Err(CommandError::Usage(format!("{name} does not run as it is")));
    }
    Ok(())
}
