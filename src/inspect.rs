//! What is checked about a file before any of it is mapped.
//!
//! A file that is opened is a claim: that it is a segment, of this build's format, of a user who is trusted, on a file
//! system that keeps locks, of the kind and element type that are wanted. Each check has its error.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::OnceLock;

use bytemuck::Zeroable;

use crate::error::{ErrorKind, Failure};
use crate::layout::{Kind, LAYOUT_HASH, MAGIC, SegmentHeader, Shape, VERSION};
use crate::sys::shm::{self, FileSystem};

/// Who may be trusted, and where.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Another user than this process's whose segments are accepted.
    pub owner: Option<u32>,
    /// Accept file systems that are not memory.
    pub any_file_system: bool,
}

/// What is in `/proc` could not be read: says so where there is none.
pub fn no_proc(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::InvalidData => Failure {
            kind: ErrorKind::LivenessUnsupported("/proc is needed and not there"),
            source: Some(error),
        },
        _ => error.into(),
    }
}

/// What an opener wants; fields that it leaves open are taken from the segment.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The kind.
    pub kind: Kind,
    /// Bytes in one element and its alignment; `None` where openers take them from the segment.
    pub element: Option<(usize, usize)>,
    /// Fingerprint of the element type's agreed name; zero for none.
    pub type_id: [u8; 16],
    /// How many elements, where that matters.
    pub elements: Option<u64>,
}

impl Expected {
    /// A segment of that kind with any number of such elements.
    pub fn of(kind: Kind, element: Option<(usize, usize)>, type_id: [u8; 16]) -> Self {
        Self { kind, element, type_id, elements: None }
    }

    /// Compares it with what was found.
    pub fn check(&self, found: &Shape) -> Result<(), Failure> {
        if found.kind != self.kind {
            return Err(ErrorKind::WrongKind(Kind::described(found.kind as u32)).into());
        }
        let (theirs, aligned) = (found.element_size, found.element_align);
        if let Some((size, align)) = self.element
            && (theirs, aligned as usize) != (size as u64, align)
        {
            return Err(ErrorKind::WrongType(format!(
                "{theirs} bytes aligned to {aligned} there, {size} bytes aligned to {align} here"
            ))
            .into());
        }
        if found.type_id != self.type_id {
            return Err(ErrorKind::WrongType("another type id".to_owned()).into());
        }
        if let Some(wanted) = self.elements.filter(|wanted| *wanted != found.capacity) {
            return Err(ErrorKind::OtherLength { wanted, found: found.capacity }.into());
        }
        Ok(())
    }
}

/// Opens a regular file of a trusted user at `path`, whatever is in it.
pub fn open_file(path: &Path, trust: &Trust) -> Result<File, Failure> {
    let file = shm::open(path).map_err(|error| refused(path, error))?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ErrorKind::NotAFile(file_kind(metadata.file_type())).into());
    }
    if metadata.uid() != crate::sys::effective_user() && Some(metadata.uid()) != trust.owner {
        return Err(ErrorKind::ForeignOwner { uid: metadata.uid() }.into());
    }
    Ok(file)
}

/// Reads and checks everything about the file that needs no mapping.
pub fn inspect(file: &File, trust: &Trust) -> Result<(SegmentHeader, Shape), Failure> {
    let metadata = file.metadata()?;
    if metadata.mode() & 0o002 != 0 {
        return Err(ErrorKind::WritableByOthers.into());
    }
    check_file_system(file, trust)?;
    let header = read_header(file, metadata.len())?;
    let shape = check_header(&header)?;
    if metadata.len() != header.total_len {
        let (expected, found) = (header.total_len, metadata.len());
        return Err(ErrorKind::WrongLength { expected, found }.into());
    }
    if header.boot_id != boot_id()? {
        return Err(ErrorKind::LivenessUnsupported("it was made before this system started").into());
    }
    Ok((header, shape))
}

