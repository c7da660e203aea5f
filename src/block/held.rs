//! What all handles of blocks are made of: an attachment, its memory, and what can be asked of both.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Operation};
use crate::event::Patience;
use crate::layout::Kind;
use crate::member::Attachment;
use crate::segment::Memory;

/// What a handle chose for itself.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    /// How its blocked calls wait.
    pub patience: Patience,
    /// Whether it asks for huge pages.
    pub huge_pages: bool,
}

/// Whether a block lies on huge pages, of 2 MiB on x86-64, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HugePages {
    /// Nobody asked for them.
    NotAsked,
    /// When it was made or opened: all of it that is a whole huge page, counted from the start of its file. The kernel may
    /// take them apart later.
    Given,
    /// They were asked for and are not to be had; the text says why. The block is as good without.
    Refused(&'static str),
}

impl HugePages {
    /// What comes of `collapse`, if they were asked for.
    pub(super) fn asked(asked: bool, collapse: impl FnOnce() -> Result<(), &'static str>) -> Self {
        match asked.then(collapse) {
            None => Self::NotAsked,
            Some(Ok(())) => Self::Given,
            Some(Err(why)) => Self::Refused(why),
        }
    }
}

/// A hold on a block. A clone is of the same attachment, which lasts until the last hold, and the last that was made of its
/// memory, is dropped.
#[derive(Clone, Debug)]
pub struct Held {
    attachment: Arc<Attachment>,
    memory: Memory,
    huge: HugePages,
    patience: Patience,
}

impl Held {
    /// What was just attached.
    pub fn new(attachment: Attachment, chosen: Chosen) -> Self {
        let attachment = Arc::new(attachment);
        let memory = attachment.segment().memory(Arc::clone(&attachment));
        let huge = HugePages::asked(chosen.huge_pages, || attachment.segment().collapse());
        Self { attachment, memory, huge, patience: chosen.patience }
    }

    /// Where the lock beside the elements lies, if there is one.
    pub fn lock_line(&self) -> Option<Memory> {
        self.attachment.segment().lock_line(Arc::clone(&self.attachment))
    }

    /// Whether it lies on huge pages here.
    pub fn huge_pages(&self) -> HugePages {
        self.huge
    }

    /// The attachment.
    pub fn attachment(&self) -> &Arc<Attachment> {
        &self.attachment
    }

    /// The elements.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// How this handle's blocked calls wait.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// The name it was made or opened under.
    pub fn name(&self) -> &str {
        self.attachment.home().map_or("", crate::name::Address::name)
    }

    /// The file it was made or opened as.
    pub fn path(&self) -> &Path {
        self.attachment.home().map_or(Path::new(""), crate::name::Address::path)
    }

    /// Takes its name away.
    pub fn unlink(&self) -> Result<(), Error> {
        let why = |failure| Error::new(Operation::Unlink, Kind::Block.noun(), self.name(), failure);
        self.attachment.unlink().map_err(why)
    }

    /// As the handle `kind` shows itself to people: no shared bytes.
    pub fn describe(&self, f: &mut fmt::Formatter<'_>, kind: &str) -> fmt::Result {
        f.debug_struct(kind)
            .field("name", &self.name())
            .field("member", &self.attachment.id())
            .finish_non_exhaustive()
    }
}

/// Methods of a handle whose field `held` is a [`Held`], said of `$self`.
macro_rules! held {
    ($self:ident) => {
        /// The name that it was made or opened under. It may be somebody else's by now, or nobody's.
        pub fn name(&$self) -> &str {
            $self.held.name()
        }

        /// The file that it was made or opened as.
        pub fn path(&$self) -> &std::path::Path {
            $self.held.path()
        }

        /// Whether it lies on huge pages, and why not, if [`huge_pages`](crate::block::Options::huge_pages) asked for them.
        pub fn huge_pages(&$self) -> crate::block::HugePages {
            $self.held.huge_pages()
        }

        /// Removes its name. Who is attached goes on undisturbed; nobody else finds it any more.
        ///
        /// # Errors
        ///
        /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if it has no name any more, also if another has it now; and as
        /// [`Options::unlink`](crate::block::Options::unlink).
        pub fn unlink(&$self) -> Result<(), crate::Error> {
            $self.held.unlink()
        }

        observe!($self, crate::layout::Kind::Block, $self.held.attachment());
    };
}
