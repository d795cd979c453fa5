//! What is known about the client that sent the data: the paths below `otelcol.`.

use spanmill_otlp::{Message, Value, put_key_value};

/// Headers of a request, as `otelcol.client.metadata` and `otelcol.grpc.metadata` show them: a list of texts a name; where it came from, and
/// what was found out about who sent it. Encoded once a request, and only where a condition or statement asks for it.
#[derive(Debug, Clone, Default)]
pub struct ClientInfo {
    metadata: Vec<u8>,
    grpc: Vec<u8>,
    auth: Vec<u8>,
    address: Option<String>,
}

/// The same, as a frame holds it.
#[derive(Debug, Clone)]
pub(crate) struct ClientView<'a> {
    metadata: Message<'a>,
    grpc: Message<'a>,
    auth: Message<'a>,
    pub(crate) address: Option<&'a str>,
}

/// One of its maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientMap {
    Metadata,
    Grpc,
    /// What an authenticator has found out.
    Auth,
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
        Self { metadata: encode(metadata), grpc: encode(grpc), ..Self::default() }
    }

    /// With the address that the request came from.
    #[must_use]
    pub fn with_address(self, address: Option<String>) -> Self {
        Self { address, ..self }
    }

    /// With what an authenticator has found out, by name.
    #[must_use]
    pub fn with_auth<'h>(self, attributes: impl IntoIterator<Item = (&'h str, &'h str)>) -> Self {
        let mut auth = Vec::new();
        for (name, value) in attributes {
            put_key_value(&mut auth, TAG, name, &Value::Str(value));
        }
        Self { auth, ..self }
    }

    pub(crate) fn view(&self) -> ClientView<'_> {
        let [metadata, grpc, auth] = [&self.metadata, &self.grpc, &self.auth].map(|bytes| Message::standalone(bytes));
        ClientView { metadata, grpc, auth, address: self.address.as_deref() }
    }
}

// === impl ClientView ===

impl<'a> ClientView<'a> {
    pub(crate) fn map(&self, map: ClientMap) -> &Message<'a> {
        match map {
            ClientMap::Metadata => &self.metadata,
            ClientMap::Grpc => &self.grpc,
            ClientMap::Auth => &self.auth,
        }
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
