//! What a record of the log is: a request, and whose it is where that is known.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use spanmill_store::Owner;
use spanmill_wal::{Payload, Record};

/// A request alone; its spans say whose they are.
const PLAIN: u8 = 0;
/// The length of a tenant in two bytes, the lower one first, the tenant, and the request. Without a tenant the length is zero.
const OWNED: u8 = 1;

/// The kind and the bytes of a record.
pub(crate) fn write(owner: &Owner, request: Bytes) -> (u8, Payload) {
    let Owner::Known(tenant) = owner else { return (PLAIN, request.into()) };
    // Longer names are of no authenticator: their files and claims are bounded.
    let tenant = tenant.as_deref().unwrap_or_default().as_bytes();
    let length = u16::try_from(tenant.len()).unwrap_or(u16::MAX);
    let tenant = tenant.get(..usize::from(length)).unwrap_or_default();
    let mut head = BytesMut::with_capacity(2 + tenant.len());
    head.put_u16_le(length);
    head.put_slice(tenant);
    (OWNED, [head.freeze(), request].into())
}

/// Whose a request is, and the request; nothing where the record is of a later version.
pub(crate) fn read(record: Record) -> Option<(Owner, Bytes)> {
    let Record { kind, mut payload, .. } = record;
    match kind {
        PLAIN => Some((Owner::Attributes, payload)),
        OWNED => {
            let length = usize::from(payload.try_get_u16_le().ok()?);
            let tenant = (payload.len() >= length).then(|| payload.split_to(length))?;
            let tenant = std::str::from_utf8(&tenant).ok().filter(|tenant| !tenant.is_empty()).map(Arc::from);
            Some((Owner::Known(tenant), payload))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use spanmill_wal::Seq;

    use super::*;

    /// Scenario: requests of nobody known, of a tenant, of no tenant; records that are too short or of another kind.
    /// Guarantees: what was written is read, and nothing else.
    #[test]
    fn owners_come_back() {
        let owners = [Owner::Attributes, Owner::Known(None), Owner::Known(Some("shop".into()))];
        for owner in owners {
            let (kind, payload) = write(&owner, Bytes::from_static(b"request"));
            let record = Record { seq: Seq::FIRST, kind, payload: payload.concat() };
            assert_eq!(read(record), Some((owner, Bytes::from_static(b"request"))));
        }
        for (kind, bytes) in [(1, &b"\x01"[..]), (1, b"\x05\0shop"), (2, b"request")] {
            assert_eq!(read(Record { seq: Seq::FIRST, kind, payload: Bytes::copy_from_slice(bytes) }), None);
        }
    }
}
