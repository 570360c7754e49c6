#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Whether hardware follows the world: each line is something that happens to a
router with flows in hardware, with the kernel's path or with nft_offload.ko.
docs/comparison.md is made of what this prints.

    follow.py kernel|module|both [LINE...]

NFTO_FLOWS flows (200), of which NFTO_AFFECTED (20) are affected. Times are
those of the guest.
"""
import os
import subprocess
import sys
import time

from netlink import SIM, poll, shell, tap, write
from packets import ACK, FIN, RST, SYN, TCP
from world import GATEWAYS, IN_R, World

ROUTE = ("ip", "-n", "r", "route")
LINES = {}


def line(number, title, story):
    """The function is a line of the comparison."""
    def add(function):
        LINES[number] = (title, " ".join(story.split()), function)
        return function
    return add


def of_these(flows):
    """Matches the entries of their packets as they are sent."""
    return "sport=(" + "|".join(str(flow.sport) for flow in flows) + ") "


def has_backup(gateway="c"):
    """A second route for the affected flows."""
    address = GATEWAYS[gateway][0]
    shell(f"""ip -n r route add 10.8.0.0/16 via {address} metric 200
        in_ns r sysctl -qw net.ipv4.conf.all.ignore_routes_with_linkdown=1
        in_ns r ping -qc1 {address}""")


# --- neighbours ---

@line("1a", "The gateway's MAC address changes",
      """VRRP without a virtual MAC: another router takes the address over and
      says so in a gratuitous ARP.""")
def mac_changes(w):
    w.up(via="g")
    w.establish()
    old = w.gateway_mac("g").replace(":", "")
    with w.traffic() as traffic:
        traffic.more(300)
        shell("ip -n g link set gw2 address 02:00:00:00:08:01")
        traffic.happens("ip", "netns", "exec", "g", "arping", "-q", "-c1", "-A",
                        "-I", "gw2", "10.2.0.3")
        traffic.more(2000)
    w.follows(traffic, w.right("g"))
    w.left("entries with the old address", rf"eth\+0={old[:8]}", w.k.__eq__)


@line("1b", "The gateway's MAC address changes, IPv6",
      "As 1a, with an unsolicited neighbour advertisement.")
def mac_changes_v6(w):
    w.up(via="g", v6=True)
    w.establish()
    shell("in_ns g sysctl -qw net.ipv6.conf.gw2.ndisc_notify=1")
    traffic = w.during("ip", "-n", "g", "link", "set", "gw2", "address",
                       "02:00:00:00:08:01")
    w.follows(traffic, w.right("g"))


def impatient():
    """Neighbours are asked for again after seconds."""
    shell("""in_ns r sysctl -qw net.ipv4.neigh.wan.base_reachable_time_ms=2000 \
        net.ipv4.neigh.wan.delay_first_probe_time=1 \
        net.ipv4.neigh.wan.retrans_time_ms=100
        # Neighbours that are there already have their timers.
        ip -n r neigh flush dev wan
        poll 20 in_ns r ping -qc1 -W1 10.2.0.2
        poll 20 in_ns r ping -qc1 -W1 10.2.0.3""")


@line("2a", "The gateway stops answering, and comes back",
      """All packets are in hardware, so the host sends nothing to the gateway
      that would show whether it answers. The router's
      base_reachable_time is 2 s here, delay_first_probe_time 1 s,
      retrans_time 100 ms.""")
def neighbour_lost(w):
    w.up(via="g")
    impatient()
    w.establish()
    traffic = w.during("ip", "-n", "g", "link", "set", "gw2", "down",
                       more=4000, gap=0.004)
    w.follows(traffic, w.right(None))
    w.result("ICMP host unreachable", traffic.errors.count(1))
    w.each("the sender is told", traffic.errors.count(1), 0,
           lambda errors: errors > 0)
    w.left("entries left", r"dst=10\.8\.|src=10\.8\.", (2 * w.k).__eq__)
    with w.traffic() as traffic:
        traffic.happens("ip", "-n", "g", "link", "set", "gw2", "up")
        traffic.more(3000)
    w.follows(traffic, w.right("g"), kernel=True, when="when it is back: ")


@line("2b", "The gateway is there, and all packets are in hardware",
      "Its state in the router after 60 s, or soon after; times as in 2a.")
def neighbour_kept(w):
    w.up(via="g")
    impatient()
    w.establish()
    with w.traffic(0.02) as traffic:
        traffic.happens("true")
        traffic.more(3000)
    def verified():
        """Its state, if it was verified or is being so: not all the time."""
        state = shell("ip -n r neigh show 10.2.0.3").split()[-1]
        return state != "STALE" and state
    state = poll(verified) or "STALE"
    w.result("the neighbour is", state)
    w.each("it is verified", state, "STALE",
           lambda state: state in ("REACHABLE", "DELAY", "PROBE"))
    w.follows(traffic, w.right("g"), kernel=True)


@line("3a", "The route leads to another gateway on the same device",
      "ip route replace.")
def other_gateway(w):
    w.up()
    w.establish()
    traffic = w.during(*ROUTE, "replace", "10.8.0.0/16", "via", "10.2.0.3")
    w.follows(traffic, w.right("g"))


@line("3b", "The route leads to another device", "ip route replace.")
def other_device(w):
    w.up()
    w.establish()
    traffic = w.during(*ROUTE, "replace", "10.8.0.0/16", "via", "10.3.0.2")
    w.follows(traffic, w.right("c"))


@line("3c", "The route is deleted",
      "Nothing may arrive any more, and the sender is told: no route.")
def no_route(w):
    w.up()
    w.establish()
    traffic = w.during(*ROUTE, "del", "10.8.0.0/16")
    w.follows(traffic, w.right(None))
    w.result("ICMP network unreachable", traffic.errors.count(0))
    # The kernel limits the rate of these messages.
    w.each("the sender is told", traffic.errors.count(0), 0,
           lambda errors: errors > 0)
    w.left("entries left", r"dst=10\.8\.|src=10\.8\.", (2 * w.k).__eq__)


@line("3d", "A more specific route appears",
      "Half of the affected hosts are in it.")
def more_specific(w):
    w.up()
    w.establish()
    traffic = w.during(*ROUTE, "add", "10.8.0.0/17", "via", "10.3.0.2")
    w.follows(traffic, w.right("c"))


@line("3e", "A policy routing rule appears",
      "ip rule add to 10.8.0.0/16 lookup 100.")
def policy(w):
    w.up()
    w.establish()
    shell("ip -n r route add default via 10.3.0.2 table 100")
    traffic = w.during("ip", "-n", "r", "rule", "add", "to",
                       "10.8.0.0/16", "lookup", "100", "pref", "100")
    w.follows(traffic, w.right("c"))


@line("3f", "A leg of a multipath route goes",
      "Two gateways; that by which packets go is taken out of the route.")
def multipath(w):
    w.up(via="g")
    shell("ip -n r route replace 10.8.0.0/16 metric 100 "
          "nexthop via 10.3.0.2 nexthop via 10.2.0.3")
    w.establish()
    traffic = w.during(*ROUTE, "replace", "10.8.0.0/16",
                       "metric", "100", "via", "10.3.0.2")
    w.follows(traffic, w.right("c"))


@line("3g", "The egress device is put into a VRF",
      """ip link set wan2 master. There is another route with a larger
      metric.""")
def into_vrf(w):
    w.up(via="c")
    has_backup("b")
    shell("ip -n r link add red type vrf table 10; ip -n r link set red up")
    w.establish()
    traffic = w.during("ip", "-n", "r", "link", "set", "wan2", "master", "red")
    w.follows(traffic, w.right("b"), kernel=lambda healed: True)


# --- devices ---

@line("4a", "The router's own MAC address changes", "ip link set wan2 address.")
def own_mac(w):
    w.up(via="c")
    w.establish()
    traffic = w.during("ip", "-n", "r", "link", "set", "wan2", "address",
                       "02:00:00:00:08:02")
    w.follows(traffic, w.right("c"))


@line("4b", "The MTU gets smaller",
      """ip link set wan2 mtu 1280; packets have 1300 bytes and DF set. The
      simulated NIC hands packets that are too large to the host.""")
def smaller_mtu(w):
    w.up(via="c")
    w.establish()
    traffic = w.during("ip", "-n", "r", "link", "set", "wan2", "mtu", "1280",
                       size=1260)
    w.follows(traffic, w.right(None))
    w.result("ICMP fragmentation needed", traffic.errors.count(4))
    w.each("the sender is told", traffic.errors.count(4),
           lambda errors: True, lambda errors: errors > 500)


@line("4c", "The egress link loses its carrier",
      """There is another route with a larger metric, and
      ignore_routes_with_linkdown is set. Then the carrier is back.""")
def no_carrier(w):
    w.up(others="c")
    has_backup()
    w.establish()
    traffic = w.during("bash", "-c", f"echo 2 > {SIM}/link_down")
    w.follows(traffic, w.right("c"))
    traffic = w.during("bash", "-c", f"echo 0 > {SIM}/link_down")
    w.follows(traffic, w.right("b"), kernel=lambda healed: True,
              when="with carrier again: ")


@line("4d", "A VLAN device goes down above a port that stays up",
      "There is another route with a larger metric.")
def vlan_down(w, *event):
    w.up(via="v")
    has_backup()
    w.establish()
    traffic = w.during("ip", "-n", "r", *event or
                       ("link", "set", "wan.5", "down"))
    w.follows(traffic, w.right("c"))


@line("4e", "A VLAN device is deleted", "As 4d.")
def vlan_deleted(w):
    vlan_down(w, "link", "del", "wan.5")


@line("4f", "A device is renamed",
      """A device must be down to be renamed, which removes its routes; they
      are added again afterwards. There is another route with a larger
      metric.""")
def renamed(w):
    w.up(via="c")
    has_backup("b")
    w.establish()
    right = w.right("c")
    traffic = w.during("ip", "-n", "r", "-b", "-", text="""
            link set wan2 down
            link set wan2 name uplink
            link set uplink up
            route add 10.8.0.0/16 via 10.3.0.2 metric 100""")
    w.follows(traffic, right, kernel=lambda healed: True)
    poll(lambda: w.entries() >= 2 * w.n)
    w.each("they are in hardware", w.entries(), lambda n: True, 2 * w.n)


@line("5", "A host moves between bridge ports",
      """wan and wan2 are ports of a bridge. The gateway is moved to the other
      wire, and says so in a gratuitous ARP.""")
def bridge_move(w):
    w.up(via="c")
    shell("""ip -n r addr flush dev wan; ip -n r addr flush dev wan2
        ip -n r link add br0 type bridge; ip -n r link set br0 up
        ip -n r link set wan master br0; ip -n r link set wan2 master br0
        ip -n r addr add 10.2.0.1/24 dev br0
        ip -n r addr add 10.3.0.1/24 dev br0
        ip -n r route add 10.9.0.0/16 via 10.2.0.2
        ip -n r route add 10.8.0.0/16 via 10.3.0.2
        poll 20 in_ns r ping -qc1 -W1 10.3.0.2
        poll 20 in_ns r ping -qc1 -W1 10.2.0.2""")
    w.bridge = "br0"
    w.rules()
    w.establish()
    _, mac, *_ = w.place("c")
    with w.traffic() as traffic:
        traffic.more(300)
        shell(f"""ip -n c link set wan2w address 02:00:00:00:08:03
            ip -n g link set gw2 address {mac}
            ip -n g addr add 10.3.0.2/24 dev gw2""")
        traffic.happens("ip", "netns", "exec", "g", "arping", "-q", "-c1", "-A",
                        "-I", "gw2", "10.3.0.2")
        traffic.more(2000)
    w.follows(traffic, w.right("g"))


# --- the NIC ---

@line("6", "The NIC loses its table",
      """The NIC is reset and the driver does not tell anybody. Then it is
      reset again, and after that each connection, affected or not,
      has one packet.""")
def reset(w):
    w.up()
    w.establish()
    traffic = w.during("bash", "-c", f"echo 1 > {SIM}/reset", more=3000)
    w.follows(traffic, w.right("b"), kernel=True)
    w.each("flows that had traffic are in hardware again", w.entries(),
           lambda n: True, lambda n: n >= 4 * w.k)
    w.establish()
    send = w.burst()
    start = time.monotonic()
    write(f"{SIM}/reset", "1")
    send()
    sent = time.monotonic() - start
    poll(lambda: w.entries() == 2 * w.n)
    took = time.monotonic() - start
    back = w.entries() == 2 * w.n
    w.result("until all connections are in hardware again",
             f"{took * 1000:.0f} ms" if back else
             f"never ({took:.0f} s watched)")
    w.result("the last of their packets came after", f"{sent * 1000:.0f} ms")
    w.each("all are in hardware again", back, lambda back: True, True)


@line("7", "hw-tc-offload is switched off, and on again",
      """ethtool -K hw-tc-offload off and on, on all three devices.""")
def switched_off(w):
    w.up()
    w.establish()
    shell("for dev in lan wan wan2; do "
          "in_ns r ethtool -K $dev hw-tc-offload off; done")
    w.left("entries while it is off", "", (2 * w.n).__eq__)
    traffic = w.during(*IN_R, "bash", "-c", "for dev in lan wan wan2; do "
                       "ethtool -K $dev hw-tc-offload on; done", more=4000)
    w.follows(traffic, w.right("b"), kernel=True, when="switched on: ")
    w.each("they are in hardware again", w.entries(),
           lambda n: True, lambda n: n >= 4 * w.k)


# --- rules ---

@line("8a", "A rule forbids established connections",
      """nft insert rule ... ip daddr 10.8.0.0/16 drop. There was no other
      commit in the second before; else nft_offload takes up to a second
      longer, since it looks at all flows once in a second at most.""")
def forbidden(w):
    w.up()
    w.establish()
    with w.traffic() as traffic:
        traffic.more(1500)
        traffic.happens(*IN_R, "nft", "insert rule inet t forward "
                        "ip daddr 10.8.0.0/16 counter drop")
        traffic.more(3000)
    w.follows(traffic, w.right(None))


@line("8b", "A commit that changes nothing for these connections",
      "An element is added to a set.")
def harmless(w):
    w.up()
    shell("in_ns r nft add set inet t s '{ type ipv4_addr; }'")
    w.establish()
    traffic = w.during(*IN_R, "nft", "add element inet t s { 192.0.2.1 }",
                       more=3000)
    w.follows(traffic, w.right("b"), kernel=True)


@line("8c", "The rule \"flow add\" is removed",
      """Connections go on, by the host.""")
def no_flow_add(w):
    w.up()
    w.establish()
    traffic = w.during(*IN_R, "nft", "flush chain inet t forward", more=8000)
    w.follows(traffic, w.right("b"), kernel=True)
    w.left("entries left of connections that have packets",
           of_these(traffic.flows), (2 * w.k).__eq__)


@line("8d", "NAT rules change",
      """The source is translated; the rule is deleted. What is established
      keeps its translation, as in classic forwarding.""")
def nat_changes(w):
    w.nat = "10.2.0.1"
    w.up()
    w.establish()
    traffic = w.during(*IN_R, "nft", "flush chain ip nat c")
    w.follows(traffic, w.right("b"), kernel=True)


# --- connections ---

def connections(net):
    """conntrack's, to this net."""
    return shell(f"in_ns r conntrack -L -d {net} 2>/dev/null",
                 check=False).splitlines()


