# SPDX-License-Identifier: GPL-2.0
"""Cases of seen.py: what the ruleset allows, and what conntrack knows."""
import time

from packets import TCP, UDP
from seen_world import GRACE, Conn, nft

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


CASES = {"trust": trust, "oneway": oneway, "onedirection": onedirection}
