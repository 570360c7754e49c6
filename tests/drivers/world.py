# SPDX-License-Identifier: GPL-2.0
"""
The router whose two ports have a driver without hardware, and what its
connections should look like in that hardware.

    a --lanw|lan  (this netns)  wan|wanw-- b
       .7                          .8, .9 (802.1ad), .30.31, .10 (802.1ad).20,
                                   PPPoE, PPPoE in .40

Each way to b is a network of its own: 10.N.0.0/24 and fd0N::/64, the router .1,
the host .2; b answers by the way that it was asked.
"""
import os
import select
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../guest"))

# pylint: disable=wrong-import-position
from genl import Netns
from packets import GRE, TCP, UDP

PORTS = 5000, 5001
WAYS = {2: "wan", 4: "wan.8", 5: "wan.9", 6: "wan.30.31", 7: "wan.10.20",
        8: "ppp", 9: "wan.40-ppp"}
TAGS = {3: ("8100:7",), 4: ("8100:8",), 5: ("88a8:9",),
        6: ("8100:30", "8100:31"), 7: ("88a8:10", "8100:20"), 9: ("8100:40",)}
SESSIONS = {8: 77, 9: 78}

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
		meta l4proto { tcp, udp, gre } flow add @ft
	}
}
table inet nat {
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 10.99.0.1 dnat ip to 10.2.0.2
		ip daddr 10.99.0.2 meta l4proto { tcp, udp } th dport 5000 dnat ip to 10.2.0.2:5001
		ip6 daddr fd99::1 dnat ip6 to fd02::2
		ip6 daddr fd99::2 meta l4proto { tcp, udp } th dport 5000 dnat ip6 to [fd02::2]:5001
	}
	chain post {
		type nat hook postrouting priority srcnat
		meta l4proto { tcp, udp } th sport 41000-41099 snat ip to 10.2.0.50
		meta l4proto { tcp, udp } th sport 41100-41199 masquerade
		udp sport 41200-41299 snat ip to 10.2.0.50:1024
		tcp sport 41200-41299 snat ip to 10.2.0.50:1025
		meta l4proto { tcp, udp } th sport 42000-42099 snat ip6 to fd02::50
		udp sport 42200-42299 snat ip6 to [fd02::50]:1026
	}
}
"""


def run(*command, check=True, **kwargs):
    got = subprocess.run(command, text=True, check=False, stdin=kwargs.pop(
        "stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, **kwargs)
    if check and got.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{got.stdout}")
    return got.stdout


def ip(text, netns=None, *options):
    """Commands of ip, one a line."""
    run("ip", *options, *(("-n", netns) if netns else ()), "-batch", "-",
        stdin=None, input=text)


def mac_of(device, netns=None):
    args = ("-n", netns) if netns else ()
    return run("ip", *args, "-br", "link", "show", device).split()[2]


# --- topology ---

def link(device, netns, way, host):
    end = 2 if host else 1
    ip(f"addr add 10.{way}.0.{end}/24 dev {device}\n"
       f"addr add fd0{way}::{end}/64 dev {device} nodad\n"
       f"link set {device} up", netns)


def vlan(upper, lower, tag, netns):
    proto, vid = tag.split(":")
    proto = {"8100": "802.1Q", "88a8": "802.1ad"}[proto]
    ip(f"link add link {lower} name {upper} type vlan proto {proto} id {vid}\n"
       f"link set {upper} up", netns)


def by_way(netns, way, gateway="via 10.{}.0.1", gateway6="via fd0{}::1"):
    """What comes from this way's address leaves by it."""
    ip(f"rule add from 10.{way}.0.2 lookup {way}\n"
       f"route add default {gateway.format(way)} table {way}", netns)
    if gateway6:
        ip(f"rule add from fd0{way}::2 lookup {way}\n"
           f"route add default {gateway6.format(way)} table {way}", netns, "-6")


