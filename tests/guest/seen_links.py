# SPDX-License-Identifier: GPL-2.0
"""Cases of seen.py: bridges, VLANs, and packets for many."""
import contextlib
import socket
import struct
import subprocess
import time

from genl import Netns
from netlink import shell
from packets import VLAN
from seen_routes import FLOW, stopped
from seen_world import GRACE, Conn, ip, ip_at, plain, sysctl, tags_of

# Reasons that say nothing of what such packets are.
OTHER_REASONS = {"no-conntrack", "no-route", "no-memory", "exists"}
# What nft_offload.ko counts for packets, not flows, or for a connection's first
# packet.
PACKET_REASONS = {"no-flow", "not-for-us", "protocol", "truncated", "fragment",
                  "ip-options", "ttl", "not-confirmed", "not-established"}


def bridge(*commands):
    for command in commands:
        subprocess.run(["bridge", "-n", "r", *command.split()], check=True)


def untagged(arrival):
    return plain(arrival.frame) is not None and not tags_of(arrival.frame)


def tagged7(arrival):
    return plain(arrival.frame) is not None and \
        tags_of(arrival.frame) == [(VLAN, 7)]


# --- VLANs of a bridge ---

MEMBER = "vlan add dev lan vid 7 pvid untagged"
# What happens, what comes (packets, answers), how answers look, how the client's
# packets look afterwards, and what undoes it.
RECONFIGURED = (
    ("port becomes a tagged member", ("vlan add dev lan vid 7",),
     (True, True), tagged7, ((VLAN, 7),), (MEMBER,)),
    ("port leaves the VLAN", ("vlan del dev lan vid 7",), (False, False),
     plain, (), (MEMBER,)),
    ("PVID moves", ("vlan add dev lan vid 8 pvid untagged",), (False, True),
     untagged, (), ("vlan del dev lan vid 8", MEMBER)),
    # What comes is br0's then, which forwards, too.
    ("vlan_filtering off", ("ip link set br0 type bridge vlan_filtering 0",),
     (True, True), tagged7, (),
     ("ip link set br0 type bridge vlan_filtering 1",)),
    # It has the bridge's Ethernet address: what comes is its own then.
    ("port leaves the bridge", ("ip link set lan nomaster",), (True, False),
     plain, (), ("ip link set lan master br0", MEMBER)),
    # The kernel's own STP ends "blocking" at once where it is off.
    ("port's state is disabled", ("link set dev lan state 0",), (False, False),
     plain, (), ("link set dev lan state 3",)),
)


def reconfigure(commands):
    for command in commands:
        if command.startswith("ip "):
            ip("r", command.removeprefix("ip "))
        else:
            bridge(command)


def bridgevlan(world, v6):
    ip("r", "link add br0 type bridge forward_delay 0 vlan_filtering 1 "
       "vlan_default_pvid 0", "addr flush dev lan", "link set lan master br0",
       "link set br0 up", "link add link br0 name br0.7 type vlan id 7",
       "link set br0.7 up")
    bridge(MEMBER, "vlan add dev br0 vid 7 self")
    client, router = (("10.1.0.2", "10.1.0.1/24"),
                      ("fd01::2", "fd01::1/64"))[v6]
    ip("r", f"addr add {router} dev br0.7" + " nodad" * v6,
       f"neigh replace {client} lladdr {world.mac('a', 'lanw')} dev br0.7 "
       "nud permanent")
    world.rules(FLOW, devices="lan, wan")
    conn = Conn(world, v6, gateway=world.mac("r", "br0.7"))
    world.establish(conn)
    for n, (text, do, goes, look, tags, undo) in enumerate(RECONFIGURED):
        good = look if look is not plain else None
        conn.tags = tags

        def change(do=do):
            reconfigure(do)
        stopped_at(world, conn, text, goes, change, good)
        if tags:
            world.becomes_fast(conn, text=text)
            later = Conn(world, v6, sport=6100 + n, tags=tags,
                         gateway=conn.gateway)
            numbers = world.exchange(later, 20, 0.3)
            world.drain()
            world.is_(f"{text}: of 20 answers of a new connection",
                      world.count(numbers, False, good=good), (20, 20))
        conn.tags = ()
        reconfigure(undo)
        world.becomes_fast(conn, text=f"{text}, over")


