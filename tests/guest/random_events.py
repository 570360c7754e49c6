# SPDX-License-Identifier: GPL-2.0
"""What happens to the routers of random_world.py: lists of commands, each
(program, line), which mean the same to all of them."""
from random_routers import DEVICES, GATEWAYS, HOSTS, MACS, NETS

TABLES = {101: "b", 102: "c", 103: None}


def net_of(v6, net):
    return f"fd08:{net}::/32" if v6 else f"10.8.{net}.0/24"


def ip_of(v6):
    return "ip6" if v6 else "ip"


class Events:
    """They know what is there."""

    def __init__(self, rng):
        self.rng = rng
        self.routes = {}
        self.neighbours = {}
        self.undo = {}
        self.serial = 0
        self.kinds = [
            (14, self.route), (8, self.rule), (6, self.neighbour),
            (6, self.policy), (6, self.forwarding), (14, self.filter),
            (8, self.mark), (6, self.flow_add), (5, self.nat), (5, self.local),
            (4, self.link), (4, self.address), (12, self.vlan), (4, self.move),
            (4, self.commit), (3, self.mtu), (2, self.flush)]

    def begin(self):
        commands = [("ip", "link set lo up")]
        commands += [("ip", f"link set {dev} address {MACS[dev]}")
                     for dev in DEVICES]
        commands += [("ip", line) for line in (
            f"link add br0 address {MACS['br0']} type bridge forward_delay 0 "
            "ageing_time 1000000 vlan_filtering 1 vlan_default_pvid 0 "
            "mcast_snooping 0", "link set sw master br0",
            "link set sw2 master br0",
            *(f"link set {dev} up" for dev in (*DEVICES, "br0")),
            "link add link br0 name br0.7 type vlan id 7",
            "link set br0.7 up")]
        commands += [("bridge", "vlan add dev sw vid 7 pvid untagged"),
                     ("bridge", "vlan add dev sw2 vid 7 pvid untagged"),
                     ("bridge", "vlan add dev br0 vid 7 self")]
        for net, dev in ((1, "lan"), (2, "wan"), (3, "wan2"), (5, "br0.7")):
            commands += [("ip", f"addr add 10.{net}.0.1/24 dev {dev}"),
                         ("ip", f"addr add fd0{net}::1/64 dev {dev} nodad")]
        for v6 in (False, True):
            for address4, address6, dev, mac in [*HOSTS, *GATEWAYS.values()]:
                self.neighbours[(address4, address6)[v6]] = dev, mac
            for net in range(NETS):
                self.routes[v6, net] = self.via(v6, net, "bgc"[net % 3])
            for table, name in TABLES.items():
                commands.append((ip_of(v6), f"route add default via "
                                 f"{GATEWAYS[name][v6]} table {table}"
                                 if name else
                                 f"route add blackhole default table {table}"))
        return commands + self.restore()

    def via(self, v6, net, name):
        return f"route replace {net_of(v6, net)} via {GATEWAYS[name][v6]}"

    def restore(self):
        """What a device loses when it is set down."""
        return [("ip", f"neigh replace {address} lladdr {mac} dev {dev} "
                 "nud permanent")
                for address, (dev, mac) in self.neighbours.items()] + \
            [(ip_of(v6), line) for (v6, _), line in self.routes.items()] + \
            [(ip_of(v6), f"route replace default via {GATEWAYS[name][v6]} "
              f"table {table}")
             for v6 in (False, True) for table, name in TABLES.items() if name]

    def next(self):
        """The commands of something that happens, or of its end."""
        if self.undo and self.rng.random() < 0.15 + 0.15 * len(self.undo):
            key = self.rng.choice(sorted(self.undo))
            commands = self.undo.pop(key)
            return commands() if callable(commands) else commands
        while True:
            weights, kinds = zip(*self.kinds)
            got = self.rng.choices(kinds, weights)[0]()
            if got:
                return got

    def for_a_while(self, key, commands, undo):
        """None if it is so already."""
        if key in self.undo:
            return None
        self.undo[key] = undo
        return commands

    # --- each kind ---

    def route(self):
        v6, net = self.rng.random() < 0.4, self.rng.randrange(NETS)
        to = net_of(v6, net)
        kind = self.rng.choice("bgcbgcemp")
        if kind == "e":
            line = f"route replace {to} " + " ".join(
                f"nexthop via {GATEWAYS[name][v6]}" for name in "bc")
        elif kind == "m":
            line = self.via(v6, net, self.rng.choice("bc")) + " mtu 1300"
        elif kind == "p":
            what = self.rng.choice(("blackhole", "prohibit", "unreachable"))
            normal = self.routes[v6, net]
            return self.for_a_while(
                f"type {v6} {net}", [(ip_of(v6), f"route del {to}"),
                                     (ip_of(v6), f"route add {what} {to}")],
                [(ip_of(v6), f"route del {to}"), (ip_of(v6), normal)])
        else:
            line = self.via(v6, net, kind)
        if f"type {v6} {net}" in self.undo:
            return None
        self.routes[v6, net] = line
        return [(ip_of(v6), line)]

    def rule(self):
        v6 = self.rng.random() < 0.4
        what = self.rng.choice((
            f"fwmark {self.rng.choice((1, 2))}",
            f"from {self.rng.choice(HOSTS)[v6]}",
            f"to {net_of(v6, self.rng.randrange(NETS))}",
            f"iif {self.rng.choice(('lan', 'br0.7'))}"))
        pref = self.rng.randrange(1000, 2000)
        line = f"{what} lookup {self.rng.choice((101, 102, 102, 103))} pref {pref}"
        return self.for_a_while(f"rule {v6} {what}",
                                [(ip_of(v6), f"rule add {line}")],
                                [(ip_of(v6), f"rule del {line}")])

    def neighbour(self):
        address = self.rng.choice(sorted(self.neighbours))
        dev, _ = self.neighbours[address]
        mac = f"02:00:00:00:{self.rng.randrange(48, 99):02d}:" \
            f"{self.rng.randrange(10, 99):02d}"
        self.neighbours[address] = dev, mac
        return [("ip", f"neigh replace {address} lladdr {mac} dev {dev} "
                 "nud permanent")]

    def policy(self):
        v6 = self.rng.random() < 0.4
        near = ("10.0.0.0/13", "fd00::/13")[v6]		# all clients
        near = self.rng.choice((near, self.rng.choice(HOSTS)[v6]))
        far = net_of(v6, self.rng.randrange(NETS))
        way = self.rng.choice(("out", "out", "fwd", "in"))
        back = self.rng.random() < 0.4
        src, dst = (far, near) if back else (near, far)
        what = "action block"
        if way == "fwd" and self.rng.random() < 0.5:
            what = "tmpl proto esp mode transport"
        return self.for_a_while(
            f"policy {src} {dst} {way}",
            [("ip", f"xfrm policy add src {src} dst {dst} dir {way} {what}")],
            [("ip", f"xfrm policy delete src {src} dst {dst} dir {way}")])

    def forwarding(self):
        name = self.rng.choice((
            "ipv4__ip_forward", "ipv6__conf__all__forwarding",
            "ipv4__conf__lan__forwarding", "ipv4__conf__wan__forwarding",
            "ipv4__conf__wan2__forwarding"))
        return self.for_a_while("forwarding", [("sysctl", name, 0)],
                                [("sysctl", name, 1)])

    # The ruleset

    def match(self):
        rng = self.rng
        v6 = rng.random() < 0.4
        family, host = ("ip6" if v6 else "ip"), rng.choice(HOSTS)[v6]
        net = net_of(v6, rng.randrange(NETS))
        return rng.choice((
            f"iifname {rng.choice(('lan', 'wan', 'wan2', 'br0.7'))}",
            "iifname { lan, br0.7 }", "udp dport 5000", "tcp dport 5000",
            "udp sport 5000", f"{family} saddr {host}", f"{family} daddr {net}",
            f"{family} saddr {net}", "ct direction reply",
            "ct direction original", "meta mark 1", "ct mark 2",
            "ct state new meta l4proto udp",
            f"th sport {rng.randrange(6000, 6100)}-{rng.randrange(6100, 7000)}",
            "meta l4proto tcp", "meta l4proto udp"))

    def filter(self):
        chain = self.rng.choice(("early", "late", "pre", "post", "late"))
        lines = [f"flush chain inet t {chain}"]
        if chain == "pre" and self.rng.random() < 0.6:
            return self.mark()
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            match = self.match()
            if chain in ("pre",) and "oifname" in match:
                continue
            lines.append(f"add rule inet t {chain} {match} "
                         f"{self.rng.choice(('drop', 'drop', 'accept'))}")
        if len(lines) == 1:
            self.undo.pop(f"filter {chain}", None)
            return [("nft", "\n".join(lines))]
        self.undo[f"filter {chain}"] = [("nft", lines[0])]
        return [("nft", "\n".join(lines))]

    def mark(self):
        lines = ["flush chain inet t pre"]
        for _ in range(self.rng.choice((1, 2))):
            lines.append(f"add rule inet t pre {self.match()} " + self.rng.choice((
                "meta mark set 1", "meta mark set 2", "ct mark set 2",
                "meta mark set ct mark")))
        return [("nft", "\n".join(lines))]

    def flow_add(self):
        """Where flows begin, and what is said behind."""
        rng = self.rng
        flow = "meta l4proto { tcp, udp } flow add @ft"
        lines = ["flush chain inet t forward"]
        if rng.random() < 0.25:
            lines.append(f"add rule inet t forward {self.match()} drop")
        lines.append("add rule inet t forward " + rng.choice((
            flow, flow, "iifname { lan, br0.7 } " + flow,
            "ct state established " + flow, "ct direction original " + flow,
            "oifname { wan, wan2 } " + flow)))
        if rng.random() < 0.3:
            lines += [f"add rule inet t forward {self.match()} accept",
                      f"add rule inet t forward {self.match()} drop"]
        return [("nft", "\n".join(lines))]

    def nat(self):
        """Of new connections."""
        rng = self.rng
        lines = ["flush chain inet n post", "flush chain inet n pre"]
        if rng.random() < 0.7:
            lines.append("add rule inet n post " + rng.choice((
                "oifname wan masquerade", "oifname { wan, wan2 } masquerade",
                "oifname wan2 ip saddr 10.1.0.0/24 snat ip to 10.3.0.77")))
        if rng.random() < 0.5:
            lines.append("add rule inet n pre " + rng.choice((
                "ip daddr 10.8.3.0/24 udp dport 5000 dnat ip to 10.8.1.7:5000",
                "ip6 daddr fd08:3::/32 meta l4proto tcp dnat ip6 to "
                "fd08:2::7")))
        return [("nft", "\n".join(lines))]

    def commit(self):
        self.serial += 1
        return [("nft", f"add table inet other{self.serial}")]

    # Addresses and devices

    def local(self):
        v6 = self.rng.random() < 0.4
        net, last = self.rng.randrange(NETS), self.rng.randrange(1, 9)
        address = f"fd08:{net}::{last}/128" if v6 else f"10.8.{net}.{last}/32"
        return self.for_a_while(
            f"local {address}", [("ip", f"addr add {address} dev lo")],
            [("ip", f"addr del {address} dev lo")])

    def link(self):
        dev = self.rng.choice(("wan", "wan2", "lan"))
        return self.for_a_while(
            # Masquerading forgets its connections. An answer that comes first then
            # takes the port that it had, and it gets another, at random.
            f"link {dev}", [("ip", f"link set {dev} down"), ("renew",)],
            lambda: [("ip", f"link set {dev} up"), *self.restore(),
                     ("renew",)])

    def address(self):
        """A device's Ethernet address."""
        dev = self.rng.choice(("lan", "wan", "wan2"))
        self.serial += 1
        mac = f"02:00:00:01:{self.serial // 90 + 10:02d}:" \
            f"{self.serial % 90 + 10:02d}"
        # The kernel forgets all neighbours there.
        return [("ip", f"link set {dev} address {mac}"), *self.restore(),
                ("mac", dev, mac)]

    def mtu(self):
        dev = self.rng.choice(("lan", "wan", "wan2"))
        return self.for_a_while(f"mtu {dev}",
                                [("ip", f"link set {dev} mtu 1300")],
                                [("ip", f"link set {dev} mtu 1500")])

    # The bridge

    def vlan(self):
        port = self.rng.choice(("sw", "sw", "sw2"))
        member = f"vlan add dev {port} vid 7 pvid untagged"
        do, undo = self.rng.choice((
            ([("bridge", f"vlan add dev {port} vid 7"), ("tagged", 0.8)],
             [("bridge", member), ("tagged", 0.1)]),
            ([("bridge", f"vlan del dev {port} vid 7")], [("bridge", member)]),
            ([("bridge", f"vlan add dev {port} vid 8 pvid untagged")],
             [("bridge", f"vlan del dev {port} vid 8"), ("bridge", member)]),
            ([("ip", "link set br0 type bridge vlan_filtering 0")],
             [("ip", "link set br0 type bridge vlan_filtering 1")]),
            ([("bridge", f"link set dev {port} state 0")],
             [("bridge", f"link set dev {port} state 3")]),
            ([("ip", f"link set {port} nomaster")],
             [("ip", f"link set {port} master br0"), ("bridge", member)])))
        return self.for_a_while("vlan", do, undo)

    def move(self):
        """A client is plugged in elsewhere, and says so."""
        return [("move", self.rng.randrange(3, 6),
                 self.rng.choice(("sw", "sw2")))]

    @staticmethod
    def flush():
        return [("conntrack", "-F"), ("renew",)]
