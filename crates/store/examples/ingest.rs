//! What a span costs on its way from OTLP bytes to a sealed Parquet file: CPU time, bytes in memory, bytes in files.
//!
//!     cargo run --release -p spanmill-store --example ingest [SPANS]

use std::time::{Duration, Instant};

use spanmill_loadgen::shape::{Shape, request};
use spanmill_otlp::Traces;
use spanmill_store::{Options, Store};

const A_REQUEST: usize = 512;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: usize = std::env::args().nth(1).map_or(Ok(500_000), |text| text.parse())?;
    let folder = std::env::temp_dir().join(format!("spanmill-ingest-{}", std::process::id()));
    let mut options = Options::new(folder.to_string_lossy());
    options.max_past = Duration::from_secs(1 << 33);
    let store = Store::open(options, "ingest").await?;
    let requests: Vec<_> = (0..64).map(|seed| request(Shape::Small, A_REQUEST, seed)).collect();
    let received: usize = requests.iter().map(bytes::Bytes::len).sum();

    let (began, cpu) = (Instant::now(), processor_time()?);
    let (mut spans, mut files, mut sealing) = (0, 0, Duration::ZERO);
    let mut encoding = Duration::ZERO;
    for request in requests.iter().cycle() {
        let before = processor_time()?;
        let traces = Traces::parse(request.clone())?;
        store.add(&traces, None);
        encoding += processor_time()?.saturating_sub(before);
        spans += A_REQUEST;
        if store.wants_seal() || spans >= wanted {
            let before = processor_time()?;
            files += store.seal().await?.bytes;
            sealing += processor_time()?.saturating_sub(before);
        }
        if spans >= wanted {
            break;
        }
    }
    let each = |time: Duration| time.as_secs_f64() * 1e6 / spans as f64;
    println!("spans                 {spans}, {} bytes each as OTLP", received / 64 / A_REQUEST);
    println!(
        "CPU a span            {:.2} us ({:.2} to memory, {:.2} to files)",
        each(processor_time()?.saturating_sub(cpu)),
        each(encoding),
        each(sealing)
    );
    println!("bytes a span in files {:.1}", files as f64 / spans as f64);
    println!("took                  {:.1} s", began.elapsed().as_secs_f64());
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Time on a processor of all threads of this process, in nanoseconds; the times of `/proc/self/stat` are too coarse for parts.
fn processor_time() -> std::io::Result<Duration> {
    let mut total = 0_u64;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        total += text.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(total))
}
