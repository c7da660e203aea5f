//! Millions of values of one type from one process to another.
//!
//! `cargo run --release --example spsc_stream` starts itself a second time: that one sends.

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use bytemuck::{Pod, Zeroable};
use ringway::RecvTimeoutError;
use ringway::spsc::{Consumer, Producer};

/// What is sent: plain data without pointers or padding, as `Pod` says.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Trade {
    number: u64,
    price: f64,
    volume: u64,
}

const TRADES: u64 = 5_000_000;

fn trade(number: u64) -> Trade {
    let cents = 10_000 + u16::try_from(number % 1000).unwrap_or(0);
    Trade { number, price: f64::from(cents) / 100.0, volume: number % 97 + 1 }
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(name) = std::env::args().nth(1) {
        let mut producer = Producer::<Trade>::options().open(&name)?;
        return (0..TRADES).try_for_each(|n| Ok(producer.send(trade(n))?));
    }
    let name = format!("example-stream-{}", std::process::id());
    let options = Consumer::<Trade>::options().capacity(1024).remove_when_unused();
    let mut consumer = options.create(&name)?;
    let mut sender = Command::new(std::env::current_exe()?).arg(&name).spawn()?;

    // Until the sender has come, it is for us to see whether it will. Later the channel tells.
    let first = loop {
        match consumer.recv_timeout(Duration::from_millis(100)) {
            Err(RecvTimeoutError::Timeout) if sender.try_wait()?.is_none() => {}
            received => break received?,
        }
    };
    assert_eq!(first, trade(0));
    let start = Instant::now();
    let mut next = 1;
    for received in consumer.iter() {
        assert_eq!(received, trade(next), "every trade, whole and in order");
        next += 1;
    }
    assert_eq!(next, TRADES, "the sender has gone early");
    let each = start.elapsed().as_secs_f64() / f64::from(u32::try_from(TRADES)?);
    println!("{next} trades received and checked, {:.1} million a second", 1e-6 / each);
    if sender.wait()?.success() { Ok(()) } else { Err("the sender failed".into()) }
}
