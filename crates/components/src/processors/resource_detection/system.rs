//! The detector `system`: the host and its operating system. Where it can be asked only on Linux, it is found only there.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, ToSocketAddrs};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::config::{SYSTEM, System};
use super::detected::Detected;

/// Asks the system, and maybe a name server: it may block.
pub(super) fn detect(config: &System) -> Result<Detected, String> {
    let wants = |name: &str| config.resource_attributes.wants(name, &SYSTEM);
    let mut found = Detected::default();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|_| wants(name)) {
            found.set(name, value);
        }
    };
    put("host.name", Some(host_name(&config.hostname_sources)?));
    put("os.type", Some(os_type().to_owned()));
    put("host.id", wants("host.id").then(host_id).flatten());
    put("host.arch", Some(arch().to_owned()));
    let release = os_release(&fs::read_to_string("/etc/os-release").unwrap_or_default());
    put("os.version", os_version(&release));
    put("os.name", release.get("ID").cloned());
    put("os.build.id", release.get("BUILD_ID").cloned().or_else(|| kernel("osrelease")));
    put("os.description", description(&release));
    if SYSTEM.iter().any(|(name, _)| name.starts_with("host.cpu.") && wants(name)) {
        let cpu = cpu(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
        for (name, field) in [
            ("host.cpu.vendor.id", "vendor_id"),
            ("host.cpu.family", "cpu family"),
            ("host.cpu.model.id", "model"),
            ("host.cpu.model.name", "model name"),
            ("host.cpu.stepping", "stepping"),
        ] {
            put(name, cpu.get(field).cloned());
        }
        let cache = cpu.get("cache size").and_then(|size| size.split_whitespace().next()?.parse::<i64>().ok());
        if let Some(cache) = cache.filter(|_| wants("host.cpu.cache.l2.size")) {
            found.set("host.cpu.cache.l2.size", cache);
        }
    }
    let interfaces = interfaces();
    for (name, values) in
        [("host.ip", interfaces.ips), ("host.mac", interfaces.macs), ("host.interface", interfaces.names)]
    {
        if wants(name) && !values.is_empty() {
            found.set(name, values);
        }
    }
    Ok(found)
}

fn host_name(sources: &[String]) -> Result<String, String> {
    let sources: Vec<&str> =
        if sources.is_empty() { vec!["dns", "os"] } else { sources.iter().map(String::as_str).collect() };
    let own = own_name();
    let named = sources.into_iter().find_map(|source| {
        let own = own.as_deref()?;
        match source {
            "os" => Some(own.to_owned()),
            "dns" => in_hosts(&fs::read_to_string("/etc/hosts").unwrap_or_default(), own)
                .or_else(|| canonical(own).filter(|name| name != own))
                .or_else(|| reverse(own)),
            "cname" => canonical(own),
            "lookup" => reverse(own),
            _ => None,
        }
    });
    named.ok_or_else(|| "all hostname sources failed to get hostname".to_owned())
}

fn own_name() -> Option<String> {
    dns_lookup::get_hostname().ok().filter(|name| !name.is_empty())
}

/// The first name of the line that names the host.
fn in_hosts(hosts: &str, own: &str) -> Option<String> {
    hosts.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        words.next()?.parse::<IpAddr>().ok()?;
        let names: Vec<&str> = words.collect();
        names.contains(&own).then(|| names.first().map(|name| (*name).to_owned())).flatten()
    })
}

/// The canonical name by the system's resolver.
fn canonical(own: &str) -> Option<String> {
    let hints = dns_lookup::AddrInfoHints { flags: AI_CANONNAME, ..dns_lookup::AddrInfoHints::default() };
    let mut answers = dns_lookup::getaddrinfo(Some(own), None, Some(hints)).ok()?;
    let name = answers.find_map(|answer| answer.ok()?.canonname)?;
    Some(name.trim_end_matches('.').to_owned())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
const AI_CANONNAME: i32 = 2;
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
const AI_CANONNAME: i32 = 0;

/// The name that an address of the host has.
fn reverse(own: &str) -> Option<String> {
    let addresses = (own, 0).to_socket_addrs().ok()?;
    addresses
        .filter_map(|address| dns_lookup::lookup_addr(&address.ip()).ok())
        // Without a name the resolver gives the address back.
        .find(|name| name.parse::<IpAddr>().is_err())
        .map(|name| name.trim_end_matches('.').to_owned())
}

fn os_type() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc64" => "ppc64",
        "powerpc" => "ppc32",
        other => other,
    }
}

