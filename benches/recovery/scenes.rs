//! What is measured: who waits for what, which victim dies, and what the right answer is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use ringway::pipe::Connection;
use ringway::queue::{DeliveryPolicy, Queue};
use ringway::{RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError, Wait};

use super::KILLS;
use super::os;
use super::victim::{HELD, Role, Victim};

/// No answer comes this late.
const LONG: Duration = Duration::from_secs(20);

/// A name that no other channel has.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("recovery-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(format!("/dev/shm/ringway.default.{name}"))
}

/// A new queue for one scene.
fn queue(name: &str, capacity: usize, watch: bool, policy: DeliveryPolicy) -> Queue<u64> {
    let options = Queue::<u64>::options().capacity(capacity).delivery(policy).wait(Wait::Park);
    let options = if watch { options.watch() } else { options };
    options.remove_when_unused().create(name).expect("create the queue")
}

/// When a victim was killed, when the kernel let its lock go, when the other one moved.
struct Times {
    killed: u64,
    released: u64,
    moved: u64,
}

impl Times {
    /// From the release until the other one moved. It may be awake even before who watches the release is.
    fn told(&self) -> u64 {
        self.moved.saturating_sub(self.released)
    }
}

/// Kills `victim` of channel `name` while `act` sleeps in a thread of its own. Gives what that came to, and when.
fn kill_during<R: Send>(
    mut victim: Victim,
    name: &str,
    act: impl FnOnce() -> R + Send,
) -> (R, Times) {
    let (member, segment) = (victim.member, path(name));
    let (say, heard) = channel();
    let say_too = say.clone();
    thread::scope(|scope| {
        let release = scope.spawn(move || {
            say.send(os::thread_number()).expect("somebody listens");
            os::wait_for_release(&segment, member).expect("a lock that others can wait for")
        });
        let acting = scope.spawn(move || {
            say_too.send(os::thread_number()).expect("somebody listens");
            let answer = act();
            (answer, os::now())
        });
        for _ in 0..2 {
            os::wait_until_asleep(heard.recv().expect("both have begun"));
        }
        let killed = os::now();
        victim.strike();
        let released = release.join().expect("the lock is waited for");
        let (answer, moved) = acting.join().expect("an answer");
        (answer, Times { killed, released, moved })
    })
}

/// A receiver sleeps; the only sender dies.
pub fn receiver_is_told(watch: bool) -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 64, watch, DeliveryPolicy::AtLeastOnce);
    let receiver = queue.receiver();
    let kill = |_| {
        let victim = Victim::start(Role::Sender, &name);
        let (answer, times) = kill_during(victim, &name, || receiver.recv_timeout(LONG));
        assert_eq!(answer, Err(RecvTimeoutError::Disconnected));
        times.told()
    };
    (0..KILLS).map(kill).collect()
}

/// A sender sleeps before a full queue; the only receiver dies.
pub fn sender_is_told(watch: bool) -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 1, watch, DeliveryPolicy::AtLeastOnce);
    let sender = queue.sender();
    sender.try_send(0).expect("an empty queue");
    let kill = |_| {
        let victim = Victim::start(Role::Receiver, &name);
        let (answer, times) = kill_during(victim, &name, || sender.send_timeout(1, LONG));
        assert_eq!(answer, Err(SendTimeoutError::Disconnected(1)));
        times.told()
    };
    (0..KILLS).map(kill).collect()
}

/// One end of a pipe sleeps; the owner of the other dies, and the next takes it over.
pub fn peer_is_told(watch: bool) -> Vec<u64> {
    let name = unique();
    let options = Connection::options().wait(Wait::Park).remove_when_unused();
    let options = if watch { options.watch() } else { options };
    let mut connection = options.create(&name).expect("create the pipe");
    let kill = |_| {
        let victim = Victim::start(Role::PipeEnd, &name);
        let (answer, times) = kill_during(victim, &name, || connection.recv_timeout(LONG));
        assert_eq!(answer, Err(RecvTimeoutError::Disconnected));
        times.told()
    };
    (0..KILLS).map(kill).collect()
}

