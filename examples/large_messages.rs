//! Images of very different sizes from one process to another, written and read where they lie: nothing is copied.
//!
//! `cargo run --example large_messages` starts itself a second time, to receive.

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::Command;

use ringway::queue::Queue;

/// The longest image: a few small ones share blocks that have memory, the others take it when they are made.
const LONGEST: usize = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        None => draw(),
        Some(name) => look(&name),
    }
}

fn draw() -> Result<(), Box<dyn Error>> {
    let name = format!("example-images-{}", std::process::id());
    let options = Queue::<[u8]>::options().capacity(16).blocks(64 << 10, 8);
    let options = options.max_message(LONGEST).attachments(4).remove_when_unused();
    let queue = options.create(&name)?;
    let sender = queue.sender();
    let mut viewer = Command::new(env::current_exe()?).arg(&name).spawn()?;
    for (width, height) in [(8u32, 8u32), (320, 200), (16, 16), (1920, 1080), (4096, 4096)] {
        let mut image = sender.reserve(8 + (width * height) as usize)?;
        image[..4].copy_from_slice(&width.to_le_bytes());
        image[4..8].copy_from_slice(&height.to_le_bytes());
        for (pixel, at) in image[8..].iter_mut().zip(0u32..) {
            *pixel = (at % width + at / width).to_le_bytes()[0];
        }
        image.commit()?;
    }
    queue.close();
    let status = viewer.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the viewer ended with {status}").into()) }
}

fn look(name: &str) -> Result<(), Box<dyn Error>> {
    let receiver = Queue::<[u8]>::options().open(name)?.receiver();
    while let Ok(image) = receiver.recv_guard() {
        let number = |at| image[at..at + 4].try_into().map(u32::from_le_bytes);
        let (width, height) = (number(0)?, number(4)?);
        let bright = image[8..].iter().filter(|pixel| **pixel > 127).count();
        writeln!(std::io::stdout(), "{width} x {height}: {bright} bright pixels")?;
        image.ack();
    }
    Ok(())
}
