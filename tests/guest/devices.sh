#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nft_offload.ko's devices: that come, go, are shared, cannot offload, cannot
# offload now, or leave with their netns.
#
#   devices.sh [CASE...]   only these
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

devices() {
	nft_load "flush ruleset
		$(ruleset inet lan)"
	talks devices 10.2.0.2
	poll 2 false
	is "devices: half a path is not for hardware" "$(sim_count_entries)" 0
	ok "devices: one is added" in_ns r nft \
		'add flowtable inet t ft { hook ingress priority 0; devices = { wan }
			flags offload; counter; }'
	eventually "devices: it is bound" 10 blocks_are "01 01 "
	again() {
		talk send 2 >/dev/null
		entries_are 2
	}
	eventually "devices: the connection moves into hardware" 15 again
	sound devices
	ok "devices: it is taken out" in_ns r nft \
		'delete flowtable inet t ft { hook ingress priority 0; devices = { wan }; }'
	eventually "devices: entries leave" 15 entries_are 0
	eventually "devices: it is unbound" 10 blocks_are "01 00 "
	is "devices: the connection lives" "$(talk send 20)" "sent 20 ok"
	ok "devices: and added again" in_ns r nft \
		'add flowtable inet t ft { hook ingress priority 0; devices = { wan }
			flags offload; counter; }'
	eventually "devices: in hardware again" 15 again
	hangs_up devices
}

# A device may be in two flowtables; its driver is bound once.
shared() {
	nft_load "flush ruleset
		$(ruleset inet "lan, wan")"
	ok "shared: a second flowtable with the same devices" nft_load \
		"$(ruleset ip "lan, wan" | sed 's/priority 0$/priority 5/')"
	is "shared: two users" "$(port_get lan users)" 2
	blocks_are "01 01 " || fail "shared: bound once" "$(<"$SIM/sim0/ports")"
	talks shared 10.2.0.2
	eventually "shared: in hardware" 10 entries_are 2
	ok "shared: one goes" in_ns r nft delete table ip t
	blocks_are "01 01 " || fail "shared: still bound" "$(<"$SIM/sim0/ports")"
	is "shared: traffic" "$(talk send 20)" "sent 20 ok"
	hangs_up shared
}

# unable NAME DEVICES: loads, the others offload, and the port of the first
# device says why it is not bound
unable() {
	local dev=${2%%,*}
	ok "$1: loads" nft_load "flush ruleset
		$(ruleset inet "$2, lan, wan")"
	eventually "$1: it is unbound" 10 port_is "$dev" state unbound
	is "$1: and says why" "$(port_get "$dev" errno)" 95
	talks "$1" 10.2.0.2
	eventually "$1: in hardware" 10 entries_are 2
	hangs_up "$1"
}

cannot() {
	ip -n r link add v0 type veth peer name v1
	ip -n r link add d0 type dummy
	ip -n r link add br9 type bridge
	unable veth v0
	# From lan to the veth and back: by the fast path, but not by hardware.
	ip -n r link set v1 netns b
	ip -n r addr add 10.3.0.1/24 dev v0
	ip -n b addr add 10.3.0.2/24 dev v1
	ip -n r link set v0 up
	ip -n b link set v1 up
	ip -n b route add 10.1.0.0/24 via 10.3.0.1
	talks "from and to a veth" 10.3.0.2
	num "from and to a veth: by the fast path" "$(flowtable_get packets)" -ge 36
	is "from and to a veth: not in hardware" "$(sim_count_entries)" 0
	hangs_up "from and to a veth"
	ip -n b route del 10.1.0.0/24
	unable dummy d0
	unable bridge br9
	strict 1
	has "strict: refused" "$(nft_load "flush ruleset
		$(ruleset inet "d0, lan, wan")" 2>&1)" "Operation not supported"
	strict 0

	# No device can offload: everything is forwarded in software.
	topo_down
	ok "profile none: topology" topo_up none
	ok "profile none: loads" nft_load "$(ruleset inet "lan, wan")"
	eventually "profile none: unbound" 10 port_is lan state unbound
	is "profile none: EOPNOTSUPP" "$(port_get wan errno)" 95
	talks "profile none" 10.2.0.2
	num "profile none: the fast path forwards" "$(flowtable_get packets)" -ge 36
	talk_stop
	serve_stop
	topo_down
	topo_up mlx5-rep || fail "topology"
}

strict() {
	echo "$1" >/sys/module/nft_offload/parameters/strict
}

