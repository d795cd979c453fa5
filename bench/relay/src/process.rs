//! A subject's process: started on its core, measured through `/proc`, ended by its id.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::cores::Cores;
use crate::error::BenchError;

/// A running process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    folder: TempDir,
    started: Instant,
}

// === impl Process ===

impl Process {
    /// Starts it in a folder of its own, where its output goes to a file.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        folder: TempDir,
        cores: Cores,
    ) -> Result<Self, BenchError> {
        let path = folder.path().join("log");
        let log = File::create(&path).map_err(BenchError::io("making a log file"))?;
        let same = log.try_clone().map_err(BenchError::io("making a log file"))?;
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(log).stderr(same);
        // A child inherits the cores of the thread that starts it.
        let started = Instant::now();
        let starting = std::thread::spawn(move || {
            cores.enter()?;
            command.spawn()
        });
        let spawned = starting.join().unwrap_or_else(|_| Err(std::io::Error::other("the starting thread panicked")));
        let child = spawned.map_err(BenchError::io(format!("starting {name}")))?;
        Ok(Self { name, child, folder, started })
    }

    /// Waits until it listens on the port, and says how long after its start that was.
    pub(crate) async fn listens(&mut self, port: u16) -> Result<Duration, BenchError> {
        const PATIENCE: Duration = Duration::from_secs(20);
        let since = self.started;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.problem(format!("it ended, {status}, before it listened")));
            }
            if since.elapsed() > PATIENCE {
                return Err(self.problem("it does not listen".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(since.elapsed())
    }

    /// The CPU time it has used so far, in user and kernel mode, of all its threads.
    pub(crate) fn cpu(&self) -> Result<Duration, BenchError> {
        let stat = self.proc("stat")?;
        // The name of the program, in parentheses, may hold anything; fields 14 and 15 are counted from after it.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let ticks =
            after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
        let millis = ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second().max(1);
        Ok(Duration::from_millis(millis))
    }

    /// The most memory it ever held at once, in MiB.
    pub(crate) fn peak_mib(&self) -> Result<f64, BenchError> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok());
        Ok(f64::from(kib.unwrap_or_default()) / 1024.0)
    }

    /// What went wrong with it, and the end of its log.
    pub(crate) fn problem(&self, problem: String) -> BenchError {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(12).collect();
        let log = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        BenchError::Subject { subject: self.name, problem, log }
    }

    fn proc(&self, file: &str) -> Result<String, BenchError> {
        let path: PathBuf = ["/proc", &self.child.id().to_string(), file].iter().collect();
        fs::read_to_string(&path).map_err(BenchError::io(format!("reading {}", path.display())))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        const GRACE: Duration = Duration::from_secs(5);
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself; then there is nobody to tell.
            let _ = kill_process(id, Signal::TERM);
        }
        let since = Instant::now();
        while since.elapsed() < GRACE {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            #[expect(clippy::disallowed_methods, reason = "nothing else runs between two measurements")]
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
