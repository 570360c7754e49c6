#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Routes change below flows whose packets are all in hardware: another gateway,
another device, none, a more specific one, rules, VRF, ECMP, nexthop objects.
The flows that a change is about go where it leads, all others stay as they are.

    netns a                netns r                  netns b, g (macvlan on wanw)
    10.1.0.2  lanw <-> lan 10.1.0.1
                           10.2.0.1 wan  <-> wanw   b 10.2.0.2, g 10.2.0.3
                           10.3.0.1 wan2 <-> wan2w  netns c 10.3.0.2

fd01::, fd02::, fd03:: likewise. b, g and c have all of 10.9.0.0/16 and
fd09::/48, and answer with their name.
"""
import itertools
import os
import random
import re
import select
import socket
import subprocess
import sys

from genl import Genl, Netns
from netlink import (SIM, both_in, end_all, entries, poll, port_of, read,
                     shell, tap, write)

TRACE = "/sys/kernel/tracing/instances/routes"
PORT = 5000
GATEWAYS = {"b": ("10.2.0.2", "fd02::2"), "g": ("10.2.0.3", "fd02::3"),
            "c": ("10.3.0.2", "fd03::2")}
DEVICES = {"b": "wan", "g": "wan", "c": "wan2"}
# A debug kernel is slow.
MANY = (200, 1000) if os.path.exists("/sys/kernel/debug/kmemleak") else \
    (1000, 10000)
CHURN = int(os.environ.get("NFTO_CHURN", "400"))

TOPOLOGY = """
for ns in a r b g c; do
	ip netns add $ns
	ip -n $ns link set lo up
	in_ns $ns sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.forwarding=1
done
sim_make sim0 profile=mlx5-rep ports=3 host=lan,wan,wan2 wire=lanw,wanw,wan2w
for dev in lan wan wan2; do
	ip link set $dev netns r
done
ip link set lanw netns a
ip link set wanw netns b
ip link set wan2w netns c
ip -n b link set wanw up
ip -n b link add mv0 link wanw type macvlan mode bridge
ip -n b link set mv0 netns g
in_ns r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.keep_addr_on_down=1
up() {
	ip -n $1 addr add $3 dev $2
	ip -n $1 addr add $4 dev $2 nodad
	ip -n $1 link set $2 up
}
up a lanw 10.1.0.2/24 fd01::2/64
up r lan 10.1.0.1/24 fd01::1/64
up r wan 10.2.0.1/24 fd02::1/64
up r wan2 10.3.0.1/24 fd03::1/64
up b wanw 10.2.0.2/24 fd02::2/64
up g mv0 10.2.0.3/24 fd02::3/64
up c wan2w 10.3.0.2/24 fd03::2/64
ip -n a route add default via 10.1.0.1
ip -n a route add default via fd01::1
for ns in b g c; do
	in_ns $ns sysctl -qw net.ipv6.ip_nonlocal_bind=1
	ip -n $ns route add local 10.9.0.0/16 dev lo
	ip -n $ns route add local fd09::/48 dev lo
done
for ns in b g; do
	ip -n $ns route add default via 10.2.0.1
	ip -n $ns route add default via fd02::1