@line("9a", "conntrack -D of a connection",
      """The next packet of such a connection begins a new one, which the
      ruleset must see.""")
def ct_deleted(w):
    w.up()
    w.establish()
    with w.traffic() as traffic:
        traffic.more(300)
        shell("in_ns r nft insert rule inet t forward ct state new drop")
        traffic.more(300)
        traffic.happens(*IN_R, "conntrack", "-D", "-d", "10.8.0.0/16")
        traffic.more(4000)
    w.follows(traffic, w.right(None), kernel=lambda healed: True)
    w.left("entries left", r"dst=10\.8\.|src=10\.8\.", lambda n: True)


@line("9b", "conntrack -F", "As 9a, of all connections.")
def ct_flushed(w):
    w.up()
    w.establish()
    shell("in_ns r nft insert rule inet t forward ct state new drop")
    traffic = w.during(*IN_R, "conntrack", "-F", more=4000)
    w.follows(traffic, lambda flow: None, kernel=lambda healed: True,
              all_affected=True)
    w.left("entries left", "", lambda n: True)


@line("9c", "TCP: closed by one side only",
      """The client sends FIN, nobody answers. nf_conntrack_tcp_timeout_fin_wait
      is 5 s.""")
def half_closed(w):
    w.up(proto=TCP)
    shell("in_ns r sysctl -qw "
          "net.netfilter.nf_conntrack_tcp_timeout_fin_wait=5")
    w.establish()
    w.exchange(w.flows[:w.k], [(True, FIN | ACK)])
    w.left("entries left", r"dst=10\.8\.|src=10\.8\.", lambda n: True)
    poll(lambda: not connections("10.8.0.0/16"))
    left = len(connections("10.8.0.0/16"))
    w.result("conntrack entries left half a minute later", left)
    w.each("conntrack's time-out holds", left, lambda left: True, 0)


