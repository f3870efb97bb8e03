//! Protobuf fields as they are written, one after the other (protobuf encoding, "Message Structure"). For answers that are
//! made for every call: building maps and lists of texts first costs more than the decision.

use prost::encoding::{encode_varint, encoded_len_varint};

/// The fields of one message.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<u8>);

/// The key of a field: its number and wire type in one. All numbers here are below 16, so that a key is one byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key(u8);

impl Key {
    /// Texts, bytes and messages.
    pub(super) const fn delimited(number: u8) -> Self {
        Self(number << 3 | 2)
    }

    pub(super) const fn varint(number: u8) -> Self {
        Self(number << 3)
    }

    pub(super) const fn fixed64(number: u8) -> Self {
        Self(number << 3 | 1)
    }
}

impl Fields {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// A whole text, or a message that is written already.
    pub(super) fn delimited(&mut self, key: Key, content: &[u8]) {
        self.open(key, content.len());
        self.0.extend_from_slice(content);
    }

    /// Begins a message that is to have so many bytes.
    pub(super) fn open(&mut self, key: Key, bytes: usize) {
        self.0.push(key.0);
        encode_varint(bytes as u64, &mut self.0);
    }

    /// A number below 128.
    pub(super) fn small(&mut self, key: Key, number: u8) {
        self.0.extend_from_slice(&[key.0, number & 0x7f]);
    }

    pub(super) fn double(&mut self, key: Key, number: f64) {
        self.0.push(key.0);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Fields of the same message that were written elsewhere.
    pub(super) fn append(&mut self, fields: &Self) {
        self.0.extend_from_slice(&fields.0);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// What [`Fields::delimited`] takes for so many bytes of content.
pub(super) fn delimited_len(content: usize) -> usize {
    1 + encoded_len_varint(content as u64) + content
}

/// What [`Fields::small`] takes.
pub(super) const SMALL_LEN: usize = 2;
/// What [`Fields::double`] takes.
pub(super) const DOUBLE_LEN: usize = 9;
