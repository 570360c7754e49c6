#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
What the netlink family nfto does to flows and drivers: counting, ending, looking
anew, probing; its events; and what was forwarded lately.
"""
import errno
import os
import socket
import struct
import subprocess
import threading
import time

from genl import (CTRL_CMD_GETFAMILY, GENL_ID_CTRL, NLM_F_ACK, NLM_F_REQUEST,
                  NUMBERS, SOL_NETLINK, Error, Genl, Netns, attr, attrs_of,
                  c_name, decode)
from netlink import (SIM, Echo, as_child, begin, both_in, drop_privileges,
                     end_all, entries, poll, port_of, ruleset, shell, tap, write)

NETLINK_ADD_MEMBERSHIP = 1
CTRL_ATTR_MCAST_GROUPS, GRP_NAME, GRP_ID = 7, 1, 2
EVENT_SPACES = {"flow-new": "flow", "flow-end": "flow", "flow-hw": "flow",
                "port-change": "port", "refusal-new": "refusal"}
MANY = 1500


def ready(nl, n):
    return poll(lambda: len(nl.flows()) == n and all(map(both_in, nl.flows())))


def refuse(what):
    write(f"{SIM}/fail_replace", what)


# --- events ---

class Listener:
    """Joined to groups of the family, in a netns."""

    def __init__(self, netns, *groups, room=None):
        self.nl = Genl(netns)
        self.nl.sock.settimeout(0.2)
        if room:
            self.nl.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        numbers = self.groups()
        for group in groups:
            self.nl.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
                                    numbers[group])
        self.got = []
        self.missed = 0

    def groups(self):
        self.nl.send_raw(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_ACK,
                         struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0) +
                         attr(2, b"nfto\0"))
        found = {}
        for payload in self.nl.receive():
            for _, group in attrs_of(dict(attrs_of(payload[4:]))
                                     [CTRL_ATTR_MCAST_GROUPS]):
                group = dict(attrs_of(group))
                found[group[GRP_NAME].rstrip(b"\0").decode()] = \
                    struct.unpack("=I", group[GRP_ID])[0]
        return found

    def read(self):
        """All that is there; (name, object)."""
        names = {NUMBERS[c_name("cmd", name)]: name for name in EVENT_SPACES}
        while True:
            try:
                data = self.nl.sock.recv(65536)
            except (TimeoutError, BlockingIOError):
                return self.got
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.missed += 1
                continue
            at = 0
            while at + 20 <= len(data):
                size, kind = struct.unpack_from("=IH", data, at)
                if kind == self.nl.family:
                    name = names[data[at + 16]]
                    self.got.append((name, decode(EVENT_SPACES[name],
                                                  data[at + 20:at + size])))
                at += size + -size % 4

    def of(self, name, *conditions):
        return [what for kind, what in self.read() if kind == name and
                all(condition(what) for condition in conditions)]

    def close(self):
        self.nl.close()


def join_as_nobody(group):
    Netns("r").__enter__()
    drop_privileges()
    try:
        Listener(None, group).close()
    except OSError as error:
        return error.errno
    return 0


def test_events(nl, lan):
    print("# events")
    listener = Listener("r", "flows", "ports", "refusals")
    begin([5100])
    poll(lambda: len(listener.of("flow-hw", lambda e: (
        e.get("dir-orig") or e["dir-reply"])["hw"] == "in")) >= 2)
    new = listener.of("flow-new")
    flow = nl.flows()[0]
    tap.equal("a flow begins", [(e["id"], e["orig"]) for e in new],
              [(flow["id"], flow["orig"])])
    tap.ok("and is told as it is shown", set(new[0]) <= set(flow) and
           new[0]["dir-orig"]["in-ifindex"] == lan)
    hw = [e.get("dir-orig") or e["dir-reply"] for e in listener.of("flow-hw")]
    tap.equal("both directions go in", [(d["hw"], d["reason"]) for d in hw],
              [("in", "none")] * 2)
    order = [kind for kind, _ in listener.got]
    tap.equal("in this order", order[0], "flow-new")
    nl.do("flow-del", id=flow["id"])
    poll(lambda: listener.of("flow-end") and len(listener.of("flow-hw")) == 4)
    tap.equal("it ends, and why", [(e["id"], e["end-reason"])
                                   for e in listener.of("flow-end")],
              [(flow["id"], "deleted")])
    gone = [(d["hw"], d["reason"]) for d in (
        e.get("dir-orig") or e["dir-reply"] for e in listener.of("flow-hw")[2:]
        if e["id"] == flow["id"])]
    tap.equal("and leaves the hardware", gone, [("out", "leaving")] * 2)

    refuse("EOPNOTSUPP")
    begin([5101])
    poll(lambda: len(listener.of("flow-hw")) == 6)
    refuse("0")
    said = [e.get("dir-orig") or e["dir-reply"]
            for e in listener.of("flow-hw")[4:]]
    tap.ok("a refusal, with the driver's words", all(
        (d["hw"], d["reason"], d.get("errno"), bool(d.get("why"))) ==
        ("out", "refused", errno.EOPNOTSUPP, True) for d in said), said)
    end_all(nl)

    shell("in_ns r nft add rule inet t forward meta l4proto icmp flow add @ft")
    shell("in_ns a ping -qc3 -i0.2 10.2.0.2")
    poll(lambda: listener.of("refusal-new"))
    pings = listener.of("refusal-new", lambda e: e["orig"]["l4proto"] == 1 and
                        e["orig"]["src"] == "10.1.0.2")
    # Each processor remembers refusals of its own, at most one for each
    # direction.
    tap.ok("a connection that is no flow is told once", 1 <= len(pings) <= 2 and
           all((e["reason"], e["count"]) == ("protocol", 1) for e in pings),
           pings)
    tap.ok("with its device", lan in {e["ifindex"] for e in pings}, pings)
    shell("in_ns r ethtool -K lan hw-tc-offload off")
    poll(lambda: listener.of("port-change", lambda e: e["state"] == "switched-off"))
    shell("in_ns r ethtool -K lan hw-tc-offload on")
    poll(lambda: listener.of("port-change", lambda e: e["state"] == "bound"))
    states = [e["state"] for e in
              listener.of("port-change", lambda e: e["name"] == "lan")]
    tap.equal("a port's states", (states[-2:], set(states[:-2]) <= {"unbound"}),
              (["switched-off", "bound"], True))
    listener.close()


def test_listeners(nl):
    print("# who listens")
    for group, wanted in (("ports", 0), ("flows", errno.EPERM),
                          ("refusals", errno.EPERM)):
        tap.equal(f"nobody joins {group}", as_child(join_as_nobody, group),
                  repr(wanted))
    other = Listener("a", "flows", "ports", "refusals")
    slow = Listener("r", "flows", room=4096)
    begin(range(5200, 5300))
    ready(nl, 100)
    tap.equal("another netns hears nothing", other.read(), [])
    slow.read()
    tap.ok("who is slow is told so", slow.missed, len(slow.got))
    nl.do("flow-del", filter={})
    tap.ok("and hears what comes then",
           poll(lambda: slow.of("flow-end", lambda e: e["end-reason"] == "deleted")))
    other.close()
    slow.close()
    end_all(nl)


# --- which flows ---

def test_count(nl, lan, table):
    print("# counting, and new filters")
    begin(range(5300, 5310))
    begin([5310], dport=5001)
    begin([5320], address="fd02::2")
    ready(nl, 12)
    write(f"{SIM}/fail_port", "0")
    refuse("EOPNOTSUPP")
    begin([5330])
    poll(lambda: nl.flows(state="half"))
    write(f"{SIM}/fail_port", "-1")
    begin([5340])
    poll(lambda: nl.flows(state="software"))
    refuse("0")
    tap.equal("by state", nl.do("flow-count"), {
        "flows": 14, "hardware": 12, "half": 1, "waiting": 0, "software": 1})

    def ports(**filters):
        return {port_of(flow) for flow in nl.flows(**filters)}
    ten = set(range(5300, 5310))
    for text, filters, wanted in (
            ("half", {"state": "half"}, {5330}),
            ("software", {"state": "software"}, {5340}),
            ("source", {"src": "10.1.0.2"}, ten | {5310, 5330, 5340}),
            ("source of replies", {"src": "10.2.0.2", "sport": 5001}, {5310}),
            ("destination of NAT's replies", {"dst": "10.2.0.1"}, {5310}),
            ("both ends", {"src": "10.1.0.2", "sport": 5304, "dst": "10.2.0.2",
                           "dport": 5000}, {5304}),
            ("ends of two directions", {"src": "10.1.0.2", "dst": "10.1.0.2"},
             set()),
            ("a prefix at each end", {"src": "10.1.0.0", "src-len": 16,
                                      "dst": "10.2.9.9", "dst-len": 16,
                                      "sport": 5301}, {5301}),
            ("IPv6 prefix", {"dst": "fd02::", "dst-len": 32}, {5320}),
            ("destination port", {"dport": 5304}, {5304}),
            ("with an older one", {"src": "10.1.0.2", "port": 5001}, {5310})):
        tap.equal(f"by {text}", ports(**filters), wanted)
        tap.equal(f"counted by {text}",
                  nl.do("flow-count", filter=filters)["flows"], len(wanted))
    for text, number, sentence, filters in (
            ("an unknown state", errno.ERANGE, "out of range", {"state": 4}),
            ("a prefix of 33", errno.EINVAL, "longer than the address",
             {"src": "10.0.0.0", "src-len": 33}),
            ("a length alone", errno.EINVAL, "needs an address",
             {"dst-len": 8}),
            ("an unknown flowtable", errno.ENOENT, "no flowtable",
             {"flowtable": table + 1000})):
        tap.error(text, number, sentence, nl.do, "flow-count", filter=filters)
        tap.error(f"{text}, ending", number, sentence, nl.do, "flow-del",
                  filter=filters)
    tap.equal("nothing was ended", nl.do("flow-count")["flows"], 14)
    end_all(nl)


def test_end(nl):
    print("# ending")
    begin(range(5400, 5410))
    ready(nl, 10)
    flow = next(flow for flow in nl.flows() if port_of(flow) == 5400)
    tap.equal("one", nl.do("flow-del", id=flow["id"]), {"flows": 1, "ended": 1})
    tap.error("it again", errno.ENOENT, "no flow", nl.do, "flow-del",
              id=flow["id"])
    poll(lambda: entries() == 18)
    tap.equal("its entries leave", entries(), 18)
    tap.equal("by a filter", nl.do("flow-del", filter={"sport": 5401}),
              {"flows": 1, "ended": 1})
    tap.error("neither id nor filter", errno.EINVAL, "an empty one is all", nl.do,
              "flow-del")
    tap.error("both", errno.EINVAL, "needs no filter", nl.do, "flow-del",
              id=1, filter={})
    tap.equal("the reason is counted", [
        one["count"] for one in nl.do("stats-get")["reasons"]
        if one["reason"] == "deleted"], [2 + nl.ended])
    before = shell("in_ns r conntrack -L -p udp --sport 5400 2>/dev/null")
    tap.ok("conntrack keeps the connection, without a flow",
           "5400" in before and "OFFLOAD]" not in before, before)
    begin([5400])
    tap.ok("its next packets make a new one", poll(
        lambda: [f for f in nl.flows(sport=5400) if both_in(f)]))
    tap.equal("all", nl.do("flow-del", filter={}), {"flows": 9, "ended": 9})
    poll(lambda: not entries())
    tap.equal("none is left", (nl.flows(), entries()), ([], 0))
    nl.ended += 11
    end_all(nl)


def test_end_many(nl):
    print("# ending many, while others begin")
    begin(range(10000, 10000 + MANY))
    ready(nl, MANY)
    some = nl.do("flow-del", filter={"src": "10.1.0.2", "dport": 5000,
                                     "sport": 10007})
    tap.equal("one of many", some["ended"], 1)
    stop = threading.Event()

    def others():
        port = 20000
        while not stop.is_set():
            begin(range(port, port + 20), rounds=2)
            port += 20
    thread = threading.Thread(target=others)
    thread.start()
    ended = nl.do("flow-del", filter={})["ended"]
    left = [f for f in nl.flows() if 10000 <= port_of(f) < 10000 + MANY]
    stop.set()
    thread.join()
    tap.equal("none of those that were there is left", left, [])
    tap.ok("and each was ended once", ended >= MANY - 1, ended)
    end_all(nl)


def test_revalidate(nl):
    print("# looking anew")
    refuse("EOPNOTSUPP")
    begin([5500, 5501])
    poll(lambda: len(nl.flows(reason="refused")) == 2)
    refuse("0")
    tap.equal("what was refused", nl.do("flow-revalidate",
                                        filter={"sport": 5500}),
              {"flows": 1, "ended": 0, "offered": 1})
    poll(lambda: nl.flows(state="hardware"))
    tap.equal("is taken now", [port_of(f) for f in nl.flows(state="hardware")],
              [5500])
    tap.equal("all: one is in, one is not", nl.do("flow-revalidate", filter={}),
              {"flows": 2, "ended": 0, "offered": 1})
    ready(nl, 2)
    shell("ip -n r route add 10.2.0.2/32 via 10.2.0.2 dev wan onlink")
    answer = nl.do("flow-revalidate", filter={})
    tap.equal("after another route to the same place",
              (answer["flows"], answer["ended"]), (2, 0))
    shell("ip -n r route del 10.2.0.2/32")
    end_all(nl)
    begin([5500])
    ready(nl, 1)
    tap.equal("one by its id", nl.do("flow-revalidate", id=nl.flows()[0]["id"]),
              {"flows": 1, "ended": 0, "offered": 0})
    tap.error("of an unknown id", errno.ENOENT, "no flow", nl.do,
              "flow-revalidate", id=1)
    end_all(nl)


def may_not(command, kwargs):
    Netns("r").__enter__()
    drop_privileges()
    try:
        Genl().do(command, **kwargs)
    except Error as error:
        return error.errno, error.text
    return 0


def test_permissions(nl, lan):
    print("# permissions")
    begin([5600])
    ready(nl, 1)
    for command, kwargs in (
            ("flow-count", {}), ("flow-del", {"filter": {}}),
            ("flow-revalidate", {"filter": {}}),
            ("port-probe", {"ifindex": lan, "feature": "ipv4-tcp"})):
        answer = as_child(may_not, command, kwargs)
        tap.ok(f"nobody's {command}: {answer}", answer.startswith(
            f"({errno.EPERM}, '") and "CAP_NET_ADMIN" in answer)
    other = Genl("a")
    tap.equal("another netns has none to end",
              other.do("flow-del", filter={})["ended"], 0)
    other.close()
    tap.equal("the flow is still there", len(nl.flows()), 1)
    end_all(nl)


# --- lately ---

def test_recent(nl):
    print("# what was forwarded lately")
    begin([5700], rounds=5)
    ready(nl, 1)
    poll(lambda: nl.do("stats-get").get("recent-ms", 0) > 1000)
    before = nl.do("stats-get")
    with Netns("a"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("", 5700))
        sock.connect(("10.2.0.2", 5000))
        sock.settimeout(10)
    # The driver is asked every ten seconds.
    def counted():
        for _ in range(20):
            sock.send(b"x")
            sock.recv(16)
        return nl.do("stats-get")["hw-packets"] > before["hw-packets"]
    poll(counted)
    stats = nl.do("stats-get")
    sock.close()
    tap.ok("the hardware's packets are among the recent ones",
           stats["recent-hw-packets"] and stats["recent-ms"] <= 22000, stats)
    tap.ok("no more than in total",
           stats["recent-hw-packets"] <= stats["hw-packets"] and
           stats["recent-packets"] <= stats["packets"], stats)
    end_all(nl)


# --- what drivers take ---

FEATURES = ("ipv4-tcp", "ipv4-udp", "ipv6-tcp", "ipv6-udp", "ipv4-nat",
            "ipv6-nat", "vlan-in", "vlan-out", "qinq-out", "pppoe-out",
            "ipv4-gre")
# What each profile refuses, as docs/testing.md has it.
REFUSES = {
    "mlx5-rep": {"pppoe-out"},
    "mtk": {"ipv6-nat", "qinq-out", "ipv4-gre"},
    "airoha": {"ipv6-nat", "qinq-out", "ipv4-gre"},
    "flower": {"pppoe-out"},
}
# What is not even offered, because such a driver takes the other direction for
# something else.
NOT_OFFERED = {"mtk": {"qinq-out": "encapsulation"},
               "airoha": {"qinq-out": "encapsulation"}}


def probe(nl, device, out=None, **kwargs):
    if out:
        kwargs["out_ifindex"] = out
    return nl.do("port-probe", ifindex=device, **kwargs)


def test_probe(nl, lan, wan):
    print("# probing")
    begin([5800])
    ready(nl, 1)
    before = nl.do("port-get", ifindex=lan)
    answers = {name: probe(nl, lan, wan, feature=name) for name in FEATURES}
    for name, answer in answers.items():
        refused = name in REFUSES["mlx5-rep"]
        tap.ok(f"{name}: {answer}", answer["accepted"] == (not refused) and
               bool(answer.get("errno")) == refused and
               bool(answer.get("counts")) != refused and
               (answer["state"], answer["kind"]) == ("bound", "flowtable"))
    tap.ok("a refusal has the driver's words", answers["pppoe-out"].get("why"))
    tap.equal("the flow's entries are left", entries(), 2)
    after = nl.do("port-get", ifindex=lan)
    tap.equal("and the port's numbers", after, before)

    write(f"{SIM}/capacity", "102")
    answer = probe(nl, lan, wan, feature="ipv4-udp", count=1000)
    tap.equal("as many as there is room", (answer["accepted"],
                                           answer.get("errno")),
              (100, errno.ENOSPC))
    tap.equal("all of which are out", entries(), 2)
    write(f"{SIM}/capacity", "100000")
    answer = probe(nl, lan, wan, feature="ipv6-tcp", count=3000)
    tap.equal("or as many as were asked for",
              (answer["accepted"], answer.get("errno"), entries()),
              (3000, None, 2))
    answer = probe(nl, lan, wan, feature="ipv4-tcp", count=70000)
    tap.equal("more than there are ports",
              (answer["accepted"], answer.get("left"), entries()),
              (70000, None, 2))
    tap.ok("traffic was not disturbed", len(nl.flows(state="hardware")) == 1)
    end_all(nl)


def test_probe_wrong(nl, lan, wan):
    print("# probing what is not there")
    tap.error("no such device", errno.ENODEV, "no such device", probe, nl,
              0x7fffffff, feature="ipv4-tcp")
    tap.error("no such way out", errno.ENODEV, "no such device", probe, nl, lan,
              0x7fffffff, feature="ipv4-tcp")
    tap.error("without feature", errno.EINVAL, "feature is missing", nl.do,
              "port-probe", ifindex=lan)
    tap.error("an unknown feature", errno.ERANGE, "out of range", probe, nl, lan,
              feature=11)
    tap.error("too many", errno.EINVAL, "Up to 1048576", probe, nl, lan,
              feature="ipv4-tcp", count=1 << 21)
    tap.error("too many of GRE", errno.EINVAL, "up to 256", probe, nl, lan,
              feature="ipv4-gre", count=257)
    tap.error("none", errno.ERANGE, "out of range", probe, nl, lan,
              feature="ipv4-tcp", count=0)
    with Netns("r"):
        loopback = socket.if_nametoindex("lo")
    answer = probe(nl, loopback, feature="ipv4-tcp")
    tap.ok(f"a device that cannot: {answer}", (
        answer["accepted"], answer["state"], answer.get("errno")) ==
           (0, "unbound", errno.EOPNOTSUPP))
    answer = probe(nl, lan, feature="ipv4-tcp")
    tap.ok(f"back out where it came in, as its driver says: {answer}",
           answer["accepted"] == 0 and answer.get("why"))
    answer = probe(nl, lan, loopback, feature="ipv4-tcp")
    tap.ok(f"a way out that is no Ethernet: {answer}",
           (answer["accepted"], answer.get("reason")) == (0, "no-ethernet"))
    write(f"{SIM}/fail_count", "2")
    write(f"{SIM}/fail_destroy", "EBUSY")
    answer = probe(nl, lan, wan, feature="ipv4-tcp")
    write(f"{SIM}/fail_destroy", "0")
    write(f"{SIM}/fail_count", "0")
    tap.ok(f"a driver that is busy at the end is asked again: {answer}",
           answer["accepted"] == 1 and "left" not in answer)
    poll(lambda: not entries())
    tap.equal("so that nothing is left", entries(), 0)


def test_probe_alone(profile):
    """Without any flowtable, of other NICs."""
    print(f"# probing {profile} without a flowtable")
    shell(f"topo_down && topo_up {profile} && in_ns r nft flush ruleset")
    nl = Genl("r")
    with Netns("r"):
        lan, wan = map(socket.if_nametoindex, ("lan", "wan"))
    poll(lambda: not nl.dump("port-get"))
    for name in FEATURES:
        answer = probe(nl, lan, wan, feature=name)
        refused = name in REFUSES[profile]
        reason = NOT_OFFERED.get(profile, {}).get(name)
        tap.ok(f"{name}: {answer}", answer["accepted"] == (not refused) and
               bool(answer.get("errno")) == (refused and not reason) and
               answer.get("reason") == reason)
    poll(lambda: not nl.dump("port-get"))
    tap.equal("the port goes again, and nothing is left",
              (nl.dump("port-get"), entries()), ([], 0))
    shell("in_ns r ethtool -K lan hw-tc-offload off")
    answer = probe(nl, lan, wan, feature="ipv4-tcp")
    tap.ok(f"switched off: {answer}",
           answer["state"] == "switched-off" and not answer["accepted"])
    shell("in_ns r ethtool -K lan hw-tc-offload on")
    nl.close()


def test_probe_meanwhile():
    """Devices are unbound and go while rules are offered."""
    print("# probing what goes")
    shell("topo_down && topo_up mlx5-rep")
    ruleset()
    nl = Genl("r")
    with Netns("r"):
        lan, wan = map(socket.if_nametoindex, ("lan", "wan"))
    write(f"{SIM}/capacity", "1000000")
    shell("knob delay_replace_us 200")
    answers = []

    def offer():
        other = Genl("r")
        try:
            answers.append(probe(other, lan, wan, feature="ipv4-tcp",
                                 count=4000))
        except Error as error:
            answers.append(error)
        other.close()

    def with_offer(text, what):
        thread = threading.Thread(target=offer)
        thread.start()
        poll(lambda: entries() > 100)
        shell(what)
        thread.join()
        print(f"# {answers[-1]}")
        tap.ok(f"{text}", poll(lambda: not entries()), entries())
    with_offer("it is switched off", "in_ns r ethtool -K lan hw-tc-offload off")
    shell("in_ns r ethtool -K lan hw-tc-offload on")
    with_offer("the ruleset goes", "in_ns r nft flush ruleset")
    poll(lambda: not nl.dump("port-get"))
    tap.equal("the port goes then", nl.dump("port-get"), [])
    thread = threading.Thread(target=offer)
    thread.start()
    poll(lambda: entries() > 100)
    nl.close()
    shell("sim_del sim0")
    thread.join()
    tap.ok(f"the NIC goes: {answers[-1]}", isinstance(answers[-1], Error) or
           answers[-1]["accepted"] < 4000)
    shell("topo_down")


def stack(tid):
    """Where in the kernel a thread is; nothing if it is no more."""
    try:
        with open(f"/proc/{tid}/stack", encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def test_probe_moved():
    """The device is taken to another netns while the probe waits its turn."""
    print("# probing what moves")
    shell("topo_up mlx5-rep && knob delay_replace_us 200")
    with Netns("r"):
        lan, wan = map(socket.if_nametoindex, ("lan", "wan"))
    answers = {}
    tids = {}

    def offer(name, *devices, **what):
        nl = Genl("r")
        tids[name] = threading.get_native_id()
        try:
            answers[name] = probe(nl, *devices, feature="ipv4-tcp", **what)
        except Error as error:
            answers[name] = error
        nl.close()
    slow = threading.Thread(target=offer, args=("slow", lan, wan),
                            kwargs={"count": 20000})
    slow.start()
    poll(lambda: entries() > 100)
    waiting = threading.Thread(target=offer, args=("waiting", wan))
    waiting.start()
    tap.ok("one probe waits for the other", poll(
        lambda: "waiting" in tids and "nfto_probe" in stack(tids["waiting"])))
    shell("ip -n r link set wan netns a")
    slow.join()
    waiting.join()
    tap.ok(f"the device has moved: {answers['waiting']}",
           isinstance(answers["waiting"], Error) and
           answers["waiting"].errno == errno.ENODEV, answers)
    nl = Genl("r")
    poll(lambda: not nl.dump("port-get"))
    tap.equal("and is no port of the old netns", nl.dump("port-get"), [])
    nl.close()
    shell("topo_down")


def main():
    print(shell("sim_load && path_use module && topo_up mlx5-rep && "
                "in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600 "
                "net.netfilter.nf_conntrack_acct=1"), end="")
    ruleset()
    with Netns("r"):
        lan, wan = map(socket.if_nametoindex, ("lan", "wan"))
    echo = Echo(5000, 5001)
    nl = Genl("r")
    nl.ended = 0
    poll(lambda: all(port["state"] == "bound" for port in nl.dump("port-get")))
    table = nl.dump("flowtable-get")[0]["id"]
    test_end(nl)
    test_count(nl, lan, table)
    test_end_many(nl)
    test_revalidate(nl)
    test_permissions(nl, lan)
    test_recent(nl)
    test_events(nl, lan)
    test_listeners(nl)
    test_probe(nl, lan, wan)
    test_probe_wrong(nl, lan, wan)
    nl.close()
    echo.stop()
    for profile in ("mtk", "airoha", "flower"):
        test_probe_alone(profile)
    test_probe_meanwhile()
    test_probe_moved()
    shell("path_drop nft_offload", check=False)
    tap.equal("the module goes", os.path.isdir("/sys/module/nft_offload"), False)
    tap.finish()


if __name__ == "__main__":
    main()
