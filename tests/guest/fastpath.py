# SPDX-License-Identifier: GPL-2.0
"""
What differential.py expects: the scenarios, the flows, and a model of a fast
path in software, which tells from a frame's bytes what becomes of it.
"""
import struct
from dataclasses import dataclass
from typing import Optional

from packets import (ACK, CWR, ECE, ETH_IP, ETH_IP6, ETH_PPPOE, FIN, GRE, PSH,
                     QINQ, RST, SYN, TCP, UDP, URG, VLAN, Packet, checksum,
                     mac, packed)

LAN, WAN = 0, 1			# where a frame comes in
WIRES = "lanw", "wanw"
HOST_MAC = "02:00:00:00:01:01", "02:00:00:00:02:01"
WIRE_MAC = "02:00:00:00:01:02", "02:00:00:00:02:02"
OTHER_MAC = "02:00:00:00:09:09"
# From here the slow path is not recorded: frames without an ID of their own.
NOISE_MAC = "02:00:00:00:0a:0a"
SESSION = 77
MARK_PORT = 9			# its flow never gets into a flowtable
NAMES = {TCP: "TCP", UDP: "UDP", GRE: "GRE"}

# --- what there is to test on ---

@dataclass(frozen=True)
class Scenario:
    name: str
    tags: tuple = ()			# of the LAN: (TPID, VLAN), outermost first
    pppoe: bool = False			# the WAN is a session
    nat: str = ""			# words: snat, dnat, masquerade
    mtu: tuple = (1500, 1500)		# of LAN and WAN
    full: bool = False			# every value instead of some
    groups: tuple = ()			# only these

    @property
    def devices(self):
        return ("lan" + "".join(f".{vid}" for _, vid in self.tags),
                "ppp0" if self.pppoe else "wan")

    def encaps(self, side):
        """As the fast path sees them on a frame that comes in."""
        if side == LAN:
            return self.tags
        return ((ETH_PPPOE, SESSION),) if self.pppoe else ()

    def egress_mtu(self, side):
        """For what comes in at that side."""
        mtu = self.mtu[1 - side]
        return mtu - 8 if side == LAN and self.pppoe else mtu


NAT_GROUPS = ("sizes", "over MTU", "checksums", "TCP", "flags", "ICMP",
              "random")
# Each has its own 4096 IDs, so that no fragment meets another scenario's; the
# last has the rest.
SCENARIOS = (
    Scenario("SNAT", nat="snat", groups=NAT_GROUPS),
    Scenario("DNAT", nat="dnat", groups=NAT_GROUPS),
    Scenario("masquerade", nat="masquerade"),
    Scenario("SNAT and DNAT", nat="snat dnat"),
    Scenario("small MTU", mtu=(1500, 1280),
             groups=("sizes", "over MTU", "fragments", "ICMP")),
    Scenario("small MTU with NAT", mtu=(1500, 1280), nat="masquerade",
             groups=("sizes", "over MTU", "fragments", "ICMP")),
    Scenario("802.1Q", tags=((VLAN, 7),)),
    Scenario("802.1ad", tags=((QINQ, 7),), groups=("sizes", "tags", "cut")),
    Scenario("QinQ", tags=((QINQ, 100), (VLAN, 7)),
             groups=("sizes", "tags", "cut", "over MTU", "fragments",
                     "random")),
    Scenario("PPPoE", pppoe=True),
    Scenario("PPPoE, VLAN and masquerade", pppoe=True, tags=((VLAN, 7),),
             nat="masquerade"),
    Scenario("routed", full=True),
)


