# SPDX-License-Identifier: GPL-2.0
"""Cases of seen.py: where packets go, and whether they go at all."""
import ctypes
import os
import struct
import time

from netlink import shell
from packets import TCP, UDP, libc
from seen_world import GRACE, Conn, ip, ip_at, plain, source_of, sysctl

FLOW = "meta l4proto { tcp, udp } flow add @ft"
BEYOND = ("10.9.0.%d", "fd09::%d")
GATEWAY = {"b": ("10.2.0.2", "fd02::2"), "c": ("10.3.0.2", "fd03::2")}
SYS_BPF, BPF_PROG_LOAD, BPF_OBJ_PIN, LWT_OUT = 321, 5, 6, 11
BPF_DROP = 2


def six(v6):
    return "-6 " if v6 else ""


def via(name, v6):
    return GATEWAY[name][v6]


def beyond(v6, host):
    return BEYOND[v6] % host


def chain(hook, priority, *lines):
    return f"""table inet marks_{hook} {{ chain c {{
        type filter hook {hook} priority {priority}; policy accept
        {chr(10).join(lines)}
    }}; }}
    """


# --- multi-WAN ---

# Each returns what is added to the ruleset, and what undoes it.

def table2(v6, *rules):
    """By rule, everything goes by c."""
    ip("r", f"{six(v6)}route add default via {via('c', v6)} table 2",
       *(f"{six(v6)}rule add {rule} lookup 2" for rule in rules))
    return [f"{six(v6)}rule del {rule} lookup 2" for rule in rules] + \
        [f"{six(v6)}route flush table 2"]


def by_mark(v6):
    """Answers have no mark."""
    return chain("prerouting", -150, "iifname lan meta mark set 2"), \
        table2(v6, "fwmark 2")


def by_ct_mark(v6):
    """Answers have it, too, and the table knows where the LAN is."""
    undo = table2(v6, "fwmark 2")
    ip("r", f"{six(v6)}route add {('10.1.0.0/24', 'fd01::/64')[v6]} dev lan "
       "table 2")
    return chain("prerouting", -150, "meta mark set ct mark",
                 "iifname lan ct state new meta mark set 2",
                 "ct state new ct mark set meta mark"), undo


def by_client(v6):
    """Each user of the network has an address."""
    family, key = ("ip", "10.1.0.2"), ("ip6", "fd01::2")
    family, key = (family, key)[v6]
    return chain("prerouting", -150, f"iifname lan meta mark set {family} saddr "
                 f"map {{ {key} : 2 }}"), table2(v6, "fwmark 2")


def by_source(v6):
    return "", table2(v6, f"from {('10.1.0.2', 'fd01::2')[v6]}")


def by_ecmp(v6):
    ip("r", f"{six(v6)}route del default",
       f"{six(v6)}route add default nexthop via {via('b', v6)} "
       f"nexthop via {via('c', v6)}")
    sysctl("r", **{f"ipv{'46'[v6]}__fib_multipath_hash_policy": 1})
    return "", [f"{six(v6)}route del default",
                f"{six(v6)}route add default via {via('b', v6)}"]


def by_ecmp_and_mark(v6):
    """The way that the first packet took is kept as the connection's mark."""
    text, undo = by_ecmp(v6)
    for mark, name in ((1, "b"), (2, "c")):
        ip("r", f"{six(v6)}route add default via {via(name, v6)} "
           f"table 10{mark}", f"{six(v6)}rule add fwmark {mark} lookup 10{mark}")
        undo += [f"{six(v6)}rule del fwmark {mark} lookup 10{mark}",
                 f"{six(v6)}route flush table 10{mark}"]
    return text + chain("prerouting", -150, "iifname lan meta mark set ct mark") \
        + chain("postrouting", 0, "oifname wan ct mark 0 ct mark set 1",
                "oifname wan2 ct mark 0 ct mark set 2"), undo


def by_vrf(v6):
    ip("r", "link add red type vrf table 10", "link set red up",
       "link set lan master red", "link set wan2 master red",
       f"{six(v6)}route add default via {via('c', v6)} table 10")
    return "", ["link del red"]


