//! Records filled and read in place.

use std::time::Duration;

use ringway::pipe;
use ringway::{RecvError, RecvTimeoutError, SendError, TryRecvError};

use crate::util::LONG;

#[test]
fn a_record_is_filled_in_place_and_sent_by_commit() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    let mut grant = here.try_reserve(5).unwrap();
    grant.copy_from_slice(b"hello");
    grant.commit().unwrap();
    let mut grant = here.reserve(9).unwrap();
    grant[..2].copy_from_slice(b"hi");
    grant.truncate(2);
    grant.commit().unwrap();
    here.reserve_timeout(0, Duration::ZERO).unwrap().commit().unwrap();
    assert_eq!(there.recv().unwrap(), b"hello");
    assert_eq!(there.recv().unwrap(), b"hi");
    assert_eq!(there.recv().unwrap(), b"");
}

#[test]
fn a_reservation_that_is_dropped_never_happened() {
    let (mut here, mut there) = pipe::pair(64).unwrap();
    for n in 0..100u8 {
        here.try_reserve(usize::from(n % 25)).unwrap().fill(0xee);
        assert_eq!(there.try_recv(), Err(TryRecvError::Empty));
        here.send(&[n]).unwrap();
        assert_eq!(there.recv().unwrap(), [n]);
    }
}

#[test]
fn a_record_cut_to_nothing_is_an_empty_record() {
    let (mut here, mut there) = pipe::pair(64).unwrap();
    for _ in 0..20 {
        let mut grant = here.try_reserve(24).unwrap();
        grant.truncate(0);
        grant.truncate(10);
        grant.commit().unwrap();
        assert_eq!(there.recv().unwrap(), b"");
    }
}

#[test]
fn a_peeked_record_stays_until_it_is_released() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    assert!(matches!(there.try_peek(), Err(TryRecvError::Empty)));
    let late = there.peek_timeout(Duration::ZERO).unwrap_err();
    assert_eq!(late, RecvTimeoutError::Timeout);
    here.send(b"one").unwrap();
    here.send(b"two").unwrap();
    assert_eq!(*there.try_peek().unwrap(), *b"one");
    assert_eq!(*there.peek().unwrap(), *b"one");
    there.peek_timeout(LONG).unwrap().release();
    assert_eq!(there.recv().unwrap(), b"two");
    assert!(there.receiver().unwrap().is_empty());
}

#[test]
fn a_peeked_record_is_room_for_the_sender_only_once_released() {
    let (mut here, mut there) = pipe::pair(64).unwrap();
    while here.try_send(b"12345678").is_ok() {}
    drop(there.try_peek().unwrap());
    assert!(here.try_send(b"x").is_err());
    there.try_peek().unwrap().release();
    here.try_send(b"x").unwrap();
}

#[test]
fn a_grant_taken_before_the_close_sends_nothing_after_it() {
    let (mut here, mut there) = pipe::pair(64).unwrap();
    here.send(b"before").unwrap();
    let mut grant = here.try_reserve(5).unwrap();
    grant.copy_from_slice(b"after");
    there.close();
    assert_eq!(grant.commit(), Err(SendError::Closed(())));
    assert_eq!(there.recv().unwrap(), b"before");
    assert_eq!(there.recv(), Err(RecvError::Closed));
}

#[test]
fn debug_text_shows_no_record() {
    let (mut here, mut there) = pipe::pair(256).unwrap();
    let mut grant = here.try_reserve(6).unwrap();
    grant.copy_from_slice(b"secret");
    let mut texts = vec![format!("{grant:?}")];
    grant.commit().unwrap();
    texts.push(format!("{:?}", there.try_peek().unwrap()));
    texts.extend([format!("{here:?}"), format!("{there:?}")]);
    let bytes = format!("{:?}", b"secret");
    for text in texts {
        assert!(!text.is_empty() && !text.contains("secret") && !text.contains(&bytes), "{text}");
    }
}