@dataclass(eq=False)
class Flow:
    """A connection, and its tuple as each wire sees it: towards the server."""
    proto: int
    v6: bool
    sport: int
    dport: int
    scenario: Scenario
    tuples: tuple = ()
    purpose: str = ""
    ended: Optional[str] = None		# "yes", "perhaps": no fast path any more

    def __post_init__(self):
        client, server, service, nat = (
            ("fd01::2", "fd02::2", "fd09::9", "fd02::50") if self.v6 else
            ("10.1.0.2", "10.2.0.2", "10.9.9.9", "10.2.0.50"))
        words = self.scenario.nat.split()
        inside = [client, self.sport, server, self.dport]
        outside = list(inside)
        if "dnat" in words:
            inside[2], outside[3] = service, 7000
        if "masquerade" in words:
            outside[0] = "fd02::1" if self.v6 else "10.2.0.1"
        if "snat" in words:
            outside[0] = nat
            # The ports that are left tell the connections apart.
            if "dnat" not in words:
                outside[1] = 4000
        if self.proto == GRE:
            inside[1] = inside[3] = outside[1] = outside[3] = 0
        self.tuples = tuple(inside), tuple(outside)

    def keys(self):
        """(side, key of what comes in there, the new tuple)"""
        for side in LAN, WAN:
            there, beyond = self.tuples[side], self.tuples[1 - side]
            if side == WAN:
                there, beyond = (t[2:] + t[:2] for t in (there, beyond))
            yield side, wire_tuple(there), wire_tuple(beyond)

    def packet(self, side, **fields):
        """A frame of it that comes in at that side."""
        saddr, sport, daddr, dport = self.tuples[side]
        if side == WAN:
            saddr, sport, daddr, dport = daddr, dport, saddr, sport
        template = {
            "src": WIRE_MAC[side], "dst": HOST_MAC[side], "proto": self.proto,
            "saddr": saddr, "sport": sport, "daddr": daddr, "dport": dport,
            "tags": self.scenario.tags if side == LAN else (),
            "seq": (1000, 5000)[side], "ack": (5000, 1000)[side],
        }
        if side == WAN and self.scenario.pppoe:
            template["pppoe"] = SESSION
        if self.proto == GRE:
            template["gre"] = b"\0\0\x08\0"
        template.update(fields)
        return Packet(**template)

    def leaving(self, side):
        """The frame that came in there, with the addresses it leaves with."""
        saddr, sport, daddr, dport = self.tuples[1 - side]
        if side == WAN:
            saddr, sport, daddr, dport = daddr, dport, saddr, sport
        return self.packet(side, saddr=saddr, sport=sport, daddr=daddr,
                           dport=dport)

    def __str__(self):
        return f"{NAMES[self.proto]} over IPv{6 if self.v6 else 4}"


def wire_tuple(tup):
    saddr, sport, daddr, dport = tup
    return packed(saddr), sport, packed(daddr), dport


# --- the model ---

def word(data, at):
    return struct.unpack_from("!H", data, at)[0]


def fold(total):
    """Ones' complement: what is not zero does not become zero."""
    return total and (total % 0xffff or 0xffff)


def words_of(data):
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def replaced(check, old, new):
    """The checksum after those bytes were replaced (RFC 1624, equation 3)."""
    return fold((check ^ 0xffff) + words_of(bytes(b ^ 0xff for b in old)) +
                words_of(new)) ^ 0xffff


def decremented(check):
    """ip_decrease_ttl()'s way, whatever the checksum was."""
    check = struct.unpack("<H", struct.pack(">H", check))[0] + 1
    check += check >= 0xffff
    return struct.unpack(">H", struct.pack("<H", check & 0xffff))[0]


@dataclass
class Fate:
    """
    What the fast path does with a frame. "why" says why it does not take it;
    "out" is what it makes of it, "trimmed" the same without what is behind the
    IP packet; "natures" are reasons for classic forwarding to make something
    else of it; "record" is what the slow path leaves of it.
    """
    why: str = ""
    out: Optional[bytes] = None
    trimmed: Optional[bytes] = None
    natures: tuple = ()
    record: Optional[tuple] = None
    flow: Optional[Flow] = None
    l4: int = 0
    unsure: bool = False	# whether the flow is still there
    over: bool = False		# longer than the MTU


# conntrack takes the packet for invalid, so that NAT leaves it alone; the fast
# path does not ask it. Our module has this in common with the kernel's path.
NAT_OF = "NAT of"
TRAILERS = "a trailer behind the IP packet", "a trailer behind PPPoE's length"
# Only the kernel's path leaves it for that: what takes the trailer off first has
# no reason to.
TRAILER_OVER_MTU = "over the MTU with its trailer"


CLOSES = "FIN or RST"
# Packets that conntrack takes for the end of a connection.
CLOSING_FLAGS = FIN | ACK, FIN | ACK | URG, RST, RST | ACK


class Slow(Exception):
    """Not for the fast path: why."""


