//! What the engine costs: nanoseconds a span for parsing, normalising and encoding requests of 512 spans, in three shapes.
//! `cargo run --release -p spanmill-genai --example cost [small|text|structured]`

use std::error::Error;
use std::time::{Duration, Instant};

use spanmill_genai::{Engine, Options};
use spanmill_loadgen::Template;
use spanmill_loadgen::shape::Shape;
use spanmill_otlp::Traces;

const SPANS: usize = 512;
const ROUNDS: u64 = 200;

fn main() -> Result<(), Box<dyn Error>> {
    let only = std::env::args().nth(1);
    for shape in Shape::ALL.into_iter().filter(|shape| only.as_deref().is_none_or(|only| only == shape.as_str())) {
        let engine = Engine::new(&Options::default())?;
        let template = Template::new(shape, SPANS, 1);
        let (mut parsing, mut normalising, mut encoding) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let (mut taken, mut made) = (0, 0);
        for number in 0..ROUNDS {
            let request = template.fresh(number);
            taken += request.len();
            let begin = Instant::now();
            let mut traces = Traces::parse(request)?;
            let parsed = Instant::now();
            engine.process(&mut traces);
            let normalised = Instant::now();
            made += traces.encode().len();
            let end = Instant::now();
            parsing += parsed - begin;
            normalising += normalised - parsed;
            encoding += end - normalised;
        }
        let spans = ROUNDS * SPANS as u64;
        let each = |time: Duration| time.as_nanos() as u64 / spans;
        println!(
            "{:10} {:5} B a span in, {:5} B out: parse {:4} ns, normalise {:4} ns, encode {:4} ns",
            shape.as_str(),
            taken as u64 / spans,
            made as u64 / spans,
            each(parsing),
            each(normalising),
            each(encoding),
        );
    }
    Ok(())
}
