//! The yardstick: a server at a Unix socket, a thread for each client, with the same heads, values and dispatch.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

/// What is asked.
#[derive(Serialize, Deserialize)]
struct Request<'a> {
    id: u64,
    object: u64,
    method: &'a str,
}

/// What is answered.
#[derive(Serialize, Deserialize)]
struct Reply {
    id: u64,
    result: Result<(), u32>,
}

/// Each object is the bytes of its value.
type Objects = Mutex<HashMap<u64, Vec<u8>>>;

pub fn path_of(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ringway-{name}.socket"))
}

/// Serves until its orders end.
pub fn serve(name: &str) {
    let listener = UnixListener::bind(path_of(name)).expect("a free name");
    std::thread::spawn(move || {
        let objects: &'static Objects = Box::leak(Box::default());
        for stream in listener.incoming() {
            let stream = stream.expect("a client");
            std::thread::spawn(move || converse(Frames::new(stream), objects));
        }
    });
}

pub fn remove(name: &str) {
    std::fs::remove_file(path_of(name)).expect("it was bound");
}

/// Answers one client until it leaves.
fn converse(mut frames: Frames, objects: &Objects) -> Option<()> {
    let mut answer = Vec::new();
    loop {
        let frame = frames.receive()?;
        let (request, arguments) = postcard::take_from_bytes::<Request<'_>>(frame).ok()?;
        begin(&mut answer);
        let mut objects = objects.lock().ok()?;
        dispatch(&request, arguments, &mut objects, &mut answer);
        drop(objects);
        send(&mut frames.stream, &mut answer)?;
    }
}

fn dispatch(
    request: &Request<'_>,
    arguments: &[u8],
    objects: &mut HashMap<u64, Vec<u8>>,
    answer: &mut Vec<u8>,
) {
    let value = objects.entry(request.object).or_default();
    let result = match request.method {
        "set" => {
            value.clear();
            value.extend_from_slice(arguments);
            Ok(())
        }
        "get" => Ok(()),
        _ => Err(1),
    };
    put(&Reply { id: request.id, result }, answer);
    if request.method == "get" {
        answer.extend_from_slice(value);
    }
}

/// A client's side.
pub struct Caller {
    frames: Frames,
    request: Vec<u8>,
    id: u64,
    object: u64,
}

impl Caller {
    pub fn new(name: &str, object: u64) -> Self {
        let stream = UnixStream::connect(path_of(name)).expect("the server");
        Self { frames: Frames::new(stream), request: Vec::new(), id: 0, object }
    }

    pub fn set<T: Serialize>(&mut self, value: &T) {
        self.call("set", |request| put(value, request));
    }

    pub fn get<T: for<'de> Deserialize<'de>>(&mut self) -> T {
        let answer = self.call("get", |_| ());
        postcard::from_bytes(answer).expect("a value")
    }

    fn call(&mut self, method: &str, arguments: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        self.id += 1;
        begin(&mut self.request);
        put(&Request { id: self.id, object: self.object, method }, &mut self.request);
        arguments(&mut self.request);
        send(&mut self.frames.stream, &mut self.request).expect("the server is there");
        let frame = self.frames.receive().expect("an answer");
        let (reply, rest): (Reply, _) = postcard::take_from_bytes(frame).expect("a reply");
        assert_eq!((reply.id, reply.result), (self.id, Ok(())));
        rest
    }
}

/// Room for the length of a frame.
fn begin(frame: &mut Vec<u8>) {
    frame.clear();
    frame.extend_from_slice(&[0; 4]);
}

fn put<T: Serialize>(value: &T, frame: &mut Vec<u8>) {
    *frame = postcard::to_extend(value, std::mem::take(frame)).expect("there is memory");
}

fn send(stream: &mut UnixStream, frame: &mut [u8]) -> Option<()> {
    let len = u32::try_from(frame.len() - 4).ok()?;
    frame[..4].copy_from_slice(&len.to_le_bytes());
    stream.write_all(frame).ok()
}

/// Frames from a stream: one read for each, where it is there.
struct Frames {
    stream: UnixStream,
    buffer: Vec<u8>,
    /// What of the buffer was received, and what of that was given out.
    end: usize,
    begin: usize,
}

impl Frames {
    fn new(stream: UnixStream) -> Self {
        Self { stream, buffer: vec![0; 128 << 10], end: 0, begin: 0 }
    }

    /// The next, or nothing once the other side has left.
    fn receive(&mut self) -> Option<&[u8]> {
        self.buffer.copy_within(self.begin..self.end, 0);
        (self.begin, self.end) = (0, self.end - self.begin);
        self.fill(4)?;
        let len = u32::from_le_bytes(self.buffer[..4].try_into().ok()?);
        let whole = 4 + usize::try_from(len).ok()?;
        self.fill(whole)?;
        self.begin = whole;
        Some(&self.buffer[4..whole])
    }

    fn fill(&mut self, wanted: usize) -> Option<()> {
        while self.end < wanted {
            match self.stream.read(&mut self.buffer[self.end..]).ok()? {
                0 => return None,
                count => self.end += count,
            }
        }
        Some(())
    }
}
