//! XML as a tree of nodes, as `antchfx/xmlquery` builds and writes it. Its oddities are kept: nodes that are put elsewhere
//! stay known to the siblings that they had.

use std::collections::{HashMap, HashSet};

use super::reader::{Charsets, Malformed, Reader, Token};

/// Most bytes that a tree is written as: edits can link it in circles.
pub(super) const MAX_OUTPUT: usize = 16 << 20;

/// Number of a node in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(u32);

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Document,
    /// `<?xml ...?>`
    Declaration,
    Element,
    Text,
    CharData,
    Comment,
    /// `<!...>`
    Notation,
    Instruction,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The name of elements, the content of texts.
    pub(super) data: String,
    pub(super) prefix: String,
    pub(super) space: String,
    pub(super) attributes: Vec<Attribute>,
    instruction: String,
    level: usize,
    pub(super) parent: Option<NodeId>,
    pub(super) first: Option<NodeId>,
    pub(super) last: Option<NodeId>,
    pub(super) previous: Option<NodeId>,
    pub(super) next: Option<NodeId>,
}

#[derive(Debug, Clone)]
pub(super) struct Attribute {
    pub(super) prefix: String,
    pub(super) local: String,
    pub(super) space: String,
    pub(super) value: String,
}

/// Nodes; the first one is the document.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// A tree that cannot be written, or has too many nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

// === impl Node ===

impl Node {
    pub(super) fn new(kind: Kind, data: impl Into<String>) -> Self {
        Self {
            kind,
            data: data.into(),
            prefix: String::new(),
            space: String::new(),
            attributes: Vec::new(),
            instruction: String::new(),
            level: 0,
            parent: None,
            first: None,
            last: None,
            previous: None,
            next: None,
        }
    }

    fn keeps_blanks(&self, before: bool) -> bool {
        let found = self.attributes.iter().find(|found| found.prefix == "xml" && found.local == "space");
        match found.map(|found| found.value.as_str()) {
            Some("preserve") => true,
            Some("default") => false,
            _ => before,
        }
    }
}

// === impl Tree ===

impl Tree {
    pub(super) const ROOT: NodeId = NodeId(0);

    /// A tree of one node.
    pub(super) fn of(root: Node) -> Self {
        Self { nodes: vec![root] }
    }

