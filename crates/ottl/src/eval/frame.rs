//! What one evaluation reads: the resource, scope, span and event at hand, each scanned once for all expressions of a
//! program.

use bumpalo::Bump;
use spanmill_otlp::{
    EventRef, Message, Patches, ResourceIx, ResourceRef, ScopeIx, ScopeRef, Slot, SpanIx, SpanRef, ValueRef,
};

use super::client::{ClientInfo, ClientView};
use super::draft::Draft;
use super::fields::{EventFields, ResourceFields, ScopeFields, SpanFields};
use super::level::{EVENT_ATTRIBUTES, Level, RESOURCE_ATTRIBUTES, SCOPE_ATTRIBUTES, SPAN_ATTRIBUTES};
use super::record::Record;
use super::slots::Slots;
use super::table::{Table, Wanted, Whole};

/// A place for the values that expressions read. It is made once a request and moved from span to span. Where statements
/// edit, what they change stands here until the whole is noted in a draft.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    pub(crate) slots: &'a Slots,
    pub(crate) resource: Table<'a>,
    pub(crate) resource_ix: Option<ResourceIx>,
    pub(crate) resource_fields: ResourceFields<'a>,
    pub(crate) scope: Table<'a>,
    pub(crate) scope_ix: Option<ScopeIx>,
    pub(crate) scope_fields: ScopeFields<'a>,
    pub(crate) span: Table<'a>,
    pub(crate) span_ix: Option<SpanIx>,
    /// Filled where the program reads any of them; so are those of the other levels.
    pub(crate) fields: SpanFields<'a>,
    pub(crate) event: Table<'a>,
    pub(crate) event_fields: EventFields<'a>,
    pub(crate) event_index: Option<i64>,
    pub(crate) cache: Table<'a>,
    pub(crate) log: Table<'a>,
    pub(crate) metric: Table<'a>,
    pub(crate) point: Table<'a>,
    /// The log record, or the metric and its point; none where spans are looked at.
    pub(crate) record: Option<Box<Record<'a>>>,
    /// What is needed for editing; none where nothing is edited.
    pub(crate) draft: Option<Box<Draft<'a>>>,
    /// What is known about the client.
    client: Option<ClientView<'a>>,
}

// === impl Slots ===

impl Slots {
    /// A frame for a request that is only read.
    pub fn frame(&self) -> Frame<'_> {
        Frame {
            slots: self,
            resource: Table::new(),
            resource_ix: None,
            resource_fields: ResourceFields::default(),
            scope: Table::new(),
            scope_ix: None,
            scope_fields: ScopeFields::default(),
            span: Table::new(),
            span_ix: None,
            fields: SpanFields::default(),
            event: Table::new(),
            event_fields: EventFields::default(),
            event_index: None,
            cache: Table::new(),
            log: Table::new(),
            metric: Table::new(),
            point: Table::new(),
            record: None,
            draft: None,
            client: None,
        }
    }

    /// The same for a request that a client sent, where it is known.
    pub fn frame_for<'a>(&'a self, client: Option<&'a ClientInfo>) -> Frame<'a> {
        Frame { client: client.map(ClientInfo::view), ..self.frame() }
    }

    /// A frame in which statements edit; what they make goes to the arena.
    pub(crate) fn editing<'a>(&'a self, arena: &'a Bump, patches: Patches) -> Frame<'a> {
        Frame { draft: Some(Box::new(Draft::new(arena, patches))), ..self.frame() }
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Makes the client known that sent the data.
    pub fn enter_client(&mut self, client: &'a ClientInfo) {
        self.client = Some(client.view());
    }

    pub(crate) fn client(&self) -> Option<&ClientView<'a>> {
        self.client.as_ref()
    }

    /// Moves to a resource.
    pub fn enter_resource(&mut self, resource: ResourceRef<'a>) {
        let message = resource.message();
        self.resource_ix = Some(resource.ix());
        self.resource.fill(message, RESOURCE_ATTRIBUTES, &self.slots.resource);
        if self.slots.fields {
            let dropped_attributes = resource.dropped_attributes_count();
            self.resource_fields = ResourceFields { dropped_attributes, schema_url: resource.schema_url() };
        }
    }

    /// Moves to a scope of the resource.
    pub fn enter_scope(&mut self, scope: ScopeRef<'a>) {
        self.scope_ix = Some(scope.ix());
        self.scope.fill(scope.message(), SCOPE_ATTRIBUTES, &self.slots.scope);
        if self.slots.fields {
            self.scope_fields = ScopeFields {
                name: scope.name(),
                version: scope.version(),
                dropped_attributes: scope.dropped_attributes_count(),
                schema_url: scope.schema_url(),
            };
        }
    }

    /// Moves to a span of the scope.
    #[inline]
    pub fn enter_span(&mut self, span: SpanRef<'a>) {
        self.span_ix = Some(span.ix());
        self.read_span(span.message());
    }

    /// Reads a span's message.
    #[inline]
    pub(crate) fn read_span(&mut self, message: Message<'a>) {
        self.span.clear(message, &self.slots.span);
        if self.slots.fields {
            self.fields = SpanFields::default();
            let Self { span: table, fields, slots, .. } = self;
            message.visit(SPAN_ATTRIBUTES, &mut Whole { table, fields, keys: &slots.span });
        } else if self.span.missing > 0 {
            message.visit(SPAN_ATTRIBUTES, &mut Wanted { table: &mut self.span, keys: &self.slots.span });
        }
    }

    /// Moves to an event of the span. `index` is its number among the events, where the caller tells it.
    pub fn enter_event(&mut self, event: EventRef<'a>, index: Option<i64>) {
        self.event_index = index;
        self.event.fill(event.message(), EVENT_ATTRIBUTES, &self.slots.event);
        if self.slots.fields {
            self.event_fields = EventFields {
                time: event.time_unix_nano(),
                name: event.name(),
                dropped_attributes: event.dropped_attributes_count(),
            };
        }
    }

    /// Reads another message at a level; fields that are no attributes stay as they are.
    pub(crate) fn read_table(&mut self, level: Level, message: Message<'a>) {
        let slots = self.slots;
        self.table_mut(level).fill(message, level.attributes(), slots.keys(level));
    }

    #[inline]
    pub(crate) fn slot(&self, level: Level, slot: Slot) -> Option<ValueRef<'a>> {
        self.table(level).values.get(usize::from(slot)).copied().flatten()
    }

    #[inline]
    pub(crate) fn table(&self, level: Level) -> &Table<'a> {
        match level {
            Level::Resource => &self.resource,
            Level::Scope => &self.scope,
            Level::Span => &self.span,
            Level::Event => &self.event,
            Level::Cache => &self.cache,
            Level::Log => &self.log,
            Level::Metric => &self.metric,
            Level::Point => &self.point,
        }
    }

    pub(crate) fn table_mut(&mut self, level: Level) -> &mut Table<'a> {
        match level {
            Level::Resource => &mut self.resource,
            Level::Scope => &mut self.scope,
            Level::Span => &mut self.span,
            Level::Event => &mut self.event,
            Level::Cache => &mut self.cache,
            Level::Log => &mut self.log,
            Level::Metric => &mut self.metric,
            Level::Point => &mut self.point,
        }
    }
}
