//! Values from one producer to one consumer: what each call gives, in one process.

use std::time::{Duration, Instant};

use ringway::spsc::{self, Consumer, Producer};
use ringway::{Barrier, RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError, Wait};

use crate::util::Name;

const SOON: Duration = Duration::from_millis(30);

#[test]
fn values_come_out_in_the_order_they_went_in_over_many_laps() {
    for barrier in [Barrier::Auto, Barrier::Fence] {
        let options = Producer::<u64>::options().capacity(4).barrier(barrier);
        let (mut producer, mut consumer) = options.pair().unwrap();
        for lap in 0..100 {
            for i in 0..3 {
                producer.try_send(lap * 3 + i).unwrap();
            }
            for i in 0..3 {
                assert_eq!(consumer.try_recv(), Ok(lap * 3 + i));
            }
        }
        assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
    }
}

#[test]
fn a_full_channel_gives_the_value_back_and_a_read_makes_room() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(2).unwrap();
    producer.try_send(1).unwrap();
    producer.try_send(2).unwrap();
    assert!(producer.is_full());
    assert_eq!(producer.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(TrySendError::Full(3).into_inner(), 3);
    assert_eq!(consumer.try_recv(), Ok(1));
    producer.try_send(3).unwrap();
    assert_eq!((consumer.recv(), consumer.recv()), (Ok(2), Ok(3)));
}

#[test]
fn a_capacity_is_rounded_up_to_a_power_of_two_and_told() {
    for (asked, got) in [(1, 1), (2, 2), (3, 4), (5, 8), (1000, 1024), (1025, 2048)] {
        let (producer, consumer) = spsc::pair::<u32>(asked).unwrap();
        assert_eq!((producer.capacity(), consumer.capacity()), (got, got), "asked for {asked}");
    }
}

#[test]
fn a_channel_of_one_slot_carries_a_stream() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(1).unwrap();
    for n in 0..50 {
        producer.send(n).unwrap();
        assert_eq!(producer.try_send(0), Err(TrySendError::Full(0)));
        assert_eq!(consumer.recv(), Ok(n));
    }
}

#[test]
fn lengths_and_fullness_are_those_of_the_moment() {
    let (mut producer, mut consumer) = spsc::pair::<u8>(4).unwrap();
    assert!(producer.is_empty() && consumer.is_empty() && !producer.is_full());
    for n in 1..=4u8 {
        producer.try_send(n).unwrap();
        assert_eq!((producer.len(), consumer.len()), (n.into(), n.into()));
    }
    assert!(producer.is_full() && !consumer.is_empty());
    consumer.try_recv().unwrap();
    assert_eq!(producer.len(), 3);
}

#[test]
fn batches_are_cut_to_the_room_and_keep_their_order_across_the_end_of_memory() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(8).unwrap();
    let mut buffer = [0; 16];
    let (mut sent, mut received) = (0u64, 0u64);
    for step in 0..100u64 {
        let batch: Vec<u64> = (sent..sent + 1 + step % 11).collect();
        match producer.try_send_batch(&batch) {
            Ok(n) => {
                assert_eq!(n as u64, (batch.len() as u64).min(8 - (sent - received)));
                sent += n as u64;
            }
            Err(error) => assert_eq!((error, sent - received), (TrySendError::Full(()), 8)),
        }
        let wanted = usize::try_from(1 + step % 5).unwrap();
        let there = usize::try_from(sent - received).unwrap();
        let got = consumer.try_recv_batch(&mut buffer[..wanted]).unwrap();
        assert_eq!(got, wanted.min(there));
        for value in &buffer[..got] {
            assert_eq!(*value, received);
            received += 1;
        }
    }
}

