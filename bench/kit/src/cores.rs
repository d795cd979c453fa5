//! Which cores processes run on. A subject gets one for itself, so that none of them profits from a helping core, and the load
//! generator does not push it around.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::BenchError;

/// How the cores are shared out.
#[derive(Debug, Clone, Copy)]
pub enum Cores {
    /// The subject has this one, everything else the others.
    Apart {
        /// The number of the core.
        subject: usize,
    },
    /// Everybody uses all.
    Shared,
}

// === impl Cores ===

impl Cores {
    /// Takes the last core for the subject, if there are two or more, and moves this process to the others. To be called before
    /// there are other threads.
    pub fn share_out(pin: bool) -> Result<Self, BenchError> {
        let failed = BenchError::io("asking for the cores");
        let all = sched_getaffinity(Pid::from_raw(0)).map_err(|error| failed(error.into()))?;
        let usable = || (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap_or(false));
        let Some(subject) = usable().next_back().filter(|_| pin && usable().count() > 1) else {
            return Ok(Self::Shared);
        };
        let others = usable().filter(|core| *core != subject);
        set(others).map_err(BenchError::io("choosing the cores"))?;
        Ok(Self::Apart { subject })
    }

    /// Moves the calling thread, and what it will start, to the subject's core.
    pub fn enter(self) -> std::io::Result<()> {
        match self {
            Self::Apart { subject } => set([subject]),
            Self::Shared => Ok(()),
        }
    }
}

fn set(cores: impl IntoIterator<Item = usize>) -> std::io::Result<()> {
    let mut chosen = CpuSet::new();
    for core in cores {
        chosen.set(core)?;
    }
    Ok(sched_setaffinity(Pid::from_raw(0), &chosen)?)
}
