//! Which context a text with prefixed paths is meant for: the lowest that its paths name, or, where that one lacks a
//! function or an enum, the lowest of those that can reach it and lack nothing.

use spanmill_otlp::Signal;

use super::CompileError;
use crate::ast::{Arg, ArgValue, Bool, Call, Key, LambdaBody, Name, Path, Statement, Value};
use crate::context::Context;
use crate::{editors, functions};

/// What a text uses.
#[derive(Debug, Default)]
struct Uses<'t> {
    /// The prefix of each path.
    prefixes: Vec<Option<&'t str>>,
    functions: Vec<&'t str>,
    symbols: Vec<&'t Name>,
    locals: Vec<&'t str>,
}

/// The context of a condition.
pub(crate) fn infer(condition: &Bool, signal: Signal) -> Result<Context, CompileError> {
    let mut uses = Uses::default();
    uses.boolean(condition);
    uses.context(signal)
}

/// The context of statements and conditions that belong together, and the statements that name nothing of it themselves.
pub(crate) fn infer_all(
    statements: &[Statement],
    conditions: &[Bool],
    signal: Signal,
) -> Result<(Context, Vec<usize>), CompileError> {
    let mut uses = Uses::default();
    statements.iter().for_each(|statement| uses.statement(statement));
    conditions.iter().for_each(|condition| uses.boolean(condition));
    let context = uses.context(signal)?;
    let others = statements.iter().enumerate().filter(|(_, statement)| {
        let mut uses = Uses::default();
        uses.statement(statement);
        uses.lowest() != Some(context.name())
    });
    Ok((context, others.map(|(at, _)| at).collect()))
}

// === impl Uses ===

impl<'t> Uses<'t> {
    fn context(&self, signal: Signal) -> Result<Context, CompileError> {
        let all = Context::of(signal);
        let names = || all.iter().map(|context| context.name());
        let Some(prefix) = self.lowest() else {
            let message = "cannot tell the context: every path must begin with one, like span.name";
            return Err(CompileError::new(0, message));
        };
        let known = all.iter().copied().find(|context| context.name() == prefix);
        let context = known.ok_or_else(|| {
            let message = format!("{prefix:?} is no context to evaluate a condition or a statement in");
            CompileError::new(0, message).nearest(prefix, names())
        })?;
        if self.fits(context) {
            return Ok(context);
        }
        let lower = all
            .iter()
            .copied()
            .find(|lower| *lower != context && lower.prefixes().contains(&prefix) && self.fits(*lower));
        if let Some(lower) = lower {
            return Ok(lower);
        }
        let is_known = |name: &Name| all.iter().any(|context| context.symbol(&name.text).is_some());
        if let Some(name) = self.symbols.iter().find(|name| !is_known(name)) {
            // As in Go: here a name of capitals is always taken for an enum, even where it is that of a function.
            let message =
                format!("unknown enum {:?}; a function of that name can be given where the context is", name.text);
            return Err(CompileError::new(name.at, message)
                .nearest(&name.text, all.iter().flat_map(|context| context.symbols())));
        }
        // The compiler finds what is missing, and says so.
        Ok(context)
    }

    fn statement(&mut self, statement: &'t Statement) {
        self.call(&statement.editor);
        if let Some(condition) = &statement.condition {
            self.boolean(condition);
        }
    }

    /// The prefix of the lowest context; of unknown ones the first.
    fn lowest(&self) -> Option<&'t str> {
        const ORDER: [&str; 9] = [
            "log",
            "exemplar",
            "datapoint",
            "metric",
            "spanevent",
            "span",
            "scope",
            "instrumentation_scope",
            "resource",
        ];
        let rank = |prefix: &str| ORDER.iter().position(|known| *known == prefix).unwrap_or(ORDER.len());
        self.prefixes.iter().copied().flatten().min_by_key(|prefix| rank(prefix))
    }

    fn fits(&self, context: Context) -> bool {
        self.functions
            .iter()
            .all(|name| functions::find(name, context).is_some() || editors::find(name, context).is_some())
            && self.symbols.iter().all(|name| context.symbol(&name.text).is_some())
    }

    fn boolean(&mut self, condition: &'t Bool) {
        match condition {
            Bool::Or(terms) | Bool::And(terms) => terms.iter().for_each(|term| self.boolean(term)),
            Bool::Not(inner) => self.boolean(inner),
            Bool::Compare(comparison) => {
                self.value(&comparison.left);
                self.value(&comparison.right);
            }
            Bool::Literal(_) => {}
            Bool::Call(call) => self.call(call),
        }
    }

    fn call(&mut self, call: &'t Call) {
        self.functions.push(&call.name.text);
        for Arg { value, .. } in &call.args {
            if let ArgValue::Value(value) = value {
                self.value(value);
            }
        }
        self.keys(&call.keys);
    }

    fn value(&mut self, value: &'t Value) {
        match value {
            Value::Nil | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Bytes(_) => {}
            Value::Enum(name) => self.symbols.push(name),
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Map(entries) => entries.iter().for_each(|(_, value)| self.value(value)),
            Value::Path(path) => self.path(path),
            Value::Call(call) => self.call(call),
            Value::Negate(inner) | Value::Group(inner) => self.value(inner),
            Value::Math(left, _, right) => {
                self.value(left);
                self.value(right);
            }
            Value::Lambda(lambda) => {
                let outer = self.locals.len();
                self.locals.extend(lambda.params.iter().flatten().map(String::as_str));
                match &lambda.body {
                    LambdaBody::Value(value) => self.value(value),
                    LambdaBody::Bool(condition) => self.boolean(condition),
                }
                self.locals.truncate(outer);
            }
        }
    }

    fn path(&mut self, path: &'t Path) {
        let local = path.fields.first().is_some_and(|first| self.locals.contains(&first.name.as_str()));
        if !local {
            self.prefixes.push(path.prefix());
        }
        path.fields.iter().for_each(|field| self.keys(&field.keys));
    }

    fn keys(&mut self, keys: &'t [Key]) {
        for key in keys {
            if let Key::Value(value) = key {
                self.value(value);
            }
        }
    }
}