@line("9d", "TCP: reset, and the same tuple used again at once",
      "RST, SYN, SYN-ACK, ACK, data.")
def reused(w):
    w.up(proto=TCP)
    w.establish()
    again = w.flows[:w.k]
    w.exchange(again, [(True, RST | ACK)])
    for flow in again:
        flow.initial = {True: 5000000, False: 7000000}
    w.exchange(again, [(True, SYN), (False, SYN | ACK), (True, ACK)] +
               [(True, None), (False, None)] * 2)

    def good():
        return [line for line in connections("10.8.0.0/16")
                if "ESTABLISHED" in line or "OFFLOAD" in line]
    poll(lambda: w.entries() == 2 * w.n)
    w.result("new connections in hardware, of " + str(w.k),
             w.entries(r"dst=10\.8\."))
    w.each("they are", w.entries(r"dst=10\.8\."), lambda n: True, w.k)
    w.each("conntrack knows them as established", len(good()),
           lambda n: True, w.k)


@line("9e", "TCP: the peer is dead",
      """No packet comes any more. nf_flowtable_tcp_timeout is 10 s,
      nf_conntrack_tcp_timeout_established 20 s.""")
def dead_peer(w):
    w.up(proto=TCP)
    shell("""in_ns r sysctl -qw net.netfilter.nf_flowtable_tcp_timeout=10 \
        net.netfilter.nf_conntrack_tcp_timeout_established=20""")
    w.establish()
    poll(lambda: not w.entries())
    w.left("entries left half a minute later", "", lambda n: True)
    poll(lambda: not connections("10.0.0.0/8"))
    left = len(connections("10.0.0.0/8"))
    w.result("conntrack entries left after that", left)
    w.each("conntrack's time-out holds", left, lambda left: True, 0)