class World:
    """All of it, made anew for each driver."""

    def __init__(self):
        self.pppoe = []
        for netns in "a", "b":
            ip(f"netns add {netns}")
            ip("link set lo up", netns)
            self.sysctl(netns, "net.ipv6.conf.all.accept_dad=0",
                        "net.ipv6.conf.default.accept_dad=0")
        self.sysctl(None, "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                    "net.ipv6.conf.default.accept_dad=0",
                    "net.netfilter.nf_conntrack_acct=1",
                    "net.netfilter.nf_flowtable_tcp_timeout=600",
                    "net.netfilter.nf_flowtable_udp_timeout=600")
        ip("link set lanw netns a\nlink set wanw netns b")
        link("lan", None, 1, False)
        link("lanw", "a", 1, True)
        link("wan", None, 2, False)
        link("wanw", "b", 2, True)
        ip("addr add 10.2.0.50/24 dev wan\naddr add fd02::50/64 dev wan nodad")
        for netns, end in (None, ""), ("b", "w"):
            for way, device in WAYS.items():
                self.tagged(netns, way, "wan" + end)
        for netns, end in (None, ""), ("a", "w"):
            self.tagged(netns, 3, "lan" + end)
        ip("route add default via 10.1.0.1", "a")
        ip("route add default via fd01::1", "a", "-6")
        by_way("a", 3)
        for way in 2, 4, 5, 6, 7:
            by_way("b", way)
        for way in SESSIONS:
            self.session(way)
        self.macs = {"lan": (mac_of("lan"), mac_of("lanw", "a")),
                     "wan": (mac_of("wan"), mac_of("wanw", "b"))}
        self.server = Server()
        run("nft", "-f", "-", stdin=None, input=RULES)

    @staticmethod
    def sysctl(netns, *values):
        prefix = ("ip", "netns", "exec", netns) if netns else ()
        run(*prefix, "sysctl", "-qw", *values)

    @staticmethod
    def tagged(netns, way, lower):
        for tag in TAGS.get(way, ()):
            upper = f"{lower}.{tag.split(':')[1]}"
            vlan(upper, lower, tag, netns)
            lower = upper
        if way in TAGS and way not in SESSIONS:
            link(lower, netns, way, netns is not None)

    def session(self, way):
        tag = "".join("." + t.split(":")[1] for t in TAGS.get(way, ()))
        names = []
        for netns, device, peer in ((None, "wan" + tag, mac_of("wanw", "b")),
                                    ("b", "wanw" + tag, mac_of("wan"))):
            prefix = ("ip", "netns", "exec", netns) if netns else ()
            process = subprocess.Popen(
                (*prefix, "python3", f"{HERE}/../guest/pppoe.py", device, peer,
                 str(SESSIONS[way])), stdout=subprocess.PIPE, text=True)
            self.pppoe.append(process)
            name = process.stdout.readline().strip()
            end, other = (2, 1) if netns else (1, 2)
            ip(f"addr add 10.{way}.0.{end} peer 10.{way}.0.{other} dev {name}\n"
               f"link set {name} mtu 1480 up", netns)
            names.append(name)
        by_way("b", way, f"dev {names[1]}", None)

    def leave(self):
        """What comes after is to find nothing of it."""
        run("nft", "flush", "ruleset")
        self.server.stop()
        for process in self.pppoe:
            process.kill()
            process.wait()
        for netns in "a", "b":
            ip(f"netns del {netns}")
        run("conntrack", "-F")


class Server:
    """Echoes, in b, at each address of its own, and notes by whom it was asked."""

    def __init__(self):
        self.peers = {}
        self.socks = []
        self.end, self.other_end = os.pipe()
        with Netns("b"):
            for way in WAYS:
                self.listen(socket.AF_INET, f"10.{way}.0.2")
                if way not in SESSIONS:
                    self.listen(socket.AF_INET6, f"fd0{way}::2")
            gre = socket.socket(socket.AF_INET, socket.SOCK_RAW, GRE)
            gre.bind(("10.2.0.2", 0))
            self.socks.append(gre)
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def listen(self, family, address):
        for port in PORTS:
            for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
                sock = socket.socket(family, kind)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((address, port))
                if kind == socket.SOCK_STREAM:
                    sock.listen(64)
                self.socks.append(sock)

    def loop(self):
        streams = []
        while True:
            for sock in select.select(
                    [self.end, *self.socks, *streams], [], [])[0]:
                if sock == self.end:
                    return
                if sock in streams:
                    self.answer_stream(sock, streams)
                elif sock.type == socket.SOCK_STREAM:
                    streams.append(sock.accept()[0])
                elif sock.type == socket.SOCK_RAW:
                    data, peer = sock.recvfrom(2000)
                    self.peers[GRE, data[24:]] = peer[:2], ("", 0)
                    sock.sendto(data[20:], peer)
                else:
                    data, peer = sock.recvfrom(2000)
                    self.peers[UDP, data] = peer[:2], sock.getsockname()[:2]
                    sock.sendto(data, peer)

    def answer_stream(self, sock, streams):
        try:
            data = sock.recv(2000)
        except OSError:
            data = b""
        if data:
            self.peers[TCP, data] = sock.getpeername()[:2], sock.getsockname()[:2]
            sock.send(data)
        else:
            streams.remove(sock)
            sock.close()

    def stop(self):
        os.write(self.other_end, b"x")
        self.thread.join()
        for sock in self.socks:
            sock.close()


# --- cases ---

@dataclass(frozen=True)
class Case:
    """A connection: from a, by this way on the LAN's side, to an address."""
    name: str
    text: str
    proto: int
    to: str
    sport: int
    way: int = 2
    lan_way: int = 1

    @property
    def source(self):
        return (f"fd0{self.lan_way}::2" if ":" in self.to
                else f"10.{self.lan_way}.0.2")


