#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# nft_offload.ko below nf_tables: who provides the flowtable, families, netns,
# reloading under traffic.
#
#   provider.sh [CASE...]       only these
#   provider.sh old [CASE...]   with the nf_tables.ko of tests/build-nf-tables
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

# --- who provides ---

order() {
	local text out
	text=$(ruleset inet "lan, wan")
	did "order: the kernel's first" path_use kernel
	did "order: then ours" insmod "$NFTO_MODULES/nft_offload.ko"
	dmesg -C
	out=$(nft_load "$text" 2>&1)
	has "order: the ruleset is refused" "$out" "Operation not supported|Could not process rule"
	nft_load "$text" 2>/dev/null
	out=$(dmesg)
	has "order: and it is said why" "$out" "nft_offload: flowtable ft belongs to nf_flow_table_inet"
	has "order: and what to do" "$out" "unload nft_flow_offload and nf_flow_table_inet, and load the ruleset again"
	is "order: nothing of it stays" "$(in_ns r nft list ruleset)" ""
	# Without rules the flowtable loads, as the kernel's; then come sixty rules at once.
	ok "order: a flowtable without rules loads" nft_load "${text/flow add @ft/counter}"
	for _ in {1..60}; do
		echo "add rule inet t forward meta l4proto tcp flow add @ft"
	done | in_ns r nft -i >/dev/null 2>&1
	num "order: it is not said too often" "$(dmesg | grep -c 'belongs to')" -le 40
	in_ns r nft flush ruleset
	did "order: without the kernel's" path_drop nft_flow_offload nf_flow_table_inet
	ok "order: it loads" nft_load "$text"
	is "order: and is ours" "$(path_in_use)" module
	ok "order: the kernel's comes later" modprobe -a nf_flow_table_inet nft_flow_offload
	is "order: ours stays in use" "$(path_in_use)" module
	ok "order: also for the next ruleset" nft_load "flush ruleset
		$text"
	is "order: ours again" "$(path_in_use)" module
	talks order 10.2.0.2
	eventually "order: in hardware" 10 entries_are 2
	hangs_up order
	ok "order: rmmod is refused" refused_rmmod
	in_ns r nft flush ruleset
	did "order: and works without a flowtable" path_drop nft_offload
	did "order: again" path_use module
}

refused_rmmod() {
	[[ $(rmmod nft_offload 2>&1) == *"is in use"* ]]
}

# A table gets a new handle each time it is loaded.
no_handles() {
	sed 's/"handle": [0-9]*/"handle": 0/g'
}

# nft lists the same text, whichever module provides the flowtable.
listing() {
	local text plain json
	text=$(ruleset inet "lan, wan")
	did "listing: the kernel's path" path_use kernel
	nft_load "$text"
	is "listing: kernel" "$(path_in_use)" kernel
	plain=$(in_ns r nft -s list ruleset)
	json=$(in_ns r nft -j list ruleset | no_handles)
	in_ns r nft flush ruleset
	did "listing: the module" path_use module
	nft_load "$text"
	is "listing: module" "$(path_in_use)" module
	is "listing: nft list ruleset" "$(in_ns r nft -s list ruleset)" "$plain"
	is "listing: nft -j list ruleset" "$(in_ns r nft -j list ruleset | no_handles)" "$json"
	ok "listing: what is listed can be loaded" nft_load "flush ruleset
		$plain"
}

families() {
	local family address
	for family in inet ip ip6; do
		address=10.2.0.2
		[[ $family != ip6 ]] || address=fd02::2
		in_ns r nft flush ruleset
		ok "$family: loads" nft_load "$(ruleset "$family" "lan, wan" "")"
		talks "$family, software" "$address"
		num "$family: by the fast path" "$(flowtable_get packets)" -ge 36
		hangs_up "$family, software"
		ok "$family: flags offload" nft_load "flush ruleset
			$(ruleset "$family" "lan, wan")"
		talks "$family" "$address"
		eventually "$family: in hardware" 10 entries_are 2
		hangs_up "$family"
	done
}

