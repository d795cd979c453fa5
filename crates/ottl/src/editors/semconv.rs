//! `set_semconv_span_name`: names spans as the semantic conventions say, from their attributes.

use std::borrow::Cow;

use spanmill_otlp::{AnyValue, Slot, ValueRef};

use super::{Edit, Editor};
use crate::context::Context;
use crate::eval::EvalError;
use crate::eval::frame::Frame;
use crate::eval::level::Level;
use crate::eval::slots::SlotsBuilder;
use crate::eval::val::put_delimited;
use crate::functions::{ParamKind, optional, required};

pub(super) const EDITORS: &[Editor] = &[Editor {
    name: "set_semconv_span_name",
    params: &[
        required("semconv_version", ParamKind::StrLiteral),
        optional("original_span_name_attribute", ParamKind::StrLiteral),
    ],
    make: |mut given, slots| {
        let (version, original) = (given.text().unwrap_or_default(), given.text());
        check_version(&version)?;
        if original.as_deref() == Some("") {
            return Err("the attribute for the original name cannot have an empty key".to_owned());
        }
        let original = original.and_then(|key| slots.slot(Level::Span, &key));
        Ok(Box::new(SetName { names: Names::new(slots).ok_or("too many attribute keys")?, original }))
    },
    only: Some(Context::Span),
}];

/// The versions of the semantic conventions that are known, both ends included.
const VERSIONS: [(u64, u64, u64); 2] = [(1, 37, 0), (1, 43, 0)];

#[derive(Debug)]
struct SetName {
    names: Names,
    original: Option<Slot>,
}

/// Where the attributes are that names are made of: by their name today, and by the one before.
#[derive(Debug)]
struct Names {
    http_method: [Slot; 2],
    http_route: Slot,
    url_template: Slot,
    rpc_system: [Slot; 2],
    rpc_method: [Slot; 2],
    rpc_service: [Slot; 2],
    db_system: [Slot; 2],
    db_summary: Slot,
    db_operation: [Slot; 2],
    db_namespace: [Slot; 2],
    db_collection: Slot,
    db_procedure: Slot,
    messaging_system: Slot,
    messaging_operation: [Slot; 2],
    messaging_temporary: Slot,
    messaging_anonymous: Slot,
    messaging_template: Slot,
    messaging_destination: [Slot; 2],
    server_address: Slot,
    server_port: Slot,
}

/// The attributes of the span at hand.
struct Attributes<'f, 'a> {
    frame: &'f Frame<'a>,
    names: &'f Names,
}

type Text<'a> = Cow<'a, [u8]>;

/// Versions are read as loosely as Go's library does: `1.43` and `v1.43.0` are the same.
fn check_version(text: &str) -> Result<(), String> {
    let digits = |part: &str| part.parse::<u64>().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
    let mut next = || parts.next().map_or(Some(0), digits);
    let version = match (next(), next(), next()) {
        (Some(major), Some(minor), Some(patch)) if !text.is_empty() => (major, minor, patch),
        _ => return Err(format!("{text:?} is no version of the semantic conventions")),
    };
    let [least, most] = VERSIONS;
    if parts.next().is_some() || version < least || version > most {
        return Err(format!("unsupported version {text:?} of the semantic conventions, known are 1.37.0 to 1.43.0"));
    }
    Ok(())
}

// === impl SetName ===

impl Edit for SetName {
    fn run<'a>(&'a self, frame: &mut Frame<'a>) -> Result<(), EvalError> {
        let before = frame.fields.name;
        let name = Attributes { frame, names: &self.names }.span_name(frame.fields.kind);
        let Some(name) = name.filter(|name| name.as_ref() != before).map(Cow::into_owned) else { return Ok(()) };
        frame.fields.name = frame.keep(&name);
        frame.touch(Level::Span, 5);
        if let Some(original) = self.original {
            let mut scratch = frame.take_scratch();
            put_delimited(&mut scratch, 0x0a, before);
            let value = ValueRef::new(frame.store(scratch));
            frame.put_slot(Level::Span, original, Some(value));
        }
        Ok(())
    }
}

// === impl Names ===

impl Names {
    fn new(slots: &mut SlotsBuilder) -> Option<Self> {
        let mut one = |key| slots.slot(Level::Span, key);
        Some(Self {
            http_method: [one("http.request.method")?, one("http.method")?],
            http_route: one("http.route")?,
            url_template: one("url.template")?,
            rpc_system: [one("rpc.system.name")?, one("rpc.system")?],
            rpc_method: [one("rpc.method")?, one("rpc.grpc.method")?],
            rpc_service: [one("rpc.service")?, one("rpc.grpc.service")?],
            db_system: [one("db.system.name")?, one("db.system")?],
            db_summary: one("db.query.summary")?,
            db_operation: [one("db.operation.name")?, one("db.operation")?],
            db_namespace: [one("db.namespace")?, one("db.name")?],
            db_collection: one("db.collection.name")?,
            db_procedure: one("db.stored_procedure.name")?,
            messaging_system: one("messaging.system")?,
            messaging_operation: [one("messaging.operation.name")?, one("messaging.operation")?],
            messaging_temporary: one("messaging.destination.temporary")?,
            messaging_anonymous: one("messaging.destination.anonymous")?,
            messaging_template: one("messaging.destination.template")?,
            messaging_destination: [one("messaging.destination.name")?, one("messaging.destination")?],
            server_address: one("server.address")?,
            server_port: one("server.port")?,
        })
    }
}