MARKED = (("mark, answers without", by_mark), ("mark of conntrack", by_ct_mark),
          ("mark by client", by_client), ("source", by_source),
          ("VRF", by_vrf))


def mwan(world, v6):
    """Gateways answer ARP for themselves only."""
    ip("r", f"{six(v6)}route add default via {via('b', v6)}")

    def at_c(arrival):
        return arrival.end == "c"

    for n, (text, function) in enumerate(MARKED):
        more, undo = function(v6)
        world.rules(FLOW, more)
        # Which of its packets begins a flow differs.
        conns = [Conn(world, v6, server="c", daddr=beyond(v6, 1),
                      sport=6001 + 10 * n + k) for k in range(4)]
        each = 10 if n else 30
        numbers = [number for conn in conns
                   for number in world.exchange(conn, each, 0.1)]
        world.drain()
        count = each * len(conns)
        world.is_(f"by {text}: of {count} packets come out at the right gateway",
                  world.count(numbers, True, good=at_c), (count, count))
        world.is_(f"by {text}: of {count} answers",
                  world.count(numbers, False), (count, count))
        world.becomes_fast(conns[-1], text=f"by {text}")
        ip("r", *undo, check=False)
    for n, (text, function) in enumerate((("ECMP", by_ecmp), ("ECMP and marks",
                                          by_ecmp_and_mark))):
        more, undo = function(v6)
        world.rules(FLOW, more)
        ecmp(world, v6, text, 6100 + 100 * n)
        ip("r", *undo, check=False)
    vmac(world, v6)


def ecmp(world, v6, text, first):
    conns = [Conn(world, v6, daddr=beyond(v6, 2), sport=first + n)
             for n in range(8)]
    wires, lost = {}, 0
    for conn in conns:
        numbers = world.exchange(conn, 20, 0.1)
        world.drain()
        got, sent = world.count(numbers)
        lost += sent - got
        wires[conn.sport] = {arrival.end for n in numbers
                             if world.sent[n].orig
                             for arrival in world.got.get(n, ())}
    world.is_(f"by {text}: packets of 8 connections that are lost", lost, 0)
    world.is_(f"by {text}: connections that use two gateways",
              [port for port, ends in wires.items() if len(ends) != 1], [])
    for conn in conns[:2]:
        world.becomes_fast(conn, text=f"by {text}, from {conn.sport}")


def vmac(world, v6):
    """keepalived's use_vmac: the gateway's address is on a macvlan, answers leave
    by the port below."""
    address = f"00:00:5e:00:0{1 + v6}:33"
    ip("r", f"link add vmac link lan address {address} type macvlan mode private",
       f"addr add {('10.1.0.254/32', 'fd01::fe/128 nodad')[v6]} dev vmac",
       "link set vmac up")
    sysctl("r", ipv4__conf__vmac__rp_filter=0)
    world.rules(FLOW, devices="lan, vmac, wan")
    before = world.reasons().get("no-route", 0)
    conn = Conn(world, v6, sport=6300, gateway=address)
    numbers = world.exchange(conn, 40, 0.3)
    world.drain()
    world.is_("by VRRP's address: of 40 packets and 40 answers",
              world.count(numbers), (80, 80))
    world.is_("by VRRP's address: refused for want of a route",
              world.reasons().get("no-route", 0) - before, 0)
    # Not all drivers can tell what is for a macvlan.
    world.becomes_fast(conn, text="by VRRP's address", hardware=False)
    ip("r", "link del vmac")


# --- forwarding switched off ---

def forwarding(world, v6):
    if v6:
        switches = (("ipv6__conf__all__forwarding", (False, False)),)
    else:
        switches = (("ipv4__ip_forward", (False, False)),
                    ("ipv4__conf__lan__forwarding", (False, True)),
                    ("ipv4__conf__wan__forwarding", (True, False)))
    world.rules(FLOW)
    conns = [Conn(world, v6, UDP, 6001), Conn(world, v6, TCP, 6002)]
    for conn in conns:
        world.establish(conn)
    for name, goes in switches:
        text = name.replace("__", ".")
        stopped(world, conns, f"{text}=0", goes,
                lambda: sysctl("r", **{name: 0}))
        sysctl("r", **{name: 1})
        for conn in conns:
            world.becomes_fast(conn, text=f"{text}=1")


