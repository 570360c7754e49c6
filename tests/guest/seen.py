#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
A direction of a connection is carried because one of its own packets was: what
that means, in cases that were seen to go wrong. Each is run by classic forwarding,
which says what is right, by the kernel's path, of which nothing is asserted, and by
nft_offload.ko in software and in hardware.

seen.py [CASE | MODE | ipv4 | ipv6]...	only these; for the modes see seen_world.py
"""
import sys
import time
import traceback

import seen_ipsec
import seen_links
import seen_routes
import seen_rules
import seen_tcp
from netlink import shell, tap
from seen_world import MODES, World, use

CASES = {}
for module in (seen_rules, seen_routes, seen_ipsec, seen_links, seen_tcp):
    CASES.update(module.CASES)
FAMILIES = ("ipv4", "ipv6")
LEFT_OUT = "kernel-hw",		# where no mode is given


def run(world, name, v6):
    """One case; the world afterwards, None if there is no use for it."""
    began = time.monotonic()
    try:
        if not world.ends:
            world.up()
        world.begin(f"{name} {'IPv6' if v6 else 'IPv4'}")
        CASES[name](world, v6)
    except Exception:	# pylint: disable=broad-except
        detail = traceback.format_exc()
        if world.mode.startswith("kernel"):
            print(f"# {world.case}, {world.mode}: {detail!r}", flush=True)
        else:
            tap.result(f"{world.case}, {world.mode}: the test runs", [detail])
    if world.spoiled:
        world.down()
    print(f"# {world.case}, {world.mode}: {time.monotonic() - began:.1f} s",
          flush=True)


def main():
    names = [word for word in sys.argv[1:] if word in CASES]
    modes = [word for word in sys.argv[1:] if word in MODES]
    families = [word for word in sys.argv[1:] if word in FAMILIES]
    unknown = set(sys.argv[1:]) - {*names, *modes, *families}
    if unknown:
        sys.exit(f"seen.py: unknown: {' '.join(unknown)}")
    shell("sim_load; modprobe -a nf_tables nf_conntrack")
    for mode in modes or [one for one in MODES if one not in LEFT_OUT]:
        use(mode)
        world = World(mode)
        for name in names or CASES:
            for family in families or FAMILIES:
                run(world, name, family == "ipv6")
        world.down()
    shell("path_leave; rmmod nft_offload_sim")
    tap.finish()


if __name__ == "__main__":
    main()
