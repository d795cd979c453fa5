//! XML: as maps, and edited as text.

mod builder;
mod names;
mod reader;
mod tree;
mod value;
mod xpath;

use std::collections::HashMap;

use super::{Args, Function, Param, ParamKind, Prepared, optional, required};
use crate::eval::EvalError;
use crate::eval::expr::Env;
use crate::eval::val::Val;
use tree::{Kind, Node, NodeId, Tree};
use xpath::XPath;

const TARGET: Param = required("target", ParamKind::Str);
const XPATH: Param = required("xpath", ParamKind::StrLiteral);
const ANY_XPATH: Param = optional("xpath", ParamKind::StrLiteral);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::plain("ParseXML", &[TARGET], |args, env| {
        let text = args.string(0, env)?;
        value::parse(&text).ok_or_else(|| malformed(&text))
    }),
    Function::plain("ParseSimplifiedXML", &[TARGET], |args, env| {
        let text = args.string(0, env)?;
        value::simplified(&parse(&text)?).ok_or_else(|| malformed(&text))
    }),
    Function::prepared("GetXML", &[TARGET, XPATH], |args| edit(args.literal(1).unwrap_or(""), get)),
    Function::prepared("RemoveXML", &[TARGET, XPATH], |args| edit(args.literal(1).unwrap_or(""), remove)),
    Function::prepared("InsertXML", &[TARGET, XPATH, required("sub_document", ParamKind::Str)], |args| {
        edit(args.literal(1).unwrap_or(""), insert)
    }),
    Function::prepared("ConvertAttributesToElementsXML", &[TARGET, ANY_XPATH], |args| {
        let path = args.literal(1).filter(|path| !path.is_empty());
        edit(path.unwrap_or("//@*"), attributes_to_elements)
    }),
    Function::prepared(
        "ConvertTextToElementsXML",
        &[TARGET, ANY_XPATH, optional("element_name", ParamKind::StrLiteral)],
        |args| {
            let path = args.literal(1).filter(|path| !path.is_empty());
            edit(path.unwrap_or("/"), text_to_elements)
        },
    ),
];

/// What is done with a text and the path in it.
type Run = for<'e> fn(&Edit, &'e [u8], &'e Args, &'e Env<'e>) -> Result<String, EvalError>;

/// A function that finds nodes by a path.
struct Edit {
    path: XPath,
    run: Run,
}

/// Names of attributes to be removed from their elements, each as often as it was found.
#[derive(Default)]
struct Attributes(HashMap<NodeId, HashMap<String, usize>>);

fn edit(path: &str, run: Run) -> Result<Box<dyn Prepared>, String> {
    Ok(Box::new(Edit { path: XPath::compile(path)?, run }))
}

fn malformed(text: &[u8]) -> EvalError {
    EvalError::parse("XML", text)
}

fn parse(text: &[u8]) -> Result<Tree, EvalError> {
    Tree::parse(text).map_err(|_| malformed(text))
}

// === impl Edit ===

impl Edit {
    fn select(&self, tree: &Tree) -> Result<Vec<xpath::Found>, EvalError> {
        self.path.select(tree).map_err(|error| EvalError::message(error.to_string()))
    }
}

impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edit").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Prepared for Edit {
    fn call<'e>(&'e self, args: &'e Args, env: &'e Env<'e>) -> Result<Val<'e>, EvalError> {
        let text = args.string(0, env)?;
        (self.run)(self, &text, args, env).map(Val::string)
    }
}

// === impl Attributes ===

impl Attributes {
    fn add(&mut self, node: NodeId, name: String) {
        *self.0.entry(node).or_default().entry(name).or_insert(0) += 1;
    }

    /// Those with a prefix stay: names have none.
    fn remove(self, tree: &mut Tree) {
        for (node, mut names) in self.0 {
            tree.get_mut(node).attributes.retain(|attribute| match names.get_mut(&attribute.local) {
                Some(left) if *left > 0 && attribute.prefix.is_empty() => {
                    *left -= 1;
                    false
                }
                _ => true,
            });
        }
    }
}

fn output(tree: &Tree, node: NodeId) -> Result<String, EvalError> {
    tree.output(node).map_err(|_| EvalError::Static("the resulting XML is too large"))
}

