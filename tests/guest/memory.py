#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Memory that is refused, on a kernel with fault injection (6.1-debug).

Requests are made again and again, each time with another of the task's
allocations refused, from the first to the last: rulesets and netlink requests.
Each succeeds or says that it did not, and leaves nothing behind; kmemleak looks
for what it did. What packets and workers allocate is refused by chance.

Loading the module is not tried so: Linux 6.1 itself warns then (tracing) and
leaks (sysfs_slab_add()).
"""
import ctypes
import os
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from genl import Error, Genl, Netns
from netlink import (Echo, begin, entries, poll, proc_of, read, shell, tap,
                     write, SIM)

FAILSLAB = "/sys/kernel/debug/failslab"
FAIL_NTH = f"/proc/self/task/{os.getpid()}/fail-nth"
RULES = """
table inet t {
	flowtable ft {
		hook ingress priority 0
		devices = { lan, wan }
		flags offload
		counter
	}
	chain forward {
		type filter hook forward priority 0; policy accept
		meta l4proto { tcp, udp } flow add @ft
	}
}
table ip u {
	flowtable ft {
		hook ingress priority 1
		devices = { lan }
	}
}
"""


# --- what is refused ---

# Open from the beginning: to open a file takes memory.
probability_fd = None


def enough():
    os.write(probability_fd, b"0")


def failslab(probability=0, **values):
    """All of failslab's knobs: the rest is as it was at the beginning."""
    enough()
    for name, value in {"task-filter": "N", "ignore-gfp-wait": "N",
                        "interval": 1, "times": -1, "verbose": 0,
                        **{key.replace("_", "-"): value
                           for key, value in values.items()}}.items():
        write(f"{FAILSLAB}/{name}", str(value))
    write(f"{FAILSLAB}/probability", str(probability))


def refusing(nth, function, *args):
    """Calls it with the task's nth allocation refused. Returns its result, and
    whether there were so many."""
    fd = os.open(FAIL_NTH, os.O_RDWR)
    try:
        # Nothing that allocates may come between these.
        os.write(fd, b"%d" % nth)
        try:
            result = function(*args)
        finally:
            left = int(os.pread(fd, 16, 0))
            if left:
                os.pwrite(fd, b"0", 0)
    finally:
        os.close(fd)
    return result, not left


def each_refused(text, function, undo, least, *args):
    """The function says whether it succeeded; undo makes it as it was before."""
    nth, done, failed, absent = 0, 0, 0, 0
    began = time.monotonic()
    # What is allocated differs a little from one time to the next.
    while absent < 3:
        nth += 1
        good, there = refusing(nth, function, *args)
        absent = 0 if there else absent + 1
        if not there and not good:
            tap.result(f"{text}: nothing refused, number {nth}", ["it failed"])
            return
        done += there
        failed += not good
        problem = undo(good)
        if problem:
            tap.result(f"{text}: allocation {nth} refused", [problem])
            return
    tap.ok(f"{text}: {done} allocations refused, {failed} times it failed, "
           f"{time.monotonic() - began:.0f} s",
           done >= least and failed, f"wanted {least} at least")


# --- rulesets ---

class Nft:
    """libnftables in this process, so that it is this task that allocates."""

    def __init__(self):
        self.lib = ctypes.CDLL("libnftables.so.1")
        self.lib.nft_ctx_new.restype = ctypes.c_void_p
        self.ctx = ctypes.c_void_p(self.lib.nft_ctx_new(0))
        self.lib.nft_ctx_buffer_error(self.ctx)

    def run(self, text):
        return self.lib.nft_run_cmd_from_buffer(self.ctx, text) == 0


def lines(*kinds):
    """In the file of this netns; proc_of() starts a program for that."""
    return sum(line.startswith(kinds)
               for line in read("/proc/self/net/nft_offload").splitlines())


def nothing_here():
    return not lines("flowtable", "port")


def no_lines(netns):
    found = proc_of(netns)
    return not found["flowtable"] and not found["port"]


def test_rulesets():
    with Netns("r"):
        nft = Nft()

        def load():
            return nft.run(RULES.encode())

        def undo(good):
            if not poll(lambda: lines("flowtable") == 2 * good):
                return f"loaded: {good}, but {proc_of()}"
            if not nft.run(b"flush ruleset"):
                return "flush ruleset failed"
            if not poll(nothing_here):
                return f"left: {proc_of()}"
            return None

        # The first time, nft makes the kernel load modules.
        load()
        undo(True)
        each_refused("a ruleset is loaded", load, undo, 50)

        def delete():
            return nft.run(b"delete table inet t; delete table ip u")

        def again(good):
            if good and not poll(nothing_here):
                return f"left: {proc_of()}"
            return None if nft.run(b"flush ruleset") and load() else "load failed"

        load()
        each_refused("a ruleset is deleted", delete, again, 5)

        def reload():
            return nft.run(b"flush ruleset\n" + RULES.encode())

        def still(_):
            return None if lines("flowtable") >= 2 else "no table"

        each_refused("a ruleset is replaced", reload, still, 50)

        def shrink():
            return nft.run(b"delete flowtable inet t ft { devices = { lan }; }")

        def grow(good):
            if not good:
                return None
            return None if nft.run(
                b"add flowtable inet t ft { hook ingress priority 0; "
                b"devices = { lan }; flags offload; counter; }") else "add failed"

        each_refused("a device is taken out", shrink, grow, 5)
        nft.run(b"flush ruleset")
        poll(no_lines, "r")


