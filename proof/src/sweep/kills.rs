//! The ways to kill: a victim at every instruction, or at every event; one that is stopped first while others work; one
//! whose reaper is killed as well.

use std::fmt::Write;

use anyhow::{Context, Result, bail, ensure};

use super::choice::{Choice, Lots};
use super::events::{self, Point};
use super::scene::{Scene, Survivor};
use super::trace::{Astray, Trace};
use super::victim::Victim;

/// What a part of the sweep has done.
#[derive(Debug, Default)]
pub struct Report {
    pub kills: usize,
    pub text: String,
}

/// How often a victim that went another way is started again.
const TRIES: usize = 8;

/// Repeats `act` while its victim goes astray. The last time `act` is told so.
fn persist<R>(mut act: impl FnMut(bool) -> Result<R>) -> Result<R> {
    for _ in 1..TRIES {
        match act(false) {
            Err(why) if why.is::<Astray>() => {}
            done => return done,
        }
    }
    act(true)
}

/// A scene that has begun, with a victim at its first mark.
fn begin(scene: &dyn Scene) -> Result<(Box<dyn Survivor>, Victim)> {
    let mut survivor = scene.begin()?;
    let place = survivor.place().clone();
    let victim = Victim::start(|| scene.act(&place))?;
    survivor.ready()?;
    Ok((survivor, victim))
}

/// Ends a scene: nobody is left, so neither is the name.
fn end(survivor: Box<dyn Survivor>) -> Result<()> {
    let place = survivor.place().clone();
    drop(survivor);
    ensure!(!place.exists(), "the name is still there");
    Ok(())
}

/// The victim's way, if it has gone the same one twice.
fn way(scene: &dyn Scene) -> Result<Trace> {
    let mut gone = Vec::new();
    for _ in 0..TRIES {
        let (mut survivor, victim) = begin(scene)?;
        let trace = Trace::record(&victim)?;
        victim.finish()?;
        survivor.settle(true).context("the victim went all the way")?;
        end(survivor)?;
        if gone.contains(&trace) {
            return Ok(trace);
        }
        gone.push(trace);
    }
    Err(Astray.into())
}

/// The stages that an operation has come through: never back to an earlier one.
struct Progress {
    names: Vec<&'static str>,
    last: Option<usize>,
    /// How many different ones.
    passed: usize,
    text: String,
}

impl Progress {
    fn new(scene: &dyn Scene) -> Self {
        Self { names: scene.stages(), last: None, passed: 0, text: String::new() }
    }

    /// What is left after a kill at point `at` may be of `stages`.
    fn note(&mut self, at: usize, stages: &[usize]) -> Result<()> {
        let last = self.last;
        let stage = stages.iter().copied().find(|stage| last.is_none_or(|last| *stage >= last));
        let name = |stage: usize| self.names[stage];
        let Some(stage) = stage else {
            bail!("it is {:?} again, after {:?}", name(stages[0]), last.map(name));
        };
        if last != Some(stage) {
            write!(self.text, ", {} at {at}", name(stage))?;
            self.passed += 1;
        }
        self.last = Some(stage);
        Ok(())
    }

    /// The operation was done in the end, and if `complete` it has passed through every stage on the way.
    fn end(self, complete: bool) -> Result<String> {
        let (last, names) = (self.last, self.names);
        ensure!(last == Some(names.len() - 1), "it never came to {:?}", names.last());
        ensure!(!complete || self.passed == names.len(), "of {names:?} it passed{}", self.text);
        Ok(self.text)
    }
}

/// Kills a victim at each of the chosen instructions.
pub fn each(scene: &dyn Scene, choice: Choice, lots: &mut Lots) -> Result<Report> {
    let trace = way(scene)?;
    let (steps, places) = (trace.steps(), trace.places());
    let all: Vec<_> = (0..=steps).collect();
    let chosen = lots.choose(choice, &all);
    let mut progress = Progress::new(scene);
    for step in &chosen {
        let at = || format!("killed after {step} of {steps} instructions");
        let stages = persist(|_| one(scene, &trace, *step)).with_context(at)?;
        progress.note(*step, &stages).with_context(at)?;
    }
    let (kills, progress) = (chosen.len(), progress.end(chosen.len() == all.len())?);
    let text = format!("{kills:>5} of {} instructions ({places} places){progress}", all.len());
    Ok(Report { kills, text })
}

