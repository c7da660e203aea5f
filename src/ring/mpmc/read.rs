//! Reading what was claimed.
#![allow(unsafe_code, reason = "payload access: the protocol says who owns a slot")]

use bytemuck::Pod;

use super::super::Corruption;
use super::super::slab::Astray;
use super::super::word::{MessageWord, after};
use super::Ring;
use super::take::{ConsumerSide, Dry, Taken};

impl<T: Pod> Ring<'_, T> {
    /// 7. Copies the value of a claim.
    #[inline(always)]
    pub fn copy(&self, claim: &Taken) -> T {
        let index = self.slot_of_taken(claim);
        // SAFETY: the slot was claimed and is in READING for this member.
        unsafe { self.slots.read(index) }
    }

    /// Takes the next value. The caller then asks whether producers wait.
    #[cfg(any(test, loom))]
    pub fn pop(&self, side: &ConsumerSide) -> Result<T, Dry> {
        let claim = self.take(side)?;
        let value = self.copy(&claim);
        self.acknowledge(claim);
        Ok(value)
    }

    /// As [`pop_row`](Self::pop_row), or one value that was put back.
    #[cfg(any(test, loom))]
    pub fn pop_slice(&self, side: &ConsumerSide, buffer: &mut [T]) -> Result<usize, Dry> {
        if self.has_again() {
            buffer[0] = self.pop(side)?;
            return Ok(1);
        }
        self.pop_row(side, buffer)
    }

    /// Takes as many values as lie in a row and `buffer` holds; at least one or an error. Says how many. Those that were put
    /// back are not among them.
    pub fn pop_row(&self, side: &ConsumerSide, buffer: &mut [T]) -> Result<usize, Dry> {
        let (first, count) = self.claim_filled(side, buffer.len() as u64)?;
        for (n, place) in (0..count).zip(buffer.iter_mut()) {
            let position = after(first, n);
            let index = self.geometry.index(position);
            // SAFETY: as in `copy`.
            *place = unsafe { self.slots.read(index) };
            // SAFETY: as above; this member is done with it.
            unsafe { self.slots.keep_lines(index, 0) };
            self.give_back(index, self.geometry.reading(position, side.member.0));
        }
        Ok(usize::try_from(count).unwrap_or(buffer.len()))
    }

    /// The value of a claim.
    pub fn value<'c>(&'c self, claim: &'c Taken) -> &'c T {
        let index = self.slot_of_taken(claim);
        // SAFETY: the claim is one of this ring and stays borrowed; nobody writes to the slot meanwhile.
        let value = unsafe { self.slots.slice(index, 0, 1) };
        &value[0]
    }
}

impl Ring<'_, [u8]> {
    /// Reads how long the message of a claim is, once, and checked; and finds it, if it is in a block.
    ///
    /// # Errors
    ///
    /// As [`measure_short`](Self::measure_short), and that it is not to be had; the claim is as it was.
    pub fn measure(&self, claim: &mut Taken) -> Result<usize, Astray> {
        match self.measure_short(claim) {
            Err(Corruption::Flags) => {
                self.locate(claim)?;
                if claim.block.is_some() { Ok(claim.len) } else { Err(Corruption::Flags.into()) }
            }
            measured => Ok(measured?),
        }
    }

    /// Reads how long the message of a claim is, which is in its slot.
    ///
    /// # Errors
    ///
    /// When it is longer than a slot, or has flags; the claim is as it was.
    #[inline(always)]
    pub fn measure_short(&self, claim: &mut Taken) -> Result<usize, Corruption> {
        let index = self.slot_of_taken(claim);
        // SAFETY: the claim is one of this ring; nobody writes to the slot meanwhile.
        let word = MessageWord(unsafe { self.slots.read_once(index) });
        let len = word.length().ok_or(Corruption::Flags)?;
        if len > self.max_len() {
            return Err(Corruption::Length);
        }
        claim.len = len;
        Ok(len)
    }

    /// Shows `take` the bytes of a claim that was measured, part by part.
    #[inline(always)]
    pub fn read_out(&self, claim: &mut Taken, mut take: impl FnMut(&[u8])) {
        match &mut claim.block {
            Some(block) => self.block_read_out(block, claim.len, take),
            None => take(self.bytes(claim)),
        }
    }

    /// The bytes of a claim that was measured.
    #[inline(always)]
    pub fn bytes<'c>(&'c self, claim: &'c Taken) -> &'c [u8] {
        if let Some(block) = &claim.block {
            return self.block_bytes(block, claim.len);
        }
        let index = self.slot_of_taken(claim);
        // SAFETY: the claim is one of this ring and stays borrowed; nobody writes to the slot meanwhile.
        let words = unsafe { self.slots.slice(index, 1, claim.len.div_ceil(size_of::<u64>())) };
        &bytemuck::cast_slice(words)[..claim.len]
    }
}
