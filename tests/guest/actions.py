#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""
What the simulated NIC does to frames, byte for byte.

    netns a        netns r            netns b            netns c
    lanw <-wire->  lan  wan  opt      wan <-wire-> wanw  opt <-wire-> optw

"lan", "wan" and "opt" are ports 0, 1 and 2 of the adapter sim0. Rules are put
on the host's netdevs with TC flower and skip_sw, so that it is the NIC that
carries them out; frames go in at a wire through packet sockets and are read at
the other wires and at the host's netdevs. What must come out is built anew
from its fields, checksums included: nothing here changes a finished frame.

No netdev has an address and IPv6 is off, so there is no other traffic, and
every counter is compared with what a case must have done to it.
"""
import ctypes
import fcntl
import ipaddress
import os
import random
import re
import socket
import struct
import time
from dataclasses import dataclass
from typing import Optional

from packets import (ACK, CLONE_NEWNET, CWR, DEST_OPTIONS, ECE, FIN, FRAGMENT,
                     GRE, HOP_BY_HOP, ICMP, ICMP4, ICMP6, MF, MODULES, PING6, PSH, QINQ, RST,
                     SCTP, SIM, SYN, TCP, TCP4, TCP6, UDP, UDP4, UDP6, URG, VLAN,
                     Packet, PortSocket, ask_sim, enter, libc, run, tap, write)

PORTS = ("lan", "wan", "opt")
WIRES = {"lanw": "a", "wanw": "b", "optw": "c"}
PATIENCE = 15		# seconds until what must happen has not happened


# --- what becomes of a frame ---

@dataclass(frozen=True)
class Sent:
    """
    A frame and its fate: "counts" are counters of the port that it came in at,
    "out" is what another wire gets, "mirrors" what further ones get.
    """
    frame: bytes
    counts: tuple
    host: bool = False
    out: Optional[bytes] = None
    to: str = "wan"
    mirrors: tuple = ()
    port: str = "lan"

    def seen(self):
        """Where it is to be read, in order: (netdev, frame)."""
        result = [(f"{to}w", bytes(frame)) for to, frame in self.mirrors]
        if self.host:
            result.append((self.port, self.frame))
        if self.out is not None:
            result.append((f"{self.to}w", self.out))
        return result


def forwarded(frame, out=None, **where):
    return Sent(bytes(frame), ("hits",), out=bytes(out or frame), **where)


def dropped(frame, **where):
    return Sent(bytes(frame), ("hits", "rule_drops"), **where)


def accepted(frame, **where):
    return Sent(bytes(frame), ("hits", "rule_accepts"), host=True, **where)


def missed(frame, *why, **where):
    """No rule matches; "why" says what the parser did not like."""
    return Sent(bytes(frame), ("misses", *why), host=True, **where)


def punted(frame, why, **where):
    """A rule matches, but cannot be carried out on this frame."""
    return Sent(bytes(frame), (why,), host=True, **where)


@dataclass(frozen=True)
class Case:
    text: str
    rules: tuple
    sent: tuple


def case(text, rules, *sent):
    return Case(text, (rules,) if isinstance(rules, str) else tuple(rules),
                tuple(sent))


# --- the adapter in its network namespaces ---

class Counters:
    """ethtool -S of the host's netdevs."""
    SIOCETHTOOL, GSTRINGS, GSTATS, GSSET_INFO = 0x8946, 0x1b, 0x1d, 0x37
    SS_STATS = 1
    GAUGES = ("entries", "entries_bound")

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        info = self.ask("lan", struct.pack("=IIQ", self.GSSET_INFO, 0,
                                           1 << self.SS_STATS), 4)
        self.n = struct.unpack("=I", info)[0]
        strings = self.ask("lan", struct.pack("=III", self.GSTRINGS,
                                              self.SS_STATS, self.n),
                           self.n * 32)
        self.names = [name.rstrip(b"\0").decode().removeprefix("offload_")
                      for name, in struct.iter_unpack("32s", strings)]

    def ask(self, port, head, size):
        """The data that ethtool's command, "head", is answered with."""
        buf = ctypes.create_string_buffer(head, len(head) + size)
        request = struct.pack("16sP16x", port.encode(), ctypes.addressof(buf))
        fcntl.ioctl(self.sock, self.SIOCETHTOOL, request)
        return buf.raw[len(head):]

    def read(self):
        result = {}
        for port in PORTS:
            values = self.ask(port, struct.pack("=II", self.GSTATS, self.n),
                              self.n * 8)
            for name, (value,) in zip(self.names,
                                      struct.iter_unpack("=Q", values)):
                if name not in self.GAUGES:
                    result[port, name] = value
        return result


