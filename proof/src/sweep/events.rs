//! A long operation as others see it: system calls, and changes of the segment's bytes between them.
//!
//! A recorded run executes single instructions and compares the bytes after each of them. So between two events nothing
//! changes that another process could see: a name or a lock takes a system call, all else is bytes. To die anywhere
//! between them is to die right after the first of them.
//!
//! Another victim is brought to an event by counting: it runs from call to call, and only after the last one before the
//! event it is taken on by single instructions again. So it need not go the very same way in between.

use anyhow::{Result, bail};

use super::place::{Place, View};
use super::trace::{Astray, MOST_STEPS};
use super::victim::{Next, Victim};

/// A point of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// After so many system calls,
    calls: usize,
    /// and so many changes since the last of them;
    changes: usize,
    /// where the next call is.
    next: Call,
}

/// How far the next call has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Call {
    #[default]
    Ahead,
    /// It is about to be executed.
    Begins,
    /// The victim sleeps in it.
    Sleeps,
}

/// What others can see of a channel.
struct Watch {
    place: Place,
    view: Option<View>,
    bytes: Vec<u8>,
}

impl Watch {
    fn new(place: Place) -> Result<Self> {
        let mut watch = Self { place, view: None, bytes: Vec::new() };
        watch.look_anew()?;
        Ok(watch)
    }

    /// Looks also which file has the name.
    fn look_anew(&mut self) -> Result<()> {
        self.view = if self.place.exists() { Some(self.place.view()?) } else { None };
        self.has_changed().map(drop)
    }

    fn has_changed(&mut self) -> Result<bool> {
        let bytes = self.view.as_ref().map_or(Ok(Vec::new()), View::bytes)?;
        let changed = bytes != self.bytes;
        self.bytes = bytes;
        Ok(changed)
    }
}

/// Takes `victim` from its first mark to the second, and says how many instructions that were and what the points are.
pub fn record(
    victim: &Victim,
    place: &Place,
    mut nudge: impl FnMut() -> Result<()>,
) -> Result<(usize, Vec<Point>)> {
    let mut watch = Watch::new(place.clone())?;
    let mut here = Point::default();
    let mut points = vec![here];
    let mut address = victim.address()?;
    for steps in 0..MOST_STEPS {
        match victim.next(address)? {
            Next::Mark => return Ok((steps, points)),
            Next::SystemCall => {
                points.push(Point { next: Call::Begins, ..here });
                if !victim.step_or_sleep()? {
                    points.push(Point { next: Call::Sleeps, ..here });
                    nudge()?;
                    victim.wake()?;
                }
                address = victim.address()?;
                here = Point { calls: here.calls + 1, changes: 0, next: Call::Ahead };
                points.push(here);
                watch.look_anew()?;
            }
            Next::Other => {
                address = victim.step()?;
                if watch.has_changed()? {
                    here.changes += 1;
                    points.push(here);
                }
            }
        }
    }
    bail!("the operation does not end")
}

/// Brings `victim`, which is at its first mark, to `point`.
///
/// If it is `about` there that will do: it may come to the next call before it has seen as many changes. Some may have been
/// another process's; and where a value is stored that was there already (the start time of the member before it) there
/// is none.
pub fn bring(
    victim: &Victim,
    point: Point,
    place: &Place,
    about: bool,
    mut nudge: impl FnMut() -> Result<()>,
) -> Result<()> {
    for _ in 0..point.calls {
        victim.begin_call()?;
        if !victim.end_call_or_sleep()? {
            nudge()?;
            victim.end_call()?;
        }
    }
    let mut watch = Watch::new(place.clone())?;
    let mut seen = 0;
    while seen < point.changes {
        match victim.next(victim.address()?)? {
            Next::Other => {}
            _ if about => return Ok(()),
            _ => return Err(Astray.into()),
        }
        victim.step()?;
        seen += usize::from(watch.has_changed()?);
    }
    match point.next {
        Call::Ahead => Ok(()),
        Call::Begins => victim.begin_call(),
        Call::Sleeps => {
            victim.begin_call()?;
            if victim.end_call_or_sleep()? { Err(Astray.into()) } else { Ok(()) }
        }
    }
}