def stopped_at(world, conn, text, goes, change, good):
    """As stopped(), and none of the answers looks otherwise."""
    numbers = stopped(world, [conn], text, (goes[0], None), change)
    changed = world.changed
    got, sent = world.count(numbers, False, changed + GRACE, good)
    if goes[1]:
        world.is_(f"{text}: all answers come, as they should", got, sent)
    else:
        world.is_(f"{text}: of {sent} answers", got, 0)
    if good:
        bad = sum(not good(arrival) for n in numbers
                  if not world.sent[n].orig and
                  world.sent[n].time > changed + GRACE
                  for arrival in world.got.get(n, ()))
        world.is_(f"{text}: answers that leak otherwise", bad, 0)


# --- br_netfilter ---

def brnf(world, v6):
    """Bridged packets that iptables is shown; a container host has it so."""
    shell("modprobe br_netfilter")
    sysctl("r", **{"bridge__bridge-nf-call-iptables": 1,
                   "bridge__bridge-nf-call-ip6tables": 1})
    ip("r", "link add br0 type bridge forward_delay 0", "addr flush dev lan",
       "addr flush dev wan", "link set lan master br0", "link set wan master br0",
       "link set br0 up", "addr add 10.1.0.1/16 dev br0")
    world.rules(FLOW, devices="lan, wan")
    conn = Conn(world, v6, daddr=("10.1.0.3", "fd01::3")[v6],
                gateway=world.mac("b", "wanw"))
    before = world.reasons()
    numbers = world.exchange(conn, 50, 0.3)
    world.drain()
    world.is_("of 50 bridged packets and 50 answers", world.count(numbers),
              (100, 100))
    hops = {hop_limit(arrival.frame) for n in numbers
            for arrival in world.got.get(n, ())}
    world.is_("their TTL", hops, {64})
    world.ok("iptables was shown them", world.counters().orig >= 50)
    no_flow(world, conn, before)
    ip("r", "link del br0")
    shell("modprobe -r br_netfilter", check=False)


def hop_limit(frame):
    at = ip_at(frame)
    return frame[at + (8 if frame[at] >> 4 == 4 else 7)]


def no_flow(world, conn, before):
    """There is none, for a reason that is its own."""
    world.is_("no flow", world.flags(conn) & {"OFFLOAD", "HW_OFFLOAD"}, set())
    if world.in_hardware:
        world.is_("nothing in hardware", world.entries(), [])
    if not world.ours:
        return
    now = world.reasons()
    counted = {name for name, n in now.items() if n > before.get(name, 0)}
    world.is_("reasons that are counted and are not what it is",
              sorted(counted & OTHER_REASONS), [])
    world.ok("a reason of its own is counted",
             counted - OTHER_REASONS - PACKET_REASONS, now)


# --- for many ---

def multicast(world, v6):
    world.rules(FLOW)
    group, address = (("239.1.1.1", "01:00:5e:01:01:01"),
                      ("ff1e::5", "33:33:00:00:00:05"))[v6]
    source = ("10.2.0.2", "fd02::2")[v6]
    with routed(v6, "wan", ("lan", "wan2"), group, source):
        to_many(world, Conn(world, v6, saddr=source, daddr=group), address,
                ("a", "c"), "multicast")
    if not v6:
        sysctl("r", ipv4__conf__all__bc_forwarding=1,
               ipv4__conf__wan__bc_forwarding=1)
        to_many(world, Conn(world, v6, saddr=source, daddr="10.1.0.255",
                            sport=6002), world.mac("r", "wan"), ("a",),
                "broadcast")


def to_many(world, conn, address, ends, text):
    before = world.reasons()
    numbers = []
    for _ in range(50):
        numbers.append(world.send(conn, True, "b", dst=address,
                                  src=world.mac("b", "wanw")))
        world.wait(numbers[-1], 0.3)
    world.drain()
    for end in ends:
        world.is_(f"{text}: of 50 packets come at {end}", world.count(
            numbers, good=lambda arrival: arrival.end == end), (50, 50))
    no_flow(world, conn, before)