class Topology:
    """The adapter in its namespaces; the process stays in netns r."""

    def __init__(self):
        for netns in ("r", *WIRES.values()):
            run("ip", "netns", "add", netns)
            enter(netns)
            for which in ("default", "all"):
                write(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6", "1")
        self.home = os.open("/proc/1/ns/net", os.O_RDONLY)

    def make(self, profile):
        libc.setns(self.home, CLONE_NEWNET)
        ask_sim("new_adapter", f"sim0 profile={profile} ports=3 "
                               f"host={','.join(PORTS)} wire={','.join(WIRES)}")
        for name, netns in [*((port, "r") for port in PORTS), *WIRES.items()]:
            run("ip", "link", "set", name, "netns", netns)
            run("ip", "-n", netns, "link", "set", name, "up", "mtu",
                "1500" if netns == "r" else "9000")
            # Frames have to arrive as they were sent, one by one.
            run("ip", "netns", "exec", netns, "ethtool", "-K", name,
                "gro", "off")
        enter("r")
        run("tc", "-b", "-", text="".join(
            f"qdisc add dev {port} clsact\n" for port in PORTS))
        self.counters = Counters()
        self.sockets = {name: PortSocket(WIRES.get(name, "r"), name)
                        for name in (*PORTS, *WIRES)}
        for port in PORTS:
            self.wait_for_wire(port)

    def wait_for_wire(self, port):
        """Until the link is up and its queue sends."""
        end = time.monotonic() + PATIENCE
        probe = bytes(Packet(dst="02:00:00:00:00:ff"))
        while self.counters.read()[port, "host_in_packets"] == 0:
            if time.monotonic() > end:
                raise RuntimeError(f"the wire of {port} stays dead")
            try:
                self.sockets[f"{port}w"].send(probe)
            except OSError:
                pass
            self.sockets[port].wait(time.monotonic() + 0.1)
        self.settle()

    def settle(self):
        """Reads away what is left of before."""
        for sock in self.sockets.values():
            while sock.read() is not None:
                pass

    def remove(self):
        for sock in self.sockets.values():
            sock.sock.close()
        self.counters.sock.close()
        ask_sim("del_adapter", "sim0")

    def rules(self, rules, dev="lan"):
        """Replaces the rules of a port."""
        lines = [f"filter del dev {dev} ingress\n"]
        for prio, rule in enumerate(rules, 1):
            lines.append(f"filter add dev {dev} ingress prio {prio} {rule}\n")
        run("tc", "-b", "-", text="".join(lines))


def entries():
    """The state file's lines as dictionaries."""
    with open(f"{SIM}/sim0/entries", encoding="ascii") as f:
        return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in f]


# --- running a case ---

def expected_counters(sent):
    """What must have been added to each counter."""
    want = {}

    def add(port, name, size=None):
        if size is None:
            want[port, name] = want.get((port, name), 0) + 1
            return
        add(port, f"{name}_packets")
        key = port, f"{name}_bytes"
        want[key] = want.get(key, 0) + size

    for s in sent:
        add(s.port, "wire_in", len(s.frame))
        for name in s.counts:
            add(s.port, name)
        if s.host:
            add(s.port, "host_in", len(s.frame))
        if s.out is not None:
            add(s.port, "forwarded", len(s.out))
            add(s.to, "wire_out", len(s.out))
        for to, frame in s.mirrors:
            add(to, "mirrored")
            add(to, "wire_out", len(bytes(frame)))
    return want


def changed(before, after):
    return {key: after[key] - before[key]
            for key in after if after[key] != before[key]}


def show_counters(counters):
    return " ".join(f"{port}/{name}={value}"
                    for (port, name), value in sorted(counters.items()))


def wait_for_counters(topo, before, want):
    end = time.monotonic() + PATIENCE
    while True:
        got = changed(before, topo.counters.read())
        if got == want or time.monotonic() > end:
            return got
        time.sleep(0.001)


def cut_tag(frame):
    """The kernel frees a frame whose VLAN tag is cut off before any socket."""
    return frame[12:14] in (b"\x81\0", b"\x88\xa8") and len(frame) < 20


def read_all(topo, want, patience):
    """Reads as many frames as are wanted at each netdev, and what is more."""
    end = time.monotonic() + patience
    got = {name: [] for name in topo.sockets}
    for name, sock in topo.sockets.items():
        while (frame := sock.read()) is not None or \
                (len(got[name]) < len(want[name]) and time.monotonic() < end):
            if frame is not None:
                got[name].append(frame)
            else:
                sock.wait(end)
    return got


def compare_frames(got, want):
    problems = []
    for name, wanted in want.items():
        if len(got[name]) != len(wanted):
            problems.append(f"{name}: {len(got[name])} frames, "
                            f"wanted {len(wanted)}")
        for n, (g, w) in enumerate(zip(got[name], wanted)):
            if g != w:
                problems.append(f"{name}, frame {n}:\n  got:    {g.hex()}\n"
                                f"  wanted: {w.hex()}")
    return problems[:8]


def compare_entries(sent):
    """The entries' own counters: frames as they came."""
    hits = [s for s in sent if "hits" in s.counts]
    want = len(hits), sum(len(s.frame) for s in hits)
    lines = entries()
    got = (sum(int(e["packets"]) for e in lines),
           sum(int(e["bytes"]) for e in lines))
    if got == want:
        return []
    return [f"entries: packets and bytes are {got}, wanted {want}"]


def deliver(topo, sent):
    """Sends frames; what is not as it must be is returned."""
    topo.settle()
    before = topo.counters.read()
    for s in sent:
        topo.sockets[f"{s.port}w"].send(s.frame)
    want = expected_counters(sent)
    got = wait_for_counters(topo, before, want)
    problems = []
    if got != want:
        problems.append(f"counters:\n  got:    {show_counters(got)}\n"
                        f"  wanted: {show_counters(want)}")
    frames = {name: [] for name in topo.sockets}
    for s in sent:
        for name, frame in s.seen():
            if not cut_tag(frame):
                frames[name].append(frame)
    # When the counters are wrong, the frame will not come either.
    seen = read_all(topo, frames, 1 if problems else PATIENCE)
    return problems + compare_frames(seen, frames)


def run_case(topo, c):
    try:
        topo.rules(c.rules)
    except RuntimeError as e:
        tap.result(c.text, [e])
        return
    tap.result(c.text, deliver(topo, c.sent) + compare_entries(c.sent))


# --- rules ---

OUT = "action mirred egress redirect dev wan"
OPT = "action mirred egress redirect dev opt"
MIRROR = "action mirred egress mirror dev opt pipe"
MAC = "action pedit ex munge eth src set 02:00:00:00:00:aa " \
      "munge eth dst set 02:00:00:00:00:bb pipe"
