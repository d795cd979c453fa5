use proptest::prelude::*;

use super::world::{Crashed, World, small};
use crate::Options;
use crate::files::crash::Loss;

/// What a user of the log, or fate, does.
#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    AppendTogether(Vec<usize>),
    Read(usize, usize),
    Commit(usize),
    RemoveCursor(usize),
    Reopen,
    Crash(Loss),
    /// In so many operations.
    CrashIn(u64, Loss),
}

const CURSORS: [&str; 3] = ["a", "b", "c/1"];

fn loss() -> impl Strategy<Value = Loss> {
    prop_oneof![Just(Loss::Nothing), Just(Loss::Unsynced), any::<u64>().prop_map(Loss::Torn)]
}

fn step() -> impl Strategy<Value = Step> {
    let cursor = 0..CURSORS.len();
    prop_oneof![
        6 => (0..700_usize).prop_map(Step::Append),
        1 => (900..3000_usize).prop_map(Step::Append),
        3 => prop::collection::vec(0..400_usize, 2..6).prop_map(Step::AppendTogether),
        6 => (cursor.clone(), 1..12_usize).prop_map(|(cursor, most)| Step::Read(cursor, most)),
        4 => cursor.clone().prop_map(Step::Commit),
        1 => cursor.prop_map(Step::RemoveCursor),
        1 => Just(Step::Reopen),
        1 => loss().prop_map(Step::Crash),
        2 => (0..12_u64, loss()).prop_map(|(operations, loss)| Step::CrashIn(operations, loss)),
    ]
}

fn recent() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1..3000_u64, Just(1 << 20)]
}

async fn take(world: &mut World, step: &Step) -> Result<(), Crashed> {
    match step {
        Step::Append(length) => world.append(*length).await,
        Step::AppendTogether(lengths) => world.append_together(lengths).await,
        Step::Read(cursor, most) => world.read(CURSORS[*cursor], *most).await,
        Step::Commit(cursor) => world.commit(CURSORS[*cursor]).await,
        Step::RemoveCursor(cursor) => world.remove_cursor(CURSORS[*cursor]).await,
        Step::Reopen => world.reopen().await,
        Step::Crash(loss) => {
            world.crash(*loss);
            Ok(())
        }
        Step::CrashIn(operations, _) => {
            world.files.crash_at(world.files.operations() + operations);
            Ok(())
        }
    }
}

async fn run(recent_bytes: u64, steps: &[Step]) {
    let mut world = World::new(Options { recent_bytes, ..small() });
    world.open().expect("nothing crashes yet");
    let mut coming = Loss::Nothing;
    for step in steps {
        if let Step::CrashIn(_, loss) = step {
            coming = *loss;
        }
        if take(&mut world, step).await.is_err() {
            world.crash(coming);
        }
    }
    world.crash(Loss::Unsynced);
    world.check().await;
}

proptest! {
    /// Scenario: any sequence of appends, reads and commits of three cursors, with clean restarts and crashes between and inside
    /// them, while nothing, the last few records, or everything stays in memory.
    /// Guarantees: the log is a queue in memory that never forgets: see `World`.
    #[test]
    fn any_sequence(recent in recent(), steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(recent, &steps));
    }
}
