use spanmill_config::Section;

use crate::receivers::otlp::config::Config;

fn read(yaml: &str) -> Result<Config, String> {
    let section = Section::from_yaml("receivers::otlp", yaml).unwrap();
    Config::read(&section).map_err(|error| error.to_string())
}

/// Scenario: protocols that are written without content, as in the Collector's own examples.
/// Guarantees: they are on, with loopback, the standard ports and 64 MiB.
#[test]
fn empty_keys_mean_defaults() {
    let config = read("{protocols: {grpc: , http: }}").unwrap();
    let (grpc, http) = (config.protocols.grpc.into_option().unwrap(), config.protocols.http.into_option().unwrap());
    assert_eq!((grpc.endpoint.as_str(), grpc.limit()), ("localhost:4317", 64 << 20));
    assert_eq!((http.endpoint.as_str(), http.limit()), ("localhost:4318", 64 << 20));
}

/// Scenario: every option that the Collector documents, set.
/// Guarantees: a file of the Collector is read.
#[test]
fn the_collectors_options_are_known() {
    let yaml = "
protocols:
  grpc:
    endpoint: 0.0.0.0:4317
    transport: tcp
    dialer: {timeout: 5s}
    max_recv_msg_size_mib: 16
    max_concurrent_streams: 100
    read_buffer_size: 1048576
    write_buffer_size: 1048576
    include_metadata: true
    keepalive:
      server_parameters: {max_connection_idle: 11s, max_connection_age: 12s, max_connection_age_grace: 13s, time: 30s, timeout: 5s}
      enforcement_policy: {min_time: 10s, permit_without_stream: true}
  http:
    endpoint: :4318
    cors: {allowed_origins: ['*'], allowed_headers: ['*'], exposed_headers: [x], max_age: 7200}
    max_request_body_size: 1000000
    include_metadata: true
    response_headers: {x-a: b}
    compression_algorithms: ['', gzip, zstd, zlib, snappy, deflate, x-snappy-framed]
    read_timeout: 1s
    read_header_timeout: 1s
    write_timeout: 1s
    idle_timeout: 1s
    keep_alives_enabled: false
    traces_url_path: /t
    metrics_url_path: /m
    logs_url_path: /l
";
    let config = read(yaml).unwrap();
    assert_eq!(config.protocols.grpc.as_ref().unwrap().limit(), 16 << 20);
    assert_eq!(config.protocols.http.as_ref().unwrap().limit(), 1_000_000);
}

/// Scenario: wrong options, and options that spanmill does not have.
/// Guarantees: each is refused with its path; none is ignored where that would leave a port open to more than was meant.
#[test]
fn wrong_options_are_refused() {
    let wrong = [
        ("{}", "must specify at least one protocol when using the OTLP receiver"),
        ("{protocols: {}}", "must specify at least one protocol"),
        ("{protocols: {grpc: {endpont: x}}}", "endpoint"),
        ("{protocols: {grpc: {endpoint: localhost}}}", "protocols::grpc::endpoint"),
        ("{protocols: {http: {endpoint: 'localhost:99999'}}}", "protocols::http::endpoint"),
        ("{protocols: {grpc: {endpoint: '', transport: unix}}}", "protocols::grpc::endpoint"),
        ("{protocols: {grpc: {transport: udp}}}", "protocols::grpc::transport"),
        ("{protocols: {grpc: {tls: {}}}}", "protocols::grpc::tls"),
        ("{protocols: {http: {tls: {cert_file: a}}}}", "protocols::http::tls"),
        ("{protocols: {grpc: {auth: {authenticator: oidc, request_params: [x]}}}}", "protocols::grpc::auth"),
        ("{protocols: {http: {auth: {authenticator: '1'}}}}", "protocols::http::auth::authenticator"),
        ("{protocols: {http: {logs_url_path: ':a'}}}", "protocols::http::logs_url_path: invalid HTTP URL path \":a\""),
        ("{protocols: {http: {middlewares: [{id: x}]}}}", "protocols::http::middlewares"),
        ("{protocols: {grpc: {max_recv_msg_size_mib: 5000}}}", "max_recv_msg_size_mib"),
    ];
    for (yaml, expected) in wrong {
        let error = read(yaml).expect_err(yaml);
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}

/// Scenario: limits, all of them set; and wrong ones.
/// Guarantees: they are read; each wrong one is refused with its path.
#[test]
fn limits() {
    let all = "
protocols: {grpc: }
limits:
  max_in_flight_bytes: 64MiB
  max_concurrent_requests: 1
  max_connections: 1
  max_wait: 0s
  max_body_silence: 1s
  min_body_rate: 0B
  max_header_bytes: 1KiB
  max_headers: 1
  max_decompression_ratio: 0
  max_depth: 1
  max_spans: 1
  max_given_up: 0
  attributes: {max_count: 1, max_value_bytes: 1B, policy: truncate}
  rate: {header: X-Tenant, spans_per_second: 1, spans_burst: 1, bytes_per_second: 1KiB, bytes_burst: 1KiB, max_tenants: 1}
";
    assert_eq!(read(all).unwrap().limits.in_flight(64 << 20), 64 << 20);
    let wrong = [
        ("max_in_flight_bytes: 63MiB", "limits::max_in_flight_bytes: must be at least the size of the largest request"),
        ("max_concurrent_requests: 0", "limits::max_concurrent_requests"),
        ("max_body_silence: 0s", "limits::max_body_silence"),
        ("max_wait: -1s", "limits::max_wait"),
        ("max_header_bytes: 1B", "limits::max_header_bytes"),
        ("max_headers: 0", "limits::max_headers"),
        ("max_depth: 0", "limits::max_depth"),
        ("max_spans: 0", "limits::max_spans"),
        ("attributes: {policy: drop}", "policy"),
        ("rate: {header: 'a b'}", "limits::rate::header"),
        ("rate: {bytes_per_second: 4GiB}", "limits::rate::bytes_burst"),
        ("rate: {max_tenants: 0}", "limits::rate::max_tenants"),
        ("max_streams: 1", "max_streams"),
    ];
    for (limit, expected) in wrong {
        let error = read(&format!("{{protocols: {{http: }}, limits: {{{limit}}}}}")).expect_err(limit);
        assert!(error.contains(expected), "{limit}: {error}");
    }
}
