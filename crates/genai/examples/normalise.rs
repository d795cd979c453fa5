//! Normalises recorded requests: `normalise OUT_DIR < FILES` reads the names of encoded `ExportTraceServiceRequest`s from
//! standard input, one a line, sends them through one engine in that order, and writes `OUT_DIR/0.pb`, `OUT_DIR/1.pb`, ...

use std::error::Error;
use std::io::BufRead;
use std::path::PathBuf;

use spanmill_genai::{Engine, Options};
use spanmill_otlp::Traces;

fn main() -> Result<(), Box<dyn Error>> {
    let out: PathBuf = std::env::args_os().nth(1).ok_or("usage: normalise OUT_DIR < FILES")?.into();
    std::fs::create_dir_all(&out)?;
    let engine = Engine::new(&Options::default())?;
    for (at, line) in std::io::stdin().lock().lines().enumerate() {
        let mut traces = Traces::parse(std::fs::read(line?)?.into())?;
        engine.process(&mut traces);
        std::fs::write(out.join(format!("{at}.pb")), traces.encode())?;
    }
    Ok(())
}
