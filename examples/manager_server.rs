//! A server of shared objects as a process of its own.
//!
//! `cargo run --example manager_server NAME` serves until it gets SIGTERM or a client asks it to stop, and then says what it has
//! counted. Without a name it starts itself as such a server, and is a client of it.
#![allow(unsafe_code, reason = "a signal that is waited for")]

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::mem::MaybeUninit;
use std::process::{Command, Stdio};

use ringway::manager::{
    Answer, Arguments, Caller, Client, Inspection, Object, Refusal, Server, inspect,
};

/// Stops the server when it is told to.
struct Switch;

impl Object for Switch {
    const TYPE: &'static str = "example-switch";

    fn create(arguments: Arguments<'_>) -> Result<Self, Refusal> {
        arguments.finish()?;
        Ok(Self)
    }

    fn call(
        &mut self,
        method: &str,
        _: Arguments<'_>,
        _: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        if method != "stop" {
            return Err(Refusal::UnknownMethod(method.to_owned()));
        }
        let me = std::process::id().cast_signed();
        // SAFETY: it takes any numbers.
        unsafe { libc::kill(me, libc::SIGTERM) };
        Ok(Answer::nothing())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1) {
        Some(name) => serve(&name),
        None => demonstrate(),
    }
}

fn serve(name: &str) -> Result<(), Box<dyn Error>> {
    // Before there are threads, so that all of them leave the signal to this one.
    let signal = Signal::hold(libc::SIGTERM);
    let mut server = Server::bind(name)?;
    server.register::<Switch>();
    let server = server.spawn();
    writeln!(std::io::stdout(), "serving {name}")?;
    signal.wait();
    let counted = inspect(name)?;
    server.shutdown()?;
    report(&counted)
}

/// What was counted, a line for each object.
fn report(counted: &Inspection) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    writeln!(out, "{} calls, {} errors", counted.total.calls, counted.total.errors)?;
    for object in &counted.objects {
        let counts = object.counts;
        writeln!(
            out,
            "  {:16} {:12} {} calls, {} errors, {} waiting, {} leases, {} references",
            object.type_name,
            object.name,
            counts.calls,
            counts.errors,
            counts.waiting,
            counts.leases,
            counts.references
        )?;
    }
    Ok(())
}

/// A signal that does not end this process.
struct Signal(libc::sigset_t);

impl Signal {
    /// Holds it back in this thread and those that it starts.
    fn hold(number: libc::c_int) -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: there is room for a set.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: it was made empty, and the number is one of a signal.
        unsafe { libc::sigaddset(set.as_mut_ptr(), number) };
        // SAFETY: both were done.
        let set = unsafe { set.assume_init() };
        // SAFETY: the set is whole, and nobody asks for the old one.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        Self(set)
    }

    fn wait(&self) {
        let mut number = 0;
        // SAFETY: the set is whole, and there is room for the number.
        unsafe { libc::sigwait(&raw const self.0, &raw mut number) };
    }
}

/// A server in a process of its own, and what a client sees of it.
fn demonstrate() -> Result<(), Box<dyn Error>> {
    let name = format!("example-server-{}", std::process::id());
    let mut server = Command::new(env::current_exe()?);
    let mut server = server.arg(&name).stdout(Stdio::piped()).spawn()?;
    let said = server.stdout.take().ok_or("a process without output")?;
    let mut said = BufReader::new(said).lines();
    said.next().ok_or("it does not serve")??;

    let client = Client::connect(&name)?;
    let visits = client.value::<u64>("visits", &0)?;
    for _ in 0..100 {
        visits.update(|old| old + 1)?;
    }
    assert_eq!(visits.get()?, 100);
    // Nobody is asked for this.
    assert_eq!(inspect(&name)?.sessions.len(), 1);
    client.create_object::<Switch>(None, &())?.call::<()>("stop", &())?;

    let mut out = std::io::stdout();
    for line in said {
        writeln!(out, "{}", line?)?;
    }
    assert!(server.wait()?.success());
    Ok(())
}
