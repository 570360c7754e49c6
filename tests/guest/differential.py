#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
The fast path in software against classic forwarding, packet by packet.

differential.py kernel|module [SCENARIO...]

    netns a            netns r, the router           netns b
    lanw <-wire->  lan  10.1.0.1 | 10.2.0.1  wan  <-wire-> wanw
    10.1.0.2           fd01::1   | fd02::1               10.2.0.2
    fd01::2                                              fd02::2

The ends are packet sockets on the wires: nothing is sent that is not sent here.
The same frames go through the router three times: without a flowtable
("classic"), with a flowtable, and with one that has "flags offload" on a NIC
that refuses every flow. What comes out, at either wire, must be the same.

What a fast path does with a frame is also foretold by a model (class Model)
from the frame's bytes: whether it takes it, and what it makes of it. The model
is the table of expectations; its rules are those of the kernel's
nf_flow_table_ip.c. That a frame took the slow path is seen by a chain at
ingress behind the flowtable's hook. So a fast path that does nothing fails.

A fast path looks at less than classic forwarding does. Frames that classic
forwarding would drop or change for what it alone looks at ("by nature", see
Model.natures) may come out of the fast path as the model says; each such kind
is reported. The kernel's path must do exactly what the model says.

NFTO_SEED gives the seed of the random frames.
"""
import itertools
import json
import os
import random
import select
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from fastpath import (HOST_MAC, LAN, MARK_PORT, NAT_OF, NOISE_MAC, SCENARIOS,
                      SESSION, TRAILERS, TRAILER_OVER_MTU, WAN, WIRES,
                      WIRE_MAC, Flow, Model, Scenario, Slow, word)
from oddities import Item, make_plan
from packets import (ACK, CLONE_NEWNET, ETH_IP, ETH_IP6, FRAGMENT, GRE, ICMP,
                     ICMP6, MODULES, RST, SYN, TCP, UDP, VLAN, PortSocket,
                     ask_sim, enter, libc, mac, packed, run, tap, write)

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 15		# seconds until what must happen has not happened
SEED = os.environ.get("NFTO_SEED") or str(random.SystemRandom().getrandbits(31))
# As many frames are on their way at once; a queue of the NIC has room for more.
CHUNK = 200


# --- the router ---

class Router:
    """The adapter and its namespaces; the process stays in netns r."""

    def __init__(self):
        for netns in ("r", "a", "b"):
            run("ip", "netns", "add", netns)
            enter(netns)
            # The hosts at the ends send nothing by themselves.
            if netns != "r":
                for which in ("default", "all"):
                    write(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6", "1")
        enter("r")
        for name, value in SYSCTLS.items():
            write(f"/proc/sys/{name}", str(value))
        for state in ("established", "fin_wait", "close_wait", "last_ack",
                      "time_wait", "close"):
            write("/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_" + state,
                  "1200")
        self.home = os.open("/proc/1/ns/net", os.O_RDONLY)
        self.here = os.open("/run/netns/r", os.O_RDONLY)
        libc.setns(self.home, CLONE_NEWNET)
        for name, value in HOST_SYSCTLS.items():
            write(f"/proc/sys/{name}", str(value))
        libc.setns(self.here, CLONE_NEWNET)
        self.marks = itertools.count(1)
        self.ppp = None

    def make(self, scenario):
        self.scenario = scenario
        libc.setns(self.home, CLONE_NEWNET)
        ask_sim("new_adapter", "sim0 profile=mlx5-rep host=lan,wan "
                               "wire=lanw,wanw")
        run("ip", "-b", "-", text="""
            link set lan netns r
            link set wan netns r
            link set lanw netns a
            link set wanw netns b""")
        libc.setns(self.here, CLONE_NEWNET)
        for side, netns in ((LAN, "a"), (WAN, "b")):
            name, wire = ("lan", "wan")[side], WIRES[side]
            run("ip", "-n", netns, "link", "set", wire, "up", "mtu", "9000",
                "address", WIRE_MAC[side])
            run("ip", "link", "set", name, "address", HOST_MAC[side], "mtu",
                str(scenario.mtu[side]), "addrgenmode", "none")
            # Frames have to arrive as they were sent, one by one.
            run("ethtool", "-K", name, "gro", "off")
            run("ip", "netns", "exec", netns, "ethtool", "-K", wire, "gro",
                "off")
            run("ip", "link", "set", name, "up")
        self.configure(scenario)
        self.sockets = PortSocket("a", "lanw"), PortSocket("b", "wanw")
        self.mark_flow = Flow(UDP, False, MARK_PORT, MARK_PORT,
                              Scenario("", tags=scenario.tags,
                                       pppoe=scenario.pppoe))
        self.wait_for_links()
        self.wait_for_wires()

    def configure(self, scenario):
        lines, below = [], "lan"
        for tpid, vid in scenario.tags:
            name = f"{below}.{vid}"
            proto = "802.1Q" if tpid == VLAN else "802.1ad"
            lines += [f"link add link {below} name {name} type vlan "
                      f"proto {proto} id {vid}",
                      f"link set {name} addrgenmode none up"]
            below = name
        lan, wan = scenario.devices
        for address in "10.1.0.1/24", "fd01::1/64":
            lines.append(f"addr add {address} dev {lan} nodad")
        if scenario.pppoe:
            self.session()
            lines += [f"link set {wan} addrgenmode none mtu "
                      f"{scenario.mtu[WAN] - 8} up",
                      f"addr add 10.2.0.1 peer 10.2.0.2 dev {wan}",
                      f"addr add fd02::1 peer fd02::2 dev {wan} nodad"]
        else:
            lines += [f"addr add 10.2.0.1/24 dev {wan}",
                      f"addr add fd02::1/64 dev {wan} nodad"]
        if "snat" in scenario.nat:
            lines += [f"addr add 10.2.0.50 dev {wan}",
                      f"addr add fd02::50 dev {wan} nodad"]
        if "dnat" in scenario.nat:
            # Packets that DNAT does not change need a route, too.
            lines += ["route add 10.9.9.9 via 10.2.0.2",
                      "route add fd09::9 via fd02::2"]
        for side, device, addresses in (
                (LAN, lan, ("10.1.0.2", "fd01::2")),
                (WAN, wan, ("10.2.0.2", "fd02::2"))):
            if device == "ppp0":
                continue
            for address in addresses:
                lines.append(f"neigh add {address} dev {device} lladdr "
                             f"{WIRE_MAC[side]} nud permanent")
        run("ip", "-b", "-", text="\n".join(lines))

    def session(self):
        # pylint: disable=consider-using-with
        self.ppp = subprocess.Popen(
            [f"{HERE}/pppoe.py", "wan", WIRE_MAC[WAN], str(SESSION)],
            stdout=subprocess.PIPE, text=True)
        name = self.ppp.stdout.readline().strip()
        if name != "ppp0":
            raise RuntimeError(f"the PPPoE session is '{name}'")

    def remove(self):
        for sock in self.sockets:
            sock.sock.close()
        if self.ppp:
            self.ppp.kill()
            self.ppp.wait()
            self.ppp = None
        ask_sim("del_adapter", "sim0")

    @staticmethod
    def wait_for_links():
        """
        A device says that it has a carrier up to a second later, one upon
        another each in its turn. Each time all routes are made anew, and
        packets take the slow path until that is done.
        """
        end = time.monotonic() + PATIENCE
        while True:
            late = [link["ifname"] for link in json.loads(run(
                "ip", "-j", "link", "show", "up"))
                    if link and link["operstate"] not in ("UP", "UNKNOWN")]
            if not late:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"no carrier: {late}")

    def wait_for_wires(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.sync(0.3)
                return
            except (OSError, TimeoutError):
                if time.monotonic() > end:
                    raise

    # --- rules ---

    def rules(self, flags):
        """None: no flowtable."""
        run("nft", "flush", "ruleset")
        run("conntrack", "-F")
        run("nft", "-f", "-", text=SEEN_RULES + CT_RULES +
            self.nat_rules())
        if flags is not None:
            run("nft", "-f", "-", text=f"""