def stopped(world, conns, text, goes, change, good=None):
    """After this change packets of (original, reply) direction get through, or
    none do."""
    change()
    changed = world.changed = time.monotonic()
    numbers = world.stream(conns, changed + GRACE)
    for conn in conns:
        mine = [n for n in numbers if world.sent[n].conn is conn]
        for orig, all_come in ((True, goes[0]), (False, goes[1])):
            if all_come is None:
                continue
            got, sent = world.count(mine, orig, changed + GRACE, good)
            name = f"{text}, {('UDP', 'TCP')[conn.proto == TCP]}, " + \
                ("to the server" if orig else "to the client")
            if all_come:
                world.is_(f"{name}: all come", got, sent)
            else:
                world.is_(f"{name}: of {sent} come", got, 0)
    return numbers


# --- routes with an encapsulation ---

def pinned_drop():
    """A program for a route that drops all; where it is pinned."""
    path = "/sys/fs/bpf/seen_drop"
    if os.path.exists(path):
        return path
    shell("mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf")
    code = struct.pack("<BBhi", 0xb7, 0, 0, BPF_DROP) + \
        struct.pack("<BBhi", 0x95, 0, 0, 0)
    program = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"GPL")
    attr = struct.pack("=IIQQIIQ", LWT_OUT, 2, ctypes.addressof(program),
                       ctypes.addressof(licence), 0, 0, 0).ljust(120, b"\0")
    fd = bpf(BPF_PROG_LOAD, attr)
    name = ctypes.create_string_buffer(path.encode())
    bpf(BPF_OBJ_PIN, struct.pack("=QII", ctypes.addressof(name), fd,
                                 0).ljust(120, b"\0"))
    return path


def bpf(command, attr):
    buffer = ctypes.create_string_buffer(attr, len(attr))
    got = libc.syscall(SYS_BPF, command, buffer, len(attr))
    if got < 0:
        raise OSError(ctypes.get_errno(), f"bpf {command}")
    return got


def in_vxlan(arrival):
    at = ip_at(arrival.frame)
    l4 = at and at + (20 if arrival.frame[at] >> 4 == 4 else 40)
    return bool(l4) and plain(arrival.frame) == UDP and \
        arrival.frame[l4 + 2:l4 + 4] == (4789).to_bytes(2, "big") and \
        arrival.frame[l4 + 12:l4 + 15] == b"\0\0\x64"


def in_mpls(arrival):
    return arrival.frame[12:14] == b"\x88\x47" and \
        int.from_bytes(arrival.frame[14:17], "big") >> 4 == 100


def in_seg6(arrival):
    at = ip_at(arrival.frame)
    return at is not None and arrival.frame[at] >> 4 == 6 and \
        arrival.frame[at + 6] == 43


def lwt(world, v6):
    shell("modprobe -a vxlan mpls_router mpls_iptunnel")
    gateway = via("b", v6)
    # seg6 has no neighbour of IPv4 to ask for.
    ip("r", "link add vx0 type vxlan external dstport 4789",
       f"addr add {('10.70.0.1/24', 'fd70::1/64 nodad')[v6]} dev vx0",
       "link set vx0 up")
    peer = ("10.70.0.2", "fd70::2")[v6]
    ip("r", f"neigh add {peer} lladdr 02:00:00:00:70:02 dev vx0 nud permanent",
       f"{six(v6)}route add {beyond(v6, 10)} encap ip{'6' * v6} id 100 "
       f"dst {gateway} via {peer} dev vx0",
       f"{six(v6)}route add {beyond(v6, 11)} encap mpls 100 "
       f"via inet{'6' * v6} {gateway} dev wan",
       f"{six(v6)}route add {beyond(v6, 12)} encap seg6 mode encap "
       "segs fd02::2 dev wan",
       f"{six(v6)}route add {beyond(v6, 13)} encap bpf out pinned "
       f"{pinned_drop()} via {gateway} dev wan")
    world.rules(FLOW, devices="lan, wan, vx0")
    for host, text, good, share in (
            (10, "VXLAN", in_vxlan, 1), (11, "MPLS", in_mpls, 1),
            (12, "SRv6", in_seg6, 1), (13, "a program that drops",
                                       lambda arrival: True, 0)):
        conn = Conn(world, v6, sport=6000 + host, daddr=beyond(v6, host))
        numbers = world.exchange(conn, 50, 0.1)
        world.drain()
        world.is_(f"route with {text}: of 50 packets come out as they should",
                  world.count(numbers, True, good=good), (50 * share, 50))
        bad = sum(not good(arrival) for n in numbers if world.sent[n].orig
                  for arrival in world.got.get(n, ()))
        world.is_(f"route with {text}: and come out otherwise", bad, 0)
        world.is_(f"route with {text}: of 50 answers",
                  world.count(numbers, False), (50, 50))


