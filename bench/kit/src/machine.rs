//! What a reader must know about the machine.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Processor, cores, system.
pub fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).and_then(|rest| rest.split_once(':'));
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    format!(
        "{}, {cores} cores, {} GiB of memory, Linux {}",
        model.map_or("unknown processor", |(_, name)| name.trim()),
        kib.unwrap_or_default() / (1 << 20),
        kernel.trim()
    )
}

/// The load average of the last minute.
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// What a program says about its version, after its name; nothing where it does not say.
pub fn version(name: &str, program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Some(format!("{name}: {}", text.lines().next().unwrap_or("unknown version")))
}