# RTNL is busy all the time: its holder may be waiting for nf_tables.
strict_busy() {
	local errors='' i good bad
	good=$(ruleset inet "lan, wan")
	bad=$(ruleset inet "lan, d0")
	in_ns r nft flush ruleset
	ip -n r link add d0 type dummy 2>/dev/null
	strict 1
	(
		i=0
		while [[ ! -e $flow_dir/stop ]]; do
			ip -n r link add "x$((++i))" type dummy
			ip -n r link set d0 mtu $((1400 + i % 50))
			ip -n r link del "x$i"
		done
	) >/dev/null 2>&1 &
	for i in {1..20}; do
		errors+=$(nft_load "flush ruleset
			$good" 2>&1)
		[[ $(nft_load "flush ruleset
			$bad" 2>&1) == *"Operation not supported"* ]] ||
			errors+="attempt $i was not refused"
	done
	touch "$flow_dir/stop"
	wait $!
	is "strict: 20 times good and bad, RTNL busy" "$errors" ""
	is "strict: the last good one is still there" "$(in_ns r nft -s list ruleset | grep -c wan)" 1
	is "strict: it is bound" "$(port_get lan state)" bound
	in_ns r nft flush ruleset
	knob fail_bind ENOSPC
	has "strict: the driver's errno" "$(nft_load "$good" 2>&1)" "No space left on device"
	knob fail_bind 0
	ok "strict: loads when it can" nft_load "$good"
	strict 0
	in_ns r nft flush ruleset
	eventually "strict: nothing is bound" 20 blocks_are "00 00 "
	ip -n r link del d0
}

# A device that cannot be bound now may be bound later.
later() {
	knob fail_bind EBUSY
	ok "later: loads" nft_load "$(ruleset inet "lan, wan")"
	eventually "later: unbound" 10 port_is lan state unbound
	is "later: the driver's errno" "$(port_get lan errno)" 16
	talks later 10.2.0.2
	is "later: nothing in hardware" "$(sim_count_entries)" 0
	knob fail_bind 0
	eventually "later: it is bound" 70 port_is wan state bound
	eventually "later: the flows go in" 10 entries_are 2
	is "later: no error any more" "$(port_get wan errno)" 0

	in_ns r ethtool -K lan hw-tc-offload off
	eventually "switched off: it says so" 10 port_is lan state switched-off
	is "switched off: its entries are out" "$(sim_entries | grep -c ' port=0 ')" 0
	is "switched off: traffic" "$(talk send 20)" "sent 20 ok"
	sound "switched off"
	in_ns r ethtool -K lan hw-tc-offload on
	eventually "switched on: they are back" 10 entries_are 2
	hangs_up "switched on"

	in_ns r nft flush ruleset
	eventually "silent: nothing is bound" 20 blocks_are "00 00 "
	knob bind_silent 1
	ok "silent: loads" nft_load "$(ruleset inet "lan, wan")"
	eventually "silent: counts as unbound (W25)" 10 port_is lan state unbound
	is "silent: errno" "$(port_get lan errno)" 95
	talks silent 10.2.0.2
	num "silent: the fast path forwards" "$(flowtable_get packets)" -ge 36
	knob bind_silent 0
	eventually "silent: later it is bound" 70 entries_are 2
	hangs_up silent
}

gone() {
	nft_load "flush ruleset
		$(ruleset inet "lan, wan")"
	talks moved 10.2.0.2
	eventually "moved: in hardware" 10 entries_are 2
	ok "moved: a device goes to another netns" ip -n r link set wan netns 1
	is "moved: nothing is in hardware any more" "$(sim_count_entries)" 0
	sound moved
	talk_stop
	serve_stop
	ip link set wan netns r
	ip -n r addr add 10.2.0.1/24 dev wan
	ip -n r link set wan up
	nft_load "flush ruleset
		$(ruleset inet "lan, wan")"
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	talks "netns exit" 10.2.0.2
	eventually "netns exit: in hardware" 10 entries_are 2
	ip netns del r
	eventually "netns exit: entries leave" 30 entries_are 0
	eventually "netns exit: nothing is bound" 30 blocks_are "00 00 "
	eventually "netns exit: the module is unused" 30 unused
	talk_stop
	serve_stop
	topo_down
}

unused() {
	[[ $(awk '$1 == "nft_offload" { print $3 }' /proc/modules) == 0 ]]
}

cases=(devices shared cannot strict_busy later gone)

sim_load
ok "topology" topo_up mlx5-rep
did "the module" path_use module
run_cases "${@:-${cases[@]}}"
