# SPDX-License-Identifier: GPL-2.0
"""
A router that packets go through in one of these ways, and what becomes of each
packet: for the cases of seen.py.

    classic     no flowtable: the reference
    kernel      nf_flow_table, in software; nothing is asserted of it
    kernel-hw   the same with "flags offload"
    software    nft_offload.ko, in software
    hardware    nft_offload.ko, with the simulated NIC

    a --lanw|lan   r   wan|wanw--  b      10.1.0.2     10.2.0.2
                       wan2|wan2w- c                   10.3.0.2

IPv6 has the same numbers: fd01::2 and so on. The frames of connections are made
here and taken from the wires; the kernels of a, b and c answer to ARP and to
neighbour discovery only.
"""
import itertools
import select
import socket
import struct
import subprocess
import time
from collections import namedtuple
from dataclasses import dataclass

from genl import Netns
from netlink import SIM, proc_of, read, shell, tap
from packets import (ACK, ETH_IP, ETH_IP6, FIN, GRE, PSH, QINQ, SYN, TCP, UDP,
                     VLAN, Packet, PortSocket)

# Seconds after a change in which a packet may still go the old way. What is
# wanted is 100 ms; a guest without KVM on a busy machine needs more to run the
# command that makes the change and the worker that follows it.
GRACE = 1.0
PATIENCE = 10		# seconds until what must happen has not happened
QUIET = 0.3		# so long nothing comes: nothing is on its way
MODES = ("classic", "kernel", "kernel-hw", "software", "hardware")
MAGIC = b"seen"
WIRES = {"a": "lanw", "b": "wanw", "c": "wan2w"}
PORT = 5000

TOPOLOGY = """
for ns in a r b c; do ip netns add $ns || exit; done
nsenter --net=/run/netns/r bash -c 'echo sim0 profile=%s ports=3 \\
    host=lan,wan,wan2 wire=lanw,wanw,wan2w >'$SIM/new_adapter
"""
# netns, device, net, host
ADDRESSES = (("a", "lanw", 1, 2), ("b", "wanw", 2, 2), ("c", "wan2w", 3, 2),
             ("r", "lan", 1, 1), ("r", "wan", 2, 1), ("r", "wan2", 3, 1))
SILENT = """
table netdev quiet { chain in {
    type filter hook ingress device %s priority 0
    ether type ip drop
    ether type ip6 meta l4proto != icmpv6 drop
}; }
"""
WATCH = """
table inet watch {
	counter orig { }
	counter reply { }
	chain forward {
		type filter hook forward priority -300; policy accept
		ether type vlan accept
		meta l4proto { tcp, udp } th dport 5000 counter name orig
		meta l4proto { tcp, udp } th sport 5000 counter name reply
		meta l4proto gre iifname lan counter name orig
		meta l4proto gre iifname != lan counter name reply
	}
}
table netdev watch {
	counter host { }
	chain ingress {
		type filter hook ingress devices = { lan, wan, wan2 } priority -500
		ether type ip ip protocol { tcp, udp, gre } counter name host
		ether type ip6 meta l4proto { tcp, udp, gre } counter name host
		ether type vlan counter name host
	}
}
"""
Arrival = namedtuple("Arrival", "end time frame")
Sent = namedtuple("Sent", "time conn orig end")


@dataclass
class Counters:
    """Packets since the world began."""
    orig: int = 0		# by the slow path
    reply: int = 0
    host: int = 0		# crossed the host, by whatever path


def sysctl(netns, **values):
    """net/ is left out, and __ is / in a name."""
    with Netns(netns):
        for name, value in values.items():
            path = "/proc/sys/net/" + name.replace("__", "/")
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))


