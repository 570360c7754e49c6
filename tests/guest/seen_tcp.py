# SPDX-License-Identifier: GPL-2.0
"""A case of seen.py: TCP's beginnings and ends, as conntrack has to see them."""
import time

from packets import ACK, FIN, RST, SYN, TCP
from seen_routes import FLOW
from seen_world import PATIENCE, Conn, is_tcp, plain, sysctl

RULES = f"""
    ct state invalid drop
    {FLOW}
    ct state established accept
    iifname lan ct state new tcp flags & (syn | ack) == syn accept
"""
FAR = 0x20000000	# out of any window


def tcpsyn(world, v6):
    world.spoiled = False
    world.rules(RULES, policy="drop")
    sysctl("r", netfilter__nf_flowtable_tcp_timeout=3)
    again(world, v6)
    unexpected(world, v6)
    half_closed(world, v6)
    third_party(world, v6)
    world.rules(f"ct state invalid drop\n{FLOW}")
    simultaneous(world, v6)
    sysctl("r", netfilter__nf_flowtable_tcp_timeout=30)


def control(world, conn, orig, flags, **fields):
    """A segment without data: whether it comes out."""
    before = len(world.other)
    packet = conn.packet(orig, flags, **fields)
    world.ends["a" if orig else conn.peer[0]].send(bytes(packet))
    if flags & (SYN | FIN) and "seq" not in fields:
        conn.seq[orig] += 1

    def came():
        return any(is_tcp(one.frame, flags) and
                   (one.end == "a") != orig and plain(one.frame) == TCP
                   for one in world.other[before:])
    end = time.monotonic() + 1
    while not came() and time.monotonic() < end:
        world.pump(0.005)
    return came()


def state(world, conn):
    found = world.ct(conn)
    return found["state"] if found else None


def opened(world, conn, text):
    """A handshake, all of it by the slow path."""
    before = world.counters()
    came = [control(world, conn, orig, flags) for orig, flags in (
        (True, SYN), (False, SYN | ACK), (True, ACK))]
    now = world.counters()
    world.is_(f"{text}: the handshake comes through", came, [True] * 3)
    world.ok(f"{text}: the slow path has seen the SYN and its answer",
             now.orig > before.orig and now.reply > before.reply)


def goes_on(world, conn, text):
    """It goes fast, and conntrack takes it for what it is. That shows when there is
    no flow any more."""
    world.becomes_fast(conn, text=text)
    world.until(lambda: not offloaded(world, conn))
    world.is_(f"{text}: conntrack's state", state(world, conn), "ESTABLISHED")


def offloaded(world, conn):
    return world.flags(conn) & {"OFFLOAD", "HW_OFFLOAD"}


def again(world, v6):
    """RST, and the same addresses and ports at once."""
    conn = Conn(world, v6, TCP, 6001)
    world.establish(conn)
    for n, pause in enumerate((0, 0.3)):
        world.ok(f"RST {n} comes through", control(
            world, conn, True, RST | ACK))
        world.pump(pause)
        conn.seq = {True: 100000 * (n + 1), False: 200000 * (n + 1)}
        text = f"again {pause} s after a RST"
        opened(world, conn, text)
        goes_on(world, conn, text)
    control(world, conn, True, RST | ACK)
    ended(world, conn, "after RST", "CLOSE", 10)


def ended(world, conn, text, name, timeout):
    """conntrack has what classic forwarding leaves."""
    if world.mode != "classic":
        world.until(lambda: not offloaded(world, conn))
    found = world.ct(conn) or {"state": None, "left": None}
    world.is_(f"{text}: conntrack's state", found["state"], name)
    world.ok(f"{text}: and time-out, {timeout} s", found["left"] is not None and
             timeout - PATIENCE <= found["left"] <= timeout, found)


def unexpected(world, v6):
    """A client that has forgotten its connection begins it anew."""
    conn = Conn(world, v6, TCP, 6003)
    world.establish(conn)
    old = dict(conn.seq)
    before = world.counters().orig
    came = control(world, conn, True, SYN, seq=500000, ack=0)
    world.ok("SYN on a live flow comes through", came)
    world.is_("SYN on a live flow: by the slow path",
              world.counters().orig - before, 1)
    # RFC 5961: "what was that?", and the client says that it knows nothing.
    world.ok("the server's challenge comes through",
             control(world, conn, False, ACK))
    world.ok("the client's RST comes through", control(
        world, conn, True, RST, seq=old[True], ack=0))
    conn.seq = {True: 500000, False: 600000}
    opened(world, conn, "after a SYN on a live flow")
    goes_on(world, conn, "after a SYN on a live flow")


def half_closed(world, v6):
    """The client has said all, the server speaks on for longer than a flow lives
    without packets; then it ends."""
    conn = Conn(world, v6, TCP, 6004)
    world.establish(conn)
    world.ok("the client's FIN comes through",
             control(world, conn, True, FIN | ACK))
    world.ok("its acknowledgement comes through",
             control(world, conn, False, ACK))
    numbers = []
    for _ in range(20):
        numbers.append(world.send(conn, False))
        world.pump(0.25)
        control(world, conn, True, ACK)
    world.drain()
    world.is_("half closed: of 20 packets of the server come",
              world.count(numbers), (20, 20))
    world.is_("half closed: conntrack's state", state(world, conn),
              "CLOSE_WAIT")
    world.ok("the server's FIN comes through",
             control(world, conn, False, FIN | ACK))
    world.ok("the last acknowledgement comes through",
             control(world, conn, True, ACK))
    ended(world, conn, "closed", "TIME_WAIT", 120)


def third_party(world, v6):
    """RST that belongs to no window: conntrack knows, and the flow goes on."""
    conn = Conn(world, v6, TCP, 6005)
    world.establish(conn)
    for orig, whose in ((True, "client"), (False, "server")):
        came = control(world, conn, orig, RST, seq=conn.seq[orig] + FAR, ack=0)
        world.is_(f"RST out of the window, as if the {whose}'s, comes through",
                  came, False)
        goes_on(world, conn, f"after a RST as if the {whose}'s")
        world.becomes_fast(conn, text="and again")


def simultaneous(world, v6):
    """Both begin at the same time."""
    conn = Conn(world, v6, TCP, 6006)
    came = [control(world, conn, True, SYN),
            control(world, conn, False, SYN)]
    first = {True: conn.seq[True] - 1, False: conn.seq[False] - 1}
    came += [control(world, conn, orig, SYN | ACK, seq=first[orig])
             for orig in (True, False)]
    world.is_("simultaneous open: all comes through", came, [True] * 4)
    goes_on(world, conn, "simultaneous open")


CASES = {"tcpsyn": tcpsyn}
