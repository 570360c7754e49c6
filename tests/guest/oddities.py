# SPDX-License-Identifier: GPL-2.0
"""What differential.py sends: valid frames and odd ones, in groups."""
import bisect
import itertools
import random
import struct
from dataclasses import dataclass

from fastpath import (LAN, NOISE_MAC, OTHER_MAC, SCENARIOS, SESSION, WAN,
                      Flow, Model)
from packets import (ACK, CWR, DEST_OPTIONS, DF, ECE, FIN, FRAGMENT, GRE,
                     HOP_BY_HOP, ICMP, ICMP6, MF, PSH, QINQ, ROUTING, RST,
                     SCTP, SYN, TCP, UDP, URG, VLAN, checksum)


# --- what is sent ---

@dataclass
class Item:
    """One thing to compare: mostly one frame, fragments are several."""
    text: str
    side: int
    frames: list
    ident: int
    group: str
    v6: bool
    alone: bool = False		# sent with nothing else on its way


class Plan:
    """
    All frames of a scenario, in steps: what is in a step can be under way at
    the same time, in any order between the two sides.
    """

    def __init__(self, scenario, seed):
        self.scenario = scenario
        self.rng = random.Random(f"{seed} {scenario.name}")
        self.flows = []
        self.steps = []
        self.is_v6 = False		# what the next items are
        first = 1 + 4096 * SCENARIOS.index(scenario)
        self.idents = {v6: itertools.count(first) for v6 in (False, True)}

    def flow(self, proto, v6, purpose=""):
        n = len(self.flows)
        flow = Flow(proto, v6, 10000 + n, 30000 + n, self.scenario,
                    purpose=purpose)
        self.flows.append(flow)
        return flow

    def item(self, group, side, text, what, change=None, alone=False):
        """
        A frame; "what" is a packet, several (fragments), or a function that
        makes one with the ID it is given. "change" is done to the bytes.
        """
        packets = what if isinstance(what, list) else [what]
        v6 = self.is_v6
        ident = next(self.idents[v6])
        assert ident < 0x10000
        frames = []
        for p in packets:
            frame = bytes(with_ident(p(ident) if callable(p) else p, ident))
            frames.append(change(frame) if change else frame)
        return Item(text, side, frames, ident, group, v6, alone)

    def step(self, items):
        self.steps.append(list(items))


def with_ident(p, ident):
    """The ID in the IP header, and in an IPv6 fragment's."""
    ext = tuple((kind, head[:-4] + struct.pack("!I", ident))
                if kind == FRAGMENT else (kind, head) for kind, head in p.ext)
    return p.but(ident=ident, label=p.label & 0xf0000 | ident, ext=ext)


def cutter(n):
    return lambda frame: frame[:n]


