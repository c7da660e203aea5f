//! What goes through the door and the pipes: frames, each a head in postcard's form and a body of bytes.
//!
//! In every version of the protocol the first four bytes of what goes through the door are the version, then come the length of
//! the pipe's name in a byte and the name; the first four bytes of the answer are the version. All else changes with it. Frames are read from private memory; what makes no sense in them is an error.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::Refusal;
use super::item::ObjectNumber;
use crate::channel::queue::postcard as form;
use crate::error::Fault;

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;

/// The longest method, type or object name.
pub(super) const LONGEST_NAME: usize = 200;

/// Who wants in, through the door.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    /// Of the server that the session is at; zero for any.
    pub incarnation: u64,
    /// Whose connection it is to be; zero for a new session, of which it is the first.
    pub session: u64,
}

/// The answer to [`Hello`], through the pipe.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Welcome {
    /// Of the server: another each time that one is bound.
    pub incarnation: u64,
    pub session: u64,
    /// The longest request.
    pub max_request: u64,
}

/// What a client sends through a pipe.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Request<'a> {
    /// The body is the arguments.
    Call { request: u64, object: ObjectNumber, method: &'a str },
    /// The object of that name, made if there is none, or a new one without a name. The body is the arguments.
    Create { request: u64, ty: &'a str, name: Option<&'a str>, fingerprint: [u8; 16] },
    /// The session has one reference less.
    Release { object: ObjectNumber },
    /// The answer to that request was taken, all of it.
    Ack { request: u64 },
    /// The wait for the answer to that request is given up.
    Cancel { request: u64 },
    /// The body is the next part of a request of `total` bytes in all.
    Part { request: u64, total: u64 },
    /// The next part of an answer.
    More { request: u64 },
    /// The session ends in order.
    Goodbye,
    /// The references that came with the answer to that request are the client's from now on.
    Took { request: u64 },
}

/// What the server sends through a pipe.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// The body is the answer; the session has a reference more for each of `references`, once it says that it took them.
    Answer { request: u64, needs_ack: bool, references: Vec<ObjectNumber> },
    /// None.
    Refused { request: u64, why: Refusal },
    /// The body is the next part of a reply of `total` bytes in all.
    Part { request: u64, total: u64 },
}

/// Appends `value`'s form.
pub(super) fn append<T: Serialize + ?Sized>(value: &T, to: &mut Vec<u8>) -> Result<(), Fault> {
    form::append(value, to)
}

/// Appends the form of a value that is to be kept.
pub(super) fn append_kept<T: Serialize + ?Sized>(value: &T, to: &mut Vec<u8>) -> Result<(), Fault> {
    form::append_limited(value, to)
}

/// Appends the count that a sequence begins with.
pub(super) fn append_count(count: usize, to: &mut Vec<u8>) {
    append(&count, to).expect("a number has a form");
}

/// The `T` that `rest` begins with, which it leaves.
pub(super) fn read_first<T: DeserializeOwned>(rest: &mut &[u8]) -> Result<T, Fault> {
    let (value, len) = form::read_first(rest)?;
    *rest = &rest[len..];
    Ok(value)
}

/// Appends a value: its length, its form, its references. `write` appends the form and says what it refers to.
pub(super) fn append_value<E>(
    to: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<Vec<ObjectNumber>, E>,
) -> Result<(), E> {
    let at = to.len();
    to.extend_from_slice(&[0; 4]);
    let references = write(to)?;
    // A value of 4 GiB is longer than any request may be, whatever is said of its length.
    let len = u32::try_from(to.len() - at - 4).unwrap_or(u32::MAX);
    to[at..at + 4].copy_from_slice(&len.to_le_bytes());
    append(&references, to).unwrap_or_else(|_| unreachable!("numbers have a form"));
    Ok(())
}

