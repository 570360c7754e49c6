#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packets of flows whose next host does not answer any more wait for its address.
# Behind a bridge they wait as the bridge's, not as its port's: the port may leave
# the bridge meanwhile, or be gone.
#
#   waiting.sh kernel|module [FLOWS [SECONDS]]
#
#     netns a            netns r (the host under test)              netns b, c
#     10.1.0.2   la <-> lan 10.1.0.1 | 10.2.0.1 br0: p1 <-> p1x 10.2.0.2
#                                                    p2 <-> p2x
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
path=${1:-module} flows=${2:-800} seconds=${3:-60}

bridge_up() {
	local ns dev
	for ns in a r b c; do
		ip netns add "$ns" || return
		ip -n "$ns" link set lo up
	done
	ip -n r link add lan type veth peer name la netns a
	ip -n r link add br0 type bridge
	ip -n r link add p1 type veth peer name p1x netns b
	ip -n r link add p2 type veth peer name p2x netns c
	# An address of its own, which it keeps when a port leaves.
	ip -n r link set br0 address 02:00:00:00:00:aa
	ip -n r link set p1 master br0
	ip -n r link set p2 master br0
	for dev in lan br0 p1 p2; do
		ip -n r link set "$dev" up
	done
	ip -n a link set la up
	ip -n b link set p1x up
	ip -n c link set p2x up
	ip -n r addr add 10.1.0.1/24 dev lan
	ip -n a addr add 10.1.0.2/24 dev la
	ip -n r addr add 10.2.0.1/24 dev br0
	ip -n b addr add 10.2.0.2/24 dev p1x
	ip -n a route add default via 10.1.0.1
	ip -n b route add default via 10.2.0.1
	in_ns r sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv4.neigh.br0.unres_qlen_bytes=100000000 \
		net.ipv4.neigh.br0.mcast_solicit=100
	poll 20 in_ns a ping -qc1 -W1 10.2.0.2
}

# Each socket has an answer before "ready"; then they send until they are told not to.
senders() {
	exec nsenter --net=/run/netns/a python3 - "$flows" "$seconds" <<-'END'
		import socket, sys, time
		socks = []
		for _ in range(int(sys.argv[1])):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.settimeout(10)
		    s.connect(("10.2.0.2", 5000))
		    for _ in range(3):
		        s.send(b"x" * 100)
		        s.recv(100)
		    s.setblocking(False)
		    socks.append(s)
		print("ready", flush=True)
		end = time.monotonic() + float(sys.argv[2])
		while time.monotonic() < end:
		    for s in socks:
		        try:
		            s.send(b"x" * 100)
		        except OSError:
		            pass
	END
}

# counted NETNS DEVICE: UDP that arrives there is counted
count_at() {
	in_ns "$1" nft -f - <<-END
		table netdev n {
			chain in {
				type filter hook ingress device $2 priority 0
				udp dport 5000 counter
			}
		}
	END
}

counted() {
	in_ns "$1" nft list table netdev n | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

has_counted() {
	[[ $(counted "$1") != 0 ]]
}

no_longer_counts() {
	local before
	before=$(counted "$1")
	sleep 0.5
	[[ $(counted "$1") == "$before" ]]
}

neigh_is() {
	in_ns r ip neigh show 10.2.0.2 dev br0 | grep -q "$1"
}

# waits HOW: the host does not answer any more, packets wait, and the port leaves
waits() {
	local how=$1 mac client server gone
	mac=$(ip -n b -br link show p1x | awk '{ print $3 }')
	nsenter --net=/run/netns/b "$here/flow.py" serve udp 10.2.0.2 5000 >/dev/null &
	server=$!
	poll 20 listening b 5000 udp
	senders >/tmp/ready &
	client=$!
	eventually "$how: $flows flows" 120 grep -q ready /tmp/ready
	kill "$server"
	# It is silent from now on: no ARP, no ICMP.
	in_ns b sysctl -qw net.ipv4.conf.all.arp_ignore=8 net.ipv4.conf.p1x.arp_ignore=8
	in_ns b nft -f - <<<'table ip q { chain out { type filter hook output priority 0; policy drop; }; }'
	ok "$how: its address is forgotten" in_ns r ip neigh change 10.2.0.2 dev br0 nud failed
	eventually "$how: packets wait" 20 neigh_is INCOMPLETE
	sleep 0.3
	kill -STOP "$client"
	case $how in
	leaves) ok "$how: the port leaves" ip -n r link set p1 nomaster ;;
	gone) ok "$how: the port is removed" ip -n r link del p1 ;;
	esac
	count_at c p2x
	[[ $how == gone ]] || count_at b p1x
	ok "$how: the address is known again" \
		in_ns r ip neigh replace 10.2.0.2 lladdr "$mac" dev br0 nud permanent
	eventually "$how: what waited leaves by the bridge" 20 has_counted c
	eventually "$how: all of it" 20 no_longer_counts c
	note "$how: $(counted c) packets"
	[[ $how == gone ]] || gone=$(counted b)
	is "$how: and by nothing else" "${gone:-0}" 0
	kill -KILL "$client" 2>/dev/null
	wait "$client" "$server" 2>/dev/null
}

down() {
	local ns
	in_ns r nft flush ruleset
	for ns in a r b c; do
		ip netns del "$ns"
	done
}

ulimit -n 8192
modprobe -a bridge veth
did "the path" path_use "$path"
for how in leaves gone; do
	ok "$how: bridge" bridge_up
	ok "$how: ruleset" in_ns r nft -f - <<-END
		table inet t {
			flowtable ft { hook ingress priority 0; devices = { lan, p1 }; }
			chain forward {
				type filter hook forward priority 0; policy accept
				meta l4proto udp flow add @ft
			}
		}
	END
	waits "$how"
	did "$how: all is taken down" down
done
did "the module can be removed" path_leave
finish
