//! Calls: the function is looked up, and every argument is made what its parameter asks for.

use super::{CompileError, Result, Scope};
use crate::ast::{self, ArgValue, Value};
use crate::eval::expr::Expr;
use crate::functions::{self, Arg, Args, Call, Function, ParamKind};

// === impl Scope ===

impl Scope<'_> {
    pub(super) fn call(&mut self, call: &ast::Call) -> Result<Expr> {
        let name = &call.name;
        let known = functions::find(&name.text, self.context);
        let Some(function) = known.filter(|function| self.sampling || !functions::sampling::is_of_it(function)) else {
            let error = CompileError::new(name.at, format!("undefined function {:?}", name.text));
            return Err(error.nearest(&name.text, functions::all().map(|function| function.name)));
        };
        let args = self.args(function, call)?;
        let compiled = Call::new(function, args)
            .map_err(|message| CompileError::new(name.at, format!("{}: {message}", function.name)))?;
        let keys = self.keys(&call.keys)?;
        let compiled = Expr::Call(Box::new(compiled));
        Ok(if keys.is_empty() { compiled } else { Expr::Index(Box::new(compiled), keys) })
    }

    fn args(&mut self, function: &'static Function, call: &ast::Call) -> Result<Args> {
        let name = function.name;
        if function.only.is_some() {
            // It is about the span itself.
            self.slots.reads_fields();
        }
        if function.params.is_empty() {
            // Go does not look at the arguments of a function that takes none.
            return Ok(Args::default());
        }
        let required = function.params.iter().filter(|param| !param.optional).count();
        let (least, most, given) = (required, function.params.len(), call.args.len());
        if given < least || given > most {
            let expected = if least == most { format!("{most}") } else { format!("{least} to {most}") };
            let message = format!("{name}: incorrect number of arguments, expected {expected} but got {given}");
            return Err(CompileError::new(call.name.at, message));
        }
        let mut args: Vec<Arg> = function.params.iter().map(|_| Arg::Missing).collect();
        let mut named = false;
        for (position, arg) in call.args.iter().enumerate() {
            let at = match &arg.name {
                Some(written) => {
                    named = true;
                    let wanted = functions::camel(&written.text);
                    let found = function.params.iter().position(|param| functions::camel(param.name) == wanted);
                    found.ok_or_else(|| {
                        let message = format!("{name}: no such parameter: {}", written.text);
                        let error = CompileError::new(written.at, message);
                        error.nearest(&written.text, function.params.iter().map(|param| param.name))
                    })?
                }
                None if named => {
                    return Err(CompileError::new(arg.at, format!("{name}: unnamed argument behind a named one")));
                }
                None => position,
            };
            if let (Some(param), Some(slot)) = (function.params.get(at), args.get_mut(at)) {
                *slot = self.arg(param.kind, arg).map_err(|error| {
                    let message = format!("{name}: argument {:?} {}", param.name, error.message);
                    if error.suggestion.is_some() || error.at != arg.at {
                        error
                    } else {
                        CompileError { message, ..error }
                    }
                })?;
            }
        }
        if let Some((param, _)) =
            function.params.iter().zip(&args).find(|(param, arg)| !param.optional && matches!(arg, Arg::Missing))
        {
            return Err(CompileError::new(call.name.at, format!("{name}: argument {:?} is missing", param.name)));
        }
        Ok(Args(args.into()))
    }

    fn arg(&mut self, kind: ParamKind, arg: &ast::Arg) -> Result<Arg> {
        let wrong = |message: &str| Err(CompileError::new(arg.at, message));
        let value = match &arg.value {
            ArgValue::Value(value) => value,
            ArgValue::Function(_) => return wrong("must be a value, not a function"),
        };
        match (kind, value) {
            (ParamKind::StrLiteral, Value::String(_)) | (ParamKind::BoolLiteral, Value::Bool(_)) => {}
            (ParamKind::StrLiteral, _) => return wrong("must be a string"),
            (ParamKind::BoolLiteral, _) => return wrong("must be a boolean"),
            (ParamKind::Lambda, Value::Lambda(lambda)) => return self.lambda(lambda).map(Arg::Lambda),
            (ParamKind::Lambda, _) => return wrong("must be a lambda"),
            (ParamKind::Anys, Value::List(items)) => return self.items(items, ParamKind::Any),
            (ParamKind::Anys, _) => return wrong("must be a list written in the text"),
            (ParamKind::StrLikes, Value::List(items)) => return self.items(items, ParamKind::StrLike),
            _ => {}
        }
        let expr = self.value(value)?;
        check(kind, &expr, arg.at)?;
        Ok(Arg::Expr(expr))
    }

    fn items(&mut self, items: &[Value], kind: ParamKind) -> Result<Arg> {
        let items = items.iter().map(|item| {
            let expr = self.value(item)?;
            check(kind, &expr, 0)?;
            Ok(expr)
        });
        Ok(Arg::List(items.collect::<Result<_>>()?))
    }
}

/// A literal that will never be what is needed is refused at once.
fn check(kind: ParamKind, expr: &Expr, at: usize) -> Result<()> {
    match expr {
        Expr::Const(value) => {
            kind.check(value).map_err(|error| CompileError::new(at, format!("cannot be used: {error}")))
        }
        _ => Ok(()),
    }
}
