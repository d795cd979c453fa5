//! The functions of XPath that there are.

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    LowerCase,
    StartsWith,
    EndsWith,
    Contains,
    Matches,
    Substring,
    SubstringBefore,
    SubstringAfter,
    StringLength,
    NormalizeSpace,
    Replace,
    Translate,
    Not,
    Name,
    LocalName,
    NamespaceUri,
    True,
    False,
    Last,
    Position,
    Boolean,
    Number,
    String,
    Count,
    Sum,
    Ceiling,
    Floor,
    Round,
    Concat,
    Reverse,
    StringJoin,
}

/// Names, and the least and the most arguments.
const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("lower-case", Function::LowerCase, 1, usize::MAX),
    ("starts-with", Function::StartsWith, 2, usize::MAX),
    ("ends-with", Function::EndsWith, 2, usize::MAX),
    ("contains", Function::Contains, 2, usize::MAX),
    ("matches", Function::Matches, 2, 2),
    ("substring", Function::Substring, 2, usize::MAX),
    ("substring-before", Function::SubstringBefore, 2, 2),
    ("substring-after", Function::SubstringAfter, 2, 2),
    ("string-length", Function::StringLength, 1, usize::MAX),
    ("normalize-space", Function::NormalizeSpace, 0, usize::MAX),
    ("replace", Function::Replace, 3, 3),
    ("translate", Function::Translate, 3, 3),
    ("not", Function::Not, 1, usize::MAX),
    ("name", Function::Name, 0, 1),
    ("local-name", Function::LocalName, 0, 1),
    ("namespace-uri", Function::NamespaceUri, 0, 1),
    ("true", Function::True, 0, usize::MAX),
    ("false", Function::False, 0, usize::MAX),
    ("last", Function::Last, 0, usize::MAX),
    ("position", Function::Position, 0, usize::MAX),
    ("boolean", Function::Boolean, 0, 1),
    ("number", Function::Number, 0, 1),
    ("string", Function::String, 0, 1),
    ("count", Function::Count, 1, usize::MAX),
    ("sum", Function::Sum, 1, usize::MAX),
    ("ceiling", Function::Ceiling, 1, usize::MAX),
    ("floor", Function::Floor, 1, usize::MAX),
    ("round", Function::Round, 1, usize::MAX),
    ("concat", Function::Concat, 2, usize::MAX),
    ("reverse", Function::Reverse, 1, usize::MAX),
    ("string-join", Function::StringJoin, 2, 2),
];

// === impl Function ===

impl Function {
    pub(super) fn find(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(known, ..)| *known == name).map(|(_, function, ..)| *function)
    }

    /// Checks the number of arguments.
    pub(super) fn check(self, given: usize) -> std::result::Result<(), String> {
        let found = FUNCTIONS.iter().find(|(_, function, ..)| *function == self);
        match found {
            Some((_, _, least, most)) if (*least..=*most).contains(&given) => Ok(()),
            _ => Err("a function has the wrong number of arguments".to_owned()),
        }
    }

    /// How many arguments are looked at.
    pub(super) fn used(self) -> usize {
        match self {
            Self::True | Self::False | Self::Last | Self::Position => 0,
            Self::StartsWith | Self::EndsWith | Self::Contains | Self::Matches => 2,
            Self::SubstringBefore | Self::SubstringAfter | Self::StringJoin => 2,
            Self::Substring | Self::Replace | Self::Translate => 3,
            Self::Concat => usize::MAX,
            _ => 1,
        }
    }
}