@line("10", "Long-lived connections",
      """nf_flowtable_udp_timeout is 30 s; the affected connections, and as many
      others, have a packet every 25 s for 12 minutes, over the wrap of a 32-bit
      jiffies; the rest have none.""")
def long_lived(w):
    def time_out(seconds):
        return (*IN_R, "sysctl", "-qw",
                f"net.netfilter.nf_flowtable_udp_timeout={seconds}")
    w.up()
    # Until each has had its first packet: some machines are slow. What the
    # hardware has said before that is no reason to end by the shorter time-out.
    subprocess.run(time_out(90), check=True)
    w.establish()
    poll(lambda: w.entries() == 2 * w.n)
    before = w.crossed()
    with w.traffic(25 / w.k / 2) as traffic:
        traffic.more(2 * w.k)
        traffic.happens(*time_out(30))
        traffic.more(56 * w.k)
    crossed = w.crossed() - before
    w.result("packets that crossed the host, of "
             f"{29 * 2 * w.k}", crossed)
    w.each("flows do not expire under traffic", crossed,
           lambda crossed: True, 0)
    w.follows(traffic, w.right("b"), kernel=True)
    w.left("entries of idle connections", of_these(w.flows[w.k:-w.k]),
           lambda n: True)


# --- the end ---

@line("11", "Whatever ends the flowtable, with flows in hardware",
      """nft flush ruleset; the table deleted; a device removed from the
      flowtable; the netns goes; the module is removed.""")
