//! Converts requests between protobuf and OTLP/JSON:
//! `convert traces|metrics|logs to-json|to-proto FILE...`. JSON goes to the standard output, a line a file; protobuf goes
//! to `FILE.pb`.

use std::io::Write;

use spanmill_otlp::{Limits, Signal, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let signal = match arguments.next().as_deref() {
        Some("traces") => Signal::Traces,
        Some("metrics") => Signal::Metrics,
        Some("logs") => Signal::Logs,
        _ => return Err("expected traces, metrics or logs".into()),
    };
    let to_json = arguments.next().as_deref() == Some("to-json");
    for file in arguments {
        let input = std::fs::read(&file)?;
        if to_json {
            let mut line = Vec::new();
            json::from_protobuf(signal, &input, &mut line)?;
            line.push(b'\n');
            std::io::stdout().write_all(&line)?;
        } else {
            std::fs::write(format!("{file}.pb"), json::to_protobuf(signal, &input, &Limits::default())?)?;
        }
    }
    Ok(())
}
