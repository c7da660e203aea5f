//! Hazard: what a row was about and what it counted are taken from two things that it was about one after the other.
#![cfg(loom)]

use std::sync::Arc;

use loom_tests::model;
use ringway::parts::AtomicU64;
use ringway::parts::lock::row::Row;

/// An edition and two numbers.
fn words() -> Arc<[AtomicU64; 3]> {
    Arc::new([AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)])
}

fn row(words: &[AtomicU64; 3]) -> Row<'_> {
    Row::new(words).expect("there is an edition")
}

#[test]
fn what_is_read_is_about_one_thing() {
    model(|| {
        let words = words();
        let edition = row(&words).begin(0, &[1, 10]);
        let writer = Arc::clone(&words);
        let writer = loom::thread::spawn(move || {
            row(&writer).begin(edition, &[2, 20]);
        });
        let mut found = [0; 2];
        if row(&words).read_once(&mut found) {
            assert!(found == [1, 10] || found == [2, 20], "{found:?}");
        }
        writer.join().unwrap();
    });
}

#[test]
fn what_is_counted_is_counted_for_what_the_row_is_about() {
    model(|| {
        let words = words();
        let edition = row(&words).begin(0, &[1, 10]);
        let writer = Arc::clone(&words);
        let writer = loom::thread::spawn(move || {
            let row = row(&writer);
            row.begin(edition, &[2, 20]);
            row.set(1, 21);
        });
        let mut found = [0; 2];
        if row(&words).read_once(&mut found) {
            assert!(found == [1, 10] || found == [2, 20] || found == [2, 21], "{found:?}");
        }
        writer.join().unwrap();
    });
}
