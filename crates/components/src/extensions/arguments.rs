//! The command line, as pages show it.

use spanmill_config::{REDACTED, without_url_secrets};

/// The arguments of the process, without what may be secret in them: values of `--set`, configurations that are written out, credentials
/// of URLs.
pub(super) fn shown() -> Vec<String> {
    without_secrets(std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()))
}

fn without_secrets(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut is_value_of_set = false;
    let one = |argument: String| {
        let is_value = std::mem::replace(&mut is_value_of_set, matches!(argument.as_str(), "--set" | "-set"));
        let set = argument.strip_prefix("--set=").or_else(|| argument.strip_prefix("-set="));
        if let Some(pair) = set.or(is_value.then_some(argument.as_str())) {
            let before = argument.get(..argument.len() - pair.len()).unwrap_or_default();
            let key = pair.split('=').next().unwrap_or_default();
            return format!("{before}{key}={REDACTED}");
        }
        match argument.find("yaml:") {
            Some(0) => format!("yaml:{REDACTED}"),
            Some(at) if argument.get(..at).is_some_and(|option| option.starts_with('-') && option.ends_with('=')) => {
                format!("{}yaml:{REDACTED}", argument.get(..at).unwrap_or_default())
            }
            _ => without_url_secrets(&argument).into_owned(),
        }
    };
    arguments.map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scenario: a command line with secrets in all ways that it can have them.
    /// Guarantees: keys, names of files and hosts are shown, secrets are not.
    #[test]
    fn secrets_are_hidden() {
        let given = "spanmill --config a.yaml --config=https://u:S@h/x --config yaml:a::b: S --config=yaml:a: --set a.b=S=S --set=c=S --watch";
        let given = given.replace("b: S", "b:S");
        let shown = without_secrets(given.split(' ').map(str::to_owned)).join(" ");
        insta::assert_snapshot!(shown, @"spanmill --config a.yaml --config=https://[REDACTED]@h/x --config yaml:[REDACTED] --config=yaml:[REDACTED] --set a.b=[REDACTED] --set=c=[REDACTED] --watch");
    }
}
