//! A copy of the workspace to do harm to: texts in it are replaced, and put back.
//!
//! A text that is not found exactly once is stale: the source has changed since, and the harm may be none.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{self, Failure};

/// What is changed in one file.
#[derive(Clone, Copy)]
pub struct Harm {
    pub name: &'static str,
    pub file: &'static str,
    /// Texts that stand in the file once, and what takes their place.
    pub edits: &'static [(&'static str, &'static str)],
}

/// The copy, and where it is built.
pub struct Lab {
    pub work: PathBuf,
    pub target: PathBuf,
}

impl Lab {
    /// A fresh copy for `purpose`. What was built there before is used again.
    pub fn new(purpose: &str) -> Result<Self, Failure> {
        let root = run::root()?;
        let place = root.join("target").join(purpose);
        let lab = Self { work: place.join("work"), target: place.join("build") };
        if lab.work.exists() {
            fs::remove_dir_all(&lab.work).map_err(|why| failed("empty", &lab.work, &why))?;
        }
        copy_tree(&root, &lab.work)?;
        Ok(lab)
    }

    /// Fails when the text of any of them is not there exactly once, naming all such.
    pub fn refuse_stale(&self, harms: impl Iterator<Item = Harm>) -> Result<(), Failure> {
        let stale: Vec<_> = harms.filter_map(|harm| self.changed(&harm).err()).collect();
        let messages: Vec<_> = stale.into_iter().map(|why| why.message).collect();
        if messages.is_empty() { Ok(()) } else { Err(Failure::new(messages.join("\n"))) }
    }

    /// The file that `harm` changes as it is, and as it would have it.
    fn changed(&self, harm: &Harm) -> Result<(String, String), Failure> {
        changed(&self.work, harm)
    }

    /// Does `harm`, then `act`, and puts the file back.
    pub fn with<R>(
        &self,
        harm: &Harm,
        act: impl FnOnce() -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let path = self.work.join(harm.file);
        let (original, changed) = self.changed(harm)?;
        fs::write(&path, changed).map_err(|why| failed("write", &path, &why))?;
        let result = act();
        fs::write(&path, original).map_err(|why| failed("write", &path, &why))?;
        result.map_err(|why| Failure::new(format!("mutant {:?}: {}", harm.name, why.message)))
    }
}

/// The file below `root` that `harm` changes as it is, and as it would have it. An error when a text is not there once.
pub fn changed(root: &Path, harm: &Harm) -> Result<(String, String), Failure> {
    let path = root.join(harm.file);
    let original = fs::read_to_string(&path).map_err(|why| failed("read", &path, &why))?;
    let mut changed = original.clone();
    for (from, to) in harm.edits {
        let found = changed.matches(from).count();
        if found != 1 {
            let (name, file) = (harm.name, harm.file);
            let message = format!("stale mutant {name:?}: {file} has {found} of {from:?}");
            return Err(Failure::new(message));
        }
        changed = changed.replace(from, to);
    }
    Ok((original, changed))
}

fn failed(doing: &str, path: &Path, why: &std::io::Error) -> Failure {
    Failure::new(format!("{doing} {}: {why}", path.display()))
}

/// Copies the directory `from` to `to`, without build output and history.
fn copy_tree(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(|why| failed("create", to, &why))?;
    for entry in from.read_dir().map_err(|why| failed("read", from, &why))? {
        let path = entry.map_err(|why| failed("read", from, &why))?.path();
        let Some(name) = path.file_name().filter(|name| *name != "target" && *name != ".git")
        else {
            continue;
        };
        if path.is_dir() {
            copy_tree(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name)).map_err(|why| failed("copy", &path, &why))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{mutants, sweep};

    #[test]
    fn every_text_that_a_mutant_or_a_sabotage_changes_is_in_the_sources_once() {
        let root = crate::run::root().expect("the workspace");
        let harms = mutants::harms().chain(sweep::harms());
        let stale = harms.filter_map(|harm| super::changed(&root, &harm).err());
        let stale: Vec<_> = stale.map(|why| why.message).collect();
        assert!(stale.is_empty(), "{}", stale.join("\n"));
    }
}