def ip(netns, *commands, check=True):
    """Commands of ip, those of a family in one process."""
    for v6, some in itertools.groupby(
            filter(None, commands), lambda line: line.startswith("-6 ")):
        text = "\n".join(line.removeprefix("-6 ") for line in some)
        got = subprocess.run(
            # ip -n has another /sys, without what is pinned there.
            ["nsenter", f"--net=/run/netns/{netns}", "ip", *["-6"] * v6, "-b",
             "-"], input=text, text=True, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if check and got.returncode:
            raise RuntimeError(f"{netns}: {text}\n{got.stdout}")


def nft(text, netns="r"):
    got = subprocess.run(
        ["nsenter", f"--net=/run/netns/{netns}", "nft", "-f", "-"], text=True,
        input=text, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if got.returncode:
        raise RuntimeError(f"{text}\n{got.stdout}")


def ip_at(frame):
    """Where the IP header is, None if there is none."""
    at = 12
    while frame[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    kind = int.from_bytes(frame[at:at + 2], "big")
    return at + 2 if kind in (ETH_IP, ETH_IP6) else None


def tags_of(frame):
    """(TPID, TCI), outermost first."""
    at, tags = 12, []
    while int.from_bytes(frame[at:at + 2], "big") in (VLAN, QINQ):
        tags.append(struct.unpack_from("!HH", frame, at))
        at += 4
    return tags


def plain(frame):
    """IP protocol of a packet without tunnel; else None."""
    at = ip_at(frame)
    if at is None:
        return None
    proto = frame[at + 9] if frame[at] >> 4 == 4 else frame[at + 6]
    return proto if proto in (TCP, UDP, GRE) else None


def number_of(frame):
    at = frame.find(MAGIC)
    return struct.unpack_from("!I", frame, at + 4)[0] \
        if 0 <= at <= len(frame) - 8 else None


class Conn:
    """One connection. Its client is behind lan; its server is where the
    packets come out."""

    def __init__(self, world, v6=False, proto=UDP, sport=6001, saddr=None,
                 daddr=None, server="b", tags=(), gateway=None):
        self.world = world
        self.v6, self.proto, self.sport = v6, proto, sport
        self.saddr = saddr or ("fd01::2" if v6 else "10.1.0.2")
        self.daddr = daddr or {
            "b": ("10.2.0.2", "fd02::2"),
            "c": ("10.3.0.2", "fd03::2")}[server][v6]
        self.tags = tags
        self.gateway = gateway or world.mac("r", "lan")
        # TCP: by client, server
        self.seq = {True: 1000, False: 2000}
        # What the server answers to: end, router's MAC, address, port.
        self.peer = (server, world.mac("r", {"b": "wan", "c": "wan2"}[server]),
                     self.saddr, self.sport)
        self.server_tags = ()

    def packet(self, orig, flags=None, data=b"", **fields):
        end, router, address, port = self.peer
        common = {"proto": self.proto, "seq": self.seq[orig],
                  "ack": 0 if flags == SYN else self.seq[not orig],
                  "flags": flags if flags is not None else PSH | ACK,
                  "data": data}
        if self.proto == GRE:
            common["gre"] = bytes.fromhex(
                "000086dd" if self.v6 else "00000800")
        if orig:
            packet = Packet(
                dst=self.gateway, src=self.world.mac("a", "lanw"),
                tags=self.tags, saddr=self.saddr, daddr=self.daddr,
                sport=self.sport, dport=PORT, **common)
        else:
            packet = Packet(
                dst=router, src=self.world.mac(end, WIRES[end]),
                tags=self.server_tags, saddr=self.daddr, daddr=address,
                sport=PORT, dport=port, **common)
        return packet.but(**fields) if fields else packet

    def learn(self, arrival):
        """Of a packet of the client: where it came out, and as what."""
        frame = arrival.frame
        at = ip_at(frame)
        if at is None or plain(frame) is None:
            return
        v6 = frame[at] >> 4 == 6
        if address_of(frame, at, "dst") != socket.inet_pton(
                socket.AF_INET6 if v6 else socket.AF_INET, self.daddr):
            return		# a tunnel
        l4 = at + (40 if v6 else 20)
        text = address_text(address_of(frame, at, "src"))
        port = self.sport if self.proto == GRE else \
            int.from_bytes(frame[l4:l4 + 2], "big")
        self.peer = (arrival.end, mac_text(frame[6:12]), text, port)
        self.server_tags = tuple(tags_of(frame))


def address_of(frame, at, which):
    """src or dst of the IP header that is there."""
    first, size = (8, 16) if frame[at] >> 4 == 6 else (12, 4)
    first += size if which == "dst" else 0
    return frame[at + first:at + first + size]


def source_of(frame):
    at = ip_at(frame)
    return address_text(address_of(frame, at, "src")) if at else None


def address_text(data):
    return socket.inet_ntop(
        socket.AF_INET6 if len(data) == 16 else socket.AF_INET, data)


def mac_text(data):
    return data.hex(":")


class World:
    """The router and its ends, in one of the modes."""

    def __init__(self, mode):
        self.mode, self.case = mode, ""
        self.macs = {}
        self.number = 0
        self.sent = {}
        self.got = {}
        self.other = []		# arrivals without a number of ours
        self.ends = {}
        self.changed = 0.0		# when the last change was made
        # Whether the case has changed more than rules() does.
        self.spoiled = True

    # --- what is there ---

    def up(self, profile="mlx5-rep"):
        self.macs = {}
        shell(TOPOLOGY % profile)
        ip("r", *(f"link set {wire} netns {ns}" for ns, wire in WIRES.items()))
        for ns in ("a", "r", "b", "c"):
            sysctl(ns, ipv6__conf__default__accept_dad=0,
                   ipv6__conf__all__accept_dad=0,
                   ipv4__conf__all__rp_filter=0,
                   ipv4__conf__default__rp_filter=0,
                   ipv4__conf__all__arp_ignore=1,
                   ipv6__conf__all__keep_addr_on_down=1)
        for dev in ("lan", "wan", "wan2"):
            sysctl("r", **{f"ipv4__conf__{dev}__rp_filter": 0})
        sysctl("r", ipv4__ip_forward=1, ipv6__conf__all__forwarding=1,
               ipv4__icmp_ratelimit=0)
        for ns in ("a", "r", "b", "c"):
            ip(ns, "link set lo up", *(
                line for netns, dev, net, host in ADDRESSES if netns == ns
                for line in (
                    f"addr add 10.{net}.0.{host}/24 dev {dev}",
                    f"addr add fd0{net}::{host}/64 dev {dev} nodad",
                    f"link set {dev} up",
                    f"route add default via 10.{net}.0.1" if host > 1 else "",
                    f"-6 route add default via fd0{net}::1"
                    if host > 1 else "")))
            if ns in WIRES:
                nft(SILENT % WIRES[ns], ns)
        self.open_ends()

    def begin(self, case):
        """Another case, in a world that no case has changed."""
        self.case, self.spoiled = case, True
        self.sent, self.got, self.other = {}, {}, []
        shell("in_ns r nft flush ruleset; in_ns r conntrack -F", check=False)
        self.drain()

    def open_ends(self):
        for end in self.ends.values():
            end.sock.close()
        for netns, wire in WIRES.items():
            with Netns(netns):	# and comes home afterwards
                self.ends[netns] = PortSocket(netns, wire)

    def down(self):
        for end in self.ends.values():
            end.sock.close()
        self.ends = {}
        shell("""in_ns r nft flush ruleset
            for ns in a r b c; do
                pids=$(ip netns pids $ns); [[ -z $pids ]] || kill $pids
            done
            sim_del sim0; for ns in a r b c; do ip netns del $ns; done""",
              check=False)

    def mac(self, netns, device):
        key = netns, device
        if key not in self.macs:
            with Netns(netns):
                sock = PortSocket(netns, device).sock
                self.macs[key] = mac_text(sock.getsockname()[4])
                sock.close()
        return self.macs[key]

    @property
    def ours(self):
        return self.mode in ("software", "hardware")

    @property
    def in_hardware(self):
        return self.mode in ("hardware", "kernel-hw")

    def rules(self, forward, more="", devices="lan, wan, wan2",
              policy="accept", flags=None):
        """The ruleset. Without a flowtable, lines with "flow add" are none."""
        if flags is None:
            flags = "flags offload" if self.in_hardware else ""
        table = f"""flowtable ft {{
            hook ingress priority 0
            devices = {{ {devices} }}
            counter
            {flags}
        }}"""
        if self.mode == "classic":
            table = ""
            forward, more = ("\n".join(
                line for line in text.splitlines() if "flow add" not in line)
                for text in (forward, more))
        nft("flush ruleset")
        nft(f"""table inet t {{
            {table}
            chain forward {{
                type filter hook forward priority 0; policy {policy}
                {forward}
            }}
        }}
        {more}
        {WATCH}""")

    def counters(self):
        out = Counters()
        listed = subprocess.run(
            ["nsenter", "--net=/run/netns/r", "nft", "list", "counters"],
            text=True, check=True, stdout=subprocess.PIPE).stdout
        name = ""
        for line in listed.splitlines():
            words = line.split()
            if words[:1] == ["counter"]:
                name = words[1]
            elif words[:1] == ["packets"] and hasattr(out, name):
                setattr(out, name, int(words[1]))
        return out

    def hits(self):
        """Packets that the hardware has carried."""
        return sum(int(line.split()[1]) for line in shell(
            "for d in lan wan wan2; do in_ns r ethtool -S $d; done; :")
            .splitlines() if "offload_hits:" in line)

    def entries(self):
        return read(f"{SIM}/entries").splitlines()

    def reasons(self):
        """Of /proc/net/nft_offload; empty for others."""
        return proc_of()["reason"] if self.ours else {}

    def ct(self, conn):
        """conntrack's line of it: {flags, state, left, mark}, or None."""
        with Netns("r"):
            lines = read("/proc/thread-self/net/nf_conntrack").splitlines()
        family = socket.AF_INET6 if conn.v6 else socket.AF_INET
        wanted = [socket.inet_pton(family, text)
                  for text in (conn.saddr, conn.daddr)]
        for line in lines:
            words = line.split()
            if int(words[3]) != conn.proto or \
                    (words[0] == "ipv6") != conn.v6:
                continue
            pairs = [word.split("=", 1) for word in words if "=" in word]
            first = dict(reversed(pairs))
            if [socket.inet_pton(family, first[key])
                    for key in ("src", "dst")] != wanted:
                continue
            if conn.proto != GRE and int(first["sport"]) != conn.sport:
                continue
            bare = [word for word in words[4:] if "=" not in word and
                    not word.startswith("[")]
            left = int(bare[0]) if bare and bare[0].isdigit() else None
            state = next((word for word in bare if word.isupper()), None)
            flags = {word.strip("[]") for word in words
                     if word.startswith("[")}
            return {"flags": flags, "state": state, "left": left,
                    "mark": int(first.get("mark", 0)), "line": line}
        return None

    def flags(self, conn):
        found = self.ct(conn)
        return found["flags"] if found else set()

    # --- results ---

    def is_(self, text, got, wanted, *detail):
        """This is so; a comment where it is the kernel's path."""
        text = f"{self.case}, {self.mode}: {text}"
        if self.mode.startswith("kernel"):
            print(f"# {text}: {got!r}" +
                  ("" if got == wanted else f", right is {wanted!r}"),
                  flush=True)
        else:
            tap.result(text, [] if got == wanted else
                       [f"got:    {got!r}", f"wanted: {wanted!r}", *detail])
        return got == wanted

    def ok(self, text, good, *detail):
        return self.is_(text, bool(good), True, *detail)

    def eventually(self, text, function, *args):
        value = self.until(function, *args)
        return self.ok(text, value)

    def until(self, function, *args, patience=PATIENCE):
        end = time.monotonic() + patience
        while True:
            value = function(*args)
            if value or time.monotonic() > end:
                return value
            self.pump(0.05)

    # --- packets ---

    def send(self, conn, orig=True, end=None, **fields):
        """One packet with a number, which it returns."""
        self.number += 1
        data = b"." * 16 + MAGIC + struct.pack("!I", self.number)
        if conn.proto == GRE:	# an inner packet
            inner = Packet(saddr="fd77::1" if conn.v6 else "10.77.0.1",
                           daddr="fd77::2" if conn.v6 else "10.77.0.2",
                           proto=UDP, data=data)
            data = bytes(inner)[14:]
        flags = fields.pop("flags", None)
        if flags is not None and flags & (SYN | FIN):
            # They are no data, and take one number.
            packet = conn.packet(orig, flags, **fields)
            conn.seq[orig] += 1
        else:
            packet = conn.packet(orig, flags, data, **fields)
            if "seq" not in fields:
                conn.seq[orig] += len(data)
        end = end or ("a" if orig else conn.peer[0])
        self.sent[self.number] = Sent(time.monotonic(), conn, orig, end)
        self.ends[end].send(bytes(packet))
        return self.number

    def pump(self, seconds):
        """Takes what comes within that time."""
        deadline = time.monotonic() + seconds
        socks = {end.sock: (name, end) for name, end in self.ends.items()}
        while True:
            left = deadline - time.monotonic()
            ready = select.select(list(socks), [], [], max(0, left))[0]
            for sock in ready:
                name, end = socks[sock]
                while (frame := end.read()) is not None:
                    self.arrived(Arrival(name, time.monotonic(), frame))
            if time.monotonic() >= deadline:
                return

    def arrived(self, arrival):
        number = number_of(arrival.frame)
        sent = self.sent.get(number)
        if not sent or sent.end == arrival.end:
            if not sent:
                self.other.append(arrival)
            return
        at = ip_at(arrival.frame)
        if at is not None and is_error(arrival.frame, at):
            return
        self.got.setdefault(number, []).append(arrival)
        if sent.orig:
            sent.conn.learn(arrival)

    def wait(self, number, seconds):
        """Until it has come out."""
        end = time.monotonic() + seconds
        while number not in self.got and time.monotonic() < end:
            self.pump(0.002)
        return number in self.got

    def drain(self):
        """Until nothing has come for a while."""
        count = -1
        while count != sum(map(len, self.got.values())):
            count = sum(map(len, self.got.values()))
            self.pump(QUIET)

    def handshake(self, conn):
        """TCP's, if it is TCP."""
        if conn.proto != TCP:
            return
        for orig, flags in ((True, SYN), (False, SYN | ACK), (True, ACK)):
            before = len(self.other)
            self.send(conn, orig, flags=flags)
            # Without data: any frame that is none of ours by number.
            end = time.monotonic() + 2
            while not any(is_tcp(one.frame, flags)
                          for one in self.other[before:]) and \
                    time.monotonic() < end:
                self.pump(0.002)
            for one in self.other[before:]:
                if orig and is_tcp(one.frame, flags) and one.end != "a":
                    conn.learn(one)

    def exchange(self, conn, count, wait=1.0, gap=0.0):
        """A packet and its answer, so often: the numbers of both."""
        numbers = []
        for _ in range(count):
            for orig in (True, False):
                number = self.send(conn, orig)
                self.wait(number, wait)
                numbers.append(number)
            if gap:
                self.pump(gap)
        return numbers

    def stream(self, conns, since=0.0, count=40, gap=0.01,
               sides=(True, False)):
        """Packets, whether the last ones have come or not, from now on and so
        many of each connection and direction after then."""
        numbers = []
        while count:
            count -= time.monotonic() > since
            for conn in conns:
                for orig in sides:
                    numbers.append(self.send(conn, orig))
                    self.pump(gap)
        self.drain()
        return numbers

    def count(self, numbers, orig=None, since=0.0, good=None):
        """(came out, were sent) of one direction, sent after then. good(arrival):
        which arrivals count."""
        good = good or (lambda arrival: plain(arrival.frame) is not None)
        chosen = [n for n in numbers if self.sent[n].time > since and
                  orig in (None, self.sent[n].orig)]
        return (sum(any(map(good, self.got.get(n, ()))) for n in chosen),
                len(chosen))

    def answered(self, conn, count=20):
        """(packets that came out, answers that did) of so many."""
        numbers = self.exchange(conn, count, 0.3)
        self.drain()
        return (self.count(numbers, True)[0], self.count(numbers, False)[0])

    # --- flows ---

    def carried(self, conn, sides=(True, False), rounds=5, hardware=True):
        """Whether packets of these directions go fast, in the mode's way, and
        all arrive."""
        if self.mode == "classic":
            numbers = self.exchange(conn, rounds, 0.5)
            return all(n in self.got for n in numbers
                       if self.sent[n].orig in sides)
        before = self.counters()
        numbers = []
        for _ in range(rounds):
            for orig in sides:
                numbers.append(self.send(conn, orig))
                self.wait(numbers[-1], 1.0)
        now = self.counters()
        return all(n in self.got for n in numbers) and \
            now.orig == before.orig and now.reply == before.reply and \
            (not self.in_hardware or not hardware or
             now.host == before.host)

    def establish(self, conn, sides=(True, False), text=""):
        """From the first packet to when it goes fast."""
        self.handshake(conn)
        self.exchange(conn, 3)
        return self.becomes_fast(conn, sides, text)

    def becomes_fast(self, conn, sides=(True, False), text="", hardware=True):
        """Within a while, with packets in both directions."""
        good, end = False, time.monotonic() + PATIENCE
        while time.monotonic() < end:
            good = self.carried(conn, sides, hardware=hardware)
            if good:
                break
            self.exchange(conn, 1, 0.3)
            self.pump(0.1)
        name = describe(conn) + (f", {text}" if text else "")
        return self.ok(f"{name}: {FAST[self.mode]}", good,
                       self.ct(conn), self.reasons(), *self.entries())


FAST = {"classic": "packets arrive", "kernel": "goes fast",
        "kernel-hw": "is in hardware", "software": "goes fast",
        "hardware": "is in hardware"}
PROTO = {TCP: "TCP", UDP: "UDP", GRE: "GRE"}


def describe(conn):
    return f"{'IPv6' if conn.v6 else 'IPv4'} {PROTO[conn.proto]}"


def is_error(frame, at):
    """ICMP, with a packet of ours in it perhaps."""
    return frame[at + 9] == 1 if frame[at] >> 4 == 4 else frame[at + 6] == 58


def is_tcp(frame, flags):
    at = ip_at(frame)
    if at is None or plain(frame) != TCP:
        return False
    return frame[at + (20 if frame[at] >> 4 == 4 else 40) + 13] == flags


def use(mode):
    """Loads what the mode needs."""
    if mode.startswith("kernel"):
        shell("path_use kernel")
    else:
        shell("[[ -e /proc/net/nft_offload ]] || path_use module")
