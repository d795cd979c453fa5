//! `copy_metric`.

use super::{Edit, Editor};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::expr::Expr;
use crate::eval::frame::Frame;
use crate::eval::given::string;
use crate::functions::{ParamKind, optional};

pub(in super::super) const EDITORS: &[Editor] = &[Editor::only_in(
    Context::Metric,
    "copy_metric",
    &[optional("name", ParamKind::Str), optional("description", ParamKind::Str), optional("unit", ParamKind::Str)],
    |mut given, _| {
        let (name, description, unit) = (given.optional_expr(), given.optional_expr(), given.optional_expr());
        Ok(Box::new(Copy { name, description, unit }))
    },
)];

#[derive(Debug)]
struct Copy {
    name: Option<Expr>,
    description: Option<Expr>,
    unit: Option<Expr>,
}

// === impl Copy ===

impl Edit for Copy {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        // As Go has it: the copy is there even where what it is to be called cannot be told.
        frame.with_metric(|metric, made| made.push(metric.clone()));
        for (at, given) in [&self.name, &self.description, &self.unit].into_iter().enumerate() {
            let Some(given) = given else { continue };
            let text = String::from_utf8_lossy(string(given, frame)?).into_owned();
            let Some(copy) = frame.record.as_mut().and_then(|record| record.made.last_mut()) else { continue };
            match at {
                0 => copy.name = text,
                1 => copy.description = text,
                _ => copy.unit = text,
            }
        }
        Ok(())
    }
}