/// The nodes found, one after the other. Attributes and CDATA sections become texts.
fn get(edit: &Edit, text: &[u8], _: &Args, _: &Env<'_>) -> Result<String, EvalError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let mut tree = parse(text)?;
    let found = edit.select(&tree)?;
    let result = tree.add(Node::new(Kind::Document, ""));
    for found in found {
        let node = match found.attribute {
            Some((_, value)) => tree.add(Node::new(Kind::Text, value)),
            None => match tree.get(found.node).kind {
                Kind::Element | Kind::Text => found.node,
                Kind::CharData => {
                    let text = tree.inner_text(found.node);
                    tree.add(Node::new(Kind::Text, text))
                }
                _ => continue,
            },
        };
        tree.append(result, node);
    }
    output(&tree, result)
}

fn remove(edit: &Edit, text: &[u8], _: &Args, _: &Env<'_>) -> Result<String, EvalError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let mut tree = parse(text)?;
    let mut attributes = Attributes::default();
    for found in edit.select(&tree)? {
        match (found.attribute, tree.get(found.node).kind) {
            (Some((name, _)), _) => attributes.add(found.node, name),
            (None, Kind::Text) => tree.get_mut(found.node).data.clear(),
            (None, Kind::Element | Kind::Comment | Kind::CharData) => tree.remove(found.node),
            _ => {}
        }
    }
    attributes.remove(&mut tree);
    output(&tree, Tree::ROOT)
}

/// The nodes of the other document become the last children of those found.
fn insert<'e>(edit: &Edit, text: &'e [u8], args: &'e Args, env: &'e Env<'e>) -> Result<String, EvalError> {
    let mut tree = if text.is_empty() { Tree::of(Node::new(Kind::Element, "")) } else { parse(text)? };
    let other = parse(&args.string(2, env)?)?;
    let found = edit.select(&tree)?;
    let other = tree.adopt(other);
    let first = tree.get(other).first;
    let mut steps = 0;
    for found in found {
        if found.attribute.is_some() || !matches!(tree.get(found.node).kind, Kind::Element | Kind::Document) {
            return Err(EvalError::Static("XML can be inserted into elements only"));
        }
        let mut child = first;
        while let Some(node) = child {
            // Inserted at several places the children are linked to each other, in the end maybe to themselves.
            steps += 1;
            if steps > tree::MAX_OUTPUT {
                return Err(EvalError::Static("the resulting XML is too large"));
            }
            child = tree.get(node).next;
            tree.append(found.node, node);
        }
    }
    output(&tree, Tree::ROOT)
}

fn attributes_to_elements(edit: &Edit, text: &[u8], _: &Args, _: &Env<'_>) -> Result<String, EvalError> {
    let mut tree = parse(text)?;
    let mut attributes = Attributes::default();
    for found in edit.select(&tree)? {
        let Some((name, value)) = found.attribute else { continue };
        let element = tree.add(Node::new(Kind::Element, name.clone()));
        let text = tree.add(Node::new(Kind::Text, value));
        tree.append(element, text);
        tree.append(found.node, element);
        attributes.add(found.node, name);
    }
    attributes.remove(&mut tree);
    output(&tree, Tree::ROOT)
}

/// Where an element holds several texts, or texts and elements, the texts become elements.
fn text_to_elements<'e>(edit: &Edit, text: &'e [u8], args: &'e Args, _: &'e Env<'e>) -> Result<String, EvalError> {
    let name = args.literal(2).filter(|name| !name.is_empty()).unwrap_or("value");
    let mut tree = parse(text)?;
    let mut left: Vec<NodeId> = edit
        .select(&tree)?
        .into_iter()
        .rev()
        .filter(|found| found.attribute.is_none())
        .map(|found| found.node)
        .collect();
    while let Some(node) = left.pop() {
        if !matches!(tree.get(node).kind, Kind::Element | Kind::Document) {
            continue;
        }
        let of = |kind| -> Vec<NodeId> { tree.children(node).filter(|child| tree.get(*child).kind == kind).collect() };
        let (texts, elements) = (of(Kind::Text), of(Kind::Element));
        let mixed = texts.len() + elements.len() > 1;
        left.extend(elements);
        for text in texts.into_iter().filter(|_| mixed) {
            let data = std::mem::replace(&mut tree.get_mut(text).data, name.to_owned());
            let inner = tree.add(Node::new(Kind::Text, data));
            let node = tree.get_mut(text);
            node.kind = Kind::Element;
            (node.first, node.last) = (Some(inner), Some(inner));
        }
    }
    output(&tree, Tree::ROOT)
}
