#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Three routers side by side: classic forwarding, nft_offload.ko in software, and in
hardware on a simulated NIC. The same things happen to all of them, at random, and
they get the same packets: what becomes of each packet, and its bytes, must be the
same.

    clients  lan                      wan   gateways b, g    10.2.0.2, .3
             sw, sw2: ports of br0    wan2  gateway c        10.3.0.2
                      with VLANs

What is on the wires is made here, neighbours are permanent, and the routers'
devices have the same Ethernet addresses: so bytes can be compared. After each thing
that happens, packets of GRACE seconds are not compared.

random_world.py SECONDS [SEED]

NFTO_WAYS=classic,classic compares other routers, or more of them;
NFTO_GOES_ON=1 begins anew after a difference, and shows so many kinds of them.
"""
import os
import random
import sys
import time

from netlink import shell, tap
from random_events import Events
from random_routers import CLIENTS, HOSTS, MACS, Conn, Router, drain
from seen_world import GRACE

PACKETS = 96		# to compare after an event
BATCH = 16		# on their way at once
CONNECTIONS = 24
QUIET = 0.03		# seconds without a packet: all have come
PATIENCE = 2.0		# seconds for what is missing, on a busy machine
SHRINK = 60		# seconds to look for fewer events


class Different(Exception):
    """One packet, and what became of it."""


class Run:
    """Routers, connections, and what has happened."""

    def __init__(self, ways, seed, script=None):
        self.rng = random.Random(seed)
        self.routers = [Router(n, way) for n, way in enumerate(ways)]
        self.events = Events(self.rng)
        self.script = script	# what happens, instead of anything
        self.happened = []
        self.compared = self.packets = 0
        self.sent = {}
        self.conns = []
        # What those on the wires know.
        self.macs = dict(MACS)
        self.where = {n: "lan" if host[2] == "lan" else "sw"
                      for n, host in enumerate(HOSTS)}
        self.tagged = 0.1

    def up(self):
        for router in self.routers:
            router.up()
        self.happen(self.events.begin())
        self.conns = [Conn(self.rng, n) for n in range(CONNECTIONS)]

    def down(self):
        for router in self.routers:
            router.down()

    # --- packets ---

    def send(self, conn):
        """Its next packet, to all routers."""
        self.packets += 1
        step = conn.next(self.rng, self.packets, self)
        if step is None:
            return None
        port, frame, text = step
        for router in self.routers:
            router.send(port, frame)
        self.sent[self.packets] = conn, str(conn), port, text, frame
        return self.packets

    def burst(self, count):
        """So many packets, or a few more: one of a connection at a time, as what
        comes next may depend on it."""
        numbers = []
        while len(numbers) < count:
            some = [self.send(conn) for conn in self.rng.sample(
                self.conns, min(BATCH, len(self.conns)))]
            drain(self.routers, QUIET)
            for number in filter(None, some):
                numbers.append(number)
                self.sent[number][0].learn(
                    number, self.routers[0].got.get(number, ()))
        return numbers

    def compare(self, numbers):
        end = time.monotonic() + PATIENCE
        while self.differing(numbers) and time.monotonic() < end:
            drain(self.routers, 0.1)
        drain(self.routers, 0.1)
        different = self.differing(numbers)
        self.compared += len(numbers)
        if different:
            raise Different(self.report(different))

    def differing(self, numbers):
        return [n for n in numbers if any(
            router.fate(n) != self.routers[0].fate(n)
            for router in self.routers[1:])]

    def report(self, different):
        number = different[0]
        _, conn, port, text, frame = self.sent[number]
        lines = [f"{len(different)} packets differ; the first is number "
                 f"{number}: {conn}, {text}, in at {port}",
                 f"  sent {frame.hex()}"]
        for router in self.routers:
            fate = router.fate(number)
            lines.append(f"  {router.name}: " + ("nothing" if not fate else ""))
            lines += [f"    {where} {out.hex()}" for where, out in fate]
        return "\n".join(lines)

    # --- what happens ---

    def happen(self, commands):
        for router in self.routers:
            router.do(commands)
        for command in commands:
            if command[0] == "mac":
                self.macs[command[1]] = command[2]
            elif command[0] == "tagged":
                self.tagged = command[1]
            elif command[0] == "renew":
                for conn in self.conns:
                    conn.begin(self.rng)
            elif command[0] == "move":
                self.where[command[1]] = command[2]
                self.announce(command[1])

    def announce(self, host):
        """Bridges learn where it is by a frame of its own."""
        source = bytes.fromhex(HOSTS[host][3].replace(":", ""))
        for router in self.routers:
            router.send(self.where[host],
                        b"\xff" * 6 + source + b"\x88\xb5" + bytes(46))

    def cycle(self):
        """Something happens; packets until it has to be over; packets."""
        if self.script is not None:
            commands = self.script.pop(0)
        else:
            commands = self.events.next()
        self.happened.append(commands)
        self.happen(commands)
        until = time.monotonic() + GRACE
        for conn in self.conns:
            conn.renew(self.rng)
        while time.monotonic() < until:
            self.burst(BATCH)
        self.compare(self.burst(PACKETS))


def attempt(ways, seed, seconds, script=None):
    """A run until a difference or until the time is over: (run, difference)."""
    run = Run(ways, seed, script)
    end = time.monotonic() + seconds
    try:
        run.up()
        run.compare(run.burst(PACKETS))
        while time.monotonic() < end and run.script != []:
            run.cycle()
    except Different as error:
        return run, error
    finally:
        run.carried = [router.carried() for router in run.routers]
        run.down()
    return run, None


def shrink(ways, seed, happened):
    """Fewer events after which packets differ, if such are found in time. What
    comes last is what did it, most often."""
    end = time.monotonic() + SHRINK
    script = list(happened)
    kept = len(script)
    for size in (1, 2, 4, 8):
        if size >= len(script) or time.monotonic() > end:
            break
        _, error = attempt(ways, seed, SHRINK, script[-size:])
        if error:
            kept, script = size, script[-size:]
            break
    return script if kept < len(happened) else None


def show(events):
    return [f"  event: {'; '.join(filter(None, map(str, commands)))}"
            for commands in events]


def main():
    seconds = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else \
        random.SystemRandom().getrandbits(31)
    ways = os.environ.get("NFTO_WAYS", "classic,software,hardware").split(",")
    goes_on = bool(os.environ.get("NFTO_GOES_ON"))
    print(f"# Linux {os.uname().release}, random_world.py {seconds:g} {seed}, "
          f"{', '.join(ways)}", flush=True)
    shell("sim_load; modprobe -a nf_tables nf_conntrack vrf br_netfilter; "
          "rmmod br_netfilter; path_use module")
    end = time.monotonic() + seconds
    problems, totals = [], [0, 0, 0]
    carried = [[0, 0] for _ in ways]
    while True:
        run, error = attempt(ways, seed, max(1, end - time.monotonic()))
        totals = [a + b for a, b in zip(
            totals, (run.packets, run.compared, len(run.happened)))]
        for total, one in zip(carried, run.carried):
            total[0] += one[0]
            total[1] += one[1]
        if error:
            detail = [f"seed {seed}, after {len(run.happened)} events; the last "
                      "ones:", *show(run.happened[-8:]), str(error)]
            fewer = None if goes_on else shrink(ways, seed, run.happened)
            if fewer:
                detail += ["also after these events alone:", *show(fewer)]
            problems.append("\n".join(detail))
            print(f"# difference {len(problems)}:\n# " +
                  "\n# ".join("\n".join(detail).splitlines()), flush=True)
        if not error or not goes_on or time.monotonic() > end:
            break
        seed += 1
    print(f"# {totals[0]} packets, {totals[1]} compared, {totals[2]} events, "
          f"{CLIENTS} clients' ports")
    tap.result(f"{totals[1]} packets had the same fate everywhere",
               [f"{len(problems)} differences, the last:", problems[-1]]
               if problems else [])
    for way, (slow, sent) in zip(ways, carried):
        print(f"# {way}: {slow} of {sent} packets by the slow path")
        if way != "classic":
            tap.ok(f"{way}: packets have been carried", slow < sent * 0.8)
    shell("path_leave; rmmod nft_offload_sim")
    tap.finish()


if __name__ == "__main__":
    main()
