//! How connectors tie pipelines together: both sides used, no way back to the start.

use indexmap::{IndexMap, IndexSet};

use crate::{ComponentId, Document, KnownTypes, PipelineConfig, PipelineId, Problem, Signal};

/// What telemetry passes on its way: connectors (one for every pair of signals) and pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Station<'a> {
    Connector { id: &'a ComponentId, from: Signal, to: Signal },
    Pipeline(&'a PipelineId),
}

type Edges<'a> = IndexMap<Station<'a>, IndexSet<Station<'a>>>;

/// Adds what is wrong with the connectors of a document whose references are all right.
pub(super) fn check(document: &Document, known: &KnownTypes, problems: &mut Vec<Problem>) {
    let mut edges = Edges::new();
    for (id, section) in &document.connectors {
        let connects = known.find(crate::Kind::Connector, id).map_or(&[][..], |known| known.connects);
        let takes_from = pipelines_with(document, id, |pipeline| &pipeline.exporters);
        let gives_to = pipelines_with(document, id, |pipeline| &pipeline.receivers);

        let signals_in: IndexSet<Signal> = takes_from.iter().map(|pipeline| pipeline.signal()).collect();
        let signals_out: IndexSet<Signal> = gives_to.iter().map(|pipeline| pipeline.signal()).collect();
        let used = |pair: &&(Signal, Signal)| signals_in.contains(&pair.0) && signals_out.contains(&pair.1);
        let pairs: Vec<(Signal, Signal)> = connects.iter().filter(used).copied().collect();

        let lost = signals_in.iter().find(|signal| !pairs.iter().any(|(from, _)| from == *signal));
        let idle = signals_out.iter().find(|signal| !pairs.iter().any(|(_, to)| to == *signal));
        // That it would be right with another signal has to be said: no change of the other side helps.
        let reason = |side: fn(&(Signal, Signal)) -> Signal, does: &str, signal: Signal| {
            let sides: IndexSet<Signal> = connects.iter().map(side).collect();
            let names: Vec<String> = sides.iter().map(ToString::to_string).collect();
            match sides.contains(&signal) {
                true => String::new(),
                false => format!(": {:?} {does} {} only", id.type_name(), names.join(", ")),
            }
        };
        if let Some(signal) = lost {
            let names = names_of(&takes_from, *signal);
            let reason = reason(|(from, _)| *from, "takes", *signal);
            let message = format!(
                "connector \"{id}\" used as exporter in [{names}] pipeline but not used in any supported receiver pipeline{reason}"
            );
            problems.push(document.problem_of_names(section.path(), message));
        } else if let Some(signal) = idle {
            let names = names_of(&gives_to, *signal);
            let reason = reason(|(_, to)| *to, "gives", *signal);
            let message = format!(
                "connector \"{id}\" used as receiver in [{names}] pipeline but not used in any supported exporter pipeline{reason}"
            );
            problems.push(document.problem_of_names(section.path(), message));
        }

        for (from, to) in pairs {
            let connector = Station::Connector { id, from, to };
            for pipeline in takes_from.iter().filter(|pipeline| pipeline.signal() == from) {
                edges.entry(Station::Pipeline(pipeline)).or_default().insert(connector);
            }
            let next = gives_to.iter().filter(|pipeline| pipeline.signal() == to);
            edges.entry(connector).or_default().extend(next.map(|pipeline| Station::Pipeline(pipeline)));
        }
    }
    if let Some(cycle) = find_cycle(&edges) {
        problems.push(document.problem("service::pipelines", describe(document, &cycle)));
    }
}

fn pipelines_with<'a>(
    document: &'a Document,
    id: &ComponentId,
    list: impl Fn(&PipelineConfig) -> &Vec<ComponentId>,
) -> Vec<&'a PipelineId> {
    let pipelines = document.service.pipelines.iter();
    pipelines.filter(|(_, pipeline)| list(pipeline).contains(id)).map(|(name, _)| name).collect()
}

fn names_of(pipelines: &[&PipelineId], signal: Signal) -> String {
    let names: Vec<String> =
        pipelines.iter().filter(|pipeline| pipeline.signal() == signal).map(ToString::to_string).collect();
    names.join(" ")
}

/// A cycle, when there is one, beginning with a connector. Stations that nothing leads to are taken away until only those on cycles
/// and behind cycles are left; walking backwards from any of these runs into a cycle.
fn find_cycle<'a>(edges: &Edges<'a>) -> Option<Vec<Station<'a>>> {
    let mut predecessors: IndexMap<Station<'a>, IndexSet<Station<'a>>> = IndexMap::new();
    for (from, targets) in edges {
        predecessors.entry(*from).or_default();
        for to in targets {
            predecessors.entry(*to).or_default().insert(*from);
        }
    }
    let mut incoming: IndexMap<Station<'a>, usize> =
        predecessors.iter().map(|(station, from)| (*station, from.len())).collect();
    let mut free: Vec<Station<'a>> =
        incoming.iter().filter(|(_, count)| **count == 0).map(|(station, _)| *station).collect();
    while let Some(station) = free.pop() {
        incoming.swap_remove(&station);
        for next in edges.get(&station).into_iter().flatten() {
            if let Some(count) = incoming.get_mut(next) {
                *count -= 1;
                if *count == 0 {
                    free.push(*next);
                }
            }
        }
    }

    let (mut station, _) = incoming.first()?;
    let mut walked = IndexSet::new();
    while walked.insert(*station) {
        station = predecessors.get(station)?.iter().find(|from| incoming.contains_key(*from))?;
    }
    let start = walked.get_index_of(station)?;
    let mut cycle: Vec<Station<'a>> = walked.into_iter().skip(start).collect();
    cycle.reverse();
    let connector = cycle.iter().position(|station| matches!(station, Station::Connector { .. }))?;
    cycle.rotate_left(connector);
    Some(cycle)
}

/// `cycle detected: connector "a" (traces to traces) -> processor "p" in pipeline "traces" -> connector "a" (...)`.
fn describe(document: &Document, cycle: &[Station<'_>]) -> String {
    let mut steps = Vec::new();
    for station in cycle.iter().chain(cycle.first()) {
        match station {
            Station::Connector { id, from, to } => steps.push(format!("connector \"{id}\" ({from} to {to})")),
            Station::Pipeline(name) => {
                let processors = document.service.pipelines.get(*name).map(|pipeline| pipeline.processors.as_slice());
                let processors = processors.unwrap_or_default().iter();
                steps.extend(processors.map(|processor| format!("processor \"{processor}\" in pipeline \"{name}\"")));
            }
        }
    }
    format!("cycle detected: {}", steps.join(" -> "))
}
