//! What a path says.

use std::rc::Rc;

use super::scan::{Item, Scanner};

/// Deepest nesting of expressions.
const MAX_DEPTH: usize = 200;

/// A part of a path.
#[derive(Debug, Clone)]
pub(super) enum Ast {
    Root,
    Step(Box<Step>),
    Filter(Box<Ast>, Box<Ast>),
    Call { name: String, args: Vec<Ast> },
    Operator(Operator, Box<Ast>, Box<Ast>),
    Number(f64),
    Text(String),
    Group(Box<Ast>),
}

/// From a node along an axis to others.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) axis: String,
    pub(super) test: Test,
    pub(super) input: Option<Rc<Ast>>,
}

/// What a node must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) kind: TestKind,
    pub(super) prefix: String,
    pub(super) local: String,
}

/// Kinds of nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TestKind {
    #[default]
    Any,
    Root,
    Element,
    Attribute,
    Text,
    Comment,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Compare(Compare),
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Union,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

struct Parser<'p> {
    scan: Scanner<'p>,
    depth: usize,
}

type Result<T> = std::result::Result<T, String>;

/// Reads a path. What follows a complete one is not looked at.
pub(super) fn parse(path: &str) -> Result<Ast> {
    Parser { scan: Scanner::new(path)?, depth: 0 }.expression()
}

fn step(axis: &str, kind: TestKind, input: Option<Rc<Ast>>) -> Ast {
    Ast::Step(Box::new(Step { axis: axis.to_owned(), test: Test { kind, ..Test::default() }, input }))
}

fn any_below(input: Ast) -> Ast {
    step("descendant-or-self", TestKind::Any, Some(Rc::new(input)))
}

// === impl Parser ===

