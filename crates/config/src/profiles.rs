//! Pipelines of profiles: a signal that the Collector has, and that there is not here.

use crate::{ConfigError, Document, IdError, Node, PipelineId, Problem, Value};

/// The signal.
const PROFILES: &str = "profiles";

// === impl Document ===

impl Document {
    /// As [`Document::from_tree`], which refuses pipelines of profiles, without these. They come back as problems with their paths.
    ///
    /// # Errors
    ///
    /// Fails on everything else that [`Document::from_tree`] refuses.
    pub fn without_profiles(mut tree: Node) -> Result<(Self, Vec<Problem>), ConfigError> {
        let mut left_out = Vec::new();
        let pipelines = entry(&mut tree, "service").and_then(|service| entry(service, "pipelines"));
        if let Some(Value::Map(pipelines)) = pipelines.map(|pipelines| &mut pipelines.value) {
            pipelines.retain(|name, entry| {
                let is_one =
                    matches!(name.parse::<PipelineId>(), Err(IdError::UnknownSignal(_, signal)) if signal == PROFILES);
                if is_one {
                    let message = format!("pipeline {name:?}: there are no profiles here");
                    let problem = Problem::new(format!("service::pipelines::{name}"), message);
                    left_out.push(problem.at(entry.key_place.clone()));
                }
                !is_one
            });
        }
        Ok((Self::from_tree(tree)?, left_out))
    }
}

fn entry<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Map(map) => map.get_mut(key).map(|entry| &mut entry.node),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Document, yaml};

    /// Scenario: pipelines of profiles beside one of traces, and one of a signal that nobody has.
    /// Guarantees: the former are left out and named with their lines, the rest is read; the latter is refused.
    #[test]
    fn profiles_are_left_out() {
        let text = "receivers: {otlp: }\nservice:\n  pipelines:\n    profiles: {receivers: [otlp]}\n    traces: {receivers: [otlp]}\n    profiles/b: \n";
        let tree = yaml::parse(text, "c.yaml").unwrap();
        assert!(Document::from_tree(tree.clone()).is_err());
        let (document, left_out) = Document::without_profiles(tree).unwrap();
        assert_eq!(document.service.pipelines.keys().map(ToString::to_string).collect::<Vec<_>>(), ["traces"]);
        let told: Vec<String> = left_out.iter().map(ToString::to_string).collect();
        let path = "service::pipelines::profiles";
        let told_of = |line: u8, name: &str| {
            format!("c.yaml:{line}: {path}{name}: pipeline \"profiles{name}\": there are no profiles here")
        };
        assert_eq!(told, [told_of(4, ""), told_of(6, "/b")]);
        let strange = yaml::parse(&text.replace("profiles/b", "profile"), "c.yaml").unwrap();
        assert!(Document::without_profiles(strange).unwrap_err().to_string().contains("unknown signal \"profile\""));
    }
}
