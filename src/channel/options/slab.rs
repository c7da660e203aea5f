//! Blocks for messages that are longer than a slot, as options say them.

use crate::error::{ErrorKind, Failure};
use crate::layout::{BLOCK_ALIGN, CLASSES, ClassWord, HOLE_ALIGN, MOST_BLOCKS};

/// Room for the longest messages where nobody says how many.
const DEFAULT_ATTACHMENTS: usize = 16;

/// What a new queue is to have.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blocks {
    /// Bytes and how many, as they were asked for.
    asked: [(usize, usize); CLASSES],
    /// How often that was.
    count: usize,
    attachments: Option<usize>,
    max_message: Option<usize>,
}

impl Blocks {
    /// `count` more of `len` bytes.
    pub fn add(&mut self, len: usize, count: usize) {
        if let Some(place) = self.asked.get_mut(self.count) {
            *place = (len, count);
        }
        self.count += 1;
    }

    /// So many messages of the greatest length.
    pub fn attach(&mut self, count: usize) {
        self.attachments = Some(count);
    }

    /// The greatest length.
    pub fn limit(&mut self, len: usize) {
        self.max_message = Some(len);
    }

    /// Whether anything was asked for.
    pub fn any(&self) -> bool {
        self.count > 0 || self.attachments.is_some() || self.max_message.is_some()
    }

    /// The classes of a header, and the longest message.
    pub fn plan(&self) -> Result<([ClassWord; CLASSES], u64), Failure> {
        let invalid = |why| Failure::from(ErrorKind::InvalidOption(why));
        let most = "there are at most 4 classes of blocks, that of attachments included";
        let mut asked: Vec<(usize, usize)> =
            self.asked.get(..self.count).ok_or_else(|| invalid(most))?.to_vec();
        asked.sort_unstable();
        let dense = asked.last().map_or(0, |last| last.0);
        let max_message = self.max_message.unwrap_or(dense);
        let attachments = match self.attachments {
            None if max_message > dense => DEFAULT_ATTACHMENTS,
            count => count.unwrap_or(0),
        };
        if attachments > 0 && max_message <= dense {
            return Err(invalid("attachments need a max_message beyond the longest block"));
        }
        if max_message > dense && attachments == 0 {
            return Err(invalid("no block is as long as max_message"));
        }
        let class = |(len, count): (usize, usize), align: u64| {
            let len = (len as u64).checked_next_multiple_of(align)?;
            let fits = len > 0 && count > 0 && count as u64 <= MOST_BLOCKS;
            fits.then(|| ClassWord::new(len, count as u64, align == HOLE_ALIGN))?
        };
        let long = (attachments > 0).then_some((max_message, attachments));
        let classes: Option<Vec<_>> = asked
            .into_iter()
            .map(|one| class(one, BLOCK_ALIGN))
            .chain(long.map(|one| class(one, HOLE_ALIGN)))
            .collect();
        let classes = classes.ok_or_else(|| {
            invalid("a block has 1 to 4294963200 bytes, and there are 1 to 16777216 of a class")
        })?;
        let mut words = [ClassWord::default(); CLASSES];
        words.get_mut(..classes.len()).ok_or_else(|| invalid(most))?.copy_from_slice(&classes);
        let sizes = classes.iter().map(|class| class.block_len()).collect::<Vec<_>>();
        if !sizes.is_sorted_by(|one, next| one < next) {
            return Err(invalid("two classes of blocks have the same length"));
        }
        Ok((words, max_message as u64))
    }
}
