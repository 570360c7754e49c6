#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What nft_offload.ko puts into the hardware: that it is right, counted, and
# there as long as it is used.
#
#   hardware.sh [CASE...]   only these
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

# in_hardware_all NAME DEVICE...: packets that come in there do not cross the host
in_hardware_all() {
	local name=$1 dev
	shift
	ctr_snap
	answered "$name" 50
	ctr_settle
	for dev; do
		num "$name: packets at $dev that crossed the host" \
			"$(ctr_since "$dev" host_in_packets)" -le 10
		num "$name: that hit an entry" "$(ctr_since "$dev" hits)" -ge 50
	done
}

# counted DIRECTION: packets of all connections in conntrack, 1: original
counted() {
	ct_list udp 5000 | awk -v n="$1" '{ k = 0; for (i = 1; i <= NF; i++)
		if ($i ~ /^packets=/ && ++k == n) sum += substr($i, 9) }
		END { print sum + 0 }'
}

counted_are() {
	[[ "$(counted 1) $(counted 2)" == "$1" ]]
}

statistics() {
	local lie
	in_ns r sysctl -qw net.netfilter.nf_conntrack_acct=1
	knob stats_ms 0
	flows_up 2 || fail "statistics: connections"
	eventually "statistics: in hardware" 10 entries_are 4
	answered statistics 100
	# Each connection sends two more packets at its beginning, see flow.py.
	eventually "statistics: conntrack knows them all" 10 counted_are "204 204"
	for lie in zero busy backwards; do
		knob stats_lie "$lie"
		answered "statistics, $lie" 20
		poll 6 false
		num "statistics, $lie: none are made up" "$(counted 1)" -le 400
	done
	knob stats_lie off
	answered statistics 10
	# The last packets of a flow that ends are counted, too.
	in_ns r ethtool -K lan hw-tc-offload off
	in_ns r ethtool -K wan hw-tc-offload off
	eventually "statistics: taken out of hardware" 10 entries_are 0
	num "statistics: the last packets are known" "$(counted 1)" -ge 224
	tc_offload on
	flows_down statistics
}

# idle MILLISECONDS: no entry was hit for so long
idle() {
	sim_entries | awk -v ms="$1" '{ sub(/.* idle_ms=/, ""); if ($0 + 0 < ms) n++ } END { exit n }'
}

ageing() {
	local began i calls
	in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=4
	flows_up 1 || fail "sparse: connection"
	eventually "sparse: in hardware" 10 entries_are 2
	ctr_snap
	for i in 1 2 3 4 5 6; do
		poll 20 idle 3200
		talk fire 1 >/dev/null
	done
	ctr_settle
	is "sparse: after five time-outs the flow is in hardware" "$(sim_count_entries)" 2
	is "sparse: it was never put in again" "$(ctr_since lan replaces)" 0
	num "sparse: nothing crossed the host" "$(ctr_since lan host_in_packets)" -le 3
	calls=$(ctr_since lan stats)
	num "sparse: the driver was asked now and then" "$calls" -le 40
	began=${EPOCHREALTIME/./}
	eventually "idle: it ends" 20 entries_are 0
	began=$(((${EPOCHREALTIME/./} - began) / 1000))
	num "idle: not before its time, ms" "$began" -ge 3000
	num "idle: nor much later" "$began" -le 10000
	in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=30
	flows_down ageing
}

# The second packet, which begins the flow, comes while the neighbour is unknown.
neighbour() {
	sink_up
	ip -n b link set wanw arp off
	ip -n r neigh flush dev wan
	flow_open n a udp 10.2.0.2 7002
	begun() {
		flow_send n 1
		[[ $(flowtable_get flows) == 1 ]]
	}
	eventually "neighbour: a flow begins without it" 10 begun
	is "neighbour: so it is not in hardware" "$(sim_count_entries)" 0
	ip -n b link set wanw arp on
	found() {
		flow_send n 1
		entries_are 2
	}
	eventually "neighbour: it is found, and the flow comes in" 20 found
	flow_close n
	in_ns b nft delete table inet sink
	in_ns r conntrack -D -p udp >/dev/null 2>&1
	eventually "neighbour: ended" 15 entries_are 0
	sound neighbour
}

# A packet with TTL 64 arrives with 63, whether hardware or software forwards it.
ttl() {
	local before before63
	sink_up
	flow_open t a udp 10.2.0.2 7001
	flow_step t 3 || fail "$1: the first packets arrive"
	eventually "$1: a flow in hardware" 10 entries_are 2
	before=$(sunk) before63=$(sunk ttl63)
	ctr_snap
	flow_send t 20
	eventually "$1: packets arrive" 20 sunk_is $((before + 20))
	is "$1: their TTL is one less" $(($(sunk ttl63) - before63)) 20
	ctr_settle
	num "$1: by the hardware" "$(ctr_since lan hits)" -ge 20
	flow_close t
	in_ns b nft delete table inet sink
	in_ns r conntrack -D -p udp >/dev/null 2>&1
	eventually "$1: ended" 15 entries_are 0
}

ttl_mlx5() {
	ttl "TTL, mlx5-rep"
}

# --- topologies of their own ---

vlan() {
	topo_down
	did "VLAN: topology" vlan_up mlx5-rep
	ft_rules
	flows_up 1 || fail "VLAN: connection"
	eventually "VLAN: in hardware" 10 entries_are 2
	is "VLAN: conntrack says so" "$(flags)" "[HW_OFFLOAD]"
	has "VLAN: the rule is for the tag (W27)" "$(sim_entries)" 'in=0 vlan_tpid=0x8100 vlan_tci=7'
	in_hardware_all VLAN lan wan
	flows_down VLAN
}

