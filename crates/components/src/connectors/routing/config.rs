use serde::{Deserialize, Deserializer};
use spanmill_config::{ConfigError, PipelineId, Problem, Section};
use spanmill_ottl::{Compiler, Condition, Context, Deletion, ErrorMode, ParseError, ParsedStatement, Paths, Slots};
use spanmill_pipeline::{Outputs, Signal};

use super::request::RequestCondition;
use super::route::{Route, Target, Test};
use crate::gates;

/// Options of the `routing` connector.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// What becomes of a condition that cannot be evaluated: `ignore` tells it and takes it as not met, `silent` does not tell, `propagate`
    /// refuses the request.
    error_mode: Mode,
    /// Where spans go that no route takes; without any they are dropped.
    default_pipelines: Vec<PipelineId>,
    /// The routes, in order.
    table: Vec<Item>,
}

/// An item of `table`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Item {
    /// What the condition is evaluated for; inferred where it is not given.
    context: String,
    /// A statement, such as `route() where attributes["env"] == "prod"`.
    statement: String,
    /// A condition alone; either this or a statement.
    condition: String,
    /// Whether other routes see what this one takes.
    action: Action,
    /// Where to.
    pipelines: Vec<PipelineId>,
}

/// What a route does with what meets its condition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// Later routes do not see it.
    #[default]
    Move,
    /// Later routes see it as well.
    Copy,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mode(ErrorMode);

/// The whole table, compiled.
pub(super) struct Table {
    pub(super) mode: ErrorMode,
    pub(super) slots: Slots,
    pub(super) routes: Vec<Route>,
    pub(super) targets: Vec<Target>,
    /// The target of what no route takes.
    pub(super) default: Option<usize>,
}

/// What says which spans take a route.
enum Source<'t> {
    Condition(&'t str),
    ParsedStatement(ParsedStatement),
}

/// Gathers targets: routes to the same pipelines share one.
struct Targets<'o> {
    outputs: &'o Outputs,
    known: Vec<(Vec<PipelineId>, Target)>,
}

/// The contexts of other signals: valid in a table, though nothing here is evaluated for them.
const OTHER_SIGNALS: [&str; 3] = ["metric", "datapoint", "log"];

// === impl Table ===

impl Table {
    pub(super) fn read(section: &Section, outputs: &Outputs) -> Result<Self, ConfigError> {
        if section.get("match_once").is_some() {
            return Err(section
                .error("match_once", "was removed: the first route that matches takes, unless its action is copy"));
        }
        let config: Config = section.parse()?;
        if config.table.is_empty() {
            return Err(section.error("table", "invalid routing table: the routing table is empty"));
        }
        let mut targets = Targets { outputs, known: Vec::new() };
        let default = match config.default_pipelines.as_slice() {
            [] => None,
            ids => Some(targets.number(ids).map_err(|error| section.error("default_pipelines", error))?),
        };
        let (mut compiler, mut routes, mut problems) = (gates::compiler(), Vec::<Route>::new(), Vec::new());
        for (at, item) in config.table.iter().enumerate() {
            match item.route(&mut compiler, &mut targets) {
                Ok(route) if routes.iter().any(|known| known.repeats(&route)) => {
                    let path = section.path();
                    tracing::warn!(
                        route = at,
                        table = path,
                        "the same condition is in the routing table already: ignored"
                    );
                }
                Ok(route) => routes.push(route),
                Err((option, message)) => {
                    let path =
                        if option.is_empty() { format!("table[{at}]") } else { format!("table[{at}]::{option}") };
                    problems.push(section.problem(&path, message));
                }
            }
        }
        problems.dedup_by(|a: &mut Problem, b| a.path == b.path && a.message == b.message);
        ConfigError::all(problems)?;
        let targets = targets.known.into_iter().map(|(_, target)| target).collect();
        Ok(Self { mode: config.error_mode.0, slots: compiler.finish(), routes, targets, default })
    }
}

