//! The package `shared_memory`: its blocks as ours, and ours as its.
//!
//! Its owner removes the name when it is dropped, by name alone: a successor's too, and in a forked child. So ownership is
//! turned off at once, and names are removed by [`RawBlock::unlink`].

use shared_memory::{Shmem, ShmemConf, ShmemError};

use super::RawBlock;
use crate::error::Error;

impl TryFrom<Shmem> for RawBlock {
    type Error = Error;

    /// Opens what `shmem` has mapped, by its name, and lets go of `shmem`. From then on nobody removes the name but
    /// [`RawBlock::unlink`].
    fn try_from(mut shmem: Shmem) -> Result<Self, Error> {
        shmem.set_owner(false);
        Self::options().len(shmem.len()).open(shmem.get_os_id())
    }
}

impl RawBlock {
    /// The same block as the package `shared_memory` opens it, by its name in `/dev/shm`. It does not own the name.
    ///
    /// # Errors
    ///
    /// What that package answers.
    pub fn to_shmem(&self) -> Result<Shmem, ShmemError> {
        let mut shmem = ShmemConf::new().os_id(self.name()).open()?;
        shmem.set_owner(false);
        Ok(shmem)
    }
}
