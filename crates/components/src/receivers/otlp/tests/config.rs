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
        ("{protocols: {grpc: {endpoint: ''}}}", "protocols::grpc::endpoint"),
        ("{protocols: {grpc: {transport: udp}}}", "protocols::grpc::transport"),
        ("{protocols: {grpc: {tls: {}}}}", "protocols::grpc::tls"),
        ("{protocols: {http: {tls: {cert_file: a}}}}", "protocols::http::tls"),
        ("{protocols: {grpc: {auth: {authenticator: oidc, request_params: [x]}}}}", "protocols::grpc::auth"),
        ("{protocols: {http: {auth: {authenticator: '1'}}}}", "protocols::http::auth::authenticator"),
        ("{protocols: {http: {middlewares: [{id: x}]}}}", "protocols::http::middlewares"),
        ("{protocols: {http: {traces_url_path: ''}}}", "traces_url_path"),
        ("{protocols: {http: {compression_algorithms: [rar]}}}", "compression_algorithms"),
        ("{protocols: {grpc: {max_recv_msg_size_mib: 5000}}}", "max_recv_msg_size_mib"),
    ];
    for (yaml, expected) in wrong {
        let error = read(yaml).expect_err(yaml);
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}
