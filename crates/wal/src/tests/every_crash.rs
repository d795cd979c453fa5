use super::world::{Crashed, World, dir, former_cursor, small};
use crate::files::crash::Loss;

/// A run of everything that changes files.
async fn script(world: &mut World) -> Result<(), Crashed> {
    world.open()?;
    world.read("a", 1).await?;
    for length in [10, 200, 0, 300, 150] {
        world.append(length).await?;
    }
    world.append_together(&[100, 20, 250, 400]).await?;
    world.read("a", 6).await?;
    world.read("b", 3).await?;
    world.commit("a").await?;
    world.append_together(&[500, 500, 30]).await?;
    world.commit("b").await?;
    world.read("a", 10).await?;
    world.commit("a").await?;
    world.reopen().await?;
    world.append(1500).await?;
    world.append(60).await?;
    world.read("b", 20).await?;
    world.commit("b").await?;
    world.read("a", 20).await?;
    world.commit("a").await?;
    for length in [400, 400, 400, 400, 100] {
        world.append(length).await?;
    }
    world.remove_cursor("b").await?;
    world.read("a", 3).await?;
    world.commit("a").await?;
    world.append(300).await?;
    world.reopen().await
}

/// A world in which the cursor of "a" was made by an earlier version, or not yet.
fn begin(former: bool) -> World {
    let world = World::new(small());
    if former {
        world.files.alter(&dir().join("cursor-a"), |bytes| *bytes = former_cursor(1));
    }
    world
}

/// Scenario: the machine crashes at every operation that changes a file, in a run that appends alone and together, changes
/// segments, uses old ones again, commits and removes cursors, closes and opens; the process is killed, the power fails, or
/// any part of what was not synced is lost. The first cursor is new, or of the former format.
/// Guarantees: every acknowledged record is there, in order; none is invented, none comes twice; what was committed does not come
/// again; no number is given twice; the log works on.
#[tokio::test]
async fn every_crash() {
    for former in [false, true] {
        let mut world = begin(former);
        script(&mut world).await.expect("nothing crashes");
        world.check().await;
        let operations = world.files.operations();
        assert!(operations > 80, "{operations} operations only");

        for operation in 0..operations {
            for loss in [Loss::Nothing, Loss::Unsynced, Loss::Torn(operation), Loss::Torn(!operation)] {
                let mut world = begin(former);
                world.files.crash_at(operation);
                if script(&mut world).await.is_ok() {
                    continue;
                }
                world.crash(loss);
                world.check().await;
                world.crash(Loss::Unsynced);
                world.check().await;
            }
        }
    }
}
