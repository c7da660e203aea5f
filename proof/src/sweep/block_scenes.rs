//! Blocks: whoever dies while it makes, opens, leaves, removes or replaces one, or writes a word of it, leaves a block that is
//! whole: none, or one of its length with all that others wrote.

use anyhow::{Result, ensure};
use ringway::block::{Options, SharedArray};

use super::lifecycle_scenes::{Check, LifeScene};
use super::place::{Place, bury};
use super::scene::Scene;
use super::victim::marked;

/// All of them.
pub fn all() -> Vec<Box<dyn Scene>> {
    let scenes = names().into_iter().chain(uses());
    scenes.map(|scene| -> Box<dyn Scene> { Box::new(scene) }).collect()
}

/// Neither a whole number of pages nor of lines.
const LEN: usize = 1001;

/// Of an array that keeps its name when nobody uses it.
fn lasting() -> Options<SharedArray<u64>> {
    SharedArray::options().len(LEN).max_members(4).namespace(Place::FAMILY)
}

fn options() -> Options<SharedArray<u64>> {
    lasting().remove_when_unused()
}

/// This process is alone in the array, in which `first` is first and the rest is zero. Says how many had died.
fn check(array: &SharedArray<u64>, first: u64) -> Result<u64> {
    let dead = bury(1, || array.members(), || array.recover())?.members;
    ensure!(array.len() == LEN, "it has {} values", array.len());
    // Nothing is allocated for it: victims would find another heap.
    for index in 0..LEN {
        let (found, expected) = (array.get(index)?, if index == 0 { first } else { 0 });
        ensure!(found == expected, "{found} at {index}");
    }
    array.set(LEN - 1, 9)?;
    ensure!(array.atomics()[LEN - 1].swap(0, std::sync::atomic::Ordering::Relaxed) == 9);
    Ok(dead)
}

/// Somebody starts again with the name as it is left: says whether it was there.
fn start_again(place: &Place) -> Result<usize> {
    let there = place.exists();
    check(&options().open_or_create(place.name())?, 0)?;
    Ok(usize::from(there))
}

/// The same where the name is to stay; says what was there.
fn start_again_lasting(place: &Place) -> Result<Option<bool>> {
    let there = place.exists();
    let array = lasting().open_or_create(place.name())?;
    let old = array.get(0)? == 7;
    check(&array, if old { 7 } else { 0 })?;
    array.unlink()?;
    Ok(there.then_some(old))
}

/// An array that was written to and that nobody is attached to.
fn leave_old(place: &Place) -> Result<()> {
    Ok(lasting().create(place.name())?.set(0, 7)?)
}

/// An array is there, and somebody in it.
fn in_use(place: &Place) -> Result<Check> {
    let array = options().create(place.name())?;
    array.set(0, 7)?;
    Ok(Box::new(move || Ok(usize::try_from(check(&array, 7)?)?)))
}

fn life(
    name: &str,
    stages: &'static [&'static str],
    begin: fn(&Place) -> Result<Check>,
    act: fn(&Place),
) -> LifeScene {
    LifeScene { name: format!("block/{name}"), begin, act, stages }
}

/// What makes a name or takes it away.
fn names() -> Vec<LifeScene> {
    let create = |place: &Place| {
        std::mem::forget(marked(|| options().create(place.name())).expect("nothing is there"));
    };
    let create_lasting = |place: &Place| {
        std::mem::forget(marked(|| lasting().create(place.name())).expect("nothing is there"));
    };
    let unlink = |place: &Place| {
        let array = lasting().open(place.name()).expect("it is there");
        marked(|| array.unlink()).expect("it has its name");
        std::mem::forget(array);
    };
    let replace = |place: &Place| {
        std::mem::forget(marked(|| lasting().replace(place.name())).expect("it is there"));
    };
    let nothing = |place: &Place| -> Result<Check> {
        let place = place.clone();
        Ok(Box::new(move || start_again(&place)))
    };
    let nothing_lasting = |place: &Place| -> Result<Check> {
        let place = place.clone();
        Ok(Box::new(move || Ok(usize::from(start_again_lasting(&place)?.is_some()))))
    };
    let old_or_gone = |place: &Place| -> Result<Check> {
        leave_old(place)?;
        let place = place.clone();
        Ok(Box::new(move || Ok(usize::from(start_again_lasting(&place)? != Some(true)))))
    };
    let old_or_new = |place: &Place| -> Result<Check> {
        leave_old(place)?;
        let place = place.clone();
        Ok(Box::new(move || {
            Ok(match start_again_lasting(&place)? {
                Some(true) => 0,
                None => 1,
                Some(false) => 2,
            })
        }))
    };
    vec![
        life("create", &["nothing", "there"], nothing, create),
        life("create to stay", &["nothing", "there"], nothing_lasting, create_lasting),
        life("unlink", &["there", "gone"], old_or_gone, unlink),
        life("replace", &["old", "gone", "new"], old_or_new, replace),
    ]
}

/// What is done by those who have one.
fn uses() -> Vec<LifeScene> {
    let open = |place: &Place| {
        std::mem::forget(marked(|| options().open(place.name())).expect("it is there"));
    };
    let leave = |place: &Place| {
        let array = options().open(place.name()).expect("it is there");
        marked(|| drop(array));
    };
    let leave_last = |place: &Place| {
        let array = options().create(place.name()).expect("nothing is there");
        // Whoever starts again must not find it: nobody was left.
        array.set(0, 7).expect("no fork");
        marked(|| drop(array));
    };
    let set = |place: &Place| {
        let array = options().open(place.name()).expect("it is there");
        marked(|| array.set(0, u64::MAX)).expect("no fork");
        std::mem::forget(array);
    };
    let there_or_gone = |place: &Place| -> Result<Check> {
        let place = place.clone();
        Ok(Box::new(move || Ok(1 - start_again(&place)?)))
    };
    let left = |place: &Place| -> Result<Check> {
        let mut check = in_use(place)?;
        Ok(Box::new(move || Ok(1 - check()?)))
    };
    let written = |place: &Place| -> Result<Check> {
        let array = options().create(place.name())?;
        Ok(Box::new(move || {
            let first = array.get(0)?;
            ensure!(first == 0 || first == u64::MAX, "a word in part: {first:x}");
            check(&array, first)?;
            Ok(usize::from(first != 0))
        }))
    };
    vec![
        life("open", &["nothing", "attached"], in_use, open),
        life("leave", &["attached", "left"], left, leave),
        life("leave as the last", &["there", "gone"], there_or_gone, leave_last),
        life("set", &["old", "new"], written, set),
    ]
}
