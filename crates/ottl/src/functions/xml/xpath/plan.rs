//! How nodes are found: the queries that a path is made of, by number.

use super::call;
use super::function::Function;
use super::parse::{Ast, Compare, Operator, Step, Test};

/// The number of a query in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlanId(pub(super) usize);

/// A query.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// The node that the path is evaluated for.
    Context,
    Root,
    Axis {
        axis: Axis,
        test: Test,
        input: PlanId,
    },
    Filter {
        input: PlanId,
        condition: PlanId,
    },
    Call {
        input: Option<PlanId>,
        function: Function,
        args: Vec<PlanId>,
    },
    /// The nodes in the opposite order.
    Reverse(PlanId),
    Number(f64),
    Text(Vec<u8>),
    Group(PlanId),
    Compare(Compare, PlanId, PlanId),
    Numeric(Operator, PlanId, PlanId),
    Boolean {
        or: bool,
        left: PlanId,
        right: PlanId,
    },
    Union(PlanId, PlanId),
    /// The number of nodes that a query gives.
    Last(PlanId),
    /// The nodes of one query for each of another.
    Merge {
        input: PlanId,
        child: PlanId,
    },
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor {
        or_self: bool,
    },
    Attribute,
    Child,
    Descendant {
        or_self: bool,
    },
    /// Below nodes that may lie in each other.
    DescendantOverDescendant {
        or_self: bool,
    },
    Following {
        sibling: bool,
    },
    Preceding {
        sibling: bool,
    },
    Parent,
    Itself,
}

/// What is known about an expression.
#[derive(Debug, Clone, Copy, Default)]
struct Props {
    filtered_by_position: bool,
    position: bool,
    last: bool,
    nested: bool,
}

/// What an expression is built for.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    below_any: bool,
    filter: bool,
}

#[derive(Default)]
struct Builder {
    plan: Vec<Plan>,
    /// The query that `position()` and `last()` refer to.
    first: Option<PlanId>,
    depth: usize,
}

type Result<T> = std::result::Result<T, String>;

/// Deepest nesting of queries.
const MAX_DEPTH: usize = 1024;
/// Most queries.
const MAX_QUERIES: usize = 10_000;

/// Builds the queries of a path, and tells which one is the whole.
pub(super) fn build(path: &Ast) -> Result<(Vec<Plan>, PlanId)> {
    let mut builder = Builder::default();
    let top = builder.node(path, Flags::default(), &mut Props::default())?;
    Ok((builder.plan, top))
}

// === impl Builder ===

impl Builder {
    fn add(&mut self, query: Plan) -> PlanId {
        self.plan.push(query);
        PlanId(self.plan.len() - 1)
    }

    fn get(&self, id: PlanId) -> Option<&Plan> {
        self.plan.get(id.0)
    }

    fn node(&mut self, node: &Ast, flags: Flags, props: &mut Props) -> Result<PlanId> {
        self.depth += 1;
        if self.depth > MAX_DEPTH || self.plan.len() > MAX_QUERIES {
            return Err("it is too complex".to_owned());
        }
        *props = Props::default();
        let id = match node {
            Ast::Number(number) => self.add(Plan::Number(*number)),
            Ast::Text(text) => self.add(Plan::Text(text.clone().into_bytes())),
            Ast::Root => self.add(Plan::Root),
            Ast::Step(step) => {
                let id = self.step(step, flags, props)?;
                self.first = Some(id);
                id
            }
            Ast::Filter(input, condition) => {
                let id = self.filter(input, condition, flags, props)?;
                self.first = Some(id);
                id
            }
            Ast::Call { name, args } => self.call(name, args, props)?,
            Ast::Operator(operator, left, right) => self.operator(*operator, left, right, props)?,
            Ast::Group(inner) => {
                let inner = self.node(inner, Flags::default(), props)?;
                let id = self.add(Plan::Group(inner));
                self.first = Some(id);
                id
            }
        };
        self.depth -= 1;
        Ok(id)
    }

    fn step(&mut self, step: &Step, flags: Flags, props: &mut Props) -> Result<PlanId> {
        self.first = None;
        let test = step.test.clone();
        let descendant = matches!(step.axis.as_str(), "descendant" | "descendant-or-self");
        let input = match &step.input {
            None => {
                *props = Props::default();
                self.add(Plan::Context)
            }
            Some(input) => {
                if let Ast::Step(before) = &**input
                    && !flags.filter
                    && step.axis == "child"
                    && before.axis == "descendant-or-self"
                {
                    // `//name` needs no more than one query.
                    let below_any = Flags { below_any: true, ..Flags::default() };
                    let input = match &before.input {
                        Some(input) => self.node(input, below_any, props)?,
                        None => self.add(Plan::Context),
                    };
                    props.nested = true;
                    let axis = Axis::Descendant { or_self: false };
                    return Ok(self.add(Plan::Axis { axis, test, input }));
                }
                let flags = Flags { below_any: !flags.filter && descendant, ..Flags::default() };
                self.node(input, flags, props)?
            }
        };
        let or_self = step.axis.ends_with("-or-self");
        let sibling = step.axis.ends_with("-sibling");
        let axis = match step.axis.as_str() {
            "ancestor" | "ancestor-or-self" => Axis::Ancestor { or_self },
            "attribute" => Axis::Attribute,
            "child" => Axis::Child,
            "descendant" | "descendant-or-self" if flags.below_any => Axis::DescendantOverDescendant { or_self },
            "descendant" | "descendant-or-self" => Axis::Descendant { or_self },
            "following" | "following-sibling" => Axis::Following { sibling },
            "preceding" | "preceding-sibling" => Axis::Preceding { sibling },
            "parent" => Axis::Parent,
            "self" => Axis::Itself,
            other => return Err(format!("the axis {other:?} is not known")),
        };
        props.nested |= match axis {
            Axis::Ancestor { .. } | Axis::Descendant { .. } | Axis::DescendantOverDescendant { .. } => true,
            Axis::Following { sibling } | Axis::Preceding { sibling } => !sibling,
            _ => false,
        };
        Ok(self.add(Plan::Axis { axis, test, input }))
    }