@contextlib.contextmanager
def routed(v6, come, go, group, source):
    """Multicasts to a group, from one device to others."""
    family = socket.AF_INET6 if v6 else socket.AF_INET
    level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
    with Netns("r"):
        sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMPV6
                             if v6 else socket.IPPROTO_IGMP)
        indexes = [socket.if_nametoindex(dev) for dev in (come, *go)]
    with sock:
        sock.setsockopt(level, 200, struct.pack("=i", 1))
        for n, index in enumerate(indexes):
            sock.setsockopt(level, 202, struct.pack(
                "=HBBHxxI", n, 0, 1, index, 0) if v6 else struct.pack(
                    "=HBBIiI", n, 8, 1, 0, index, 0))
        to, by = (socket.inet_pton(family, one) for one in (group, source))
        if v6:
            def name(address):
                return struct.pack("=HHI16sI", family, 0, 0, address, 0)
            out = sum(1 << n for n in range(1, len(indexes)))
            sock.setsockopt(level, 204, name(by) + name(to) + struct.pack(
                "=Hxx8I", 0, out, *[0] * 7))
        else:
            ttls = bytes(int(0 < n < len(indexes)) for n in range(32))
            sock.setsockopt(level, 204, by + to + struct.pack(
                "=H32sxxIIIi", 0, ttls, 0, 0, 0, 0))
        yield


# --- the priority in a VLAN's tag ---

def vlanprio(world, v6):
    ip("r", "link add link lan name lan.7 type vlan id 7", "link set lan.7 up",
       "addr add 10.7.0.1/24 dev lan.7", "addr add fd07::1/64 dev lan.7 nodad")
    client = ("10.7.0.2", "fd07::2")[v6]
    ip("r", f"neigh add {client} lladdr {world.mac('a', 'lanw')} dev lan.7 "
       "nud permanent")
    world.rules(FLOW, devices="lan, wan")
    conn = Conn(world, v6, saddr=client, tags=((VLAN, 7),))
    world.establish(conn)
    for text, tci in (("PCP 0", 7), ("PCP 5", 0xa007), ("DEI", 0x1007),
                      ("PCP 5 and DEI", 0xb007), ("PCP 0, again", 7)):
        conn.tags = ((VLAN, tci),)
        before = world.counters()
        numbers = []
        for _ in range(50):
            numbers.append(world.send(conn))
            world.wait(numbers[-1], 0.3)
        now = world.counters()
        world.is_(f"{text}: of 50 come", world.count(numbers), (50, 50))
        if world.mode != "classic":
            world.is_(f"{text}: by the slow path", now.orig - before.orig, 0)
        if world.in_hardware:
            world.is_(f"{text}: across the host", now.host - before.host, 0)
    ip("r", "link set lan.7 type vlan egress-qos-map 0:3 6:5")
    changed = time.monotonic()
    numbers = world.stream([conn], changed + GRACE)
    world.is_("tags of answers with egress-qos-map 0:3",
              tags_since(world, numbers, changed + GRACE), {0x6007})
    world.becomes_fast(conn, text="with egress-qos-map", hardware=False)
    # IPv4's TOS is the priority that the map is asked for.
    numbers = []
    for _ in range(20):
        numbers.append(world.send(conn, False, tos=0x10))
        world.wait(numbers[-1], 0.3)
    world.is_("tags of answers with a TOS, with egress-qos-map 6:5",
              tags_since(world, numbers, 0), {0x6007 if v6 else 0xa007})


def tags_since(world, numbers, when):
    return {tags_of(arrival.frame)[0][1] for n in numbers
            if not world.sent[n].orig and world.sent[n].time > when
            for arrival in world.got.get(n, ())}


CASES = {"bridgevlan": bridgevlan, "multicast": multicast, "brnf": brnf,
         "vlanprio": vlanprio}
