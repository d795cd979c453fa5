//! Calls: the function is looked up, and every argument is made what its parameter asks for.

use super::{CompileError, Result, Scope};
use crate::ast::{self, ArgValue, Value};
use crate::eval::expr::Expr;
use crate::functions::{self, Arg, Args, Call, Function, Param, ParamKind};

// === impl Scope ===

impl Scope<'_> {
    pub(super) fn call(&mut self, call: &ast::Call) -> Result<Expr> {
        let name = &call.name;
        let known = functions::find(&name.text, self.context);
        let offered = known.filter(|function| {
            (self.sampling || !functions::sampling::is_of_it(function))
                && (self.points || !functions::points::is_of_it(function))
        });
        let Some(function) = offered else {
            return Err(self.undefined(name));
        };
        if function.only.is_some() {
            // It is about the span itself.
            self.slots.reads_fields();
        }
        let args = self.args(function.name, function.params, call)?;
        let compiled = Call::new(function, args)
            .map_err(|message| CompileError::new(name.at, format!("{}: {message}", function.name)))?;
        let keys = self.keys(&call.keys)?;
        let compiled = Expr::Call(Box::new(compiled));
        Ok(if keys.is_empty() { compiled } else { Expr::Index(Box::new(compiled), keys) })
    }

    pub(super) fn args(&mut self, name: &'static str, params: &'static [Param], call: &ast::Call) -> Result<Args> {
        if params.is_empty() {
            // Go does not look at the arguments of a function that takes none.
            return Ok(Args::default());
        }
        let required = params.iter().filter(|param| !param.optional).count();
        let (least, most, given) = (required, params.len(), call.args.len());
        if given < least || given > most {
            let expected = if least == most { format!("{most}") } else { format!("{least} to {most}") };
            let message = format!("{name}: incorrect number of arguments, expected {expected} but got {given}");
            return Err(CompileError::new(call.name.at, message));
        }
        let mut args: Vec<Arg> = params.iter().map(|_| Arg::Missing).collect();
        let mut named = false;
        for (position, arg) in call.args.iter().enumerate() {
            let at = match &arg.name {
                Some(written) => {
                    named = true;
                    let wanted = functions::camel(&written.text);
                    let found = params.iter().position(|param| functions::camel(param.name) == wanted);
                    found.ok_or_else(|| {
                        let message = format!("{name}: no such parameter: {}", written.text);
                        let error = CompileError::new(written.at, message);
                        error.nearest(&written.text, params.iter().map(|param| param.name))
                    })?
                }
                None if named => {
                    return Err(CompileError::new(arg.at, format!("{name}: unnamed argument behind a named one")));
                }
                None => position,
            };
            if let (Some(param), Some(slot)) = (params.get(at), args.get_mut(at)) {
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
            params.iter().zip(&args).find(|(param, arg)| !param.optional && matches!(arg, Arg::Missing))
        {
            return Err(CompileError::new(call.name.at, format!("{name}: argument {:?} is missing", param.name)));
        }
        Ok(Args(args.into()))
    }

    fn arg(&mut self, kind: ParamKind, arg: &ast::Arg) -> Result<Arg> {
        let wrong = |message: &str| Err(CompileError::new(arg.at, message));
        let value = match (kind, &arg.value) {
            (ParamKind::Function, ArgValue::Function(name) | ArgValue::Value(Value::Enum(name))) => {
                return self.function(name).map(Arg::Function);
            }
            (ParamKind::Function, ArgValue::Value(_)) => return wrong("must be the name of a function"),
            (_, ArgValue::Value(value)) => value,
            (_, ArgValue::Function(_)) => return wrong("must be a value, not a function"),
        };
        match (kind, value) {
            (ParamKind::StrLiteral, Value::String(_))
            | (ParamKind::BoolLiteral, Value::Bool(_))
            | (ParamKind::IntLiteral, Value::Int(_))
            | (ParamKind::FloatLiteral, Value::Float(_)) => {}
            (ParamKind::StrLiteral, _) => return wrong("must be a string"),
            (ParamKind::BoolLiteral, _) => return wrong("must be a boolean"),
            (ParamKind::IntLiteral, _) => return wrong("must be an integer"),
            (ParamKind::FloatLiteral, _) => return wrong("must be a number with a point"),
            (ParamKind::Path, Value::Path(path)) => {
                return match self.path(path)? {
                    Expr::Path(path) => Ok(Arg::Path(path)),
                    _ => wrong("must be a path"),
                };
            }
            (ParamKind::Path, _) => return wrong("must be a path"),
            (ParamKind::Lambda, Value::Lambda(lambda)) => return self.lambda(lambda).map(Arg::Lambda),
            (ParamKind::Lambda, _) => return wrong("must be a lambda"),
            (ParamKind::Anys, Value::List(items)) => return self.items(items, ParamKind::Any),
            (ParamKind::Anys, _) => return wrong("must be a list written in the text"),
            (ParamKind::Strs, Value::List(items)) => return self.items(items, ParamKind::Str),
            (ParamKind::StrLiterals, Value::List(items)) => {
                if items.iter().any(|item| !matches!(item, Value::String(_))) {
                    return wrong("must be a list of strings");
                }
                return self.items(items, ParamKind::Any);
            }
            (ParamKind::FloatLiterals, Value::List(items)) => {
                if items.iter().any(|item| !matches!(item, Value::Float(_))) {
                    return wrong("must be a list of numbers with a point");
                }
                return self.items(items, ParamKind::Any);
            }
            (ParamKind::Strs | ParamKind::StrLiterals | ParamKind::FloatLiterals, _) => {
                return wrong("must be a list written in the text");
            }
            (ParamKind::StrLikes, Value::List(items)) => return self.items(items, ParamKind::StrLike),
            _ => {}
        }
        let expr = self.value(value)?;
        check(kind, &expr, arg.at)?;
        Ok(Arg::Expr(expr))
    }

    /// A function that is given by its name.
    fn function(&self, name: &ast::Name) -> Result<&'static Function> {
        functions::find(&name.text, self.context).ok_or_else(|| self.undefined(name))
    }

    fn undefined(&self, name: &ast::Name) -> CompileError {
        CompileError::undefined(name, self.context, functions::all().map(|function| (function.name, function.only)))
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
