#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
The ruleset changes while flows are in hardware: those that it still allows go
on, and are back in hardware after one packet of each direction; the packets of
others stop. Of nft_offload.ko.

    rules.py [CASE...]      only these
"""
import errno
import os
import re
import socket
import subprocess
import sys
import threading
import time

from genl import Error, Genl, Netns
from netlink import (Echo, as_child, both_in, drop_privileges, entries, poll,
                     read, shell, tap, write)

WAIT = 5		# seconds that a flow has to get through the new ruleset
HERE = os.path.dirname(os.path.abspath(__file__))

RULES = """
table inet t {
	set ports {
		type inet_service
	}
	flowtable ft {
		hook ingress priority 0
		devices = { lan, wan }
		FLAGS
		counter
	}
	chain forward {
		type filter hook forward priority 0; policy accept
		ct state invalid counter drop comment "invalid"
		udp sport @ports drop
		meta l4proto { tcp, udp } flow add @ft comment "offload"
	}
}
table ip n {
	chain post {
		type nat hook postrouting priority 100
		oifname wan udp dport 5001 masquerade
		oifname wan tcp dport 5001 masquerade
	}
}"""
# Counts what arrives at the other wire, for connections that tests look at.
SEEN = """
table inet seen {
	chain in {
		type filter hook prerouting priority -300
		udp sport 6001 counter
		udp sport 6002 counter
	}
}"""


def nft(text, netns="r"):
    subprocess.run(["ip", "netns", "exec", netns, "nft", "-f", "-"], text=True,
                   input=text, check=True)


def rules(flags="flags offload"):
    nft("flush ruleset")
    nft(RULES.replace("FLAGS", flags))


def handle(comment, chain="inet t forward"):
    listed = shell(f"in_ns r nft -a list chain {chain}")
    return re.search(rf'"{comment}" # handle (\d+)', listed)[1]


def seen(port):
    listed = shell("in_ns b nft list chain inet seen in")
    return int(re.search(rf"sport {port} counter packets (\d+)", listed)[1])


def conntrack():
    return shell("for f in ipv4 ipv6; do "
                 "in_ns r conntrack -L -f $f 2>/dev/null; done")


def nic(name):
    return sum(int(shell(f"ctr {port} {name}")) for port in ("lan", "wan"))


def reasons(nl):
    return {one["reason"]: one["count"]
            for one in nl.do("stats-get").get("reasons", [])}


class Connection:
    """A socket in netns a, whose packets are answered by netns b."""

    def __init__(self, port, address="10.2.0.2", dport=5000, tcp=False,
                 source=""):
        self.port = port
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with Netns("a"):
            self.sock = socket.socket(
                family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((source, port))
            self.sock.settimeout(20)
            self.sock.connect((address, dport))
            if tcp:
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def trip(self):
        """There and back."""
        data = os.urandom(8)
        self.sock.send(data)
        try:
            return self.sock.recv(64) == data
        except (TimeoutError, BlockingIOError):
            return False

    def send(self, count=1):
        for _ in range(count):
            self.sock.send(b"x")

    def answers(self, seconds=0.3):
        """How many come until none did for a while."""
        count = 0
        self.sock.settimeout(seconds)
        while True:
            try:
                self.sock.recv(64)
            except TimeoutError:
                self.sock.settimeout(20)
                return count
            count += 1


class World:
    """Connections of all kinds, in hardware."""

    def __init__(self, nl):
        self.nl = nl
        self.all = [
            Connection(6001), Connection(6002), Connection(6003),
            Connection(6004, "fd02::2"), Connection(6005, dport=5001),
            Connection(6006, source="10.7.0.2"),
            Connection(6007, tcp=True), Connection(6008, "fd02::2", tcp=True),
            Connection(6009, dport=5001, tcp=True)]
        self.settle()

    def of(self, port):
        return next(one for one in self.all if one.port == port)

    def trips(self, but=()):
        """Ports of those that are not answered."""
        return [one.port for one in self.all
                if one.port not in but and not one.trip()]

    def settle(self, rounds=3):
        for _ in range(rounds):
            self.trips()

    def ids(self):
        return {flow["orig"]["sport"]: flow["id"] for flow in self.nl.flows()}

    def all_in(self, but=()):
        flows = [flow for flow in self.nl.flows()
                 if flow["orig"]["sport"] not in but]
        return len(flows) == len(self.all) - len(but) and \
            all(map(both_in, flows))

    def dirs(self, port):
        """state and reason of both directions."""
        for flow in self.nl.flows(sport=port):
            if flow["orig"]["sport"] == port:
                return [(flow[name]["hw"], flow[name]["reason"])
                        for name in ("dir-orig", "dir-reply")]
        return None

    def close(self):
        for one in self.all:
            one.sock.close()
        shell("in_ns r conntrack -F", check=False)
        poll(lambda: not self.nl.do("stats-get")["flows"] and not entries())


IN = [("in", "none")] * 2
ASKED = ("out", "ruleset-check")


def begin(nl, text):
    world = World(nl)
    poll(world.all_in)
    tap.ok(f"{text}: all connections are in hardware", world.all_in(),
           nl.flows())
    return world


def in_doubt(text, since):
    """After a commit, before any packet."""
    tap.ok(f"{text}: no entry is left in hardware",
           poll(lambda: not entries()), entries())
    print(f"# after {time.monotonic() - since:.3f} s")


def goes_on(world, text, ids, but=()):
    """Nothing is lost, and one packet of each direction is enough."""
    tap.equal(f"{text}: all packets are answered", world.trips(but), [])
    tap.ok(f"{text}: in hardware again", poll(lambda: world.all_in(but)),
           world.nl.flows())
    now = world.ids()
    tap.equal(f"{text}: the same flows", {
        port: flow for port, flow in now.items() if port not in but},
        {port: flow for port, flow in ids.items() if port not in but})
    host, hits = nic("host_in_packets"), nic("hits")
    tap.equal(f"{text}: and on", [world.trips(but) for _ in range(10)],
              [[]] * 10)
    sent = 20 * (len(world.all) - len(but))
    tap.ok(f"{text}: by hardware", nic("hits") - hits >= sent and
           nic("host_in_packets") - host <= sent / 10,
           (nic("hits") - hits, nic("host_in_packets") - host, sent))


# --- commits that change nothing for a flow ---

def test_same(nl):
    print("# nothing changes for any flow")
    world = begin(nl, "before")
    ids = world.ids()
    for text, commit in (
            ("an element", "add element inet t ports { 9 }"),
            ("an unrelated table", "table ip unrelated { chain c { }; }"),
            ("a rule", "insert rule inet t forward udp sport 7 drop"),
            ("the same rules in one commit",
             "flush chain inet t forward\n"
             "add rule inet t forward ct state invalid counter drop comment "
             '"invalid"\n'
             "add rule inet t forward udp sport @ports drop\n"
             "add rule inet t forward meta l4proto { tcp, udp } flow add @ft "
             'comment "offload"')):
        poll(lambda: world.all_in())
        since = time.monotonic()
        nft(commit)
        in_doubt(text, since)
        tap.equal(f"{text}: and why", {tuple(world.dirs(port))
                                       for port in ids}, {(ASKED, ASKED)})
        listed = conntrack()
        tap.ok(f"{text}: conntrack says so", listed.count("[OFFLOAD]") >= 9 and
               "[HW_OFFLOAD]" not in listed, listed)
        goes_on(world, text, ids)
        listed = conntrack()
        tap.equal(f"{text}: conntrack says so, too",
                  listed.count("[HW_OFFLOAD]"), 9)
    tap.equal("no packet was found invalid", re.findall(
        r"invalid counter packets (\d+)",
        shell("in_ns r nft list chain inet t forward")), ["0"])
    nft("delete table ip unrelated")
    world.close()


def test_replaced(nl):
    print("# the whole ruleset in one commit")
    rules()
    world = begin(nl, "before")
    ids = world.ids()
    nft("flush ruleset\n" + RULES.replace("FLAGS", "flags offload"))
    # The flowtable has been made anew, and so are its flows.
    tap.equal("all packets are answered", world.trips(), [])
    world.settle()
    tap.ok("in hardware again", poll(world.all_in), nl.flows())
    tap.ok("as new flows", not set(ids.values()) & set(world.ids().values()))
    poll(lambda: entries() == 2 * len(world.all))
    tap.equal("nothing is left of the old ones", entries(), 2 * len(world.all))
    world.close()


# --- commits that forbid ---

def stopped(world, text, port):
    """Packets from it do not arrive, the others' do."""
    before = seen(port)
    world.of(port).send(20)
    tap.equal(f"{text}: no answers", world.of(port).answers(), 0)
    tap.equal(f"{text}: no packet at the other wire", seen(port) - before, 0)


