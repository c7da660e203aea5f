//! Channels of two ends: streams of values and pipes.

use std::io::{Read, Write};

use ringway::pipe::Connection;
use ringway::spsc::{Consumer, Producer};

use super::{BRIEF, Manner, Setting, Step, Subject, describe, message};
use crate::place::Name;

/// A stream of values, with the ends that are there.
pub struct Stream {
    name: String,
    setting: Setting,
    producer: Option<Producer<u64>>,
    consumer: Option<Consumer<u64>>,
}

impl Stream {
    /// A new one with both ends.
    pub fn new(setting: Setting, name: &Name) -> Self {
        let name = name.as_str().to_owned();
        let producer = setting.options(Producer::options()).create(&name);
        let consumer = setting.options(Consumer::options()).open(&name);
        let (producer, consumer) = (
            Some(producer.expect("nobody has the name")),
            Some(consumer.expect("it was made a moment ago")),
        );
        Self { name, setting, producer, consumer }
    }

    fn send(&mut self, manner: Manner, len: u8) {
        let Some(producer) = &mut self.producer else { return };
        let values = [u64::from(len); 9];
        match manner {
            Manner::Try => drop(producer.try_send(1)),
            Manner::Wait => drop(producer.send_timeout(2, BRIEF)),
            Manner::Many => {
                let sent = producer.try_send_batch(&values[..usize::from(len % 10)]);
                assert!(sent.is_err() || sent.is_ok_and(|sent| sent <= 9));
            }
            Manner::InPlace(finished) => {
                let wanted = usize::from(len);
                if let Ok(mut place) = producer.try_reserve(wanted) {
                    assert!(place.len() <= wanted);
                    place.fill(9);
                    place.truncate(wanted / 2);
                    let _ = if finished { place.commit() } else { Ok(()) };
                }
            }
        }
    }

    fn receive(&mut self, manner: Manner, len: u8) {
        let Some(consumer) = &mut self.consumer else { return };
        match manner {
            Manner::Try => drop(consumer.try_recv()),
            Manner::Wait => drop(consumer.recv_timeout(BRIEF)),
            Manner::Many => {
                let got = consumer.try_recv_batch(&mut [0; 9][..usize::from(len % 10)]);
                assert!(got.is_err() || got.is_ok_and(|got| got <= 9));
            }
            Manner::InPlace(finished) => {
                if let Ok(mut values) = consumer.try_peek(len.into()) {
                    assert!(values.len() <= usize::from(len) && values.to_vec().len() <= 255);
                    values.truncate(usize::from(len / 2));
                    if finished { values.release() } else { drop(values) }
                }
            }
        }
    }

    fn look(&self) {
        if let Some(producer) = &self.producer {
            assert!(producer.len() <= producer.capacity());
            let _ = (producer.is_full(), producer.is_closed());
            describe(producer);
        }
        if let Some(consumer) = &self.consumer {
            assert!(consumer.len() <= consumer.capacity());
            let _ = (consumer.is_empty(), consumer.is_closed());
            describe(consumer);
        }
    }
}

impl Subject for Stream {
    fn step(&mut self, step: Step) {
        match step {
            Step::Send(manner, len) => self.send(manner, len),
            Step::Receive(manner, len) => self.receive(manner, len),
            Step::Join | Step::Attach => {
                // An end that is there is refused, one that is missing is taken anew.
                let producer = self.setting.options(Producer::options()).open(&self.name);
                self.producer = self.producer.take().or(producer.ok());
                let consumer = self.setting.options(Consumer::options()).open(&self.name);
                self.consumer = self.consumer.take().or(consumer.ok());
            }
            Step::Leave(true) => self.producer = None,
            Step::Leave(false) => self.consumer = None,
            Step::Recover => {
                let seen =
                    |consumer: &Consumer<u64>| (consumer.recover(), consumer.is_redelivered());
                describe(&self.consumer.as_ref().map(seen));
                describe(&self.producer.as_ref().map(|end| (end.recover(), end.statistics())));
            }
            Step::Close => {
                self.producer.as_mut().map(Producer::close);
            }
            Step::LetGo(_) => {
                self.consumer.as_mut().map(Consumer::close);
            }
            Step::Hold(_) | Step::Look => self.look(),
        }
    }
}

/// The longest record that is accepted: longer than any pipe here.
const LONGEST: usize = 1024;

/// A pipe, with the ends that are there.
pub struct Records {
    name: String,
    setting: Setting,
    ends: [Option<Connection>; 2],
}