NEW_MAC = {"src": "02:00:00:00:00:aa", "dst": "02:00:00:00:00:bb"}
TTL4 = "action pedit ex munge ip ttl add 0xff pipe"
TTL6 = "action pedit ex munge ip6 hoplimit add 0xff pipe"
NAMES = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmpv6"}


def tuple_match(p, more=""):
    """A packet's addresses and, where it has some, ports."""
    text = f"ip_proto {NAMES[p.proto]} src_ip {p.saddr} dst_ip {p.daddr}"
    if p.proto in (TCP, UDP):
        text += f" src_port {p.sport} dst_port {p.dport}"
    protocol = "ipv6" if p.is_v6 else "ip"
    return f"protocol {protocol} flower skip_sw {text} {more}"


def pedit(p, **fields):
    """The rewrites that TC is to ask for, for fields of a packet."""
    ip = "ip6" if p.is_v6 else "ip"
    names = {"saddr": f"{ip} src", "daddr": f"{ip} dst",
             "sport": f"{NAMES[p.proto]} sport",
             "dport": f"{NAMES[p.proto]} dport",
             "src": "eth src", "dst": "eth dst"}
    munges = " ".join(f"munge {names[k]} set {v}" for k, v in fields.items())
    return f"action pedit ex {munges} pipe"


def csum(p):
    """The checksum action that follows rewrites in a rule."""
    return f"action csum ip4h and {NAMES[p.proto]} pipe"


# --- cases: rewrites ---

def nat_case(what, p, more="", **fields):
    return case(f"{what}, {NAMES[p.proto]} over IPv{6 if p.is_v6 else 4}",
                f"{tuple_match(p)} {pedit(p, **fields)} {more} {OUT}",
                forwarded(p, p.but(**fields)),
                forwarded(p.but(data=b"odd"), p.but(data=b"odd", **fields)),
                forwarded(p.but(data=b""), p.but(data=b"", **fields)))


def nat_cases():
    snat = {"saddr": "192.0.2.77", "sport": 40001}
    dnat = {"daddr": "198.51.100.9", "dport": 8080}
    snat6 = {"saddr": "2001:db8:1:2:3:4:5:6", "sport": 40001}
    dnat6 = {"daddr": "2001:db8:ffff::", "dport": 8080}
    for p in TCP4, UDP4:
        yield nat_case("source address and port", p, **snat)
        yield nat_case("destination address and port", p, csum(p), **dnat)
        yield nat_case("both addresses and ports, and MACs", p, csum(p),
                       **snat, **dnat, **NEW_MAC)
        yield nat_case("a port alone", p, dport=65535)
    for p in TCP6, UDP6:
        yield nat_case("source address and port", p, **snat6)
        yield nat_case("destination address and port", p, **dnat6)
        yield nat_case("both addresses and ports", p, **snat6, **dnat6)
    yield nat_case("addresses", ICMP4, saddr="192.0.2.77", daddr="192.0.2.78")
    yield nat_case("addresses", PING6, saddr=snat6["saddr"],
                   daddr=dnat6["daddr"])


def becomes_zero(p, **fields):
    """The packet with data for which, rewritten, the checksum comes out 0."""
    p = p.but(data=b"\0\0" + p.data[:20])
    after = p.but(**fields)
    word = struct.unpack_from("!H", after.l4(), 6)[0]
    return p.but(data=struct.pack("!H", word) + p.data[2:])


def udp_cases():
    for p, saddr in (UDP4, "192.0.2.77"), (UDP6, "2001:db8::77"):
        new = {"saddr": saddr, "sport": 999}
        rule = f"{tuple_match(p)} {pedit(p, **new)} {OUT}"
        zero = p.but(l4_check=0)
        version = 6 if p.is_v6 else 4
        yield case(f"no UDP checksum stays none, IPv{version}", rule,
                   forwarded(zero, zero.but(**new)))
        made = becomes_zero(p, **new)
        assert bytes(made.but(**new).l4())[6:8] == b"\xff\xff"
        yield case(f"a UDP checksum of 0 is written as 0xffff, IPv{version}",
                   rule, forwarded(made, made.but(**new)))


def header_cases():
    yield case("redirect alone leaves the frame as it is",
               f"{tuple_match(TCP4)} {OUT}",
               forwarded(TCP4), forwarded(TCP4.but(l4_check=0xdead)),
               forwarded(TCP4.but(pad=b"trailer")),
               forwarded(TCP4.but(tcp_options=b"\x01\x01\x01\x01" * 10)))
    yield case("MAC addresses", f"{tuple_match(TCP4)} {MAC} {OUT}",
               forwarded(TCP4, TCP4.but(**NEW_MAC)))
    yield case("one MAC address leaves the other",
               f"{tuple_match(TCP4)} {pedit(TCP4, dst='02:11:22:33:44:55')} "
               f"{OUT}",
               forwarded(TCP4, TCP4.but(dst="02:11:22:33:44:55")))
    new = {"saddr": "192.0.2.77", "dport": 53}
    marked = [TCP4.but(tos=tos, flags=flags) for tos, flags in (
        (0x02, ACK | ECE), (0x03, ACK | CWR | PSH), (0xb9, SYN | URG))]
    yield case("DSCP, ECN and TCP flags stay",
               f"{tuple_match(TCP4)} {pedit(TCP4, **new)} {OUT}",
               *(forwarded(p, p.but(**new)) for p in marked))
    yield case("traffic class and flow label stay",
               f"{tuple_match(UDP6)} {pedit(UDP6, daddr='2001:db8::1')} {OUT}",
               forwarded(UDP6.but(tos=0xb9),
                         UDP6.but(tos=0xb9, daddr="2001:db8::1")))
    padded = UDP4.but(data=b"x", pad=bytes(17))
    yield case("padding is not summed up",
               f"{tuple_match(UDP4)} {pedit(UDP4, saddr='192.0.2.1')} {OUT}",
               forwarded(padded, padded.but(saddr="192.0.2.1")))


