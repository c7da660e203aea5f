//! What the sweep is made of: a scene with a victim in it, and those who survive.

use anyhow::{Result, bail};

use super::place::Place;

/// One operation in one situation.
pub trait Scene {
    /// What it is called.
    fn name(&self) -> String;

    /// The situation, new: a channel with what is in it, and those who survive.
    fn begin(&self) -> Result<Box<dyn Survivor>>;

    /// The victim's part: it attaches, prepares, and does the operation between two marks.
    fn act(&self, place: &Place);

    /// The part of another process that cleans up after the victim, between two marks. It attaches while the victim lives.
    fn reap(&self, place: &Place);

    /// Whether somebody who is not traced changes the segment meanwhile, so that changes cannot be counted exactly.
    fn has_company(&self) -> bool {
        false
    }

    /// What the operation passes through, in order: what it may have come to when its victim dies.
    fn stages(&self) -> Vec<&'static str>;
}

/// Those who survive, and what they know of the scene.
pub trait Survivor {
    /// The channel.
    fn place(&self) -> &Place;

    /// The victim is about to begin.
    fn ready(&mut self) -> Result<()> {
        Ok(())
    }

    /// The victim sleeps: does what wakes it.
    fn nudge(&mut self) -> Result<()> {
        bail!("the victim sleeps, and nobody was to wake it")
    }

    /// The victim has died, and if `reaped` somebody else has begun, and maybe ended, to clean up after it.
    /// Recovers, checks everything, and says which stages what is left may be of.
    fn settle(&mut self, reaped: bool) -> Result<Vec<usize>>;

    /// The victim is stopped in the middle, alive: does what can be done all the same, and then sees to it that the
    /// victim could go on.
    fn meanwhile(&mut self, victim: u32) -> Result<()>;

    /// The victim that was stopped went on and ended, or was killed. Everything must be accounted for.
    fn account(&mut self, killed: bool) -> Result<()>;
}
