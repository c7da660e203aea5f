//! iceoryx2: publish and subscribe between one and one, lossless: no overflow, a subscriber's buffer as large
//! as the work says. Messages are written into loaned samples; long ones are copied out, as all contestants do
//! it.
//!
//! Who polls looks at the subscriber alone. Who sleeps waits for its event service, by which the sender tells
//! of each message. Who finds the buffer full waits inside of the call (`RetryUntilDelivered`). All names and
//! directories are of the sample's own.
#![allow(unsafe_code, reason = "messages in loaned samples, ports that stay with their thread")]

use std::ptr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::{event, publish_subscribe};

use super::copied::Copied;
use super::litter::Litter;
use super::prelude::*;
use crate::workload::Waiting;

pub struct PublishSubscribe;

type Topic<const W: usize> = publish_subscribe::PortFactory<ipc::Service, [u64; W], ()>;

pub struct Service<const W: usize> {
    topic: Rc<Topic<W>>,
    /// Of works that sleep.
    event: Option<event::PortFactory<ipc::Service>>,
    name: String,
    /// Its services end before it does.
    _node: Node<ipc::Service>,
    _litter: Option<[Litter; 2]>,
}

fn refused(why: impl std::fmt::Debug) -> Unable {
    Unable(format!("iceoryx2: {why:?}"))
}

/// Where the files of `name` lie: in a directory, and in shared memory by their prefix.
fn places(name: &str) -> (String, String) {
    (format!("/tmp/{name}_"), format!("{name}_"))
}

impl<const W: usize> Service<W> {
    fn open(workload: &Workload, name: &str, litter: Option<[Litter; 2]>) -> Result<Self, Unable> {
        let (root, prefix) = places(name);
        let mut config = Config::default();
        config.global.prefix = FileName::new(prefix.as_bytes()).map_err(refused)?;
        config.global.set_root_path(&Path::new(root.as_bytes()).map_err(refused)?);
        let node = NodeBuilder::new().config(&config).create::<ipc::Service>().map_err(refused)?;
        let service = ServiceName::new(name).map_err(refused)?;
        let topic = node.service_builder(&service).publish_subscribe::<[u64; W]>();
        let topic = topic.max_publishers(1).max_subscribers(1).max_nodes(4);
        let topic = topic.enable_safe_overflow(false).history_size(0);
        let topic = topic.subscriber_max_buffer_size(workload.capacity);
        let topic = topic.subscriber_max_borrowed_samples(1);
        let topic = Rc::new(topic.open_or_create().map_err(refused)?);
        let sleeps = workload.waiting() == Waiting::Park;
        let event = sleeps.then(|| node.service_builder(&service).event().open_or_create());
        let event = event.transpose().map_err(refused)?;
        Ok(Self { topic, event, name: name.to_owned(), _node: node, _litter: litter })
    }
}

impl Contestant for PublishSubscribe {
    const NAME: &'static str = "iceoryx2";
    const KIND: Kind = Kind::Rival;
    const BETWEEN: Between = Between::Processes;
    const BLOCKS: bool = true;
    const LONGEST: usize = 1 << 20;
    const PARTIES: (usize, usize) = (1, 1);
    type Hub<const W: usize> = Service<W>;

    fn create<const W: usize>(
        workload: &Workload,
        name: &str,
        _: Way,
    ) -> Result<Service<W>, Unable> {
        let (root, prefix) = places(name);
        let litter = [root, format!("/dev/shm/{prefix}")].map(Litter::expected);
        Service::open(workload, name, Some(litter))
    }

    fn join<const W: usize>(
        workload: &Workload,
        token: &str,
        _: Way,
    ) -> Result<Service<W>, Unable> {
        Service::open(workload, token, None)
    }
}

impl<const W: usize> Hub<W> for Service<W> {
    type Out = Sender<W>;
    type In = Receiver<W>;

    fn token(&self) -> String {
        self.name.clone()
    }

    fn sender(&mut self) -> Sender<W> {
        let publisher = self.topic.publisher_builder().max_loaned_samples(1);
        let publisher =
            publisher.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create();
        let notifier = self.event.as_ref().map(|event| event.notifier_builder().create());
        Sender {
            publisher: publisher.expect("make a publisher"),
            notifier: notifier.map(|notifier| notifier.expect("make a notifier")),
            topic: Rc::clone(&self.topic),
            has_subscriber: false,
        }
    }

    fn receiver(&mut self) -> Receiver<W> {
        // Before the subscriber: who sees that sees both.
        let listener = self.event.as_ref().map(|event| event.listener_builder().create());
        let listener = listener.map(|listener| listener.expect("make a listener"));
        let subscriber = self.topic.subscriber_builder().create().expect("make a subscriber");
        Receiver { subscriber, listener, copy: Copied::new() }
    }
}

pub struct Sender<const W: usize> {
    publisher: Publisher<ipc::Service, [u64; W], ()>,
    notifier: Option<Notifier<ipc::Service>>,
    topic: Rc<Topic<W>>,
    /// Somebody is there to receive: what is sent before is lost.
    has_subscriber: bool,
}

// SAFETY: only the works of one and one are done, by processes, and those use each end on the thread that made
// it.
unsafe impl<const W: usize> Send for Sender<W> {}

pub struct Receiver<const W: usize> {
    subscriber: Subscriber<ipc::Service, [u64; W], ()>,
    listener: Option<Listener<ipc::Service>>,
    copy: Copied<W>,
}

// SAFETY: as above.
unsafe impl<const W: usize> Send for Receiver<W> {}

impl<const W: usize> Sender<W> {
    #[cold]
    fn await_subscriber(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(20);
        let begun = Instant::now();
        while self.topic.dynamic_config().number_of_subscribers() == 0 {
            assert!(begun.elapsed() < PATIENCE, "no subscriber came");
            std::thread::yield_now();
        }
        self.has_subscriber = true;
    }
}

impl<const W: usize> Out<W> for Sender<W> {
    #[inline(always)]
    fn try_send(&mut self, message: &[u64; W]) -> bool {
        if !self.has_subscriber {
            self.await_subscriber();
        }
        let mut sample = self.publisher.loan_uninit().expect("loan a sample");
        let place = sample.payload_mut().as_mut_ptr();
        // SAFETY: the sample is this sender's, and as long as a message.
        unsafe { ptr::copy_nonoverlapping(message, place, 1) };
        // SAFETY: the message was written to it.
        let sample = unsafe { sample.assume_init() };
        assert_eq!(sample.send(), Ok(1), "send to the one subscriber");
        true
    }

    fn send(&mut self, message: &[u64; W]) {
        self.try_send(message);
        if let Some(notifier) = &self.notifier {
            notifier.notify().expect("tell of the message");
        }
    }
}

impl<const W: usize> In<W> for Receiver<W> {
    #[inline(always)]
    fn try_recv(&mut self, mut look: impl FnMut(&[u64; W])) -> bool {
        self.subscriber.receive().expect("receive a sample").is_some_and(|sample| {
            self.copy.of(sample.payload(), &mut look);
            true
        })
    }

    fn recv(&mut self, mut look: impl FnMut(&[u64; W])) {
        while !self.try_recv(&mut look) {
            let listener = self.listener.as_ref().expect("the work sleeps");
            listener.blocking_wait(|_| {}).expect("wait for an event");
        }
    }
}
