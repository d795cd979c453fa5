//! A record on disk: `len u32 | crc32c u32 | seq u64 | kind u8 | flags u8 | 0 u16 | payload | padding to 8 bytes`.

use crate::record::Seq;

/// Bytes before the payload.
pub(crate) const HEADER: usize = 20;

/// Records begin at multiples of this.
pub(crate) const ALIGN: u64 = 8;

/// `len` counts what follows `len` and the checksum, so that it is never 0 for a record: 0 ends the valid part.
const COUNTED: u32 = 12;

/// The longest payload the format has.
pub(crate) const MAX_PAYLOAD: u64 = 1 << 30;

/// What a record of its own segment takes besides its payload, at most.
pub(crate) const OVERHEAD: u64 = 64 + HEADER as u64 + ALIGN;

/// All records before this one were on the disk when it was written. Such a record behind a damaged one tells that
/// acknowledged records were damaged; any other may be the rest of a group that never came to an end.
pub(crate) const SYNCED_BEFORE: u8 = 1;

/// The part of a record before its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) payload: u32,
    pub(crate) crc: u32,
    pub(crate) seq: Seq,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
}

/// What stands where a record may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The end of the valid part.
    End,
    Frame(Frame),
    /// No record.
    Invalid,
}

// === impl Frame ===

impl Frame {
    /// A record of these parts, with its checksum. Callers have checked the length.
    pub(crate) fn new<'a>(
        salt: u32,
        seq: Seq,
        kind: u8,
        flags: u8,
        parts: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Self {
        let payload = parts.clone().map(<[u8]>::len).sum::<usize>();
        let mut frame =
            Self { payload: u32::try_from(payload).unwrap_or(u32::MAX - COUNTED), crc: 0, seq, kind, flags };
        frame.crc = parts.fold(frame.checksum_start(salt), crc32c::crc32c_append);
        frame
    }

    /// The checksum of what stands before the payload; continue with the payload.
    pub(crate) fn checksum_start(&self, salt: u32) -> u32 {
        let [a, b, c, d, _, _, _, _, counted @ ..] = self.to_bytes();
        crc32c::crc32c_append(crc32c::crc32c_append(salt, &[a, b, c, d]), &counted)
    }

    /// Bytes it takes on disk.
    pub(crate) fn size(&self) -> u64 {
        size(u64::from(self.payload))
    }

    pub(crate) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let fields = [
            &(self.payload + COUNTED).to_le_bytes()[..],
            &self.crc.to_le_bytes(),
            &self.seq.get().to_le_bytes(),
            &[self.kind, self.flags],
        ];
        for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn parse(bytes: &[u8; HEADER]) -> Parsed {
        let Some((len, crc, seq, [kind, flags, reserved @ ..])) = split(bytes) else { return Parsed::Invalid };
        if len == 0 {
            return Parsed::End;
        }
        match len.checked_sub(COUNTED) {
            Some(payload) if u64::from(payload) <= MAX_PAYLOAD && reserved == [0, 0] => {
                Parsed::Frame(Self { payload, crc, seq: Seq::new(seq), kind, flags })
            }
            _ => Parsed::Invalid,
        }
    }
}

/// Bytes that a record of this payload takes on disk.
pub(crate) fn size(payload: u64) -> u64 {
    (payload + HEADER as u64).next_multiple_of(ALIGN)
}

fn split(bytes: &[u8]) -> Option<(u32, u32, u64, [u8; 4])> {
    let (len, bytes) = bytes.split_first_chunk()?;
    let (crc, bytes) = bytes.split_first_chunk()?;
    let (seq, bytes) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*len), u32::from_le_bytes(*crc), u64::from_le_bytes(*seq), *bytes.first_chunk()?))
}