def ttl_cases():
    for p, action, name in ((TCP4, TTL4, "TTL"), (UDP4, TTL4, "TTL"),
                            (TCP6, TTL6, "hop limit"),
                            (PING6, TTL6, "hop limit")):
        yield case(f"{name} decrement, {NAMES[p.proto]}",
                   f"{tuple_match(p)} {action} {OUT}",
                   *(forwarded(p.but(ttl=ttl), p.but(ttl=ttl - 1))
                     for ttl in (255, 128, 2)),
                   *(punted(p.but(ttl=ttl), "punt_ttl") for ttl in (1, 0)))
    yield case("without a decrement, TTL 1 is forwarded",
               f"{tuple_match(TCP4)} {MAC} {OUT}",
               forwarded(TCP4.but(ttl=1), TCP4.but(ttl=1, **NEW_MAC)))


def random_packets(rng, base, n):
    for _ in range(n):
        fields = {
            "saddr": rng.getrandbits(128 if base.is_v6 else 32),
            "tos": rng.getrandbits(8), "ttl": rng.randint(2, 255),
            "ident": rng.getrandbits(16), "sport": rng.getrandbits(16),
            "data": rng.randbytes(rng.randint(0, 200)),
        }
        make = ipaddress.IPv6Address if base.is_v6 else ipaddress.IPv4Address
        fields["saddr"] = str(make(fields["saddr"]))
        p = base.but(**fields)
        if p.proto == UDP and not rng.getrandbits(3):
            p = p.but(l4_check=0)
        yield p


def random_nat_cases():
    """Many sums: an error of one's complement arithmetic is a rare one."""
    rng = random.Random(1)
    for p, saddr in ((TCP4, "192.0.2.77"), (UDP4, "255.255.255.255"),
                     (TCP6, "2001:db8::"), (UDP6, "::ffff:ffff")):
        protocol, ttl = ("ipv6", TTL6) if p.is_v6 else ("ip", TTL4)
        new = {"saddr": saddr, "sport": 0xffff}
        rule = (f"protocol {protocol} flower skip_sw "
                f"ip_proto {NAMES[p.proto]} dst_port {p.dport} "
                f"{pedit(p, **new)} {ttl} {OUT}")
        packets = list(random_packets(rng, p, 150))
        yield case(f"150 random packets, {NAMES[p.proto]} over "
                   f"IPv{6 if p.is_v6 else 4}", rule,
                   *(forwarded(q, q.but(ttl=q.ttl - 1, **new))
                     for q in packets))


# --- cases: VLAN ---

def push(tpid, vid, prio=0):
    name = {VLAN: "802.1Q", QINQ: "802.1ad"}[tpid]
    return f"action vlan push id {vid} protocol {name} priority {prio} pipe"


def tagged_match(p, text, protocol="802.1Q"):
    """The same, for a frame with tags."""
    return tuple_match(p).replace("protocol ip flower",
                                  f"protocol {protocol} flower").replace(
        "skip_sw", f"skip_sw {text}")


def push_cases():
    for tpid, name in (VLAN, "802.1Q"), (QINQ, "802.1ad"):
        yield case(f"a tag is pushed, {name}",
                   f"{tuple_match(TCP4)} {push(tpid, 100, 5)} {OUT}",
                   forwarded(TCP4, TCP4.but(tags=((tpid, 5 << 13 | 100),))))
    yield case("two tags are pushed, the inner one first",
               f"{tuple_match(UDP6)} {push(VLAN, 7, 1)} {push(QINQ, 4094, 6)} "
               f"{OUT}",
               forwarded(UDP6, UDP6.but(tags=((QINQ, 6 << 13 | 4094),
                                              (VLAN, 1 << 13 | 7)))))
    new = {"saddr": "192.0.2.77", "sport": 9}
    yield case("rewrites and a tag, in either order",
               (f"{tuple_match(TCP4)} {pedit(TCP4, **new)} {push(VLAN, 3)} "
                f"{TTL4} {OUT}",
                f"{tuple_match(UDP4)} {push(VLAN, 3)} {MAC} "
                f"{pedit(UDP4, **new)} {OUT}"),
               forwarded(TCP4, TCP4.but(ttl=63, tags=((VLAN, 3),), **new)),
               forwarded(UDP4, UDP4.but(tags=((VLAN, 3),), **new, **NEW_MAC)))


