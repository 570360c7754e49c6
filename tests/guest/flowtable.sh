#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A flowtable on the simulated NIC: NAT, protocols, a VLAN, PPPoE; what crosses
# the host and what does not; how long entries live.
#
#   flowtable.sh kernel|module   whose flowtable
path=${1:-kernel}
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

# one_case NAME PROTO SERVER_ADDRESS ADDRESS_THE_CLIENT_USES PEER_PATTERN
# The ruleset is loaded. Everything that must hold for one connection.
one_case() {
	local name="$1, $2" proto=$2 server=$3 address=$4 peer=$5

	serve_start "$proto" "$server" 5000
	if ! talk_start "$proto" "$address" 5000; then
		fail "$name: connects" "$(cat "$talk_err")"
		serve_stop
		return
	fi
	has "$name: the server sees the right peer" "$(cat "$serve_out")" "$peer"
	eventually "$name: both directions are in hardware" 10 entries_are 2
	has "$name: conntrack says so" "$(ct_list "$proto" 5000)" 'HW_OFFLOAD'

	ctr_snap
	is "$name: payload intact" "$(talk send 1000)" "sent 1000 ok"
	check_offloaded "$name"

	if [[ $name == PPPoE* ]]; then
		has "$name: the rule writes the header" "$(sim_entries)" 'pppoe_push=77 out=1'
	fi

	talk_stop
	serve_stop
	if [[ $proto == tcp ]]; then
		eventually "$name: closed, the entries leave the table" 30 entries_are 0
	else
		in_ns r conntrack -D -p udp >/dev/null 2>&1
		eventually "$name: deleted, the entries leave the table" 30 entries_are 0
	fi
	agrees "$name"
}

# No data packet crossed the host, and the wires counted all of them. A few
# frames may be ARP or neighbour discovery.
check_offloaded() {
	local dev wire host
	ctr_settle
	for dev in lan wan; do
		wire=$(ctr_since "$dev" wire_in_packets)
		host=$(ctr_since "$dev" host_in_packets)
		num "$1: packets from the wire of $dev" "$wire" -ge 100
		num "$1: of them through the host" "$host" -le 5
		is "$1: the others hit the table" \
			"$(ctr_since "$dev" hits)" "$((wire - host))"
	done
	is "$1: what wan's wire got is all from the other wire" \
		"$(ctr_since lan forwarded_packets)" \
		"$(($(ctr_since wan wire_out_packets) - $(ctr_since wan host_out_packets)))"
}

both_protocols() {
	local name=$1
	shift
	one_case "$name" tcp "$@"
	one_case "$name" udp "$@"
}

sim_load
did "the $path's flowtables" path_use "$path"
ok "topology" topo_up mlx5-rep
ip -n r addr add 10.2.0.50/24 dev wan
ip -n r addr add fd02::50/64 dev wan nodad

ft_rules
is "the $path's flowtable is in use" "$(path_in_use)" "$path"
both_protocols "routed, IPv4" 10.2.0.2 10.2.0.2 'peer 10\.1\.0\.2'
both_protocols "routed, IPv6" fd02::2 fd02::2 'peer fd01::2'

ft_rules 'table inet nat {
	chain post {
		type nat hook postrouting priority srcnat
		oifname "wan" snat ip to 10.2.0.50
		oifname "wan" snat ip6 to fd02::50
	}
}'
both_protocols "SNAT, IPv4" 10.2.0.2 10.2.0.2 'peer 10\.2\.0\.50'
both_protocols "SNAT, IPv6" fd02::2 fd02::2 'peer fd02::50'

ft_rules 'table inet nat {
	chain pre {
		type nat hook prerouting priority dstnat
		ip daddr 10.9.9.9 meta l4proto { tcp, udp } th dport 5000 dnat ip to 10.2.0.2:5001
		ip6 daddr fd09::9 meta l4proto { tcp, udp } th dport 5000 dnat ip6 to [fd02::2]:5001
	}
}'
serve_port=5001
both_protocols "DNAT, IPv4" 10.2.0.2 10.9.9.9 'peer 10\.1\.0\.2'
both_protocols "DNAT, IPv6" fd02::2 fd09::9 'peer fd01::2'
serve_port=

ft_rules 'table inet nat {
	chain post {
		type nat hook postrouting priority srcnat
		oifname "wan" masquerade
	}
}'
both_protocols "masquerade, IPv4" 10.2.0.2 10.2.0.2 'peer 10\.2\.0\.(1|50)'
both_protocols "masquerade, IPv6" fd02::2 fd02::2 'peer fd02::(1|50)'

# A VLAN on the LAN side: tags are popped one way and pushed the other way. On
# a packet engine, which matches the 5-tuple alone; what becomes of it on NICs
# that match tags is in comparison.sh (W27).
topo_down
did "a VLAN: topology" vlan_up mtk
knob bind_rate 0
# Its hardware forwards FINs: the host learns of the end by the time-out.
in_ns r sysctl -qw net.netfilter.nf_flowtable_tcp_timeout=6
ft_rules
poll 10 in_ns a ping -qc1 -W1 10.2.0.2
both_protocols "a VLAN" 10.2.0.2 10.2.0.2 'peer 10\.7\.0\.2'
topo_down

# The WAN is a PPPoE session: the hardware takes the header off one way and
# writes it the other way.
if modprobe -qn pppoe; then
	did "PPPoE: topology" topo_up mtk
	knob bind_rate 0
	in_ns r sysctl -qw net.netfilter.nf_flowtable_tcp_timeout=6
	did "PPPoE: a session" pppoe_up
	ft_rules
	poll 10 in_ns a ping -qc1 -W1 10.8.0.2
	both_protocols "PPPoE" 10.8.0.2 10.8.0.2 'peer 10\.1\.0\.2'
	topo_down
else
	ok "PPPoE # SKIP this kernel has none" true
fi
did "topology" topo_up mlx5-rep

# The hardware's statistics keep what the host does not see any more.
ft_rules
in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=7 \
	net.netfilter.nf_conntrack_udp_timeout=5 \
	net.netfilter.nf_conntrack_udp_timeout_stream=5
serve_start udp 10.2.0.2 5000
talk_start udp 10.2.0.2 5000
eventually "idle: in hardware" 10 entries_are 2
ctr_snap
is "idle: 16 s of sparse traffic" "$(talk fire 800)" "fired 800 800"
is "idle: after more than twice its timeout the flow is in hardware" \
	"$(sim_count_entries)" 2
has "idle: and so conntrack says" "$(ct_list udp 5000)" 'HW_OFFLOAD'
ctr_settle
num "idle: hardly a packet crossed the host" "$(ctr_since lan host_in_packets)" -le 20
is "idle: it was never put in again" "$(ctr_since lan replaces)" 0
talk_stop
serve_stop
eventually "idle: without traffic it goes" 40 entries_are 0
agrees "idle"

topo_down
did "the flowtable's modules can be removed" path_leave
ok "the module can be removed" rmmod nft_offload_sim
finish
