//! Moving from node to node.

use super::super::tree::{Kind, NodeId, Tree};
use super::parse::{Test, TestKind};

/// A node, or one of its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Position {
    pub(super) node: NodeId,
    pub(super) attribute: Option<usize>,
}

// === impl Position ===

impl Position {
    pub(super) fn root() -> Self {
        Self { node: Tree::ROOT, attribute: None }
    }

    pub(super) fn is_attribute(self, tree: &Tree) -> bool {
        self.kind(tree) == TestKind::Attribute
    }

    pub(super) fn kind(self, tree: &Tree) -> TestKind {
        match tree.get(self.node).kind {
            Kind::Comment => TestKind::Comment,
            Kind::Text | Kind::CharData | Kind::Notation => TestKind::Text,
            Kind::Declaration | Kind::Document => TestKind::Root,
            Kind::Element if self.attribute.is_some() => TestKind::Attribute,
            Kind::Element | Kind::Instruction => TestKind::Element,
        }
    }

    pub(super) fn local_name(self, tree: &Tree) -> &str {
        let node = tree.get(self.node);
        match self.attribute {
            Some(at) => node.attributes.get(at).map_or("", |found| &found.local),
            None => &node.data,
        }
    }

    pub(super) fn prefix(self, tree: &Tree) -> &str {
        let node = tree.get(self.node);
        match self.attribute.filter(|_| self.is_attribute(tree)) {
            Some(at) => node.attributes.get(at).map_or("", |found| &found.prefix),
            None => &node.prefix,
        }
    }

    pub(super) fn space(self, tree: &Tree) -> &str {
        let node = tree.get(self.node);
        match self.attribute {
            Some(at) => node.attributes.get(at).map_or("", |found| &found.space),
            None => &node.space,
        }
    }

    /// The text of a node; CDATA sections have none of their own.
    pub(super) fn value(self, tree: &Tree) -> Vec<u8> {
        let node = tree.get(self.node);
        match (node.kind, self.attribute) {
            (Kind::Comment | Kind::Text, _) => node.data.clone().into_bytes(),
            (Kind::Element, Some(at)) => {
                node.attributes.get(at).map_or(Vec::new(), |found| found.value.clone().into_bytes())
            }
            (Kind::Element, None) => tree.inner_text(self.node).into_bytes(),
            _ => Vec::new(),
        }
    }

    pub(super) fn fits(self, test: &Test, tree: &Tree) -> bool {
        if test.kind != TestKind::Any && test.kind != self.kind(tree) {
            return false;
        }
        let named = !test.local.is_empty() || !test.prefix.is_empty();
        !named || (test.local == self.local_name(tree) && test.prefix == self.prefix(tree))
    }

    pub(super) fn go_up(&mut self, tree: &Tree) -> bool {
        if self.attribute.take().is_some() {
            return true;
        }
        match tree.get(self.node).parent {
            Some(parent) => {
                self.node = parent;
                true
            }
            None => false,
        }
    }

    pub(super) fn go_next_attribute(&mut self, tree: &Tree) -> bool {
        let next = self.attribute.map_or(0, |at| at + 1);
        let there = next < tree.get(self.node).attributes.len();
        if there {
            self.attribute = Some(next);
        }
        there
    }

    pub(super) fn go_down(&mut self, tree: &Tree) -> bool {
        match tree.get(self.node).first.filter(|_| self.attribute.is_none()) {
            Some(child) => {
                self.node = child;
                true
            }
            None => false,
        }
    }

    pub(super) fn go_first(&mut self, tree: &Tree) {
        while let Some(previous) = tree.get(self.node).previous.filter(|_| self.attribute.is_none()) {
            self.node = previous;
        }
    }

    pub(super) fn go_on(&mut self, tree: &Tree) -> bool {
        self.go_along(tree, |tree, node| tree.get(node).next)
    }

    pub(super) fn go_back(&mut self, tree: &Tree) -> bool {
        self.go_along(tree, |tree, node| tree.get(node).previous)
    }

    /// Past texts of nothing but blanks; where only such follow, the position is the last of them.
    fn go_along(&mut self, tree: &Tree, sibling: fn(&Tree, NodeId) -> Option<NodeId>) -> bool {
        if self.attribute.is_some() {
            return false;
        }
        while let Some(next) = sibling(tree, self.node) {
            self.node = next;
            let node = tree.get(next);
            if node.kind != Kind::Text || !node.data.trim().is_empty() {
                return true;
            }
        }
        false
    }
}
