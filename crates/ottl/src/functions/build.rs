//! Building maps that functions give.

use crate::eval::EvalError;
use crate::eval::val::{MapVal, Val, put_delimited, put_entry};

/// A map under construction. The caller sees to it that keys are not repeated.
#[derive(Debug, Default)]
pub(super) struct MapBuilder {
    out: Vec<u8>,
}

// === impl MapBuilder ===

impl MapBuilder {
    pub(super) fn put(&mut self, key: impl AsRef<[u8]>, value: &Val<'_>) -> Result<(), EvalError> {
        let mut encoded = Vec::new();
        value.encode(&mut encoded)?;
        put_entry(&mut self.out, key.as_ref(), &encoded);
        Ok(())
    }

    pub(super) fn text(&mut self, key: impl AsRef<[u8]>, text: &[u8]) {
        let mut encoded = Vec::with_capacity(text.len() + 4);
        put_delimited(&mut encoded, 0x0a, text);
        put_entry(&mut self.out, key.as_ref(), &encoded);
    }

    pub(super) fn into_val(self) -> Val<'static> {
        Val::Map(MapVal::Encoded(self.out.into()))
    }
}