# qinq PROFILE
qinq() {
	topo_down
	did "QinQ, $1: topology" vlan_up "$1"
	local ns dev
	for ns in r a; do
		dev=lan.7
		[[ $ns == r ]] || dev=lanw.7
		ip -n "$ns" link add link "$dev" name q8 type vlan id 8
		ip -n "$ns" link set q8 up
	done
	ip -n r addr add 10.78.0.1/24 dev q8
	ip -n a addr add 10.78.0.2/24 dev q8
	ip -n a route replace 10.2.0.0/24 via 10.78.0.1 src 10.78.0.2
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	ft_rules
	flows_up 1 || fail "QinQ, $1: connection"
	eventually "QinQ, $1: in hardware" 10 entries_are 2
	has "QinQ, $1: the inner tag is pushed first" "$(sim_entries)" \
		'vlan_push=0x8100/8 vlan_push=0x8100/7'
	in_hardware_all "QinQ, $1" lan wan
	flows_down "QinQ, $1"
}

qinq_mlx5() {
	qinq mlx5-rep
}

qinq_flower() {
	qinq flower
}

flower() {
	topo_down
	did "flower: topology" topo_up flower
	ft_rules
	eventually "flower: bound by a flower block" 10 blocks_are "10 10 "
	is "flower: and it says so" "$(port_get lan kind)" flower
	flows_up 2 || fail "flower: connections"
	eventually "flower: in hardware" 10 entries_are 4
	in_hardware_all flower lan wan
	flows_down flower
	ttl "TTL, flower"
	in_ns r nft flush ruleset
	eventually "flower: unbound" 10 blocks_are "00 00 "
}

# The packet engine pushes 802.1Q only. The other direction's rule would take
# packets without the tag as well: neither is put in.
both_ways() {
	topo_down
	did "802.1ad, mtk: topology" vlan_up mtk 802.1ad
	knob bind_rate 0
	ft_rules
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	flows_up 2 || fail "802.1ad, mtk: connections"
	answered "802.1ad, mtk" 20
	is "802.1ad, mtk: not in hardware" "$(sim_count_entries)" 0
	is "802.1ad, mtk: no driver was asked" "$(replaces)" 0
	flows_down "802.1ad, mtk"
}

# A port that refuses: the other direction is in hardware alone (W5).
one_way() {
	topo_down
	did "one direction: topology" vlan_up mtk
	knob bind_rate 0
	knob fail_port 1
	knob fail_replace EOPNOTSUPP
	ft_rules
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	flows_up 2 || fail "one direction: connections"
	eventually "one direction: that is in hardware" 10 entries_are 2
	answered "one direction" 20
	is "one direction: the connection is not, for conntrack" "$(flags)" "[OFFLOAD]"
	num "one direction: the driver was asked at most twice" "$(ctr wan replaces)" -le 4
	flows_down "one direction"
}

# A macvlan in passthru mode, which the NIC's driver binds by the indirect block.
above_up() {
	ip -n r link add above link lan type macvlan mode passthru || return
	ip -n r addr flush dev lan
	ip -n r addr add 10.1.0.1/24 dev above
	ip -n r link set above up
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
}

indirect() {
	topo_down
	modprobe macvlan
	did "indirect: topology" topo_up mlx5-rep
	did "indirect: a device above the port" above_up
	nft_load "flush ruleset
		$(ruleset inet "above, wan")"
	eventually "indirect: bound" 10 port_is above state bound
	is "indirect: and it says how" "$(port_get above kind)" indirect
	is "indirect: by the driver below it" "$(blocks)" "01 01 "
	flows_up 2 || fail "indirect: connections"
	eventually "indirect: in hardware" 10 entries_are 4
	in_hardware_all indirect lan wan
	flows_down indirect
	flows_up 2 || fail "indirect: connections again"
	eventually "indirect: in hardware again" 10 entries_are 4
	in_ns r nft flush ruleset
	eventually "indirect: unbound" 10 blocks_are "00 00 "
	is "indirect: nothing is left" "$(sim_count_entries)" 0
	talk_stop
	serve_stop

	# A macvlan that is not above a port of the NIC, and one that is made later.
	ip -n r link add d0 type dummy
	ip -n r link set d0 up
	nft_load "$(ruleset inet "above, d0, wan")"
	eventually "indirect: bound beside another" 10 port_is above state bound
	has "indirect: nobody binds a dummy" "$(port_get d0 state) $(port_get d0 errno)" \
		"^unbound 95$"
	ip -n r link del d0
	flows_up 2 || fail "indirect: connections for the end"
	eventually "indirect: in hardware, for the end" 10 entries_are 4
	# The driver goes first: it tells everybody who has bound to it.
	sim_del sim0
	eventually "indirect: the adapter is gone, and the ports" 10 no_ports
	talk_stop
	serve_stop
	in_ns r nft flush ruleset
}

no_ports() {
	! in_ns r grep -q ^port /proc/net/nft_offload
}

cases=(statistics ageing neighbour ttl_mlx5 vlan qinq_mlx5 qinq_flower
	flower both_ways one_way indirect)

sim_load
did "the module" path_use module
ok "topology" topo_up mlx5-rep
ft_rules
is "its flowtable is in use" "$(path_in_use)" module
run_cases "${@:-${cases[@]}}"