fn host_id() -> Option<String> {
    let read = |path: &&str| fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
    let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().find_map(read).filter(|id| !id.is_empty());
    if id.is_none() {
        tracing::warn!("failed to get host ID");
    }
    id
}

fn os_release(text: &str) -> HashMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().trim_matches(['"', '\'']).to_owned())).collect()
}

fn os_version(release: &HashMap<String, String>) -> Option<String> {
    let debian =
        release.get("ID").is_some_and(|id| id == "debian").then(|| fs::read_to_string("/etc/debian_version").ok());
    debian.flatten().map(|text| text.trim().to_owned()).or_else(|| release.get("VERSION_ID").cloned())
}

fn kernel(what: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/kernel/{what}")).ok().map(|text| text.trim().to_owned())
}

/// `Debian GNU/Linux 13 (trixie) (Linux host 6.1.0 #1 SMP ... x86_64)`.
fn description(release: &HashMap<String, String>) -> Option<String> {
    let version = release.get("VERSION").or_else(|| release.get("BUILD_ID"));
    let system = match (release.get("NAME"), version) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        _ => release.get("PRETTY_NAME")?.clone(),
    };
    let kernel: Option<Vec<String>> = ["ostype", "hostname", "osrelease", "version"].into_iter().map(kernel).collect();
    Some(format!("{system} ({} {})", kernel?.join(" "), std::env::consts::ARCH))
}

/// The fields of the first processor.
fn cpu(text: &str) -> HashMap<String, String> {
    let first = text.split("\n\n").next().unwrap_or_default();
    let pairs = first.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

#[derive(Debug, Default)]
struct Interfaces {
    names: Vec<String>,
    ips: Vec<String>,
    macs: Vec<String>,
}

/// Names of all interfaces; addresses of those that are up and no loop.
fn interfaces() -> Interfaces {
    let mut found = Interfaces::default();
    for interface in getifaddrs().into_iter().flatten() {
        if !found.names.contains(&interface.interface_name) {
            found.names.push(interface.interface_name.clone());
        }
        let flags = interface.flags;
        let Some(address) = interface.address else { continue };
        if !flags.contains(InterfaceFlags::IFF_UP) || flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            continue;
        }
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
        let ip = v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())));
        found.ips.extend(ip.filter(|ip| !ip.is_loopback()).map(|ip| ip.to_string()));
        if let Some(mac) = address.as_link_addr().and_then(nix::sys::socket::LinkAddr::addr) {
            found.macs.push(mac.map(|byte| format!("{byte:02X}")).join("-"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(yaml: &str) -> System {
        spanmill_config::Section::from_yaml("system", yaml).unwrap().parse().unwrap()
    }

    /// Scenario: this machine is asked for what it says by default, and for everything.
    /// Guarantees: name and system by default; all that is asked for has a value of its form.
    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine() {
        let found = detect(&config("{hostname_sources: [os]}")).unwrap().texts();
        let [name, system] = found.try_into().unwrap();
        assert!(name.len() > "host.name=".len() && system == "os.type=linux", "{name} {system}");
        let all = SYSTEM.map(|(name, _)| format!("{name}: {{enabled: true}}")).join(", ");
        let found = detect(&config(&format!("{{resource_attributes: {{{all}}}}}"))).unwrap().texts().join("\n");
        for expected in
            ["host.arch=", "os.name=", "os.version=", "os.description=", "os.build.id=", "host.interface=lo"]
        {
            assert!(found.contains(expected), "{expected}: {found}");
        }
        let none = detect(&config("{resource_attributes: {host.name: {enabled: false}, os.type: {enabled: false}}}"));
        assert!(none.unwrap().is_empty());
    }

    /// Scenario: files of names, of the release and of the processor.
    /// Guarantees: the canonical name of the host's line, the fields without quotes, the first processor.
    #[test]
    fn files() {
        let hosts = "127.0.0.1 localhost\n# 10.0.0.1 no.example web\n10.0.0.2 web.example.org web # us\n";
        assert_eq!(in_hosts(hosts, "web").as_deref(), Some("web.example.org"));
        assert_eq!(in_hosts(hosts, "other"), None);
        let release = os_release("NAME=\"Some Linux\"\nID=some\nVERSION_ID='4'\nnonsense\n");
        assert_eq!((release["NAME"].as_str(), release["VERSION_ID"].as_str()), ("Some Linux", "4"));
        assert_eq!(os_version(&release).as_deref(), Some("4"));
        let cpu = cpu("model name\t: One\ncache size\t: 512 KB\n\nmodel name\t: Two\n");
        assert_eq!((cpu["model name"].as_str(), cpu["cache size"].as_str()), ("One", "512 KB"));
    }
}
