#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
guest.py FOLDER DRIVER[,PARAMETER...]...: nft_offload.ko on drivers' own code, in
the virtual machine. The FOLDER has DRIVER/rig_DRIVER.ko of tests/drivers/build;
the PARAMETERs are its (without=3, see rig.c).

Connections are opened, and what the driver has written to its hardware for each
direction is compared with what the packets look like that arrive. Lines that
begin with "# matrix" are for tests/drivers/matrix.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position
from drivers import DRIVERS, known
from world import CASES, Connection, World, expected, reverse, run
from genl import Genl
from packets import MODULES, tap

DEBUG = "/sys/kernel/debug"
UNSETTLED = "waiting", "busy", "neighbour", "ruleset-check"


def poll(seconds, function, *args):
    """What it returns once that is true, or last."""
    end = time.monotonic() + seconds
    while True:
        value = function(*args)
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, value):
    with open(path, "w", encoding="utf-8") as file:
        file.write(str(value))


def words_of(text):
    return dict(word.split("=", 1) for word in text.split())


class Rig:
    """A driver's module, and its files."""

    def __init__(self, name, folder):
        self.name, *args = name.split(",")
        self.driver = driver = DRIVERS[self.name]
        self.files = f"{DEBUG}/rig_{driver.module}"
        run("insmod", f"{folder}/{driver.module}/rig_{driver.module}.ko",
            *driver.args, *args)

    def entries(self):
        """(before, after) of each."""
        return [tuple(map(words_of, line.split(" becomes ")))
                for line in read(f"{self.files}/entries").splitlines()]

    def about(self):
        return {key: int(value) for key, value in
                words_of(read(f"{self.files}/about")).items()}

    def remove(self):
        run("rmmod", f"rig_{self.driver.module}")

    def set(self, name, value):
        write(f"{self.files}/{name}", value)