#[test]
fn an_empty_batch_is_sent_and_received_at_once_and_changes_nothing() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(2).unwrap();
    assert_eq!(producer.try_send_batch(&[]), Ok(0));
    assert_eq!(producer.send_batch(&[]), Ok(()));
    assert_eq!(consumer.try_recv_batch(&mut []), Ok(0));
    assert_eq!(consumer.recv_batch(&mut []), Ok(0));
    assert_eq!(consumer.try_recv_batch(&mut [0; 2]), Err(TryRecvError::Empty));
    assert!(producer.is_empty());
}

#[test]
fn a_batch_longer_than_the_channel_goes_through_while_somebody_receives() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(8).unwrap();
    let values: Vec<u64> = (0..10_000).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| producer.send_batch(&values).unwrap());
        let (mut buffer, mut received) = ([0; 7], Vec::new());
        while received.len() < values.len() {
            let got = consumer.recv_batch(&mut buffer).unwrap();
            received.extend_from_slice(&buffer[..got]);
        }
        assert_eq!(received, values);
    });
}

#[test]
fn a_reservation_is_sent_by_commit_and_forgotten_by_drop() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(8).unwrap();
    let mut grant = producer.try_reserve(3).unwrap();
    grant.copy_from_slice(&[1, 2, 3]);
    drop(grant);
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
    let mut grant = producer.try_reserve(3).unwrap();
    grant.copy_from_slice(&[4, 5, 6]);
    grant.truncate(2);
    grant.commit().unwrap();
    assert_eq!((consumer.try_recv(), consumer.try_recv()), (Ok(4), Ok(5)));
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn a_reservation_ends_where_the_memory_does() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
    producer.try_send_batch(&[0, 1, 2]).unwrap();
    consumer.try_recv_batch(&mut [0; 3]).unwrap();
    assert_eq!(producer.try_reserve(4).unwrap().len(), 1, "one slot before the end");
    producer.try_send(3).unwrap();
    assert_eq!(producer.try_reserve(9).unwrap().len(), 3);
    assert_eq!(consumer.try_peek(9).unwrap().len(), 1);
}

#[test]
fn a_peek_shows_values_that_stay_until_released() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
    assert!(matches!(consumer.try_peek(1), Err(TryRecvError::Empty)));
    producer.try_send_batch(&[7, 8, 9]).unwrap();
    drop(consumer.try_peek(2).unwrap());
    let mut grant = consumer.try_peek(9).unwrap();
    assert_eq!(*grant, [7, 8, 9]);
    grant.truncate(2);
    grant.release();
    assert_eq!(producer.len(), 1);
    assert_eq!(consumer.try_recv(), Ok(9));
}

