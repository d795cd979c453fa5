//! Scenarios, one a file, on a disk that fails and crashes.

mod age;
mod corrupt_middle;
mod cursor_writes;
mod cursors;
mod damaged_records;
mod dropped;
mod every_crash;
mod failed_sync;
mod failed_write;
mod full;
mod hostile;
mod large;
mod model;
mod recent;
mod removed;
mod reopen;
mod reuse;
mod segment_creation;
mod torn_tail;
mod truncated;
mod unsynced;
mod world;
