//! Files that were set aside: `traces.json` becomes `traces-2026-01-31T12-00-00.000-size.json`, as the Collector names
//! them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::config::Rotation;

const FORMAT: &str = "%Y-%m-%dT%H-%M-%S%.3f";

/// Where the file at `path` goes when it is set aside now.
pub(super) fn name(path: &Path, localtime: bool) -> PathBuf {
    name_at(path, Timestamp::now(), zone(localtime))
}

/// Removes what is too old or too many. What cannot be removed is reported and tried again after the next rotation.
pub(super) fn clean(path: &Path, rotation: &Rotation) {
    if rotation.max_backups == 0 && rotation.max_days == 0 {
        return;
    }
    let folder = folder(path);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return warn!(folder = %folder.display(), %error, "cannot look for old files"),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    for name in outdated(path, names, rotation, Timestamp::now()) {
        if let Err(error) = std::fs::remove_file(folder.join(&name)) {
            warn!(file = %folder.join(&name).display(), %error, "cannot remove an old file");
        }
    }
}

fn name_at(path: &Path, now: Timestamp, zone: TimeZone) -> PathBuf {
    let (prefix, suffix) = affixes(path);
    let time = now.to_zoned(zone).strftime(FORMAT).to_string();
    path.with_file_name(format!("{prefix}{time}-size{suffix}"))
}

/// Which of the files beside `path` are to be removed.
fn outdated(path: &Path, names: Vec<String>, rotation: &Rotation, now: Timestamp) -> Vec<String> {
    let (prefix, suffix) = affixes(path);
    let zone = zone(rotation.localtime);
    let mut backups: Vec<(Timestamp, String)> = names
        .into_iter()
        .filter_map(|name| {
            let stem = name.strip_prefix(&prefix)?.strip_suffix(&suffix)?;
            // Older Collectors left the reason out.
            let time = stem.strip_suffix("-size").unwrap_or(stem);
            let time = DateTime::strptime(FORMAT, time).ok()?.to_zoned(zone.clone()).ok()?.timestamp();
            Some((time, name))
        })
        .collect();
    backups.sort_by(|a, b| b.cmp(a));
    let oldest =
        now.checked_sub(SignedDuration::from_hours(24 * i64::from(rotation.max_days))).unwrap_or(Timestamp::MIN);
    let too_many = |rank: usize| rotation.max_backups > 0 && rank >= rotation.max_backups as usize;
    let too_old = |time: Timestamp| rotation.max_days > 0 && time < oldest;
    backups
        .into_iter()
        .enumerate()
        .filter(|(rank, (time, _))| too_many(*rank) || too_old(*time))
        .map(|(_, (_, name))| name)
        .collect()
}

/// What stands before and after the time in the names.
fn affixes(path: &Path) -> (String, String) {
    let text = |part: Option<&OsStr>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    let extension = text(path.extension());
    let suffix = if extension.is_empty() { String::new() } else { format!(".{extension}") };
    (format!("{}-", text(path.file_stem())), suffix)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn zone(localtime: bool) -> TimeZone {
    if localtime { TimeZone::system() } else { TimeZone::UTC }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Scenario: a file with and one without an extension are set aside.
    /// Guarantees: the time stands before the extension, in the Collector's form.
    #[test]
    fn names_carry_the_time() {
        let now = at("2026-01-31T12:00:00.25Z");
        let named = |path: &str| name_at(Path::new(path), now, TimeZone::UTC);
        assert_eq!(named("/x/traces.json"), Path::new("/x/traces-2026-01-31T12-00-00.250-size.json"));
        assert_eq!(named("traces"), Path::new("traces-2026-01-31T12-00-00.250-size"));
    }

    /// Scenario: a folder with old files, some of them of other programs.
    /// Guarantees: the newest are kept, by number and by age, and nothing else is touched.
    #[test]
    fn outdated_files_are_found() {
        let names = || {
            [
                "t-2026-01-01T00-00-00.000-size.json",
                "t-2026-01-09T00-00-00.000.json",
                "t-2026-01-10T00-00-00.000-size.json",
                "t-notes.json",
                "t.json",
                "other-2026-01-01T00-00-00.000-size.json",
            ]
            .map(String::from)
            .to_vec()
        };
        let find = |max_backups, max_days| {
            let rotation = Rotation { max_backups, max_days, ..Rotation::default() };
            outdated(Path::new("/x/t.json"), names(), &rotation, at("2026-01-10T12:00:00Z"))
        };
        assert_eq!(find(2, 0), ["t-2026-01-01T00-00-00.000-size.json"]);
        assert_eq!(find(0, 1), ["t-2026-01-09T00-00-00.000.json", "t-2026-01-01T00-00-00.000-size.json"]);
        assert_eq!(find(1, 3).len(), 2);
        assert!(find(100, 0).is_empty());
    }
}