def test_forbidden(nl):
    print("# packets are forbidden")
    for text, ends, commit, undo in (
            ("an element", 1, "add element inet t ports { 6001 }",
             lambda: nft("delete element inet t ports { 6001 }")),
            ("a rule after flow add", 0,
             'add rule inet t forward udp sport 6001 drop comment "new"',
             lambda: nft(f"delete rule inet t forward handle {handle('new')}")),
            ("a rule in postrouting", 0, "table inet p { chain c {"
             "type filter hook postrouting priority 200;"
             "udp sport 6001 drop; }; }", lambda: nft("delete table inet p"))):
        world = begin(nl, text)
        ids = world.ids()
        denied = reasons(nl).get("ruleset-denied", 0)
        since = time.monotonic()
        nft(commit)
        poll(lambda: not entries())
        print(f"# after {time.monotonic() - since:.3f} s")
        stopped(world, text, 6001)
        goes_on(world, text, ids, but=(6001,))
        # A packet that reaches "flow add" would begin a new flow, which must
        # not happen.
        poll(lambda: not world.dirs(6001) or
             time.monotonic() > since + 2 * WAIT)
        tap.equal(f"{text}: does its flow end",
                  (not world.dirs(6001),
                   world.dirs(6001) in (None, [ASKED] * 2),
                   reasons(nl).get("ruleset-denied", 0) - denied),
                  (bool(ends), True, ends))
        stopped(world, text, 6001)
        tap.equal(f"{text}: the others' entries", entries(),
                  2 * (len(world.all) - 1))
        undo()
        poll(lambda: not entries())
        tap.equal(f"{text}: allowed again", (world.trips(), world.trips()),
                  ([], []))
        world.settle()
        tap.ok(f"{text}: in hardware again", poll(world.all_in), nl.flows())
        world.close()