    fn filter(&mut self, input: &Ast, condition: &Ast, flags: Flags, props: &mut Props) -> Result<PlanId> {
        let outermost = !flags.filter;
        let query = self.node(input, Flags { filter: true, ..flags }, props)?;
        let first = self.first;
        let mut inner = Props::default();
        let mut condition = self.node(condition, flags, &mut inner)?;
        if self.may_be_number(condition) || inner.position || inner.last {
            inner.position = true;
        }
        if !matches!(input, Ast::Filter(..)) {
            props.filtered_by_position = false;
        }
        props.filtered_by_position |= inner.position;
        if inner.position
            && inner.last
            && let Some(Plan::Call { input: Some(counted), .. }) = self.get(condition)
            && matches!(self.get(*counted), Some(Plan::Filter { .. } | Plan::Group(_)))
        {
            let counted = *counted;
            condition = self.add(Plan::Last(counted));
        }
        if outermost && let Some(first) = first {
            if self.can_merge(query) && props.filtered_by_position {
                let parent = self.detach(first);
                self.first = None;
                let child = self.add(Plan::Filter { input: query, condition });
                return Ok(match parent {
                    Some(input) => self.add(Plan::Merge { input, child }),
                    None => child,
                });
            }
            self.first = None;
        }
        Ok(self.add(Plan::Filter { input: query, condition }))
    }

    /// Lets a query begin at the node at hand, and gives what it began at before.
    fn detach(&mut self, id: PlanId) -> Option<PlanId> {
        let input = match self.get(id)? {
            Plan::Axis { input, .. } | Plan::Group(input) => *input,
            _ => return None,
        };
        if matches!(self.get(input)?, Plan::Context) {
            return None;
        }
        let context = self.add(Plan::Context);
        match self.plan.get_mut(id.0)? {
            Plan::Axis { input, .. } | Plan::Group(input) => *input = context,
            _ => return None,
        }
        Some(input)
    }

    /// Whether positions in it are counted anew for every node of its input.
    fn can_merge(&self, id: PlanId) -> bool {
        match self.get(id) {
            Some(Plan::Group(_)) | None => false,
            Some(Plan::Filter { input, .. }) => self.can_merge(*input),
            Some(_) => true,
        }
    }

    fn may_be_number(&self, id: PlanId) -> bool {
        match self.get(id) {
            Some(Plan::Call { .. } | Plan::Reverse(_) | Plan::Number(_) | Plan::Numeric(..) | Plan::Last(_)) => true,
            Some(Plan::Group(inner)) => self.may_be_number(*inner),
            _ => false,
        }
    }

    fn call(&mut self, name: &str, args: &[Ast], props: &mut Props) -> Result<PlanId> {
        *props = Props::default();
        let function = Function::find(name).ok_or_else(|| format!("the function {name:?} is not known"))?;
        function.check(args.len())?;
        let own;
        let args = match (function, args) {
            (Function::NormalizeSpace, []) => {
                own = [Ast::Step(Box::new(Step { axis: "self".to_owned(), test: Test::default(), input: None }))];
                &own
            }
            (_, args) => args.get(..args.len().min(function.used())).unwrap_or(args),
        };
        let mut built = Vec::new();
        for arg in args {
            built.push(self.node(arg, Flags::default(), props)?);
        }
        match function {
            Function::Matches => match built.get(1).and_then(|id| self.get(*id)) {
                Some(Plan::Text(pattern)) => {
                    call::pattern(pattern).map_err(|error| format!("matches: {error}"))?;
                }
                Some(Plan::Number(_)) => return Err("matches: the pattern must be a text".to_owned()),
                _ => {}
            },
            Function::Reverse => {
                let input = built.first().copied().ok_or("reverse needs nodes")?;
                return Ok(self.add(Plan::Reverse(input)));
            }
            Function::Last => props.last = true,
            Function::Position => props.position = true,
            _ => {}
        }
        let input = self.first.filter(|_| matches!(function, Function::Last | Function::Position));
        Ok(self.add(Plan::Call { input, function, args: built }))
    }

    fn operator(&mut self, operator: Operator, left: &Ast, right: &Ast, props: &mut Props) -> Result<PlanId> {
        let (mut left_props, mut right_props) = (Props::default(), Props::default());
        let left = self.node(left, Flags::default(), &mut left_props)?;
        let right = self.node(right, Flags::default(), &mut right_props)?;
        *props = Props {
            filtered_by_position: left_props.filtered_by_position || right_props.filtered_by_position,
            position: left_props.position || right_props.position,
            last: left_props.last || right_props.last,
            nested: left_props.nested || right_props.nested || operator == Operator::Union,
        };
        Ok(self.add(match operator {
            Operator::Or => Plan::Boolean { or: true, left, right },
            Operator::And => Plan::Boolean { or: false, left, right },
            Operator::Compare(compare) => Plan::Compare(compare, left, right),
            Operator::Union => Plan::Union(left, right),
            arithmetic => Plan::Numeric(arithmetic, left, right),
        }))
    }
}
