use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use spanmill_config::{ComponentId, Document, PipelineConfig, PipelineId};
use tokio::sync::{mpsc, watch};

use crate::component::Component;
use crate::listeners::{Listeners, Sockets};
use crate::readiness::{Readiness, Replaying};

/// What a component can ask of the service it runs in.
#[derive(Clone)]
pub struct Host {
    surroundings: Arc<Surroundings>,
    ties: Arc<Ties>,
}

/// What all components of a service share. It outlives configurations, so that a component that stays through a change sees what is new.
pub(crate) struct Surroundings {
    view: RwLock<View>,
    fatal: mpsc::UnboundedSender<String>,
    readiness: Readiness,
    /// None where a graph runs on its own: then sockets belong to components alone.
    sockets: Option<Arc<Sockets>>,
    /// What changes of the configuration lost.
    losses: Mutex<Vec<String>>,
}

/// Sockets stay open as long as this lives.
pub(crate) struct KeptSockets<'a>(&'a Surroundings);

/// The configuration as components see it.
#[derive(Clone, Default)]
pub(crate) struct View {
    pub(crate) extensions: HashMap<ComponentId, Arc<dyn Component>>,
    pub(crate) layout: Arc<Layout>,
    /// What components have that no two may have.
    pub(crate) claims: Arc<BTreeSet<String>>,
}

/// What is known about a component while it runs.
#[derive(Debug, Default)]
pub(crate) struct Ties {
    known: Mutex<Known>,
    /// All that starts with it has started.
    begun: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Known {
    asked: BTreeSet<ComponentId>,
    stage: Stage,
    /// Something new cannot start before this is gone.
    in_the_way: bool,
}

/// How far a component is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Stage {
    /// Made, and nothing more.
    #[default]
    Made,
    /// Told to start.
    Running,
    /// Running, and to be stopped by the change that is under way.
    Leaving,
    /// Told to stop.
    Stopped,
}

/// What runs.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The pipelines, in the order of the configuration.
    pub pipelines: Vec<(PipelineId, PipelineConfig)>,
    /// The connectors, which stand among receivers and exporters.
    pub connectors: Vec<ComponentId>,
    /// The extensions.
    pub extensions: Vec<ComponentId>,
}

// === impl Layout ===

impl Layout {
    pub(crate) fn of(document: &Document) -> Self {
        let pipelines = document.service.pipelines.iter();
        Self {
            pipelines: pipelines.map(|(id, pipeline)| (id.clone(), pipeline.clone())).collect(),
            connectors: document.connectors.keys().cloned().collect(),
            extensions: document.service.extensions.clone(),
        }
    }
}

// === impl Host ===

impl Host {
    /// A host with those extensions; fatal errors arrive at the receiver's end of `fatal`.
    pub fn new(extensions: HashMap<ComponentId, Arc<dyn Component>>, fatal: mpsc::UnboundedSender<String>) -> Self {
        let surroundings = Surroundings::new(fatal, None);
        surroundings.show(View { extensions, ..View::default() });
        let host = Self::of(&Arc::new(surroundings), &Arc::default());
        // It starts alone.
        host.ties.begin();
        host
    }

    /// The same with what runs.
    #[must_use]
    pub fn with_layout(self, layout: Arc<Layout>) -> Self {
        let extensions = self.surroundings.view(|view| view.extensions.clone());
        self.surroundings.show(View { extensions, layout, claims: Arc::default() });
        self
    }

    /// The host of one component.
    pub(crate) fn of(surroundings: &Arc<Surroundings>, ties: &Arc<Ties>) -> Self {
        Self { surroundings: Arc::clone(surroundings), ties: Arc::clone(ties) }
    }

    /// What runs now.
    pub fn layout(&self) -> Arc<Layout> {
        self.surroundings.view(|view| Arc::clone(&view.layout))
    }

    /// What an extension offers, where it is configured and offers a `T`. Who has asked is started anew when the extension changes.
    pub fn capability<T: Any + Send + Sync>(&self, id: &ComponentId) -> Option<Arc<T>> {
        self.ties.with(|known| known.asked.insert(id.clone()));
        let extension = self.surroundings.view(|view| view.extensions.get(id).cloned())?;
        extension.capability()?.downcast().ok()
    }