def test_one_way(nl):
    print("# the packets of one direction are forbidden")
    world = begin(nl, "before")
    ids = world.ids()
    nft('insert rule inet t forward udp dport 6002 drop comment "back"')
    poll(lambda: not entries())
    world.of(6002).send()
    tap.ok("one direction is back", poll(
        lambda: world.dirs(6002) == [IN[0], ASKED]), world.dirs(6002))
    goes_on(world, "the others", ids, but=(6002,))
    before = seen(6002)
    end = time.monotonic() + 2 * WAIT
    sent = answered = 0
    while time.monotonic() < end:
        world.of(6002).send(5)
        sent += 5
        answered += world.of(6002).answers(0.2)
    tap.equal("no packet comes back", answered, 0)
    tap.equal("all get there", seen(6002) - before, sent)
    tap.equal("for as long as it takes", (world.dirs(6002),
                                          world.ids()[6002]),
              ([IN[0], ASKED], ids[6002]))
    nft(f"delete rule inet t forward handle {handle('back')}")
    poll(lambda: not entries())
    goes_on(world, "allowed again", ids)
    world.close()


def timeouts():
    listed = shell("in_ns r conntrack -L -p udp 2>/dev/null")
    return [int(line.split()[2]) for line in listed.splitlines()
            if re.search("sport=600[1-3] ", line) and "OFFLOAD" not in line]


def test_no_offload(nl):
    print("# flow add is taken out")
    world = begin(nl, "before")
    ids = world.ids()
    offload = 'add rule inet t forward meta l4proto { tcp, udp } ' \
        'flow add @ft comment "offload"'
    nft(f"delete rule inet t forward handle {handle('offload')}")
    poll(lambda: not entries())
    end = time.monotonic() + 2 * WAIT
    lost = []
    while time.monotonic() < end and nl.flows():
        lost += world.trips()
    tap.equal("all packets are answered", lost, [])
    tap.equal("no flow is left", (nl.flows(), entries()), ([], 0))
    tap.ok("and why", reasons(nl)["ruleset-denied"] >= len(ids), reasons(nl))
    world.trips()
    left = timeouts()
    tap.ok(f"conntrack's own time-outs: {left}", len(left) == 3 and
           all(100 <= one <= 120 for one in left))
    software = nl.dump("flowtable-get")[0]["packets"]
    tap.equal("by the slow path", ([world.trips() for _ in range(5)],
                                   nl.dump("flowtable-get")[0]["packets"]),
              ([[]] * 5, software))
    nft(offload)
    world.settle()
    tap.ok("flow add is back, and so are flows", poll(world.all_in), nl.flows())
    world.close()


