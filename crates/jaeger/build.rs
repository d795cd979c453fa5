//! Makes Rust of Jaeger's storage API, without `protoc`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let protos = Path::new("../../proto");
    let files = ["jaeger/storage/v2/trace_storage.proto", "jaeger/storage/v2/dependency_storage.proto"];
    for file in files {
        println!("cargo::rerun-if-changed={}", protos.join(file).display());
    }
    let descriptors = protox::compile(files, [protos])?;
    tonic_prost_build::configure()
        .extern_path(".opentelemetry.proto", "::opentelemetry_proto::tonic")
        .disable_comments(["."])
        .compile_fds(descriptors)?;
    Ok(())
}
