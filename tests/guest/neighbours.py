#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
nft_offload.ko follows what happens to neighbours, devices and bridges: the
flows that are affected end, for the reason that is true, go on where they
should, and come back into the hardware; the others stay what they are.

    netns a                  netns r              netns b
    10.1.0.2  lanw <-> lan  10.1.0.1 | 10.2.0.1  wan <-> wanw 10.2.0.3
    fd01::2                                             gw   10.2.0.2, a macvlan
                                     | 10.3.0.1  dmz <-> dmzw 10.3.0.2, netns c

IPv6 has the same numbers. The ports are those of one simulated NIC. The
flowtable does not count, so nothing asks the driver before a flow may expire.

neighbours.py [CASE...]
"""
import errno
import re
import socket
import subprocess
import sys

from changes import Listener
from genl import Genl, Netns
from netlink import HERE, SIM, both_in, poll, port_of, read, shell, tap

IP_RECVERR, IPV6_RECVERR = 11, 25
TOPOLOGY = """set -e
for ns in a r b c; do
    ip netns add $ns
    ip -n $ns link set lo up
    in_ns $ns sysctl -qw net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.accept_dad=0 net.ipv4.conf.all.arp_ignore=1 \
        net.ipv6.conf.default.keep_addr_on_down=1
done
sim_make "sim0 profile=mlx5-rep ports=3 host=lan,wan,dmz wire=lanw,wanw,dmzw"
in_ns r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
n=0
for pair in lan:a wan:b dmz:c; do
    dev=${pair%:*} ns=${pair#*:} n=$((n + 1))
    ip link set $dev netns r
    ip link set ${dev}w netns $ns
    ip -n r addr add 10.$n.0.1/24 dev $dev
    ip -n r addr add fd0$n::1/64 dev $dev nodad
    ip -n r link set $dev up
    ip -n $ns link set ${dev}w up
done
end_host() {    # NETNS DEVICE NET HOST
    ip -n $1 addr add 10.$3.0.$4/24 dev $2
    ip -n $1 addr add fd0$3::$4/64 dev $2 nodad
    ip -n $1 route replace default via 10.$3.0.1 dev $2
    ip -n $1 route replace default via fd0$3::1 dev $2
}
ip -n b link add gw link wanw type macvlan mode bridge
in_ns b sysctl -qw net.ipv4.conf.gw.arp_notify=1 net.ipv6.conf.gw.ndisc_notify=1
ip -n b link set gw up
end_host a lanw 1 2
end_host c dmzw 3 2
end_host b wanw 2 3
end_host b gw 2 2
"""
UP = """
in_ns r nft -f - <<-END
    table inet t {
        flowtable ft {
            hook ingress priority 0
            devices = { lan, wan, dmz }
            flags offload
        }
        chain forward {
            type filter hook forward priority 0; policy accept
            meta l4proto udp flow add @ft
        }
    }
    table netdev host {
        chain in {
            type filter hook ingress devices = { lan, wan, dmz } priority -10
            meta l4proto udp counter
        }
    }
END
in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600
"""
SILENCE = """
in_ns b nft -f - <<-END
    table netdev silence {
        chain in { type filter hook ingress device gw priority 0; policy drop; }
        chain out { type filter hook egress device gw priority 0; policy drop; }
    }
END
"""
SERVERS = (("b", "10.2.0.2"), ("b", "fd02::2"), ("b", "10.2.0.3"),
           ("b", "fd02::3"), ("c", "10.3.0.2"), ("c", "fd03::2"))


class Echo:
    """UDP to port 5000 of these is answered."""

    def __init__(self, *servers):
        self.children = [subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{netns}", f"{HERE}/flow.py", "serve",
             "udp", address, "5000"], stdout=subprocess.DEVNULL)
            for netns, address in servers]
        for netns, address in servers:
            shell(f"bound() {{ in_ns {netns} ss -Hlnu src '[{address}]:5000' | "
                  "grep -q .; }; poll 20 bound")

    def stop(self):
        for child in self.children:
            child.kill()
            child.wait()


class Talk:
    """Connections to one address, of a UDP socket each."""

    def __init__(self, address, ports, netns="a"):
        self.ports = list(ports)
        self.address = address
        v6 = ":" in address
        with Netns(netns):
            self.socks = [socket.socket(socket.AF_INET6 if v6 else
                                        socket.AF_INET, socket.SOCK_DGRAM)
                          for _ in self.ports]
        for sock, port in zip(self.socks, self.ports):
            if v6:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            sock.settimeout(1)
            sock.bind(("", port))
        self.error = None

    def ask(self, rounds=1):
        """Whether all was answered."""
        for n in range(rounds):
            for sock in self.socks:
                try:
                    sock.sendto(b"%d" % n, (self.address, 5000))
                    while sock.recv(16) != b"%d" % n:
                        pass
                except OSError as error:
                    self.error = error.errno
                    return False
        return True

    def close(self):
        for sock in self.socks:
            sock.close()


class World:
    """What the cases share."""

    def __init__(self):
        print(shell(TOPOLOGY + UP), end="")
        self.nl = Genl("r")
        poll(lambda: all(port["state"] == "bound"
                         for port in self.nl.dump("port-get")))
        self.echo = Echo(*SERVERS)
        self.listener = Listener("r", "flows")
        self.seen = 0
        self.talks = []

    def close(self):
        for talk in self.talks:
            talk.close()
        self.echo.stop()
        self.listener.close()
        self.nl.close()
        shell("topo_down; ip netns del c; path_drop nft_offload")

    def talk(self, address, ports, netns="a"):
        self.talks.append(Talk(address, ports, netns))
        return self.talks[-1]

    def flows(self, *talks):
        """By their port."""
        ports = {port for talk in talks for port in talk.ports}
        return {port_of(flow): flow for flow in self.nl.flows()
                if port_of(flow) in ports}

    def ids(self, *talks):
        return {port: flow["id"] for port, flow in self.flows(*talks).items()}

    def entries(self, *talks):
        words = {f"{side}={port}" for talk in talks for port in talk.ports
                 for side in ("sport", "dport")}
        return sum(bool(words & set(line.split()))
                   for line in read(f"{SIM}/entries").splitlines())

    def all_in(self, *talks):
        flows = self.flows(*talks)
        return len(flows) == sum(len(talk.ports) for talk in talks) and \
            all(map(both_in, flows.values()))

    def counters(self):
        """Packets of the flows that crossed the host, and those that did not."""
        crossed = shell("in_ns r nft list chain netdev host in")
        hits = shell("for d in lan wan dmz; do ip -n r link show $d "
                     ">/dev/null 2>&1 && in_ns r ethtool -S $d; done; :")
        return (int(re.search(r"packets (\d+)", crossed).group(1)),
                sum(map(int, re.findall(r"offload_hits: (\d+)", hits))))

    def works(self, text, *talks):
        """All go through the hardware, and nowhere else."""
        good = poll(lambda: all(talk.ask() for talk in talks) and
                    self.all_in(*talks))
        tap.ok(f"{text}: in hardware", good, [talk.error for talk in talks],
               *self.flows(*talks).values())
        crossed, hits = self.counters()
        rounds = 20
        tap.ok(f"{text}: packets arrive",
               all(talk.ask(rounds) for talk in talks))
        sent = 2 * rounds * sum(len(talk.ports) for talk in talks)
        crossed, hits = (now - then for now, then in
                         zip(self.counters(), (crossed, hits)))
        tap.ok(f"{text}: {hits} of {sent} by the hardware, {crossed} crossed "
               "the host", hits == sent and not crossed)

    def change(self, text, reason, affected, others, what, out=False):
        """What is done to the world ends these flows, and not the others."""
        self.listener.read()
        self.seen = len(self.listener.got)
        before, kept = self.ids(*affected), self.ids(*others)
        if callable(what):
            what()
        else:
            shell(what)
        poll(lambda: set(before.values()) <= {e["id"] for e in self.ended()})
        tap.equal(f"{text}: these flows end, and no others",
                  {e["id"]: e["end-reason"] for e in self.ended()},
                  {number: reason for number in before.values()})
        if out:
            tap.ok(f"{text}: they leave the hardware",
                   poll(lambda: not self.entries(*affected)))
        tap.equal(f"{text}: the others are what they were", self.ids(*others),
                  kept)
        tap.ok(f"{text}: and in hardware", self.all_in(*others))
        return kept

    def ended(self):
        self.listener.read()
        return [what for kind, what in self.listener.got[self.seen:]
                if kind == "flow-end"]

    def unreachable(self, text, *talks):
        """The sender is told so, as by classic forwarding."""
        def told(talk):
            talk.ask()
            return talk.error == errno.EHOSTUNREACH
        for talk in talks:
            tap.ok(f"{text}: {talk.address} is unreachable",
                   poll(told, talk), talk.error)
        tap.equal(f"{text}: and not in hardware", self.entries(*talks), 0)

    def forget(self, *talks):
        for number in self.ids(*talks).values():
            self.nl.do("flow-del", id=number)
        for talk in talks:
            talk.close()
            self.talks.remove(talk)


def test_mac(world):
    print("# the gateway has another address")
    gateway = [world.talk("10.2.0.2", range(6000, 6010)),
               world.talk("fd02::2", range(6010, 6015))]
    others = [world.talk("10.2.0.3", range(6020, 6030)),
              world.talk("fd02::3", range(6030, 6035)),
              world.talk("10.3.0.2", range(6040, 6045))]
    world.works("MAC, before", *gateway, *others)
    kept = world.change("MAC", "neighbour-changed", gateway, others,
                        "ip -n b link set gw address 02:00:00:00:99:01")
    world.works("MAC, after", *gateway)
    tap.equal("MAC, after: the others are what they were", world.ids(*others),
              kept)
    world.works("MAC, others", *others)
    world.forget(*gateway, *others)


ASKED = """
in_ns b nft -f - <<-END
    table netdev asked {
        chain ipv4 {
            type filter hook ingress device gw priority 0;
            arp operation request counter
        }
        chain ipv6 {
            type filter hook ingress device gw priority 0;
            ip6 daddr fd02::2 icmpv6 type nd-neighbor-solicit counter
        }
    }
END
"""


def neighbours_age(reachable_ms, delay, retrans_ms):
    """Of new ones: a timer that runs goes on as before, up to 45 s."""
    shell("ip -n r neigh flush dev wan\n" + "".join(
        f"in_ns r sysctl -qw {at}base_reachable_time_ms={reachable_ms} "
        f"{at}delay_first_probe_time={delay} {at}retrans_time_ms={retrans_ms}\n"
        for at in ("net.ipv4.neigh.wan.", "net.ipv6.neigh.wan.")))


def solicitations(address):
    listed = shell("in_ns b nft list chain netdev asked " +
                   ("ipv6" if ":" in address else "ipv4"))
    return int(listed.split("packets ")[1].split()[0])


def test_verified(world):
    print("# a neighbour that only the hardware sends to")
    neighbours_age(1000, 1, 300)
    shell(ASKED)
    for address, ports in (("10.2.0.2", range(6100, 6110)),
                           ("fd02::2", range(6110, 6115))):
        talk = world.talk(address, ports)
        world.works(f"verified, {address}", talk)
        ids = world.ids(talk)
        before, crossed = solicitations(address), world.counters()[0]
        # Each only after the answer to the one before has become old.
        tap.ok(f"verified: {address} is asked again and again",
               poll(lambda: talk.ask() and
                    solicitations(address) >= before + 3))
        tap.equal("verified: of the flows nothing crossed the host",
                  world.counters()[0], crossed)
        tap.equal("verified: the flows are what they were", world.ids(talk),
                  ids)
        world.forget(talk)
    shell("in_ns b nft delete table netdev asked")


def test_silent(world):
    print("# the neighbour does not answer any more, and answers again")
    gateway = [world.talk("10.2.0.2", range(6200, 6210)),
               world.talk("fd02::2", range(6210, 6215))]
    others = [world.talk("10.2.0.3", range(6220, 6230)),
              world.talk("10.3.0.2", range(6230, 6235))]
    neighbours_age(1000, 1, 300)
    world.works("silent, before", *gateway, *others)
    kept = world.change("silent", "neighbour-lost", gateway, others, SILENCE,
                        out=True)
    world.unreachable("silent", *gateway)
    tap.ok("silent: conntrack has the connections", all(
        shell(f"in_ns r conntrack -L -f {family} -p udp --sport {port} "
              "2>/dev/null", check=False)
        for family, port in (("ipv4", 6200), ("ipv6", 6210))))
    shell("in_ns b nft delete table netdev silence")
    world.works("answers", *gateway)
    tap.equal("answers: the others are what they were", world.ids(*others),
              kept)
    world.forget(*gateway, *others)
    neighbours_age(30000, 5, 1000)


def test_device(world):
    print("# our own address, MTU, carrier")
    wan = [world.talk("10.2.0.2", range(6300, 6310)),
           world.talk("fd02::3", range(6310, 6315))]
    others = [world.talk("10.3.0.2", range(6320, 6330)),
              world.talk("fd03::2", range(6330, 6335))]
    world.works("device, before", *wan, *others)
    for text, what in (
            ("own MAC", "ip -n r link set wan address 02:00:00:00:88:01"),
            ("MTU", "ip -n r link set wan mtu 1400"),
            ("MTU back", "ip -n r link set wan mtu 1500")):
        kept = world.change(text, "device-changed", wan, others, what)
        world.works(text, *wan)
        tap.equal(f"{text}, after: the others are what they were",
                  world.ids(*others), kept)
    for text, before in (
            ("carrier", ":"),
            ("carrier, neighbour for ever",
             "ip -n r neigh replace 10.2.0.2 dev wan nud permanent "
             "lladdr $(ip -n b -br link show gw | awk '{print $3}')")):
        shell(before)
        world.works(f"{text}, before", *wan)
        kept = world.change(text, "no-carrier", wan, others, "knob link_down 2",
                            out=True)
        if before == ":":
            world.unreachable(text, *wan)
        else:
            tap.ok(f"{text}: without it the flow is not in hardware", poll(
                lambda: not wan[0].ask() and [
                    flow for flow in world.flows(wan[0]).values()
                    if flow["dir-orig"]["reason"] == "no-carrier"]))
            tap.equal(f"{text}: nothing is", world.entries(wan[0]), 0)
        shell("knob link_down 0")
        world.works(f"{text}, back", *wan)
        tap.equal(f"{text}, back: the others are what they were",
                  world.ids(*others), kept)
    shell("ip -n r neigh del 10.2.0.2 dev wan")
    world.works("device, others", *others)
    world.forget(*wan, *others)


def test_vlan(world):
    print("# a VLAN device above a port that stays up")
    shell("""for side in r:wan b:wanw; do
                 ns=${side%:*} dev=${side#*:}
                 ip -n $ns link add link $dev name $dev.7 type vlan id 7
                 ip -n $ns link set $dev.7 up
             done
             ip -n r addr add 10.7.0.1/24 dev wan.7
             ip -n b addr add 10.7.0.2/24 dev wanw.7
             ip -n b route add 10.1.0.0/24 via 10.7.0.1 table 7
             ip -n b rule add from 10.7.0.2 table 7""")
    echo = Echo(("b", "10.7.0.2"))
    vlan = [world.talk("10.7.0.2", range(6400, 6410))]
    others = [world.talk("10.2.0.2", range(6420, 6430))]
    world.works("VLAN, before", *vlan, *others)
    world.change("VLAN down", "device-down", vlan, others,
                 "ip -n r link set wan.7 down", out=True)
    # What is down may be renamed by any kernel.
    shell("ip -n r link set wan.7 name seven; ip -n r link set seven up")
    world.works("VLAN up, with another name", *vlan)
    kept = world.change("VLAN deleted", "device-down", vlan, others,
                        "ip -n r link del seven", out=True)
    shell("ip -n r link add link wan name wan.7 type vlan id 7; "
          "ip -n r link set wan.7 up; ip -n r addr add 10.7.0.1/24 dev wan.7")
    world.works("VLAN made again", *vlan)
    tap.equal("VLAN: the others are what they were", world.ids(*others), kept)
    world.works("VLAN, others", *others)
    echo.stop()
    shell("ip -n r link del wan.7; ip -n b link del wanw.7; "
          "ip -n b rule del from 10.7.0.2 table 7")
    world.forget(*vlan, *others)


def test_between(world):
    print("# devices between the route's and the port")
    # above: a VLAN device on a bridge; across: a bridge on a VLAN device
    # It has another port, so that it does not lose its carrier.
    shell("""ip -n r link add across type bridge forward_delay 0
             ip -n r link add other type veth peer name end
             ip -n r link set other master across
             ip -n r link add link wan name wan.8 type vlan id 8
             ip -n r link set wan.8 master across
             ip -n r link add under type bridge forward_delay 0
             ip -n r addr flush dev dmz
             ip -n r link set dmz master under
             ip -n r link add link under name above type vlan id 9
             ip -n b link add link wanw name wanw.8 type vlan id 8
             ip -n c link add link dmzw name dmzw.9 type vlan id 9
             for dev in other end across wan.8 under above; do
                 ip -n r link set $dev up
             done
             ip -n b link set wanw.8 up
             ip -n c link set dmzw.9 up
             ip -n r addr add 10.8.0.1/24 dev across
             ip -n b addr add 10.8.0.2/24 dev wanw.8
             ip -n r addr add 10.9.0.1/24 dev above
             ip -n c addr add 10.9.0.2/24 dev dmzw.9
             ip -n b route add 10.1.0.0/24 via 10.8.0.1 table 8
             ip -n b rule add from 10.8.0.2 table 8
             ip -n c route replace default via 10.9.0.1""")
    echo = Echo(("b", "10.8.0.2"), ("c", "10.9.0.2"))
    across = [world.talk("10.8.0.2", range(6500, 6505))]
    above = [world.talk("10.9.0.2", range(6510, 6515))]
    others = [world.talk("10.2.0.2", range(6520, 6525))]
    world.works("between, before", *across, *above, *others)
    kept = world.change("a bridge's VLAN device down", "device-down", across,
                        above + others, "ip -n r link set wan.8 down", out=True)
    shell("ip -n r link set wan.8 up")
    world.works("a bridge's VLAN device up", *across)
    world.change("a port out of its bridge", "device-changed", across,
                 above + others, "ip -n r link set wan.8 nomaster", out=True)
    shell("ip -n r link set wan.8 master across")
    world.works("a port in its bridge", *across)
    world.change("a bridge below a VLAN device: its address", "device-changed",
                 above, others, "ip -n r link set above address "
                 "02:00:00:00:77:01")
    world.works("a bridge below a VLAN device", *above)
    world.change("a bridge below a VLAN device down", "device-down", above,
                 across + others, "ip -n r link set under down", out=True)
    shell("ip -n r link set under up; ip -n r link set above up")
    world.works("a bridge below a VLAN device up", *above)
    tap.equal("between: the others are what they were", world.ids(*others),
              {port: kept[port] for port in others[0].ports})
    echo.stop()
    shell("""ip -n r link del above; ip -n r link del across
             ip -n r link del other
             ip -n r link del under; ip -n r link del wan.8
             ip -n b rule del from 10.8.0.2 table 8
             ip -n b link del wanw.8; ip -n c link del dmzw.9
             ip -n r addr add 10.3.0.1/24 dev dmz
             ip -n r addr add fd03::1/64 dev dmz nodad
             ip -n c route replace default via 10.3.0.1""")
    world.forget(*across, *above, *others)


def test_renamed(world):
    print("# a port has another name")
    talks = [world.talk("10.2.0.2", range(6600, 6605))]
    others = [world.talk("10.3.0.2", range(6610, 6615))]
    world.works("renamed, before", *talks, *others)
    names = {port["ifindex"]: port["name"]
             for port in world.nl.dump("port-get")}
    wan = next(index for index, name in names.items() if name == "wan")
    kept = world.ids(*others)
    # Kernels before 6.2 rename no device that is up.
    shell("ip -n r link set wan name uplink || { ip -n r link set wan down && "
          "ip -n r link set wan name uplink && ip -n r link set uplink up; }")
    tap.ok("renamed: the port's name", poll(
        lambda: world.nl.do("port-get", ifindex=wan)["name"] == "uplink"))
    shell("""ip -n r addr replace 10.2.0.1/24 dev uplink
             ip -n r addr replace fd02::1/64 dev uplink nodad""")
    world.works("renamed", *others)
    poll(talks[0].ask)
    tap.ok("renamed: its flows are in hardware", poll(
        lambda: talks[0].ask() and world.all_in(*talks)))
    tap.equal("renamed: the others are what they were", world.ids(*others),
              kept)
    shell("ip -n r link set uplink down && ip -n r link set uplink name wan && "
          "ip -n r link set wan up && "
          "ip -n r addr replace fd02::1/64 dev wan nodad")
    world.works("renamed back", *talks)
    world.forget(*talks, *others)


def test_bridge(world):
    print("# a host moves from one bridge port to another")
    # The host and its neighbour are macvlans, as two behind one switch are.
    shell("""ip -n r addr flush dev lan
             ip -n r addr flush dev dmz
             ip -n r link add br0 type bridge forward_delay 0
             ip -n r link set lan master br0
             ip -n r link set dmz master br0
             ip -n r link set br0 up
             ip -n r addr add 10.1.0.1/24 dev br0
             ip -n r addr add fd01::1/64 dev br0 nodad
             for side in a:lanw c:dmzw; do
                 ip -n ${side%:*} addr flush dev ${side#*:}
                 ip -n ${side%:*} -6 route del default
             done
             for side in a:lanw:host a:lanw:stays c:dmzw:host; do
                 IFS=: read -r ns lower name <<<$side
                 ip -n $ns link add $name link $lower type macvlan mode bridge
             done
             for ns in a c; do
                 ip -n $ns link set host address 02:00:00:00:66:01
                 ip -n $ns addr add 10.1.0.2/24 dev host
                 ip -n $ns addr add fd01::2/64 dev host nodad
             done
             ip -n a addr add 10.1.0.3/24 dev stays
             ip -n a link set stays up
             ip -n a link set host up
             ip -n a route add default via 10.1.0.1 dev host
             ip -n a route add default via fd01::1 dev host
             ip -n a route add default via 10.1.0.1 dev stays src 10.1.0.3 \
                table 3
             ip -n a rule add from 10.1.0.3 table 3""")
    moving = [world.talk("10.2.0.2", range(6700, 6710)),
              world.talk("fd02::2", range(6710, 6715))]
    others = [world.talk("10.2.0.3", range(6720, 6730))]
    for sock in others[0].socks:
        sock.close()
    with Netns("a"):
        others[0].socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                           for _ in others[0].ports]
    for sock, port in zip(others[0].socks, others[0].ports):
        sock.settimeout(1)
        sock.bind(("10.1.0.3", port))
    world.works("bridge, before", *moving, *others)
    there = [Talk("10.2.0.2", range(6700, 6710), "c"),
             Talk("fd02::2", range(6710, 6715), "c")]

    def move():
        shell("""ip -n a link set host down
                 ip -n c link set host up
                 ip -n c route add default via 10.1.0.1 dev host
                 ip -n c route add default via fd01::1 dev host""")
        there[0].ask()
    kept = world.change("moved", "bridge-moved", moving, others, move)
    world.works("moved, after", *there)
    ports = {flow["dir-orig"]["in-ifindex"] for flow in
             world.flows(*there).values()}
    with Netns("r"):
        tap.equal("moved: they come in at the other port", ports,
                  {socket.if_nametoindex("dmz")})
    tap.equal("moved: the others are what they were", world.ids(*others), kept)
    world.works("moved, others", *others)
    # Told by an admin, without a packet: the hardware's next one goes there.
    world.change("told", "bridge-moved", there, others,
                 "in_ns r bridge fdb replace 02:00:00:00:66:01 dev lan master "
                 "static")
    for talk in there:
        talk.close()
    world.forget(*moving, *others)


CASES = (test_mac, test_verified, test_silent, test_device, test_vlan,
         test_between, test_renamed, test_bridge)


def main():
    wanted = {f"test_{name}" for name in sys.argv[1:]}
    print(shell("sim_load && path_use module"), end="")
    world = World()
    for case in CASES:
        if not wanted or case.__name__ in wanted:
            case(world)
    world.close()
    tap.finish()


if __name__ == "__main__":
    main()