#[test]
fn a_zero_time_limit_tries_once() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(1).unwrap();
    assert_eq!(consumer.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    assert_eq!(producer.send_timeout(1, Duration::ZERO), Ok(()));
    assert_eq!(producer.send_timeout(2, Duration::ZERO), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(consumer.recv_timeout(Duration::ZERO), Ok(1));
}

#[test]
fn a_time_limit_is_kept_by_each_way_of_waiting() {
    for wait in [Wait::Spin, Wait::SpinThenPark, Wait::Park] {
        let options = Producer::<u64>::options().capacity(1).wait(wait);
        let (mut producer, mut consumer) = options.pair().unwrap();
        let start = Instant::now();
        assert_eq!(consumer.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
        producer.send(1).unwrap();
        assert_eq!(producer.send_timeout(2, SOON), Err(SendTimeoutError::Timeout(2)));
        assert_eq!(SendTimeoutError::Timeout(2).into_inner(), 2);
        let took = start.elapsed();
        assert!(took >= 2 * SOON && took < 60 * SOON, "{wait:?}: {took:?}");
    }
}

#[test]
fn a_time_limit_too_long_to_express_is_no_limit() {
    let (mut producer, mut consumer) = spsc::pair::<u64>(1).unwrap();
    std::thread::scope(|scope| {
        let receiver = scope.spawn(move || consumer.recv_timeout(Duration::MAX));
        producer.send_timeout(5, Duration::MAX).unwrap();
        assert_eq!(receiver.join().unwrap(), Ok(5));
    });
}

#[test]
fn values_of_no_bytes_are_counted_like_others() {
    let (mut producer, mut consumer) = spsc::pair::<[u8; 0]>(2).unwrap();
    producer.try_send([]).unwrap();
    producer.try_send([]).unwrap();
    assert_eq!(producer.try_send([]), Err(TrySendError::Full([])));
    assert_eq!(consumer.try_recv(), Ok([]));
    assert_eq!(consumer.try_recv(), Ok([]));
    assert_eq!(consumer.try_recv(), Err(TryRecvError::Empty));
}

#[repr(C, align(128))]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Aligned([u64; 16]);

// SAFETY: 128 bytes of numbers, no padding, any bits are a value.
#[allow(unsafe_code, reason = "the derive macros are not for tests that need one type")]
unsafe impl bytemuck::Zeroable for Aligned {}
// SAFETY: as above.
#[allow(unsafe_code, reason = "as above")]
unsafe impl bytemuck::Pod for Aligned {}

#[test]
fn values_are_aligned_as_their_type_asks() {
    let (mut producer, mut consumer) = spsc::pair::<Aligned>(4).unwrap();
    for n in 0..20 {
        let mut grant = producer.try_reserve(1).unwrap();
        assert_eq!(std::ptr::from_ref(&grant[0]).addr() % 128, 0);
        grant[0] = Aligned([n; 16]);
        grant.commit().unwrap();
        assert_eq!(consumer.recv(), Ok(Aligned([n; 16])));
    }
}

#[test]
fn values_in_a_named_channel_outlive_both_ends() {
    let name = Name::new("kept");
    let mut producer = Producer::<u64>::options().capacity(8).create(&name).unwrap();
    producer.send_batch(&[1, 2, 3]).unwrap();
    drop(producer);
    let mut consumer = Consumer::<u64>::options().open(&name).unwrap();
    assert_eq!(consumer.recv(), Ok(1));
    drop(consumer);
    let mut producer = Producer::<u64>::options().open(&name).unwrap();
    assert_eq!(producer.len(), 2);
    let mut consumer = Consumer::<u64>::options().open_or_create(&name).unwrap();
    producer.send(4).unwrap();
    assert_eq!(consumer.recv(), Ok(2));
    assert_eq!(consumer.recv(), Ok(3));
    assert_eq!(consumer.recv(), Ok(4));
}

#[test]
fn debug_text_shows_no_payload() {
    let secret = 0x1234_5678_9abc_def0_u64;
    let (mut producer, mut consumer) = spsc::pair::<u64>(4).unwrap();
    let mut grant = producer.try_reserve(2).unwrap();
    grant.fill(secret);
    let mut texts = vec![format!("{grant:?}")];
    grant.commit().unwrap();
    texts.push(format!("{:?}", consumer.try_peek(2).unwrap()));
    texts.extend([format!("{producer:?}"), format!("{consumer:?}")]);
    producer.try_send_batch(&[secret; 2]).unwrap();
    texts.push(format!("{:?}", producer.try_send(secret).unwrap_err()));
    texts.push(format!("{}", producer.try_send(secret).unwrap_err()));
    for text in texts {
        let shows = [format!("{secret}"), format!("{secret:x}")].iter().any(|s| text.contains(s));
        assert!(!text.is_empty() && !shows, "{text}");
    }
}

/// What may go to another thread, and what may be used by several: checked by the compiler.
#[test]
fn ends_go_to_other_threads_and_may_be_looked_at_by_several() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Producer<u64>>();
    is_send_and_sync::<Consumer<u64>>();
    is_send_and_sync::<ringway::Options<Producer<u64>>>();
    is_send_and_sync::<ringway::Error>();
    is_send_and_sync::<TrySendError<u64>>();
    let (producer, consumer) = spsc::pair::<u64>(2).unwrap();
    let threads = [std::thread::spawn(|| drop(producer)), std::thread::spawn(|| drop(consumer))];
    for thread in threads {
        thread.join().unwrap();
    }
}
