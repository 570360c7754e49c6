#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
The tool nft-offload: exit status and output of each command, as text and as
JSON, beside what the module says over netlink; wrong input, a missing module,
missing rights, other network namespaces, output that cannot be written.

The tool is taken from build/user, or from NFTO_TOOL. Commands that ask no
module of their own (check, enable...) have their own script.
"""
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pyte

import netlink
from genl import Genl
from netlink import (HERE, SIM, Echo, begin, both_in, end_all, poll, ruleset,
                     shell, tap, write)

TOOL = os.environ.get("NFTO_TOOL",
                      f"{HERE}/../../build/user/userspace/cli/nft-offload")
NOBODY = ["setpriv", "--reuid", "nobody", "--clear-groups", "--inh-caps=-all"]
IN_R = ["nsenter", "--net=/run/netns/r"]


class Ran:
    """What one run of the tool did."""

    def __init__(self, *words, before=(), stdout=subprocess.PIPE):
        got = subprocess.run([*before, TOOL, *words], text=True, check=False,
                             stdin=subprocess.DEVNULL, stdout=stdout,
                             stderr=subprocess.PIPE)
        self.status, self.out, self.err = got.returncode, got.stdout, got.stderr

    def __repr__(self):
        return f"status {self.status}\nout: {self.out}\nerr: {self.err}"


def tool(*words):
    return Ran("-n", "r", *words)


def parsed(*words):
    """The one JSON object that a run prints, which must not fail."""
    ran = tool("-j", *words)
    if ran.status or ran.err:
        raise RuntimeError(f"{words}: {ran}")
    return json.loads(ran.out)


def ids(*words):
    return sorted(flow["id"] for flow in parsed("flow", "show", *words)["flows"])


def fails(text, status, says, *words, **how):
    """A run fails with a status and a sentence, as text and as JSON."""
    ran = Ran(*words, **how)
    tap.ok(f"{text}: {(ran.err.splitlines() or ['nothing'])[0]}",
           ran.status == status and re.search(says, ran.err) and
           not ran.out and ran.err.startswith("nft-offload: "), ran)
    for option in "-j", "-p":
        ran = Ran(option, *words, **how)
        try:
            error = json.loads(ran.out)["error"]
        except (ValueError, KeyError):
            error = {}
        tap.ok(f"{text}, {option}",
               ran.status == status and error.get("exit") == status and
               re.search(says, "\n".join((error["what"], error["why"],
                                          error["hint"]))) and
               not ran.err, ran)


def same(text, there, ours, names):
    """What the tool has under these names is what netlink has; what is absent
    there is absent or empty here."""
    problems = []
    for name, name_there in names.items():
        wanted, got = there.get(name_there), ours.get(name)
        if wanted != got and not (wanted is None and got in (0, "", False)):
            problems.append(f"{name}: {got!r}, netlink has {wanted!r}")
    tap.result(text, problems)


def dashed(*names):
    return {name: name.replace("_", "-") for name in names}


# --- without the module ---

def test_no_module():
    print("# without the module")
    for words in ([], ["status"], ["port"], ["flowtable"], ["stats"], ["refusal"],
                  ["flow"], ["flow", "count"], ["flow", "flush"],
                  ["flow", "delete", "port", "1"], ["flow", "revalidate"],
                  ["flowtable", "set", "ft", "follow-ruleset", "off"],
                  ["monitor"], ["top", "--count", "1"]):
        fails("no module, " + " ".join(words), 3, "modprobe nft_offload",
              *words)
    ran = Ran("version")
    tap.ok("the tool has a version", ran.status == 0 and re.match(
        r"nft-offload \d+\.\d+\.\d+ \(netlink ABI 1\)\n$", ran.out), ran)
    tap.equal("-V is the same", Ran("-V").out, ran.out)


# --- wrong input ---

def test_wrong_input():
    print("# wrong input")
    for says, words in (
            ("There is no object 'bogus'", ["bogus"]),
            ("may be status or stats", ["st"]),
            ("There is no command 'x'", ["flow", "x"]),
            ("'state' needs STATE", ["flow", "show", "state"]),
            ("only hardware, half", ["flow", "show", "state", "x"]),
            ("is there twice", ["flow", "show", "zone", "1", "zone", "1"]),
            ("takes no 'bogus'", ["flow", "count", "bogus"]),
            ("is no src", ["flow", "delete", "src", "10.0.0.0/64"]),
            ("needs a filter", ["flow", "delete"]),
            ("one word too many", ["stats", "show", "x"]),
            ("only flows, ports and refusals", ["monitor", "x"]),
            ("number of seconds", ["top", "--interval", "x"])):
        fails("wrong: " + " ".join(words), 2, says, "-n", "r", *words)
    fails("no such device", 6, "no network device 'eth9'", "-n", "r", "flow",
          "show", "dev", "eth9")
    fails("no such port", 6, "has this device", "-n", "r", "port", "show", "lo")
    for name in ["x"], ["t/x"], ["ip", "t", "ft"]:
        fails("no such flowtable", 6, f"no flowtable '{' '.join(name)}'", "-n",
              "r", "flow", "show", "flowtable", *name)
    fails("no such flowtable to set", 6, "no flowtable 'x'", "-n", "r",
          "flowtable", "set", "x", "follow-ruleset", "on")
    fails("a flowtable set to nothing", 2, "needs follow-ruleset", "-n", "r",
          "flowtable", "set", "ft")
    fails("a family alone", 2, "needs TABLE and NAME", "-n", "r", "flow",
          "count", "flowtable", "inet", "t")
    fails("neither on nor off", 2, "only on and off", "-n", "r", "flowtable",
          "set", "ft", "follow-ruleset", "x")
    fails("no such netns", 6, "none of this name", "-n", "none", "status")
    fails("no netns at all", 6, "no network namespace", "-n", "/etc/passwd",
          "status")


# --- what there is ---

def test_ports(nl):
    print("# ports")
    there = {port["name"]: port for port in nl.dump("port-get")}
    ours = {port["name"]: port for port in parsed("port", "show")["ports"]}
    tap.equal("the same ports", set(ours), set(there))
    for name, port in there.items():
        same(name, port, ours[name], dashed(
            "ifindex", "state", "kind", "users", "in_hardware", "full_at",
            "workers", "accepted", "refused", "removed", "stuck", "lost"))
    tap.equal("one of them", [port["name"] for port in
                              parsed("port", "show", "wan")["ports"]], ["wan"])
    ran = tool("port")
    tap.ok("as text", ran.status == 0 and re.search(
        r"^lan: bound \(flowtable\)  used by 1 flowtable  driver mlx5e_rep\n"
        r"  in hardware \d+", ran.out,
        re.M), ran)


def test_flowtables(nl):
    print("# flowtables")
    there = nl.dump("flowtable-get")
    ours = parsed("flowtable", "show")["flowtables"]
    tap.equal("there is one", (len(there), len(ours)), (1, 1))
    same("it is the same", there[0], ours[0], dashed(
        "id", "name", "table", "priority", "offload", "counter", "flows"))
    tap.equal("its family", ours[0]["family"], "inet")
    tap.equal("its devices", sorted(one["name"] for one in ours[0]["devices"]),
              ["lan", "wan"])
    ran = tool("flowtable")
    tap.ok("as text", ran.status == 0 and re.match(
        r"\d+: inet t ft  priority 0  offload  counter\n", ran.out), ran)
    number = str(ours[0]["id"])
    for name, on in ((["ft"], 0), ([number], 1), (["t/ft"], 0),
                     (["inet", "t", "ft"], 1)):
        ran = tool("flowtable", "set", *name, "follow-ruleset",
                   "on" if on else "off")
        tap.ok(f"set {name} {on}", ran.status == 0 and
               ("follow-ruleset off\n" in ran.out) != on, ran)
        tap.equal("and it is", nl.dump("flowtable-get")[0]["follow-ruleset"], on)
    tap.equal("as JSON", parsed(
        "flowtable", "set", "ft", "follow-ruleset", "on")
        ["flowtable"]["follow_ruleset"], True)


def test_stats(nl):
    print("# totals")
    there, ours = nl.do("stats-get"), parsed("stats", "show")["stats"]
    same("the same", there, ours, dashed(
        "flowtables", "ports", "flows", "in_hardware"))
    ran = tool("stats")
    tap.ok("as text", ran.status == 0 and ran.out.startswith(
        f"1 flowtable, 2 ports, {there['flows']} flow"), ran)


def test_status(nl):
    print("# status")
    flows = nl.do("stats-get")["flows"]
    for words in [], ["status"], ["statu"]:
        ran = tool(*words)
        tap.ok("status " + " ".join(words), ran.status == 0 and re.search(
            r"inet t ft +offload counter +\w+ \w+ +nft_offload, "
            rf"{flows} flows?\n", ran.out) and
            re.search(r"packets in hardware: now .*, in total ", ran.out), ran)
    ours = parsed("status")
    tap.equal("in JSON", (ours["count"]["flows"], len(ours["ports"]),
                          ours["ruleset"]["flowtables"][0]["provider"],
                          ours["version"]),
              (flows, 2, "nft_offload", 1))
    tap.equal("the module's flowtable is the ruleset's", [
        one["id"] for one in ours["flowtables"]], [
        one["id"] for one in ours["ruleset"]["flowtables"]])
    ran = Ran(before=IN_R)
    tap.ok("without -n, it is the own network namespace",
           ran.status == 0 and "inet t ft" in ran.out, ran)
    ran = Ran("-n", "a", "status")
    tap.ok("another one has nothing", ran.status == 0 and
           "inet t ft" not in ran.out, ran)
    tap.equal("by its path", json.loads(Ran(
        "-j", "-n", "/run/netns/r", "status").out)["count"]["flows"], flows)


# --- flows ---

def test_flows(nl):
    print("# flows")
    there = {flow["id"]: flow for flow in nl.flows()}
    ours = {flow["id"]: flow for flow in parsed("flow", "show")["flows"]}
    tap.equal("the same flows", set(ours), set(there))
    for number, flow in there.items():
        mine = ours.get(number, {})
        for name in "orig", "reply":
            same(f"{number}: {name}", flow[name], mine[name], dashed(
                "l4proto", "src", "dst", "sport", "dport"))
            same(f"{number}: its way, {name}", flow[f"dir-{name}"],
                 mine[f"dir_{name}"], (dashed(
                     "in_ifindex", "out_ifindex", "route_ifindex", "mac",
                     "next_hop", "mtu", "hw", "reason", "errno", "why", "tries",
                     "cookie")))
        same(f"{number}: the rest", flow, mine, dashed(
            "flowtable", "zone", "mark", "ct_id"))
    tap.equal("names of devices", {(flow["dir_orig"]["in"],
                                    flow["dir_orig"]["out"])
                                   for flow in ours.values()}, {("lan", "wan")})
    text = tool("flow", "show")
    tap.equal("as text, three lines for each", text.out.count("\n"),
              3 * len(there))
    tap.ok("with where it is", re.search(
        r"^  -> lan > wan via 10\.2\.0\.2 at [0-9a-f:]{17}  in hardware  hw \d+ pkt \d+ B",
        text.out, re.M), text)
    tap.ok("pretty is the same", set(
        flow["id"] for flow in json.loads(tool("-p", "flow", "show").out)
        ["flows"]) == set(there))


def test_filters(nl):
    print("# filters")
    every = {flow["orig"]["sport"]: flow["id"] for flow in nl.flows()}
    for ports, words in (
            ([4100, 4101, 4110, 4120, 4130, 4140], ""),
            ([4100], "sport 4100"), ([4100], "port 4100"),
            ([4110], "dport 5001"), ([4120], "mark 42"), ([4120], "mark 2/2"),
            ([4130], "zone 7"), ([4140], "addr fd01::/16"),
            ([4110], "dst 10.2.0.1"), ([4140], "src fd01::2"),
            ([4101], "src 10.1.0.0/24 sport 4101"),
            ([4100, 4101, 4110, 4120, 4130, 4140], "state hardware proto udp"),
            ([4100, 4101, 4110, 4120, 4130, 4140], "dev lan in wan hw in"),
            ([], "state software"), ([], "reason refused"), ([], "proto tcp"),
            ([4100, 4101, 4110, 4120, 4130, 4140], "flowtable ft"),
            ([4100, 4101, 4110, 4120, 4130, 4140], "flowtable t/ft"),
            ([4100, 4101, 4110, 4120, 4130, 4140],
             "flowtable inet t ft proto udp")):
        wanted = sorted(every[port] for port in ports)
        tap.equal(f"flow show {words}", ids(*words.split()), wanted)
        count = parsed("flow", "count", *words.split())["count"]
        tap.equal(f"flow count {words}", count["flows"], len(wanted))
    number = every[4100]
    tap.equal("by its id", ids("id", str(number)), [number])
    fails("an id that there is none of", 6, "no flow", "-n", "r", "flow",
          "delete", "id", "99999999")
    tap.equal("limit", len(ids("limit", "2")), 2)
    for key in "packets", "bytes", "rate", "idle", "expires", "id":
        tap.equal(f"sort {key}", sorted(
            flow["id"] for flow in
            parsed("flow", "show", "sort", key, "rate", "0.1")["flows"]),
            sorted(every.values()))
    ran = tool("flow", "count", "proto", "udp")
    tap.equal("count as text", ran.out,
              "6 flows: 6 in hardware, 0 half, 0 waiting, 0 in software\n")


def test_refused(nl):
    print("# what a driver refuses")
    write(f"{SIM}/fail_port", "0")
    write(f"{SIM}/fail_replace", "EOPNOTSUPP")
    begin([4200])
    poll(lambda: nl.flows(reason="refused"))
    write(f"{SIM}/fail_replace", "0")
    write(f"{SIM}/fail_port", "-1")
    flow = parsed("flow", "show", "reason", "refused")["flows"][0]
    way = flow["dir_orig"]
    tap.equal("errno and its name", (flow["orig"]["sport"], way["errno"],
                                     way["errno_name"]),
              (4200, 95, "EOPNOTSUPP"))
    ran = tool("flow", "show", "reason", "refused")
    tap.ok("the driver's sentence is in the text", way["why"] and
           f"out: refused (EOPNOTSUPP \"{way['why']}\")" in ran.out, ran)
    changed = parsed("flow", "revalidate", "sport", "4200")["changed"]
    tap.equal("it is offered again", changed,
              {"flows": 1, "ended": 0, "offered": 1})
    tap.ok("and accepted now", poll(lambda: all(map(both_in, nl.flows()))))


def test_refusals(nl):
    print("# refusals")
    shell("in_ns r nft add rule inet t forward meta l4proto icmp flow add @ft; "
          "in_ns a ping -qc2 -i0.2 10.2.0.2")
    there = nl.dump("refusal-get")
    ours = parsed("refusal", "show")["refusals"]
    tap.equal("as many", len(ours), len(there))
    tap.ok("with their reasons", [one["reason"] for one in ours] ==
           [one["reason"] for one in there], ours, there)
    only = parsed("refusal", "show", "reason", "protocol")["refusals"]
    tap.equal("of one reason", {one["reason"] for one in only}, {"protocol"})
    ran = tool("refusal", "show", "reason", "protocol")
    tap.ok("as text", re.search(r"^\d{4}-\d\d-\d\d [\d:.]+  protocol  icmp "
                                r"10.1.0.2 > 10.2.0.2", ran.out, re.M), ran)


def test_changes(nl):
    print("# ending flows")
    before = len(nl.flows())
    tap.equal("delete by a filter", tool("flow", "delete", "sport", "4100").out,
              "1 flow: 1 ended\n")
    number = str(nl.flows(port=4101)[0]["id"])
    tap.equal("delete by id", parsed("flow", "delete", "id", number)["changed"],
              {"flows": 1, "ended": 1})
    tap.equal("they are gone", len(nl.flows()), before - 2)
    tap.equal("delete what there is none of", parsed(
        "flow", "delete", "sport", "9")["changed"], {"flows": 0, "ended": 0})
    tap.equal("revalidate changes nothing", parsed(
        "flow", "revalidate")["changed"],
        {"flows": before - 2, "ended": 0, "offered": 0})
    tap.equal("flush", parsed("flow", "flush")["changed"],
              {"flows": before - 2, "ended": before - 2})
    tap.equal("nothing is left", ids(), [])


# --- events ---

def lines_of(process, wanted):
    """Lines up to one that has this text."""
    lines, text = [], ""
    end = time.monotonic() + netlink.PATIENCE
    while time.monotonic() < end:
        if not select.select([process.stdout], [], [], 1)[0]:
            continue
        text += os.read(process.stdout.fileno(), 65536).decode()
        *complete, text = text.split("\n")
        lines += complete
        if any(wanted in line for line in complete):
            break
    return lines


def start(*words):
    return subprocess.Popen([TOOL, "-n", "r", *words], stdout=subprocess.PIPE,
                            stdin=subprocess.DEVNULL)


def test_monitor():
    print("# monitor")
    for option, stop in ([], signal.SIGINT), (["-j"], signal.SIGTERM):
        process = start(*option, "monitor")
        # The tool has joined when it prints something; until then, events are
        # made.
        lines = []
        for port in range(4300, 4330):
            begin([port])
            if select.select([process.stdout], [], [], 0.5)[0]:
                break
        tool("flow", "flush")
        lines = lines_of(process, "flow-end")
        process.send_signal(stop)
        tap.equal(f"{stop.name} ends it", process.wait(10), 0)
        text = "\n".join(lines)
        if option:
            tap.equal("each line has its version", {
                json.loads(line)["version"] for line in lines}, {1})
        for event in "flow-new", "flow-hw", "flow-end":
            tap.ok(f"{' '.join(option)} {event}", event in text, text)
        if not option:
            continue
        events = [json.loads(line) for line in lines]
        ends = [one["flow"]["end_reason"] for one in events
                if one["event"] == "flow-end"]
        tap.ok("why a flow has ended", ends and set(ends) == {"deleted"}, text)
    process = start("monitor", "ports")
    time.sleep(0.5)
    shell("in_ns r ethtool -K lan hw-tc-offload off")
    lines = lines_of(process, "switched-off")
    shell("in_ns r ethtool -K lan hw-tc-offload on")
    process.terminate()
    process.wait(10)
    tap.ok("a port that is switched off", any(
        re.search("port-change  lan  switched-off", line) for line in lines),
        *lines)


# --- top ---

class Terminal:
    """The tool on a terminal, and what that shows."""

    def __init__(self, *words):
        self.parent, child = pty.openpty()
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        termios.tcsetwinsize(child, (24, 80))
        self.process = subprocess.Popen(
            [TOOL, "-n", "r", *words], stdin=child, stdout=child,
            stderr=child, env=dict(os.environ, TERM="linux"))
        os.close(child)

    def write(self, keys):
        os.write(self.parent, keys.encode())

    def resize(self, lines, columns):
        self.screen.resize(lines, columns)
        termios.tcsetwinsize(self.parent, (lines, columns))
        # The tool runs in a session that does not have this terminal.
        self.process.send_signal(signal.SIGWINCH)

    def shows(self, text, wanted):
        """A string, or what is true of the lines."""
        end = time.monotonic() + netlink.PATIENCE

        def is_there():
            lines = self.screen.display
            return wanted(lines) if callable(wanted) else \
                any(wanted in line for line in lines)
        while not is_there() and time.monotonic() < end:
            if select.select([self.parent], [], [], 0.5)[0]:
                self.stream.feed(os.read(self.parent, 65536))
        tap.ok(text, is_there(), *self.screen.display)

    def wait(self):
        status = self.process.wait(10)
        os.close(self.parent)
        return status


def test_top(nl):
    print("# top")
    begin(range(4400, 4410))
    poll(lambda: all(map(both_in, nl.flows())) and len(nl.flows()) == 10)
    ran = tool("top", "--count", "2", "--interval", "0.5", "limit", "3")
    tap.ok("plain", ran.status == 0 and ran.out.count("CONNECTION\n") == 2 and
           ran.out.count("> 10.2.0.2:5000\n") == 6 and
           "10 flows: 10 in hardware" in ran.out, ran)
    ran = tool("-j", "top", "--count", "2", "--interval", "0.5")
    objects = [json.loads(line) for line in ran.out.splitlines()]
    tap.equal("JSON, an object for each time", [len(one["flows"])
                                                for one in objects], [10, 10])
    terminal = Terminal("top", "--interval", "0.5")
    terminal.shows("on a terminal", "10.2.0.2:5000")
    for keys, wanted in (("p", "sorted by packet"), ("h", "PgUp PgDn"),
                         (" fsport 4403\n", "1 flow: 1 in hardware"),
                         ("f\x7f\x7f\x7f\x7fx\n", "is no sport")):
        terminal.write(keys)
        terminal.shows(f"keys {keys!r}", wanted)
    terminal.write("f" + "\x7f" * 10 + "\n")
    for lines, columns in ((12, 60), (14, 132)):
        terminal.resize(lines, columns)
        terminal.shows(
            f"{lines} lines of {columns}",
            lambda shown, wide=columns > 80: len(shown) == 14 - 2 * (not wide)
            and ("FROM" in shown[7]) == wide
            and all("hardware" in line and "udp 10.1" in line
                    for line in shown[8:]))
    terminal.write("q")
    tap.equal("q ends it", terminal.wait(), 0)


# --- rights, output ---

def test_rights():
    print("# without privileges")
    nobody = IN_R + NOBODY
    ran = Ran("status", before=nobody)
    tap.ok("status says what needs them", ran.status == 0 and
           "unknown without CAP_NET_ADMIN" in ran.out, ran)
    tap.ok("status in JSON", "stats" in json.loads(
        Ran("-j", "status", before=nobody).out))
    for words in ["port"], ["flowtable"], ["stats"]:
        ran = Ran(*words, before=nobody)
        tap.ok(f"{words[0]} is for everybody", ran.status == 0 and ran.out, ran)
    for words in (["flow"], ["flow", "count"], ["flow", "flush"],
                  ["flow", "delete", "port", "1"], ["flow", "revalidate"],
                  ["flowtable", "set", "ft", "follow-ruleset", "off"],
                  ["refusal"], ["monitor"], ["top", "--count", "1"]):
        fails("nobody, " + " ".join(words), 4, "sudo nft-offload", *words,
              before=nobody)


def test_output():
    print("# output that cannot be written")
    for words in (["status"], ["flow", "show"], ["-j", "flow", "show"],
                  ["help"], ["-p", "port"], ["-j", "bogus"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            ran = Ran("-n", "r", *words, stdout=full)
        tap.ok("full: " + " ".join(words), ran.status == (
            2 if "bogus" in words else 1) and "No space left" in ran.err, ran)
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w") as closed:
        for words in ["-n", "r", "flow", "show"], ["help"]:
            ran = Ran(*words, stdout=closed)
            tap.equal(f"nobody reads {words[-1]}: an error, but no noise",
                      (ran.status, ran.err), (1, ""))


def test_help():
    print("# help")
    grammar = json.loads(Ran("help", "--dump").out)
    for verb in grammar["verbs"]:
        words = [word for word in (verb["object"], verb["command"]) if word]
        ran = Ran(*words, "-h")
        tap.ok("help " + " ".join(words), ran.status == 0 and
               ran.out.startswith("usage: nft-offload " + " ".join(words)) and
               all(param["name"] in ran.out or param["value"] in ran.out
                   for param in verb["params"]), ran)


def main():
    test_no_module()
    print(shell("sim_load && path_use module && topo_up mlx5-rep && "
                "in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600 "
                "net.netfilter.nf_conntrack_acct=1"), end="")
    ruleset()
    echo = Echo(5000, 5001, 5002, 5003)
    nl = Genl("r")
    poll(lambda: all(port["state"] == "bound" for port in nl.dump("port-get")))
    begin([4100, 4101])
    begin([4110], dport=5001)
    begin([4120], dport=5002)
    begin([4130], dport=5003)
    begin([4140], address="fd02::2")
    poll(lambda: len(nl.flows()) == 6 and all(map(both_in, nl.flows())))
    test_wrong_input()
    test_ports(nl)
    test_flowtables(nl)
    test_stats(nl)
    test_status(nl)
    test_flows(nl)
    test_filters(nl)
    test_refused(nl)
    test_refusals(nl)
    test_rights()
    test_changes(nl)
    test_monitor()
    test_top(nl)
    test_output()
    test_help()
    end_all(nl)
    nl.close()
    echo.stop()
    shell("topo_down; rmmod nft_offload_sim; path_drop nft_offload",
          check=False)
    tap.finish()


if __name__ == "__main__":
    main()
