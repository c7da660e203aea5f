//! Figures as people read them.

use crate::contestant::{Between, Kind};
use crate::workload::{Unit, Workload};

/// A number with three digits that count.
pub fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub fn time(nanos: f64) -> String {
    match nanos {
        nanos if nanos >= 0.999_5e9 => format!("{} s", digits(nanos / 1e9)),
        nanos if nanos >= 0.999_5e6 => format!("{} ms", digits(nanos / 1e6)),
        nanos if nanos >= 999.5 => format!("{} µs", digits(nanos / 1e3)),
        nanos => format!("{} ns", digits(nanos)),
    }
}

pub fn memory(bytes: f64) -> String {
    match bytes {
        bytes if bytes >= 1_048_576.0 => format!("{} MiB", digits(bytes / 1_048_576.0)),
        bytes if bytes >= 1024.0 => format!("{} KiB", digits(bytes / 1024.0)),
        bytes => format!("{bytes:.0} B"),
    }
}

/// A figure of `workload`.
pub fn value(workload: &Workload, value: f64) -> String {
    if workload.unit() == Unit::Bytes { memory(value) } else { time(value) }
}

/// Messages a second, and bytes a second where messages are long. Empty where it is not a throughput.
pub fn rate(workload: &Workload, nanos: f64) -> String {
    if workload.unit() != Unit::NanosPerMessage {
        return String::new();
    }
    let messages = messages(nanos);
    if workload.bytes < 1 << 10 {
        return messages;
    }
    format!("{messages}, {} GB/s", digits(gigabytes(workload, nanos)))
}

/// Messages a second.
pub fn messages(nanos: f64) -> String {
    match 1e3 / nanos {
        millions if millions >= 0.1 => format!("{} M/s", digits(millions)),
        millions => format!("{} k/s", digits(millions * 1e3)),
    }
}

/// A number on an axis: as few digits as it has.
pub fn short(value: f64) -> String {
    if (1e-6..1e4).contains(&value) { value.to_string() } else { format!("{value:.0e}") }
}

/// A time on an axis.
pub fn short_time(nanos: f64) -> String {
    match nanos {
        nanos if nanos >= 1e9 => format!("{} s", short(nanos / 1e9)),
        nanos if nanos >= 1e6 => format!("{} ms", short(nanos / 1e6)),
        nanos if nanos >= 1e3 => format!("{} µs", short(nanos / 1e3)),
        nanos => format!("{} ns", short(nanos)),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a length of at most a MiB")]
pub fn gigabytes(workload: &Workload, nanos: f64) -> f64 {
    workload.bytes as f64 / nanos
}

pub fn between(between: Between) -> &'static str {
    match between {
        Between::Threads => "threads",
        Between::Processes => "processes",
    }
}

pub fn is_ringway(kind: Kind) -> bool {
    kind == Kind::Ringway
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(
            [2.714, 28.44, 284.4, 999.7, 28_440.0, 1e6, 2e9].map(time),
            ["2.71 ns", "28.4 ns", "284 ns", "1.00 µs", "28.4 µs", "1.00 ms", "2.00 s"]
        );
        assert_eq!([100.0, 2048.0, 3_145_728.0].map(memory), ["100 B", "2.00 KiB", "3.00 MiB"]);
    }

    #[test]
    fn rates_are_those_of_messages_and_of_bytes_where_they_are_long() {
        let rate = |name, nanos| rate(&Workload::named(name).expect("it is in the list"), nanos);
        assert_eq!(rate("stream 8 B cap 1024", 2.5), "400 M/s");
        assert_eq!(rate("stream 64 KiB cap 16", 16_384.0), "61.0 k/s, 4.00 GB/s");
        assert_eq!(rate("wake 8 B", 40_000.0), "");
    }
}
