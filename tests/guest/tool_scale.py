#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
tool_scale.py JSON [CONNTRACK]: how many flows "nft-offload -j flow show" has
printed; fails unless each has another connection, and with conntrack's list of
the same, unless they are those.
"""
import json
import re
import sys


def flows(path):
    with open(path, encoding="utf-8") as file:
        shown = json.load(file)["flows"]
    ends = [(flow["orig"]["src"], flow["orig"]["sport"], flow["orig"]["dst"],
             flow["orig"]["dport"]) for flow in shown]
    if len(set(ends)) != len(ends):
        sys.exit("a connection is there twice")
    return set(ends)


def connections(path):
    pattern = re.compile(r"\budp\b.*? src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)")
    with open(path, encoding="utf-8") as file:
        found = map(pattern.search, file)
        return {(m[1], int(m[3]), m[2], int(m[4])) for m in found if m}


shown = flows(sys.argv[1])
if len(sys.argv) > 2 and shown != connections(sys.argv[2]):
    sys.exit("they are not conntrack's")
print(len(shown))
