"""A server process of multiprocessing.Manager and clients that call a Value of it, each its own.

Arguments: how many clients, bytes of the value. It says "ready", then for each line of its input, so many
milliseconds, lets all clients call at once and prints "calls seconds 0": the calls of all, and the time of one.
Each call is checked. Values are ints of 8 bytes, or bytes.
"""

import multiprocessing
import multiprocessing.managers
import os
import sys
import time

CALLS = 16
fork = multiprocessing.get_context("fork")


def value(size, number):
    if size == 8:
        return number
    return number.to_bytes(8, "little") + bytes(size - 8)


def client(proxy, size, orders, answers):
    number = 0

    def calls():
        nonlocal number
        for _ in range(CALLS // 2):
            proxy.set(value(size, number))
            if proxy.get() != value(size, number):
                raise AssertionError(f"not value {number}")
            number += 1

    calls()
    answers.send(None)
    for millis in iter(orders.recv, None):
        begun = now = time.monotonic()
        count = 0
        while now - begun < millis / 1000:
            calls()
            count += CALLS
            now = time.monotonic()
        answers.send((count, now - begun))


def main():
    clients, size = (int(argument) for argument in sys.argv[1:])
    # An abstract address: no socket is left in any directory.
    manager = multiprocessing.managers.SyncManager(address=f"\0ringway-{os.getpid()}", ctx=fork)
    manager.start()
    sides = []
    for _ in range(clients):
        (orders, order), (answers, answer) = fork.Pipe(False), fork.Pipe(False)
        proxy = manager.Value("Q", value(size, 0))
        process = fork.Process(target=client, args=(proxy, size, orders, answer), daemon=True)
        process.start()
        # The proxy is kept: the server forgets what nobody here refers to.
        sides.append((order, answers, process, proxy))
    for _, answers, _, _ in sides:
        answers.recv()
    print("ready", flush=True)
    for line in sys.stdin:
        for order, _, _, _ in sides:
            order.send(int(line))
        done = [answers.recv() for _, answers, _, _ in sides]
        rate = sum(count / seconds for count, seconds in done)
        seconds = max(seconds for _, seconds in done)
        print(rate * seconds, seconds, 0, flush=True)
    for order, _, process, _ in sides:
        order.send(None)
        process.join()
    manager.shutdown()


main()