class Test:
    """One driver: results, and lines of the matrix."""

    def __init__(self, rig, world):
        self.rig, self.world = rig, world
        self.driver = rig.driver
        self.nl = Genl()
        self.connections = {}
        self.was_settled = {}
        self.was_used = False

    def result(self, case, text, problems, verdict=""):
        """A problem that is known is no failure; that it is gone, is one."""
        reason = known(self.rig.name, case)
        text = f"{self.rig.name}: {text}"
        if verdict:
            print(f"# matrix {self.rig.name} {case} {verdict}")
        if not reason:
            tap.result(text, problems)
        elif problems:
            tap.n += 1
            print(f"not ok {tap.n} - {text} # TODO {reason}")
            for problem in problems:
                print(f"# {problem}", flush=True)
        else:
            tap.result(text, [f"this is right now: take it out of KNOWN in "
                              f"drivers.py ({reason})"])

    # --- what the module says ---

    def ports(self):
        return {port["name"]: port for port in self.nl.dump("port-get")}

    def in_hardware(self):
        return sum(port["in-hardware"] for port in self.ports().values())

    def flow(self, case):
        """Of the newest flow with this connection's addresses."""
        connection = self.connections.get(case.name)
        if not connection:
            return None
        want = connection.tuples(self.world.server)[0]
        found = None
        for flow in self.nl.flows():
            o = flow["orig"]
            got = (o["src"], o["dst"], o.get("sport", 0), o.get("dport", 0))
            if got == want and o["l4proto"] == case.proto:
                found = flow
        return found

    @staticmethod
    def is_settled(direction):
        return direction["hw"] == "in" or (
            direction["hw"] == "out" and
            direction.get("reason", "none") not in UNSETTLED)

    def settled(self, case):
        flow = self.flow(case)
        if flow and all(self.is_settled(flow[d])
                        for d in ("dir-orig", "dir-reply")):
            return flow
        return None

    # --- cases ---

    def names(self):
        driver = self.driver
        problems = []
        for device in "lan", "wan":
            info = run("ethtool", "-i", device).splitlines()[0]
            parent = os.path.basename(os.path.realpath(
                f"/sys/class/net/{device}/device/driver"))
            if (info, parent) != (f"driver: {driver.info}", driver.name):
                problems.append(f"{device}: {info}, parent's {parent}")
        self.result("names", "it has the real driver's names", problems)

    def open_all(self):
        """Every connection, each with a few packets either way."""
        for case in CASES:
            try:
                self.connections[case.name] = Connection(case)
                self.connections[case.name].talk(4)
            except OSError as error:
                raise RuntimeError(f"{case.name}: {error}") from error

    def is_wild(self, key, value):
        """This hardware does not look: at this, or not when there is none."""
        wild = self.driver.wild
        return key in wild or (key in ("tags", "pppoe") and "untagged" in wild and
                               value in ("", "0"))

    def compare(self, want, before, after):
        """Problems of an entry."""
        problems = []
        for key, value in want[0].items():
            if before.get(key) != value and not (
                    before.get(key) == "any" and self.is_wild(key, value)):
                problems.append(f"matches {key}={before.get(key)}, not {value}")
        for key, value in want[1].items():
            got = after.get(key)
            if key == "ttl" and "ttl" in before and got == str(
                    int(before["ttl"]) - 1):
                continue
            if got != (self.driver.ttl if key == "ttl" else value):
                problems.append(f"{key} becomes {got}, not {value}")
        if "note" in after:
            problems.append(after["note"].replace("-", " "))
        return problems

    def one_direction(self, way, direction, want, entries):
        """(whether it is in hardware, problems, why it is not)."""
        mine = [entry for entry in entries if all(
            entry[0].get(key) == want[0][key] for key in want[0]
            if key in ("src", "dst", "sport", "dport", "proto"))]
        # The same tuple the other way about is the other direction's.
        problems = [f"{way}: {problem}" for entry in mine
                    for problem in self.compare(want, *entry)]
        if len(mine) > 1:
            problems.append(f"{way}: {len(mine)} entries")
        if direction["hw"] != "in":
            if mine:
                problems.append(f"{way}: in hardware, and the module does not "
                                "know")
            why = direction.get("why") or ""
            error = direction.get("errno", 0)
            text = direction["reason"]
            if error:
                text += f" {error}"
            return False, problems, f"{text} {why}".strip()
        if not mine:
            problems.append(f"{way}: accepted, and no entry is for its packets")
            problems += {f"{way}: hardware {entry[1]['note'].replace('-', ' ')}"
                         for entry in entries if "note" in entry[1]}
        return True, problems, ""

    def case(self, case, entries):
        """What became of a connection, as a verdict with its reasons."""
        flow = self.was_settled[case.name]
        if not flow:
            return "error", [f"no settled flow: {self.flow(case)}"], ""
        wants = expected(self.connections[case.name], self.world)
        entries = entries or self.rig.entries()
        found = [self.one_direction(way, flow[f"dir-{way}"], want, entries)
                 for way, want in zip(("orig", "reply"), wants)]
        problems = [problem for _, some, _ in found for problem in some]
        why = "; ".join(dict.fromkeys(text for _, _, text in found if text))
        if problems:
            return "wrong", problems, why
        if all(inside for inside, _, _ in found):
            return "right", [], ""
        if any(inside for inside, _, _ in found):
            return "half", [], why
        return "refused", [], why

    def all_cases(self):
        for case in CASES:
            self.settle(case)
        entries = self.rig.entries()
        if not self.driver.hw:
            self.no_case(entries)
            return
        for case in CASES:
            verdict, problems, why = self.case(case, entries)
            driver = self.driver
            if verdict == "half":
                problems = [f"one direction only: {why}"]
            elif verdict == "refused" and case.name in driver.hw:
                problems = [f"refused: {why}"]
            elif verdict == "right" and case.name not in (*driver.hw, *driver.may):
                problems = ["in hardware, and drivers.py does not know"]
            self.result(case.name, case.text + (
                "" if case.name in driver.hw else ", in software"
                if verdict == "refused" else ""), problems,
                f"{verdict} {'; '.join(problems) if verdict == 'wrong' else why}")

    def no_case(self, entries):
        """One that does something else than it is asked: none is in hardware."""
        wrong = []
        for case in CASES:
            verdict, problems, why = self.case(case, entries)
            print(f"# matrix {self.rig.name} {case.name} {verdict} "
                  f"{'; '.join(problems) or why}")
            if verdict != "refused":
                wrong += [f"{case.text}: {verdict}", *problems]
        self.result("nothing", "nothing is in its hardware", wrong)

    def settle(self, case):
        """Of those that a slow machine has made wait, GRE may expire meanwhile."""
        self.was_settled[case.name] = poll(10, self.settled, case)

    def of_hardware(self):
        """Cases whose directions are both in hardware."""
        return [case for case in CASES if (flow := self.flow(case)) and all(
            flow[d]["hw"] == "in" for d in ("dir-orig", "dir-reply"))]

    def counters(self):
        """What hardware has counted is what the flow has."""
        inside = self.of_hardware()
        self.was_used = bool(inside and self.driver.hw)
        if not self.was_used:
            return
        before = {case.name: self.flow(case) for case in inside}
        self.rig.set("traffic", 1000)

        def added(case):
            flow = self.flow(case) or before[case.name]
            return [flow[d].get("hw-packets", 0) -
                    before[case.name][d].get("hw-packets", 0)
                    for d in ("dir-orig", "dir-reply")]

        want = [1000, 1000] if self.driver.counts else [0, 0]
        ok = poll(30, lambda: all(added(case) == want for case in inside))
        self.result("counters", "counters" if self.driver.counts else
                    "it has no counters, and none are made up",
                    [] if ok else [f"{case.name}: {added(case)}, not {want}"
                                   for case in inside],
                    ("right" if self.driver.counts else "none") if ok else "wrong")

    def delete(self):
        """One connection ends: its entries go, and no others."""
        if not self.was_used:
            return
        case = self.of_hardware()[0]
        wants = [want[0] for want in
                 expected(self.connections[case.name], self.world)]
        number = len(self.rig.entries())

        def left():
            keys = "src", "dst", "sport", "dport", "proto"
            return [entry for entry in self.rig.entries() for want in wants
                    if all(entry[0].get(key) == want.get(key) for key in keys)]

        self.connections.pop(case.name).close()
        run("conntrack", "-D", "-p", str(case.proto), "-s", case.source,
            "--sport", str(case.sport))
        poll(10, lambda: not left() and len(self.rig.entries()) == number - 2)
        problems = [f"still there: {entry}" for entry in left()]
        now = len(self.rig.entries())
        if not problems and now != number - 2:
            problems.append(f"{number} entries before, {now} after")
        self.result("delete", "delete", problems, "wrong" if problems else "right")

    def unknown(self):
        """The driver has lost its entries: deleting them is no trouble."""
        if not self.was_used:
            return
        about = self.rig.about()
        answer = (f"{about['unknown_destroy']} on DESTROY, "
                  f"{about['unknown_stats']} on STATS")
        self.rig.set("lose", 1)
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()
        run("conntrack", "-F")
        poll(15, lambda: not self.in_hardware())
        problems = [f"{name}: {port['in-hardware']} in hardware, "
                    f"{port['stuck']} stuck" for name, port in
                    self.ports().items() if port["in-hardware"]]
        problems += [f"still there: {entry}" for entry in self.rig.entries()]
        self.result("unknown", f"delete of what it has lost ({answer})", problems,
                    f"{'wrong' if problems else 'right'} {answer}")

    def full(self):
        """Hardware takes two entries: the third is refused, and goes in when
        there is room."""
        if not self.driver.full or not self.was_used:
            return
        self.empty()
        self.rig.set("capacity", 2)
        cases = [case for case in CASES if case.name in self.driver.hw][:3]
        for case in cases:
            self.connections[case.name] = Connection(case)
            self.connections[case.name].talk(4)

        def directions():
            return [self.flow(case)[d] for case in cases if self.flow(case)
                    for d in ("dir-orig", "dir-reply")]

        def reasons():
            return sorted(d["reason"] if d["hw"] != "in" else "in"
                          for d in directions())

        want = ["full"] * 4 + ["in"] * 2
        poll(10, lambda: reasons() == want)
        problems = [] if reasons() == want else [f"{reasons()}, not {want}"]
        errors = {d.get("errno") for d in directions() if d["hw"] != "in"}
        if not problems and errors - {None, 0} - {self.driver.full}:
            problems.append(f"errno {errors}, not {self.driver.full}")
        self.rig.set("capacity", 0)

        def all_in():
            # So that they do not expire meanwhile.
            for connection in self.connections.values():
                connection.talk()
            return reasons() == ["in"] * 6

        if not poll(60, all_in):
            problems.append(f"with room: {reasons()}")
            problems += [str(d) for d in directions() if d["hw"] != "in"]
        self.result("full", f"full ({errno_name(self.driver.full)})", problems,
                    "wrong " + "; ".join(problems) if problems else
                    f"right {errno_name(self.driver.full)}")

    def empty(self):
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()
        run("conntrack", "-F")
        poll(15, lambda: not self.in_hardware() and not self.rig.entries())

    def rtnl(self):
        about = self.rig.about()
        if not about["calls"]:
            return
        problems = []
        if about["without_rtnl"]:
            problems.append(f"{about['without_rtnl']} of {about['calls']} calls "
                            "without RTNL, and the driver wants it")
        self.result("rtnl", "it is called with the lock that it wants", problems,
                    "wrong" if problems else "right " +
                    ("needs none" if about["unlocked"] else "RTNL"))

    def run(self):
        self.names()
        # Unbound, if it is so for two seconds.
        poll(2, lambda: all(port["state"] == "bound"
                            for port in self.ports().values()))
        for port in self.ports().values():
            print(f"# {port}")
        self.open_all()
        self.all_cases()
        self.counters()
        self.delete()
        self.rtnl()
        self.unknown()
        self.full()
        self.empty()


def errno_name(number):
    import errno
    return errno.errorcode[number]


def main():
    folder, *names = sys.argv[1:]
    run("modprobe", "-a", "nf_tables", "nf_conntrack", "nft_chain_nat", "nft_nat",
        "nft_masq", "8021q", "pppoe")
    run("insmod", f"{MODULES}/nft_offload.ko")
    for name in names:
        rig = Rig(name, folder)
        print(f"# {name}: {rig.driver.text}")
        world = World()
        Test(rig, world).run()
        rig.remove()
        world.leave()
    tap.finish()


if __name__ == "__main__":
    main()
