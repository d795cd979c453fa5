//! XML as a tree of nodes, as `antchfx/xmlquery` builds and writes it. Its oddities are kept: nodes that are put elsewhere
//! stay known to the siblings that they had.

use super::builder::Builder;
use super::reader::Malformed;

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
    pub(super) instruction: String,
    pub(super) level: usize,
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
