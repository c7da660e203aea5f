//! A server that owns a map, a list and a namespace, and two clients in processes of their own who see each other's changes.
//!
//! `cargo run --features manager --example manager` starts itself as the two clients.

use std::env;
use std::error::Error;
use std::io::Write;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use ringway::manager::{Client, List, Map, Server};

/// A list for each name: what somebody was given.
type Baskets = Map<String, List<String>>;

fn main() -> Result<(), Box<dyn Error>> {
    match &env::args().skip(1).collect::<Vec<_>>()[..] {
        [name, me, other] => give(name, me, other),
        _ => serve(),
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let name = format!("example-manager-{}", std::process::id());
    let server = Server::bind(&name)?.spawn();
    let client = server.client()?;
    // Objects live while somebody has a proxy of them.
    let baskets: Baskets = client.map("baskets")?;
    let log = client.list::<String>("log")?;
    let settings = client.namespace("settings")?;
    settings.set("gifts", &3usize)?;
    settings.set("wrapping", &"golden".to_owned())?;

    let start = |me, other| -> std::io::Result<Child> {
        Command::new(env::current_exe()?).args([name.as_str(), me, other]).spawn()
    };
    for mut child in [start("Ann", "Bob")?, start("Bob", "Ann")?] {
        if !child.wait()?.success() {
            return Err("a client failed".into());
        }
    }
    let mut out = std::io::stdout();
    for (whose, basket) in baskets.items()? {
        writeln!(out, "{whose} got {}", basket.to_vec()?.join(", "))?;
    }
    let total = settings.get::<usize>("total")?;
    writeln!(out, "{} gifts in the log, the total is {total:?}", log.len()?)?;
    let all_there = log.len()? == 6 && total == Some(6);
    drop((client, baskets, log, settings));
    server.shutdown()?;
    if all_there { Ok(()) } else { Err("a gift is missing".into()) }
}

/// A client: puts a basket of its own into the map, and gifts into the other's.
fn give(name: &str, me: &str, other: &str) -> Result<(), Box<dyn Error>> {
    let client = Client::connect(name)?;
    let (baskets, log): (Baskets, _) = (client.map("baskets")?, client.list("log")?);
    let settings = client.namespace("settings")?;
    baskets.insert(&me.to_owned(), &client.new_list()?)?;

    let deadline = Instant::now() + Duration::from_secs(10);
    let basket = loop {
        if let Some(basket) = baskets.get(&other.to_owned())? {
            break basket; // the very list that the other put there
        }
        if Instant::now() > deadline {
            return Err("the other one does not come".into());
        }
        std::thread::yield_now();
    };
    let wrapping: String = settings.get("wrapping")?.ok_or("no wrapping")?;
    for gift in 0..settings.get::<usize>("gifts")?.unwrap_or(0) {
        basket.push(&format!("{wrapping} gift {gift} of {me}"))?;
        log.push(&format!("{me} to {other}"))?;
        // Both count at once, and no gift is lost.
        settings.update("total", |old: Option<&usize>| old.map_or(1, |old| old + 1))?;
    }
    Ok(())
}
