//! Copies of bytes that do not stumble.
//!
//! Where a destination lies 1 to 31 bytes behind its source, as far as the lower twelve bits of the addresses tell,
//! `rep movsb` takes 17 to 28 times as long on processors of AMD's Zen 3 (64 KiB: 21.8 µs instead of 1.3; 4 KiB: 1,370 ns
//! instead of 50), and the C library copies whatever is long with that instruction. One of 128 pairs of buffers
//! lies so if chance places them; page-aligned buffers and payload behind a header word do much more often. There the
//! copy goes in steps that the C library takes by loads and stores.

/// Copies shorter than this are not made with `rep movsb`: the C library's limit is 2 KiB at the least.
const STEP: usize = 1024;

/// Copies `from` to `to`.
///
/// # Panics
///
/// If they differ in length.
#[inline(always)]
pub fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    if size_of_val(from) >= 2 * STEP && stumbles(to.as_ptr(), from.as_ptr()) {
        return copy_in_steps(to, from);
    }
    to.copy_from_slice(from);
}

/// Appends `from` to `to`.
#[cfg(not(loom))]
pub fn append(to: &mut Vec<u8>, from: &[u8]) {
    to.reserve(from.len());
    if from.len() >= 2 * STEP && stumbles(to.as_ptr().wrapping_add(to.len()), from.as_ptr()) {
        return from.chunks(STEP).for_each(|step| append_step(to, step));
    }
    to.extend_from_slice(from);
}

#[inline(always)]
fn stumbles<T>(to: *const T, from: *const T) -> bool {
    let distance = to.addr().wrapping_sub(from.addr()) % 4096;
    cfg!(target_arch = "x86_64") && (1..32).contains(&distance)
}

#[cold]
#[inline(never)]
fn copy_in_steps<T: Copy>(to: &mut [T], from: &[T]) {
    assert_eq!(to.len(), from.len(), "they have one length");
    let step = (STEP / size_of::<T>()).max(1);
    for (to, from) in to.chunks_mut(step).zip(from.chunks(step)) {
        copy_step(to, from);
    }
}

/// Not in line: of a loop of copies the compiler would make the one long copy again.
#[inline(never)]
fn copy_step<T: Copy>(to: &mut [T], from: &[T]) {
    to.copy_from_slice(from);
}

/// As [`copy_step`].
#[cfg(not(loom))]
#[inline(never)]
fn append_step(to: &mut Vec<u8>, from: &[u8]) {
    to.extend_from_slice(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_same_at_each_distance_and_length() {
        let source: Vec<u8> = (0..20_000_u32).map(|n| (n % 251) as u8).collect();
        let mut target = vec![0; 20_000];
        for distance in [0, 1, 8, 16, 31, 32, 4095] {
            let to = target.as_ptr().addr() % 4096;
            let from = source.as_ptr().addr() % 4096;
            // Bytes to skip of the source, so that it lies as far before the target.
            let skip = (to + 4096 - distance + 4096 - from) % 4096;
            for len in [0, 1, 2047, 2048, 2049, 3 * STEP, 12_345] {
                let from = &source[skip..skip + len];
                assert_eq!(stumbles(target.as_ptr(), from.as_ptr()), (1..32).contains(&distance));
                target.fill(0xee);
                copy(&mut target[..len], from);
                assert_eq!((&target[..len], target[len]), (from, 0xee));
                let mut appended = b"front".to_vec();
                append(&mut appended, from);
                assert_eq!((&appended[..5], &appended[5..]), (&b"front"[..], from));
            }
        }
    }
}
