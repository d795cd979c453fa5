//! Time zones: UTC, that of the machine, those of the time zone database, and fixed offsets.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longest name of a zone that is kept.
const MAX_NAME: usize = 12;
/// Most transitions that are looked through for a name.
const MAX_TRANSITIONS: usize = 4096;

/// A time zone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Zone {
    /// Of one offset and name.
    Fixed(Local),
    /// With the transitions that its history has.
    Named(&'static TimeZone),
}

/// What holds in a zone at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    /// Seconds east of UTC.
    pub(crate) offset: i32,
    pub(crate) name: Name,
}

/// A short name such as `CEST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name {
    len: u8,
    bytes: [u8; MAX_NAME],
}

// === impl Zone ===

impl Zone {
    pub(crate) const UTC: Self =
        Self::Fixed(Local { offset: 0, name: Name { len: 3, bytes: *b"UTC\0\0\0\0\0\0\0\0\0" } });

    /// That of this machine, as `TZ` or the system says.
    pub(crate) fn local() -> Self {
        static LOCAL: LazyLock<Zone> = LazyLock::new(|| intern("", TimeZone::system()));
        *LOCAL
    }

    /// A zone without a history.
    pub(super) fn fixed(name: &str, offset: i32) -> Self {
        Self::Fixed(Local { offset, name: Name::new(name) })
    }

    /// A zone of the time zone database. Names are looked up as Go does: their case matters.
    pub(super) fn load(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" => return Some(Self::UTC),
            "Local" => return Some(Self::local()),
            _ => {}
        }
        let found = TimeZone::get(name).ok()?;
        (found.iana_name() == Some(name)).then(|| intern(name, found))
    }

    /// What holds at a time, in seconds since 1970.
    pub(crate) fn at(self, seconds: i64) -> Local {
        match self {
            Self::Fixed(local) => local,
            Self::Named(zone) => {
                let time = Timestamp::from_second(seconds);
                let time = time.unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX });
                let info = zone.to_offset_info(time);
                Local { offset: info.offset().seconds(), name: Name::new(info.abbreviation()) }
            }
        }
    }

    /// The offset that an abbreviation stands for in this zone: at that time, if it was in use then, else at any.
    pub(super) fn offset_of(self, name: &str, wall: i64) -> Option<i32> {
        let zone = match self {
            Self::Fixed(local) => return (local.name.as_str() == name).then_some(local.offset),
            Self::Named(zone) => zone,
        };
        let first = self.at(i64::MIN);
        let later = zone.following(Timestamp::MIN).take(MAX_TRANSITIONS).map(|transition| Local {
            offset: transition.offset().seconds(),
            name: Name::new(transition.abbreviation()),
        });
        let mut fallback = None;
        for local in std::iter::once(first).chain(later).filter(|local| local.name.as_str() == name) {
            let then = self.at(wall.saturating_sub(i64::from(local.offset)));
            if then.name.as_str() == name {
                return Some(then.offset);
            }
            fallback.get_or_insert(local.offset);
        }
        fallback
    }
}

/// Zones live for as long as the process: there are as many as the database has at most.
fn intern(name: &str, zone: TimeZone) -> Zone {
    static ZONES: Mutex<BTreeMap<String, &'static TimeZone>> = Mutex::new(BTreeMap::new());
    if zone == TimeZone::UTC {
        return Zone::UTC;
    }
    let mut zones = ZONES.lock().unwrap_or_else(PoisonError::into_inner);
    Zone::Named(zones.entry(name.to_owned()).or_insert_with(|| Box::leak(Box::new(zone))))
}

// === impl Name ===

impl Name {
    fn new(name: &str) -> Self {
        let mut bytes = [0; MAX_NAME];
        let len = name.len().min(MAX_NAME);
        for (byte, from) in bytes.iter_mut().zip(name.bytes()) {
            *byte = from;
        }
        Self { len: len as u8, bytes }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}
