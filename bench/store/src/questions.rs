//! The questions, in the words of each engine.

use std::fmt;

use crate::engine::Dialect;

/// A question of the benchmark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(crate) name: &'static str,
    /// SQL in which `{…}` stands for what engines spell differently.
    sql: &'static str,
}

const SLOW_SMALL: &str = "duration_ns > 5000000000 AND input_tokens < 2000 AND finish_reason = 'stop'";

/// Twelve questions that were asked of every engine before, and two about an attribute without a column of its own.
pub(crate) const QUESTIONS: [Question; 14] = [
    Question {
        name: "slow-small, 24 h, by model and service",
        sql: "SELECT request_model, service, count(*) AS n, avg(duration_ns) / 1e6 AS mean, max(duration_ns) / 1e6 AS most FROM spans WHERE {slow} GROUP BY 1, 2 ORDER BY n DESC LIMIT 20",
    },
    Question {
        name: "the same by the flag `slow_small`",
        sql: "SELECT request_model, service, count(*) AS n, avg(duration_ns) / 1e6 AS mean, max(duration_ns) / 1e6 AS most FROM spans WHERE slow_small GROUP BY 1, 2 ORDER BY n DESC LIMIT 20",
    },
    Question {
        name: "slow-small, last hour",
        sql: "SELECT request_model, service, count(*) AS n, avg(duration_ns) / 1e6 AS mean, max(duration_ns) / 1e6 AS most FROM spans WHERE {slow} AND start_time >= {at 23:00:00} GROUP BY 1, 2 ORDER BY n DESC LIMIT 20",
    },
    Question {
        name: "the same, told the partition",
        sql: "SELECT request_model, service, count(*) AS n, avg(duration_ns) / 1e6 AS mean, max(duration_ns) / 1e6 AS most FROM spans WHERE {slow} AND {partition} GROUP BY 1, 2 ORDER BY n DESC LIMIT 20",
    },
    Question {
        name: "slow-small, last 5 minutes",
        sql: "SELECT request_model, service, count(*) AS n, avg(duration_ns) / 1e6 AS mean, max(duration_ns) / 1e6 AS most FROM spans WHERE {slow} AND start_time >= {at 23:55:00} GROUP BY 1, 2 ORDER BY n DESC LIMIT 20",
    },
    Question {
        name: "p50, p95, p99 by model, 24 h",
        sql: "SELECT request_model, count(*) AS n, {about 0.5} AS p50, {about 0.95} AS p95, {about 0.99} AS p99 FROM spans GROUP BY 1 ORDER BY 1",
    },
    Question {
        name: "exact p95 by model, 24 h",
        sql: "SELECT request_model, count(*) AS n, {exactly 0.95} AS p95 FROM spans GROUP BY 1 ORDER BY 1",
    },
    Question {
        name: "p50, p95, p99 by model, last hour",
        sql: "SELECT request_model, count(*) AS n, {about 0.5} AS p50, {about 0.95} AS p95, {about 0.99} AS p99 FROM spans WHERE start_time >= {at 23:00:00} GROUP BY 1 ORDER BY 1",
    },
    Question {
        name: "tokens a second by model and minute, 24 h",
        sql: "SELECT {minute} AS minute, request_model, sum(output_tokens) / 60.0 AS rate, avg(output_tokens / ((duration_ns - ttft_ns) / 1e9)) AS speed FROM spans GROUP BY 1, 2 ORDER BY 1, 2",
    },
    Question {
        name: "ten most expensive tenants, 24 h",
        sql: "SELECT tenant, sum(cost_nano) / 1e9 AS cost, count(*) AS n FROM spans GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
    },
    Question {
        name: "trace by id, all columns, 24 h",
        sql: "SELECT * FROM spans WHERE trace_id = '{trace}' ORDER BY start_time",
    },
    Question {
        name: "last 20 slow spans, all columns",
        sql: "SELECT * FROM spans WHERE {slow} ORDER BY start_time DESC LIMIT 20",
    },
    Question {
        name: "top pods by JSON attribute, last hour",
        sql: "SELECT {pod} AS pod, count(*) AS n FROM spans WHERE start_time >= {at 23:00:00} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    },
    Question {
        name: "top pods by JSON attribute, 24 h",
        sql: "SELECT {pod} AS pod, count(*) AS n FROM spans GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10",
    },
];

/// How many of them are the twelve that the promise is about.
pub(crate) const TWELVE: usize = 12;

// === impl Question ===

impl Question {
    /// The SQL for an engine; `trace` is the id of a trace.
    pub(crate) fn sql(&self, dialect: Dialect, trace: &str) -> String {
        let mut sql = self.sql.replace("{slow}", SLOW_SMALL).replace("{trace}", trace);
        for time in ["23:00:00", "23:55:00"] {
            sql = sql.replace(&format!("{{at {time}}}"), &dialect.time(time));
        }
        for share in ["0.5", "0.95", "0.99"] {
            sql = sql.replace(&format!("{{about {share}}}"), &dialect.about(share));
            sql = sql.replace(&format!("{{exactly {share}}}"), &dialect.exactly(share));
        }
        sql.replace("{partition}", &dialect.partition())
            .replace("{minute}", dialect.minute())
            .replace("{pod}", dialect.pod())
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

// === impl Dialect ===

impl Dialect {
    fn time(self, time: &str) -> String {
        match self {
            Self::Spanmill | Self::DuckDb => format!("TIMESTAMPTZ '2026-11-22 {time}+00:00'"),
            Self::ChDb => format!("toDateTime64('2026-11-22 {time}', 6, 'UTC')"),
        }
    }

    /// The last hour, as each engine finds it fastest.
    fn partition(self) -> String {
        match self {
            Self::Spanmill => format!(
                "start_time >= {} AND start_time < {}",
                self.time("23:00:00"),
                "TIMESTAMPTZ '2026-11-23 00:00:00+00:00'"
            ),
            Self::DuckDb => format!("start_time >= {} AND date = '2026-11-22' AND hour = '23'", self.time("23:00:00")),
            Self::ChDb => format!(
                "start_time >= {} AND start_time < toDateTime64('2026-11-23 00:00:00', 6, 'UTC')",
                self.time("23:00:00")
            ),
        }
    }

    /// An estimate of a quantile, by the sketch that the engine offers.
    fn about(self, share: &str) -> String {
        match self {
            Self::Spanmill => format!("approx_percentile_cont(duration_ns, {share})"),
            Self::DuckDb => format!("approx_quantile(duration_ns, {share})"),
            Self::ChDb => format!("quantile({share})(duration_ns)"),
        }
    }

    fn exactly(self, share: &str) -> String {
        match self {
            Self::Spanmill => format!("percentile_cont({share}) WITHIN GROUP (ORDER BY duration_ns)"),
            Self::DuckDb => format!("quantile_cont(duration_ns, {share})"),
            Self::ChDb => format!("quantileExactInclusive({share})(duration_ns)"),
        }
    }

    fn minute(self) -> &'static str {
        match self {
            Self::Spanmill => "time_bucket('1m', start_time)",
            Self::DuckDb => "time_bucket(INTERVAL '1 minute', start_time)",
            Self::ChDb => "toStartOfMinute(start_time)",
        }
    }

    fn pod(self) -> &'static str {
        match self {
            Self::Spanmill => "attr(attributes, 'k8s.pod.name')",
            Self::DuckDb => "attributes->>'$.\"k8s.pod.name\"'",
            Self::ChDb => "JSONExtractString(attributes, 'k8s.pod.name')",
        }
    }
}
