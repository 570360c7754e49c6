# SPDX-License-Identifier: GPL-2.0
"""Cases of seen.py: what the ruleset allows, and what conntrack knows."""
import contextlib
import socket
import struct
import subprocess
import time

import nfqueue
from genl import Netns
from netlink import shell
from packets import GRE, TCP, UDP
from seen_world import GRACE, Conn, nft, sysctl

LATE = """table inet late {
    chain f {
        type filter hook forward priority 10; policy accept
        iifname lan udp dport 5000 counter drop
    }
}"""


def trust(world, v6):
    """The original direction reaches flow add, and a later chain drops it: a
    packet of the other direction is no proof that it may go on."""
    world.spoiled = False
    world.rules("iifname lan meta l4proto { tcp, udp } flow add @ft")
    conn = Conn(world, v6)
    world.establish(conn)
    nft(LATE)
    changed = time.monotonic()
    numbers = []
    # 8 s later it was seen in hardware again.
    while time.monotonic() < changed + (10 if world.in_hardware else 4):
        numbers.append(world.send(conn, True))
        for _ in range(6):
            numbers.append(world.send(conn, False))
            world.pump(0.003)
    world.drain()
    got, sent = world.count(numbers, True, changed + GRACE)
    world.is_(f"of {sent} packets that a new rule drops, so many get through",
              got, 0)
    got, sent = world.count(numbers, False, changed + GRACE)
    world.is_("answers go on", got, sent)
    reinjected(world, v6)


class Queue:
    """netfilter's queue 0 in netns r: what it holds goes on when told."""

    def __enter__(self):
        with Netns("r"):
            self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                      nfqueue.NETLINK_NETFILTER)
        nfqueue.ask(self.sock, nfqueue.NFQA_CFG_CMD,
                    struct.pack("!BxH", nfqueue.BIND, 0))
        nfqueue.ask(self.sock, nfqueue.NFQA_CFG_PARAMS,
                    struct.pack("!IB", 0, nfqueue.COPY_META))
        self.sock.settimeout(1)
        return self

    def __exit__(self, *_):
        self.sock.close()

    def held(self):
        """The number of the next packet; None when none comes."""
        while True:
            try:
                message = self.sock.recv(65536)
            except TimeoutError:
                return None
            if struct.unpack_from("=H", message, 4)[0] == nfqueue.MSG_PACKET:
                return nfqueue.packet_id(message)

    def release(self, number):
        nfqueue.send(self.sock, nfqueue.MSG_VERDICT, nfqueue.NFQA_VERDICT_HDR,
                     struct.pack("!I", nfqueue.NF_ACCEPT) + number)


def reinjected(world, v6):
    """A packet has passed flow add and waits in a queue while the ruleset
    forbids what it did: that it goes on says nothing of the next."""
    world.rules("iifname lan meta l4proto { tcp, udp } flow add @ft", """
        table inet q {
            chain first {
                type filter hook forward priority -10; policy accept
            }
            chain later {
                type filter hook forward priority 10; policy accept
                iifname lan udp dport 5000 queue num 0
            }
        }""")
    conn = Conn(world, v6, sport=6002)
    with Queue() as queue:
        # Until it goes fast, which it does without a queue.
        for _ in range(6):
            number = world.send(conn)
            held = queue.held()
            if held:
                queue.release(held)
            world.wait(number, 1)
            world.wait(world.send(conn, False), 1)
        # Now one has to be asked for again, which is held.
        nft("table inet other { }")
        for _ in range(6):
            last = world.send(conn)
            held = queue.held()
            if held:
                break
            world.wait(world.send(conn, False), 1)
        if not world.ok("after a commit a packet reaches the queue", held):
            return
        nft("add rule inet q first iifname lan udp dport 5000 drop")
        queue.release(held)
        world.ok("what was in the queue goes on", world.wait(last, 1))
        changed = time.monotonic()
        numbers = world.stream([conn], changed + GRACE)
        world.is_("after what was in a queue: packets that get through and are "
                  "forbidden", world.count(numbers, True, changed + GRACE)[0],
                  0)




