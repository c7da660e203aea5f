//! crossfire's channels between threads, bounded, of flavour `Array`: one and one, many to one, many and many.
//! Streams and crowds wait in their calls.

use crossfire::flavor::{Flavor, Queue};
use crossfire::{Rx, TryRecvError, TrySendError, Tx, detect_backoff_cfg, mpmc, mpsc, spsc};

use super::channel::{Channel, Receives, Sends, is_crowd, is_stream};
use super::prelude::*;

pub struct Spsc;
pub struct Mpsc;
pub struct Mpmc;

macro_rules! constants {
    ($name:literal, $array:ident, $parties:expr) => {
        const NAME: &'static str = $name;
        const KIND: Kind = Kind::Rival;
        const BETWEEN: Between = Between::Threads;
        const BLOCKS: bool = true;
        const SPINS_FIRST: bool = true;
        const PARTIES: (usize, usize) = $parties;
        type Hub<const W: usize> =
            Channel<Tx<$array::Array<[u64; W]>>, Rx<$array::Array<[u64; W]>>>;
    };
}

/// Of ends that `workload` needs as many as it has parties.
fn channel<S, R>(workload: &Workload, senders: Vec<S>, receivers: Vec<R>) -> Channel<S, R> {
    Channel::new(senders, receivers, is_stream(workload) || is_crowd(workload))
}

impl Contestant for Spsc {
    constants!("crossfire-spsc", spsc, (1, 1));

    fn create<const W: usize>(
        workload: &Workload,
        _: &str,
        _: Way,
    ) -> Result<Self::Hub<W>, Unable> {
        // Its manual asks for this at the start of a program: where there is one processor, it yields at once.
        detect_backoff_cfg();
        let (sender, receiver) = spsc::bounded_blocking(workload.capacity);
        Ok(channel(workload, vec![sender], vec![receiver]))
    }
}

impl Contestant for Mpsc {
    constants!("crossfire-mpsc", mpsc, (8, 1));

    fn create<const W: usize>(
        workload: &Workload,
        _: &str,
        _: Way,
    ) -> Result<Self::Hub<W>, Unable> {
        detect_backoff_cfg();
        let (sender, receiver) = mpsc::bounded_blocking(workload.capacity);
        let (senders, _) = workload.parties();
        let senders = vec![sender; senders].into_iter().map(Tx::from);
        Ok(channel(workload, senders.collect(), vec![receiver]))
    }
}

impl Contestant for Mpmc {
    constants!("crossfire-mpmc", mpmc, (8, 8));

    fn create<const W: usize>(
        workload: &Workload,
        _: &str,
        _: Way,
    ) -> Result<Self::Hub<W>, Unable> {
        detect_backoff_cfg();
        let (sender, receiver) = mpmc::bounded_blocking(workload.capacity);
        let (senders, receivers) = workload.parties();
        let senders = vec![sender; senders].into_iter().map(Tx::from);
        let receivers = vec![receiver; receivers].into_iter().map(Rx::from);
        Ok(channel(workload, senders.collect(), receivers.collect()))
    }
}

impl<T: Send + 'static, F: Flavor + Queue<Item = T> + 'static> Sends<T> for Tx<F> {
    #[inline(always)]
    fn try_put(&self, message: T) -> bool {
        match self.try_send(message) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => panic!("the receivers are gone"),
        }
    }

    #[inline(always)]
    fn put(&self, message: T) {
        assert!(self.send(message).is_ok(), "the receivers are gone");
    }
}

impl<T: Send + 'static, F: Flavor + Queue<Item = T> + 'static> Receives<T> for Rx<F> {
    #[inline(always)]
    fn try_get(&self) -> Option<T> {
        match self.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the senders are gone"),
        }
    }

    #[inline(always)]
    fn get(&self) -> T {
        self.recv().expect("the senders are there")
    }
}
