# SPDX-License-Identifier: GPL-2.0
"""A case of seen.py: policies and states of IPsec that come and go."""
import time

from packets import TCP, UDP
from seen_routes import FLOW, stopped
from seen_world import GRACE, Conn, ip, ip_at, plain

ESP = 50
LAN_NET = ("10.1.0.0/24", "fd01::/64")
WAN_NET = ("10.2.0.0/24", "fd02::/64")
OURS = ("10.2.0.1", "fd02::1")
PEER = ("10.2.0.2", "fd02::2")


def in_esp(arrival):
    at = ip_at(arrival.frame)
    return at is not None and \
        arrival.frame[at + (9 if arrival.frame[at] >> 4 == 4 else 6)] == ESP


def in_clear(arrival):
    return plain(arrival.frame) is not None


def policy(v6, way, what):
    """Of direction out, or fwd and in."""
    src, dst = LAN_NET[v6], WAN_NET[v6]
    if way != "out":
        src, dst = dst, src
    return f"xfrm policy add src {src} dst {dst} dir {way} {what}"


def template(v6, way):
    src, dst = OURS[v6], PEER[v6]
    if way != "out":
        src, dst = dst, src
    return f"tmpl src {src} dst {dst} proto esp mode tunnel"


def state(v6, spi):
    return f"xfrm state add src {OURS[v6]} dst {PEER[v6]} proto esp " \
        f"spi {spi} mode tunnel enc 'ecb(cipher_null)' '' " \
        "auth 'hmac(sha1)' 0x0102030405060708090a0b0c0d0e0f1011121314"


def forget(v6, spi):
    return f"xfrm state delete src {OURS[v6]} dst {PEER[v6]} proto esp spi {spi}"


def ipsec(world, v6):
    world.rules(FLOW)
    conns = [Conn(world, v6, UDP, 6001), Conn(world, v6, TCP, 6002)]
    for conn in conns:
        world.establish(conn)
    comes(world, v6, conns)
    encrypts(world, v6, conns)
    first(world, v6)


def comes(world, v6, conns):
    """Policies that appear while flows run."""
    for way, goes in (("out", (False, True)), ("fwd", (True, False)),
                      ("in", (True, True))):
        stopped(world, conns, f"policy {way} block", goes,
                lambda: ip("r", policy(v6, way, "action block")))
        ip("r", "xfrm policy flush")
        for conn in conns:
            world.becomes_fast(conn, text=f"policy {way} is gone")
    stopped(world, conns, "policy fwd wants protection", (True, False),
            lambda: ip("r", policy(v6, "fwd", template(v6, "fwd"))))
    ip("r", "xfrm policy flush")
    for conn in conns:
        world.becomes_fast(conn, text="policy fwd is gone")


def encrypts(world, v6, conns):
    """ESP, another key, no state, no policy."""
    before = world.reasons()
    ip("r", state(v6, "0x100"))
    esp(world, conns, "policy out ESP",
        lambda: ip("r", policy(v6, "out", template(v6, "out"))))
    if world.ours:
        now = world.reasons()
        world.ok("reason ipsec is counted",
                 now.get("ipsec", 0) > before.get("ipsec", 0), now)
        world.is_("reason no-ethernet is not", now.get("no-ethernet", 0) -
                  before.get("no-ethernet", 0), 0)
    esp(world, conns, "another key", lambda: ip(
        "r", state(v6, "0x101"), forget(v6, "0x100")), since=0)
    stopped(world, conns, "no state any more", (False, True),
            lambda: ip("r", forget(v6, "0x101")), good=lambda _: True)
    ip("r", "xfrm policy flush", "xfrm state flush")
    for conn in conns:
        world.becomes_fast(conn, text="no policy any more")


def esp(world, conns, text, change, since=GRACE):
    change()
    changed = time.monotonic()
    numbers = world.stream(conns, changed + since)
    got, sent = world.count(numbers, True, changed + since, in_esp)
    world.is_(f"{text}: all come by ESP", got, sent)
    world.is_(f"{text}: of {sent} in clear",
              world.count(numbers, True, changed + since, in_clear)[0], 0)


def first(world, v6):
    """Policies that were there before the connections."""
    ip("r", state(v6, "0x100"), policy(v6, "out", template(v6, "out")))
    conns = [Conn(world, v6, UDP, 6011), Conn(world, v6, UDP, 6012)]
    numbers = world.stream(conns)
    got, sent = world.count(numbers, True, 0, in_esp)
    world.is_("policy first: all come by ESP", got, sent)
    world.is_(f"policy first: of {sent} in clear",
              world.count(numbers, True, 0, in_clear)[0], 0)
    ip("r", policy(v6, "fwd", template(v6, "fwd")))
    conn = Conn(world, v6, UDP, 6013)
    numbers = world.stream([conn], count=20)
    got, sent = world.count(numbers, True, 0, in_esp)
    world.is_("both policies first: all come by ESP", got, sent)
    world.is_("both policies first: answers without protection that come",
              world.count(numbers, False)[0], 0)
    ip("r", "xfrm policy flush", "xfrm state flush")


CASES = {"ipsec": ipsec}
