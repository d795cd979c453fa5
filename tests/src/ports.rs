//! Free ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that systems take ports of outgoing connections from, so that nothing takes a chosen port by chance.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A port on loopback that nothing listens on. Within one process no port is given twice.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = std::process::id().wrapping_mul(2_654_435_761) % u32::from(COUNT);
    for _ in 0..COUNT {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed);
        let offset = (process + u32::from(turn)) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).expect("less than COUNT");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT)
}

/// `N` free ports.
pub fn several<const N: usize>() -> [u16; N] {
    std::array::from_fn(|_| free())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::{PATIENCE, until};

    /// Scenario: ports are asked for while an earlier one is in use, and one that was given has not been bound yet.
    /// Guarantees: no port is given twice.
    #[test]
    fn ports_are_given_once() {
        let first = free();
        // A process that another test starts may hold the port for the moment between fork and exec.
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, first)).ok();
        let _listening = until("the port can be bound", PATIENCE, bind);
        let mut more = several::<50>().to_vec();
        more.push(first);
        more.sort_unstable();
        more.dedup();
        assert_eq!(more.len(), 51);
    }
}