// === impl Attributes ===

impl<'a> Attributes<'_, 'a> {
    /// The name that the conventions give; none where no convention fits.
    fn span_name(&self, kind: i32) -> Option<Text<'a>> {
        let names = self.names;
        let name = match kind {
            2 => self.http(names.http_route).or_else(|| self.rpc()).or_else(|| self.messaging()),
            3 => {
                self.http(names.url_template).or_else(|| self.rpc()).or_else(|| self.db()).or_else(|| self.messaging())
            }
            4 | 5 => self.messaging(),
            _ => None,
        };
        name.filter(|name| !name.is_empty())
    }

    /// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>
    fn http(&self, subject: Slot) -> Option<Text<'a>> {
        let method = self.either(self.names.http_method)?;
        filled(match self.get(subject) {
            Some(subject) => join(&method, " ", &subject),
            None => method,
        })
    }

    /// <https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/>
    fn rpc(&self) -> Option<Text<'a>> {
        let system = self.either(self.names.rpc_system)?;
        let (method, service) = (self.either(self.names.rpc_method), self.either(self.names.rpc_service));
        filled(match (method, service) {
            (Some(method), Some(service)) => join(&service, "/", &method),
            (Some(method), None) => method,
            (None, Some(service)) => join(&service, "/", b"*"),
            (None, None) => system,
        })
    }

    /// <https://opentelemetry.io/docs/specs/semconv/database/database-spans/>
    fn db(&self) -> Option<Text<'a>> {
        let system = self.either(self.names.db_system)?;
        if let Some(summary) = self.get(self.names.db_summary) {
            return filled(summary);
        }
        let operation = self.either(self.names.db_operation).and_then(filled);
        filled(match (operation, self.db_target().and_then(filled)) {
            (Some(operation), Some(target)) => join(&operation, " ", &target),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => system,
        })
    }

    fn db_target(&self) -> Option<Text<'a>> {
        let namespace = self.either(self.names.db_namespace).and_then(filled);
        let within = self.get(self.names.db_collection).or_else(|| self.get(self.names.db_procedure));
        match (namespace, within) {
            (Some(namespace), Some(within)) => Some(join(&namespace, ".", &within)),
            (Some(one), None) | (None, Some(one)) => Some(one),
            (None, None) => self.server(),
        }
    }

    /// <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#span-name>
    fn messaging(&self) -> Option<Text<'a>> {
        let system = self.get(self.names.messaging_system)?;
        let (operation, destination) =
            (self.either(self.names.messaging_operation), self.destination().and_then(filled));
        filled(match (operation, destination) {
            (Some(operation), Some(destination)) => join(&operation, " ", &destination),
            (None, Some(one)) | (Some(one), None) => one,
            (None, None) => system,
        })
    }

    fn destination(&self) -> Option<Text<'a>> {
        let names = self.names;
        if self.is_true(names.messaging_temporary) {
            return Some(Cow::Borrowed(b"(temporary)"));
        }
        if self.is_true(names.messaging_anonymous) {
            return Some(Cow::Borrowed(b"(anonymous)"));
        }
        self.get(names.messaging_template)
            .or_else(|| self.either(names.messaging_destination))
            .or_else(|| self.server())
    }

    fn server(&self) -> Option<Text<'a>> {
        let address = self.get(self.names.server_address)?;
        Some(match self.get(self.names.server_port) {
            Some(port) => join(&address, ":", &port),
            None => address,
        })
    }

    fn is_true(&self, slot: Slot) -> bool {
        self.frame.slot(Level::Span, slot).is_some_and(|value| value.get() == AnyValue::Bool(true))
    }

    fn either(&self, [today, before]: [Slot; 2]) -> Option<Text<'a>> {
        self.get(today).or_else(|| self.get(before))
    }

    /// An attribute as text.
    fn get(&self, slot: Slot) -> Option<Text<'a>> {
        let value = self.frame.slot(Level::Span, slot)?;
        if let AnyValue::Text(text) = value.get() {
            return Some(Cow::Borrowed(text));
        }
        let mut text = Vec::new();
        value.put_text(&mut text);
        Some(Cow::Owned(text))
    }
}

/// A name with something in it.
fn filled(name: Text<'_>) -> Option<Text<'_>> {
    (!name.is_empty()).then_some(name)
}

fn join<'a>(left: &[u8], between: &str, right: &[u8]) -> Text<'a> {
    Cow::Owned([left, between.as_bytes(), right].concat())
}