namespaces() {
	local other
	nft_load "flush ruleset
		$(ruleset inet "lan, wan")"
	ip netns add r2
	ip -n r2 link add d0 type dummy
	ip -n r2 link set d0 up
	nsenter --net=/run/netns/r2 nft -f - <<<"$(ruleset ip d0 "")"
	other=$(nsenter --net=/run/netns/r2 cat /proc/net/nft_offload)
	has "netns: it has its own table" "$other" "^flowtable .* family=ip table=t name=ft .* offload=0"
	is "netns: and no other" "$(grep -c ^flowtable <<<"$other")" 1
	is "netns: and no port" "$(grep -c ^port <<<"$other")" 0
	is "netns: nor has the first one" "$(in_ns r grep -c ^flowtable /proc/net/nft_offload)" 1
	is "netns: the ports are there" "$(in_ns r grep -c ^port /proc/net/nft_offload)" 2
	ip netns del r2
}

# --- packets that user space has let go on ---

# Whoever reaches "flow add" behind a queue does so in a process, where a softirq
# may come between: lockdep would say so.
queued() {
	local out=$flow_dir/queue reason pid
	nft_load "flush ruleset
		$(ruleset inet "lan, wan" | sed 's/{ tcp, udp } flow/{ icmp, udp } flow/')
		table inet q {
			chain forward {
				type filter hook forward priority -10
				udp dport 5000 queue num 0
				ip ttl 63 icmp type echo-request queue num 0
			}
		}"
	nsenter --net=/run/netns/r "$here/nfqueue.py" >"$out" &
	pid=$!
	eventually "queued: somebody listens" 20 grep -q ready "$out"
	reason=$(reason_get protocol)
	# As many pings that are not queued, so that some come between the queued ones.
	in_ns a ping -qc 200 -i 0.005 -t 32 10.2.0.2 >/dev/null &
	ok "queued: pings" in_ns a ping -qc 200 -i 0.005 -t 64 10.2.0.2
	wait $!
	num "queued: refused flows" $(($(reason_get protocol) - reason)) -ge 1600
	talks queued 10.2.0.2
	eventually "queued: a flow is in hardware" 10 entries_are 2
	# shellcheck disable=SC2016 # awk
	num "queued: packets that went by the queue" \
		"$(in_ns r awk '{ print $8 }' /proc/net/netfilter/nfnetlink_queue)" -ge 201
	hangs_up queued
	kill "$pid"
}

# --- reload ---

# still NAME: the connections that were open are, and nothing was left behind
still() {
	is "$1: nft never failed" "$errors" ""
	is "$1: the TCP connection lives" "$(talk send 50)" "sent 50 ok"
	sound "$1"
}

# Traffic goes on in the background while the ruleset is loaded again.
reload() {
	local text how i errors out udp=$flow_dir/udp
	text=$(ruleset inet "lan, wan")
	nft_load "flush ruleset
		$text"
	nsenter --net=/run/netns/b "$here/flow.py" serve udp 10.2.0.2 5001 >/dev/null &
	local udp_server=$!
	poll 20 listening b 5001 udp
	serve_start tcp 10.2.0.2 5000
	talk_start tcp 10.2.0.2 5000 2 || fail "reload: connections"
	for how in "flush ruleset" "delete table inet t" "two transactions"; do
		errors=
		nsenter --net=/run/netns/a "$here/flow.py" talk udp 10.2.0.2 5001 \
			<<<"fire 300" >"$udp" &
		echo "send 3000" >&"${TALK[1]}"
		for i in {1..10}; do
			case $how in
			two*)
				errors+=$(in_ns r nft flush ruleset 2>&1)
				errors+=$(nft_load "$text" 2>&1)
				;;
			*)
				errors+=$(nft_load "$how
					$text" 2>&1)
				;;
			esac
		done
		read -rt 120 out <&"${TALK[0]}"
		is "reload, $how: TCP goes on" "$out" "sent 3000 ok"
		wait $!
		has "reload, $how: UDP goes on" "$(<"$udp")" "fired 300 300"
		still "reload, $how"
		is "reload, $how: one table is left" "$(in_ns r grep -c ^flowtable /proc/net/nft_offload)" 1
		is "reload, $how: ports are bound once" \
			"$(sed 's/.*ft_blocks=//' "$SIM/sim0/ports" | tr '\n' ' ')" "1 1 "
		is "reload, $how: users" "$(port_get lan users) $(port_get wan users)" "1 1"
	done
	in_ns r nft flush ruleset
	eventually "reload: flushed, nothing is in hardware" 20 entries_are 0
	eventually "reload: nothing is bound" 20 blocks_are "00 00 "
	eventually "reload: no table is left" 20 no_tables
	is "reload: TCP lives without a flowtable" "$(talk send 20)" "sent 20 ok"
	talk_stop
	serve_stop
	kill "$udp_server"
	ok "reload: the module can be removed at once" rmmod nft_offload
	did "reload: and loaded" path_use module
}

