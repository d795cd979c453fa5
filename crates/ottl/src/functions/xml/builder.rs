//! A tree out of the tokens of a text.

use std::collections::{HashMap, HashSet};

use super::reader::{Charsets, Malformed, Reader, Token};
use super::tree::{Attribute, Kind, Node, NodeId, Tree};

/// Builds a tree from tokens.
pub(super) struct Builder {
    tree: Tree,
    level: usize,
    /// The node that decides where the next one goes.
    last: NodeId,
    /// The last node next to the document: what stands before the first element is not in it.
    tail: NodeId,
    /// Prefixes of namespaces, and the level at which they were declared.
    prefixes: HashMap<String, (String, usize)>,
}

// === impl Builder ===

impl Builder {
    pub(super) fn new() -> Self {
        let prefixes = [("http://www.w3.org/XML/1998/namespace".to_owned(), ("xml".to_owned(), 0))];
        let tree = Tree::of(Node::new(Kind::Document, ""));
        Self { tree, level: 0, last: Tree::ROOT, tail: Tree::ROOT, prefixes: prefixes.into() }
    }

    pub(super) fn read(mut self, text: &[u8]) -> Result<Tree, Malformed> {
        let mut reader = Reader::new(text, Charsets::Any);
        while let Some(token) = reader.next()? {
            match token {
                Token::Start { name, attributes } => {
                    let node = self.element(name.space, name.local, attributes)?;
                    let found = self.tree.get(node);
                    // The prefix is taken from the text: a namespace may have several.
                    if let Some((prefix, _)) = self.prefixes.get(&found.space).filter(|_| !found.space.is_empty()) {
                        let taken = reader.taken();
                        let written = format!("{prefix}:{}", found.data);
                        if taken.strip_prefix(b"<").unwrap_or(taken).starts_with(written.as_bytes()) {
                            self.tree.get_mut(node).prefix = prefix.clone();
                        }
                    }
                    self.last = node;
                    self.level += 1;
                }
                Token::End => self.level = self.level.saturating_sub(1),
                Token::Text(text) => {
                    let start = reader.taken().strip_prefix(b"<").unwrap_or(reader.taken());
                    let start = start.get(..8).unwrap_or(&[]);
                    let kind = if start.eq_ignore_ascii_case(b"![CDATA[") { Kind::CharData } else { Kind::Text };
                    self.place(Node::new(kind, text))?;
                }
                Token::Comment(text) => {
                    self.place(Node::new(Kind::Comment, text))?;
                }
                Token::Directive(text) => {
                    self.place(Node::new(Kind::Notation, text))?;
                }
                Token::Instruction { target, text } => self.instruction(target, &text)?,
            }
        }
        let tops = std::iter::successors(Some(Tree::ROOT), |top| self.tree.get(*top).next);
        let mut children = tops.flat_map(|top| self.tree.children(top));
        if children.any(|child| self.tree.get(child).kind == Kind::Element) {
            drop(children);
            Ok(self.tree)
        } else {
            Err(Malformed)
        }
    }

    fn element(
        &mut self,
        space: String,
        local: String,
        attributes: Vec<(super::reader::Name, String)>,
    ) -> Result<NodeId, Malformed> {
        if self.level == 0 {
            // The declaration is missing.
            let version = Attribute {
                prefix: String::new(),
                local: "version".to_owned(),
                space: String::new(),
                value: "1.0".to_owned(),
            };
            let node = Node { attributes: vec![version], level: 1, ..Node::new(Kind::Declaration, "xml") };
            let node = self.tree.add(node);
            self.tree.append(self.last, node);
            self.last = node;
            self.level = 1;
        }
        for (name, value) in &attributes {
            if name.local == "xmlns" {
                if self.prefixes.get(value).is_none_or(|(_, level)| *level >= self.level) {
                    self.prefixes.insert(value.clone(), (String::new(), self.level));
                }
            } else if name.space == "xmlns" {
                self.prefixes.insert(value.clone(), (name.local.clone(), self.level));
            }
        }
        if !space.is_empty() && !self.prefixes.contains_key(&space) {
            return Err(Malformed);
        }
        let attributes = attributes.into_iter().map(|(name, value)| {
            let prefix =
                self.prefixes.get(&name.space).map_or_else(|| name.space.clone(), |(prefix, _)| prefix.clone());
            Attribute { prefix, local: name.local, space: name.space, value }
        });
        let attributes = attributes.collect();
        self.place(Node { space, attributes, ..Node::new(Kind::Element, local) })
    }

    fn instruction(&mut self, target: String, text: &str) -> Result<(), Malformed> {
        let mut node = Node::new(Kind::Declaration, target);
        let mut known = HashSet::new();
        for pair in text.split(' ').map(str::trim) {
            if let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.is_empty()) {
                let (prefix, local) = match name.split_once(':').filter(|(prefix, _)| !prefix.is_empty()) {
                    Some((prefix, local)) => (prefix, local),
                    None => ("", name),
                };
                if known.insert(name) {
                    let value = value.trim_matches(['"', '\'']).to_owned();
                    let (prefix, local) = (prefix.to_owned(), local.to_owned());
                    node.attributes.push(Attribute { prefix, local, space: String::new(), value });
                }
            }
        }
        if node.data != "xml" {
            node.kind = Kind::Instruction;
            node.instruction = text.trim().to_owned();
        }
        if self.tree.get(self.last).kind == Kind::Document {
            self.level += 1;
        }
        self.last = self.place(node)?;
        Ok(())
    }

    /// Adds a node where its level says.
    fn place(&mut self, node: Node) -> Result<NodeId, Malformed> {
        let node = self.tree.add(Node { level: self.level, ..node });
        let last = self.tree.get(self.last).level;
        if self.level > last {
            self.tree.append(self.last, node);
            return Ok(node);
        }
        for _ in 1..last.saturating_sub(self.level) {
            self.last = self.tree.get(self.last).parent.ok_or(Malformed)?;
        }
        let sibling = if self.level == last { Some(self.last) } else { self.tree.get(self.last).parent };
        let sibling = sibling.ok_or(Malformed)?;
        match self.tree.get(sibling).parent {
            Some(parent) => self.tree.append(parent, node),
            None => {
                self.tree.get_mut(self.tail).next = Some(node);
                self.tree.get_mut(node).previous = Some(self.tail);
                self.tail = node;
            }
        }
        Ok(node)
    }
}
