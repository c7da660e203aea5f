//! What users hold: typed ends of rings, found by name. Nothing here is unsafe.

#![forbid(unsafe_code)]

mod lane;
#[macro_use]
mod observe;
pub mod options;
pub mod pipe;
pub mod queue;
pub mod spsc;
