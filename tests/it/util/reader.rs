//! The reader in C: `tests/c/inspect.c`, built by the system's compiler and run on files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;

use super::{Directory, LONG, Name, not_run, os};

/// The program, built.
#[derive(Debug)]
pub struct Reader {
    program: PathBuf,
    _directory: Directory,
}

impl Reader {
    /// Builds it; `None` where there is no compiler, which the gate must have.
    pub fn build() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = Directory::within(Path::new(env!("CARGO_TARGET_TMPDIR")), "inspect");
        let program = directory.path().join("inspect");
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let built = Command::new(&compiler)
            .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-I"])
            .arg(root.join("include"))
            .arg("-o")
            .arg(&program)
            .arg(root.join("tests/c/inspect.c"))
            .output();
        let output = match built {
            Ok(output) => output,
            Err(why) => {
                let why = format!("no C compiler: {}: {why}", compiler.display());
                assert!(std::env::var_os("CI").is_none(), "{why}");
                not_run(&why);
                return None;
            }
        };
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
        Some(Self { program, _directory: directory })
    }

    #[track_caller]
    pub fn run(&self, path: &Path) -> Output {
        let mut command = Command::new(&self.program);
        command.arg(path).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the program that was built");
        let pid = i32::try_from(child.id()).expect("process ids are positive");
        let (sender, done) = channel();
        std::thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = done.recv_timeout(LONG) else {
            os::kill(pid, libc::SIGKILL);
            panic!("it does not end");
        };
        output.expect("a child to wait for")
    }

    /// What it prints of a segment.
    #[track_caller]
    pub fn lines(&self, name: &Name) -> Vec<String> {
        let output = self.run(name.path());
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && complaints.is_empty(),
            "{}: {complaints}",
            output.status
        );
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// That it prints `expected` of a segment.
    #[track_caller]
    pub fn prints(&self, name: &Name, expected: &[impl AsRef<str>]) {
        let lines = self.lines(name);
        for (number, (found, expected)) in lines.iter().zip(expected).enumerate() {
            assert_eq!(found, expected.as_ref(), "line {number} of {lines:#?}");
        }
        assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    }

    /// What it complains about at `path`, with which code.
    #[track_caller]
    pub fn refuses(&self, path: &Path) -> (i32, String) {
        let output = self.run(path);
        assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
        let said = String::from_utf8(output.stderr).unwrap();
        let why = said.strip_prefix(&format!("inspect {}: ", path.display())).expect(&said);
        let code = output.status.code().unwrap_or_else(|| panic!("{}: {said}", output.status));
        (code, why.trim_end().to_owned())
    }
}
