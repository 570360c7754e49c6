#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The demonstration: one TCP stream of a fixed rate through the router, by each
# way there is; what the wires carried, what the host saw, what its CPU did.
#
# CPU 0 is the router's: it takes the NIC's interrupts and forwards. CPU 1 is
# the world outside: both ends of the connection, the wires and the NIC.
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

RATE=${NFTO_DEMO_RATE:-120M}
TIME=${NFTO_DEMO_SECONDS:-8}
ROUTER_CPU=0
WORLD_CPU=1

# idle_ticks: what /proc/stat says CPU 0 has spent idle, in 1/100 s
idle_ticks() {
	awk -v cpu="cpu$ROUTER_CPU" '$1 == cpu { print $5 + $6 }' /proc/stat
}

fail_demo() {
	echo "demo: $*" >&2
	exit 1
}

classic_rules() {
	in_ns r nft flush ruleset
	in_ns r nft -f - <<-END
		table inet t {
			chain forward {
				type filter hook forward priority 0; policy accept
				ct state established,related accept
			}
		}
	END
}

measure() {
	local name=$1 idle began busy wire host out

	taskset -c "$WORLD_CPU" nsenter --net=/run/netns/b iperf3 -s -1 -D >/dev/null
	poll 10 listening b 5201 tcp || fail_demo "the iperf3 server does not listen"
	ctr_snap
	idle=$(idle_ticks)
	began=${EPOCHREALTIME/./}
	out=$(taskset -c "$WORLD_CPU" nsenter --net=/run/netns/a \
		iperf3 -c 10.2.0.2 -t "$TIME" -b "$RATE" -f m) || fail_demo "iperf3: $out"
	began=$((${EPOCHREALTIME/./} - began))
	idle=$(($(idle_ticks) - idle))
	ctr_settle
	busy=$((100 - idle * 10000 * 100 / began))
	wire=$(($(ctr_since lan wire_in_packets) + $(ctr_since wan wire_in_packets)))
	host=$(($(ctr_since lan host_in_packets) + $(ctr_since wan host_in_packets)))
	printf '%-24s %9s %10d %10d %8s %8s\n' "$name" \
		"$(awk '/receiver/ { print $7 }' <<<"$out")" "$wire" "$host" \
		"$((host * 100 / wire)) %" "$((busy < 0 ? 0 : busy)) %"
}

look() {
	echo "While it ran, the NIC's table (the stream's two directions):"
	sim_entries | tail -n 2 | sed 's/^/  /'
	echo "conntrack:"
	in_ns r conntrack -L -p tcp 2>/dev/null | grep OFFLOAD | tail -n 1 |
		sed 's/^/  /'
	echo "and /proc/net/nft_offload:"
	in_ns r grep -v '^reason' /proc/net/nft_offload | fold -sw 76 |
		sed 's/^/  /'
}

# both_ways PATH NAME: software, then hardware
both_ways() {
	path_use "$1" || fail_demo "$1: the modules cannot be loaded"
	ft_flags="" ft_rules
	[[ $(path_in_use) == "$1" ]] || fail_demo "$1: its flowtable is not in use"
	measure "$2, software"
	ft_rules
	if [[ $1 == module ]]; then
		# iperf3 has two connections, each of two directions.
		(poll "$TIME" entries_are 4 && look >"$flow_dir/look") &
	fi
	measure "$2, hardware"
	wait
	in_ns r nft flush ruleset
	in_ns r conntrack -F 2>/dev/null
	# What the kernel's path leaves behind there (W2) is not for the next.
	[[ $1 == module ]] || knob reset 1
}

# Whatever this script itself does is not the router's work.
taskset -cp "$WORLD_CPU" $$ >/dev/null
sim_load || fail_demo "the simulated NIC cannot be loaded"
topo_up mlx5-rep || fail_demo "the topology does not come up"
# A cable carries frames, not the sender's 64 KB packets.
in_ns a ethtool -K lanw tso off gso off
in_ns b ethtool -K wanw tso off gso off
knob pipeline_cpu "$WORLD_CPU"
knob host_cpu "$ROUTER_CPU"

echo
echo "Linux $(uname -r): one TCP stream of ${RATE}bit/s for $TIME s, a -> router -> b,"
echo "through the simulated NIC (profile mlx5-rep), with the kernel's own flowtable"
echo "(nf_flow_table) and with nft_offload.ko."
echo
printf '%-24s %9s %10s %10s %8s %8s\n' '' 'Mbit/s' 'packets' 'packets' 'share' 'CPU of'
printf '%-24s %9s %10s %10s %8s %8s\n' '' '' 'on wires' 'via host' '' 'router'
classic_rules
measure "no flowtable"
both_ways kernel "nf_flow_table"
both_ways module "nft_offload"
echo
cat "$flow_dir/look" 2>/dev/null ||
	echo "(This machine was too slow for a look at the NIC's table meanwhile.)"
topo_down
path_leave
rmmod nft_offload_sim
