use std::sync::Arc;
use std::time::Duration;

use spanmill_config::ConfigError;
use thiserror::Error;
use tokio::time::Instant;

use super::life::note;
use super::part::Part;
use super::{Graph, StartError};
use crate::host::{Stage, Surroundings};

/// Builds a graph beside one that runs.
pub(crate) type Build<'a> = dyn Fn(&Graph) -> Result<Graph, ConfigError> + Send + Sync + 'a;

/// What is needed to change from one configuration to another.
pub(crate) struct Change<'a> {
    pub(crate) surroundings: &'a Arc<Surroundings>,
    /// Builds what is wanted.
    pub(crate) new: &'a Build<'a>,
    /// Builds what there was.
    pub(crate) old: &'a Build<'a>,
    /// How long stopping may take.
    pub(crate) limit: Duration,
}

/// Why the configuration was not changed.
#[derive(Debug, Error)]
pub(crate) enum ChangeError {
    /// It is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It did not start. All that ran before runs.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It did not start, and what ran before did not start again.
    #[error("{why}; what ran before cannot be brought back: {lost}")]
    Lost {
        /// Why the new one did not start.
        why: StartError,
        /// Why the old one did not.
        lost: Box<Self>,
    },
}

// === impl Change ===

impl Change<'_> {
    /// Makes `running` what is wanted, which `next` is if nothing is in its way, or leaves it what it was: see the order of a change in
    /// the documentation of this module.
    pub(crate) async fn make(&self, running: &mut Graph, next: Graph) -> Result<(), ChangeError> {
        let _pause = self.surroundings.keep_sockets();
        match self.start(running, next).await {
            Ok(next) => {
                self.surroundings.close_sockets();
                let troubles = running.stop(|part| !next.has(part), self.deadline()).await;
                note(self.surroundings, &troubles, "stopping what has changed");
                *running = next;
                running.tell_of_change().await;
                Ok(())
            }
            Err(why) => match self.bring_back(running).await {
                Ok(()) => Err(why.into()),
                Err(lost) => Err(ChangeError::Lost { why, lost: Box::new(lost) }),
            },
        }
    }

    /// Starts what is new. What leaves goes on where it can.
    async fn start(&self, running: &Graph, next: Graph) -> Result<Graph, StartError> {
        self.make_room(running, &next).await;
        let refused = match next.start_in(self.surroundings, self.limit).await {
            Ok(()) => return Ok(next),
            Err(error) => error,
        };
        if !running.parts().any(|part| part.ties.is_in_the_way() && part.ties.is_running()) {
            return Err(refused);
        }
        tracing::info!(reason = %refused, "what leaves is in the way and stops first");
        self.make_room(running, &next).await;
        // What was stopped is not started again.
        let Ok(next) = (self.new)(running) else { return Err(refused) };
        next.start_in(self.surroundings, self.limit).await.map(|()| next)
    }

    /// Stops those that leave and must be gone before anything new starts, with all that uses them.
    async fn make_room(&self, running: &Graph, next: &Graph) {
        for part in running.parts().filter(|part| part.ties.stage() == Stage::Running && !next.has(part)) {
            part.ties.set(Stage::Leaving);
        }
        let exclusive = next.parts().any(|part| part.ties.stage() != Stage::Running && part.component.is_exclusive());
        let mut going: Vec<&Arc<Part>> = Vec::new();
        // Each comes after all that it uses.
        for part in running.parts().filter(|part| part.ties.stage() == Stage::Leaving) {
            let must_go = part.ties.is_in_the_way() || (exclusive && part.component.is_exclusive());
            if must_go || going.iter().any(|gone| part.uses(gone)) {
                going.push(part);
            }
        }
        let troubles = running.stop(|part| going.iter().any(|gone| Arc::ptr_eq(gone, part)), self.deadline()).await;
        note(self.surroundings, &troubles, "stopping what is in the way");
    }

    /// Goes on with what there was: what is left of it, and the rest made anew.
    async fn bring_back(&self, running: &mut Graph) -> Result<(), ChangeError> {
        for part in running.parts().filter(|part| part.ties.stage() == Stage::Leaving) {
            part.ties.set(Stage::Running);
        }
        if running.parts().all(|part| part.ties.is_running()) {
            running.show();
            return Ok(());
        }
        let back = (self.old)(running)?;
        // Nothing that still runs is missing in this one, unless a file that it had read has changed.
        let troubles = running.stop(|part| !back.has(part), self.deadline()).await;
        note(self.surroundings, &troubles, "stopping what cannot be as it was");
        back.start_in(self.surroundings, self.limit).await?;
        *running = back;
        Ok(())
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.limit
    }
}
