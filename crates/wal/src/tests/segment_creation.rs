use super::world::{World, small};
use crate::files::crash::{Loss, Op};

/// Scenario: the machine crashes in each step of making a segment: while it is filled, renamed, given its header, named, and before
/// the directory is synced.
/// Guarantees: what was acknowledged before is there; the record that needed the segment is there if it was acknowledged.
#[tokio::test]
async fn a_crash_while_a_segment_is_made() {
    for operations in 0..14 {
        for loss in [Loss::Nothing, Loss::Unsynced, Loss::Torn(operations)] {
            let mut world = World::new(small());
            world.open().unwrap();
            world.append(400).await.unwrap();
            world.files.crash_at(world.files.operations() + operations);
            let _ = world.append(800).await;
            world.crash(loss);
            world.read("a", 10).await.unwrap();
            world.check().await;
        }
    }
}

/// Scenario: a segment is made, and the operations are counted.
/// Guarantees: its name is synced in the directory before a record in it is acknowledged.
#[tokio::test]
async fn a_name_is_durable_before_the_first_record() {
    let mut world = World::new(small());
    world.open().unwrap();
    world.append(400).await.unwrap();
    world.files.fail(Op::SyncDir, "", 0, std::io::ErrorKind::Other);
    assert!(super::world::append(world.wal(), 9, 800).await.is_err());
}