impl Parser<'_> {
    fn skip(&mut self, item: Item) -> Result<()> {
        if self.scan.item != item {
            return Err(format!("{item:?} is missing"));
        }
        self.scan.next()
    }

    fn word(&self, word: &str) -> bool {
        self.scan.item == Item::Name && self.scan.prefix.is_empty() && self.scan.name == word
    }

    fn is_node_type(&self) -> bool {
        let types = ["node", "text", "processing-instruction", "comment"];
        types.contains(&self.scan.name.as_str()) && self.scan.prefix.is_empty()
    }

    fn is_primary(&self) -> bool {
        match self.scan.item {
            Item::String | Item::Number | Item::Dollar | Item::Open => true,
            Item::Name => self.scan.is_call && !self.is_node_type(),
            _ => false,
        }
    }

    fn expression(&mut self) -> Result<Ast> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        let parsed = self.binary(0)?;
        self.depth -= 1;
        Ok(parsed)
    }

    /// Operators of a level and of those that bind more strongly, all from the left.
    fn binary(&mut self, level: usize) -> Result<Ast> {
        if level == 5 {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            self.scan.next()?;
            left = Ast::Operator(operator, Box::new(left), Box::new(self.binary(level + 1)?));
        }
        Ok(left)
    }

    fn operator(&self, level: usize) -> Option<Operator> {
        Some(match (level, self.scan.item) {
            (0, Item::Name) if self.word("or") => Operator::Or,
            (1, Item::Name) if self.word("and") => Operator::And,
            (2, Item::Eq) => Operator::Compare(Compare::Eq),
            (2, Item::Ne) => Operator::Compare(Compare::Ne),
            (3, Item::Lt) => Operator::Compare(Compare::Lt),
            (3, Item::Le) => Operator::Compare(Compare::Le),
            (3, Item::Gt) => Operator::Compare(Compare::Gt),
            (3, Item::Ge) => Operator::Compare(Compare::Ge),
            (4, Item::Plus) => Operator::Add,
            (4, Item::Minus) => Operator::Subtract,
            _ => return None,
        })
    }

    /// Products bind more strongly than sums, and signs more strongly than products.
    fn unary(&mut self) -> Result<Ast> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.scan.item {
                Item::Star => Operator::Multiply,
                Item::Name if self.word("div") => Operator::Divide,
                Item::Name if self.word("mod") => Operator::Modulo,
                _ => return Ok(left),
            };
            self.scan.next()?;
            left = Ast::Operator(operator, Box::new(left), Box::new(self.signed()?));
        }
    }

    fn signed(&mut self) -> Result<Ast> {
        let mut minus = false;
        while self.scan.item == Item::Minus {
            self.scan.next()?;
            minus = !minus;
        }
        let mut operand = self.path()?;
        while self.scan.item == Item::Union {
            self.scan.next()?;
            operand = Ast::Operator(Operator::Union, Box::new(operand), Box::new(self.path()?));
        }
        Ok(match minus {
            true => Ast::Operator(Operator::Multiply, Box::new(operand), Box::new(Ast::Number(-1.0))),
            false => operand,
        })
    }

    fn path(&mut self) -> Result<Ast> {
        if !self.is_primary() {
            return self.location();
        }
        let mut operand = self.primary()?;
        if self.scan.item == Item::OpenBracket {
            operand = Ast::Filter(Box::new(operand), Box::new(self.predicate()?));
        }
        match self.scan.item {
            Item::Slash => {
                self.scan.next()?;
                self.relative(Some(Rc::new(operand)))
            }
            Item::SlashSlash => {
                self.scan.next()?;
                self.relative(Some(Rc::new(any_below(operand))))
            }
            _ => Ok(operand),
        }
    }

    fn predicate(&mut self) -> Result<Ast> {
        self.skip(Item::OpenBracket)?;
        let condition = self.expression()?;
        self.skip(Item::CloseBracket)?;
        Ok(condition)
    }

    fn location(&mut self) -> Result<Ast> {
        match self.scan.item {
            Item::Slash => {
                self.scan.next()?;
                let steps = [Item::Dot, Item::DotDot, Item::At, Item::Axis, Item::Star, Item::Name];
                if steps.contains(&self.scan.item) { self.relative(Some(Rc::new(Ast::Root))) } else { Ok(Ast::Root) }
            }
            Item::SlashSlash => {
                self.scan.next()?;
                self.relative(Some(Rc::new(any_below(Ast::Root))))
            }
            _ => self.relative(None),
        }
    }

    fn relative(&mut self, input: Option<Rc<Ast>>) -> Result<Ast> {
        let mut operand = input;
        loop {
            let found = self.step(operand)?;
            match self.scan.item {
                Item::SlashSlash => {
                    self.scan.next()?;
                    operand = Some(Rc::new(any_below(found)));
                }
                Item::Slash => {
                    self.scan.next()?;
                    operand = Some(Rc::new(found));
                }
                _ => return Ok(found),
            }
        }
    }

    fn step(&mut self, input: Option<Rc<Ast>>) -> Result<Ast> {
        let mut found = match self.scan.item {
            Item::Dot | Item::DotDot => {
                let axis = if self.scan.item == Item::Dot { "self" } else { "parent" };
                self.scan.next()?;
                step(axis, TestKind::Any, input)
            }
            Item::Open => return self.sequence(input.as_ref()),
            _ => {
                let axis = match self.scan.item {
                    Item::At => {
                        self.scan.next()?;
                        "attribute".to_owned()
                    }
                    Item::Axis => {
                        let axis = self.scan.name.clone();
                        self.scan.next()?;
                        axis
                    }
                    _ => "child".to_owned(),
                };
                self.node_test(axis, input)?
            }
        };
        while self.scan.item == Item::OpenBracket {
            found = Ast::Filter(Box::new(found), Box::new(self.predicate()?));
        }
        Ok(found)
    }

    /// Several steps in parentheses, any of which may be taken.
    fn sequence(&mut self, input: Option<&Rc<Ast>>) -> Result<Ast> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("it is nested too deeply".to_owned());
        }
        self.skip(Item::Open)?;
        let mut found = self.step(input.cloned())?;
        while self.scan.item == Item::Comma {
            self.scan.next()?;
            found = Ast::Operator(Operator::Union, Box::new(found), Box::new(self.step(input.cloned())?));
        }
        self.skip(Item::Close)?;
        self.depth -= 1;
        Ok(found)
    }

    fn node_test(&mut self, axis: String, input: Option<Rc<Ast>>) -> Result<Ast> {
        let kind = if axis == "attribute" { TestKind::Attribute } else { TestKind::Element };
        let mut test = Test { kind, ..Test::default() };
        match self.scan.item {
            Item::Star => self.scan.next()?,
            Item::Name if self.scan.is_call && self.is_node_type() => {
                let name = self.scan.name.clone();
                self.scan.next()?;
                self.skip(Item::Open)?;
                if name == "processing-instruction" && self.scan.item != Item::Close {
                    if self.scan.item != Item::String {
                        return Err("the name of a processing instruction must be a text".to_owned());
                    }
                    test.local = self.scan.text.clone();
                    self.scan.next()?;
                }
                self.skip(Item::Close)?;
                test.kind = match name.as_str() {
                    "comment" => TestKind::Comment,
                    "text" => TestKind::Text,
                    "node" => TestKind::Any,
                    _ => test.kind,
                };
            }
            Item::Name => {
                test.prefix = self.scan.prefix.clone();
                test.local = self.scan.name.clone();
                self.scan.next()?;
                if self.scan.name == "*" {
                    test.local.clear();
                }
            }
            _ => return Err("a step is missing".to_owned()),
        }
        Ok(Ast::Step(Box::new(Step { axis, test, input })))
    }

    fn primary(&mut self) -> Result<Ast> {
        match self.scan.item {
            Item::String => {
                let text = self.scan.text.clone();
                self.scan.next()?;
                Ok(Ast::Text(text))
            }
            Item::Number => {
                let number = self.scan.number;
                self.scan.next()?;
                Ok(Ast::Number(number))
            }
            Item::Open => {
                self.scan.next()?;
                let inner = self.expression()?;
                self.skip(Item::Close)?;
                Ok(match inner {
                    constant @ (Ast::Number(_) | Ast::Text(_)) => constant,
                    inner => Ast::Group(Box::new(inner)),
                })
            }
            Item::Dollar => Err("there are no variables".to_owned()),
            _ => self.call(),
        }
    }

    fn call(&mut self) -> Result<Ast> {
        let name = self.scan.name.clone();
        self.skip(Item::Name)?;
        self.skip(Item::Open)?;
        let mut args = Vec::new();
        if self.scan.item != Item::Close {
            loop {
                args.push(self.expression()?);
                if self.scan.item == Item::Close {
                    break;
                }
                self.skip(Item::Comma)?;
            }
        }
        self.skip(Item::Close)?;
        Ok(Ast::Call { name, args })
    }
}