def oneway(world, v6):
    """One direction of UDP is allowed, answers are not."""
    world.spoiled = False
    world.rules("""iifname lan oifname wan udp dport 5000 flow add @ft
        iifname lan oifname wan udp dport 5000 accept""", policy="drop")
    conn = Conn(world, v6)
    numbers = world.exchange(conn, 100, 0.05)
    world.drain()
    world.is_("packets that are allowed: 100 come",
              world.count(numbers, True), (100, 100))
    world.is_("answers, which are not: 0 of 100 come",
              world.count(numbers, False), (0, 100))
    world.ok("what is allowed goes fast", world.mode == "classic" or
             world.carried(conn, (True,)), world.ct(conn), world.reasons())


def onedirection(world, v6):
    """flow add for one direction, and a commit that concerns nobody."""
    world.spoiled = False
    world.rules("""iifname lan oifname wan meta l4proto { tcp, udp } flow add @ft
        iifname lan accept
        ct state established accept""", policy="drop")
    conns = [Conn(world, v6, proto, 6001 + n)
             for n, proto in enumerate((UDP, TCP))]
    for conn in conns:
        world.establish(conn)
    nft("table inet other { set s { type ipv4_addr; }; }")
    for conn in conns:
        world.becomes_fast(conn, text="after an unrelated commit")


# --- what conntrack knows of a flow that has ended ---

TIMEOUTS = {
    "nf_conntrack_udp_timeout": (6, 30), "nf_conntrack_udp_timeout_stream": (60, 120),
    "nf_conntrack_gre_timeout": (6, 30), "nf_conntrack_gre_timeout_stream": (60, 180),
    "nf_conntrack_tcp_timeout_established": (300, 432000),
    "nf_flowtable_udp_timeout": (3, 30), "nf_flowtable_tcp_timeout": (3, 30)}
SLACK = 3		# seconds: a time-out is a whole number of them


@contextlib.contextmanager
def short_timeouts():
    names = {name: value for name, value in TIMEOUTS.items()
             if "gre" not in name or with_gre()}
    sysctl("r", **{f"netfilter__{name}": one
                   for name, (one, _) in names.items()})
    try:
        yield
    finally:
        sysctl("r", **{f"netfilter__{name}": one
                       for name, (_, one) in names.items()})


def with_gre():
    return "nf_conntrack_gre_timeout" in shell(
        "in_ns r ls /proc/sys/net/netfilter")


def idle(world, conns):
    """Until no flow is left of these; none has a packet meanwhile."""
    return world.until(lambda: not any(
        world.flags(conn) & {"OFFLOAD", "HW_OFFLOAD"} for conn in conns),
        patience=30)


def has_left(world, conn, text, timeout, since):
    """As many seconds as this time-out leaves, whose last packet was then."""
    found = world.ct(conn) or {"left": None}
    passed = time.monotonic() - since
    world.ok(f"{text}: {timeout} s after the last packet it would be gone",
             found["left"] is not None and
             abs(timeout - passed - found["left"]) <= SLACK,
             f"{passed:.1f} s ago, {found}")
    return found


def udp(world, v6):
    """The first answer is late, or there were packets before it."""
    world.spoiled = False
    family = "ip6" if v6 else "ip"
    world.rules("meta l4proto { tcp, udp, gre } flow add @ft", f"""
        table {family} n {{ chain post {{
            type nat hook postrouting priority 100
            oifname wan meta l4proto udp masquerade
        }}; }}""")
    early, late, gre = conns = (Conn(world, v6, UDP, 6001),
                                Conn(world, v6, UDP, 6002),
                                Conn(world, v6, GRE))
    texts = ("UDP, three before the first answer", "UDP, a late answer", "GRE")
    with short_timeouts():
        begun = time.monotonic()
        world.wait(world.send(late), 1)
        for _ in range(3):
            for conn in (early, gre):
                world.wait(world.send(conn), 1)
        # Conntrack calls it a stream when it is two seconds old.
        last = {}
        for conn in conns:
            while conn is late and time.monotonic() < begun + 2.5:
                world.pump(0.1)
        numbers = []
        while time.monotonic() < begun + 5:
            for conn in conns:
                numbers += world.exchange(conn, 1, 0.5)
                last[conn] = time.monotonic()
            world.pump(0.05)
        world.drain()
        got, sent = world.count(numbers)
        world.is_("all arrive", got, sent)
        for conn, text in zip(conns, texts):
            world.becomes_fast(conn, text=text, hardware=conn is not gre)
            last[conn] = time.monotonic()
        world.ok("flows end when nothing comes", idle(world, conns))
        for conn, text in zip(conns, texts):
            found = has_left(world, conn, text, 60, last[conn])
            world.is_(f"{text}: status", found.get("flags"), {"ASSURED"})
        while time.monotonic() < max(last.values()) + 8:
            world.pump(0.1)
        for conn, text in zip(conns, texts):
            number = world.send(conn, False)
            world.ok(f"{text}: 8 s later the server reaches the client",
                     world.wait(number, 1))


