//! What a text says, before anything is looked up: names are kept as written, with the offset they were written at.

/// An editor with its arguments, and the condition under which it runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement {
    pub(crate) editor: Call,
    pub(crate) condition: Option<Bool>,
}

/// A boolean expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bool {
    Or(Vec<Bool>),
    And(Vec<Bool>),
    Not(Box<Bool>),
    Compare(Box<Comparison>),
    Literal(bool),
    Call(Call),
}

/// Two values and an operator.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) left: Value,
    pub(crate) op: CompareOp,
    pub(crate) right: Value,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Ge,
    Gt,
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MathOp {
    Add,
    Sub,
    Mul,
    Div,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    Bytes(Vec<u8>),
    Enum(Name),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Path(Path),
    Call(Call),
    Negate(Box<Value>),
    Math(Box<Value>, MathOp, Box<Value>),
    /// In parentheses, behind a sign or with an operator: no longer a plain literal for arguments that must be one.
    Group(Box<Value>),
    Lambda(Box<Lambda>),
}

/// A name and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// A function call, with keys that index its result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: Name,
    pub(crate) args: Vec<Arg>,
    pub(crate) keys: Vec<Key>,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arg {
    pub(crate) name: Option<Name>,
    pub(crate) value: ArgValue,
    pub(crate) at: usize,
}

/// What an argument is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ArgValue {
    Value(Value),
    /// A function given by its name. A name of capitals only is read as an enum.
    Function(Name),
}

/// A telemetry path such as `resource.attributes["service.name"]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) fields: Vec<Field>,
    pub(crate) at: usize,
}

/// One segment of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) keys: Vec<Key>,
}

/// An index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    String(String),
    Int(i64),
    Value(Value),
}

/// `(k, v) => body`; blank parameters are none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lambda {
    pub(crate) params: Vec<Option<String>>,
    pub(crate) body: LambdaBody,
    pub(crate) at: usize,
}

/// What a lambda gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LambdaBody {
    Value(Value),
    Bool(Bool),
}

// === impl Path ===

impl Path {
    /// The first segment where it may be a context: it must be followed by another one and have no keys.
    pub(crate) fn prefix(&self) -> Option<&str> {
        let (first, rest) = self.fields.split_first()?;
        (first.keys.is_empty() && !rest.is_empty()).then_some(first.name.as_str())
    }

    /// As it may be shown to a person.
    pub(crate) fn describe(&self) -> String {
        let names: Vec<String> = self.fields.iter().map(Field::describe).collect();
        names.join(".")
    }
}

// === impl Field ===

impl Field {
    fn describe(&self) -> String {
        let mut out = self.name.clone();
        for key in &self.keys {
            match key {
                Key::String(key) => out.push_str(&format!("[{key:?}]")),
                Key::Int(key) => out.push_str(&format!("[{key}]")),
                Key::Value(_) => out.push_str("[...]"),
            }
        }
        out
    }
}

// === impl CompareOp ===

impl CompareOp {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Eq,
            "!=" => Self::Ne,
            "<" => Self::Lt,
            "<=" => Self::Le,
            ">=" => Self::Ge,
            ">" => Self::Gt,
            _ => return None,
        })
    }
}