def endings(w):
    def after(what, do):
        w.up()
        w.establish()
        shell(do)
        w.left(f"entries after {what}", "", lambda n: True)
        w.down()
    after("nft flush ruleset", "in_ns r nft flush ruleset")
    after("nft delete table", "in_ns r nft delete table inet t")
    after("its devices are removed from the flowtable", """in_ns r nft -f - <<<'
        delete flowtable inet t ft { hook ingress priority 0;
            devices = { lan, wan, wan2 }; }'""")
    after("nft flush ruleset, with a driver that refuses to unbind",
          "knob fail_unbind EBUSY; in_ns r nft flush ruleset")
    after("nft flush ruleset and rmmod",
          f"in_ns r nft flush ruleset; path_leave; path_use {w.path}")
    after("the netns has gone", "ip netns del r")
    w.up()


@line("12b", "The driver answers late",
      """The driver takes half a second for each call. The conntrack entries of
      ten connections are read again and again; those that say
      HW_OFFLOAD are compared with what is in hardware.""")
def late(w):
    w.up()
    shell("knob delay_replace_us 500000")
    # A machine that is busy with other things may have time for one look only,
    # whence several groups; few each, for the last to begin before the first is in.
    lies = looks = 0
    for first in range(0, w.n, 10):
        end = time.monotonic() + 120
        w.exchange(w.flows[first:first + 10], [(True, None), (False, None)])
        while w.entries() < 2 * min(first + 10, w.n) and time.monotonic() < end:
            marked = shell("in_ns r conntrack -L 2>/dev/null | "
                           "grep -c HW_OFFLOAD", check=False)
            lies += int(marked) > w.entries() // 2
            looks += 1
        if looks > 5:
            break
    w.result("looks that found more connections marked than are in hardware",
             lies)
    w.each("conntrack's flag is true", lies, lambda lies: True, 0)
    tap.ok("12b: there were looks", looks > 5, looks)