CASES = (
    Case("v4-udp", "IPv4 routed, UDP", UDP, "10.2.0.2", 40000),
    Case("v4-tcp", "IPv4 routed, TCP", TCP, "10.2.0.2", 40001),
    Case("snat", "SNAT", UDP, "10.2.0.2", 41000),
    Case("snat-tcp", "masquerading, TCP", TCP, "10.2.0.2", 41100),
    Case("snat-port", "SNAT, port changed", UDP, "10.2.0.2", 41200),
    Case("dnat", "DNAT", TCP, "10.99.0.1", 40002),
    Case("dnat-port", "DNAT, port changed", UDP, "10.99.0.2", 40003),
    Case("both", "SNAT and DNAT", UDP, "10.99.0.1", 41001),
    Case("both-port", "SNAT and DNAT, ports changed", TCP, "10.99.0.2", 41201),
    Case("v6-udp", "IPv6 routed, UDP", UDP, "fd02::2", 40004),
    Case("v6-tcp", "IPv6 routed, TCP", TCP, "fd02::2", 40005),
    Case("v6-snat", "IPv6 SNAT", TCP, "fd02::2", 42000),
    Case("v6-dnat-port", "IPv6 DNAT, port changed", UDP, "fd99::2", 40006),
    Case("v6-both-port", "IPv6 SNAT and DNAT, ports changed", UDP, "fd99::2",
         42200),
    Case("vlan-in", "a tag on the LAN", UDP, "10.2.0.2", 40007, lan_way=3),
    Case("vlan-out", "a tag on the WAN", UDP, "10.4.0.2", 40008, way=4),
    Case("vlan-both", "a tag on either side", TCP, "10.4.0.2", 40009, way=4,
         lan_way=3),
    Case("v6-vlan-out", "IPv6, a tag on the WAN", TCP, "fd04::2", 40010, way=4),
    Case("qinq", "two 802.1Q tags on the WAN", UDP, "10.6.0.2", 40011, way=6),
    Case("ad", "an 802.1ad tag on the WAN", UDP, "10.5.0.2", 40012, way=5),
    Case("ad-q", "802.1ad and 802.1Q on the WAN", UDP, "10.7.0.2", 40013, way=7),
    Case("pppoe", "PPPoE on the WAN", UDP, "10.8.0.2", 40014, way=8),
    Case("pppoe-vlan", "PPPoE in a tag on the WAN", TCP, "10.9.0.2", 40015,
         way=9),
    Case("gre", "GRE", GRE, "10.2.0.2", 0),
)


class Connection:
    """An open one; talk() sends and waits for the echo."""

    def __init__(self, case):
        self.case = case
        self.data = f"case {case.name} {case.sport}".encode()
        family = socket.AF_INET6 if ":" in case.to else socket.AF_INET
        kind = {UDP: socket.SOCK_DGRAM, TCP: socket.SOCK_STREAM,
                GRE: socket.SOCK_RAW}[case.proto]
        with Netns("a"):
            self.sock = socket.socket(family, kind,
                                      GRE if case.proto == GRE else 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.settimeout(5)
        self.sock.bind((case.source, case.sport))
        self.sock.connect((case.to, PORTS[0]))

    def talk(self, times=1):
        frame = self.data
        if self.case.proto == GRE:
            frame = b"\0\0\x88\xb5" + frame
        for _ in range(times):
            self.sock.send(frame)
            self.sock.recv(2000)

    def close(self):
        self.sock.close()

    def tuples(self, server):
        """(src, dst, sport, dport) as a sends it, and as b was asked."""
        case = self.case
        peer, own = server.peers[case.proto, self.data]
        if case.proto == GRE:
            return ((case.source, case.to, 0, 0), (peer[0], case.to, 0, 0))
        return ((case.source, case.to, case.sport, PORTS[0]),
                (peer[0], own[0], peer[1], own[1]))


def reverse(tup):
    return tup[1], tup[0], tup[3], tup[2]


def expected(connection, world):
    """What each direction's entry has to be: (before, after) of words."""
    case = connection.case
    sent, got = connection.tuples(world.server)
    sides = {"lan": (TAGS.get(case.lan_way, ()), 0),
             "wan": (TAGS.get(case.way, ()), SESSIONS.get(case.way, 0))}

    def words(port, tup):
        src, dst, sport, dport = tup
        tags, session = sides[port]
        found = {"port": port, "src": src, "dst": dst, "tags": ",".join(tags),
                 "pppoe": str(session)}
        if case.proto != GRE:
            found |= {"sport": str(sport), "dport": str(dport)}
        return found

    def entry(port, before, to, after):
        own, peer = world.macs[to]
        return (words(port, before) | {"proto": str(case.proto)},
                words(to, after) | {"smac": own, "dmac": peer, "ttl": "-1"})

    return (entry("lan", sent, "wan", got),
            entry("wan", reverse(got), "lan", reverse(sent)))
