//! What a run is a run of: machine, program, settings.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::machine;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// When it began last, in UTC.
    pub date: String,
    pub machine: Machine,
    pub program: Program,
    pub settings: Settings,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub cpu: String,
    /// How many processors the program may use.
    pub processors: usize,
    /// Where the near and the far side are pinned.
    pub sides: [usize; 2],
    pub kernel: String,
    /// Whether a hypervisor is below: its other guests disturb.
    pub is_virtual: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Of the sources, with a `+` if they differ from it.
    pub commit: String,
    pub compiler: String,
    pub profile: String,
    /// A hash of the program's file: the same commit may have been built in another way.
    pub fingerprint: String,
    /// Of the crates that take part.
    pub versions: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What a sample should take.
    pub millis: u64,
}

impl Header {
    pub fn new(settings: Settings) -> Self {
        Self { date: date(), machine: Machine::this(), program: Program::this(), settings }
    }

    /// What is not the same in `other`, so that samples of both do not belong together.
    pub fn differs_from(&self, other: &Self) -> Option<String> {
        let (one, two) = (&self.program, &other.program);
        if self.machine != other.machine {
            return Some(format!("machine ({})", self.machine.line()));
        }
        if one != two {
            return Some(format!("program (commit {}, this is {})", one.commit, two.commit));
        }
        (self.settings != other.settings)
            .then(|| format!("length (--millis {})", self.settings.millis))
    }
}

impl Machine {
    fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let field = |name: &str| {
            let line = cpu.lines().find_map(|line| line.strip_prefix(name));
            line.map(|line| line.trim_start_matches([' ', '\t', ':']))
        };
        let cpus = machine::usable();
        Self {
            cpu: field("model name").unwrap_or("unknown processor").to_owned(),
            processors: cpus.len(),
            sides: [cpus[0], cpus[1 % cpus.len()]],
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            is_virtual: field("flags").is_some_and(|flags| flags.contains("hypervisor")),
        }
    }

    /// One line about it.
    pub fn line(&self) -> String {
        let Self { cpu, processors, sides: [near, far], kernel, is_virtual } = self;
        let kind = if *is_virtual { ", virtual" } else { "" };
        let plural = if *processors == 1 { "" } else { "s" };
        format!(
            "{cpu}{kind}, {processors} processor{plural}, sides on {near} and {far}, Linux {kernel}"
        )
    }
}

impl Program {
    fn this() -> Self {
        let pairs = env!("RIVALS_VERSIONS").split(';').filter_map(|pair| pair.split_once(' '));
        Self {
            commit: env!("RIVALS_COMMIT").to_owned(),
            compiler: env!("RIVALS_COMPILER").to_owned(),
            profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            fingerprint: fingerprint(),
            versions: pairs.map(|(name, version)| (name.to_owned(), version.to_owned())).collect(),
        }
    }
}

fn fingerprint() -> String {
    let program = std::env::current_exe().and_then(std::fs::read).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    program.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn date() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date_at(since.as_secs())
}

/// The date so many seconds after 1970 began. Years are counted from March, so that the leap day is their last.
fn date_at(seconds: u64) -> String {
    let (days, minutes) = (seconds / 86_400 + 719_468, seconds % 86_400 / 60);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + month / 10, (month + 2) % 12 + 1);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn header() -> Header {
        Header::new(Settings { millis: 30 })
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date_at(0), "1970-01-01 00:00 UTC");
        assert_eq!(date_at(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(date_at(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(date_at(951_868_800), "2000-03-01 00:00 UTC");
        assert_eq!(date_at(4_107_542_400), "2100-03-01 00:00 UTC");
    }

    #[test]
    fn samples_of_another_program_machine_or_length_do_not_belong_together() {
        let one = header();
        let differs = |change: fn(&mut Header)| {
            let mut other = one.clone();
            change(&mut other);
            other.differs_from(&one)
        };
        assert_eq!(differs(|other| other.date.push('x')), None);
        assert!(differs(|other| other.machine.kernel.push('x')).is_some());
        assert!(differs(|other| other.program.fingerprint.push('x')).is_some());
        assert!(differs(|other| other.settings.millis += 1).is_some());
    }
}