# --- a driver that says no ---

@line("12", "The NIC's table is full",
      """It has room for half of the entries, and says ENOSPC. One packet in 100
      ms for each connection.""")
def full(w):
    w.up()
    shell(f"knob capacity {w.n}")
    w.establish(wanted=w.n)
    shell("in_ns r ping -qc1 10.2.0.2")
    before = w.counter("replaces")
    with w.traffic(0.1 / w.k / 2) as traffic:
        traffic.happens("true")
        traffic.more(4000)
    seconds = traffic.times[-1] - traffic.times[0]
    calls = w.counter("replaces") - before
    w.result("REPLACE calls per second", f"{calls / seconds:.0f}")
    w.each("the driver is not asked for ever", calls / seconds,
           lambda calls: calls > 20, lambda calls: calls < 20)
    w.follows(traffic, w.right("b"), kernel=True)


def run(path, wanted, flows, affected):
    """The lines, with this path."""
    print(shell("path_use " + path), end="")
    print(f"@path {path}")
    for number in wanted:
        title, story, function = LINES[number]
        print(f"# {number}: {title}")
        print(f"@title {number}|{title}\n@story {number}|{story}")
        world = World(path, number, flows, affected)
        try:
            function(world)
            world.sound()
        finally:
            world.down()
    shell("path_leave")


def main():
    paths = sys.argv[1] if len(sys.argv) > 1 else "both"
    wanted = sys.argv[2:] or list(LINES)
    flows = int(os.environ.get("NFTO_FLOWS", "200"))
    affected = int(os.environ.get("NFTO_AFFECTED", "20"))
    print(f"@result kernel||{os.uname().release}")
    shell("sim_load")
    for path in ("kernel", "module") if paths == "both" else (paths,):
        run(path, wanted, flows, affected)
    tap.finish()


if __name__ == "__main__":
    main()