table inet t {{
	flowtable ft {{
		hook ingress priority 0
		devices = {{ lan, wan }}
		{flags}
		counter
	}}
	chain forward {{
		type filter hook forward priority 0
		udp dport {MARK_PORT} accept
		meta l4proto {{ tcp, udp, gre }} ct state established flow add @ft
	}}
}}""")

    def nat_rules(self):
        lan, wan = self.scenario.devices
        words = self.scenario.nat.split()
        pre, post = [], []
        if "dnat" in words:
            for ip, service, server in (("ip", "10.9.9.9", "10.2.0.2:7000"),
                                        ("ip6", "fd09::9", "[fd02::2]:7000")):
                pre.append(f"iifname {lan} {ip} daddr {service} "
                           f"meta l4proto {{ tcp, udp }} dnat {ip} to {server}")
        if "snat" in words:
            port = "" if "dnat" in words else ":4000"
            for ip, address in ("ip", "10.2.0.50"), ("ip6", "[fd02::50]"):
                post.append(f"oifname {wan} meta nfproto "
                            f"{'ipv4' if ip == 'ip' else 'ipv6'} "
                            f"meta l4proto {{ tcp, udp }} "
                            f"snat {ip} to {address}{port}")
        if "masquerade" in words:
            post.append(f"oifname {wan} masquerade")
        if not words:
            return ""
        chains = "".join(f"""
	chain {name} {{
		type nat hook {name} priority {priority}
		udp dport {MARK_PORT} accept
		{line}
	}}""" for name, priority, lines in (("prerouting", "dstnat", pre),
                                     ("postrouting", "srcnat", post))
                         for line in ["\n\t\t".join(lines)])
        return f"table inet nat {{{chains}\n}}\n"

    @staticmethod
    def seen():
        """What is recorded of frames that the flowtable did not take."""
        result = set()
        for name in "seen4", "seen6":
            text = run("nft", "-j", "list", "set", "netdev", "seen", name)
            (found,) = [entry["set"] for entry in json.loads(text)["nftables"]
                        if "set" in entry]
            result |= {(name, value) for value in found.get("elem", ())}
        return result

    @staticmethod
    def conntrack():
        """(protocol, source, destination, ports) -> state and flags"""
        result = {}
        for family in "ipv4", "ipv6":
            for line in run("conntrack", "-L", "-f", family).splitlines():
                words = line.split()
                pairs = [w.split("=", 1) for w in words if "=" in w]
                first = {}
                for name, value in pairs:
                    first.setdefault(name, value)
                key = (int(words[1]), first["src"], first["dst"],
                       int(first.get("sport", 0)), int(first.get("dport", 0)))
                state = [w for w in words[2:] if w.isupper() or w[0] == "["]
                result[key] = " ".join(state)
        return result

    # --- frames ---

    def send(self, side, frame):
        sock = self.sockets[side]
        while True:
            try:
                sock.send(frame)
                return
            except BlockingIOError:
                select.select([], [sock.sock], [], 1)

    def run_step(self, items):
        """Sends them all; what comes out, as (side, frame), in order."""
        got = []
        for start in range(0, len(items), CHUNK):
            for item in items[start:start + CHUNK]:
                for frame in item.frames:
                    self.send(item.side, frame)
            got += self.sync()
        return got

    def sync(self, patience=PATIENCE):
        """
        Waits for all that is on its way. Each queue keeps the order, so what
        a mark overtakes nowhere is there when the mark is: the first has
        pushed everything from the LAN as far as a wire, the others follow it.
        """
        got = []
        for side in LAN, WAN, LAN:
            text = b"the mark %d." % next(self.marks)
            self.send(side, bytes(self.mark_flow.packet(side, data=text,
                                                        ident=0, label=0)))
            end = time.monotonic() + patience
            while not self.collect(got, 1 - side, text):
                if time.monotonic() > end:
                    raise TimeoutError("a mark does not come out")
                self.sockets[1 - side].wait(end)
        self.collect(got, None, b"")
        return got

    def collect(self, got, side, text):
        """Reads what is there; whether the mark was among it."""
        found = False
        for at, sock in enumerate(self.sockets):
            while (frame := sock.read()) is not None:
                if at == side and text in frame:
                    found = True
                # Not one of the router's own multicasts, nor an old mark.
                elif frame[:6] == mac(WIRE_MAC[at]) and \
                        b"the mark " not in frame:
                    got.append((at, frame))
        return found


SYSCTLS = {
    "net/ipv4/ip_forward": 1,
    "net/ipv6/conf/all/forwarding": 1,
    "net/ipv4/conf/all/rp_filter": 0,
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv6/conf/default/router_solicitations": 0,
    # Errors are compared, too: none may be left out for its rate.
    "net/ipv4/icmp_ratemask": 0,
    "net/ipv6/icmp/ratemask": 255,
    # Nothing may time out. GRE's has to be above five minutes: below that the
    # kernel's path warns (nf_flow_table_extend_ct_timeout()).
    "net/netfilter/nf_flowtable_tcp_timeout": 600,
    "net/netfilter/nf_flowtable_udp_timeout": 600,
    "net/netfilter/nf_conntrack_udp_timeout": 1200,
    "net/netfilter/nf_conntrack_udp_timeout_stream": 1200,
    "net/netfilter/nf_conntrack_frag6_timeout": 1200,
    "net/ipv4/ipfrag_time": 1200,
    "net/netfilter/nf_conntrack_gre_timeout": 1200,
    "net/netfilter/nf_conntrack_gre_timeout_stream": 1200,
}
# Settings of the whole machine.
HOST_SYSCTLS = {
    # As ICMP's rates: how often the kernel says that there is no route.
    "net/ipv4/route/error_cost": 0,
    # Of packets that pass the hooks together, those of a connection that is not
    # confirmed yet are dropped, all but one.
    "net/core/gro_normal_batch": 1,
}

# Behind the flowtable's hook, which has priority 0: what that took is not seen
# here. Kept are 32 bits: IPv4's total length and ID; IPv6's first word, with
# the flow label.
SEEN_RULES = f"""
table netdev seen {{
	set seen4 {{
		typeof tcp sequence
		flags dynamic
		size 65535
	}}
	set seen6 {{
		typeof tcp sequence
		flags dynamic
		size 65535
	}}
	chain ingress {{
		type filter hook ingress devices = {{ lan, wan }} priority 10
		ether saddr {NOISE_MAC} accept
		meta protocol ip update @seen4 {{ @nh,16,32 }} accept
		meta protocol ip6 update @seen6 {{ @nh,0,32 }} accept
		meta protocol 0x8100 @nh,16,16 0x0800 update @seen4 {{ @nh,48,32 }}
		meta protocol 0x8100 @nh,16,16 0x86dd update @seen6 {{ @nh,32,32 }}
		meta protocol 0x8864 @nh,48,16 0x0021 update @seen4 {{ @nh,80,32 }}
		meta protocol 0x8864 @nh,48,16 0x0057 update @seen6 {{ @nh,64,32 }}
	}}
}}
"""
# Classic forwarding has conntrack, too.
CT_RULES = """
table inet state {
	chain forward {
		type filter hook forward priority -10
		ct state invalid counter
	}
}
"""


# --- what comes out ---

ROUTER = {packed(text) for text in (
    "10.1.0.1", "10.2.0.1", "10.2.0.50", "10.9.9.9")}


def identify(frame, nat):
    """
    (is it IPv6, the ID of what it comes from, the frame with what cannot be
    foretold masked): the IPv4 ID of packets that the router makes itself,
    errors among them, comes from a counter with a random stride; the ID in
    IPv6's fragment header is random when the router fragments anew what
    conntrack had put together.
    """
    try:
        _, kind, at = Model.open(frame)
    except Slow:
        return None, None, frame
    masked = bytearray(frame)
    if kind == ETH_IP and len(frame) >= at + 20:
        ident = word(frame, at + 4)
        icmp = frame[at + 9] == ICMP
        if frame[at + 12:at + 16] in ROUTER and (icmp or not nat):
            masked[at + 4:at + 6] = masked[at + 10:at + 12] = b"\0\0"
            # The router's own answer to a ping; no frame has this number.
            if icmp and len(frame) > at + 20 and frame[at + 20] == 0:
                ident = None
        if icmp and len(frame) >= at + 34 and \
                frame[at + 20] in (3, 4, 5, 11, 12):
            ident = word(frame, at + 32)
        return False, ident, bytes(masked)
    if kind == ETH_IP6 and len(frame) >= at + 40:
        ident = word(frame, at + 2)
        if frame[at + 6] == FRAGMENT:
            masked[at + 44:at + 48] = bytes(4)
        if frame[at + 6] == ICMP6 and len(frame) >= at + 52 and \
                frame[at + 40] < 128:
            ident = word(frame, at + 50)
        return True, ident, bytes(masked)
    return None, None, frame


def is_untold(frame, nat):
    """
    What the router says by itself and nobody can foretell: with NAT, a RST in
    answer to what is for one of its addresses because it got no NAT (nothing in
    it says which frame that was); that a host does not answer to ARP or
    neighbour discovery, seconds later; and that it listens to multicasts of the
    link, by a session of PPPoE.
    """
    try:
        _, kind, at = Model.open(frame)
    except Slow:
        return False
    if kind == ETH_IP6 and frame[at + 24:at + 26] == b"\xff\x02":
        return frame[at + 8:at + 10] in (b"\0\0", b"\xfe\x80")
    size, proto = (20, at + 9) if kind == ETH_IP else (40, at + 6)
    l4 = frame[at + size:]
    if len(l4) < 20:
        return False
    if frame[proto] == TCP:
        return nat and bool(l4[13] & RST)
    return (kind, frame[proto], l4[0], l4[1]) in (
        (ETH_IP, ICMP, 3, 1), (ETH_IP6, ICMP6, 1, 3))


@dataclass
class Outcome:
    """Of one way through the router."""
    name: str
    out: dict = field(default_factory=dict)	# item -> [(side, frame)]
    stray: list = field(default_factory=list)
    seen: set = field(default_factory=set)
    states: dict = field(default_factory=dict)


def run_plan(router, plan, name, flags):
    """Establishes the flows, sends everything."""
    nat = bool(plan.scenario.nat)
    outcome = Outcome(name)
    # A flowtable makes conntrack liberal about the flows that it takes. Else a
    # packet out of the window is invalid, and goes on without NAT.
    write("/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal",
          str(int(flags is None)))
    router.rules(flags)
    establish(router, plan)
    if flags is not None:
        check_offloaded(router, plan, name, "all flows are in the flowtable",
                        lambda flow: True)
    for step in plan.steps:
        items = {(item.v6, item.ident): item for item in step}
        got = router.run_step(step)
        for item in step:
            outcome.out[id(item)] = []
        for side, frame in got:
            if is_untold(frame, nat):
                continue
            v6, ident, masked = identify(frame, nat)
            item = step[0] if step and step[0].alone else \
                items.get((v6, ident))
            if item:
                outcome.out[id(item)].append((side, masked))
            else:
                outcome.stray.append((side, masked))
    outcome.seen = router.seen()
    if flags is not None:
        check_offloaded(router, plan, name, "in the end those that did not end",
                        still_there)
    return outcome


def establish(router, plan):
    """Both directions of every flow, TCP with its handshake."""
    for side, flags in ((LAN, SYN), (WAN, SYN | ACK), (LAN, ACK), (WAN, ACK),
                        (LAN, ACK)):
        router.run_step([Item("", side, [bytes(flow.packet(
            side, flags=flags, seq=(999, 4999)[side] + (flags == ACK),
            ident=0, label=0))], 0, "", flow.v6) for flow in plan.flows])


def ct_key(flow):
    saddr, sport, daddr, dport = flow.tuples[LAN]
    return flow.proto, saddr, daddr, sport, dport


def check_offloaded(router, plan, name, when, wanted):
    """What conntrack says of these flows; wanted(flow): True, False, None."""
    end = time.monotonic() + PATIENCE
    flows = [flow for flow in plan.flows if wanted(flow) is not None]
    while True:
        states = router.conntrack()
        wrong = [f"{ct_key(flow)}: {states.get(ct_key(flow))}"
                 for flow in flows if wanted(flow) !=
                 ("[OFFLOAD]" in states.get(ct_key(flow), ""))]
        if not wrong or time.monotonic() > end:
            break
    tap.result(f"{plan.scenario.name}, {name}: {when} ({len(flows)})",
               wrong[:8])


def still_there(flow):
    """In the end. The kernel's GRE flows live for 30 seconds."""
    if flow.proto == GRE or flow.ended == "perhaps":
        return None
    return not flow.ended


