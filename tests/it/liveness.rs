//! To come.
pub fn play(role: &str, _: &[&str]) {
    panic!("no role {role}");
}
