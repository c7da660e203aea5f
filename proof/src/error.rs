//! What the library's own files, where models compile them, use of its errors.

/// A member's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberId(pub u16);