impl Records {
    /// A new one with both ends.
    pub fn new(setting: Setting, name: &Name) -> Self {
        let name = name.as_str().to_owned();
        let options = setting.options(Connection::options());
        let here = options.create(&name).expect("nobody has the name");
        let there = options.open(&name).expect("it was made a moment ago");
        let ends = [here, there].map(|mut end| {
            end.set_max_len(LONGEST);
            Some(end)
        });
        Self { name, setting, ends }
    }

    /// Lengths tell the ends apart: an even one is for the maker's.
    fn end(&mut self, len: u8) -> Option<&mut Connection> {
        self.ends[usize::from(len % 2)].as_mut()
    }

    fn send(&mut self, manner: Manner, len: u8) {
        let Some(end) = self.end(len) else { return };
        match manner {
            Manner::Try => drop(end.try_send(&message(len))),
            Manner::Wait => drop(end.send_timeout(&message(len), BRIEF)),
            Manner::Many => write_bit_by_bit(end, len),
            Manner::InPlace(finished) => {
                if let Ok(mut place) = end.reserve_timeout(len.into(), BRIEF) {
                    assert_eq!(place.len(), usize::from(len));
                    place.fill(len);
                    place.truncate(usize::from(len / 2));
                    let _ = if finished { place.commit() } else { Ok(()) };
                }
            }
        }
    }

    fn receive(&mut self, manner: Manner, len: u8) {
        let Some(end) = self.end(len) else { return };
        let mut buffer = message(len);
        match manner {
            Manner::Try => assert!(end.try_recv().map_or(0, |got| got.len()) <= LONGEST),
            Manner::Wait => assert!(end.recv_timeout(BRIEF).map_or(0, |got| got.len()) <= LONGEST),
            Manner::Many if len & 2 != 0 => read_bit_by_bit(end, len),
            Manner::Many => {
                let _ = end.poll(BRIEF);
                let got = end.try_recv_into(&mut buffer);
                assert!(got.is_err() || got.is_ok_and(|got| got <= buffer.len()));
            }
            Manner::InPlace(finished) => {
                if let Ok(record) = end.peek_timeout(BRIEF) {
                    assert!(record.to_vec().len() <= LONGEST);
                    if finished { record.release() } else { drop(record) }
                }
            }
        }
    }
}

/// Sends a record of which nobody knows how long it will be; its length says what becomes of it.
fn write_bit_by_bit(end: &mut Connection, len: u8) {
    let Ok(mut writer) = end.begin() else { return };
    writer.set_timeout(BRIEF);
    for _ in 0..len / 2 % 8 {
        let written = writer.write(&message(len)).is_ok_and(|written| written > 0);
        if !written || len & 16 != 0 && writer.flush().is_err() {
            break;
        }
    }
    let _ = (writer.written(), if len & 32 != 0 { writer.commit() } else { Ok(()) });
}

/// Receives a record in small parts, all of it or some.
fn read_bit_by_bit(end: &mut Connection, len: u8) {
    let Some(receiver) = end.receiver() else { return };
    let Ok(mut reader) = receiver.reader_timeout(BRIEF) else { return };
    let (mut total, mut part) = (0, [0; 48]);
    let most = if len & 4 != 0 { 1 } else { 2 * LONGEST };
    for _ in 0..most {
        match reader.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(count) => total += count,
        }
    }
    assert!(total <= LONGEST && reader.total().is_none_or(|said| said <= LONGEST as u64));
}

impl Subject for Records {
    fn step(&mut self, step: Step) {
        match step {
            Step::Send(manner, len) => self.send(manner, len),
            Step::Receive(manner, len) => self.receive(manner, len),
            Step::Join | Step::Attach => {
                let opened = self.setting.options(Connection::options()).open(&self.name).ok();
                let opened = opened.map(|mut end| {
                    end.set_max_len(LONGEST);
                    end
                });
                if let Some(missing) = self.ends.iter_mut().find(|end| end.is_none()) {
                    *missing = opened;
                }
            }
            Step::Leave(first) => self.ends[usize::from(!first)] = None,
            Step::LetGo(first) => {
                self.ends[usize::from(first)].as_mut().map(Connection::close);
            }
            Step::Recover => {
                for end in self.ends.iter().flatten() {
                    describe(&(end.recover(), end.statistics(), end.is_redelivered()));
                }
            }
            Step::Close => self.ends.iter_mut().flatten().for_each(Connection::close),
            Step::Hold(_) | Step::Look => {
                for end in self.ends.iter().flatten() {
                    let _ = (end.is_closed(), end.max_len());
                    describe(end);
                }
            }
        }
    }
}