    /// Whether a component that runs has this: see [`Component::claim`].
    pub fn is_claimed(&self, claim: &str) -> bool {
        self.surroundings.view(|view| view.claims.contains(claim))
    }

    /// Where listening sockets come from.
    pub fn listeners(&self) -> Listeners {
        Listeners::new(self.surroundings.sockets.clone(), Arc::clone(&self.ties))
    }

    /// How far the service is.
    pub fn readiness(&self) -> &Readiness {
        &self.surroundings.readiness
    }

    /// Waits until all that starts with this component has started: before, a configuration may still be refused, and nothing leaves. It may
    /// never be done.
    pub fn all_started(&self) -> impl Future<Output = ()> + Send + 'static {
        let ties = Arc::clone(&self.ties);
        async move {
            // The sender is in there.
            let _ = ties.begun.subscribe().wait_for(|begun| *begun).await;
        }
    }

    /// Says that something durable of an earlier run, called `what`, is gone through, until the guard is dropped.
    pub fn replaying(&self, what: impl Into<String>) -> Replaying {
        self.surroundings.readiness.replaying(what.into())
    }

    /// Ends the service: a component can no longer do its work.
    pub fn fatal(&self, message: impl Into<String>) {
        // Who was told to stop is not needed any more.
        if self.ties.stage() != Stage::Stopped {
            // The service may be stopping already and listen no more; then there is nothing left to end.
            let _ = self.surroundings.fatal.send(message.into());
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extensions = self.surroundings.view(|view| view.extensions.len());
        f.debug_struct("Host").field("extensions", &extensions).finish_non_exhaustive()
    }
}

// === impl Surroundings ===

impl Surroundings {
    pub(crate) fn new(fatal: mpsc::UnboundedSender<String>, sockets: Option<Arc<Sockets>>) -> Self {
        Self { view: RwLock::default(), fatal, readiness: Readiness::default(), sockets, losses: Mutex::default() }
    }

    /// Lets components see another configuration.
    pub(crate) fn show(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Notes that a change of the configuration lost something.
    pub(crate) fn lost(&self, what: String) {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What changes of the configuration lost.
    pub(crate) fn losses(&self) -> Vec<String> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes sockets that nobody uses any more, unless a configuration is being changed.
    pub(crate) fn release_sockets(&self) {
        if let Some(sockets) = &self.sockets {
            sockets.release();
        }
    }

    /// While the guard lives, or until [`Self::close_sockets`], no socket is closed.
    pub(crate) fn keep_sockets(&self) -> KeptSockets<'_> {
        if let Some(sockets) = &self.sockets {
            sockets.begin_change();
        }
        KeptSockets(self)
    }

    /// Closes sockets that nobody uses, from now on at once.
    pub(crate) fn close_sockets(&self) {
        if let Some(sockets) = &self.sockets {
            sockets.end_change();
        }
    }

    fn view<T>(&self, read: impl Fn(&View) -> T) -> T {
        read(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for KeptSockets<'_> {
    fn drop(&mut self) {
        self.0.close_sockets();
    }
}

// === impl Ties ===

impl Ties {
    pub(crate) fn stage(&self) -> Stage {
        self.with(|known| known.stage)
    }

    pub(crate) fn set(&self, stage: Stage) {
        self.with(|known| {
            known.stage = stage;
            known.in_the_way &= stage != Stage::Running;
        });
    }

    /// All that starts with it has started.
    pub(crate) fn begin(&self) {
        self.begun.send_replace(true);
    }

    /// Something new cannot start before this is gone; what stays cannot be in the way.
    pub(crate) fn blame(&self) {
        self.with(|known| known.in_the_way |= known.stage == Stage::Leaving);
    }

    pub(crate) fn is_in_the_way(&self) -> bool {
        self.with(|known| known.in_the_way)
    }

    /// Whether it has been started and not been stopped.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.stage(), Stage::Running | Stage::Leaving)
    }

    /// The extensions that it asked for.
    pub(crate) fn asked(&self) -> BTreeSet<ComponentId> {
        self.with(|known| known.asked.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