def some(values, full, n=8):
    """All of them or a few, the edges among them."""
    values = list(values)
    if full or len(values) <= n:
        return values
    return sorted({values[i * (len(values) - 1) // (n - 1)]
                   for i in range(n)} | set(values[:3]))


class Groups:
    """
    Generators of (text, packet or packets[, change]) for the frames of a flow
    that come in at one side, each a group of the test.
    """

    def __init__(self, flow, side, rng):
        self.flow = flow
        self.side = side
        self.rng = rng
        self.full = flow.scenario.full and \
            (flow.proto, flow.v6) in ((TCP, False), (UDP, True))
        self.mtu = flow.scenario.egress_mtu(side)
        self.t = flow.packet(side)

    @property
    def room(self):
        """For data in a packet of the MTU's size."""
        return self.mtu - (40 if self.t.is_v6 else 20) - \
            Model.L4_SIZE[self.t.proto]

    def sizes(self):
        t = self.t
        room = self.room
        sizes = {*some(range(64), self.full), 255, 256, 257, 512, 1000,
                 room - 2, room - 1, room}
        for n in sorted(sizes):
            yield f"{n} bytes of data", t.but(data=self.rng.randbytes(n))
        if t.is_v6:
            return
        for frag, text in ((0, "without DF"), (0x8000, "reserved flag"),
                           (0x8000 | DF, "reserved flag and DF")):
            yield text, t.but(frag=frag)

    def over_mtu(self):
        t = self.t
        room = self.room
        for more in (1, 2, 7, 8, 9, 64, 700, room, 2 * room + 100):
            data = self.rng.randbytes(room + more)
            for frag in (DF,) if t.is_v6 else (DF, 0):
                yield f"{more} over the MTU, {'DF' if frag else 'no DF'}", \
                    t.but(data=data, frag=frag)

    def ttls(self):
        t = self.t
        for ttl in some(range(256), self.full):
            yield f"TTL {ttl}", t.but(ttl=ttl)

    def classes(self):
        t = self.t
        for tos in some(range(256), self.full, 20):
            yield f"DSCP and ECN {tos:#x}", t.but(tos=tos)

    def cut(self):
        t = self.t
        whole = len(bytes(t))
        for n in range(14, whole):
            yield f"cut after {n} of {whole} bytes", t, cutter(n)
        segment = t.l4()
        for n in range(len(segment)):
            yield f"an IP packet with {n} bytes behind the header", \
                t.but(no_l4=True, data=segment[:n])

    def headers(self):
        t = self.t
        yield from self.headers6() if t.is_v6 else self.headers4()
        yield from self.padding()
        for dst, what in ((OTHER_MAC, "another host"),
                          ("ff:ff:ff:ff:ff:ff", "all"),
                          ("01:00:5e:01:02:03", "a group")):
            yield f"a frame to {what}", t.but(dst=dst)
        yield "from another MAC address", t.but(src=OTHER_MAC)

    def headers4(self):
        t = self.t
        whole = 20 + len(t.l4())
        for ihl in range(16):
            yield f"IHL {ihl} and no options", t.but(ihl=ihl)
        for n in range(1, 11):
            yield f"{4 * n} bytes of options", t.but(options=b"\x01" * (4 * n))
        for options, what in (
                (b"\x94\x04\0\0", "router alert"),
                (b"\x07\x07\x04\0\0\0\0\0", "record route"),
                # The option is full: otherwise the router would add the time.
                (b"\x44\x08\x09\0" + bytes(4), "timestamp"),
                (b"\x83\x07\x04\x0a\x02\0\x02\0", "loose source route"),
                (b"\x89\x07\x04\x0a\x02\0\x02\0", "strict source route"),
                (b"\x82\x0b" + bytes(10), "security"),
                (b"\x07\x40\x04\0", "an option that is too long"),
                (b"\x07\0\x04\0", "an option without length"),
                (b"\x9e\x04\0\0", "an unknown option"),
                (b"\0\xff\xff\xff", "rubbish behind the end of options")):
            yield what, t.but(options=options)
        for version in range(16):
            yield f"version {version}", t.but(version=version)
        for length in (0, 1, 19, 20, 21, 27, 28, 39, 40, whole - 1, whole + 1,
                       whole + 8, 1500, 2000, 0xffff):
            yield f"total length {length} of {whole}", t.but(length=length)
        for check in (0, 0xffff, 0x1234):
            yield f"header checksum {check:#x}", t.but(ip_check=check)
        for proto in (0, 2, 4, 41, 46, 50, 51, 89, SCTP, 136, 255):
            yield f"protocol {proto}", t.but(proto=proto)

    def headers6(self):
        t = self.t
        payload = len(t.l4())
        for version in range(16):
            yield f"version {version}", t.but(version=version)
        for length in (0, 1, 7, 8, 19, 20, payload - 1, payload + 1,
                       payload + 8, 1460, 2000, 0xffff):
            yield f"payload length {length} of {payload}", t.but(length=length)
        for high in range(16):
            yield f"flow label {high:#x}0000 and more", t.but(label=high << 16)
        pad = b"\0\x01\x04\0\0\0\0"
        for ext, what in (
                (((HOP_BY_HOP, pad),), "hop-by-hop options"),
                (((DEST_OPTIONS, pad),), "destination options"),
                (((HOP_BY_HOP, pad), (DEST_OPTIONS, pad)), "both"),
                (((DEST_OPTIONS, b"\x01" + pad[1:] + bytes(8)),), "16 bytes"),
                (((HOP_BY_HOP, b"\0\x05\x02\0\0\x01\0"),), "router alert"),
                (((HOP_BY_HOP, b"\0\x1e\x04\0\0\0\0"),), "skip the option"),
                (((HOP_BY_HOP, b"\0\x5e\x04\0\0\0\0"),), "drop for the option"),
                (((HOP_BY_HOP, b"\0\xde\x04\0\0\0\0"),), "tell of the option"),
                (((HOP_BY_HOP, b"\0\xc2\x04\0\1\0\0"),), "jumbo"),
                (((ROUTING, bytes([0, 0, 0, 0, 0, 0, 0])),), "routing 0"),
                (((ROUTING, bytes([2, 2, 1]) + bytes(20)),), "routing 2"),
                (((ROUTING, bytes([2, 4, 0, 0, 0, 0, 0]) + bytes(16)),),
                 "routing 4"),
                (((51, b"\x04" + bytes(22)),), "authentication"),
                (((FRAGMENT, bytes(7)),), "an atomic fragment"),
                (((DEST_OPTIONS, pad),) * 6, "six headers"),
                (((HOP_BY_HOP, b"\xff" + bytes(6)),), "a header too long")):
            yield f"extension headers: {what}", t.but(ext=ext)
        for proto in (2, 4, 41, 50, 59, 89, SCTP, 135, 136, 255):
            yield f"next header {proto}", t.but(proto=proto)

    def padding(self):
        t = self.t
        for n in (*some(range(1, 47), self.full), 100, 500):
            yield f"{n} bytes behind the packet", t.but(pad=bytes(n))
        yield "no zeros behind the packet", t.but(pad=self.rng.randbytes(9))
        full = t.but(data=bytes(self.room))
        yield "a byte behind a packet of the MTU's size", full.but(pad=b"\0")

    def checksums(self):
        t = self.t
        good = t.l4_check
        for check in (0, 1, 0xffff, 0xfffe, 0x1234):
            yield f"checksum {check:#x} instead of {good}", \
                t.but(l4_check=check)
        if t.proto == UDP:
            whole = 8 + len(t.data)
            for length in (0, 1, 7, 8, 9, whole - 1, whole + 1, 0xffff):
                yield f"UDP length {length} of {whole}", \
                    t.but(udp_length=length)
                yield f"UDP length {length} of {whole}, no checksum", \
                    t.but(udp_length=length, l4_check=0)
        for data in self.zero_sums():
            yield "a sum of zero", lambda ident, data=data: t.but(
                ident=ident, data=data)

    def zero_sums(self):
        """Data whose checksum is zero: before NAT, and after it."""
        for addresses in self.t, self.flow.leaving(self.side):
            zero = addresses.but(data=bytes(2) + self.t.data[2:], l4_check=0)
            segment = zero.l4()
            check = checksum(zero.addresses() + struct.pack(
                "!II", len(segment), zero.proto) + segment)
            yield struct.pack("!H", check) + zero.data[2:]

    def tcp(self):
        t = self.t
        for doff in range(16):
            yield f"data offset {doff}", t.but(doff=doff)
            yield f"data offset {doff}, no data", t.but(doff=doff, data=b"")
        for n in range(1, 11):
            yield f"{4 * n} bytes of options", \
                t.but(tcp_options=b"\x01" * (4 * n))
        for options, what in (
                (b"\x02\x04\x05\xb4", "MSS"),
                (b"\x01\x01\x08\x0a" + bytes(8), "timestamps"),
                (b"\x01\x01\x05\x0a" + bytes(8), "SACK"),
                (b"\x05\x02\x01\x01", "SACK without a block"),
                (b"\x02\0\0\0", "an option without length"),
                (b"\x08\x0a\0\0", "an option that is too long"),
                (b"\xfd\x04\xf9\x89", "an experiment")):
            yield what, t.but(tcp_options=options)
        for bits in range(16):
            yield f"reserved bits {bits:#x}", t.but(reserved=bits)
        for urgent in (1, 0xffff):
            yield f"urgent {urgent}", t.but(urgent=urgent, flags=ACK | URG)
        for seq, ack in ((0, 0), (0xffffffff, 1), (1000 + (1 << 31), 5000),
                         (999, 4999), (200000, 5000)):
            yield f"sequence {seq}, {ack}", t.but(seq=seq, ack=ack)

    def fragments(self):
        """IPv4 or IPv6, whole or not, in order or not."""
        t = self.t
        whole = t.l4() + self.rng.randbytes(1200)
        if t.proto == UDP:
            whole = t.but(data=self.rng.randbytes(1231)).l4()
        if t.proto == TCP:
            whole = t.but(data=self.rng.randbytes(1219)).l4()
        for cuts in ((8,), (16,), (24,), (640,), (400, 800), (64, 640, 1200)):
            parts = pieces(t, whole, cuts)
            yield f"cut at {cuts}", parts
            yield f"cut at {cuts}, backwards", parts[::-1]
            yield f"cut at {cuts}, the first alone", parts[:1]
            yield f"cut at {cuts}, without the first", parts[1:]
        # Together they are larger than the MTU, each alone is not.
        big = t.but(data=self.rng.randbytes(2 * self.mtu)).l4()
        room = (self.mtu - 60) & ~7
        yield "over the MTU together", pieces(t, big, (room, 2 * room))

    def tags(self):
        """Of what comes from a LAN; other priorities, other VLANs, no tags."""
        t = self.t
        for tags in ((), ((VLAN, 0),), ((VLAN, 5),), ((QINQ, 5),),
                     ((VLAN, 4095),), ((VLAN, 7),), ((QINQ, 7),),
                     ((QINQ, 100),), ((VLAN, 100), (VLAN, 7)),
                     ((QINQ, 100), (VLAN, 7)), ((QINQ, 100), (QINQ, 7)),
                     ((VLAN, 7), (VLAN, 0)), ((QINQ, 0), (VLAN, 7)),
                     ((VLAN, 0), (VLAN, 7)), ((QINQ, 100), (VLAN, 0)),
                     ((QINQ, 100), (VLAN, 7), (VLAN, 8)),
                     ((VLAN, 1), (VLAN, 2), (VLAN, 3))):
            text = " ".join(f"{tpid:#x}:{vid}" for tpid, vid in tags)
            yield f"tags {text or 'none'}", t.but(tags=tags)
        for n, (tpid, vid) in enumerate(t.tags):
            for bits in range(1, 16):
                tags = list(t.tags)
                tags[n] = tpid, bits << 12 | vid
                yield f"tag {n} with priority and DEI {bits}", \
                    t.but(tags=tuple(tags))

    def sessions(self):
        """PPPoE, as session and LAN."""
        t = self.t
        body = 2 + (40 if t.is_v6 else 20) + len(t.l4())
        for session in (0, 1, SESSION, SESSION + 1, 0xffff):
            yield f"session {session}", t.but(pppoe=session)
        for head in (0, 0x1000, 0x2100, 0x1200, 0x1109, 0x11a7, 0xff00):
            yield f"version, type and code {head:#x}", \
                t.but(pppoe=SESSION, pppoe_head=head)
        for length in (0, 1, 2, 3, 22, 42, body - 1, body + 1, 2000, 0xffff):
            yield f"PPPoE length {length} of {body}", \
                t.but(pppoe=SESSION, pppoe_length=length)
        for ppp in (0, 0x21, 0x57, 0x2100, 0x8021, 0xc021, 0xfd):
            yield f"PPP protocol {ppp:#x}", t.but(pppoe=SESSION, ppp=ppp)
        yield "a trailer", t.but(pppoe=SESSION, pad=bytes(10))
        yield "no session", t.but(pppoe=None)

    def gre(self):
        t = self.t
        for version in range(8):
            yield f"GRE version {version}", \
                t.but(gre=struct.pack("!HH", version, 0x800))
        for bits in some(range(256), False, 24):
            yield f"GRE flags {bits:#x}", \
                t.but(gre=struct.pack("!BBH", bits, 0, 0x800) + bytes(12))
        for key in (1, 7, 0xffff):
            yield f"PPTP's call {key}", \
                t.but(gre=struct.pack("!HHHHI", 0x3001, 0x880b, 9, key, 1))

    def icmp(self):
        """Pings, and errors about packets of the flow, through the router."""
        t = self.t
        kind = ICMP6 if t.is_v6 else ICMP
        ping = t.but(proto=kind)
        echo = (128, 129) if t.is_v6 else (8, 0)
        for n in 0, 1, 31, 1000:
            data = bytes(n)
            yield f"ping with {n} bytes", ping.but(icmp=(echo[0], 0), data=data)
        yield "a reply to no ping", ping.but(icmp=(echo[1], 0))
        errors = ((1, 4), (2, 0), (3, 0), (4, 1)) if t.is_v6 else \
            ((3, 2), (3, 3), (3, 4), (11, 0), (12, 0), (5, 1), (4, 0))
        # The packet that an ICMP error is about went the other way.
        about = t.but(saddr=t.daddr, daddr=t.saddr, sport=t.dport,
                      dport=t.sport, tags=(), pppoe=None)
        for icmp in errors:
            for size in (0, 8, 100):
                yield f"ICMP {icmp} about the flow, {size} bytes", \
                    self.error(ping, icmp, about, size)

    @staticmethod
    def error(ping, icmp, about, size):
        """With the same ID as the packet that it is about."""
        def make(ident):
            p = with_ident(about, ident)
            packet = p.ip6() if p.is_v6 else p.ip4()
            head = 40 if p.is_v6 else 20
            return ping.but(icmp=icmp, data=packet[:head + 8 + size])
        return make

    def random(self):
        """Several oddities at once."""
        t = self.t
        rng = self.rng
        for n in range(300 if self.full else 60):
            p = t.but(data=rng.randbytes(rng.choice(
                (0, 1, rng.randrange(100), rng.randrange(self.mtu)))),
                ttl=rng.choice((0, 1, 2, 64, 255, rng.randrange(256))),
                tos=rng.randrange(256))
            for name, value in (
                    ("l4_check", rng.choice((0, rng.randrange(0x10000)))),
                    ("pad", rng.randbytes(rng.randrange(30))),
                    ("version", rng.randrange(16)),
                    ("length", rng.randrange(100)),
                    ("ip_check", rng.randrange(0x10000)),
                    ("ihl", rng.randrange(16)),
                    # No timestamps: they change with the time.
                    ("options", rng.randbytes(4 * rng.randrange(11)).replace(
                        b"\x44", b"\x45")),
                    ("doff", rng.randrange(16)),
                    ("tcp_options", rng.randbytes(4 * rng.randrange(11))),
                    ("reserved", rng.randrange(16)),
                    ("udp_length", rng.randrange(100)),
                    ("frag", rng.choice((0, DF, 0x8000))),
                    ("label", rng.randrange(1 << 20)),
                    ("flags", rng.choice((ACK, PSH | ACK, SYN, URG | ACK)))):
                if rng.randrange(8) == 0 and not (
                        t.is_v6 and name in ("options", "ihl")):
                    p = p.but(**{name: value})
            yield f"random {n}", p
        for n in range(200 if self.full else 40):
            yield f"mutated {n}", t, self.mutation(t)

    def mutation(self, t):
        """Changes bytes that are neither the tuple's nor the ID's."""
        start = len(bytes(t)) - (40 if t.is_v6 else 20) - len(t.l4())
        kept = {*range(12)}
        if t.is_v6:
            kept |= {*range(start, start + 4), start + 6,
                     *range(start + 8, start + 44)}
        else:
            # Pieces of a packet would wait for others.
            kept |= {*range(start + 4, start + 8), start + 9,
                     *range(start + 12, start + 24)}
        # A FIN or RST would end the flow.
        if t.proto == TCP:
            kept.add(start + (40 if t.is_v6 else 20) + 13)
        whole = len(bytes(t))
        free = [at for at in range(whole) if at not in kept]
        # Mostly in the headers, where it matters.
        headers = free[:bisect.bisect(free, start + 60)]
        changes = [(self.rng.choice(self.rng.choice((headers, free))),
                    self.rng.choice((0, 0xff, self.rng.getrandbits(8))))
                   for _ in range(self.rng.randint(1, 3))]
        size = self.rng.choice((whole, whole, self.rng.randint(14, whole)))

        def change(frame):
            frame = bytearray(frame)
            for at, value in changes:
                frame[at] = value
            return bytes(frame[:size])
        return change


def pieces(t, whole, cuts):
    """Fragments of an L4 segment, cut at multiples of eight."""
    result = []
    for start, end in zip((0, *cuts), (*cuts, len(whole))):
        more = end < len(whole)
        if t.is_v6:
            head = struct.pack("!BHI", 0, start | more, 77)
            result.append(t.but(ext=((FRAGMENT, head),), no_l4=True,
                                data=whole[start:end]))
        else:
            result.append(t.but(frag=(MF if more else 0) | start // 8,
                                no_l4=True, data=whole[start:end]))
    return result


def make_plan(scenario, seed):
    plan = Plan(scenario, seed)
    kinds = [(proto, v6) for v6 in (False, True) for proto in (TCP, UDP)]
    # First: the kernel gives its flows 30 seconds without traffic.
    if scenario.full:
        kinds = [(GRE, False), (GRE, True), *kinds]
    for proto, v6 in kinds:
        flow = plan.flow(proto, v6, "all")
        for side in LAN, WAN:
            groups = Groups(flow, side, plan.rng)
            for name, group in wanted_groups(scenario, proto, side, groups):
                plan.is_v6 = v6
                plan.step([plan.item(f"{flow}: {name}", side, *what)
                           for what in group()])
        if proto == TCP and (not scenario.groups or
                             "flags" in scenario.groups):
            add_flags(plan, v6)
    if scenario.full:
        add_noise(plan)
    return plan


def wanted_groups(scenario, proto, side, groups):
    result = [("sizes", groups.sizes), ("GRE", groups.gre),
              ("over MTU", groups.over_mtu), ("TTL", groups.ttls),
              ("DSCP and ECN", groups.classes), ("cut", groups.cut),
              ("headers", groups.headers), ("checksums", groups.checksums),
              ("TCP", groups.tcp), ("fragments", groups.fragments),
              ("tags", groups.tags), ("PPPoE", groups.sessions),
              ("ICMP", groups.icmp), ("random", groups.random)]
    for name, group in result:
        if scenario.groups and name not in scenario.groups:
            continue
        if (name == "GRE" and proto != GRE or name == "TCP" and proto != TCP or
                name in ("checksums", "random") and proto == GRE or
                name == "tags" and side != LAN or
                name == "PPPoE" and side != WAN):
            continue
        yield name, group


def add_flags(plan, v6):
    """All TCP flags, each on a flow of its own, and what comes after them."""
    plan.is_v6 = v6
    everything = range(256)
    few = (FIN | ACK, RST, RST | ACK, FIN, SYN, SYN | ACK, 0, 0xff, FIN | RST,
           FIN | ACK | PSH, ECE | ACK, CWR | ACK, URG | ACK)
    for side in LAN, WAN:
        values = everything if plan.scenario.full and not v6 and side == LAN \
            else few
        tests = [(flags, plan.flow(TCP, v6, "flags")) for flags in values]
        steps = ([], [], [])
        for flags, flow in tests:
            name = f"{flow}: flags"
            text = f"flags {flags:#04x}"
            for step, (at, sent, what) in zip(steps, (
                    (side, flags, text), (side, ACK, f"ACK after {text}"),
                    (1 - side, ACK, f"ACK from the other side after {text}"))):
                step.append(plan.item(name, at, what,
                                      flow.packet(at, flags=sent)))
        for step in steps:
            plan.step(step)


def add_noise(plan):
    """Frames that may be anything, one by one."""
    rng = plan.rng
    flows = [plan.flow(proto, v6, "noise")
             for proto in (TCP, UDP) for v6 in (False, True)]
    for n in range(250):
        flow, side = rng.choice(flows), rng.choice((LAN, WAN))
        frame = bytearray(bytes(flow.packet(side, src=NOISE_MAC,
                                            ident=0xffff)))
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(12, rng.choice((len(frame), 60)))
            frame[at] = rng.choice((0, 0xff, rng.getrandbits(8)))
        if n % 5 == 0:
            frame[34:] = rng.randbytes(rng.randrange(200))
        frame = bytes(frame[:rng.choice((len(frame), rng.randint(14, 60)))])
        plan.step([Item(f"noise {n}", side, [frame], 0, "noise", flow.v6,
                        alone=True)])
