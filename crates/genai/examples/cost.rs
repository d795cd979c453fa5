//! What the engine costs: nanoseconds a span for parsing, normalising and encoding requests of 512 spans, in three shapes.
//! `cargo run --release -p spanmill-genai --example cost [small|text|structured]`

use std::error::Error;
use std::time::{Duration, Instant};

use spanmill_genai::{Engine, Options};
use spanmill_loadgen::Template;
use spanmill_loadgen::shape::Shape;
use spanmill_otlp::Traces;

const SPANS: usize = 512;
const ROUNDS: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let only = std::env::args().nth(1);
    for shape in Shape::ALL.into_iter().filter(|shape| only.as_deref().is_none_or(|only| only == shape.as_str())) {
        let engine = Engine::new(&Options::default())?;
        let template = Template::new(shape, SPANS, 1);
        let mut times: [Vec<Duration>; 3] = Default::default();
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
            for (times, time) in times.iter_mut().zip([parsed - begin, normalised - parsed, end - normalised]) {
                times.push(time);
            }
        }
        let spans = ROUNDS * SPANS as u64;
        // The lower quartile: what others do on the machine only adds.
        let [parsing, normalising, encoding] = times.map(|mut times| {
            times.sort_unstable();
            times.get(times.len() / 4).map_or(0, |time| time.as_nanos() as u64 / SPANS as u64)
        });
        println!(
            "{:10} {:5} B a span in, {:5} B out: parse {:4} ns, normalise {:4} ns, encode {:4} ns",
            shape.as_str(),
            taken as u64 / spans,
            made as u64 / spans,
            parsing,
            normalising,
            encoding,
        );
    }
    Ok(())
}
