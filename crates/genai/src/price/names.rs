//! The many names of a model: what spans call it, and what a table may have it under.

use std::sync::LazyLock;

use regex::Regex;

/// A date or version at the end of a name. Taken off only where the whole name is not known: a snapshot may have its own price.
static SNAPSHOT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?:-20\d\d-\d\d-\d\d|-20\d{6}(?:-v\d+(?::\d+)?)?|@20\d{6}|@default|-\d{3}|-latest|-v\d+:\d+(?::\w+)?)$",
    )
    .ok()
});

/// What Bedrock puts in front of models that it serves from several regions.
const REGIONS: [&str; 8] = ["us.", "eu.", "apac.", "au.", "jp.", "ca.", "global.", "us-gov."];

/// Parts of resource names behind which a name says nothing about the model.
const OPAQUE: [&str; 4] = ["application-inference-profile/", "provisioned-model/", "custom-model/", "/endpoints/"];

/// Names to look a model up by, the most exact first. None for a resource that does not name its model.
pub(super) fn spellings(model: &str) -> Vec<String> {
    let whole = model.trim().to_lowercase();
    if OPAQUE.iter().any(|part| whole.contains(part)) {
        return Vec::new();
    }
    let mut names = vec![whole];
    // Each way of writing is tried on what the ones before gave.
    let ways: [fn(&str) -> Option<String>; 6] = [last_segment, fine_tuned, without_region, azure, snapshot, dashes];
    for way in ways {
        let more: Vec<String> = names.iter().filter_map(|name| way(name)).filter(|name| !name.is_empty()).collect();
        for name in more {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Where the prices of a provider may stand: under its own name, and under those of its other hosts.
pub(super) fn hosts(provider: &str) -> impl Iterator<Item = &str> {
    let others: &[&str] = match provider {
        "gcp.gen_ai" => &["gcp.gemini", "gcp.vertex_ai"],
        "azure.ai.openai" => &["azure.ai.inference"],
        "azure.ai.inference" => &["azure.ai.openai"],
        _ => &[],
    };
    std::iter::once(provider).chain(others.iter().copied())
}

/// `publishers/google/models/gemini-2.5-pro`, `openai/gpt-4o`, an ARN: the name stands at the end.
fn last_segment(name: &str) -> Option<String> {
    name.rsplit_once('/').map(|(_, last)| last.to_owned())
}

/// `ft:gpt-4o-2024-08-06:acme::9xyz`: what was tuned decides the price.
fn fine_tuned(name: &str) -> Option<String> {
    let base = name.strip_prefix("ft:")?.split(':').next()?;
    Some(format!("ft:{base}"))
}

fn without_region(name: &str) -> Option<String> {
    REGIONS.iter().find_map(|region| name.strip_prefix(region)).map(str::to_owned)
}

fn azure(name: &str) -> Option<String> {
    name.strip_prefix("gpt-35").map(|rest| format!("gpt-3.5{rest}"))
}

fn snapshot(name: &str) -> Option<String> {
    let end = SNAPSHOT.as_ref()?.find(name)?.start();
    name.get(..end).map(str::to_owned)
}

/// `claude-sonnet-4.5` for `claude-sonnet-4-5`.
fn dashes(name: &str) -> Option<String> {
    name.contains('.').then(|| name.replace('.', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: names with a path, a region, a snapshot, a fine-tune.
    /// Guarantees: the whole name is tried first, and the bare one in the end.
    #[test]
    fn from_exact_to_bare() {
        for (name, last) in [
            ("gpt-4o", "gpt-4o"),
            ("openai/gpt-4o-2024-08-06", "gpt-4o"),
            ("ft:gpt-4o-2024-08-06:acme:x:y", "ft:gpt-4o"),
            ("eu.anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku"),
            ("claude-sonnet-4@20250514", "claude-sonnet-4"),
            ("gpt-35-turbo", "gpt-3.5-turbo"),
        ] {
            let spellings = spellings(name);
            assert_eq!(spellings.first().map(String::as_str), Some(name));
            assert!(spellings.iter().any(|spelling| spelling == last), "{spellings:?} lacks {last}");
        }
        assert_eq!(spellings("projects/p/locations/l/endpoints/123"), Vec::<String>::new());
    }
}
