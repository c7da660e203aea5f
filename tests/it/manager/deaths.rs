pub fn play(role: &str, _: &[&str]) {
    panic!("{role}")
}
