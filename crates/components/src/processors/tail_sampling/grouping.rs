//! Requests by trace: what a request holds of each trace becomes a request of its own, cut out of the bytes as they are.

use std::collections::HashMap;

use prost::encoding::{encode_varint, encoded_len_varint};
use spanmill_otlp::{Message, Payload, Traces};

/// Sixteen bytes, or zeros where a span has no valid one.
pub(super) type TraceId = [u8; 16];

/// What one resource of a request holds of a trace.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) id: TraceId,
    pub(super) spans: u64,
    /// Whether there is a span without a parent among them.
    pub(super) has_root: bool,
    /// Size of the resource with its spans, as the Collector encodes it.
    pub(super) size: u64,
    /// An encoded request of that resource.
    pub(super) bytes: Vec<u8>,
}

/// What an encoded resource or scope is without what belongs to it.
#[derive(Default)]
struct Header {
    bytes: Vec<u8>,
    /// As the Collector encodes it: always there, and without the schema URL, which it loses.
    size: usize,
}

/// Spans of one scope in a row.
struct Run<'a> {
    scope: &'a Header,
    spans: Vec<&'a [u8]>,
    len: usize,
    size: usize,
}

/// What a resource holds of a trace, before it is written.
struct Group<'a> {
    id: TraceId,
    has_root: bool,
    runs: Vec<Run<'a>>,
}

/// The fields of a span that matter here.
struct Ids {
    trace: TraceId,
    is_root: bool,
    /// Size as the Collector encodes it: ids and the status are always there.
    size: usize,
}

/// Encoded size of a field without contents.
const EMPTY_FIELD: usize = 2;

/// All that a request holds, in order of the resources and then of the traces as they occur.
pub(super) fn pieces(traces: &Traces) -> Vec<Piece> {
    let request = traces.encode();
    let mut pieces = Vec::new();
    for resource in bodies(&request, 1) {
        let (header, scopes) = split(resource);
        let scopes: Vec<(Header, Vec<&[u8]>)> = scopes.into_iter().map(split).collect();
        pieces.extend(groups(&scopes).into_iter().map(|group| group.write(&header)));
    }
    pieces
}

/// The parts of a resource by trace.
fn groups<'a>(scopes: &'a [(Header, Vec<&'a [u8]>)]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: HashMap<TraceId, usize, ahash::RandomState> = HashMap::default();
    let mut last = None;
    for (scope, spans) in scopes {
        for span in spans {
            let ids = Ids::of(span);
            // Spans of a trace often come in a row.
            let at = match last {
                Some((id, at)) if id == ids.trace => at,
                _ => *known.entry(ids.trace).or_insert_with(|| {
                    groups.push(Group { id: ids.trace, has_root: false, runs: Vec::new() });
                    groups.len() - 1
                }),
            };
            last = Some((ids.trace, at));
            if let Some(group) = groups.get_mut(at) {
                group.push(scope, span, &ids);
            }
        }
    }
    groups
}

/// The bodies of a repeated field of an encoded message.
fn bodies(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Message::standalone(message).fields().filter_map(move |field| match field.payload {
        Payload::Bytes(body) if field.number == number => Some(body),
        _ => None,
    })
}

/// What `ResourceSpans` and `ScopeSpans` have in common: the resource or scope and the schema URL, still encoded, and what belongs to it.
fn split(message: &[u8]) -> (Header, Vec<&[u8]>) {
    let (mut header, mut children) = (Header::default(), Vec::new());
    for field in Message::standalone(message).fields() {
        match (field.number, field.payload) {
            (2, Payload::Bytes(child)) => children.push(child),
            (number @ (1 | 3), Payload::Bytes(body)) => {
                put_head(&mut header.bytes, number, body.len());
                header.bytes.extend_from_slice(body);
                if number == 1 {
                    header.size = field_len(body.len());
                }
            }
            _ => {}
        }
    }
    header.size = header.size.max(EMPTY_FIELD);
    (header, children)
}

// === impl Ids ===

impl Ids {
    fn of(span: &[u8]) -> Self {
        let mut ids = Self { trace: [0; 16], is_root: true, size: span.len() };
        // Trace id, span id, parent and status.
        let mut absent = [1, 2, 4, 15];
        for field in Message::standalone(span).fields() {
            match (field.number, field.payload) {
                (1, Payload::Bytes(id)) => ids.trace = id.try_into().unwrap_or([0; 16]),
                (4, Payload::Bytes(parent)) => ids.is_root = parent.iter().all(|byte| *byte == 0),
                _ => {}
            }
            if let Some(number) = absent.iter_mut().find(|number| **number == field.number) {
                *number = 0;
            }
        }
        ids.size += EMPTY_FIELD * absent.iter().filter(|number| **number != 0).count();
        ids
    }
}

// === impl Group ===

impl<'a> Group<'a> {
    fn push(&mut self, scope: &'a Header, span: &'a [u8], ids: &Ids) {
        self.has_root |= ids.is_root;
        let (len, size) = (field_len(span.len()), field_len(ids.size));
        match self.runs.last_mut() {
            Some(run) if std::ptr::eq(run.scope, scope) => {
                run.spans.push(span);
                run.len += len;
                run.size += size;
            }
            _ => {
                let (len, size) = (scope.bytes.len() + len, scope.size + size);
                self.runs.push(Run { scope, spans: vec![span], len, size });
            }
        }
    }

    fn write(self, header: &Header) -> Piece {
        let size = header.size + self.runs.iter().map(|run| field_len(run.size)).sum::<usize>();
        let body = header.bytes.len() + self.runs.iter().map(|run| field_len(run.len)).sum::<usize>();
        let mut bytes = Vec::with_capacity(field_len(body));
        put_head(&mut bytes, 1, body);
        bytes.extend_from_slice(&header.bytes);
        for run in &self.runs {
            put_head(&mut bytes, 2, run.len);
            bytes.extend_from_slice(&run.scope.bytes);
            for span in &run.spans {
                put_head(&mut bytes, 2, span.len());
                bytes.extend_from_slice(span);
            }
        }
        let spans = self.runs.iter().map(|run| run.spans.len() as u64).sum();
        Piece { id: self.id, spans, has_root: self.has_root, size: size as u64, bytes }
    }
}

/// Begins a length-delimited field, one of the first fifteen.
fn put_head(out: &mut Vec<u8>, number: u32, len: usize) {
    out.push((number as u8) << 3 | 2);
    encode_varint(len as u64, out);
}

/// Encoded size of such a field.
pub(super) fn field_len(body: usize) -> usize {
    1 + encoded_len_varint(body as u64) + body
}
