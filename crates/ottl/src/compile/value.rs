//! Values: literals become constants, everything else an expression.

use super::{CompileError, Result, Scope};
use crate::ast::{self, Value};
use crate::eval::expr::{Expr, Key, Lambda, LambdaBody, put_map_entry};
use crate::eval::val::{ListVal, MapVal, Val};

// === impl Scope ===

impl Scope<'_> {
    pub(super) fn value(&mut self, value: &Value) -> Result<Expr> {
        Ok(match value {
            Value::Nil => Expr::Const(Val::Nil),
            Value::Bool(value) => Expr::Const(Val::Bool(*value)),
            Value::Int(value) => Expr::Const(Val::Int(*value)),
            Value::Float(value) => Expr::Const(Val::Double(*value)),
            Value::String(text) => Expr::Const(Val::string(text.clone())),
            Value::Bytes(bytes) => Expr::Const(Val::Bytes(bytes.clone().into())),
            Value::Enum(name) => {
                let unknown = || CompileError::new(name.at, format!("unknown enum {:?}", name.text));
                let value = self.context.symbol(&name.text);
                Expr::Const(Val::Int(value.ok_or_else(|| unknown().nearest(&name.text, self.context.symbols()))?))
            }
            Value::List(items) => self.list(items)?,
            Value::Map(entries) => self.map(entries)?,
            Value::Path(path) => self.path(path)?,
            Value::Call(call) => self.call(call)?,
            Value::Negate(inner) => match self.value(inner)? {
                // A sign belongs to the number that follows it, not to a computed one.
                Expr::Const(Val::Int(value)) if matches!(**inner, Value::Int(_)) => Expr::Const(Val::Int(-value)),
                Expr::Const(Val::Double(value)) if matches!(**inner, Value::Float(_)) => {
                    Expr::Const(Val::Double(-value))
                }
                inner => Expr::Negate(Box::new(inner)),
            },
            Value::Math(left, op, right) => Expr::Math(Box::new(self.value(left)?), *op, Box::new(self.value(right)?)),
            Value::Group(inner) => self.value(inner)?,
            Value::Lambda(lambda) => {
                return Err(CompileError::new(lambda.at, "a lambda can only be an argument that is to be one"));
            }
        })
    }

    fn list(&mut self, items: &[Value]) -> Result<Expr> {
        let items: Vec<Expr> = items.iter().map(|item| self.value(item)).collect::<Result<_>>()?;
        if items.iter().all(|item| matches!(item, Expr::Const(_))) {
            let constants = items.into_iter().filter_map(Expr::into_const).collect();
            return Ok(Expr::Const(Val::List(ListVal::Owned(constants))));
        }
        Ok(Expr::List(items.into()))
    }

    /// Where a key is repeated its last value counts.
    fn map(&mut self, entries: &[(String, Value)]) -> Result<Expr> {
        let mut compiled: Vec<(Box<str>, Expr)> = Vec::new();
        for (key, value) in entries {
            let value = self.value(value)?;
            match compiled.iter_mut().find(|(known, _)| **known == **key) {
                Some((_, kept)) => *kept = value,
                None => compiled.push((key.as_str().into(), value)),
            }
        }
        if !compiled.iter().all(|(_, value)| matches!(value, Expr::Const(_))) {
            return Ok(Expr::Map(compiled.into()));
        }
        let mut out = Vec::new();
        for (key, value) in &compiled {
            if let Expr::Const(value) = value {
                put_map_entry(&mut out, key, value).map_err(|error| CompileError::new(0, error.to_string()))?;
            }
        }
        Ok(Expr::Const(Val::Map(MapVal::Encoded(out.into()))))
    }

    pub(super) fn keys(&mut self, keys: &[ast::Key]) -> Result<Box<[Key]>> {
        keys.iter()
            .map(|key| {
                Ok(match key {
                    ast::Key::String(key) => Key::String(key.as_str().into()),
                    ast::Key::Int(index) => Key::Int(*index),
                    ast::Key::Value(value) => Key::Expr(Box::new(self.value(value)?)),
                })
            })
            .collect()
    }

    pub(super) fn lambda(&mut self, lambda: &ast::Lambda) -> Result<Lambda> {
        if !self.lambdas {
            let message = "lambdas are not enabled (feature gate ottl.functions.enableLambda)";
            return Err(CompileError::new(lambda.at, message));
        }
        for (at, name) in lambda.params.iter().enumerate() {
            if name.is_some() && lambda.params.iter().skip(at + 1).any(|other| other == name) {
                let message = format!("parameter {:?} is declared twice", name.as_deref().unwrap_or_default());
                return Err(CompileError::new(lambda.at, message));
            }
        }
        let outer = self.locals.len();
        self.locals.extend(lambda.params.iter().cloned());
        let body = match &lambda.body {
            ast::LambdaBody::Value(value) => self.value(value).map(LambdaBody::Value),
            ast::LambdaBody::Bool(condition) => self.boolean(condition).map(LambdaBody::Bool),
        };
        self.locals.truncate(outer);
        Ok(Lambda { arity: lambda.params.len(), body: body? })
    }
}

// === impl Expr ===

impl Expr {
    fn into_const(self) -> Option<Val<'static>> {
        match self {
            Self::Const(value) => Some(value),
            _ => None,
        }
    }
}
