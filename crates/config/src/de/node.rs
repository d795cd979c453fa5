//! The deserialiser of one node.

use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, Visitor};

use super::DeError;
use super::access::{Items, Keys, Parts, Variant};
use crate::{Map, Node, Value};

/// The newtype name by which a block says: nothing turns me on, `enabled: false` turns me off.
pub(crate) const NULL_TURNS_ON: &str = "spanmill::block::NullTurnsOn";
/// The newtype name by which a block says: nothing leaves me off, `enabled: false` turns me off.
pub(crate) const NULL_STAYS_OFF: &str = "spanmill::block::NullStaysOff";

/// The newtype name by which a text says that it is secret, so that no error repeats it.
pub(crate) const SECRET: &str = "\0secret";

/// The key by which a block is turned off, which its own type does not know.
const ENABLED: &str = "enabled";

/// What nothing (`key:`) means at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    /// The zero of the type: items of lists, values of maps.
    AreZero,
    /// For lists and maps the default of the field, the zero of the type for everything else: fields of structs.
    KeepDefault,
}

/// Deserialises one node.
#[derive(Clone, Copy)]
pub(crate) struct NodeDeserializer<'de> {
    node: &'de Node,
    nulls: Nulls,
    /// Whether the key `enabled` was already used by the block around this node.
    hides_enabled: bool,
    /// Whether its value must not be shown.
    is_secret: bool,
}

// === impl NodeDeserializer ===

impl<'de> NodeDeserializer<'de> {
    pub(crate) fn new(node: &'de Node, nulls: Nulls) -> Self {
        Self { node, nulls, hides_enabled: false, is_secret: false }
    }

    /// Text for a string field: the original text when there is one.
    fn text(&self) -> Option<&'de str> {
        match &self.node.value {
            Value::String(text) => Some(self.node.original().unwrap_or(text)),
            _ => self.node.original(),
        }
    }

    /// Nothing that was written, as opposed to an empty environment variable, which is the zero of every type.
    fn is_unset(&self) -> bool {
        self.node.is_null() && self.node.original().is_none()
    }

    fn keeps_default(&self) -> bool {
        self.is_unset() && self.nulls == Nulls::KeepDefault
    }

    fn wrong_type<V: Visitor<'de>>(self, expected: &str) -> Result<V::Value, DeError> {
        if self.is_secret {
            return Err(DeError::new(format_args!("expected {expected}, found something else, which is not shown")));
        }
        let found = if self.node.put_in { kind(&self.node.value).to_owned() } else { describe(&self.node.value) };
        Err(DeError::new(format_args!("expected {expected}, found {found}")))
    }

    /// The same where several values belong: what stands there may be secret, such as a user with a password.
    fn not_several<V: Visitor<'de>>(self, expected: &str) -> Result<V::Value, DeError> {
        Err(DeError::new(format_args!("expected {expected}, found {}", kind(&self.node.value))))
    }

    fn located<T>(self, result: Result<T, DeError>) -> Result<T, DeError> {
        let is_single = !matches!(self.node.value, Value::List(_) | Value::Map(_));
        result.map_err(|error| if is_single { error.hiding(self.node) } else { error }.at(self.node.place()))
    }

    fn visit_map<V: Visitor<'de>>(self, map: &'de Map, nulls: Nulls, visitor: V) -> Result<V::Value, DeError> {
        let hidden = self.hides_enabled.then_some(ENABLED);
        visitor.visit_map(Keys::new(map, nulls, hidden))
    }

    fn visit_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::UInt(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::List(list) => visitor.visit_seq(Items::new(list)),
            Value::Map(map) => self.visit_map(map, Nulls::AreZero, visitor),
        }
    }

    fn visit_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Null => visitor.visit_bool(false),
            _ => self.wrong_type::<V>("a boolean"),
        }
    }

    fn visit_integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::Int(value) => visitor.visit_i64(*value),
            Value::UInt(value) => visitor.visit_u64(*value),
            Value::Float(value) => match whole(*value) {
                Some(value) => visitor.visit_i64(value),
                None => self.wrong_type::<V>("a whole number"),
            },
            Value::Null => visitor.visit_i64(0),
            _ => self.wrong_type::<V>("a whole number"),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest float is what a float field is given")]
    fn visit_float<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Int(value) => visitor.visit_f64(*value as f64),
            Value::UInt(value) => visitor.visit_f64(*value as f64),
            Value::Null => visitor.visit_f64(0.0),
            _ => self.wrong_type::<V>("a number"),
        }
    }

    fn visit_text<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.text() {
            Some(text) => visitor.visit_borrowed_str(text),
            None if self.node.is_null() => visitor.visit_borrowed_str(""),
            None => self.wrong_type::<V>("a string"),
        }
    }

    fn visit_list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::List(list) => visitor.visit_seq(Items::new(list)),
            Value::Null if self.keeps_default() => Err(DeError::null_keeps_default("a list")),
            Value::Null => visitor.visit_seq(Items::new(&[])),
            Value::String(_) => match self.text() {
                Some(text) => visitor.visit_seq(Parts::new(text)),
                None => self.not_several::<V>("a list"),
            },
            _ => self.not_several::<V>("a list"),
        }
    }

    fn visit_fields<V: Visitor<'de>>(self, nulls: Nulls, visitor: V) -> Result<V::Value, DeError> {
        match &self.node.value {
            Value::Map(map) => self.visit_map(map, nulls, visitor),
            Value::Null if self.keeps_default() => Err(DeError::null_keeps_default("a map")),
            Value::Null => visitor.visit_map(Keys::empty()),
            _ => self.not_several::<V>("a map"),
        }
    }

    /// A block that can be turned on and off.
    fn visit_block<V: Visitor<'de>>(self, null_turns_on: bool, visitor: V) -> Result<V::Value, DeError> {
        let inner = Self { nulls: Nulls::AreZero, hides_enabled: true, ..self };
        match &self.node.value {
            Value::Null if !null_turns_on => visitor.visit_none(),
            Value::Null | Value::Map(_) => match self.node.get(ENABLED).map(Node::value) {
                None | Some(Value::Bool(true)) => visitor.visit_some(inner),
                // Whatever else stands in a block that is off must be valid all the same.
                Some(Value::Bool(false)) => visitor.visit_newtype_struct(inner),
                Some(other) => Err(DeError::new(format_args!("expected a boolean, found {}", kind(other)))
                    .at(self.node.get(ENABLED).and_then(Node::place))
                    .within(crate::node::Step::Key(ENABLED.to_owned()))),
            },
            _ => self.not_several::<V>("a map"),
        }
    }
}

