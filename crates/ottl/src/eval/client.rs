//! What is known about the client that sent the data: the paths below `otelcol.`.

use spanmill_otlp::{Message, Value, put_key_value};

/// Headers of a request, as `otelcol.client.metadata` and `otelcol.grpc.metadata` show them: a list of texts a name. Encoded once a request,
/// and only where a condition asks for it.
#[derive(Debug, Clone, Default)]
pub struct ClientInfo {
    metadata: Vec<u8>,
    grpc: Vec<u8>,
}

/// One of its maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientMap {
    Metadata,
    Grpc,
}

/// The field of the entries; its tag.
pub(crate) const ENTRIES: u32 = 1;
const TAG: u8 = 0x0a;

// === impl ClientInfo ===

impl ClientInfo {
    /// From names in lower case with their values.
    pub fn new<'h>(
        metadata: impl IntoIterator<Item = (&'h str, Vec<&'h str>)>,
        grpc: impl IntoIterator<Item = (&'h str, Vec<&'h str>)>,
    ) -> Self {
        Self { metadata: encode(metadata), grpc: encode(grpc) }
    }

    pub(crate) fn message(&self, map: ClientMap) -> Message<'_> {
        Message::standalone(match map {
            ClientMap::Metadata => &self.metadata,
            ClientMap::Grpc => &self.grpc,
        })
    }
}

fn encode<'h>(headers: impl IntoIterator<Item = (&'h str, Vec<&'h str>)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, values) in headers {
        put_key_value(&mut out, TAG, name, &Value::Strs(&values));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Compiler, Condition, Context, Paths};

    /// Scenario: conditions on headers of a known client, of names in any case, with and without an index; and of nobody.
    /// Guarantees: a header is a list of its values; one that is not there is nil; an index beyond the list is an error.
    #[test]
    fn conditions_on_headers() {
        let info = ClientInfo::new([("x-tenant", vec!["acme", "other"])], [("x-api", vec!["v1"])]);
        let eval = |text: &str, info: Option<&ClientInfo>| {
            let mut compiler = Compiler::new();
            let condition = Condition::parse(&mut compiler, Paths::Unprefixed(Context::Resource), text).unwrap();
            let slots = compiler.finish();
            assert!(slots.reads_client(), "{text}");
            let mut frame = slots.frame();
            if let Some(info) = info {
                frame.enter_client(info);
            }
            condition.eval(&frame).ok()
        };
        for text in [
            r#"otelcol.client.metadata["X-Tenant"][0] == "acme""#,
            r#"otelcol.client.metadata["x-tenant"][1] == "other""#,
            r#"otelcol.grpc.metadata["x-api"][0] == "v1""#,
            r#"otelcol.client.metadata["x-other"] == nil"#,
            r#"ContainsValue(otelcol.client.metadata["x-tenant"], "other")"#,
            r#"Len(otelcol.client.metadata) == 1"#,
        ] {
            assert_eq!(eval(text, Some(&info)), Some(true), "{text}");
        }
        assert_eq!(eval(r#"otelcol.client.metadata["x-tenant"] == "acme""#, Some(&info)), Some(false));
        assert_eq!(eval(r#"otelcol.client.metadata["x-tenant"][2] == "acme""#, Some(&info)), None);
        assert_eq!(eval(r#"otelcol.client.metadata["x-tenant"] == nil"#, None), Some(true));
    }
}
