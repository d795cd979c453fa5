//! How much memory the process may use at most.

use std::fs;
use std::path::Path;

/// The least limit of the cgroups that this process is in, or all memory of the machine; none where neither can be told.
pub(crate) fn total_memory() -> Option<u64> {
    let cgroups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| machine_memory(&text));
    match (cgroup_limit(&cgroups, Path::new("/sys/fs/cgroup")), machine) {
        // Without a limit, version 1 says a number near to the largest.
        (Some(limit), Some(machine)) => Some(limit.min(machine)),
        (limit, machine) => limit.or(machine),
    }
}

/// `cgroups` has a line `id:controllers:path` for each hierarchy; the unified one of version 2 has no controllers.
fn cgroup_limit(cgroups: &str, mount: &Path) -> Option<u64> {
    let limits = cgroups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        match controllers {
            "" => least_on_the_way(mount, path, "memory.max"),
            list if list.split(',').any(|one| one == "memory") => {
                least_on_the_way(&mount.join("memory"), path, "memory.limit_in_bytes")
            }
            _ => None,
        }
    });
    limits.min()
}

/// The least limit from the group to the root of its hierarchy. Within a container the path may be that of the host: then only the root is there.
fn least_on_the_way(mount: &Path, path: &str, file: &str) -> Option<u64> {
    let group = mount.join(path.trim_start_matches('/'));
    let ways = group.ancestors().take_while(|folder| folder.starts_with(mount));
    ways.filter_map(|folder| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()).min()
}

fn machine_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, file: &str, text: &str) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(file), text).unwrap();
    }

    /// Scenario: a group of version 2 within a limited one, within one without limit.
    /// Guarantees: the least limit on the way counts.
    #[test]
    fn version_2() {
        let mount = tempfile::tempdir().unwrap();
        let mount = mount.path();
        write(mount, "memory.max", "max\n");
        write(&mount.join("system"), "memory.max", "1000000\n");
        write(&mount.join("system/spanmill"), "memory.max", "2000000\n");
        assert_eq!(cgroup_limit("0::/system/spanmill\n", mount), Some(1_000_000));
        assert_eq!(cgroup_limit("0::/\n", mount), None);
    }

    /// Scenario: version 1 in a container, where the path is that of the host.
    /// Guarantees: the container's limit counts; a controller whose name only looks like it does not.
    #[test]
    fn version_1() {
        let mount = tempfile::tempdir().unwrap();
        let mount = mount.path();
        write(&mount.join("memory"), "memory.limit_in_bytes", "4096\n");
        assert_eq!(cgroup_limit("4:memory,hugetlb:/docker/abc\n3:cpu:/x\n", mount), Some(4096));
        assert_eq!(cgroup_limit("4:memoryish:/docker/abc\n", mount), None);
        assert_eq!(cgroup_limit("nonsense", mount), None);
    }

    /// Scenario: what Linux says of the machine.
    /// Guarantees: the total, in bytes.
    #[test]
    fn machine() {
        assert_eq!(machine_memory("MemTotal:       16 kB\nMemFree: 1 kB\n"), Some(16 << 10));
        assert_eq!(machine_memory(""), None);
    }
}