def tag_cases():
    one = TCP4.but(tags=((VLAN, 3 << 13 | 5),))
    two = TCP4.but(tags=((QINQ, 100), (VLAN, 5)))
    other = TCP4.but(tags=((VLAN, 6),))
    match_one = tagged_match(TCP4, "vlan_id 5 vlan_ethtype ip")
    match_two = tagged_match(
        TCP4, "vlan_id 100 vlan_ethtype 802.1q cvlan_id 5 cvlan_ethtype ip",
        "802.1ad")
    pop = "action vlan pop pipe"
    yield case("a rule without a tag does not match a frame with one",
               f"{tuple_match(TCP4)} {OUT}",
               forwarded(TCP4), missed(one), missed(two))
    yield case("a rule matches its VLAN id only",
               f"{match_one} {OUT}",
               forwarded(one), missed(other), missed(TCP4), missed(two),
               missed(one.but(tags=((QINQ, 5),))))
    yield case("a rule matches both of two tags",
               f"{match_two} {OUT}",
               forwarded(two), missed(one), missed(TCP4),
               missed(two.but(tags=((QINQ, 100), (VLAN, 6)))),
               missed(two.but(tags=((QINQ, 101), (VLAN, 5)))),
               missed(two.but(tags=((VLAN, 100), (VLAN, 5)))))
    yield case("the tag is popped", f"{match_one} {pop} {OUT}",
               forwarded(one, TCP4))
    yield case("the outer tag is popped", f"{match_two} {pop} {OUT}",
               forwarded(two, two.but(tags=((VLAN, 5),))))
    yield case("both tags are popped", f"{match_two} {pop} {pop} {MAC} {OUT}",
               forwarded(two, TCP4.but(**NEW_MAC)))
    yield case("the tag is changed",
               f"{match_one} action vlan modify id 99 priority 6 pipe {OUT}",
               forwarded(one, TCP4.but(tags=((VLAN, 6 << 13 | 99),))))
    yield case("the outer tag is changed, protocol too",
               f"{match_two} action vlan modify protocol 802.1Q id 9 "
               f"priority 1 pipe {OUT}",
               forwarded(two, TCP4.but(tags=((VLAN, 1 << 13 | 9), (VLAN, 5)))))
    yield case("a tag is popped, another pushed, IP and ports rewritten",
               f"{match_one} {pop} {push(QINQ, 8, 2)} "
               f"{pedit(TCP4, daddr='192.0.2.3', dport=25)} {TTL4} {OUT}",
               forwarded(one, TCP4.but(tags=((QINQ, 2 << 13 | 8),), ttl=63,
                                       daddr="192.0.2.3", dport=25)))
    three = TCP4.but(tags=((QINQ, 100), (VLAN, 5), (VLAN, 5)))
    yield case("three tags are no match for two", f"{match_two} {OUT}",
               missed(three))


# --- cases: which rule, what verdict ---

def verdict_cases():
    yield case("drop", f"{tuple_match(TCP4)} action drop",
               dropped(TCP4), missed(UDP4))
    yield case("accept leaves the frame to the host",
               f"{tuple_match(TCP4)} action pass", accepted(TCP4))
    new = {"saddr": "192.0.2.77", "sport": 5}
    moved = TCP4.but(dst="02:00:00:00:00:cc")
    yield case("a mirror's copy shows what was done before it",
               f"{tuple_match(TCP4)} {pedit(TCP4, dst=moved.dst)} {MIRROR} "
               f"{pedit(TCP4, **new)} {push(VLAN, 8)} {OUT}",
               forwarded(TCP4, moved.but(tags=((VLAN, 8),), **new),
                         mirrors=(("opt", moved),)))
    yield case("a mirror's copy shows the tag pushed before it",
               f"{tuple_match(TCP4)} {push(VLAN, 8)} {MIRROR} "
               f"action vlan pop pipe {OUT}",
               forwarded(TCP4, mirrors=(
                   ("opt", TCP4.but(tags=((VLAN, 8),))),)))
    yield case("a mirror and a drop",
               f"{tuple_match(TCP4)} {MIRROR} action drop",
               dropped(TCP4, mirrors=(("opt", TCP4),)))
    yield case("the lower priority is looked at first",
               (f"{tuple_match(TCP4)} {OPT}",
                f"protocol ip flower skip_sw ip_proto tcp {OUT}"),
               forwarded(TCP4, to="opt"), forwarded(TCP4.but(sport=1)),
               missed(UDP4))
    yield case("a rule is its ingress port's", f"{tuple_match(TCP4)} {OUT}",
               forwarded(TCP4), missed(TCP4, port="opt"),
               missed(TCP4, port="wan"))
    yield case("the rule names its ingress port",
               f"{tuple_match(TCP4)} indev lan {OUT}",
               forwarded(TCP4), missed(TCP4, port="opt"))


def match_cases():
    flags = "tcp_flags 0x0/0x5"
    yield case("FIN and RST go to the host", f"{tuple_match(TCP4, flags)} {OUT}",
               *(forwarded(TCP4.but(flags=f))
                 for f in (ACK, SYN, SYN | ACK, PSH | ACK, 0)),
               *(missed(TCP4.but(flags=f))
                 for f in (FIN | ACK, RST, RST | ACK, FIN | RST, 0xff)))
    yield case("a match on one TCP flag",
               f"{tuple_match(TCP4, 'tcp_flags 0x2/0x2')} {OUT}",
               forwarded(TCP4.but(flags=SYN)),
               forwarded(TCP4.but(flags=SYN | ECE | CWR)),
               missed(TCP4))
    yield case("a 5-tuple is matched in all its parts",
               f"{tuple_match(UDP4)} {OUT}",
               forwarded(UDP4), missed(UDP4.but(saddr="10.1.0.3")),
               missed(UDP4.but(daddr="10.2.0.3")), missed(UDP4.but(sport=1001)),
               missed(UDP4.but(dport=2001)), missed(TCP4), missed(UDP6))
    yield case("address prefixes",
               f"protocol ipv6 flower skip_sw dst_ip fd02::/64 {OUT}",
               forwarded(TCP6), forwarded(UDP6.but(daddr="fd02::1234:5")),
               missed(TCP6.but(daddr="fd02:0:0:1::2")), missed(TCP4))
    yield case("a MAC address and nothing else",
               f"protocol all flower skip_sw dst_mac {TCP4.dst} {OUT}",
               forwarded(TCP4), forwarded(UDP6),
               missed(TCP4.but(dst="02:00:00:00:00:03")))
    yield case("DSCP and TTL",
               "protocol ip flower skip_sw ip_tos 0x20/0xfc ip_ttl 7 "
               f"{OUT}",
               forwarded(UDP4.but(tos=0x20, ttl=7)),
               forwarded(UDP4.but(tos=0x23, ttl=7)),
               missed(UDP4.but(tos=0x24, ttl=7)),
               missed(UDP4.but(tos=0x20, ttl=8)))
    yield case("ICMP type and code",
               f"protocol ip flower skip_sw ip_proto icmp type 8 code 0 {OUT}",
               forwarded(ICMP4), missed(ICMP4.but(icmp=(0, 0))),
               missed(ICMP4.but(icmp=(8, 1))), missed(UDP4))


