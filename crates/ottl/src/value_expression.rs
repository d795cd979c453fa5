//! Values by their text: what connectors compute of a span.

use std::sync::Arc;

use spanmill_otlp::{AnyValue, ValueRef};

use crate::compile::{CompileError, Compiler};
use crate::condition::ParseError;
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::expr::{Env, Expr};
use crate::eval::frame::Frame;
use crate::eval::val::{Val, elements};
use crate::parse;

/// A compiled expression that gives a value.
#[derive(Debug)]
pub struct ValueExpression {
    text: Arc<str>,
    compiled: Expr,
}

/// What can be added up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// Any other.
    Double(f64),
}

// === impl ValueExpression ===

impl ValueExpression {
    /// Parses and compiles an expression. Paths without a prefix are of `context`.
    ///
    /// # Errors
    ///
    /// Fails where the text is not of the grammar, or names a path, a function or an enum that is not there.
    pub fn parse(compiler: &mut Compiler, context: Context, text: &str) -> Result<Self, ParseError> {
        let failed = |error: CompileError| ParseError::new(text, error);
        let parsed = parse::value(text).map_err(|error| failed(error.into()))?;
        let compiled = compiler.value(context, false, &parsed).map_err(failed)?;
        Ok(Self { text: text.into(), compiled })
    }

    /// As it was written.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// The number that it gives for what the frame stands at; none where it gives nil. The frame must be of the compiler that the
    /// expression was parsed with.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be evaluated, and where it gives something else.
    pub fn number(&self, frame: &Frame<'_>) -> Result<Option<Number>, EvalError> {
        match self.compiled.eval(&Env { frame, locals: &[] })? {
            Val::Nil => Ok(None),
            Val::Int(value) => Ok(Some(Number::Int(value))),
            Val::Double(value) => Ok(Some(Number::Double(value))),
            other => Err(EvalError::Type { expected: "a number", found: other.type_name() }),
        }
    }

    /// The texts of the list that it gives; none where it gives nil.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be evaluated, and where it gives something else. A list that is written in the expression is none.
    pub fn texts(&self, frame: &Frame<'_>) -> Result<Option<Vec<Vec<u8>>>, EvalError> {
        let text = |value: ValueRef<'_>| match value.get() {
            AnyValue::Text(text) => Ok(text.to_vec()),
            _ => Err(EvalError::Type { expected: "string", found: Val::of(value).type_name() }),
        };
        match self.compiled.eval(&Env { frame, locals: &[] })? {
            Val::Nil => Ok(None),
            Val::Slice(body) => elements(&body).map(text).collect::<Result<_, _>>().map(Some),
            Val::Strings(texts) => Ok(Some(texts.into_iter().map(std::borrow::Cow::into_owned).collect())),
            other => Err(EvalError::Type { expected: "a list of strings", found: other.type_name() }),
        }
    }
}

// === impl Number ===

impl Number {
    /// As a double.
    pub fn as_double(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    /// As a whole number; a fraction is cut off.
    pub fn as_int(self) -> i64 {
        match self {
            Self::Int(value) => value,
            Self::Double(value) => crate::eval::convert::truncate(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use spanmill_otlp::{SpanIx, Traces, Value};

    use super::*;

    fn traces() -> Traces {
        let mut traces = Traces::parse(Bytes::from_static(b"\x0a\x06\x12\x04\x12\x02\x2a\x00")).unwrap();
        traces.set_attribute(SpanIx::default(), "n", Value::Int(7));
        traces.set_attribute(SpanIx::default(), "names", Value::Strs(&["a", "b"]));
        traces.set_attribute(SpanIx::default(), "text", Value::Str("x"));
        traces
    }

    fn evaluated<T>(text: &str, of: impl Fn(&ValueExpression, &Frame<'_>) -> T) -> T {
        let mut compiler = Compiler::new().with_adjusted_count(true);
        let expression = ValueExpression::parse(&mut compiler, Context::Span, text).unwrap();
        let (slots, traces) = (compiler.finish(), traces());
        let mut frame = slots.frame();
        frame.enter_span(traces.spans().next().unwrap());
        of(&expression, &frame)
    }

    /// Scenario: expressions that give whole numbers, doubles, nil and a text.
    /// Guarantees: numbers come out with their type, nil as none, a text is an error.
    #[test]
    fn numbers() {
        let number = |text| evaluated(text, |expression, frame| expression.number(frame));
        assert_eq!(number("attributes[\"n\"]"), Ok(Some(Number::Int(7))));
        assert_eq!(number("span.attributes[\"n\"] * 0.5"), Ok(Some(Number::Double(3.5))));
        assert_eq!(number("AdjustedCount()"), Ok(Some(Number::Double(1.0))));
        assert_eq!(number("attributes[\"missing\"]"), Ok(None));
        assert!(number("attributes[\"text\"]").is_err());
        assert_eq!((Number::Double(2.9).as_int(), Number::Int(3).as_double()), (2, 3.0));
    }

    /// Scenario: expressions that give lists, and one that does not.
    /// Guarantees: texts come out; anything else is an error.
    #[test]
    fn lists_of_texts() {
        let texts = |text| evaluated(text, |expression, frame| expression.texts(frame));
        let both = Ok(Some(vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(texts("attributes[\"names\"]"), both);
        assert_eq!(texts("Split(\"a,b\", \",\")"), both);
        assert_eq!(texts("attributes[\"missing\"]"), Ok(None));
        assert!(texts("attributes[\"text\"]").is_err());
    }

    /// Scenario: a comparison where a value is wanted, and `AdjustedCount` where it is not offered.
    /// Guarantees: both are refused.
    #[test]
    fn refused() {
        for text in ["name == \"x\"", "AdjustedCount()", ""] {
            assert!(ValueExpression::parse(&mut Compiler::new(), Context::Span, text).is_err(), "{text}");
        }
    }
}
