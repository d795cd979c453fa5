//! Profiles of the CPU: which functions this process spends its time in.

use std::fmt::Display;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};
use prost::Message;

use super::profile::encode;

/// Samples a second of CPU time, as Go takes them.
const FREQUENCY: i32 = 100;

/// A profile that is being taken, of all threads. There is one at a time.
pub(super) struct Profiling(ProfilerGuard<'static>);

// === impl Profiling ===

impl Profiling {
    /// Begins one; fails while there is another.
    pub(super) fn start() -> Result<Self, String> {
        // Stacks are not followed into these: where they take locks, a signal in the midst of it would wait for ever.
        let builder = ProfilerGuardBuilder::default().frequency(FREQUENCY);
        let guard = builder.blocklist(&["libc", "libgcc", "pthread", "vdso"]).build();
        guard.map(Self).map_err(|error| match error {
            pprof::Error::Running => "cpu profiling already in use".to_owned(),
            other => other.to_string(),
        })
    }

    /// Ends it: what `pprof` reads, compressed. Looking names up takes a second or so: not for a thread that serves.
    pub(super) fn finish(self) -> Result<Vec<u8>, String> {
        fn said(error: impl Display) -> String {
            error.to_string()
        }
        let report = self.0.report().build().map_err(said)?;
        drop(self);
        let mut compressed = GzEncoder::new(Vec::new(), Compression::fast());
        compressed.write_all(&encode(&report).encode_to_vec()).map_err(said)?;
        compressed.finish().map_err(said)
    }
}