# --- addresses and routes that are no way any more ---

def localaddr(world, v6):
    s = six(v6)
    ip("r", f"{s}route add default via {via('b', v6)}")
    family = "ip6" if v6 else "ip"
    world.rules(FLOW, f"""table {family} n {{ chain post {{
        type nat hook postrouting priority 100
        oifname wan {family} daddr {beyond(v6, 30)} masquerade
    }}; }}""")
    host = beyond(v6, 5)
    bits = "/128" if v6 else "/32"
    for n, (text, do, undo) in enumerate((
            ("host becomes local", f"addr add {host}{bits} dev lo",
             f"addr del {host}{bits} dev lo"),
            ("blackhole", f"{s}route add blackhole {host}{bits}",
             f"{s}route del blackhole {host}{bits}"),
            ("prohibit", f"{s}route add prohibit {host}{bits}",
             f"{s}route del prohibit {host}{bits}"),
            ("unreachable", f"{s}route add unreachable {host}{bits}",
             f"{s}route del unreachable {host}{bits}"),
            ("local", f"{s}route add local {host}{bits} dev lo",
             f"{s}route del local {host}{bits} dev lo"))):
        conn = Conn(world, v6, sport=6001 + n, daddr=host)
        world.establish(conn, text=text)
        stopped(world, [conn], text, (False, None), lambda: ip("r", do))
        ip("r", undo)
        world.becomes_fast(conn, text=f"{text}, over")
    conn = Conn(world, v6, sport=6020, daddr=host)
    world.establish(conn, text="router's address")
    address = ("10.1.0.1/24", "fd01::1/64")[v6]
    stopped(world, [conn], "router's address is removed", (True, False),
            lambda: ip("r", f"addr del {address} dev lan"))
    ip("r", f"addr add {address} dev lan" + " nodad" * v6)
    world.becomes_fast(conn, text="router's address is back")
    masqueraded(world, v6)


def masqueraded(world, v6):
    """DHCP gives another address."""
    conn = Conn(world, v6, sport=6030, daddr=beyond(v6, 30))
    world.establish(conn, text="masqueraded")
    old, new = (("10.2.0.1", "10.2.0.77"), ("fd02::1", "fd02::77"))[v6]
    world.is_("masqueraded with", conn.peer[2], old)
    bits = " nodad" if v6 else ""
    size = "/64" if v6 else "/24"
    ip("r", f"addr del {old}{size} dev wan",
       f"addr add {new}{size} dev wan{bits}",
       # IPv4's went with the address.
       "" if v6 else f"route add default via {via('b', v6)}")
    changed = time.monotonic()
    numbers = world.stream([conn], changed + GRACE)

    def from_new(arrival):
        return source_of(arrival.frame) == new
    got, sent = world.count(numbers, True, changed + GRACE, from_new)
    world.is_("masqueraded with the new address: all come", got, sent)
    got, sent = world.count(numbers, False, changed + GRACE)
    world.is_("masqueraded with the new address: all answers come", got, sent)
    world.becomes_fast(conn, text="masqueraded with the new address")


CASES = {"mwan": mwan, "forwarding": forwarding, "lwt": lwt,
         "localaddr": localaddr}
