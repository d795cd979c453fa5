//! A clock that jumps: a library that is loaded before libc and adds so many seconds to the wall clock as a file says.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// The wall clock of one process.
#[derive(Debug)]
pub struct Clock {
    folder: TempDir,
}

/// The time of day is asked for by this function alone, in Rust; what is left of a deadline is told by the monotonic clock, which does not jump.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static int (*real)(clockid_t, struct timespec *);
static volatile long *offset;

__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("CLOCK_OFFSET"), O_RDONLY);
    offset = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    real = dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += *offset;
    return result;
}
"#;

// === impl Clock ===

impl Clock {
    /// A clock that is right, for now; nothing where there is no C compiler.
    pub fn new() -> Option<Self> {
        let folder = crate::process::folder("clock");
        fs::write(folder.path().join("clock.c"), SOURCE).expect("a file can be written");
        let mut compiler = Command::new("cc");
        compiler.current_dir(folder.path()).args(["-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c", "-ldl"]);
        if !compiler.status().is_ok_and(|status| status.success()) {
            return None;
        }
        let clock = Self { folder };
        clock.jump_to(0);
        Some(clock)
    }

    /// The clock is so many seconds ahead from now on.
    pub fn jump_to(&self, seconds: i64) {
        use std::os::unix::fs::FileExt;
        // Written in place: the process has it mapped.
        let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(self.offset());
        file.and_then(|file| file.write_all_at(&seconds.to_ne_bytes(), 0)).expect("the offset can be written");
    }

    /// Has the process go by it.
    pub fn apply(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.folder.path().join("clock.so")).env("CLOCK_OFFSET", self.offset());
    }

    fn offset(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}
