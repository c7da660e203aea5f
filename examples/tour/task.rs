//! What there is to measure, as both processes know it: the second is told by its arguments.

use ringway::Wait;

use crate::measure::Fallible;

/// What messages travel through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Spsc,
    Pipe,
    Queue,
}

pub const KINDS: [Kind; 3] = [Kind::Spsc, Kind::Pipe, Kind::Queue];

impl Kind {
    pub fn label(self) -> &'static str {
        match self {
            Kind::Spsc => "spsc channel",
            Kind::Pipe => "pipe",
            Kind::Queue => "queue",
        }
    }

    fn from_label(label: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.label() == label)
    }
}

/// How they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// One way, as fast as both sides can, with the default way of waiting.
    Stream,
    /// There and back, one at a time.
    RoundTrip(Wait),
    /// One way, by several threads of each process.
    Crowd,
}

impl Work {
    pub fn wait(self) -> Wait {
        match self {
            Work::Stream | Work::Crowd => Wait::default(),
            Work::RoundTrip(wait) => wait,
        }
    }
}

/// One measurement, as both processes know it.
#[derive(Debug)]
pub struct Task {
    pub kind: Kind,
    pub bytes: usize,
    pub work: Work,
    /// What the names of its channels begin with.
    pub name: String,
    /// The leader's processor and the follower's.
    pub cpus: [usize; 2],
}

impl Task {
    pub fn to_words(&self) -> [String; 6] {
        let work = match self.work {
            Work::Stream => "stream",
            Work::Crowd => "crowd",
            Work::RoundTrip(Wait::Spin) => "spin",
            Work::RoundTrip(_) => "park",
        };
        let [lead, follow] = self.cpus.map(|cpu| cpu.to_string());
        let (kind, bytes) = (self.kind.label().to_owned(), self.bytes.to_string());
        [kind, bytes, work.to_owned(), self.name.clone(), lead, follow]
    }

    pub fn from_words(words: &[&str]) -> Fallible<Self> {
        let [kind, bytes, work, name, lead, follow] = words else {
            return Err("no such task".into());
        };
        let kind = Kind::from_label(kind).ok_or("no such kind")?;
        let work = match *work {
            "stream" => Work::Stream,
            "crowd" => Work::Crowd,
            "spin" => Work::RoundTrip(Wait::Spin),
            _ => Work::RoundTrip(Wait::Park),
        };
        let (bytes, cpus) = (bytes.parse()?, [lead.parse()?, follow.parse()?]);
        Ok(Self { kind, bytes, work, name: (*name).to_owned(), cpus })
    }

    /// The way back; it begins at the follower. A pipe has both ways in one.
    pub fn back(&self) -> String {
        format!("{}-back", self.name)
    }

    pub fn reports(&self) -> String {
        format!("{}-reports", self.name)
    }
}