# --- cases: frames that are not for the hardware ---

def odd_packets():
    """(what, packet, counter): packets whose L4 is not parsed."""
    piece = {"data": b"a piece of something else", "no_l4": True}
    for p in TCP4, UDP4:
        name = NAMES[p.proto]
        yield f"first fragment, {name}", p.but(frag=MF), "punt_fragment"
        yield f"later fragment, {name}", p.but(frag=10, **piece), "punt_fragment"
        yield f"middle fragment, {name}", p.but(frag=MF | 10, **piece), \
            "punt_fragment"
        yield f"IPv4 options, {name}", p.but(options=b"\x94\x04\0\0"), \
            "punt_options"
    for p in TCP6, UDP6:
        name = NAMES[p.proto]
        more = struct.pack("!BHI", 0, 1, 77)
        later = struct.pack("!BHI", 0, 80, 77)
        options = b"\0\x01\x04\0\0\0\0"
        yield f"first fragment, {name} over IPv6", \
            p.but(ext=((FRAGMENT, more),)), "punt_fragment"
        yield f"later fragment, {name} over IPv6", \
            p.but(ext=((FRAGMENT, later),), **piece), "punt_fragment"
        for kind, what in ((HOP_BY_HOP, "hop-by-hop"),
                           (DEST_OPTIONS, "destination")):
            yield f"{what} options, {name} over IPv6", \
                p.but(ext=((kind, options),)), "punt_options"


def odd_cases():
    for what, p, counter in odd_packets():
        protocol, ip = ("ipv6", "fd") if p.is_v6 else ("ip", "10")
        assert p.saddr.startswith(ip)
        yield case(f"{what}: to the host",
                   f"{tuple_match(p)} {MAC} {OUT}", missed(p, counter))
        yield case(f"{what}: a rule without L4 applies",
                   f"protocol {protocol} flower skip_sw src_mac {p.src} {MAC} "
                   f"{OUT}",
                   forwarded(p, p.but(**NEW_MAC)))
    addresses = "protocol ip flower skip_sw ip_proto udp src_ip 10.1.0.0/16"
    yield case("fragments: no rewrite of IP by a rule without L4",
               f"{addresses} {pedit(UDP4, saddr='192.0.2.1')} {OUT}",
               punted(UDP4.but(frag=MF), "punt_fragment"),
               punted(UDP4.but(options=b"\x94\x04\0\0"), "punt_options"),
               forwarded(UDP4, UDP4.but(saddr="192.0.2.1")))
    yield case("fragments are dropped by a rule without L4",
               f"{addresses} action drop",
               dropped(UDP4.but(frag=MF)), dropped(UDP4))


def mtu_cases():
    for p, head in (TCP4, 40), (UDP6, 48):
        fits = p.but(data=bytes(1500 - head))
        over = p.but(data=bytes(1501 - head))
        version = 6 if p.is_v6 else 4
        yield case(f"over the MTU of the egress port, IPv{version}",
                   f"{tuple_match(p)} {MAC} {OUT}",
                   forwarded(fits, fits.but(**NEW_MAC)),
                   punted(over, "punt_mtu"))
        tag = ((VLAN, 9),)
        yield case(f"a tag takes nothing from the MTU, IPv{version}",
                   f"{tuple_match(p)} {push(VLAN, 9)} {OUT}",
                   forwarded(fits, fits.but(tags=tag)),
                   punted(over, "punt_mtu"))
    big = TCP4.but(data=bytes(8900))
    yield case("a frame over the MTU is dropped by a rule",
               f"{tuple_match(TCP4)} action drop", dropped(big))


def malformed_cases():
    nat = f"{tuple_match(TCP4)} {pedit(TCP4, saddr='192.0.2.1')} {TTL4} {OUT}"
    bad = {
        "IHL below 5": TCP4.but(ihl=4),
        "IHL of 0": TCP4.but(ihl=0),
        "IHL beyond the total length": TCP4.but(ihl=15, data=b""),
        "total length beyond the frame": TCP4.but(length=2000),
        "total length below the header": TCP4.but(length=19),
        "IP version 5 in an IPv4 frame": TCP4.but(version=5),
        "data offset below 5": TCP4.but(doff=4),
        "data offset of 0": TCP4.but(doff=0),
    }
    for what, p in bad.items():
        yield case(f"{what}: to the host", nat, missed(p, "punt_malformed"))
    yield case("IPv6 payload length beyond the frame: to the host",
               f"{tuple_match(UDP6)} {TTL6} {OUT}",
               missed(UDP6.but(length=1000), "punt_malformed"),
               missed(UDP6.but(version=4), "punt_malformed"))


def cuts(p):
    frame = bytes(p)
    return [frame[:n] for n in range(14, len(frame))]


def cut_cases():
    tagged = TCP4.but(tags=((VLAN, 5),))
    double = UDP6.but(tags=((QINQ, 6), (VLAN, 5)))
    rules = {
        "TCP over IPv4": (TCP4, tuple_match(TCP4)),
        "UDP over IPv6": (UDP6, tuple_match(UDP6)),
        "a VLAN frame": (tagged, tagged_match(
            TCP4, "vlan_id 5 vlan_ethtype ip")),
    }
    for what, (p, match) in rules.items():
        action = TTL6 if p.is_v6 else TTL4
        yield case(f"{what} cut anywhere: to the host",
                   f"{match} {action} {OUT}",
                   *(missed(frame, "punt_malformed") for frame in cuts(p)),
                   forwarded(p, p.but(ttl=63)))
    for p, what in ((TCP4, "TCP over IPv4"), (UDP6, "UDP over IPv6")):
        yield case(f"{what} cut anywhere: a rule without L3 applies",
                   f"protocol all flower skip_sw dst_mac {p.dst} {OUT}",
                   *(forwarded(frame) for frame in cuts(p)))
    yield case("two tags and what follows cut anywhere: to the host",
               f"{tuple_match(UDP6)} {OUT}",
               *(missed(frame, "punt_malformed") for frame in cuts(double)),
               missed(double))