# --- netlink ---

def test_requests():
    nl = Genl("r")
    shell("ft_rules")
    echo = Echo(5000)
    begin(range(20000, 20100))
    poll(lambda: entries() == 200)
    wanted = len(nl.flows())
    tap.equal("flows", wanted, 100)

    def get(command):
        nonlocal nl
        try:
            nl.do(command)
        except (Error, OSError, RuntimeError):
            # When there is no memory for the answer, there may be no answer.
            nl.close()
            return False
        return True

    def dump(command, wanted):
        try:
            return len(nl.dump(command)) == wanted
        except (Error, OSError):
            nl.close()
            return False

    def reopen(good):
        nonlocal nl
        if not good:
            nl = Genl("r")
        return None

    nl.sock.settimeout(2)
    for command in "info-get", "stats-get":
        each_refused(command, get, reopen, 1, command)
    for command, wanted in ("port-get", 2), ("flowtable-get", 1), ("flow-get", 100):
        each_refused(f"{command}, dump", dump, reopen, 1, command, wanted)

    def proc():
        try:
            return "port" in read("/proc/self/net/nft_offload")
        except OSError:
            return False

    with Netns("r"):
        each_refused("/proc/net/nft_offload", proc, lambda _: None, 1)
    nl.close()
    shell("in_ns r nft flush ruleset", check=False)
    echo.stop()


# --- packets ---

def reason(name):
    return proc_of()["reason"].get(name, 0)


def test_flows():
    echo = Echo(5000)
    shell("ft_rules")
    begin(range(21000, 21020))
    poll(lambda: entries() == 40)
    # The connections stay, and their flows do not.
    shell("ft_rules")
    before = reason("no-memory")
    failslab(probability=100, ignore_gfp_wait="Y")
    fire(range(21000, 21020))
    there = entries()
    failslab()
    refused = reason("no-memory") - before
    tap.ok("without memory for a flow, its packets take the slow path and are "
           f"counted ({refused})", refused >= 20, proc_of())
    tap.equal("nothing is in hardware then", there, 0)
    begin(range(21000, 21020))
    tap.ok("the same connections become flows later", poll(
        lambda: entries() == 40))

    # Every tenth allocation in an interrupt fails, those of packets included.
    failslab(probability=10, ignore_gfp_wait="Y")
    for start in range(22000, 23000, 50):
        fire(range(start, start + 50))
    failslab()
    tap.ok("flows were refused, and others made",
           reason("no-memory") > before and entries() > 100, proc_of())
    begin(range(23000, 23020))
    shell("in_ns r nft flush ruleset")
    tap.ok("nothing stays", poll(lambda: no_lines("r") and not entries()))
    echo.stop()


def fire(ports):
    """Connections of which packets may be lost."""
    with Netns("a"):
        socks = []
        for port in ports:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("", port))
            sock.connect(("10.2.0.2", 5000))
            sock.setblocking(False)
            socks.append(sock)
    for _ in range(4):
        for sock in socks:
            try:
                sock.send(b"x")
            except OSError:
                pass
        time.sleep(0.01)
    for sock in socks:
        sock.close()


# --- workers ---

def test_workers():
    """The kernel's threads: binding, and drivers' answers."""
    echo = Echo(5000)
    # New threads are as their parent is.
    for pid in [2] + [int(pid) for pid in os.listdir("/proc")
                      if pid.isdigit() and
                      read(f"/proc/{pid}/comm").startswith("kworker")]:
        try:
            write(f"/proc/{pid}/make-it-fail", "1")
        except OSError:
            pass
    failslab(probability=30, task_filter="Y")
    for _ in range(20):
        shell("ft_rules")
        begin(range(24000, 24010), rounds=2)
        shell("in_ns r nft flush ruleset")
    shell("ft_rules")
    failslab()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            write(f"/proc/{pid}/make-it-fail", "0")
        except OSError:
            pass
    tap.ok("ports are bound when there is memory", poll(
        lambda: {port["state"] for port in proc_of()["port"]} == {"bound"}),
           proc_of())
    begin(range(24100, 24110))
    tap.ok("and take flows", poll(lambda: entries() >= 20), proc_of())
    shell("in_ns r nft flush ruleset")
    tap.ok("nothing stays behind", poll(
        lambda: no_lines("r") and not entries()), proc_of())
    echo.stop()


def main():
    global probability_fd
    if not os.path.exists(FAILSLAB):
        sys.exit("memory.py: this kernel has no fault injection")
    probability_fd = os.open(f"{FAILSLAB}/probability", os.O_RDWR)
    failslab()
    shell("sim_load && topo_up mlx5-rep && path_use module")
    write(f"{SIM}/capacity", "60000")
    tests = [test_rulesets, test_requests, test_flows, test_workers]
    wanted = sys.argv[1:]
    for test in tests:
        if not wanted or test.__name__.removeprefix("test_") in wanted:
            try:
                test()
            finally:
                enough()
    shell("topo_down; path_leave && rmmod nft_offload_sim")
    tap.finish()


main()
