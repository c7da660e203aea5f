//! A type of one's own as an object of a server: a table of scores that three processes use.
//!
//! `cargo run --example custom_object` serves, and starts itself twice as a player.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io::Write;
use std::process::Command;

use ringway::manager::{
    Answer, Arguments, CallError, Caller, Client, Object, Proxy, Refusal, Server,
};

/// What the server has.
#[derive(Default)]
struct Scores {
    points: BTreeMap<String, u64>,
}

/// The number of its own error.
const NOTHING: u32 = 1;

impl Object for Scores {
    const TYPE: &'static str = "example-scores";

    fn create(arguments: Arguments<'_>) -> Result<Self, Refusal> {
        arguments.finish()?;
        Ok(Self::default())
    }

    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments<'_>,
        _: &mut Caller<'_>,
    ) -> Result<Answer, Refusal> {
        match method {
            "add" => {
                let (player, points): (String, u64) = arguments.read()?;
                arguments.finish()?;
                Answer::value(&self.add(player, points)?)
            }
            "best" => {
                arguments.finish()?;
                Answer::value(&self.points.iter().max_by_key(|(_, points)| **points))
            }
            _ => Err(Refusal::UnknownMethod(method.to_owned())),
        }
    }
}

impl Scores {
    /// Gives what the player has now.
    fn add(&mut self, player: String, points: u64) -> Result<u64, Refusal> {
        if points == 0 {
            return Err(Refusal::Object(NOTHING, format!("{player} scores nothing")));
        }
        let sum = self.points.entry(player).or_default();
        *sum += points;
        Ok(*sum)
    }
}

/// How clients call it.
struct Table(Proxy);

impl Table {
    fn of(client: &Client) -> Result<Self, CallError> {
        client.create_object::<Scores>(Some("table"), &()).map(Self)
    }

    fn add(&self, player: &str, points: u64) -> Result<u64, CallError> {
        self.0.call("add", &(player, points))
    }

    fn best(&self) -> Result<Option<(String, u64)>, CallError> {
        self.0.call("best", &())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [name, player, rounds] = &arguments[..] {
        return play(name, player, rounds.parse()?);
    }
    let name = format!("example-scores-{}", std::process::id());
    let mut server = Server::bind(&name)?;
    server.register::<Scores>();
    let server = server.spawn();
    let client = Client::connect(&name)?;
    let table = Table::of(&client)?;
    let start = |player: &str, rounds: &str| {
        Command::new(env::current_exe()?).arg(&name).args([player, rounds]).spawn()
    };
    let players = [start("Anna", "300")?, start("Boris", "200")?];
    for mut player in players {
        assert!(player.wait()?.success());
    }
    let refused = table.add("Clara", 0).expect_err("it is not allowed");
    assert_eq!(refused.object_code(), Some(NOTHING));
    let best = table.best()?;
    assert_eq!(best, Some(("Anna".to_owned(), 900)));
    writeln!(std::io::stdout(), "the best: {best:?}; {refused}")?;
    drop((table, client));
    server.shutdown()?;
    Ok(())
}

/// Another process.
fn play(name: &str, player: &str, rounds: u64) -> Result<(), Box<dyn Error>> {
    let table = Table::of(&Client::connect(name)?)?;
    for round in 1..=rounds {
        assert_eq!(table.add(player, 3)?, 3 * round);
    }
    Ok(())
}
