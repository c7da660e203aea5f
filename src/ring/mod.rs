//! The rings. They borrow their memory, and never block, allocate, make a system call or know a name.

pub mod bytes;
pub mod cursor;
pub mod grant;
pub mod pace;
pub mod spsc;