def test_rerouted(nl):
    print("# the new ruleset sends packets elsewhere")
    shell("ip -n b addr add 10.2.0.3/24 dev wanw; "
          "ip -n r route add 10.2.0.2 via 10.2.0.3 dev wan onlink table 7; "
          "ip -n r rule add fwmark 7 lookup 7; in_ns r ping -qc1 10.2.0.3")
    world = begin(nl, "before")
    ids = world.ids()
    nft("table ip m { chain c { type filter hook prerouting priority mangle;"
        "udp sport 6003 meta mark set 7; }; }")
    poll(lambda: not entries())
    tap.equal("all packets are answered",
              [world.trips() for _ in range(4)], [[]] * 4)
    tap.ok("in hardware again", poll(world.all_in), nl.flows())
    flows = {flow["orig"]["sport"]: flow for flow in nl.flows()}
    tap.equal("another way", flows[6003]["dir-orig"]["next-hop"], "10.2.0.3")
    tap.ok("by another flow", flows[6003]["id"] != ids[6003])
    tap.equal("and why", reasons(nl).get("route-changed"), 1)
    tap.equal("the others are as they were", {
        port: flow["id"] for port, flow in flows.items() if port != 6003},
        {port: flow for port, flow in ids.items() if port != 6003})
    world.close()
    nft("delete table ip m")
    shell("ip -n r rule del fwmark 7; ip -n r route flush table 7;"
          "ip -n b addr del 10.2.0.3/24 dev wanw")


# --- how much it costs ---

def calm(world):
    """No pass is to come: it begins a second after the last at most."""
    since, last = time.monotonic(), None

    def for_two_seconds():
        nonlocal since, last
        now = nic("destroys")
        if now != last or world.trips() or not world.all_in():
            since, last = time.monotonic(), now
        return time.monotonic() > since + 2
    return poll(for_two_seconds)


def noticed(world, text):
    """It still hears of commits."""
    calm(world)
    before = entries()
    nft("insert rule inet t forward udp sport 9 drop")
    tap.ok(f"{text}", before and poll(lambda: not entries()), before)
    world.settle()
    poll(world.all_in)


