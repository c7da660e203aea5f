//! The targets without a fuzzer: over the seeds that are kept, and over inputs of a random number.
//!
//! The number is another each time, and told: `RINGWAY_FUZZ_SEED` brings a run back.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use arbitrary::Arbitrary;
use ringway_fuzz::{attach, locks, meddle, play, words};

/// As long as each target gets random inputs, and as many at least.
const STRETCH: Duration = Duration::from_secs(2);
const MANY: u32 = 100;
/// Far longer than any input takes: what exceeds it hangs.
const LONG: Duration = Duration::from_mins(1);

fn seed() -> u64 {
    let given = std::env::var("RINGWAY_FUZZ_SEED").ok();
    let given = given.map(|text| text.parse().expect("RINGWAY_FUZZ_SEED is a number"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    given.unwrap_or(now.as_secs() << 20 | u64::from(now.subsec_micros()))
}

/// The next of the numbers that a number makes.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The seeds that are kept for `target`.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let entries = directory.read_dir().expect("seeds are kept for each target");
    entries.map(|entry| std::fs::read(entry.expect("a file").path()).expect("a file")).collect()
}

/// Plays all kept seeds and then random inputs for a while. Each has a time limit.
fn try_out<I>(name: &str, target: fn(&I))
where
    I: for<'b> Arbitrary<'b> + 'static,
{
    let (seed, kept) = (seed(), kept(name));
    println!("{name}: RINGWAY_FUZZ_SEED={seed}, {} kept seeds", kept.len());
    assert!(!kept.is_empty(), "no seeds of {name}");
    let (told, hear) = channel();
    let worker = std::thread::spawn(move || {
        let mut count = 0;
        let mut try_one = |bytes: &[u8]| {
            play(bytes, target);
            count += 1;
            let _ = told.send(count);
        };
        for bytes in &kept {
            try_one(bytes);
        }
        let (start, mut state) = (Instant::now(), seed);
        let mut random = 0;
        while random < MANY || start.elapsed() < STRETCH {
            random += 1;
            let len = 8 + next(&mut state) % 64;
            let bytes: Vec<u8> = (0..len).flat_map(|_| next(&mut state).to_le_bytes()).collect();
            try_one(&bytes);
        }
    });
    let mut count = 0;
    loop {
        match hear.recv_timeout(LONG) {
            Ok(played) => count = played,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("{name}: input {count} of {seed} hangs"),
        }
    }
    println!("{name}: {count} inputs");
    if let Err(panic) = worker.join() {
        eprintln!("{name}: input {count} of {seed}");
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn files_of_any_content_are_refused_or_work() {
    try_out("attach", attach::run);
}

#[test]
fn words_written_by_strangers_harm_nobody() {
    try_out("meddle", meddle::run);
}

#[test]
fn locks_whose_words_strangers_write_end_each_call() {
    try_out("locks", locks::run);
}

#[test]
fn rings_of_any_words_are_read_as_the_format_says() {
    try_out("words", words::run);
}
