//! The rings. They borrow their memory, never block or allocate, and know no names; a grant that is given back
//! may wake a sleeper through its event.

pub mod bytes;
pub mod cursor;
pub mod grant;
pub mod pace;
pub mod spsc;