macro_rules! through {
    ($($name:ident => $visit:ident),* $(,)?) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
            self.located(self.$visit(visitor))
        })*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = DeError;

    through! {
        deserialize_any => visit_any,
        deserialize_bool => visit_bool,
        deserialize_i8 => visit_integer,
        deserialize_i16 => visit_integer,
        deserialize_i32 => visit_integer,
        deserialize_i64 => visit_integer,
        deserialize_u8 => visit_integer,
        deserialize_u16 => visit_integer,
        deserialize_u32 => visit_integer,
        deserialize_u64 => visit_integer,
        deserialize_f32 => visit_float,
        deserialize_f64 => visit_float,
        deserialize_char => visit_text,
        deserialize_str => visit_text,
        deserialize_string => visit_text,
        deserialize_bytes => visit_text,
        deserialize_byte_buf => visit_text,
        deserialize_identifier => visit_text,
        deserialize_seq => visit_list,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let result = if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) };
        self.located(result)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let result = if self.node.is_null() { visitor.visit_unit() } else { self.wrong_type::<V>("nothing") };
        self.located(result)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, DeError> {
        let result = match name {
            NULL_TURNS_ON => self.visit_block(true, visitor),
            NULL_STAYS_OFF => self.visit_block(false, visitor),
            SECRET => visitor.visit_newtype_struct(Self { is_secret: true, ..self }),
            _ => visitor.visit_newtype_struct(self),
        };
        self.located(result)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _length: usize, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.located(self.visit_fields(Nulls::AreZero, visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.located(self.visit_fields(Nulls::KeepDefault, visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        let result = match (&self.node.value, self.text()) {
            (Value::Map(map), _) => match (map.len(), map.first()) {
                (1, Some((key, entry))) => visitor.visit_enum(Variant::new(key, entry)),
                _ => self.not_several::<V>("a map of one key"),
            },
            (_, Some(text)) => {
                let variant: StrDeserializer<'_, DeError> = text.into_deserializer();
                visitor.visit_enum(variant)
            }
            (Value::Null, None) if variants.contains(&"") => {
                let nothing: StrDeserializer<'_, DeError> = "".into_deserializer();
                visitor.visit_enum(nothing)
            }
            (Value::Null, None) => Err(DeError::unknown_variant("", variants)),
            _ => self.wrong_type::<V>("a string"),
        };
        self.located(result)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_unit()
    }
}

/// The integer part of a float that an integer can hold, as the Collector takes it.
#[expect(clippy::cast_possible_truncation, reason = "checked to be in range; the fraction is dropped on purpose")]
fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    (-LIMIT..LIMIT).contains(&value).then_some(value as i64)
}

/// What a value is, without itself.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}

/// A value in a user's words.
fn describe(value: &Value) -> String {
    match value {
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Int(value) => format!("the number {value}"),
        Value::UInt(value) => format!("the number {value}"),
        Value::Float(value) => format!("the number {value}"),
        Value::String(text) => format!("the string {text:?}"),
        Value::Null | Value::List(_) | Value::Map(_) => kind(value).to_owned(),
    }
}