def test_storm(nl):
    print("# 100 commits a second, with traffic")
    world = begin(nl, "before")
    before = nic("destroys")
    ids = world.ids()
    seconds, commits = 6, 0
    lost = []
    stop = threading.Event()

    def traffic():
        while not stop.is_set():
            lost.extend(world.trips())
    thread = threading.Thread(target=traffic)
    thread.start()
    began = time.monotonic()
    # One process for all commits, so that it is fast: each line is a commit.
    with subprocess.Popen(["ip", "netns", "exec", "r", "nft", "-i"], text=True,
                          stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as shell_of_nft:
        while time.monotonic() < began + seconds:
            commits += 1
            shell_of_nft.stdin.write(
                f"add element inet t ports {{ {20000 + commits} }}\n")
            shell_of_nft.stdin.flush()
            time.sleep(0.01)
        shell_of_nft.stdin.close()
    took = time.monotonic() - began
    stop.set()
    thread.join()
    poll(world.all_in)
    destroys = nic("destroys") - before
    most = (int(took) + 4) * 2 * len(world.all)
    tap.ok(f"{commits} commits in {took:.1f} s, {destroys} entries taken out",
           2 * len(world.all) <= destroys <= most, most)
    tap.equal("no packet is lost", lost, [])
    tap.equal("the same flows", world.ids(), ids)
    noticed(world, "the next commit is noticed")
    world.close()


def drops():
    """Of the kernel's socket in netns r."""
    table = subprocess.run(
        ["nsenter", "--net=/run/netns/r", "cat", "/proc/net/netlink"],
        text=True, check=True, stdout=subprocess.PIPE).stdout
    for line in table.splitlines():
        words = line.split()
        if words[1] == "12" and words[3] == "00000040":
            return int(words[8])
    return None


def with_processors_busy(do):
    """So that no kworker runs meanwhile, but for a twentieth of the time."""
    def priority(policy, value):
        os.sched_setscheduler(0, policy, os.sched_param(value))

    busy = []
    priority(os.SCHED_FIFO, 2)
    for cpu in os.sched_getaffinity(0):
        busy.append(os.fork())
        if not busy[-1]:
            os.sched_setaffinity(0, {cpu})
            priority(os.SCHED_FIFO, 1)
            while True:
                pass
    do()
    for pid in busy:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    priority(os.SCHED_OTHER, 0)


def test_overrun(_nl):
    print("# more than the socket has room for")
    room = read("/proc/sys/net/core/rmem_default")
    shell("in_ns r nft flush ruleset; path_drop nft_offload")
    write("/proc/sys/net/core/rmem_default", "2304")
    shell("path_use module")
    rules()
    write("/proc/sys/net/core/rmem_default", room)
    nl = Genl("r")
    world = begin(nl, "before")
    ids = world.ids()
    before = drops()
    many = ", ".join(map(str, range(10000, 12000)))

    def is_dropped():
        with_processors_busy(lambda: nft(
            "table ip unrelated { set s { type inet_service; }; }; "
            "delete table ip unrelated; "
            "table ip unrelated { set s { type inet_service; "
            f"elements = {{ {many} }}; }}; }}"))
        return drops() > before
    tap.ok("messages were dropped", poll(is_dropped), (before, drops()))
    tap.ok("that counts as a commit", poll(lambda: not entries()))
    calm(world)
    goes_on(world, "after it", ids)
    noticed(world, "the next commit is noticed")
    nft("delete table ip unrelated")
    world.close()
    nl.close()


def test_elsewhere(nl):
    print("# another netns' ruleset")
    world = begin(nl, "before")
    ids, before = world.ids(), nic("destroys")
    for number in range(20):
        nft(f"table ip other{number} {{ chain c {{ }}; }}", "a")
    tap.equal("all packets are answered", world.trips(), [])
    noticed(world, "a commit of this one is noticed")
    tap.equal("and it alone", (nic("destroys") - before, world.ids()),
              (2 * len(world.all), ids))
    shell("in_ns a nft flush ruleset")
    world.close()


# --- without hardware, and switched off ---

def test_software(nl):
    print("# a flowtable without hardware")
    rules("")
    world = World(nl)
    ids = world.ids()
    tap.equal("all are flows", len(ids), len(world.all))
    before = reasons(nl).get("ruleset-check", 0)
    nft("add element inet t ports { 6001 }")
    # Not by packets of its own: an answer that is on its way when the flow is put
    # in doubt gets through, and then the flow stays.
    sent = 2 * (len(world.all) - 1)
    poll(lambda: world.trips((6001,)) or
         reasons(nl).get("ruleset-check", 0) >= before + sent)
    stopped(world, "software", 6001)
    tap.equal("the others are answered", world.trips((6001,)), [])
    checked = reasons(nl)["ruleset-check"]
    packets = nl.dump("flowtable-get")[0]["packets"]
    tap.equal("and on", world.trips((6001,)), [])
    tap.ok("by the fast path", reasons(nl)["ruleset-check"] == checked and
           nl.dump("flowtable-get")[0]["packets"] - packets >= sent,
           (checked, reasons(nl), packets, nl.dump("flowtable-get")))
    tap.ok("the flow ends", poll(lambda: 6001 not in world.ids()))
    del ids[6001]
    tap.equal("the others are the same", world.ids(), ids)
    world.close()
    rules()


def test_off(nl):
    print("# switched off, for new tables")
    parameter = "/sys/module/nft_offload/parameters/follow_ruleset"
    write(parameter, "0")
    rules()
    world = begin(nl, "off")
    before = nic("destroys")
    nft("add element inet t ports { 6001 }")
    nft("table ip unrelated { chain c { }; }")
    # A commit that is noticed is so within a second.
    end = time.monotonic() + 3
    while time.monotonic() < end:
        tap_lost = world.trips()
        if tap_lost:
            break
    tap.equal("all packets are answered", tap_lost, [])
    tap.equal("no entry is taken out",
              (nic("destroys") - before, world.all_in()), (0, True))
    world.close()
    table = nl.dump("flowtable-get")[0]
    tap.equal("as its table says", table["follow-ruleset"], 0)
    tap.equal("switched on", nl.do("flowtable-set", id=table["id"],
                                   follow_ruleset=1)["follow-ruleset"], 1)
    nft("delete element inet t ports { 6001 }")
    world = begin(nl, "on")
    ids = world.ids()
    nft("add element inet t ports { 6001 }")
    poll(lambda: not entries())
    stopped(world, "on", 6001)
    goes_on(world, "on", ids, but=(6001,))
    world.close()
    wrong_tables(nl, table["id"])
    write(parameter, "1")
    rules()


def as_nobody(number):
    Netns("r").__enter__()
    drop_privileges()
    try:
        Genl().do("flowtable-set", id=number, follow_ruleset=0)
    except Error as error:
        return error.errno, error.text
    return 0


def wrong_tables(nl, number):
    tap.error("no flowtable", errno.ENOENT, "no flowtable of this id", nl.do,
              "flowtable-set", id=number + 1000, follow_ruleset=0)
    tap.error("no id", errno.EINVAL, "id is missing", nl.do, "flowtable-set",
              follow_ruleset=0)
    tap.error("nothing to change", errno.EINVAL, "follow-ruleset", nl.do,
              "flowtable-set", id=number)
    tap.error("neither 0 nor 1", errno.ERANGE, "out of range", nl.do,
              "flowtable-set", id=number, follow_ruleset=2)
    answer = as_child(as_nobody, number)
    tap.ok(f"nobody's: {answer}", answer.startswith(f"({errno.EPERM}, '") and
           "CAP_NET_ADMIN" in answer)
    tap.equal("it is as it was",
              nl.do("flowtable-get", id=number)["follow-ruleset"], 1)


# --- removal ---

def committing(netns):
    """Commits as fast as it can, until killed."""
    return subprocess.Popen(
        ["ip", "netns", "exec", netns, "bash", "-c", "while :; do "
         "nft 'add table ip x; add chain ip x y; delete table ip x'; done"],
        stderr=subprocess.DEVNULL)


def test_netns(nl):
    print("# a netns goes while its ruleset changes")
    world = begin(nl, "before")
    for _ in range(10):
        shell("ip netns add gone; ip -n gone link add d0 type dummy;"
              "ip -n gone link set d0 up")
        nft("table ip f { flowtable g { hook ingress priority 0;"
            "devices = { d0 }; }; }", "gone")
        child = committing("gone")
        shell("ip netns del gone")
        child.kill()
        child.wait()
    tap.equal("the others are answered", world.trips(), [])
    noticed(world, "this one's commits are noticed")
    world.close()


def test_unload():
    print("# the module goes while rulesets change")
    for _ in range(3):
        child = committing("r")
        shell("in_ns r nft flush ruleset; path_drop nft_offload", check=False)
        gone = not os.path.isdir("/sys/module/nft_offload")
        child.kill()
        child.wait()
        tap.ok("it is gone", gone)
        shell("path_use module")
        rules()
    shell("in_ns r nft flush ruleset; path_drop nft_offload")


def main():
    print(shell("sim_load && path_use module && topo_up mlx5-rep && "
                "in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600 "
                "net.netfilter.nf_flowtable_tcp_timeout=600 "
                "net.netfilter.nf_conntrack_acct=1 && "
                "ip -n r link add link lan name lan.7 type vlan id 7 && "
                "ip -n a link add link lanw name lanw.7 type vlan id 7 && "
                "ip -n r addr add 10.7.0.1/24 dev lan.7 && "
                "ip -n a addr add 10.7.0.2/24 dev lanw.7 && "
                "ip -n r link set lan.7 up && ip -n a link set lanw.7 up && "
                "ip -n a rule add from 10.7.0.2 lookup 7 && "
                "ip -n a route add default via 10.7.0.1 table 7"), end="")
    nft(SEEN, "b")
    rules()
    echo = Echo(5000, 5001)
    tcp = [subprocess.Popen(
        ["nsenter", "--net=/run/netns/b", f"{HERE}/flow.py", "serve", "tcp",
         address, str(port)], stdout=subprocess.DEVNULL)
        for port in (5000, 5001) for address in ("10.2.0.2", "fd02::2")]
    shell("poll 20 listening b 5000 tcp && poll 20 listening b 5001 tcp")
    nl = Genl("r")
    poll(lambda: [port["state"] for port in nl.dump("port-get")] ==
         ["bound"] * 2)
    cases = [test_same, test_replaced, test_forbidden, test_one_way,
             test_no_offload, test_rerouted, test_storm, test_elsewhere,
             test_software, test_off, test_netns, test_overrun]
    for case in cases:
        if not sys.argv[1:] or case.__name__[5:] in sys.argv[1:]:
            case(nl)
    echo.stop()
    for child in tcp:
        child.kill()
        child.wait()
    nl.close()
    test_unload()
    shell("topo_down")
    tap.finish()


if __name__ == "__main__":
    main()