# --- frames whose fate the test does not foretell ---

def mutated(rng, p):
    frame = bytearray(bytes(p))
    for _ in range(rng.randint(1, 6)):
        # Mostly in the headers, where it matters.
        at = rng.randrange(12, rng.choice((len(frame), 60)))
        frame[at] = rng.choice((0, 0xff, rng.getrandbits(8)))
    return bytes(frame[:rng.choice((len(frame), rng.randint(20, len(frame))))])


def fuzz(topo, text, rules, frames, unchanged):
    """
    Every frame comes out once: at the host as it was sent; at the wire as it
    was sent or, if the rules rewrite, with its length.
    """
    topo.rules(rules)
    topo.settle()
    before = topo.counters.read()
    for frame in frames:
        topo.sockets["lanw"].send(frame)
    problems = []
    keys = [("lan", "host_in_packets"), ("wan", "wire_out_packets")]
    end = time.monotonic() + PATIENCE
    while True:
        now = changed(before, topo.counters.read())
        n = {name: now.get((port, name), 0) for port, name in keys}
        if sum(n.values()) == len(frames):
            break
        if time.monotonic() > end:
            problems.append(f"{len(frames)} frames: {show_counters(now)}")
            break
    # Cut tags do not reach a socket, wherever they went.
    total = sum(not cut_tag(frame) for frame in frames)
    got = {"lan": [], "wanw": []}
    while sum(map(len, got.values())) < total and time.monotonic() < end:
        for name, frames_got in got.items():
            while (frame := topo.sockets[name].read()) is not None:
                frames_got.append(frame)
    problems += compare_fuzz(frames, got, unchanged)
    tap.result(f"{text} ({len(got['wanw'])} forwarded)", problems)


def compare_fuzz(frames, got, unchanged):
    """The order at each netdev is that of sending: look for the frames in it."""
    left = [frame for frame in frames if not cut_tag(frame)]
    for frame in got["lan"] + (got["wanw"] if unchanged else []):
        if frame not in left:
            return [f"a frame that was not sent: {frame.hex()}"]
        left.remove(frame)
    if unchanged:
        return [f"a frame is lost: {frame.hex()}" for frame in left[:4]]
    if sorted(map(len, left)) != sorted(map(len, got["wanw"])):
        return ["the lengths of frames forwarded are not those of frames sent"]
    return []


def fuzz_all(topo):
    rng = random.Random(2)
    seeds = (TCP4, UDP4, TCP6, UDP6, ICMP4, PING6, TCP4.but(proto=GRE),
             TCP4.but(frag=MF), TCP6.but(ext=((HOP_BY_HOP, bytes(7)),)),
             UDP4.but(tags=((VLAN, 5),)), UDP6.but(tags=((QINQ, 1), (VLAN, 2))))
    plain = [mutated(rng, rng.choice(seeds)) for _ in range(400)]
    noise = [rng.randbytes(rng.randint(14, 300)) for _ in range(100)]
    wide = ("protocol ip flower skip_sw ip_proto tcp",
            "protocol ip flower skip_sw ip_proto udp",
            "protocol ipv6 flower skip_sw ip_proto tcp",
            "protocol ipv6 flower skip_sw ip_proto udp",
            "protocol 802.1Q flower skip_sw vlan_id 5 vlan_ethtype ip")
    fuzz(topo, "400 broken frames, redirect", [f"{m} {OUT}" for m in wide],
         plain, True)
    # Only rules that rewrite something: other packets go to the host.
    fuzz(topo, "400 broken frames, rewrites",
         [f"{wide[0]} {pedit(TCP4, saddr='192.0.2.1', dport=1)} {TTL4} {OUT}",
          f"{wide[1]} {pedit(UDP4, daddr='192.0.2.1', sport=1)} {TTL4} {OUT}",
          f"{wide[2]} {pedit(TCP6, saddr='2001:db8::', dport=1)} {TTL6} {OUT}",
          f"{wide[3]} {pedit(UDP6, daddr='2001:db8::', sport=1)} {TTL6} {OUT}"],
         plain, False)
    fuzz(topo, "100 frames of noise",
         [f"protocol all flower skip_sw dst_mac 02:00:00:00:00:00/"
          f"02:00:00:00:00:00 {OUT}"], noise, True)


# --- statistics ---

def check_statistics(topo):
    """TC gets the NIC's counters, of the last period of a second."""
    topo.rules((f"{tuple_match(TCP4)} {MAC} {OUT}",))
    sent = [forwarded(TCP4, TCP4.but(**NEW_MAC))] * 25
    problems = deliver(topo, sent)
    size = len(bytes(TCP4)) * 25
    wanted = f"Sent hardware {size} bytes 25 pkt"
    end = time.monotonic() + PATIENCE
    while True:
        shown = run("tc", "-s", "filter", "show", "dev", "lan", "ingress")
        if wanted in shown or time.monotonic() > end:
            break
        time.sleep(0.1)
    tap.result("tc shows what the hardware counted", problems +
               ([] if wanted in shown else [f"wanted '{wanted}'", shown]))
    tap.result("tc shows that the rule is in hardware",
               [] if re.search(r"^\s*in_hw in_hw_count 1\b", shown, re.M) and
               "not_in_hw" not in shown else [shown])


