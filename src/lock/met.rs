//! What attempts share: they look at a word until that comes to something, ask whether who is in their way lives, if it is time to,
//! and mark the word, if they are about to sleep.

use super::holder::Holder;
use super::{Denial, Fate, MOST_TURNS, WAITED};
use crate::event::{Look, Turn};
use crate::primitive::LockWord;
use crate::primitive::Ordering::Relaxed;
use crate::ring::Corruption;

/// Makes one `step` after another until one comes to something: each that does not has found the word changed by another.
pub fn attempt<R, E: From<Denial>>(
    mut step: impl FnMut() -> Result<Option<Turn<R>>, E>,
) -> Turn<Result<R, E>> {
    for _ in 0..MOST_TURNS {
        match step() {
            Ok(None) => {}
            Ok(Some(Turn::Ready(result))) => return Turn::Ready(Ok(result)),
            Ok(Some(Turn::Asleep { word, holder })) => return Turn::Asleep { word, holder },
            Err(error) => return Turn::Ready(Err(error)),
        }
    }
    Turn::Ready(Err(Denial::Corrupt(Corruption::Lock).into()))
}

/// Who is in the way of `me`, if anybody: `found` is of a word that names who has the lock.
pub fn in_the_way(found: u64, me: Holder) -> Result<Option<Holder>, Denial> {
    match Holder::of(found) {
        Some(holder) if holder.is_same_thread(me) => Err(Denial::Own),
        None if !Holder::is_none(found) => Err(Denial::Corrupt(Corruption::Lock)),
        holder => Ok(holder),
    }
}

/// Whether `found` names one who is dead: it is of a word that says nothing else.
pub fn is_of_the_dead(found: u64, fate: impl Fn(Holder) -> Fate) -> Result<bool, Denial> {
    match Holder::of(found) {
        Some(holder) => fate(holder).is_dead(),
        None if found == 0 => Ok(false),
        None => Err(Denial::Corrupt(Corruption::Lock)),
    }
}

/// Meets `holder`, of whom `word` was `found` to say it. If it is dead, what it had is there for `bury`, which may come too late.
#[cold]
pub fn meet<R>(
    word: &LockWord,
    found: u64,
    holder: Holder,
    look: Look,
    fate: impl Fn(Holder) -> Fate,
    bury: impl FnOnce() -> Option<R>,
) -> Result<Option<Turn<R>>, Denial> {
    if look.overdue && fate(holder).is_dead()? {
        return Ok(bury().map(Turn::Ready));
    }
    let holder = Some(holder.member());
    Ok(mark(word, found, look).map(|word| Turn::Asleep { word, holder }))
}

/// Marks `word`, which was `found`, if whoever looks sleeps next. Gives what it is then; nothing if it was something else.
pub fn mark(word: &LockWord, found: u64, look: Look) -> Option<u64> {
    let marked = found | WAITED;
    // Relaxed: it only marks the word of another, whose release it leaves as it is.
    let is_marked = !look.last
        || found == marked
        || word.compare_exchange(found, marked, Relaxed, Relaxed).is_ok();
    is_marked.then_some(marked)
}
