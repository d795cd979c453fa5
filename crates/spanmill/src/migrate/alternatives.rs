//! What there is in the place of well-known components of the Collector that do not run here.

use spanmill_config::{ComponentId, Kind};

/// What is known about types that do not run here.
struct Alternative {
    kind: Kind,
    types: &'static [&'static str],
    /// What does it instead.
    instead: &'static str,
    /// What the attributes begin with that it writes, and others may read.
    writes: &'static [&'static str],
}

const IN_FRONT: &str = "keep a Collector in front that has it, and send OTLP from there";
const BEHIND: &str = "send OTLP to a Collector behind that has it, with otlp_grpc or otlp_http";
const VENDOR: &str = "otlp_http to the vendor's OTLP endpoint, or OTLP to a Collector behind that has it";
const AUTHENTICATORS: &str = "basicauth, bearertokenauth, oidc and api_keys authenticate here; otherwise fixed `headers`, or a Collector or proxy behind that signs";

const TABLE: &[Alternative] = &[
    Alternative {
        kind: Kind::Processor,
        types: &["k8sattributes", "k8s_attributes"],
        instead: "keep a Collector agent in front that has it, or let the operator or the downward API put k8s.* into \
                  OTEL_RESOURCE_ATTRIBUTES of the pods",
        writes: &["k8s.", "container."],
    },
    Alternative { kind: Kind::Processor, types: &["geoip", "geo_ip"], instead: IN_FRONT, writes: &["geo."] },
    Alternative {
        kind: Kind::Processor,
        types: &[
            "cumulativetodelta",
            "deltatorate",
            "deltatocumulative",
            "metricstransform",
            "metricsgeneration",
            "interval",
            "logdedup",
            "schema",
            "lookup",
        ],
        instead: IN_FRONT,
        writes: &[],
    },
    Alternative {
        kind: Kind::Receiver,
        types: &["kafka"],
        instead: "a Collector in front that reads Kafka and sends OTLP",
        writes: &[],
    },
    Alternative {
        kind: Kind::Receiver,
        types: &["jaeger", "zipkin", "opencensus", "skywalking"],
        instead: "let clients send OTLP to `otlp`, or keep a Collector in front that takes this and sends OTLP",
        writes: &[],
    },
    Alternative {
        kind: Kind::Receiver,
        types: &[
            "prometheus",
            "filelog",
            "file_log",
            "hostmetrics",
            "host_metrics",
            "kubeletstats",
            "k8s_cluster",
            "k8s_events",
            "k8sobjects",
            "journald",
            "syslog",
            "fluentforward",
            "statsd",
            "docker_stats",
            "receiver_creator",
            "datadog",
            "awsxray",
            "loki",
            "splunk_hec",
        ],
        instead: IN_FRONT,
        writes: &[],
    },
    Alternative { kind: Kind::Exporter, types: &["kafka"], instead: BEHIND, writes: &[] },
    Alternative {
        kind: Kind::Exporter,
        types: &["jaeger", "zipkin"],
        instead: "otlp_grpc to Jaeger, which takes OTLP; for Zipkin a Collector behind",
        writes: &[],
    },
    Alternative {
        kind: Kind::Exporter,
        types: &["prometheusremotewrite", "prometheus_remote_write"],
        instead: "the exporter `prometheus`, to be scraped, or otlp_http to the backend's OTLP endpoint",
        writes: &[],
    },
    Alternative {
        kind: Kind::Exporter,
        types: &["loki"],
        instead: "otlp_http to Loki's OTLP endpoint (/otlp)",
        writes: &[],
    },
    Alternative {
        kind: Kind::Exporter,
        types: &["elasticsearch"],
        instead: "otlp_http to Elastic's OTLP endpoint, or OTLP to a Collector behind that has it",
        writes: &[],
    },
    Alternative {
        kind: Kind::Exporter,
        types: &["clickhouse", "awss3", "aws_s3", "pulsar", "cassandra", "azuredataexplorer", "opensearch", "syslog"],
        instead: BEHIND,
        writes: &[],
    },
    Alternative {
        kind: Kind::Exporter,
        types: &[
            "datadog",
            "awsxray",
            "awsemf",
            "awscloudwatchlogs",
            "googlecloud",
            "azuremonitor",
            "splunk_hec",
            "signalfx",
            "sapm",
            "honeycombmarker",
            "logzio",
            "coralogix",
            "dynatrace",
            "sumologic",
            "sentry",
            "alertmanager",
            "mezmo",
        ],
        instead: VENDOR,
        writes: &[],
    },
    Alternative {
        kind: Kind::Connector,
        types: &["servicegraph", "service_graph"],
        instead: "OTLP to a backend that makes service graphs, such as Tempo, or a Collector behind",
        writes: &[],
    },
    Alternative {
        kind: Kind::Connector,
        types: &["datadog", "exceptions", "grafanacloud", "roundrobin", "sum"],
        instead: BEHIND,
        writes: &[],
    },
    Alternative {
        kind: Kind::Extension,
        types: &["sigv4auth", "oauth2client", "googleclientauth", "azureauth", "asapclient"],
        instead: AUTHENTICATORS,
        writes: &[],
    },
    Alternative {
        kind: Kind::Extension,
        types: &["db_storage", "redis_storage"],
        instead: "file_storage",
        writes: &[],
    },
];

/// What does the work of a component that does not run here.
pub(super) fn instead_of(kind: Kind, id: &ComponentId) -> Option<&'static str> {
    find(kind, id).map(|known| known.instead)
}

/// What the attributes begin with that a component writes.
pub(super) fn written_by(kind: Kind, id: &ComponentId) -> &'static [&'static str] {
    find(kind, id).map_or(&[], |known| known.writes)
}

fn find(kind: Kind, id: &ComponentId) -> Option<&'static Alternative> {
    TABLE.iter().find(|known| known.kind == kind && known.types.contains(&id.type_name()))
}