def cttimeout(world, v6):
    """Time-outs of a policy, of a zone, and of an entry that was changed."""
    world.spoiled = False
    kind = "ip6" if v6 else "ip"
    world.rules("""ct mark 5 drop
        meta l4proto { tcp, udp } flow add @ft""", f"""
        table inet own {{
            ct timeout tp {{
                protocol tcp; l3proto {kind}
                policy = {{ established : 40, close : 5 }}
            }}
            ct timeout up {{
                protocol udp; l3proto {kind}
                policy = {{ unreplied : 30, replied : 50 }}
            }}
            chain zone {{
                type filter hook prerouting priority -300; policy accept
                tcp sport 6003 ct zone set 7
                tcp dport 6003 ct zone set 7
            }}
            chain pre {{
                type filter hook prerouting priority -190; policy accept
                tcp sport 6001 ct timeout set "tp"
                udp sport 6002 ct timeout set "up"
            }}
        }}""")
    kinds = (("TCP with a policy", TCP, 6001, 40),
             ("UDP with a policy", UDP, 6002, 50),
             ("TCP in a zone", TCP, 6003, 300), ("TCP", TCP, 6004, 300),
             ("TCP, changed by conntrack -U", TCP, 6005, 300))
    with short_timeouts():
        conns, last, begun = [], {}, {}
        for text, proto, port, _ in kinds:
            conn = Conn(world, v6, proto, port)
            conns.append(conn)
            begun[conn] = time.monotonic()
            world.establish(conn, text=text)
        update(world, conns[-1], "-m 6")
        for conn in conns:
            # UDP has to be two seconds old.
            while time.monotonic() < begun[conn] + 2.5:
                world.pump(0.1)
            world.exchange(conn, 3, 0.5)
            last[conn] = time.monotonic()
        world.ok("flows end when nothing comes", idle(world, conns))
        for conn, (text, _, _, timeout) in zip(conns, kinds):
            has_left(world, conn, text, timeout, last[conn])
        world.is_("the mark that conntrack -U has set",
                  (world.ct(conns[-1]) or {}).get("mark"), 6)
    marked_later(world, v6)


def update(world, conn, what):
    proto = {TCP: "tcp", UDP: "udp"}[conn.proto]
    family = "ipv6" if conn.v6 else "ipv4"
    subprocess.run(
        ["nsenter", "--net=/run/netns/r", "conntrack", "-U", "-f", family, "-p",
         proto, "--orig-port-src", str(conn.sport), *what.split()],
        check=world.mode == "classic", stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


def marked_later(world, v6):
    """conntrack -U gives it a mark that the ruleset drops."""
    conn = Conn(world, v6, UDP, 6006)
    world.establish(conn, text="without a mark")
    update(world, conn, "-m 5")
    changed = time.monotonic()
    numbers = world.stream([conn], changed + GRACE)
    got, sent = world.count(numbers, None, changed + GRACE)
    world.is_(f"with a mark that is dropped: of {sent} come", got, 0)


CASES = {"trust": trust, "oneway": oneway, "onedirection": onedirection,
         "udp": udp, "cttimeout": cttimeout}