/// An option and what is wrong with it.
type Mistake = (&'static str, String);

// === impl Item ===

impl Item {
    fn route(&self, compiler: &mut Compiler, targets: &mut Targets<'_>) -> Result<Route, Mistake> {
        match (self.statement.is_empty(), self.condition.is_empty()) {
            (true, true) => return Err(("", "invalid route: no condition or statement provided".to_owned())),
            (false, false) => return Err(("", "invalid route: both condition and statement provided".to_owned())),
            _ => {}
        }
        if self.pipelines.is_empty() {
            return Err(("pipelines", "invalid route: no pipelines defined".to_owned()));
        }
        let (test, deletion, text) = self.test(compiler)?;
        let target = targets.number(&self.pipelines).map_err(|error| ("pipelines", error))?;
        Ok(Route { test, deletion, text, target, action: self.action })
    }

    fn test(&self, compiler: &mut Compiler) -> Result<(Test, Option<Deletion>, String), Mistake> {
        let given = match self.context.as_str() {
            "request" => return self.request(),
            "" => None,
            "resource" | "otelcol" => Some(Context::Resource),
            "span" => Some(Context::Span),
            other if OTHER_SIGNALS.contains(&other) => {
                return Err(("context", format!("{other:?} is of another signal: only spans can be routed here")));
            }
            other => return Err(("context", format!("invalid context: {other}"))),
        };
        let text = match self.condition.as_str() {
            "" => self.statement.clone(),
            condition => format!("route() where {condition}"),
        };
        let source = match self.condition.as_str() {
            "" => Source::ParsedStatement(
                ParsedStatement::parse(&text).map_err(|error| ("statement", error.to_string()))?,
            ),
            condition => Source::Condition(condition),
        };
        let (test, deletion) = source.compile(compiler, given).map_err(|error| (source.option(), error))?;
        Ok((test, deletion, text))
    }

    fn request(&self) -> Result<(Test, Option<Deletion>, String), Mistake> {
        if !self.statement.is_empty() {
            return Err(("statement", "\"request\" context requires a 'condition'".to_owned()));
        }
        let condition = RequestCondition::parse(&self.condition).map_err(|error| ("condition", error.to_owned()))?;
        Ok((Test::Request(condition), None, self.condition.clone()))
    }
}

// === impl Source ===

impl Source<'_> {
    fn option(&self) -> &'static str {
        match self {
            Self::Condition(_) => "condition",
            Self::ParsedStatement(_) => "statement",
        }
    }

    /// As the Collector: a context that is not given is inferred from the paths, or, where that fails, is the resource.
    fn compile(&self, compiler: &mut Compiler, given: Option<Context>) -> Result<(Test, Option<Deletion>), String> {
        if let Some(context) = given {
            return self.compile_with(compiler, Paths::Unprefixed(context));
        }
        let before = compiler.clone();
        self.compile_with(compiler, Paths::Prefixed).or_else(|inferred| {
            *compiler = before;
            let resource = self.compile_with(compiler, Paths::Unprefixed(Context::Resource));
            // What is wrong with a text that names its context is told in that context.
            resource.map_err(|error| if inferred.contains("cannot tell the context") { error } else { inferred })
        })
    }

    fn compile_with(&self, compiler: &mut Compiler, paths: Paths) -> Result<(Test, Option<Deletion>), String> {
        let told = |error: ParseError| error.to_string();
        let (deletion, condition) = match self {
            Self::Condition(text) => (None, Some(Condition::parse(compiler, paths, text).map_err(told)?)),
            Self::ParsedStatement(statement) => {
                let deletion = Deletion::of(statement, paths).map_err(told)?;
                check_editor(statement, deletion.as_ref())?;
                (deletion, statement.condition(compiler, paths).map_err(told)?)
            }
        };
        let of = deletion.as_ref().map(Deletion::context);
        let context = match (&condition, paths) {
            (Some(condition), _) => condition.context(),
            (None, Paths::Unprefixed(context)) => context,
            (None, Paths::Prefixed) => of.unwrap_or(Context::Resource),
        };
        if of == Some(Context::Span) && context != Context::Span {
            return Err("attributes of spans can only be deleted where the condition is evaluated for spans".to_owned());
        }
        let test = match (context, condition) {
            (Context::Resource | Context::Span, None) => Test::Always,
            (Context::Resource, Some(condition)) => Test::Resource(condition),
            (Context::Span, Some(condition)) => Test::Span(condition),
            (other, _) => return Err(format!("nothing can be routed by {other}: expected resource or span")),
        };
        Ok((test, deletion))
    }
}

fn check_editor(statement: &ParsedStatement, deletion: Option<&Deletion>) -> Result<(), String> {
    match statement.editor() {
        _ if deletion.is_some() => Ok(()),
        "route" if statement.has_arguments() => Err("route takes no arguments".to_owned()),
        "route" => Ok(()),
        other => Err(format!("undefined function {other:?}: expected route, delete_key or delete_matching_keys")),
    }
}

// === impl Targets ===

impl Targets<'_> {
    fn number(&mut self, ids: &[PipelineId]) -> Result<usize, String> {
        if let Some(at) = self.known.iter().position(|(known, _)| known == ids) {
            return Ok(at);
        }
        let consumer = self.outputs.to_pipelines(Signal::Traces, ids).map_err(|error| error.to_string())?;
        self.known.push((ids.to_vec(), Target { consumer }));
        Ok(self.known.len() - 1)
    }
}

// === impl Mode ===

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}
