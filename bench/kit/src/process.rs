//! A subject's process: started on its core, measured through `/proc`, ended by its id.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::BenchError;
use crate::cores::Cores;

/// A running process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    folder: TempDir,
    started: Instant,
}

// === impl Process ===

impl Process {
    /// Starts it in a folder of its own, where its output goes to a file.
    pub fn start(name: &'static str, mut command: Command, folder: TempDir, cores: Cores) -> Result<Self, BenchError> {
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
    pub async fn listens(&mut self, port: u16) -> Result<Duration, BenchError> {
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
    pub fn cpu(&self) -> Result<Duration, BenchError> {
        Ok(clock(&self.proc("stat")?, OWN))
    }

    /// The most memory it ever held at once, in MiB.
    pub fn peak_mib(&self) -> Result<f64, BenchError> {
        self.status("VmHWM:")
    }

    /// The memory it holds now, in MiB.
    pub fn resident_mib(&self) -> Result<f64, BenchError> {
        self.status("VmRSS:")
    }

    /// Asks it to end, waits until it has, and says how much CPU time it used in all its life.
    pub fn finish(mut self, patience: Duration) -> Result<Duration, BenchError> {
        let before = of_children()?;
        self.terminate();
        let since = Instant::now();
        loop {
            match self.child.try_wait().map_err(BenchError::io("waiting for the subject"))? {
                Some(status) if status.success() => break,
                Some(status) => return Err(self.problem(format!("it ended with {status}"))),
                None if since.elapsed() > patience => return Err(self.problem("it does not end".to_owned())),
                None => pause(),
            }
        }
        Ok(of_children()?.saturating_sub(before))
    }

    /// What went wrong with it, and the end of its log.
    pub fn problem(&self, problem: String) -> BenchError {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(12).collect();
        let log = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        BenchError::Subject { subject: self.name, problem, log }
    }

    fn status(&self, field: &str) -> Result<f64, BenchError> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok());
        Ok(f64::from(kib.unwrap_or_default()) / 1024.0)
    }

    fn terminate(&self) {
        if let Ok(id) = i32::try_from(self.child.id()) {
            // It may have ended by itself; then there is nobody to tell.
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
    }

    fn proc(&self, file: &str) -> Result<String, BenchError> {
        let path: PathBuf = ["/proc", &self.child.id().to_string(), file].iter().collect();
        fs::read_to_string(&path).map_err(BenchError::io(format!("reading {}", path.display())))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        const GRACE: Duration = Duration::from_secs(5);
        self.terminate();
        let since = Instant::now();
        while since.elapsed() < GRACE {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            pause();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `/proc/PID/stat` has the CPU time of a process, counted from after its name.
const OWN: usize = 11;

/// Where it has that of its children that have ended and were waited for.
const OF_CHILDREN: usize = 13;

/// User and kernel time at that place of `/proc/PID/stat`.
fn clock(stat: &str, place: usize) -> Duration {
    // The name of the program, in parentheses, may hold anything.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(place).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    let a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok());
    Duration::from_millis(ticks.saturating_mul(1000) / a_second.unwrap_or(100).max(1))
}

fn of_children() -> Result<Duration, BenchError> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(BenchError::io("reading /proc/self/stat"))?;
    Ok(clock(&stat, OF_CHILDREN))
}

#[expect(clippy::disallowed_methods, reason = "nothing else runs between two measurements")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

/// A port on loopback that nobody listened on a moment ago.
pub async fn free_port() -> Result<u16, BenchError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(BenchError::io("finding a free port"))?;
    Ok(listener.local_addr().map_err(BenchError::io("finding a free port"))?.port())
}
