"""Does one work by one of multiprocessing's channels, and prints what came of it as JSON.

Arguments: the channel, the work, senders, receivers, bytes, capacity, count, messages of a
burst, the processors to use (with commas) and the process that started this one.

Every side is a process of its own, forked and pinned as the sides of other contestants are; a
manager's server runs where the kernel puts it. Who waits, sleeps. Messages are `bytes`, and each
is checked. No process outlives the one that started it, nor its deadline.
"""

import ctypes
import json
import mmap
import multiprocessing
import multiprocessing.managers
import os
import signal
import struct
import sys
import time
import traceback

HEAD = struct.Struct("<Q")
PAGE = 4096
SENDER_SHIFT = 48
END = b"end"
# Trips of which one reading of the clock tells the mean.
ROUND = 50
PR_SET_PDEATHSIG = 1

fork = multiprocessing.get_context("fork")
libc = ctypes.CDLL(None, use_errno=True)


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def die_with(parent):
    """Asks to be killed when `parent` is gone, unless it is already."""
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:
        os._exit(1)


class Task:
    def __init__(self, arguments):
        self.channel, self.work = arguments[:2]
        numbers = [int(number) for number in arguments[2:8]]
        self.senders, self.receivers, self.bytes, self.capacity, self.count, self.burst = numbers
        self.processors = [int(processor) for processor in arguments[8].split(",")]
        self.starter = int(arguments[9])
        # Nobody measures the first lap; a wake-up has ten.
        lap = 10 if self.work == "wake" else min(self.capacity, (32 << 20) // self.bytes)
        self.warm = min(lap, self.count)
        # A minute, and as long as the slowest of them takes.
        self.deadline = 60 + self.count * self.burst // 2000
        self.letter, self.is_letter = letters(self.bytes)

    def pin(self, side):
        os.sched_setaffinity(0, [self.processors[side % len(self.processors)]])


def letters(size):
    """Makes the message with a number in front, and tells whether a message is that one."""
    if size == HEAD.size:
        letter = HEAD.pack
    elif size < PAGE:
        whole = struct.Struct(f"<Q{size - 2 * HEAD.size}sQ")
        body = (bytes(range(256)) * (PAGE // 256))[: size - 2 * HEAD.size]

        def letter(head):
            return whole.pack(head, body, head)
    else:
        # To make long ones takes longer than to move them: a few, each with its mark on every page.
        made = [bytes([mark]) * size for mark in range(1, 8)]
        marks = [message[::PAGE] for message in made]
        last = size - 1

        def is_whole(message, head):
            n = head % len(made)
            ends_well = len(message) == size and message[last] == made[n][last]
            return ends_well and message[::PAGE] == marks[n]

        return lambda head: made[head % len(made)], is_whole
    return letter, lambda message, head: message == letter(head)


class Channel:
    """One direction: what sends, what receives, and what waits until all sent has gone out."""

    def __init__(self, task, manager):
        self.flush = lambda: None
        if task.channel.startswith("Pipe"):
            reader, writer = fork.Pipe(duplex=False)
            raw = task.channel == "Pipe-bytes"
            self.put = writer.send_bytes if raw else writer.send
            self.get = reader.recv_bytes if raw else reader.recv
            return
        if task.channel == "Queue":
            queue = fork.Queue(task.capacity)
            # A thread of the sender does the sending.
            self.flush = lambda: (queue.close(), queue.join_thread())
        elif task.channel == "SimpleQueue":
            queue = fork.SimpleQueue()
        else:
            queue = manager.Queue(task.capacity)
        self.put, self.get = queue.put, queue.get


class Side:
    """A process that does its part and reports; whatever goes wrong there ends this one too."""

    def __init__(self, task, number, act):
        self.report, report = fork.Pipe(duplex=False)
        starter = os.getpid()

        def run():
            try:
                die_with(starter)
                signal.alarm(task.deadline)
                task.pin(number)
                report.send(act())
            except BaseException:
                traceback.print_exc()
                os.kill(starter, signal.SIGKILL)

        self.process = fork.Process(target=run, daemon=True)
        self.process.start()
        report.close()

    def finish(self):
        result = self.report.recv()
        self.process.join()
        return result


def expect(task, message, head):
    if not task.is_letter(message, head):
        raise AssertionError(f"message {head} is missing or torn: {message[:16]!r}")


def stream(task, there, _):
    meeting, put, get = fork.Barrier(2), there.put, there.get
    letter, is_letter = task.letter, task.is_letter

    def receive():
        for n in range(task.warm):
            expect(task, get(), n)
        meeting.wait()
        for n in range(task.count):
            message = get()
            if not is_letter(message, n):
                expect(task, message, n)
        return now()

    receiver = Side(task, 1, receive)
    task.pin(0)
    for n in range(task.warm):
        put(letter(n))
    meeting.wait()
    begun = now()
    for n in range(task.count):
        put(letter(n))
    return (receiver.finish() - begun) / task.count, None


def trips(task, there, back):
    def answer():
        for n in range(task.warm + task.count):
            message = there.get()
            expect(task, message, n)
            back.put(message)

    other = Side(task, 1, answer)
    task.pin(0)
    n = 0

    def travel(count):
        nonlocal n
        begun = now()
        for _ in range(count):
            there.put(task.letter(n))
            expect(task, back.get(), n)
            n += 1
        return now() - begun

    travel(task.warm)
    rounds = min(max(task.count // 2 // ROUND, 1), task.count // ROUND)
    in_rounds = sorted(travel(ROUND) for _ in range(rounds))
    single = [travel(1) for _ in range(task.count - rounds * ROUND)]
    other.finish()
    figures = quantiles(single)
    return in_rounds[rounds // 2] / ROUND if rounds else figures["p50"], figures


def crowd(task, there, _):
    meeting = fork.Barrier(task.senders + task.receivers)
    share = task.count // task.senders
    # As many for each, so that all know when the lap is over.
    warm = max(task.warm // (task.senders * task.receivers), 1)

    def send(sender):
        first = sender << SENDER_SHIFT
        meeting.wait()
        for n in range(warm * task.receivers):
            there.put(task.letter(first | n))
        meeting.wait()
        begun = now()
        for n in range(share):
            there.put(task.letter(first | n))
        there.flush()
        return begun

    def receive():
        (received, total), following = (0, 0), [0] * task.senders
        meeting.wait()
        for _ in range(warm * task.senders):
            there.get()
        meeting.wait()
        for message in iter(there.get, END):
            (head,) = HEAD.unpack_from(message)
            expect(task, message, head)
            sender, n = head >> SENDER_SHIFT, head & ((1 << SENDER_SHIFT) - 1)
            if n < following[sender]:
                raise AssertionError(f"message {n} of sender {sender} comes late or again")
            following[sender], received, total = n + 1, received + 1, total + head
        return now(), received, total

    receivers = [Side(task, number + 1, receive) for number in range(task.receivers)]
    senders = [
        Side(task, number, lambda number=number: send(number)) for number in range(task.senders)
    ]
    begun = min(sender.finish() for sender in senders)
    for _ in receivers:
        there.put(END)
    ends, counts, totals = zip(*(receiver.finish() for receiver in receivers))
    sent = sum((sender << SENDER_SHIFT) * share for sender in range(task.senders))
    sent += task.senders * share * (share - 1) // 2
    if (sum(counts), sum(totals)) != (share * task.senders, sent):
        raise AssertionError("messages are missing or wrong (count and sum)")
    return (max(ends) - begun) / (share * task.senders), None


def is_asleep(process):
    """Whether the only thread of `process` sleeps and has left its processor."""
    with open(f"/proc/{process}/stat", encoding="ascii") as stat:
        if not stat.read().rpartition(")")[2].lstrip().startswith("S"):
            return False
    try:
        with open(f"/proc/{process}/syscall", encoding="ascii") as call:
            return call.read(1).isdigit()
    except OSError:
        return True


def wake(task, there, _):
    sent_at = mmap.mmap(-1, PAGE)
    # Sleeping for the answer leaves the interpreter to the thread that may still be sending.
    answered = fork.Semaphore(0)

    def receive():
        took = []
        for time_ in range(task.warm + task.count):
            for n in range(time_ * task.burst, (time_ + 1) * task.burst):
                expect(task, there.get(), n)
            took.append(now() - HEAD.unpack_from(sent_at)[0])
            answered.release()
        return quantiles(took[task.warm :])

    receiver = Side(task, 1, receive)
    task.pin(0)
    for time_ in range(task.warm + task.count):
        while not is_asleep(receiver.process.pid):
            pass
        HEAD.pack_into(sent_at, 0, now())
        for n in range(time_ * task.burst, (time_ + 1) * task.burst):
            there.put(task.letter(n))
        answered.acquire()
    figures = receiver.finish()
    return figures["p50"], figures


def quantiles(durations):
    durations.sort()

    def at(share):
        return float(durations[int((len(durations) - 1) * share)]) if durations else 0.0

    return {"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": at(1)}


def main():
    task = Task(sys.argv[1:])
    # Its parent may be a wrapper that the starter called `python3`: that one must be there too.
    die_with(os.getppid())
    os.kill(task.starter, 0)
    signal.alarm(task.deadline)
    manager = None
    if task.channel == "Manager":
        # An abstract address: no socket is left in any directory.
        address = f"\0rivals-{os.getpid()}"
        manager = multiprocessing.managers.SyncManager(address=address, ctx=fork)
        manager.start(initializer=die_with, initargs=(os.getpid(),))
    there = Channel(task, manager)
    back = Channel(task, manager) if task.work == "trips" else None
    works = {"stream": stream, "trips": trips, "crowd": crowd, "wake": wake}
    value, figures = works[task.work](task, there, back)
    print(json.dumps({"Ok": {"value": value, "quantiles": figures}}))


# What the works need that old interpreters lack.
if sys.version_info < (3, 7):
    print(json.dumps({"Err": f"python3 is {sys.version.split()[0]}, older than 3.7"}))
else:
    main()
