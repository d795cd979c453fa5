//! Words and what only looks like one, told by how often letters follow one another in English. The model is that of
//! `github.com/grafana/clusterurl` (Apache License 2.0), made by go-gibberish (MIT License, copyright 2015 Rob Renaud).

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// Logarithms of probabilities, by pairs of letters.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Model {
    occurrences: Vec<Vec<f64>>,
    /// Rows and columns by character code.
    positions: HashMap<u32, usize>,
    /// Words are more probable.
    threshold: f64,
}

static MODEL: LazyLock<Model> = LazyLock::new(|| serde_json::from_str(include_str!("model.json")).unwrap_or_default());

/// Whether a text is no sequence of words. Anything but letters and spaces is passed over.
pub(super) fn is_gibberish(text: &[u8]) -> bool {
    MODEL.probability(text) <= MODEL.threshold
}

// === impl Model ===

impl Model {
    /// How probable a letter is after the one before it, on average; certain where there are no two.
    fn probability(&self, text: &[u8]) -> f64 {
        let lower = String::from_utf8_lossy(text).to_lowercase();
        let mut letters = lower.chars().filter(|letter| letter.is_ascii_lowercase() || *letter == ' ');
        let (mut sum, mut pairs) = (0.0, 0.0);
        let mut last = letters.next();
        for letter in letters {
            sum += last.and_then(|last| self.pair(last, letter)).unwrap_or_default();
            pairs += 1.0;
            last = Some(letter);
        }
        f64::exp(sum / f64::max(pairs, 1.0))
    }

    fn pair(&self, first: char, second: char) -> Option<f64> {
        let position = |letter: char| self.positions.get(&u32::from(letter)).copied();
        self.occurrences.get(position(first)?)?.get(position(second)?).copied()
    }
}