/// One kill after `step` instructions. Says of which stages what is left may be.
fn one(scene: &dyn Scene, trace: &Trace, step: usize) -> Result<Vec<usize>> {
    let (mut survivor, victim) = begin(scene)?;
    trace.bring(&victim, step)?;
    victim.kill()?;
    let stages = survivor.settle(false)?;
    end(survivor)?;
    Ok(stages)
}

/// Kills a victim after each of the chosen numbers of instructions, whichever these are.
pub fn counted(scene: &dyn Scene, choice: Choice, lots: &mut Lots) -> Result<Report> {
    after_each(scene, choice, lots, "instructions", Victim::steps)
}

/// Kills a victim before or after each of the chosen system calls.
pub fn called(scene: &dyn Scene, choice: Choice, lots: &mut Lots) -> Result<Report> {
    after_each(scene, choice, lots, "ends of system calls", Victim::ends_of_calls)
}

/// Takes a victim on by as many steps as it says, but none behind its next mark. Says how many those were.
type Take = fn(&Victim, usize) -> Result<usize>;

/// Kills a victim after each of the chosen numbers of steps. What it came to may be an earlier stage than that of one that died
/// before: others that it waited for were not stepped.
fn after_each(
    scene: &dyn Scene,
    choice: Choice,
    lots: &mut Lots,
    what: &str,
    take: Take,
) -> Result<Report> {
    let (mut survivor, victim) = begin(scene)?;
    let steps = take(&victim, usize::MAX)?;
    victim.finish()?;
    survivor.settle(true).context("the victim went all the way")?;
    end(survivor)?;
    let names = scene.stages();
    let mut met = vec![0; names.len()];
    let chosen = lots.choose(choice, &(0..=steps).collect::<Vec<_>>());
    for step in &chosen {
        let at = || format!("killed after {step} of {steps} {what}");
        let (mut survivor, victim) = begin(scene)?;
        take(&victim, *step)?;
        victim.kill()?;
        for stage in survivor.settle(false).with_context(at)? {
            met[stage] += 1;
        }
        end(survivor).with_context(at)?;
    }
    let (first, last) = (met[0], met[names.len() - 1]);
    ensure!(first > 0 && last > 0, "of {names:?} it came to {met:?}");
    let stages = names.iter().zip(met).map(|(name, times)| format!(", {name} {times} times"));
    let text = format!("{:>5} of {steps} {what}{}", chosen.len(), stages.collect::<String>());
    Ok(Report { kills: chosen.len(), text })
}

/// How many instructions an operation has, and its events.
fn events_of(scene: &dyn Scene) -> Result<(usize, Vec<Point>)> {
    let (mut survivor, victim) = begin(scene)?;
    let place = survivor.place().clone();
    let found = events::record(&victim, &place, || survivor.nudge())?;
    victim.finish()?;
    survivor.settle(true).context("the victim went all the way")?;
    end(survivor)?;
    Ok(found)
}

/// Kills a victim at each of the chosen events. The one that was recorded may be the one that went another way than all others:
/// then the events are recorded anew.
pub fn seen(scene: &dyn Scene, choice: Choice, lots: &mut Lots) -> Result<Report> {
    persist(|_| seen_by_one(scene, choice, lots))
}

/// The same, by one record of the events.
fn seen_by_one(scene: &dyn Scene, choice: Choice, lots: &mut Lots) -> Result<Report> {
    let (steps, points) = events_of(scene)?;
    let all: Vec<_> = (0..points.len()).collect();
    let chosen = lots.choose(choice, &all);
    let mut progress = Progress::new(scene);
    for number in &chosen {
        let point = points[*number];
        let at = || format!("killed at event {number} of {}: {point:?}", points.len());
        let stages = persist(|last| one_seen(scene, point, last)).with_context(at)?;
        progress.note(*number, &stages).with_context(at)?;
    }
    let (kills, progress) = (chosen.len(), progress.end(chosen.len() == all.len())?);
    let text = format!("{kills:>5} of {} events in {steps} instructions{progress}", points.len());
    Ok(Report { kills, text })
}

/// One kill at an event.
fn one_seen(scene: &dyn Scene, point: Point, last: bool) -> Result<Vec<usize>> {
    let (mut survivor, victim) = begin(scene)?;
    let place = survivor.place().clone();
    let about = last || scene.has_company();
    events::bring(&victim, point, &place, about, || survivor.nudge())?;
    victim.kill()?;
    let stages = survivor.settle(false)?;
    end(survivor)?;
    Ok(stages)
}