def end_states(router, with_flowtable):
    """conntrack's, when no flow is in a flowtable any more."""
    if with_flowtable:
        run("nft", "delete", "table", "inet", "t")
    end = time.monotonic() + PATIENCE
    while True:
        states = router.conntrack()
        if not any("OFFLOAD" in state for state in states.values()) or \
                time.monotonic() > end:
            return states


# --- judging ---

def hexes(out):
    return "\n".join(f"    {WIRES[side]} {frame.hex()}"
                     for side, frame in out) or "    nothing"


class Judge:
    def __init__(self, path):
        self.path = path
        # nature -> how often the path did as classic forwarding, as the model
        self.natures = {}
        self.fates = {}

    def foretell(self, plan):
        model = Model(plan.scenario, plan.flows, self.path == "module")
        self.fates = {id(item): [model.fate(item.side, frame)
                                 for frame in item.frames]
                      for step in plan.steps for item in step}

    def scenario(self, plan, classic, outcomes):
        groups = {}
        for step in plan.steps:
            for item in step:
                groups.setdefault(item.group, []).append(item)
        self.check_model(plan, classic)
        for outcome in outcomes:
            for name, items in groups.items():
                self.group(f"{plan.scenario.name}, {outcome.name}: {name}",
                           items, classic, outcome)
            self.strays(plan, classic, outcome)
            self.states(plan, classic, outcome)

    @staticmethod
    def foretold(item, out):
        return [(1 - item.side, out)] if out else []

    def check_model(self, plan, classic):
        problems, n = [], 0
        for step in plan.steps:
            for item in step:
                fate = self.fates[id(item)][0]
                if not fate.out or fate.natures:
                    continue
                n += 1
                got = classic.out[id(item)]
                if got != self.foretold(item, fate.out):
                    problems.append(self.report(item, classic.out, got, fate))
        tap.result(f"{plan.scenario.name}, classic: forwarded as the model of "
                   f"the fast path does ({n} frames)", shorten(problems))

    def group(self, text, items, classic, outcome):
        problems, fast = [], 0
        for item in items:
            fate = self.fates[id(item)][0]
            got, want = outcome.out[id(item)], classic.out[id(item)]
            if fate.natures and fate.out:
                self.count(fate.natures, got, want, fate, item)
            if not self.is_good(item, fate, got, want):
                problems.append(self.report(item, classic.out, got, fate))
            fast += bool(fate.out)
            if not item.alone and not fate.unsure:
                problems += self.wrong_way(item, outcome)
        tap.result(f"{text} ({len(items)}, {fast} of them fast)",
                   shorten(problems))

    def is_good(self, item, fate, got, want):
        """The comparison that all is about."""
        if not fate.natures or self.path == "kernel" and not fate.out:
            return got == want
        if self.path == "kernel":
            return got == self.foretold(item, fate.out) or \
                fate.unsure and got == want
        # Ours does as classic forwarding does, NAT excepted.
        return got == want or any(n.startswith(NAT_OF) for n in fate.natures) \
            and all(n.startswith(NAT_OF) or n in TRAILERS
                    for n in fate.natures) \
            and got == self.foretold(item, fate.trimmed)

    def wrong_way(self, item, outcome):
        """Fast where it should be slow, or slow where it should be fast."""
        where = f"{item.text}, {item.group}, in at {WIRES[item.side]}"
        for fate, frame in zip(self.fates[id(item)], item.frames):
            if not fate.record:
                continue
            slow = fate.record in outcome.seen
            if fate.out and slow and not (self.path == "module" and
                                          fate.natures):
                yield f"{where}: the slow path got it\n  {frame.hex()}"
            if not fate.out and not slow and not (
                    self.path == "module" and fate.why == TRAILER_OVER_MTU):
                yield f"{where}: the fast path took it ({fate.why})\n" \
                    f"  {frame.hex()}"

    def count(self, natures, got, want, fate, item):
        if want == self.foretold(item, fate.out):
            what = "same"
        elif got == want:
            what = "as classic"
        elif got == self.foretold(item, fate.out):
            what = "as the model"
        else:
            what = "as the model, trimmed" \
                if got == self.foretold(item, fate.trimmed) else "neither"
        for nature in natures:
            self.natures.setdefault(nature, Counter())[what] += 1

    def report(self, item, classic, got, fate):
        lines = [f"{item.text}, {item.group}, in at {WIRES[item.side]}:"]
        lines += [f"  sent:    {frame.hex()}" for frame in item.frames]
        lines += ["  classic:", hexes(classic[id(item)]), "  got:", hexes(got)]
        if fate.out:
            lines += ["  the model of the fast path:",
                      hexes(self.foretold(item, fate.out))]
            if fate.natures:
                lines.append(f"  by nature: {'; '.join(fate.natures)}")
        else:
            lines.append(f"  not for the fast path: {fate.why}")
        return "\n".join(lines)

    @staticmethod
    def strays(plan, classic, outcome):
        """Frames that come from none that was sent."""
        problems = []
        was, now = Counter(classic.stray), Counter(outcome.stray)
        if was != now:
            problems = ["classic:", hexes([*(was - now)][:4]), "got:",
                        hexes([*(now - was)][:4])]
        tap.result(f"{plan.scenario.name}, {outcome.name}: no other frames",
                   problems)

    @staticmethod
    def states(plan, classic, outcome):
        """conntrack's, afterwards."""
        problems = []
        for flow in plan.flows:
            key = ct_key(flow)
            was, now = classic.states.get(key), outcome.states.get(key)
            if flow.proto == UDP and None not in (was, now):
                # A connection is when conntrack sees a packet of it after two
                # seconds: a matter of time, and of the fast path.
                was, now = (s.replace("[ASSURED]", "") for s in (was, now))
            if was != now:
                problems.append(f"{flow}, {flow.purpose}, {key}, ended: "
                                f"{flow.ended}: '{was}', now '{now}'")
        tap.result(f"{plan.scenario.name}, {outcome.name}: conntrack's states "
                   "are those of classic forwarding", shorten(problems, 8))

    def summary(self):
        for nature, counts in sorted(self.natures.items()):
            print(f"# by nature: {nature}: " +
                  ", ".join(f"{n} {what}" for what, n in counts.items()))


