//! A segment's memory as a stranger has it: a mapping of its own, and words to write at any place of it.
#![allow(unsafe_code, reason = "another process's view of a segment is raw memory")]

use std::fs::{self, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use memmap2::{MmapOptions, MmapRaw};

const PAGE: usize = 4096;
const WORD: usize = size_of::<u64>();

/// A mapping of a segment beside the library's.
#[derive(Debug)]
pub struct Memory {
    map: MmapRaw,
}

impl Memory {
    /// Maps the file at `path`.
    pub fn of(path: &Path) -> Self {
        let file = OpenOptions::new().read(true).write(true).open(path).expect("a segment's file");
        let map = MmapOptions::new().map_raw(&file).expect("a mapping of it");
        Self { map }
    }

    /// How many whole words there are.
    pub fn words(&self) -> usize {
        self.map.len() / WORD
    }

    /// Word `index`, counted around at the end.
    fn word(&self, index: usize) -> &AtomicU64 {
        let index = index % self.words();
        // SAFETY: the index is below the number of words in the mapping.
        let place = unsafe { self.map.as_mut_ptr().add(index * WORD) };
        // SAFETY: it is mapped while `self` lives, aligned, and only ever used as atomics here.
        unsafe { AtomicU64::from_ptr(place.cast()) }
    }

    /// What word `index` says.
    pub fn get(&self, index: usize) -> u64 {
        self.word(index).load(Relaxed)
    }

    /// Has word `index` say `value`.
    pub fn put(&self, index: usize, value: u64) {
        self.word(index).store(value, Relaxed);
    }

    /// Has half a word say `value`: the low one of word `index`, or the high one.
    pub fn put_half(&self, index: usize, high: bool, value: u32) {
        let word = self.word(index).as_ptr().cast::<u32>();
        // SAFETY: a word has two halves.
        let place = unsafe { word.add(usize::from(high)) };
        // SAFETY: as for the word.
        unsafe { AtomicU32::from_ptr(place) }.store(value, Relaxed);
    }
}

/// Inaccessible pages beside each mapping of a file, where nothing else lies: a step over its edge ends the process.
#[derive(Debug, Default)]
pub struct Fences {
    pages: Vec<usize>,
    /// Bytes between the end of the file and of its last page.
    poisoned: Vec<Range<usize>>,
}

impl Fences {
    /// Puts them beside all mappings of the file at `path` that this process has now.
    pub fn around(path: &Path) -> Self {
        let mut fences = Self::default();
        let len = fs::metadata(path).map_or(0, |file| file.len());
        for mapped in mappings(path) {
            let end = mapped.start + usize::try_from(len).unwrap_or(usize::MAX);
            fences.poison(end..mapped.end);
            for page in [mapped.start - PAGE, mapped.end] {
                fences.fence(page);
            }
        }
        fences
    }

    /// How many sides of mappings have one.
    pub fn count(&self) -> usize {
        self.pages.len()
    }

    fn fence(&mut self, page: usize) {
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
        let start = page as *mut libc::c_void;
        // SAFETY: the call maps only where nothing is mapped.
        if start == unsafe { libc::mmap(start, PAGE, libc::PROT_NONE, kind, -1, 0) } {
            self.pages.push(page);
        }
    }

    fn poison(&mut self, bytes: Range<usize>) {
        if cfg!(feature = "poison") && !bytes.is_empty() {
            sanitizer::poison(&bytes);
            self.poisoned.push(bytes);
        }
    }
}

impl Drop for Fences {
    fn drop(&mut self) {
        for page in self.pages.drain(..) {
            // SAFETY: the page was mapped here, and nobody knows of it.
            unsafe { libc::munmap(page as *mut libc::c_void, PAGE) };
        }
        for bytes in self.poisoned.drain(..) {
            sanitizer::unpoison(&bytes);
        }
    }
}

#[cfg(feature = "poison")]
mod sanitizer {
    use std::ops::Range;

    unsafe extern "C" {
        fn __asan_poison_memory_region(start: *const libc::c_void, len: usize);
        fn __asan_unpoison_memory_region(start: *const libc::c_void, len: usize);
    }

    pub fn poison(bytes: &Range<usize>) {
        // SAFETY: it touches the sanitizer's own notes about the range only.
        unsafe { __asan_poison_memory_region(bytes.start as *const _, bytes.len()) };
    }

    pub fn unpoison(bytes: &Range<usize>) {
        // SAFETY: as above.
        unsafe { __asan_unpoison_memory_region(bytes.start as *const _, bytes.len()) };
    }
}

#[cfg(not(feature = "poison"))]
mod sanitizer {
    use std::ops::Range;

    pub fn poison(_: &Range<usize>) {}
    pub fn unpoison(_: &Range<usize>) {}
}

/// Where this process has the file at `path` mapped. Told by its number: who made it mapped it before it had a name.
fn mappings(path: &Path) -> Vec<Range<usize>> {
    let Ok(file) = fs::metadata(path) else { return Vec::new() };
    let (device, inode) = (file.dev(), file.ino().to_string());
    let device = format!("{:02x}:{:02x}", libc::major(device), libc::minor(device));
    let maps = fs::read_to_string("/proc/self/maps").expect("a process has its map");
    let bounds = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [range, _, _, of, number, ..] = fields[..] else { return None };
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        (of == device && number == inode).then_some(address(start)?..address(end)?)
    };
    maps.lines().filter_map(bounds).collect()
}

/// Writes a file of `content`, `len` bytes long, at `path`.
pub fn write_file(path: &Path, content: &[u8], len: u64) -> std::io::Result<()> {
    fs::write(path, content)?;
    File::options().write(true).open(path)?.set_len(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Name, small};

    #[test]
    fn each_mapping_of_a_file_is_found_and_fenced() {
        let (name, other) = (Name::fresh(), Name::fresh());
        let options = small(ringway::queue::Queue::<u64>::options());
        let first = options.create(name.as_str()).expect("nobody has the name");
        let _other = options.create(other.as_str()).expect("nobody has the name");
        assert_eq!(mappings(name.path()).len(), 1);
        let second = options.open(name.as_str()).expect("it is there");
        assert_eq!(mappings(name.path()).len(), 2);
        assert!(Fences::around(name.path()).count() > 0);
        drop((first, second));
        assert_eq!(Fences::around(name.path()).count(), 0);
    }
}