done
ip -n c route add default via 10.3.0.1
ip -n c route add default via fd03::1
for to in b:10.2.0.2 b:fd02::2 g:10.2.0.3 g:fd02::3 c:10.3.0.2 c:fd03::2; do
	poll 20 in_ns a ping -qc1 -W1 ${to#*:} || exit
done
"""

RULES = """table inet t {
	flowtable ft {
		hook ingress priority 0
		devices = { lan, wan, wan2 }
		FLAGS
		counter
	}
	chain forward {
		type filter hook forward priority 0; policy accept
		udp dport 5000-5001 flow add @ft
	}
}
table ip n {
	chain post {
		type nat hook postrouting priority 100
		udp dport 5001 masquerade
	}
	chain pre {
		type nat hook prerouting priority -100
		ip daddr 10.8.0.0/16 udp dport 5000 dnat to 10.9.8.1
	}
}"""


def ruleset(flags="flags offload"):
    shell("in_ns r nft -f - <<'END'\nflush ruleset\n" +
          RULES.replace("FLAGS", flags) + "\nEND")


def r(*commands, force=False):
    """ip, in netns r: those of a family in one process."""
    for ipv6, some in itertools.groupby(
            commands, lambda command: command.startswith("-6 ")):
        batch = "\n".join(c.removeprefix("-6 ") for c in some)
        options = ["-6"] * ipv6 + ["-force"] * force
        subprocess.run(["ip", "-n", "r", *options, "-b", "-"], input=batch,
                       text=True, check=not force,
                       stderr=subprocess.DEVNULL if force else None)


# --- the ends ---

def answer(netns, addresses, ports):
    """A process that answers to all these with the netns' name."""
    pid = os.fork()
    if pid:
        return pid
    Netns(netns).__enter__()
    socks = []
    for address in addresses:
        for port in ports:
            sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
            sock.bind((address, port))
            socks.append(sock)
    waiting = select.epoll()
    by_fd = {sock.fileno(): sock for sock in socks}
    for fd in by_fd:
        waiting.register(fd, select.EPOLLIN)
    while True:
        for fd, _ in waiting.poll():
            _, peer = by_fd[fd].recvfrom(2048)
            try:
                by_fd[fd].sendto(netns.encode(), peer)
            except OSError:
                pass    # no way back for a moment


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Talk:
    """A connection of netns a that stays open."""

    def __init__(self, address, port=PORT, sport=0):
        self.address = address
        with Netns("a"):
            self.sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
            self.sock.bind(("", sport))
            self.sock.connect((address, port))
        self.sport = self.sock.getsockname()[1]

    def ask(self, patience=0.5):
        """Who answers; None: nobody."""
        try:
            self.sock.settimeout(0)
            while True:
                self.sock.recv(64)
        except BlockingIOError:
            pass
        except OSError:
            pass
        try:
            self.sock.settimeout(patience)
            self.sock.send(b"x")
            return self.sock.recv(64).decode()
        except OSError:
            return None

    def flow(self, nl):
        for flow in nl.flows(sport=self.sport):
            if port_of(flow) == self.sport:
                return flow
        return None

    def settle(self, nl, who):
        """Until its answers come from there, by hardware both ways."""
        def settled():
            flow = self.flow(nl) if self.ask() == who else None
            return flow and both_in(flow)
        return bool(poll(settled))

    def close(self):
        self.sock.close()


def crossed():
    """Packets that the host got from a wire."""
    return sum(map(int, shell("for dev in lan wan wan2; do "
                              "ctr $dev host_in_packets; done").split()))


def there():
    """The cookies of sim0's entries. None comes twice: what has left and come
    back has another."""
    return {int(cookie, 16) for cookie in
            re.findall(r"cookie=(?:0x)?([0-9a-f]+)", read(f"{SIM}/entries"))}


def cookies(flow):
    return {flow[name]["cookie"] for name in ("dir-orig", "dir-reply")}


def passes():
    """What the work has done since the trace was cleared."""
    found = []
    for line in read(f"{TRACE}/trace").splitlines():
        if "nfto_routes: " in line:
            words = line.split("nfto_routes: ")[1].split()
            found.append({key: int(value) for key, value in
                          (word.split("=") for word in words)})
    return found


def ended():
    """Why flows have, of late."""
    return [line for line in read(f"{TRACE}/trace").splitlines()
            if "nfto_flow_ended" in line or "nfto_routes" in line][-12:]


def clear():
    write(f"{TRACE}/trace", "")


# --- one change ---

def in_hardware_to(text, talk, nl, who):
    """It is there, and its packets do not cross the host any more."""
    if not talk.settle(nl, who):
        tap.ok(f"{text}: goes to {who}, in hardware", False, talk.ask(),
               talk.flow(nl))
        return
    before = crossed()
    answers = [talk.ask() for _ in range(10)]
    tap.equal(f"{text}: goes to {who}, in hardware", answers, [who] * 10)
    # ARP and neighbour discovery send some packets, but not one each way for
    # each flow.
    tap.ok(f"{text}: and not by the host", crossed() - before < 10,
           crossed() - before)


class Case:
    """Flows that a change is about, and others, before and after."""

    def __init__(self, nl, text, moved, others=()):
        self.nl, self.text = nl, text
        self.moved, self.others = list(moved), list(others)
        bad = [talk.address for talk, who in [*moved, *others]
               if not talk.settle(nl, who)]
        if bad:
            tap.ok(f"{text}: before", False, bad, nl.flows())
        self.note()

    def note(self):
        """How it is now."""
        self.flows = {talk: talk.flow(self.nl)
                      for talk, _ in self.moved + self.others}
        self.entries = there()

    def changes(self, *commands, to):
        """No packet is sent before the entries of the old route are gone."""
        self.note()
        ids = {self.flows[talk]["id"] for talk, _ in self.moved}
        old = set().union(*(cookies(self.flows[talk])
                            for talk, _ in self.moved))
        r(*commands)
        tap.ok(f"{self.text}: it is noticed without a packet", poll(
            lambda: not ids & {f["id"] for f in self.nl.flows()} and
            not old & there()), self.nl.flows(), ids)
        tap.ok(f"{self.text}: only its entries are taken out",
               self.entries - there() == old, self.entries - there(), old,
               *ended())
        for talk, _ in self.moved[:2]:
            if to:
                in_hardware_to(f"{self.text} {talk.address}", talk, self.nl, to)
            else:
                tap.equal(f"{self.text} {talk.address}: nobody answers",
                          talk.ask(), None)
        tap.equal(f"{self.text}: all of them",
                  {talk.ask() for talk, _ in self.moved[2:]} - {to}, set())
        self.moved = [(talk, to) for talk, _ in self.moved]
        self.rest()

    def changes_nothing(self, *commands):
        """All flows stay as they are."""
        self.others += self.moved
        self.moved = []
        self.note()
        if commands:
            r(*commands)
        quiet(self.nl)
        tap.ok(f"{self.text}: nothing is taken out", self.entries <= there(),
               self.entries - there(), *ended())
        self.rest()

    def rest(self):
        for talk, who in self.others:
            flow, was = talk.flow(self.nl), self.flows[talk]
            tap.equal(f"{self.text}: {talk.address} stays as it is",
                      flow and (flow["id"], cookies(flow), both_in(flow),
                                talk.ask()),
                      was and (was["id"], cookies(was), True, who))

    def close(self):
        for talk, _ in self.moved + self.others:
            talk.close()
        end_all(self.nl)


def reason(name):
    return int(shell(f"reason_get {name}"))


def via(who, family):
    return f"via {GATEWAYS[who][family]} dev {DEVICES[who]}"


def to4(n):
    return f"10.9.{n}.1"


def to6(n):
    return f"fd09:0:0:{n}::1"


def test_routes(nl):
    """Another gateway, another device, none, more specific."""
    for family, net, host, ip in ((0, "10.9.{}.0/24", to4, ""),
                                  (1, "fd09:0:0:{}::/64", to6, "-6 ")):
        text = "IPv6" if family else "IPv4"
        r(*(f"{ip}route add {net.format(n)} {via('b', family)}"
            for n in (1, 2)))
        moved, other = Talk(host(1)), Talk(host(2))
        case = Case(nl, f"{text}, another gateway", [(moved, "b")],
                    [(other, "b")])
        before = reason("route-changed")
        case.changes(f"{ip}route replace {net.format(1)} {via('g', family)}",
                     to="g")
        tap.equal(f"{text}: the reason is told", reason("route-changed"),
                  before + 1)
        case.text = f"{text}, another device"
        case.changes(f"{ip}route replace {net.format(1)} {via('c', family)}",
                     to="c")
        case.text = f"{text}, more specific"
        case.changes(f"{ip}route add {host(1)} {via('b', family)}", to="b")
        case.text = f"{text}, less specific"
        case.changes(f"{ip}route del {host(1)}", to="c")
        case.text = f"{text}, deleted"
        case.changes(f"{ip}route del {net.format(1)}", to=None)
        case.text = f"{text}, a default route"
        r(f"{ip}route add {net.format(1)} {via('g', family)}")
        if moved.settle(nl, "g"):
            case.moved = [(moved, "g")]
            case.changes_nothing(
                f"{ip}route add default {via('c', family)}",
                f"{ip}route add default {via('b', family)} metric 5000",
                f"{ip}route del default {via('c', family)}",
                f"{ip}route del default")
        r(*(f"{ip}route del {net.format(n)}" for n in (1, 2)))
        case.close()


def quiet(nl):
    """Until a look at all that has changed is over."""
    clear()
    r("route add 192.0.2.0/24 dev wan", "route del 192.0.2.0/24 dev wan")
    poll(passes)


def test_same_place(nl):
    """Routes change, but not where they lead."""
    r(f"route add 10.9.1.0/24 {via('b', 0)}",
      f"-6 route add fd09:0:0:1::/64 {via('b', 1)}")
    talks = [(Talk(to4(1)), "b"), (Talk(to6(1)), "b")]
    case = Case(nl, "the same place", talks)
    case.changes_nothing(
        f"route add 10.9.1.0/25 {via('b', 0)}",
        f"route replace 10.9.1.0/24 {via('b', 0)} proto 99",
        f"-6 route add fd09:0:0:1::1/128 {via('b', 1)}",
        "route del 10.9.1.0/25", "-6 route del fd09:0:0:1::1/128")
    case.text = "another MTU"
    case.moved, case.others = talks[:1], talks[1:]
    case.changes(f"route replace 10.9.1.0/24 {via('b', 0)} mtu 1400", to="b")
    tap.equal("and it is used", talks[0][0].flow(nl)["dir-orig"]["mtu"], 1400)
    r("route del 10.9.1.0/24", "-6 route del fd09:0:0:1::/64")
    case.close()


def test_nat(nl):
    """What counts is where packets go behind NAT, and where answers do."""
    r(*(f"route add 10.9.{n}.0/24 {via('b', 0)}" for n in (1, 2, 8)))
    masqueraded, dnat = Talk(to4(1), port=5001), Talk("10.8.0.1")
    case = Case(nl, "SNAT", [(masqueraded, "b")],
                [(Talk(to4(2)), "b"), (dnat, "b")])
    case.changes(f"route replace 10.9.1.0/24 {via('g', 0)}", to="g")
    case.text = "DNAT"
    case.others = [case.others[0]]
    case.moved = [(dnat, "b")]
    case.changes(f"route replace 10.9.8.0/24 {via('g', 0)}", to="g")
    r(*(f"route del 10.9.{n}.0/24" for n in (1, 2, 8)))
    case.close()


def test_way_back(nl):
    """The route of the answers."""
    r(f"route add 10.9.1.0/24 {via('b', 0)}",
      f"route add 10.9.2.0/24 {via('b', 0)}")
    shell("ip -n a addr add 10.7.0.2/32 dev lanw; "
          "ip -n a route add 10.9.1.0/24 via 10.1.0.1 src 10.7.0.2; "
          "ip -n a addr add 10.1.0.3/24 dev lanw")
    r("route add 10.7.0.0/24 via 10.1.0.2 dev lan")
    case = Case(nl, "the way back", [(Talk(to4(1)), "b")],
                [(Talk(to4(2)), "b")])
    case.changes("route replace 10.7.0.0/24 via 10.1.0.3 dev lan", to="b")
    tap.equal("the way back: is the new one",
              case.moved[0][0].flow(nl)["dir-reply"]["next-hop"], "10.1.0.3")
    # By another device than its packets come from: there is no flow for that.
    case.text = "the way back, another device"
    case.changes("route replace 10.7.0.0/24 via 10.3.0.2 dev wan2", to=None)
    tap.equal("the way back, another device: no flow",
              case.moved[0][0].flow(nl), None)
    r("route del 10.7.0.0/24", "route del 10.9.1.0/24", "route del 10.9.2.0/24")
    shell("ip -n a route del 10.9.1.0/24; "
          "ip -n a addr del 10.7.0.2/32 dev lanw; "
          "ip -n a addr del 10.1.0.3/24 dev lanw")
    case.close()


def test_rules(nl):
    for family, net, host, ip, source, elsewhere in (
            (0, "10.9.{}.0/24", to4, "", "10.1.0.2", "192.0.2.1"),
            (1, "fd09:0:0:{}::/64", to6, "-6 ", "fd01::2", "2001:db8::1")):
        text = "IPv6 rule" if family else "IPv4 rule"
        r(*(f"{ip}route add {net.format(n)} {via('b', family)}"
            for n in (1, 2)),
          f"{ip}route add default {via('c', family)} table 100")
        case = Case(nl, f"{text} appears", [(Talk(host(1)), "b")],
                    [(Talk(host(2)), "b")])
        rule = f"from {source} to {net.format(1)} lookup 100 pref 1000"
        # After a look at everything there is none for a second. That makes next
        # hops' routes valid again of which nobody knows yet who still has them.
        other = f"{ip}rule {{}} from {elsewhere} lookup 100 pref 1001"
        clear()
        r(other.format("add"))
        tap.ok(f"{case.text}: another is noticed", poll(
            lambda: any(p["all"] for p in passes())), passes())
        case.changes(f"{ip}rule add {rule}", to="c")
        r(other.format("del"))
        case.text = f"{text}: a route of its table"
        case.changes(f"{ip}route replace default {via('g', family)} table 100",
                     to="g")
        case.text = f"{text} goes"
        case.changes(f"{ip}rule del {rule}", to="b")
        # A rule by mark: it is not known which flows have the mark, so all are
        # made anew.
        case.text = f"{text} by mark"
        case.moved, case.others = case.moved + case.others, []
        case.changes(f"{ip}rule add fwmark 7 lookup 100 pref 1000", to="b")
        case.text = f"{text} by mark: elsewhere"
        case.changes_nothing(
            f"{ip}route add {net.format(3)} {via('b', family)} table 100",
            f"{ip}route add {net.format(4)} {via('b', family)}",
            f"{ip}route add default {via('c', family)}",
            f"{ip}route del default {via('c', family)}",
            f"{ip}route del {net.format(4)}")
        r(f"{ip}rule del fwmark 7 lookup 100 pref 1000",
          f"{ip}route flush table 100",
          *(f"{ip}route del {net.format(n)}" for n in (1, 2)))
        case.close()


def test_vrf(nl):
    r("link add red type vrf table 10", "link set red up",
      f"route add 10.9.1.0/24 {via('b', 0)}",
      f"-6 route add fd09:0:0:1::/64 {via('b', 1)}",
      f"route add 10.9.2.0/24 {via('b', 0)}",
      f"route add 10.9.3.0/24 {via('c', 0)} table 10")
    moved = [(Talk(to4(1)), "b"), (Talk(to6(1)), "b")]
    case = Case(nl, "VRF", moved, [])
    r("link set wan2 master red", "link set lan master red")
    poll(lambda: not nl.flows())
    tap.equal("VRF: its flows end", nl.flows(), [])
    tap.equal("VRF: not by the table of before", [t.ask() for t, _ in moved],
              [None, None])
    r(f"route add 10.9.1.0/24 {via('c', 0)} table 10",
      f"-6 route add fd09:0:0:1::/64 {via('c', 1)} table 10")
    for talk, _ in moved:
        in_hardware_to(f"VRF {talk.address}", talk, nl, "c")
    case.text = "VRF, a route of another table"
    case.moved = [(t, "c") for t, _ in moved]
    case.changes_nothing("route del 10.9.1.0/24",
                         "-6 route del fd09:0:0:1::/64")
    case.text = "VRF, a route of its table"
    case.moved = [case.others.pop(0)]
    case.changes("route del 10.9.1.0/24 table 10", to=None)
    r("link set lan nomaster", "link set wan2 nomaster", "link del red",
      "route del 10.9.2.0/24")
    shell("poll 20 in_ns a ping -qc1 -W1 fd03::2")
    case.close()


def legs(talks):
    return {who: [t for t in talks if t.ask() == who] for who in "bc"}


def test_ecmp(nl):
    """A leg goes: its flows go to the other. It comes back: nobody moves."""
    r("nexthop add id 1 via 10.2.0.2 dev wan",
      "nexthop add id 2 via 10.3.0.2 dev wan2",
      "nexthop add id 9 group 1/2",
      "-6 nexthop add id 11 via fd02::2 dev wan",
      "-6 nexthop add id 12 via fd03::2 dev wan2",
      "nexthop add id 19 group 11/12")
    shell("in_ns r sysctl -qw net.ipv4.fib_multipath_hash_policy=1 "
          "net.ipv6.fib_multipath_hash_policy=1")
    for family, ip, prefix, host, objects in (
            (0, "", "10.9.1.0/24", to4, False),
            (1, "-6 ", "fd09:0:0:1::/64", to6, False),
            (0, "", "10.9.1.0/24", to4, True),
            (1, "-6 ", "fd09:0:0:1::/64", to6, True)):
        text = f"ECMP IPv{6 if family else 4}{' by objects' if objects else ''}"
        hop = {who: f"nexthop {via(who, family)}" for who in "bc"}
        group = 19 if family else 9
        r(f"{ip}route add {prefix} " +
          (f"nhid {group}" if objects else f"{hop['b']} {hop['c']}"))
        talks = [Talk(host(1)) for _ in range(12)]
        by = legs(talks)
        tap.ok(f"{text}: both legs are used", by["b"] and by["c"],
               {who: len(some) for who, some in by.items()})
        case = Case(nl, f"{text}, a leg goes", [(t, "c") for t in by["c"]],
                    [(t, "b") for t in by["b"]])
        first = 11 if family else 1
        case.changes(f"nexthop replace id {group} group {first}" if objects else
                     f"{ip}route replace {prefix} {hop['b']}", to="b")
        case.text = f"{text}, a leg comes"
        case.changes_nothing(
            f"nexthop replace id {group} group {first}/{first + 1}"
            if objects else
            f"{ip}route replace {prefix} {hop['b']} {hop['c']}")
        if objects:
            replace_object(case, first, family)
        r(f"{ip}route del {prefix}")
        case.close()
    r(*(f"nexthop del id {n}" for n in (9, 19, 1, 2, 11, 12)))


def replace_object(case, number, family):
    """Nobody is told what a nexthop object was: all its flows go elsewhere."""
    case.text += ", an object changes"
    ids = {flow["id"] for flow in case.nl.flows()}
    replace = f"{'-6 ' if family else ''}nexthop replace id {number}"
    r(f"{replace} {via('g', family)}")
    tap.ok(f"{case.text}: it is noticed", poll(
        lambda: not ids & {flow["id"] for flow in case.nl.flows()}))
    tap.ok(f"{case.text}: to where it leads", poll(
        lambda: {talk.ask() for talk, _ in case.others} <= {"g", "c"}))
    r(f"{replace} {via('b', family)}")


def test_software(nl):
    """Without hardware: a change elsewhere does not cut flows."""
    ruleset("")
    r(f"route add 10.9.1.0/24 {via('b', 0)}",
      f"-6 route add fd09:0:0:1::/64 {via('b', 1)}",
      f"route add 10.9.2.0/24 {via('b', 0)}")
    talks = [Talk(to4(1)), Talk(to6(1))]
    for talk in talks:
        poll(lambda talk=talk: talk.ask() == "b" and talk.flow(nl))
        talk.ask()
    ids = [talk.flow(nl)["id"] for talk in talks]
    clear()
    for _ in range(5):
        r("route add 10.9.77.0/24 dev wan2",
          "-6 route add fd09:0:0:77::/64 dev wan2",
          "route del 10.9.77.0/24 dev wan2",
          "-6 route del fd09:0:0:77::/64 dev wan2",
          "rule add from 192.0.2.1 lookup 100",
          "rule del from 192.0.2.1 lookup 100",
          "-6 rule add from 2001:db8::1 lookup 100",
          "-6 rule del from 2001:db8::1 lookup 100")
        answers = [talk.ask() for talk in talks for _ in range(20)]
        if answers != ["b"] * 40:
            break
    tap.equal("software: all packets are answered", answers, ["b"] * 40)
    tap.equal("software: by the same flows",
              [talk.flow(nl) and talk.flow(nl)["id"] for talk in talks], ids)
    quiet(nl)
    before = nl.do("stats-get")["packets"]
    for talk in talks:
        for _ in range(20):
            talk.ask()
    tap.ok("software: by the fast path again",
           nl.do("stats-get")["packets"] - before >= 80,
           nl.do("stats-get"), before)
    r(f"route replace 10.9.1.0/24 {via('g', 0)}")
    tap.ok("software: its own route", poll(lambda: talks[0].ask() == "g"))
    tap.equal("software: the other's flow", talks[1].flow(nl)["id"], ids[1])
    r("route del 10.9.1.0/24", "-6 route del fd09:0:0:1::/64",
      "route del 10.9.2.0/24")
    for talk in talks:
        talk.close()
    end_all(nl)
    ruleset()


def test_cost(nl):
    """100 of 1,000 and of 10,000 flows: as many directions are walked."""
    r(f"route add 10.9.0.0/16 {via('b', 0)}")
    walked = {}
    done = 0
    for many in MANY:
        while done < many:
            n = min(100, many - done)
            start(done, n)
            done += n
        tap.ok(f"{many} flows", poll(
            lambda many=many: nl.do("stats-get")["flows"] >= many),
            nl.do("stats-get"))
        flows = nl.do("stats-get")["flows"]
        poll(lambda: entries() == 2 * nl.do("stats-get")["flows"])
        before = there()
        clear()
        # 100 of them have these destinations.
        r(f"route add {COST} {via('b', 0)} proto 99")
        poll(passes)
        r(f"route replace {COST} {via('g', 0)}")
        poll(lambda before=before: len(before - there()) == 200)
        poll(lambda: sum(p["ended"] for p in passes()) == 100)
        found = passes()
        walked[many] = sum(p["walked"] for p in found)
        tap.equal(f"100 of {flows} flows end", (
            sum(p["ended"] for p in found),
            flows - nl.do("stats-get")["flows"]), (100, 100))
        tap.equal("nothing else is taken out", len(before - there()), 200)
        r(f"route del {COST}")
        start(0, 100)
        poll(lambda: nl.do("stats-get")["flows"] == flows)
    tap.equal("as many directions are walked", walked,
              dict.fromkeys(MANY, 200))
    r("route del 10.9.0.0/16")
    end_all(nl)


COST = "10.9.100.0/24"


def start(first, count):
    """Flows whose destinations are, a hundred each, of one /24."""
    socks = []
    with Netns("a"):
        for n in range(first, first + count):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind(("", 20000 + n))
            sock.connect((f"10.9.{100 + n // 100}.1", PORT))
            sock.settimeout(2)
            socks.append(sock)
    for _ in range(3):
        for sock in socks:
            sock.send(b"x")
        for sock in socks:
            try:
                sock.recv(64)
            except OSError:
                pass    # found out by who counts
    for sock in socks:
        sock.close()


def sound():
    try:
        shell("believes && no_strays")
    except RuntimeError:
        return False
    return True


def churn(nl):
    """Hundreds of changes while flows begin and end."""
    rng = random.Random(5)
    r(f"route add 10.9.0.0/16 {via('b', 0)}",
      f"-6 route add fd09::/48 {via('b', 1)}")
    pid = os.fork()
    if not pid:
        talks = []
        while True:
            n = rng.randrange(100, 120)
            talks.append(Talk(rng.choice((to4, to6))(n)))
            if len(talks) > 40:
                talks.pop(rng.randrange(len(talks))).close()
            for talk in rng.sample(talks, min(8, len(talks))):
                talk.ask(0.02)
    for at in range(0, CHURN, 20):
        commands = []
        for _ in range(20):
            n, who = rng.randrange(100, 120), rng.choice("bgc")
            commands.append(rng.choice((
                f"route replace 10.9.{n}.0/24 {via(who, 0)}",
                f"route replace 10.9.{n}.0/24 nexthop {via('b', 0)} "
                f"nexthop {via('c', 0)}",
                f"-6 route replace fd09:0:0:{n}::/64 {via(who, 1)}",
                f"route replace 10.9.0.0/16 {via(who, 0)}",
                f"-6 route replace fd09::/48 {via(who, 1)}",
                f"rule add to 10.9.{n}.0/24 lookup 100 pref {at + 1000}",
                f"rule add fwmark {n} lookup 100 pref {at + 1000}",
                f"rule del pref {at + 980}",
                f"-6 rule add to fd09:0:0:{n}::/64 lookup 100 pref {at + 1000}",
                f"route del 10.9.{n}.0/24", f"-6 route del fd09:0:0:{n}::/64")))
        r(*sorted(commands, key=lambda c: c.startswith("-6 ")), force=True)
        if at % 100 == 0:
            shell("in_ns r conntrack -F 2>/dev/null", check=False)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    shell("for f in -4 -6; do "
          "while ip -n r $f rule del lookup 100; do :; done; done 2>/dev/null; "
          "ip -n r route flush root 10.9.0.0/16; "
          "ip -n r -6 route flush root fd09::/48", check=False)
    r(f"route add 10.9.0.0/16 {via('c', 0)}",
      f"-6 route add fd09::/48 {via('c', 1)}")
    talks = [Talk(to(n)) for n in range(100, 110) for to in (to4, to6)]
    tap.ok("after a churn: all lead to where they should",
           all(talk.settle(nl, "c") for talk in talks))
    for talk in talks:
        talk.close()
    tap.ok("after a churn: each entry is of a live flow", poll(sound))
    end_all(nl)


def main():
    print(shell(f"sim_load && path_use module && {{ {TOPOLOGY} }}"), end="")
    shell("in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600")
    os.mkdir(TRACE)
    write(f"{TRACE}/events/nfto/nfto_routes/enable", "1")
    write(f"{TRACE}/events/nfto/nfto_flow_ended/enable", "1")
    ruleset()
    hosts4 = [f"10.9.{n}.1" for n in (*range(1, 9), *range(100, 201))]
    hosts6 = [f"fd09:0:0:{n}::1" for n in (*range(1, 9), *range(100, 120))]
    children = [answer(ns, hosts4 + hosts6, (PORT, 5001)) for ns in "bgc"]
    nl = Genl("r")
    poll(lambda: [p["state"] for p in nl.dump("port-get")] == ["bound"] * 3)
    tests = {f.__name__.removeprefix("test_"): f for f in (
        test_routes, test_same_place, test_nat, test_way_back, test_rules,
        test_ecmp, test_vrf, test_cost, churn, test_software)}
    for name in sys.argv[1:] or tests:
        print(f"# {name}")
        tests[name](nl)
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    shell("in_ns r nft flush ruleset; path_drop nft_offload", check=False)
    tap.equal("the module goes", os.path.isdir("/sys/module/nft_offload"),
              False)
    tap.finish()


if __name__ == "__main__":
    main()
