//! Questions and answers over one pipe, which goes both ways.
//!
//! `cargo run --release --example ping_pong` starts itself a second time: one asks, the other answers.

use std::env;
use std::error::Error;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use ringway::RecvError;
use ringway::pipe::Connection;

const QUESTIONS: u32 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => ask(),
        Some(name) => answer(&name),
    }
}

fn ask() -> Result<(), Box<dyn Error>> {
    let name = format!("example-ping-pong-{}", std::process::id());
    let mut pipe = Connection::options().remove_when_unused().create(&name)?;
    let mut other = Command::new(env::current_exe()?).arg(&name).spawn()?;

    pipe.send(b"are you there?")?;
    wait_for_first(&mut pipe, &mut other)?;
    assert_eq!(pipe.recv()?, b"are you there? yes");

    let start = Instant::now();
    for n in 0..QUESTIONS {
        pipe.send(n.to_string().as_bytes())?;
        assert_eq!(pipe.recv()?, format!("{n} yes").as_bytes());
    }
    println!("{QUESTIONS} questions, each answered after {:?} (mean)", start.elapsed() / QUESTIONS);
    drop(pipe); // the other side sees that nobody asks any more, and ends
    if other.wait()?.success() { Ok(()) } else { Err("the answering side failed".into()) }
}

/// A peer that has attached cannot vanish unnoticed; one that never came can. So look until it has.
fn wait_for_first(pipe: &mut Connection, other: &mut Child) -> Result<(), Box<dyn Error>> {
    while !pipe.poll(Duration::from_millis(100)) {
        if let Some(status) = other.try_wait()? {
            return Err(format!("the answering side ended with {status}").into());
        }
    }
    Ok(())
}

fn answer(name: &str) -> Result<(), Box<dyn Error>> {
    let mut pipe = Connection::options().open(name)?;
    loop {
        match pipe.recv() {
            Ok(question) => pipe.send(&[&question[..], b" yes"].concat())?,
            Err(RecvError::Disconnected) => return Ok(()), // the other side has left
            Err(why) => return Err(why.into()),
        }
    }
}
