//! Which operations are compared, each in which ring.

use super::consumer::Receive;
use super::script::{
    CLOSER, OTHER_RECEIVER, OTHER_SENDER, Operation, RECEIVER, SENDER, Scene, Script, script,
};
use super::state::At;

/// All of them.
pub fn scripts() -> Vec<Script> {
    [straight(), sending(), receiving(), coming_again(), reaping()].concat()
}

fn straight() -> Vec<Script> {
    let send = Operation::Send { member: 0, batch: 1, at_once: true };
    let receive = Operation::Receive { member: 2, batch: 1, at_once: true };
    vec![
        script("send at once", 2, send, |_| ()),
        script("send at once after another", 2, send, |scene| scene.whole(OTHER_SENDER, 0)),
        script("receive at once", 2, receive, |scene| scene.whole(OTHER_SENDER, 0)),
        script("receive at once after another", 2, receive, |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.whole(OTHER_SENDER, 0);
            scene.whole(OTHER_RECEIVER, 0);
        }),
    ]
}

fn sending() -> Vec<Script> {
    let send = Operation::Send { member: 0, batch: 1, at_once: false };
    let batch = Operation::Send { member: 0, batch: 3, at_once: false };
    let abort = Operation::Abort { member: 0 };
    vec![
        script("send into a new ring", 2, send, |_| ()),
        script("send after another", 2, send, |scene| scene.whole(OTHER_SENDER, 0)),
        script("send stamps the claim before it", 2, send, |scene| scene.claim(OTHER_SENDER)),
        script("send finds the ring full", 1, send, |scene| scene.whole(OTHER_SENDER, 0)),
        script("send finds a lone slot claimed", 1, send, |scene| scene.claim(OTHER_SENDER)),
        script("send finds the ring closed", 2, send, |scene| scene.whole(CLOSER, 0)),
        script("send three", 4, batch, |_| ()),
        script("send what there is room for", 4, batch, |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.whole(OTHER_SENDER, 0);
        }),
        script("give a reservation up", 2, abort, |_| ()),
        script("close", 2, Operation::Close, |scene| scene.whole(OTHER_SENDER, 0)),
    ]
}

fn receiving() -> Vec<Script> {
    let receive = Operation::Receive { member: 2, batch: 1, at_once: false };
    let batch = Operation::Receive { member: 2, batch: 3, at_once: false };
    let abandoned = |scene: &mut Scene| {
        scene.hold(OTHER_SENDER);
        scene.reap(1);
    };
    vec![
        script("receive", 2, receive, |scene| scene.whole(OTHER_SENDER, 0)),
        script("receive finds nothing", 2, receive, |_| ()),
        script("receive finds a message being written", 2, receive, |scene| {
            scene.hold(OTHER_SENDER);
        }),
        script("receive finds the ring drained", 2, receive, |scene| scene.whole(CLOSER, 0)),
        script("receive after another", 2, receive, |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.whole(OTHER_SENDER, 0);
            scene.whole(OTHER_RECEIVER, 0);
        }),
        script("receive stamps the claim before it", 2, receive, |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.whole(OTHER_SENDER, 0);
            scene.claim(OTHER_RECEIVER);
        }),
        script("receive gives an aborted slot back", 2, receive, abandoned),
        script("receive gives back what another claimed", 2, receive, |scene| {
            scene.hold(OTHER_SENDER);
            scene.reap(1);
            scene.whole(SENDER, 0);
            let claimed = |at| matches!(at, At::Receive(Receive::GiveBack { .. }));
            scene.until(OTHER_RECEIVER, 0, claimed);
        }),
        script("receive three", 4, batch, |scene| {
            (0..3).for_each(|_| scene.whole(OTHER_SENDER, 0));
        }),
        script("receive what lies in a row", 4, batch, |scene| {
            (0..2).for_each(|_| scene.whole(OTHER_SENDER, 0));
            scene.hold(OTHER_SENDER);
        }),
    ]
}

fn coming_again() -> Vec<Script> {
    let receive = Operation::Receive { member: 2, batch: 1, at_once: false };
    let back = Operation::PutBack { member: 2 };
    vec![
        script("put a message back", 2, back, |scene| scene.whole(OTHER_SENDER, 0)),
        script("receive a message again", 4, receive, |scene| {
            (0..2).for_each(|_| scene.whole(OTHER_SENDER, 0));
            scene.hold(OTHER_RECEIVER);
            scene.reap(3);
        }),
        script("receive finds nothing to be received again", 2, receive, |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.hold(OTHER_RECEIVER);
            scene.reap(3);
            scene.whole(RECEIVER, 0);
            scene.whole(SENDER, 0);
        }),
    ]
}

fn reaping() -> Vec<Script> {
    let reap = |dead| Operation::Reap { dead, at_most_once: false };
    let drop = |dead| Operation::Reap { dead, at_most_once: true };
    vec![
        script("reap a claim to fill, not stamped", 2, reap(1), |scene| scene.claim(OTHER_SENDER)),
        script("reap a claim to fill, stamped", 2, reap(1), |scene| scene.hold(OTHER_SENDER)),
        script("reap a claim to take, not stamped", 2, reap(3), |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.claim(OTHER_RECEIVER);
        }),
        script("reap a claim to take, stamped", 2, reap(3), |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.hold(OTHER_RECEIVER);
        }),
        script("reap and drop", 2, drop(3), |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.hold(OTHER_RECEIVER);
        }),
        script("reap who has nothing", 2, reap(1), |scene| {
            scene.whole(OTHER_SENDER, 0);
            scene.whole(SENDER, 0);
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::script::{Kind, Word};

    #[test]
    fn an_operation_changes_what_it_says_and_ends_where_it_says() {
        for script in scripts() {
            let mut words = script.before.clone();
            for access in &script.accesses {
                match access.word {
                    Word::Tail => words.tail = access.value,
                    Word::Head => words.head = access.value,
                    Word::Redeliver => words.redeliver = access.value,
                    Word::Closed => words.closed = access.value != 0,
                    Word::Slot(index) => words.slots[index] = access.value,
                }
            }
            assert_eq!(words, script.after, "{}", script.name);
        }
    }

    #[test]
    fn a_send_alone_is_a_swap_and_two_stores() {
        let all = scripts();
        let send = all.iter().find(|script| script.name == "send into a new ring").unwrap();
        let kinds: Vec<_> = send.accesses.iter().map(|access| (access.word, access.kind)).collect();
        let expected = [
            (Word::Tail, Kind::Load),
            (Word::Slot(0), Kind::Load),
            (Word::Slot(1), Kind::Load),
            (Word::Tail, Kind::Rmw),
            (Word::Slot(0), Kind::Store),
            (Word::Slot(0), Kind::Store),
        ];
        assert_eq!(kinds, expected);
    }
}
