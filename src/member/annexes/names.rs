//! What the files of a chain are called, and taking away those that nobody uses.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Failure};
use crate::inspect::{Trust, inspect, open_file};
use crate::name::Address;
use crate::segment::Segment;
use crate::sys::fork;
use crate::sys::shm::Identity;

fn with_suffix(home: &Address, suffix: &str) -> PathBuf {
    let mut path = home.path().as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

pub fn foothold_path(home: &Address, chain_id: u64) -> PathBuf {
    with_suffix(home, &format!("@{chain_id:016x}"))
}

pub fn annex_path(home: &Address, chain_id: u64, generation: u64) -> PathBuf {
    with_suffix(home, &format!("@{chain_id:016x}.{generation}"))
}

/// The names of annexes and footholds beside `home`, of the chain `chain_id` or of any.
fn names(home: &Address, chain_id: Option<u64>) -> Vec<PathBuf> {
    let prefix = chain_id.map_or_else(|| with_suffix(home, "@"), |id| foothold_path(home, id));
    let (Some(directory), Some(prefix)) = (prefix.parent(), prefix.file_name()) else {
        return Vec::new();
    };
    let begins = |path: &Path| {
        let name = path.file_name().map(std::ffi::OsStr::as_encoded_bytes);
        name.is_some_and(|name| name.starts_with(prefix.as_encoded_bytes()))
    };
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| begins(path)).collect()
}

/// Removes all annexes of `anchor`, which nobody uses any more, and its foothold last.
pub fn remove_all(anchor: &Segment, home: &Address) {
    let id = anchor.shape().growth.chain_id;
    if id == 0 || !anchor.identity().is_at(&foothold_path(home, id)) {
        return;
    }
    remove_chain(home, id);
}

fn remove_chain(home: &Address, chain_id: u64) {
    let mut paths = names(home, Some(chain_id));
    // The longer names are the annexes.
    paths.sort_by_key(|path| std::cmp::Reverse(path.as_os_str().len()));
    for path in paths {
        let _ = std::fs::remove_file(path);
    }
}

/// Removes what chains left beside `home` that are neither those of the segment there nor used by anybody.
pub fn remove_orphans(home: &Address, trust: &Trust) {
    let ids = names(home, None).into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?;
        let id = name.rsplit_once('@')?.1.split('.').next()?;
        u64::from_str_radix(id, 16).ok()
    });
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        if is_orphaned(home, id, trust) {
            remove_chain(home, id);
        }
    }
}

/// The number of the chain of the segment at `home`, if there is one.
fn chain_at(home: &Address, trust: &Trust) -> Result<Option<u64>, Failure> {
    match open_file(home.path(), trust).and_then(|file| inspect(&file, trust)) {
        Ok((_, shape)) => Ok(Some(shape.growth.chain_id)),
        Err(Failure { kind: ErrorKind::NotFound, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whether nobody uses the chain `chain_id`, of which something was found beside `home`.
fn is_orphaned(home: &Address, chain_id: u64, trust: &Trust) -> bool {
    // What has the name may grow at any time. What had it and has no foothold either never does: it has no name to link.
    if !matches!(chain_at(home, trust), Ok(at) if at != Some(chain_id)) {
        return false;
    }
    let foothold = foothold_path(home, chain_id);
    let is_used = |file: &File| -> Result<bool, Failure> {
        if Identity::of(&file.metadata()?).is_at(home.path()) {
            return Ok(true);
        }
        let _guard = fork::guard();
        let (segment, _) = Segment::open_any(&foothold, trust)?;
        Ok(segment.census(segment.probe())?.0 > 0)
    };
    match open_file(&foothold, trust) {
        Ok(file) => matches!(is_used(&file), Ok(false)),
        Err(Failure { kind: ErrorKind::NotFound, .. }) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Growth, Queue};

    #[test]
    fn what_belongs_to_the_chain_that_has_the_name_is_no_orphan() {
        let (id, trust) = (std::process::id(), Trust::default());
        let home = Address::new(Path::new("/dev/shm"), "default", &format!("unit-orphan-{id}"));
        let home = home.unwrap();
        let options = Queue::<u64>::options().growth(Growth::UntilRefused);
        let options = options.remove_when_unused();
        let queue = options.create(&format!("unit-orphan-{id}")).unwrap();
        let (segment, _) = Segment::open_any(home.path(), &trust).unwrap();
        // As one sees it who has listed an annex, before its queue has gone home and grows again.
        let chain_id = segment.shape().growth.chain_id;
        let [ours, other] = [chain_id, chain_id ^ 1].map(|chain_id| annex_path(&home, chain_id, 2));
        for path in [&ours, &other] {
            File::create(path).unwrap();
        }
        remove_orphans(&home, &trust);
        assert!(ours.exists() && !other.exists());
        drop((segment, queue));
        assert!(!home.path().exists());
        remove_orphans(&home, &trust);
        assert!(!ours.exists());
    }
}
