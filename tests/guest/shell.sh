#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A prompt on the router of the demonstration: the module loaded, traffic running
# through the simulated NIC, nft-offload at hand. For make shell.
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"

die() {
	echo "shell: $*" >&2
	exit 1
}

echo "Setting up the router..."
{ sim_load && path_use module && topo_up mlx5-rep; } || die "no topology"
in_ns r sysctl -qw net.netfilter.nf_conntrack_acct=1
ft_rules || die "the ruleset is not taken"

top=$(cd "$here/../.." && pwd)
tools=$top/build/user

# What goes on: two streams of TCP, a conversation in UDP, and pings, which are
# no business of the flowtable.
in_ns b iperf3 -s -p 5201 -D >/dev/null
in_ns b iperf3 -s -p 5202 -D >/dev/null
poll 10 listening b 5202 tcp || die "the servers do not listen"
in_ns a iperf3 -c 10.2.0.2 -p 5201 -t 0 -b 20M >/dev/null 2>&1 &
in_ns a iperf3 -c fd02::2 -p 5202 -t 0 -b 5M >/dev/null 2>&1 &
in_ns b "$here/flow.py" serve udp 10.2.0.2 5000 >/dev/null 2>&1 &
poll 10 listening b 5000 udp || die "the UDP server does not listen"
while echo "send 2"; do
	sleep 1
done | in_ns a "$here/flow.py" talk udp 10.2.0.2 5000 >/dev/null 2>&1 &
in_ns a ping -q 10.2.0.2 >/dev/null 2>&1 &
# Each of iperf3's has two connections.
poll 30 entries_are 10 || die "what runs is not in hardware"

# man looks into folders for each section.
man=$(mktemp -d)
for page in "$top"/userspace/man/*.[578]; do
	mkdir -p "$man/man${page##*.}"
	cp "$page" "$man/man${page##*.}"
done

rc=$(mktemp)
cat >"$rc" <<END
PS1='router# '
PATH=$tools/userspace/cli:$PATH
export MANPATH=$man:
NIC=$SIM/sim0
. $top/userspace/completion/nft-offload.bash
END
cat <<END

  client a  10.1.0.2, fd01::2 --lan-- you are here --wan-- 10.2.0.2, fd02::2  server b

  nft-offload             what is where            nft-offload top     live
  nft-offload flow show   each connection          nft-offload check   is all well?
  nft-offload explain tcp 10.1.0.2:PORT 10.2.0.2:5201
  man nft-offload         nft list ruleset         cat \$NIC/entries

  On the client:  ip netns exec a ping 10.2.0.2
  "exit" ends the machine; nothing of it stays.

END
exec nsenter --net=/run/netns/r bash --rcfile "$rc" -i