# --- the packet engine ---

ENGINE_MATCH = "flower skip_sw indev lan"


def engine_match(p):
    return tuple_match(p).replace("flower skip_sw", ENGINE_MATCH)


def engine_cases():
    routed = {"ttl": 63, **NEW_MAC}
    for p in TCP4, UDP4, TCP6, UDP6:
        name = f"{NAMES[p.proto]} over IPv{6 if p.is_v6 else 4}"
        rule = f"{engine_match(p)} {MAC} {OUT}"
        yield case(f"packet engine: {name} is routed, TTL without being asked",
                   rule, forwarded(p, p.but(**routed)),
                   forwarded(p.but(ttl=2), p.but(ttl=1, **NEW_MAC)),
                   punted(p.but(ttl=1), "punt_ttl"), missed(p.but(dport=1)))
        yield case(f"packet engine: {name}, tags are no match and go", rule,
                   *(forwarded(p.but(tags=tags), p.but(**routed)) for tags in (
                       ((VLAN, 5),), ((QINQ, 5),), ((VLAN, 1), (VLAN, 2)))))
        yield case(f"packet engine: {name}, PPPoE goes", rule,
                   forwarded(p.but(pppoe=4660), p.but(**routed)),
                   forwarded(p.but(pppoe=1, tags=((VLAN, 7),)), p.but(**routed)))
        yield case(f"packet engine: {name}, the ingress port is no match", rule,
                   forwarded(p, p.but(**routed), port="opt"))
    for p in TCP4, UDP4:
        new = {"saddr": "192.0.2.77", "sport": 4000, "daddr": "192.0.2.9",
               "dport": 80}
        plain = p.but(ttl=63, **new, **NEW_MAC)
        yield case(f"packet engine: NAT, {NAMES[p.proto]}",
                   f"{engine_match(p)} {MAC} {pedit(p, **new)} {csum(p)} {OUT}",
                   forwarded(p, plain), forwarded(p.but(pppoe=5), plain))
        yield case(f"packet engine: tags are pushed, {NAMES[p.proto]}",
                   f"{engine_match(p)} {MAC} {push(VLAN, 10)} {OUT}",
                   forwarded(p, p.but(tags=((VLAN, 10),), **routed)),
                   forwarded(p.but(tags=((VLAN, 5),)),
                             p.but(tags=((VLAN, 10),), **routed)))
    big = UDP4.but(data=bytes(1472))
    yield case("packet engine: the MTU is that of the IP packet",
               f"{engine_match(UDP4)} {MAC} {OUT}",
               forwarded(big.but(pppoe=1), big.but(**routed)),
               punted(UDP4.but(data=bytes(1473)), "punt_mtu"))
    session = UDP4.but(pppoe=1)
    yield case("packet engine: other PPPoE frames are the host's",
               f"{engine_match(UDP4)} {MAC} {OUT}",
               missed(bytes(session)[:20]),
               missed(bytes(session).replace(b"\x11\0\0\x01", b"\x11\xa7\0\x01")),
               missed(bytes(session).replace(b"\0\x21\x45", b"\xc0\x21\x45")),
               *(missed(frame, "punt_malformed")
                 for frame in cuts(session)[8:]))
    sctp = TCP4.but(proto=SCTP)
    yield case("packet engine: no ports in what is not TCP or UDP",
               f"protocol ip {ENGINE_MATCH} ip_proto sctp "
               f"src_ip {sctp.saddr} dst_ip {sctp.daddr} "
               "src_port 1/0xfffe dst_port 1/0xfffe "
               f"{MAC} action pedit ex munge udp sport set 5 pipe {OUT}",
               *(forwarded(p, p.but(**routed))
                 for p in (sctp, sctp.but(data=b""), sctp.but(data=b"ab"))))
    yield case("packet engine: fragments are the host's",
               f"{engine_match(UDP4)} {MAC} {OUT}",
               missed(UDP4.but(frag=MF), "punt_fragment"),
               missed(UDP4.but(options=b"\x94\x04\0\0"), "punt_options"))


def check_late_binding(topo):
    """An entry is the hardware's only after so many packets in a second."""
    ask_sim("sim0/bind_rate", "5")
    topo.rules((f"{engine_match(UDP4)} {MAC} {OUT}",))
    problems = []
    if entries()[0]["state"] != "unbound":
        problems.append("the new entry is bound")
    routed = forwarded(UDP4, UDP4.but(ttl=63, **NEW_MAC))
    end, sent = time.monotonic() + PATIENCE, 0
    while entries()[0]["state"] == "unbound" and time.monotonic() < end and \
            not problems:
        problems += deliver(topo, [punted(UDP4, "punt_unbound")])
        sent += 1
    if sent < 6:
        problems.append(f"bound after {sent} packets")
    problems += deliver(topo, [routed])
    tap.result("packet engine: packets are the host's until the entry is bound",
               problems)


# --- main ---

def switch_cases():
    for table in (header_cases, nat_cases, udp_cases, ttl_cases,
                  random_nat_cases, push_cases, tag_cases, verdict_cases,
                  match_cases, odd_cases, mtu_cases, malformed_cases,
                  cut_cases):
        yield from table()


def main():
    run("insmod", f"{MODULES}/sim/nft_offload_sim.ko")
    topo = Topology()
    topo.make("mlx5-rep")
    for c in switch_cases():
        run_case(topo, c)
    fuzz_all(topo)
    check_statistics(topo)
    topo.remove()

    topo.make("mtk")
    ask_sim("sim0/bind_rate", "0")
    for c in engine_cases():
        run_case(topo, c)
    check_late_binding(topo)
    topo.remove()
    run("rmmod", "nft_offload_sim")
    tap.finish()


main()