/// A receiver sleeps before a place that is reserved; a message is behind it; who reserved dies.
pub fn head_moves(watch: bool) -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 4, watch, DeliveryPolicy::AtLeastOnce);
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let kill = |number| {
        let victim = Victim::start(Role::Grant, &name);
        sender.try_send(number).expect("room");
        let (answer, times) = kill_during(victim, &name, || receiver.recv_timeout(LONG));
        assert_eq!(answer, Ok(number));
        times.told()
    };
    (0..KILLS as u64).map(kill).collect()
}

/// A receiver sleeps before a queue whose only message is in somebody's hands, who dies.
pub fn message_returns(watch: bool) -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 4, watch, DeliveryPolicy::AtLeastOnce);
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let kill = |number| {
        sender.try_send(number).expect("room");
        let victim = Victim::start(Role::Delivery, &name);
        let (answer, times) = kill_during(victim, &name, || receiver.recv_guard_timeout(LONG));
        let delivery = answer.expect("the message comes again");
        assert_eq!((*delivery, delivery.redelivered()), (number, true));
        delivery.ack();
        times.told()
    };
    (0..KILLS as u64).map(kill).collect()
}

/// A sender sleeps before a full queue whose only place is in somebody's hands, who dies; what he had is dropped.
pub fn room_returns(watch: bool) -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 1, watch, DeliveryPolicy::AtMostOnce);
    let (sender, receiver) = (queue.sender(), queue.receiver());
    let kill = |number| {
        sender.try_send(number).expect("room");
        let victim = Victim::start(Role::Delivery, &name);
        let (answer, times) = kill_during(victim, &name, || sender.send_timeout(number + 1, LONG));
        assert_eq!(answer, Ok(()));
        assert_eq!(receiver.try_recv(), Ok(number + 1), "what the dead had is dropped");
        times.told()
    };
    (0..KILLS as u64).map(kill).collect()
}

/// One dead member is found in a large ring by who asks for it.
pub fn reap() -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 65_536, false, DeliveryPolicy::AtLeastOnce);
    let (sender, receiver) = (queue.sender(), queue.receiver());
    // Every page has been touched and every slot used.
    for _ in 0..2 * queue.capacity() {
        sender.try_send(0).expect("room");
        receiver.try_recv().expect("a message");
    }
    let kill = |_| {
        for number in 0..HELD as u64 {
            sender.try_send(number).expect("room");
        }
        let mut victim = Victim::start(Role::Hoard, &name);
        victim.strike();
        os::wait_for_release(&path(&name), victim.member).expect("a lock to wait for");
        let began = Instant::now();
        let recovered = queue.recover().expect("the locks are seen");
        let took = began.elapsed();
        let found = (recovered.members, recovered.aborted, recovered.redelivered);
        assert_eq!(found, (1, HELD as u64, HELD as u64));
        for number in 0..HELD as u64 {
            assert_eq!(receiver.try_recv(), Ok(number), "what the dead had comes again in order");
        }
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        u64::try_from(took.as_nanos()).expect("a short time")
    };
    let times = (0..KILLS).map(kill).collect();
    for _ in 0..queue.capacity() {
        sender.try_send(0).expect("all slots are free");
    }
    assert_eq!(sender.try_send(0), Err(TrySendError::Full(0)));
    times
}

/// Nobody dies: an attachment that watches is dropped.
pub fn detach() -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 64, false, DeliveryPolicy::AtLeastOnce);
    let detach = |_| {
        let other = Queue::<u64>::options().watch().open(&name).expect("open the queue");
        assert_eq!(queue.members().expect("the locks are seen").len(), 2);
        let began = Instant::now();
        drop(other);
        let took = began.elapsed();
        assert_eq!(queue.members().expect("the locks are seen").len(), 1);
        u64::try_from(took.as_nanos()).expect("a short time")
    };
    (0..KILLS).map(detach).collect()
}

/// A victim that has nothing in hand dies: how long the kernel takes.
pub fn teardown(role: Role) -> Vec<u64> {
    let name = unique();
    let queue = queue(&name, 64, false, DeliveryPolicy::AtLeastOnce);
    let receiver = queue.receiver();
    let kill = |_| {
        let victim = Victim::start(role, &name);
        let (answer, times) = kill_during(victim, &name, || receiver.recv_timeout(LONG));
        assert_eq!(answer, Err(RecvTimeoutError::Disconnected));
        times.released - times.killed
    };
    (0..KILLS).map(kill).collect()
}
