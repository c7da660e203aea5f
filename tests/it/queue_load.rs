//! A queue whose handles come and go under load, and one that is as small as can be.

use std::time::{Duration, Instant};

use ringway::queue::Queue;
use ringway::{RecvTimeoutError, TryRecvError, TrySendError};

use crate::queue_streams::{Ledger, Value, settle, value};
use crate::util::LONG;

#[test]
fn handles_come_and_go_under_load_and_nothing_is_lost_or_disconnected() {
    let queue = Queue::<Value>::options().capacity(8).unnamed().unwrap();
    let (keep_sending, keep_receiving) = (queue.sender(), queue.receiver());
    std::thread::scope(|scope| {
        let senders = [0, 1].map(|number| {
            let queue = &queue;
            scope.spawn(move || {
                for n in 0..4_000 {
                    queue.sender().clone().send_timeout(value(number, n), LONG).unwrap();
                }
            })
        });
        let receivers = [0, 1].map(|_| {
            let queue = &queue;
            scope.spawn(move || {
                let mut ledger = Ledger::default();
                loop {
                    match queue.receiver().clone().recv_timeout(LONG) {
                        Ok(value) => ledger.enter(value),
                        Err(end) => {
                            assert_eq!(end, RecvTimeoutError::Closed);
                            return ledger.told();
                        }
                    }
                }
            })
        });
        for thread in senders {
            thread.join().unwrap();
        }
        queue.close();
        settle(receivers.into_iter().map(|thread| thread.join().unwrap()), 2, 4_000);
    });
    drop((keep_sending, keep_receiving));
}

#[test]
fn a_healthy_ring_of_two_slots_with_preempted_readers_is_never_corrupt() {
    for capacity in [1, 2] {
        let queue = Queue::<u64>::options().capacity(capacity).unnamed().unwrap();
        let (each, _keep) = (100_000u64, queue.sender());
        let end = Instant::now() + Duration::from_secs(1);
        std::thread::scope(|scope| {
            // More threads than processors, none of which sleeps: they are preempted anywhere.
            let senders = [0, 1, 2].map(|number| {
                let sender = queue.sender();
                scope.spawn(move || {
                    let (mut n, mut misses, batch) = (0, 0u32, [number; 3]);
                    while n < each && Instant::now() < end {
                        let room = batch.len().min(usize::try_from(each - n).unwrap());
                        match sender.try_send_batch(&batch[..room]) {
                            Ok(sent) => n += sent as u64,
                            Err(TrySendError::Full(())) => missed(&mut misses),
                            Err(error) => panic!("{error}"),
                        }
                    }
                    n
                })
            });
            let receivers = [0, 1, 2].map(|which| {
                let receiver = queue.receiver();
                scope.spawn(move || {
                    let (mut sums, mut misses, mut buffer) = ([0u64; 3], 0, [0; 3]);
                    loop {
                        match receiver.try_recv_batch(&mut buffer[..=which]) {
                            Ok(count) => {
                                let got = buffer[..count].iter();
                                got.for_each(|n| sums[usize::try_from(*n).unwrap()] += 1);
                            }
                            Err(TryRecvError::Closed) => return sums,
                            Err(TryRecvError::Empty | TryRecvError::Busy(_)) => missed(&mut misses),
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            });
            let sent = senders.map(std::thread::ScopedJoinHandle::join);
            queue.close();
            let sums = receivers.map(|thread| thread.join().unwrap());
            for (number, sent) in sent.into_iter().enumerate() {
                let taken = sums.iter().map(|sums| sums[number]).sum::<u64>();
                assert_eq!(taken, sent.unwrap());
            }
        });
    }
}

/// Nothing was there. Lets others run from time to time.
fn missed(misses: &mut u32) {
    *misses += 1;
    if misses.is_multiple_of(64) {
        std::thread::yield_now();
    }
}