# --- what nf_tables has let go is let go ---

blocks_go() {
	eventually "$1" 20 blocks_are "$2"
}

# A device is taken out of a flowtable, a table goes, and so does a netns.
leaves() {
	nft_load "flush ruleset
		$(ruleset inet "lan, wan")"
	talks leaves 10.2.0.2
	eventually "leaves: in hardware" 10 entries_are 2
	ok "leaves: a device is taken out" in_ns r nft "delete flowtable inet t ft { devices = { wan }; }"
	eventually "leaves: its entries go" 20 entries_are 0
	blocks_go "leaves: it is not bound any more" "01 00 "
	is "leaves: packets go on" "$(talk send 20)" "sent 20 ok"
	is "leaves: and no entry comes back" "$(sim_count_entries)" 0
	ok "leaves: it is put in again" nft_load "add flowtable inet t ft { hook ingress priority 0; devices = { wan }; flags offload; counter; }"
	blocks_go "leaves: and bound again" "01 01 "
	hangs_up leaves
	ok "leaves: the table goes" in_ns r nft delete table inet t
	blocks_go "leaves: nothing is bound" "00 00 "
	eventually "leaves: no port is left" 20 no_ports
	ip netns add r2
	ip -n r2 link add d0 type dummy
	ip -n r2 link set d0 up
	nsenter --net=/run/netns/r2 nft -f - <<<"$(ruleset inet d0)"
	is "leaves: a netns has a port" "$(nsenter --net=/run/netns/r2 grep -c ^port /proc/net/nft_offload)" 1
	ip netns del r2
	ok "leaves: with the netns, all of it goes" path_drop nft_offload
	did "leaves: the module again" path_use module
}

flow_ids() {
	sim_entries | sed 's/.*cookie=\([^ ]*\) .*/\1/' | sort
}

# What is only checked changes nothing, also if it adds a device.
checked() {
	local before text="table inet t { flowtable ft { hook ingress priority 0
		devices = { v7 }; flags offload; counter; }; }"
	ip -n r link add v7 type veth peer name v7x
	ip -n r link set v7 up
	nft_load "flush ruleset
		$(ruleset inet "lan, wan")"
	talks checked 10.2.0.2
	eventually "checked: in hardware" 10 entries_are 2
	before=$(flow_ids)
	ok "checked: nft -c adds a device" in_ns r nft -c -f - <<<"$text"
	is "checked: packets go on" "$(talk send 20)" "sent 20 ok"
	is "checked: the entries are the same" "$(flow_ids)" "$before"
	is "checked: no flow has ended" "$(reason_get route-stale) $(reason_get device-gone)" "0 0"
	ok "checked: the device is added" nft_load "$text"
	is "checked: packets go on then" "$(talk send 20)" "sent 20 ok"
	eventually "checked: and by hardware" 20 entries_are 2
	hangs_up checked
	ip -n r link del v7
}

no_ports() {
	! in_ns r grep -q ^port /proc/net/nft_offload
}

no_tables() {
	! in_ns r grep -q ^flowtable /proc/net/nft_offload
}

cases=(order listing families namespaces queued leaves checked reload)

if [[ ${1-} == old ]]; then
	shift
	set -- "${@:-leaves}"
	# What it needs, without itself.
	modprobe -a nfnetlink libcrc32c
	did "nf_tables as it was" insmod "$NFTO_MODULES-nf-tables/nf_tables.ko"
	is "it is the one" "$(</sys/module/nf_tables/taint)" "OE"
fi
sim_load
ok "topology" topo_up mlx5-rep
if (($#)); then
	did "the module" path_use module
fi
run_cases "${@:-${cases[@]}}"