class Model:
    L4_SIZE = {TCP: 20, UDP: 8, GRE: 4}
    # The 32 bits with the ID, from the IP header on: nft's chain at ingress
    # keeps those in its sets.
    RECORDS = {ETH_IP: ("seen4", 2), ETH_IP6: ("seen6", 0)}

    def __init__(self, scenario, flows, ours):
        self.scenario = scenario
        # Ours leaves a SYN to conntrack, and a tag's priority is not the VLAN's.
        self.ours = ours
        self.flows = {}
        for flow in flows:
            for side, key, new in flow.keys():
                self.flows[side, flow.proto, key] = flow, new

    def fate(self, side, frame):
        """To be asked in the order of sending: a FIN or RST ends the flow."""
        fate = Fate()
        try:
            self.judge(side, frame, fate)
        except Slow as why:
            fate.why = str(why)
        if fate.why == CLOSES:
            flags = frame[fate.l4 + 13] & ~(PSH | ECE | CWR)
            # If conntrack does not believe it, the flow may come back; if the
            # fast path left it alone for its length, the flow is still there.
            sure = flags in CLOSING_FLAGS and \
                frame[6:12] != mac(NOISE_MAC) and not fate.over
            fate.flow.ended = "yes" if sure else "perhaps"
        return fate

    def judge(self, side, frame, fate):
        encaps, kind, at = self.open(frame)
        if kind not in self.RECORDS:
            raise Slow("neither IPv4 nor IPv6")
        name, start = self.RECORDS[kind]
        if len(frame) >= at + start + 4 and frame[6:12] != mac(NOISE_MAC):
            fate.record = name, int.from_bytes(frame[at + start:][:4], "big")
        parse = self.parse4 if kind == ETH_IP else self.parse6
        proto, key, l4 = parse(frame, at)
        if self.ours:
            encaps = tuple((tpid, tci & 0xfff if tpid in (VLAN, QINQ) else tci)
                           for tpid, tci in encaps)
        if encaps != self.scenario.encaps(side):
            raise Slow("another encapsulation")
        if (side, proto, key) not in self.flows:
            raise Slow("no flow")
        fate.flow, new = self.flows[side, proto, key]
        fate.l4 = l4
        fate.unsure = fate.flow.ended == "perhaps"
        if fate.flow.ended == "yes":
            raise Slow("the flow has ended")
        # The frame's length counts, not what the IP header says.
        mtu = self.scenario.egress_mtu(side)
        length = self.ip_length(frame, at, l4)
        fate.over = len(frame) - at > mtu
        if fate.over and length > mtu:
            raise Slow("over the MTU")
        if proto == TCP and frame[l4 + 13] & (FIN | RST):
            raise Slow(CLOSES)
        if self.ours and proto == TCP and frame[l4 + 13] & SYN:
            raise Slow("SYN")
        fate.natures = tuple(self.natures(side, frame, at, l4, proto))
        if l4 + self.L4_SIZE[proto] <= at + length <= len(frame):
            fate.trimmed = self.forwarded(side, frame[:at + length], at, l4,
                                          proto, new)
        if fate.over:
            raise Slow(TRAILER_OVER_MTU)
        fate.out = self.forwarded(side, frame, at, l4, proto, new)

    @staticmethod
    def ip_length(frame, at, l4):
        return word(frame, at + 2) if l4 - at == 20 else \
            40 + word(frame, at + 4)

    @staticmethod
    def open(frame):
        """(encapsulations, EtherType of what is in them, where that begins)"""
        encaps, kind, at = [], word(frame, 12), 14
        if kind in (VLAN, QINQ):
            # The kernel wants two bytes beyond the tag.
            if len(frame) < 20:
                raise Slow("a tag cut off")
            encaps.append((kind, word(frame, 14)))
            kind, at = word(frame, 16), 18
        if kind == VLAN and len(frame) >= at + 4:
            encaps.append((kind, word(frame, at)))
            kind, at = word(frame, at + 2), at + 4
        elif kind == ETH_PPPOE and len(frame) >= at + 8:
            encaps.append((kind, word(frame, at + 2)))
            kind = {0x21: ETH_IP, 0x57: ETH_IP6}.get(word(frame, at + 6))
            at += 8
        return tuple(encaps), kind, at

    def parse4(self, frame, at):
        """Version, length and checksum of the header are not looked at."""
        if len(frame) < at + 20:
            raise Slow("a cut header")
        if frame[at] & 0xf != 5:
            raise Slow("a header that is not of 20 bytes")
        if word(frame, at + 6) & 0x3fff:
            raise Slow("a fragment")
        return self.parse_l4(frame, at + 20, frame[at + 9], frame[at + 8],
                             frame[at + 12:at + 16], frame[at + 16:at + 20])

    def parse6(self, frame, at):
        if len(frame) < at + 40:
            raise Slow("a cut header")
        return self.parse_l4(frame, at + 40, frame[at + 6], frame[at + 7],
                             frame[at + 8:at + 24], frame[at + 24:at + 40])

    def parse_l4(self, frame, at, proto, ttl, saddr, daddr):
        if proto not in self.L4_SIZE:
            raise Slow("another protocol")
        if ttl <= 1:
            raise Slow("TTL")
        if len(frame) < at + self.L4_SIZE[proto]:
            raise Slow("a cut header")
        if proto == GRE:
            if frame[at + 1] & 7:
                raise Slow("GRE's version")
            return proto, (saddr, 0, daddr, 0), at
        return proto, (saddr, word(frame, at), daddr, word(frame, at + 2)), at

    def forwarded(self, side, frame, at, l4, proto, new):
        """As it leaves at the other wire."""
        ip, rest = bytearray(frame[at:l4]), bytearray(frame[l4:])
        size = 4 if len(ip) == 20 else 16
        saddr, sport, daddr, dport = new
        addresses = slice(12, 20) if size == 4 else slice(8, 40)
        old_ip, old_ports = bytes(ip[addresses]), bytes(rest[:4])
        new_ip, new_ports = saddr + daddr, struct.pack("!HH", sport, dport)
        check = {TCP: 16, UDP: 6}.get(proto)
        if proto != GRE and (old_ip, old_ports) != (new_ip, new_ports):
            ip[addresses], rest[:4] = new_ip, new_ports
            before = word(rest, check)
            if proto == TCP or before:
                after = replaced(before, old_ip + old_ports, new_ip + new_ports)
                if proto == UDP and not after:
                    after = 0xffff
                struct.pack_into("!H", rest, check, after)
        if size == 4:
            if old_ip != new_ip:
                struct.pack_into("!H", ip, 10, replaced(word(ip, 10), old_ip,
                                                        new_ip))
            ip[8] -= 1
            struct.pack_into("!H", ip, 10, decremented(word(ip, 10)))
        else:
            ip[7] -= 1
        return self.wrapped(1 - side, bytes(ip + rest), size == 16)

    def wrapped(self, side, body, v6):
        """In a frame to the wire of that side."""
        kind = ETH_IP6 if v6 else ETH_IP
        if side == WAN and self.scenario.pppoe:
            body = struct.pack("!HHHH", 0x1100, SESSION, len(body) + 2,
                               0x57 if v6 else 0x21) + body
            kind = ETH_PPPOE
        if side == LAN:
            for tpid, vid in reversed(self.scenario.tags):
                body = struct.pack("!HH", vid, kind) + body
                kind = tpid
        return mac(WIRE_MAC[side]) + mac(HOST_MAC[side]) + \
            struct.pack("!H", kind) + body

    def natures(self, side, frame, at, l4, proto):
        """
        What classic forwarding minds and the fast path does not look at, in
        frames that the fast path takes.
        """
        if frame[:6] != mac(HOST_MAC[side]):
            yield "a frame to another MAC address"
        end = len(frame)
        if side == WAN and self.scenario.pppoe:
            if frame[6:12] != mac(WIRE_MAC[side]):
                yield "PPPoE from another MAC address"
            # pppoe_rcv() does not mind, but a fast path may leave it to that.
            if word(frame, at - 8) != 0x1100:
                yield "PPPoE of another version, type or code"
            length = word(frame, at - 4) - 2
            if length > end - at:
                yield "PPPoE length beyond the frame"
            elif length < end - at:
                yield TRAILERS[1]
                end = at + max(length, 0)
        version = 4 if l4 - at == 20 else 6
        length = self.ip_length(frame, at, l4)
        if version == 4:
            if checksum(frame[at:l4]):
                yield "a wrong IPv4 checksum"
            if length < 20:
                yield "IPv4 length below the header's"
        if frame[at] >> 4 != version:
            yield f"IP version other than {version}"
        if length > end - at:
            yield f"IPv{version} length beyond the frame"
        elif length < end - at:
            yield TRAILERS[0]
            end = at + max(length, 20)
        if self.scenario.nat and proto != GRE:
            for what in self.invalid(frame, at, l4, proto, end):
                yield f"{NAT_OF} {what}"

    @staticmethod
    def invalid(frame, at, l4, proto, end):
        """What conntrack takes for invalid goes on without NAT."""
        l4_data = frame[l4:end]
        addresses = frame[at + 12:at + 20] if l4 - at == 20 else \
            frame[at + 8:at + 40]
        wrong = checksum(addresses + struct.pack("!II", len(l4_data), proto) +
                         l4_data)
        if proto == UDP:
            if not 8 <= word(frame, l4 + 4) <= len(l4_data):
                yield "a wrong UDP length"
            elif wrong and word(frame, l4 + 6):
                yield "a wrong checksum"
            return
        doff, flags = frame[l4 + 12] >> 4, frame[l4 + 13]
        if not 5 <= doff <= len(l4_data) // 4:
            yield "a wrong TCP data offset"
        if wrong:
            yield "a wrong checksum"
        if flags & SYN or not flags & ACK:
            yield "TCP flags that conntrack does not expect"