def shorten(problems, n=3):
    problems = list(problems)
    if len(problems) > n:
        return problems[:n] + [f"and {len(problems) - n} more"]
    return problems


# --- main ---

WAYS = (("classic", None), ("software", ""), ("refused", "flags offload"))


def path_in_use():
    return run("bash", "-c", '. "$0/lib.sh"; path_in_use', HERE).strip()


def run_scenario(router, judge, scenario, path):
    plan = make_plan(scenario, SEED)
    judge.foretell(plan)
    router.make(scenario)
    outcomes = []
    began = time.monotonic()
    for name, flags in WAYS:
        if flags:
            ask_sim("sim0/fail_replace", "EOPNOTSUPP")
        outcome = run_plan(router, plan, name, flags)
        if flags is not None:
            tap.result(f"{scenario.name}, {name}: the {path}'s flowtable is "
                       "the one in use",
                       [] if path_in_use() == path else [path_in_use()])
        outcome.states = end_states(router, flags is not None)
        outcomes.append(outcome)
    run("nft", "flush", "ruleset")
    judge.scenario(plan, outcomes[0], outcomes[1:])
    n = sum(len(item.frames) for step in plan.steps for item in step)
    print(f"# {scenario.name}: {n} frames, three times, "
          f"{time.monotonic() - began:.1f} s")
    router.remove()
    return n


def main():
    path, *names = sys.argv[1:]
    print(f"# Linux {os.uname().release}, NFTO_SEED={SEED}")
    # One CPU: no frame overtakes another.
    os.sched_setaffinity(0, {0})
    run("insmod", f"{MODULES}/sim/nft_offload_sim.ko")
    run("modprobe", "-a", "nf_conntrack", "8021q", "pppoe")
    run("bash", "-c", '. "$0/lib.sh"; path_use "$1"', HERE, path)
    if path == "module":
        # Else the first packet of a flow that began just after the ruleset was
        # loaded takes the slow path once more, or not: see rules.py for that.
        write("/sys/module/nft_offload/parameters/follow_ruleset", "0")
    router = Router()
    judge = Judge(path)
    total = 0
    for scenario in SCENARIOS:
        if not names or scenario.name in names:
            total += run_scenario(router, judge, scenario, path)
    judge.summary()
    print(f"# {total} frames, three times")
    tap.finish()


main()
