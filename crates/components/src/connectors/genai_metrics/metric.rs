//! The metrics: those of the conventions, and ours.

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Metric {
    Duration,
    Tokens,
    FirstChunk,
    FirstToken,
    PerToken,
    Cost,
    SlowSmall,
}

/// What is known of a metric.
#[derive(Debug)]
pub(super) struct About {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) description: &'static str,
    /// The bounds of a histogram, by the conventions; none for a sum.
    pub(super) bounds: &'static [f64],
}

/// Bounds of what a client measures, in seconds.
const SECONDS: &[f64] = &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

const DURATION: About = About {
    name: "gen_ai.client.operation.duration",
    unit: "s",
    description: "GenAI operation duration.",
    bounds: SECONDS,
};

const TOKENS: About = About {
    name: "gen_ai.client.token.usage",
    unit: "{token}",
    description: "Number of input and output tokens used.",
    bounds: &[
        1.0,
        4.0,
        16.0,
        64.0,
        256.0,
        1024.0,
        4096.0,
        16_384.0,
        65_536.0,
        262_144.0,
        1_048_576.0,
        4_194_304.0,
        16_777_216.0,
        67_108_864.0,
    ],
};

const FIRST_CHUNK: About = About {
    name: "gen_ai.client.operation.time_to_first_chunk",
    unit: "s",
    description: "Time to receive the first chunk of a streaming response.",
    bounds: SECONDS,
};

const FIRST_TOKEN: About = About {
    name: "gen_ai.server.time_to_first_token",
    unit: "s",
    description: "Time to generate first token for successful responses.",
    bounds: &[0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0],
};

const PER_TOKEN: About = About {
    name: "gen_ai.server.time_per_output_token",
    unit: "s",
    description: "Time per output token generated after the first token for successful responses.",
    bounds: &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5],
};

const COST: About = About {
    name: "spanmill.gen_ai.cost",
    unit: "{currency}",
    description: "What calls cost, in the currency of the attribute.",
    bounds: &[],
};

const SLOW_SMALL: About = About {
    name: "spanmill.gen_ai.slow_small",
    unit: "{call}",
    description: "Calls that were slow although they were small.",
    bounds: &[],
};

// === impl Metric ===

impl Metric {
    pub(super) const ALL: [Self; 7] =
        [Self::Duration, Self::Tokens, Self::FirstChunk, Self::FirstToken, Self::PerToken, Self::Cost, Self::SlowSmall];

    pub(super) fn about(self) -> &'static About {
        match self {
            Self::Duration => &DURATION,
            Self::Tokens => &TOKENS,
            Self::FirstChunk => &FIRST_CHUNK,
            Self::FirstToken => &FIRST_TOKEN,
            Self::PerToken => &PER_TOKEN,
            Self::Cost => &COST,
            Self::SlowSmall => &SLOW_SMALL,
        }
    }
}