    /// The tree of a text. One that does not begin with a declaration loses its first node, which stands for it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let mut tree = Builder::new().read(text)?;
        if !text.starts_with(b"<?xml")
            && let Some(first) = tree.get(Self::ROOT).first
        {
            tree.remove(first);
        }
        Ok(tree)
    }

    #[expect(clippy::indexing_slicing, reason = "numbers of nodes are given out by the tree, and nodes stay in it")]
    pub(super) fn get(&self, node: NodeId) -> &Node {
        &self.nodes[node.0 as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "as above")]
    pub(super) fn get_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[node.0 as usize]
    }

    /// Adds a node that has no place yet.
    pub(super) fn add(&mut self, node: Node) -> NodeId {
        // Every node took at least a byte of text, or an edit each.
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        id
    }

    /// Moves the nodes of another tree into this one, and gives the number of its root here.
    pub(super) fn adopt(&mut self, other: Self) -> NodeId {
        let offset = self.nodes.len() as u32;
        let shift = |id: Option<NodeId>| id.map(|id| NodeId(id.0 + offset));
        self.nodes.extend(other.nodes.into_iter().map(|node| Node {
            parent: shift(node.parent),
            first: shift(node.first),
            last: shift(node.last),
            previous: shift(node.previous),
            next: shift(node.next),
            ..node
        }));
        NodeId(offset)
    }

    pub(super) fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.get(node).first, |child| self.get(*child).next)
    }

    /// Makes a node the last child of another one.
    pub(super) fn append(&mut self, parent: NodeId, node: NodeId) {
        let last = if self.get(parent).first.is_none() { None } else { self.get(parent).last };
        let child = self.get_mut(node);
        child.parent = Some(parent);
        child.next = None;
        match last {
            Some(last) => {
                self.get_mut(last).next = Some(node);
                self.get_mut(node).previous = Some(last);
            }
            None => {
                self.get_mut(node).previous = None;
                self.get_mut(parent).first = Some(node);
            }
        }
        self.get_mut(parent).last = Some(node);
    }

    /// Takes a node out of its parent.
    pub(super) fn remove(&mut self, node: NodeId) {
        let (parent, previous, next) = {
            let node = self.get(node);
            (node.parent, node.previous, node.next)
        };
        let Some(parent) = parent else { return };
        if self.get(parent).first == Some(node) {
            self.get_mut(parent).first = next;
        } else if let Some(previous) = previous {
            self.get_mut(previous).next = next;
        }
        if self.get(parent).last == Some(node) {
            self.get_mut(parent).last = previous;
        } else if let Some(next) = next {
            self.get_mut(next).previous = previous;
        }
        let node = self.get_mut(node);
        (node.parent, node.previous, node.next) = (None, None, None);
    }

    /// The texts in a node and below.
    pub(super) fn inner_text(&self, node: NodeId) -> String {
        let mut out = String::new();
        let mut left = vec![node];
        while let Some(node) = left.pop() {
            match self.get(node).kind {
                Kind::Text | Kind::CharData => out.push_str(&self.get(node).data),
                Kind::Comment => {}
                _ => {
                    let from = left.len();
                    left.extend(self.children(node));
                    left.get_mut(from..).unwrap_or_default().reverse();
                }
            }
        }
        out
    }

    /// The children of a node as text.
    pub(super) fn output(&self, node: NodeId) -> Result<String, TooLarge> {
        enum Left {
            Node(NodeId, bool),
            Close(NodeId),
        }
        let mut out = String::new();
        let blanks = self.get(node).keeps_blanks(true);
        // What is left to write, the next one last. A node leaves its next sibling behind, so that circles are noticed.
        let mut left = Vec::new();
        let mut steps = 0;
        left.extend(self.get(node).first.map(|first| Left::Node(first, blanks)));
        while let Some(next) = left.pop() {
            steps += 1;
            if out.len() > MAX_OUTPUT || steps > MAX_OUTPUT {
                return Err(TooLarge);
            }
            match next {
                Left::Close(node) => self.put_end(&mut out, node),
                Left::Node(node, before) => {
                    let found = self.get(node);
                    left.extend(found.next.map(|next| Left::Node(next, before)));
                    let blanks = found.keeps_blanks(before);
                    if self.put_start(&mut out, node, blanks) {
                        left.push(Left::Close(node));
                        left.extend(found.first.map(|first| Left::Node(first, blanks)));
                    }
                }
            }
        }
        Ok(out)
    }

    /// Writes a node up to its children; whether there may be any.
    fn put_start(&self, out: &mut String, node: NodeId, blanks: bool) -> bool {
        let node = self.get(node);
        match node.kind {
            Kind::Text => {
                escape(out, if blanks { &node.data } else { node.data.trim() });
                return false;
            }
            Kind::CharData => {
                out.push_str(&format!("<![CDATA[{}]]>", node.data));
                return false;
            }
            Kind::Comment => {
                out.push_str(&format!("<!--{}-->", node.data));
                return false;
            }
            Kind::Notation => {
                out.push_str(&format!("<!{}>", node.data));
                return false;
            }
            Kind::Instruction => {
                let blank = if node.instruction.is_empty() { "" } else { " " };
                out.push_str(&format!("<?{}{blank}{}?>", node.data, node.instruction));
                return false;
            }
            Kind::Declaration => out.push_str("<?"),
            Kind::Document | Kind::Element => out.push('<'),
        }
        put_name(out, if node.kind == Kind::Declaration { "" } else { &node.prefix }, &node.data);
        for attribute in &node.attributes {
            out.push(' ');
            put_name(out, &attribute.prefix, &attribute.local);
            out.push_str("=\"");
            escape(out, &attribute.value);
            out.push('"');
        }
        out.push_str(if node.kind == Kind::Declaration { "?>" } else { ">" });
        true
    }

    fn put_end(&self, out: &mut String, node: NodeId) {
        let node = self.get(node);
        if node.kind != Kind::Declaration {
            out.push_str("</");
            put_name(out, &node.prefix, &node.data);
            out.push('>');
        }
    }
}

fn put_name(out: &mut String, prefix: &str, local: &str) {
    if !prefix.is_empty() {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(local);
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
}

/// Builds a tree from tokens.
struct Builder {
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
    fn new() -> Self {
        let prefixes = [("http://www.w3.org/XML/1998/namespace".to_owned(), ("xml".to_owned(), 0))];
        let tree = Tree::of(Node::new(Kind::Document, ""));
        Self { tree, level: 0, last: Tree::ROOT, tail: Tree::ROOT, prefixes: prefixes.into() }
    }

    fn read(mut self, text: &[u8]) -> Result<Tree, Malformed> {
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