/// The value that `rest` begins with, which it leaves.
pub(super) fn read_value<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8], Vec<ObjectNumber>), Fault> {
    const SHORT: Fault = Fault::Undecodable("it ends too early");
    let (len, behind) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    let len = u32::from_le_bytes(*len) as usize;
    let (bytes, mut behind) = behind.split_at_checked(len).ok_or(SHORT)?;
    let references: Vec<ObjectNumber> = read_first(&mut behind)?;
    // Each is a number in the value.
    if references.len() > len {
        return Err(Fault::Undecodable("it refers to more than is in it"));
    }
    *rest = behind;
    Ok((bytes, references))
}

/// The head of a frame and its body.
pub(super) fn parse<'a, T: Deserialize<'a>>(frame: &'a [u8]) -> Option<(T, &'a [u8])> {
    postcard::take_from_bytes(frame).ok()
}

/// Who wants in, as the door takes it.
pub(super) fn hello(pipe: &str, hello: &Hello) -> Vec<u8> {
    let mut frame = VERSION.to_le_bytes().to_vec();
    frame.push(u8::try_from(pipe.len()).unwrap_or(u8::MAX));
    frame.extend_from_slice(pipe.as_bytes());
    append(hello, &mut frame).expect("numbers have a form");
    frame
}

/// The name of the pipe, and who wants in if its version is this build's. `None` for garbage.
pub(super) fn read_hello(frame: &[u8]) -> Option<(&str, Option<Hello>)> {
    let (version, rest) = frame.split_first_chunk::<4>()?;
    let (len, rest) = rest.split_first()?;
    let (pipe, rest) = rest.split_at_checked(usize::from(*len))?;
    let pipe = std::str::from_utf8(pipe).ok()?;
    if u32::from_le_bytes(*version) != VERSION {
        return Some((pipe, None));
    }
    Some((pipe, Some(parse(rest)?.0)))
}

/// The answer to a [`Hello`].
pub(super) fn welcome(answer: &Result<Welcome, Refusal>) -> Vec<u8> {
    let mut frame = VERSION.to_le_bytes().to_vec();
    append(answer, &mut frame).expect("it has a form");
    frame
}

/// The answer in `frame`. `Err` with the version if it is another, or none if it is garbage.
pub(super) fn read_welcome(frame: &[u8]) -> Result<Result<Welcome, Refusal>, Option<u32>> {
    let (version, rest) = frame.split_first_chunk::<4>().ok_or(None)?;
    match u32::from_le_bytes(*version) {
        VERSION => Ok(parse(rest).ok_or(None)?.0),
        other => Err(Some(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `read` says of each beginning of `whole` must be nothing.
    fn needs_all_of(whole: &[u8], read: impl Fn(&[u8]) -> bool) {
        assert!(read(whole));
        for len in 0..whole.len() {
            assert!(!read(&whole[..len]), "{len} of {whole:?}");
        }
    }

    #[test]
    fn greetings_that_end_too_early_are_none() {
        let frame = hello("name.c1", &Hello { incarnation: 300, session: 7 });
        needs_all_of(&frame, |frame| matches!(read_hello(frame), Some(("name.c1", Some(_)))));
        let frame = welcome(&Ok(Welcome { incarnation: 1, session: 2, max_request: 3 }));
        needs_all_of(&frame, |frame| matches!(read_welcome(frame), Ok(Ok(_))));
        assert_eq!(read_welcome(b"\x07\0\0\0?").unwrap_err(), Some(7));
        assert!(matches!(read_hello(b"\x07\0\0\0\x01x?"), Some(("x", None))));
        assert!(read_hello(b"\x01\0\0\0\x01\xff").is_none(), "no text");
    }

    #[test]
    fn values_that_end_too_early_are_none_and_what_follows_is_left() {
        let mut frame = Vec::new();
        let numbers = vec![ObjectNumber::of(1), ObjectNumber::of(1 << 40)];
        let written: Result<(), Fault> = append_value(&mut frame, |to| {
            to.extend_from_slice(b"form");
            Ok(numbers.clone())
        });
        written.unwrap();
        needs_all_of(&frame, |frame| read_value(&mut { frame }).is_ok());
        frame.push(9);
        let mut rest = &frame[..];
        assert_eq!(read_value(&mut rest), Ok((&b"form"[..], numbers)));
        assert_eq!(rest, [9]);
    }
}