fn read_header(file: &File, len: u64) -> Result<SegmentHeader, Failure> {
    if len == 0 {
        return Err(ErrorKind::NotASegment("the file is empty").into());
    }
    if len < size_of::<SegmentHeader>() as u64 {
        return Err(ErrorKind::NotASegment("the file is shorter than a header").into());
    }
    let mut header = SegmentHeader::zeroed();
    file.read_exact_at(bytemuck::bytes_of_mut(&mut header), 0)?;
    Ok(header)
}

/// Version and layout come first, so that another build's segment is named as such; the checksum covers
/// every other byte, so that only then features are what a later build wrote; what remains must be the very header
/// that this build writes for such a shape.
fn check_header(header: &SegmentHeader) -> Result<Shape, Failure> {
    if header.magic != MAGIC {
        return Err(ErrorKind::NotASegment("it does not begin as one").into());
    }
    if header.version != VERSION {
        let (found, expected) = (header.version, VERSION);
        return Err(ErrorKind::WrongVersion { found, expected }.into());
    }
    if header.layout_hash != LAYOUT_HASH {
        return Err(ErrorKind::WrongLayout.into());
    }
    if header.checksum != header.sum() {
        return Err(ErrorKind::NotASegment("its header does not match its checksum").into());
    }
    let bits = header.features & !Kind::from_code(header.kind).map_or(0, Kind::features);
    if bits != 0 {
        return Err(ErrorKind::UnknownFeatures { bits }.into());
    }
    let shape = Shape::of(header).ok_or(ErrorKind::WrongKind(Kind::described(header.kind)))?;
    if !shape.knows_delivery() {
        return Err(ErrorKind::UnknownDelivery { code: shape.delivery }.into());
    }
    match shape.header(header.boot_id) {
        Some(ours) if ours.is_matched_by(header) => Ok(shape),
        _ => Err(ErrorKind::NotASegment("its header contradicts itself").into()),
    }
}

/// Refuses a file system that is not known to keep a lock which only a mapping holds.
pub fn check_file_system(file: &File, trust: &Trust) -> Result<(), Failure> {
    let why = match shm::file_system(file)? {
        FileSystem::Memory => return Ok(()),
        FileSystem::Overlay => "overlayfs drops a lock that only a mapping holds",
        FileSystem::Other if trust.any_file_system => return Ok(()),
        FileSystem::Other => "the directory is not on tmpfs",
    };
    Err(ErrorKind::LivenessUnsupported(why).into())
}

fn file_kind(kind: std::fs::FileType) -> &'static str {
    match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

/// Making a file failed: says what is wrong with the directory where that is why.
pub fn cannot_create(error: io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::InvalidOption("the directory does not exist"),
        io::ErrorKind::NotADirectory => ErrorKind::InvalidOption("the directory is not one"),
        io::ErrorKind::Unsupported | io::ErrorKind::IsADirectory => {
            ErrorKind::LivenessUnsupported("its file system has no files without a name")
        }
        _ => return error.into(),
    };
    Failure { kind, source: Some(error) }
}

/// Opening failed: says what is there where that is why.
fn refused(path: &Path, error: std::io::Error) -> Failure {
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => ErrorKind::NotAFile(file_kind(found.file_type())).into(),
        Ok(found) if found.uid() != crate::sys::effective_user() => {
            Failure { kind: ErrorKind::ForeignOwner { uid: found.uid() }, source: Some(error) }
        }
        _ => error.into(),
    }
}

/// The kernel's name for the time since it started, to which all locks belong. One that could not be read is asked for again.
pub fn boot_id() -> Result<[u8; 16], Failure> {
    static BOOT_ID: OnceLock<[u8; 16]> = OnceLock::new();
    match BOOT_ID.get() {
        Some(known) => Ok(*known),
        None => read_boot_id().map(|read| *BOOT_ID.get_or_init(|| read)).map_err(no_proc),
    }
}

fn read_boot_id() -> io::Result<[u8; 16]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let number = u128::from_str_radix(&digits, 16);
    number.map(u128::to_be_bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}
