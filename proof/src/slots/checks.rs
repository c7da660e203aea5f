//! What holds in every state, and when everything has come to its end.

use super::config::Config;
use super::state::{At, Fate, MAX_CLAIMS, State};
use crate::word::{Geometry, after, before};

/// Says which invariant `state` breaks.
pub fn check(config: &Config, state: &State) -> Result<(), String> {
    let view = View { config, state, ring: Geometry::new(config.slots as u64) };
    if config.invariants {
        view.last_claim_is_named(0)?;
        view.last_claim_is_named(1)?;
    }
    view.empty_means_nothing_committed()?;
    view.full_means_in_use()
}

/// A state with what is needed to read it.
struct View<'a> {
    config: &'a Config,
    state: &'a State,
    ring: Geometry,
}

impl View<'_> {
    fn fate(&self, position: u64) -> Option<Fate> {
        let offset = usize::try_from(before(position, self.config.start)).ok()?;
        (offset < MAX_CLAIMS).then(|| self.state.ghost.fates[offset])
    }

    /// Whether `position` was claimed, at the tail (0) or at the head (1), and is not stamped.
    fn is_unstamped(&self, side: usize, position: u64) -> bool {
        let word = self.state.shared.slot(self.ring.index(position));
        let ring = self.ring;
        match side {
            0 => word == ring.vacant(position),
            _ => word == ring.filled(position) || word == ring.aborted(position),
        }
    }

    /// I1: only slots of the last claim are unstamped, they are its upper end, and the cursor names
    /// its owner.
    fn last_claim_is_named(&self, side: usize) -> Result<(), String> {
        let shared = &self.state.shared;
        let (name, cursor) = [("tail", shared.tail()), ("head", shared.head())][side];
        let mut gap = false;
        for distance in 1..=self.ring.slots() {
            let position = before(cursor.position(), distance);
            if !self.is_unstamped(side, position) {
                gap = true;
                continue;
            }
            let last = distance <= u64::from(self.state.ghost.last_claims[side]);
            let holder = self.fate(position).and_then(Fate::holder);
            let owner = holder.map(|thread| self.config.threads[usize::from(thread)].member);
            if gap || !last || owner != Some(cursor.member()) {
                return Err(format!(
                    "a claim at the {name} is not stamped, and the cursor does not tell whose (I1)"
                ));
            }
        }
        Ok(())
    }

    /// I4: a vacant slot at the head says that nothing is committed.
    fn empty_means_nothing_committed(&self) -> Result<(), String> {
        let shared = &self.state.shared;
        let (head, tail) = (shared.head().position(), shared.tail().position());
        if shared.slot(self.ring.index(head)) != self.ring.vacant(head) {
            return Ok(());
        }
        let ahead = self.ring.ahead(tail, head);
        if (0..ahead).any(|step| self.fate(after(head, step)) == Some(Fate::Filled)) {
            return Err("the ring looks empty, and a message is committed (I4)".into());
        }
        Ok(())
    }

    /// A slot at the tail that is not vacant is in use: whoever says "full" is right.
    fn full_means_in_use(&self) -> Result<(), String> {
        let tail = self.state.shared.tail().position();
        if self.state.shared.slot(self.ring.index(tail)) == self.ring.vacant(tail) {
            return Ok(());
        }
        let previous = before(tail, self.ring.slots());
        match self.fate(previous) {
            Some(fate) if !fate.is_final() && fate != Fate::Unclaimed => Ok(()),
            _ => Err("the ring looks full, and the slot at the tail is in nobody's use".into()),
        }
    }
}

/// Everything that was accepted has come to its end, all slots are vacant for their next lap, and
/// no producer that lives has anything left to send.
pub fn is_end(config: &Config, state: &State) -> bool {
    let ring = Geometry::new(config.slots as u64);
    let tail = state.shared.tail().position();
    let all_final =
        state.ghost.fates.iter().all(|fate| fate.is_final() || *fate == Fate::Unclaimed);
    let all_vacant = (0..ring.slots()).all(|step| {
        let position = after(tail, step);
        state.shared.slot(ring.index(position)) == ring.vacant(position)
    });
    let all_sent = state.threads.iter().all(|thread| !matches!(thread.at, At::Send(_)));
    all_final && all_vacant && all_sent && state.shared.head().position() == tail
}
