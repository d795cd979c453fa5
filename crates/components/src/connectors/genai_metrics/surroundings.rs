//! What stands before the connector: without the `genai` processor there is little to count, and behind a sampler not all of it.

use spanmill_config::{ComponentId, PipelineConfig, Signal};
use spanmill_pipeline::Layout;

/// Processors that let only some of the spans through, to save on them.
const SAMPLERS: [&str; 2] = ["probabilistic_sampler", "tail_sampling"];

/// What is to be said at start of the pipelines that send to the connector.
pub(super) fn warnings(layout: &Layout, id: &ComponentId) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, pipeline) in traces(layout).filter(|(_, pipeline)| pipeline.exporters.contains(id)) {
        let before = before(layout, pipeline);
        if let Some(sampler) = before.iter().find(|processor| SAMPLERS.contains(&processor.type_name())) {
            warnings.push(format!(
                "of {name:?} only what {sampler} keeps is counted: costs depend on its ratio; send to {id} from a pipeline before it"
            ));
        }
        if !before.iter().any(|processor| processor.type_name() == "genai") {
            warnings.push(format!(
                "nothing but failed calls is counted of {name:?}: it has no genai processor, which says what each call used"
            ));
        }
    }
    warnings
}

fn traces(layout: &Layout) -> impl Iterator<Item = (String, &PipelineConfig)> {
    let pipelines = layout.pipelines.iter().filter(|(id, _)| id.signal() == Signal::Traces);
    pipelines.map(|(id, pipeline)| (id.to_string(), pipeline))
}

/// All processors that spans of a pipeline went through, those of pipelines before it included.
fn before<'l>(layout: &'l Layout, pipeline: &'l PipelineConfig) -> Vec<&'l ComponentId> {
    let mut seen = vec![pipeline];
    let mut next = 0;
    while let Some(pipeline) = seen.get(next).copied() {
        let sends = |other: &PipelineConfig| other.exporters.iter().any(|id| pipeline.receivers.contains(id));
        let upper = traces(layout).map(|(_, other)| other).filter(|other| sends(other));
        let new: Vec<_> = upper.filter(|other| !seen.iter().any(|known| std::ptr::eq(*known, *other))).collect();
        seen.extend(new);
        next += 1;
    }
    seen.into_iter().flat_map(|pipeline| &pipeline.processors).collect()
}