/// Stops a victim at each of the chosen instructions while the others do all they can, and then lets it go on, or kills
/// it: one after the other, or both.
pub fn stopped(scene: &dyn Scene, choice: Choice, both: bool, lots: &mut Lots) -> Result<Report> {
    let trace = way(scene)?;
    let all: Vec<_> = (0..=trace.steps()).collect();
    let (mut kills, mut continued) = (0, 0);
    for (turn, step) in lots.choose(choice, &all).into_iter().enumerate() {
        for dies in [true, false] {
            if !both && dies != turn.is_multiple_of(2) {
                continue;
            }
            let at = || format!("stopped after {step} instructions, then killed: {dies}");
            persist(|_| stop_one(scene, &trace, step, dies)).with_context(at)?;
            kills += usize::from(dies);
            continued += usize::from(!dies);
        }
    }
    let text = format!("{kills:>5} killed after a stop, {continued} went on");
    Ok(Report { kills, text })
}

fn stop_one(scene: &dyn Scene, trace: &Trace, step: usize, dies: bool) -> Result<()> {
    let (mut survivor, victim) = begin(scene)?;
    trace.bring(&victim, step)?;
    survivor.meanwhile(victim.pid().as_raw().cast_unsigned())?;
    if dies {
        victim.kill()?;
    } else {
        victim.finish()?;
    }
    survivor.account(dies)?;
    end(survivor)
}

/// Kills a victim at some of its events, and for each of them a reaper at some of its own.
pub fn twice(
    scene: &dyn Scene,
    (victims, reapers): (Choice, Choice),
    lots: &mut Lots,
) -> Result<Report> {
    let (_, deaths) = events_of(scene)?;
    let all: Vec<_> = (0..deaths.len()).collect();
    let chosen = lots.choose(victims, &all);
    let (mut pairs, mut possible) = (0, 0);
    for number in &chosen {
        let death = deaths[*number];
        let at = || format!("the victim killed at event {number}: {death:?}");
        let expected = persist(|last| one_seen(scene, death, last)).with_context(at)?;
        let points = persist(|last| reapers_events(scene, death, last)).with_context(at)?;
        possible += points.len();
        let all: Vec<_> = (0..points.len()).collect();
        for number in lots.choose(reapers, &all) {
            let point = points[number];
            let at = || format!("{}, its reaper at event {number}: {point:?}", at());
            let stages = persist(|last| two(scene, death, point, last)).with_context(at)?;
            let kept = stages.iter().any(|stage| expected.contains(stage));
            ensure!(kept, "{}: stages {stages:?}, without the reaper {expected:?}", at());
            pairs += 1;
        }
    }
    let (some, all) = (chosen.len(), deaths.len());
    let text = format!("{pairs:>5} of {possible} pairs with a reaper, {some} of {all} events");
    Ok(Report { kills: 2 * pairs, text })
}

/// A victim that has died, and a reaper that is ready.
fn dead(scene: &dyn Scene, death: Point, last: bool) -> Result<(Box<dyn Survivor>, Victim)> {
    let (mut survivor, victim) = begin(scene)?;
    let place = survivor.place().clone();
    let about = last || scene.has_company();
    events::bring(&victim, death, &place, about, || survivor.nudge())?;
    let reaper = Victim::start(|| scene.reap(&place))?;
    victim.kill()?;
    Ok((survivor, reaper))
}

/// The events of a reaper of a victim that has died so.
fn reapers_events(scene: &dyn Scene, death: Point, last: bool) -> Result<Vec<Point>> {
    let (mut survivor, reaper) = dead(scene, death, last)?;
    let (_, points) = events::record(&reaper, survivor.place(), || bail!("it sleeps"))?;
    reaper.finish()?;
    survivor.settle(true)?;
    end(survivor)?;
    Ok(points)
}

/// One victim killed, then its reaper. Says of which stages what is left may be.
fn two(scene: &dyn Scene, death: Point, point: Point, last: bool) -> Result<Vec<usize>> {
    let (mut survivor, reaper) = dead(scene, death, last)?;
    let about = last || scene.has_company();
    events::bring(&reaper, point, survivor.place(), about, || bail!("it sleeps"))?;
    reaper.kill()?;
    let stages = survivor.settle(true)?;
    end(survivor)?;
    Ok(stages)
}
