#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The simulated NIC behind the engines that are not flowtables: TC flower, and
# nft's ingress chains with "flags offload".
#
# Neighbours are permanent and IPv6 is off: what netns a sends is what the
# cable carries, and counters are compared exactly.

# shellcheck disable=SC2119,SC2317
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

trap topo_down EXIT

# --- traffic and counters ---

declare -A was=() now=()

# look: reads all counters into now
look() {
	local dev name value
	for dev in lan wan; do
		while IFS=' :' read -r name value; do
			now[$dev.${name#offload_}]=$value
		done < <(in_ns r ethtool -S "$dev")
	done
}

# mark: from here on the counters are looked at
mark() {
	local name
	look
	for name in "${!now[@]}"; do
		was[$name]=${now[$name]}
	done
}

# moved DEVICE NAME: what was added since
moved() {
	look
	echo $((now[$1.$2] - was[$1.$2]))
}

moved_is() {
	[[ $(moved "$1" "$2") == "$3" ]]
}

# became TEXT DEVICE NAME=COUNT...: exactly that was added
became() {
	local text=$1 dev=$2 pair name got=''
	shift 2
	look
	for pair; do
		name=${pair%=*}
		got+="$name=$((now[$dev.$name] - was[$dev.$name])) "
	done
	is "$text" "${got% }" "$*"
}

# datagrams NETNS ADDRESS PORT COUNT: sends, and waits until the NIC has them
datagrams() {
	local wire=lan
	[[ $1 != b ]] || wire=wan
	mark
	# shellcheck disable=SC2016
	in_ns "$1" bash -c 'exec 3<>/dev/udp/"$0"/"$1"
		for ((n = 0; n < $2; n++)); do echo >&3; done' "$2" "$3" "$4"
	poll 10 moved_is "$wire" wire_in_packets "$4" ||
		fail "$4 datagrams from $1" "got $(moved "$wire" wire_in_packets)"
}

mac_of() {
	nsenter --net="/run/netns/$1" ip -o link show "$2" |
		sed -n 's,.*link/ether \([^ ]*\).*,\1,p'
}

quiet() {
	local ns
	for ns in a b r; do
		in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1
	done
	# What is forwarded as it came is for netns b, too.
	ip -n b link set wanw down
	ip -n b link set wanw address "$(mac_of r lan)" up
	ip -n b route add default via 10.2.0.1
	ip -n a neigh replace 10.1.0.1 dev lanw lladdr "$(mac_of r lan)" nud permanent
	ip -n b neigh replace 10.2.0.1 dev wanw lladdr "$(mac_of r wan)" nud permanent
	ip -n r neigh replace 10.1.0.2 dev lan lladdr "$(mac_of a lanw)" nud permanent
	ip -n r neigh replace 10.2.0.2 dev wan lladdr "$(mac_of b wanw)" nud permanent
}

start() {
	topo_up "$1" || fail "the topology with profile $1"
	quiet
	sink_up
}

# --- TC flower ---

flower() {
	tc -n r filter add dev lan ingress prio "${prio:-1}" protocol "${proto:-ip}" \
		flower "$@"
}

filters() {
	tc -n r -s filter show dev lan ingress
}

shows() {
	"${@:2}" 2>&1 | grep -Eq -- "$1"
}

entries_of_port() {
	sim_entries | grep -c " port=$1 "
}

# refuses TEXT SENTENCE COMMAND...: it fails, and stderr has the sentence
refuses() {
	local text=$1 sentence=$2 out
	shift 2
	if out=$("$@" 2>&1); then
		fail "$text" "accepted: $*"
	else
		has "$text" "$out" "$sentence"
	fi
}

tc_drop() {
	tc -n r qdisc add dev lan clsact
	tc -n r qdisc add dev wan clsact

	ok "tc: a drop rule" \
		flower skip_sw ip_proto udp dst_port 7001 action drop
	is "tc: it is in the NIC" "$(sim_count_entries)" 1
	has "tc: it is shown as in_hw" "$(filters)" \
		"^ +skip_sw$|^ +in_hw in_hw_count 1"
	datagrams a 10.2.0.2 7001 10
	became "tc: the NIC drops" lan hits=10 rule_drops=10 misses=0 \
		host_in_packets=0
	is "tc: nothing arrives" "$(sunk)" 0
	eventually "tc: it shows the NIC's counters" 10 \
		shows 'Sent hardware [0-9]+ bytes 10 pkt' filters
	datagrams a 10.2.0.2 7002 5
	became "tc: other packets are the host's" lan misses=5 hits=0 \
		host_in_packets=5
	eventually "tc: they arrive" 10 sunk_is 5

	ok "tc: a rule that is in software, too" \
		flower ip_proto udp dst_port 7003 action drop
	has "tc: it is in hardware nevertheless" "$(filters)" "^  in_hw in_hw_count 1"
	is "tc: both are in the NIC" "$(sim_count_entries)" 2
	tc -n r filter del dev lan ingress prio 1
	is "tc: delete removes the entries" "$(sim_count_entries)" 0
	datagrams a 10.2.0.2 7001 3
	became "tc: and what they dropped is the host's" lan hits=0 \
		host_in_packets=3
}

tc_forward() {
	local n before=$1
	ok "tc: a rule that routes" flower skip_sw ip_proto udp dst_port 7004 \
		action pedit ex munge eth dst set "$(mac_of b wanw)" \
		munge eth src set "$(mac_of r wan)" \
		munge ip ttl add 0xff pipe \
		action mirred egress redirect dev wan
	datagrams a 10.2.0.2 7004 20
	became "tc: the NIC forwards" lan hits=20 forwarded_packets=20 \
		host_in_packets=0
	became "tc: to the other wire" wan wire_out_packets=20 host_out_packets=0
	eventually "tc: all of it arrives" 10 sunk_is $((before + 20))
	for n in 1 2 3; do
		flower skip_sw ip_proto udp dst_port $((7010 + n)) action drop
	done
	is "tc: four rules" "$(sim_count_entries)" 4
	tc -n r qdisc del dev lan clsact
	is "tc: the qdisc goes, and so do its entries" "$(sim_count_entries)" 0
	tc -n r qdisc add dev lan clsact
}

tc_refusals() {
	proto=arp refuses "tc: an unknown key" \
		"the match has a key that the hardware does not know" \
		flower skip_sw arp_op request action drop
	refuses "tc: an unknown action" \
		"an action that the hardware does not have" \
		flower skip_sw ip_proto udp \
		action skbedit mark 1 pipe action drop
	refuses "tc: a device of somebody else's" \
		"the egress device is not on the same switch" \
		flower skip_sw ip_proto udp action mirred egress redirect dev lo
	refuses "tc: back to where it came from" "a port cannot forward to itself" \
		flower skip_sw ip_proto udp action mirred egress redirect dev lan
	refuses "tc: a field that the NIC leaves alone" \
		"a field that cannot be rewritten" \
		flower skip_sw ip_proto udp action pedit ex munge ip ihl set 5 \
		pipe action mirred egress redirect dev wan
	refuses "tc: a field rewritten twice" "a field is rewritten twice" \
		flower skip_sw ip_proto udp \
		action pedit ex munge ip src set 1.2.3.4 pipe \
		action pedit ex munge ip src set 1.2.3.5 pipe \
		action mirred egress redirect dev wan
	prio=17 refuses "tc: a priority out of range" \
		"the priority is beyond the hardware's range" \
		flower skip_sw ip_proto udp action drop
	refuses "tc: a chain" "only chain 0 is offloaded" \
		tc -n r filter add dev lan ingress chain 1 prio 1 protocol ip \
		flower skip_sw ip_proto udp action drop
	flower skip_sw ip_proto udp dst_port 7001 action drop
	knob capacity 1
	refuses "tc: a full table" "the flow table is full" \
		flower skip_sw ip_proto udp dst_port 7002 action drop
	knob capacity 65536
	tc -n r filter del dev lan ingress

	proto=arp ok "tc: what is refused stays in software" \
		flower arp_op request action pass
	has "tc: and is shown so" "$(filters)" "^  not_in_hw"
	is "tc: nothing of it is in the NIC" "$(sim_count_entries)" 0
	tc -n r filter del dev lan ingress
}

tc_block() {
	local dev
	for dev in lan wan; do
		tc -n r qdisc del dev "$dev" clsact
		tc -n r qdisc add dev "$dev" ingress_block 22 clsact
	done
	ok "tc block: a rule for both ports" \
		tc -n r filter add block 22 prio 1 protocol ip \
		flower skip_sw ip_proto udp dst_port 7020 action drop
	has "tc block: in hardware twice" "$(tc -n r filter show block 22)" \
		"in_hw in_hw_count 2"
	is "tc block: an entry of one port" "$(entries_of_port 0)" 1
	is "tc block: an entry of the other" "$(entries_of_port 1)" 1
	datagrams a 10.2.0.2 7020 4
	became "tc block: one port drops" lan rule_drops=4 host_in_packets=0
	datagrams b 10.1.0.2 7020 6
	became "tc block: the other port drops" wan rule_drops=6 host_in_packets=0
	tc -n r qdisc del dev wan ingress_block 22 clsact
	is "tc block: a port that leaves takes its entry along" \
		"$(entries_of_port 0) $(entries_of_port 1)" "1 0"
	tc -n r qdisc add dev wan ingress_block 22 clsact
	is "tc block: a port that joins gets one" \
		"$(entries_of_port 0) $(entries_of_port 1)" "1 1"
	for dev in lan wan; do
		tc -n r qdisc del dev "$dev" ingress_block 22 clsact
	done
	is "tc block: nothing stays" "$(sim_count_entries)" 0
}

# tc_switched_off LEFT: entries that the driver cannot remove any more
tc_switched_off() {
	tc -n r qdisc add dev lan clsact
	flower skip_sw ip_proto udp dst_port 7030 action drop
	in_ns r ethtool -K lan hw-tc-offload off
	prio=2 refuses "tc, offload off: a new rule" "hw-tc-offload is off" \
		flower skip_sw ip_proto udp dst_port 7031 action drop
	prio=2 ok "tc, offload off: the same for software" \
		flower ip_proto udp dst_port 7031 action drop
	has "tc, offload off: it is not in hardware" \
		"$(tc -n r filter show dev lan ingress prio 2)" "^  not_in_hw"
	datagrams a 10.2.0.2 7030 2
	became "tc, offload off: the old entry works on" lan rule_drops=2
	tc -n r qdisc del dev lan clsact
	is "tc, offload off: entries that stay" "$(sim_count_entries)" "$1"
	in_ns r ethtool -K lan hw-tc-offload on
}

# --- nft ingress chains ---

# nft_chain PRIORITY [RULE...]
nft_chain() {
	local priority=$1 rules
	shift
	printf -v rules '%s\n' "$@"
	in_ns r nft -f - <<-END
		table netdev x
		delete table netdev x
		table netdev x {
			chain c {
				type filter hook ingress device "lan" priority $priority
				flags offload
				$rules
			}
		}
	END
}

from_to="ip saddr 10.1.0.2 ip daddr 10.2.0.2"

nft_drop() {
	ok "nft: a drop rule" nft_chain 1 "$from_to udp dport 7100 counter drop"
	is "nft: it is in the NIC" "$(sim_count_entries)" 1
	datagrams a 10.2.0.2 7100 10
	became "nft: the NIC drops" lan hits=10 rule_drops=10 host_in_packets=0
	eventually "nft: list shows the NIC's counter" 10 \
		shows 'counter packets 10 bytes 4[0-9]{2} drop' \
		in_ns r nft list chain netdev x c
	datagrams a 10.2.0.2 7101 4
	became "nft: other packets are the host's" lan misses=4 host_in_packets=4
	in_ns r nft flush chain netdev x c
	is "nft: flush removes the entry" "$(sim_count_entries)" 0
	datagrams a 10.2.0.2 7100 2
	became "nft: and what it dropped is the host's" lan host_in_packets=2
}

nft_tcp() {
	# It takes TCP, too.
	in_ns b nft delete table inet sink
	in_ns b socat -u TCP-LISTEN:7200,fork,reuseaddr STDOUT &
	poll 10 listening b 7200 tcp
	ok "nft: TCP is dropped by its port" \
		nft_chain 1 "$from_to tcp dport 7200 drop"
	mark
	refuses "nft: no connection" . \
		in_ns a socat -u OPEN:/dev/null TCP:10.2.0.2:7200,connect-timeout=2
	num "nft: the NIC has dropped it" "$(moved lan rule_drops)" -gt 0
	is "nft: the host has not seen it" "$(moved lan host_in_packets)" 0
	in_ns r nft delete table netdev x
	is "nft: the table goes, and so does its entry" "$(sim_count_entries)" 0
	ok "nft: then there is a connection" \
		in_ns a socat -u OPEN:/dev/null TCP:10.2.0.2:7200
	kill %%
	sink_up
}

nft_accept() {
	local before
	before=$(sunk)
	ok "nft: an accept rule" nft_chain 1 "$from_to udp dport 7102 accept"
	datagrams a 10.2.0.2 7102 7
	became "nft: the NIC leaves them to the host" lan hits=7 rule_accepts=7 \
		host_in_packets=7 misses=0
	eventually "nft: they arrive through the host" 10 sunk_is $((before + 7))
}

nft_fwd() {
	local before
	before=$(sunk)
	ok "nft: a fwd rule" nft_chain 1 \
		"$from_to udp dport 7103 counter fwd to \"wan\"" \
		"ip saddr 10.1.0.2 udp dport 7104 drop" \
		"ip daddr 10.2.0.2 udp dport 7105 accept"
	is "nft: three rules are in the NIC" "$(sim_count_entries)" 3
	datagrams a 10.2.0.2 7103 9
	became "nft: the NIC forwards" lan hits=9 forwarded_packets=9 \
		host_in_packets=0
	became "nft: to the other wire" wan wire_out_packets=9 host_out_packets=0
	eventually "nft: they arrive" 10 sunk_is $((before + 9))
	datagrams a 10.2.0.2 7104 3
	became "nft: the second rule works" lan rule_drops=3 host_in_packets=0
	datagrams a 10.2.0.2 7105 3
	became "nft: and the third" lan rule_accepts=3 host_in_packets=3
	in_ns r nft delete rule netdev x c handle "$(in_ns r nft -a list chain \
		netdev x c | sed -n 's/.*7104 drop # handle //p')"
	is "nft: a rule is deleted" "$(sim_count_entries)" 2
	in_ns r nft delete table netdev x
	is "nft: the table goes" "$(sim_count_entries)" 0
}

nft_refusals() {
	refuses "nft: a set cannot be offloaded" "Operation not supported" \
		nft_chain 1 "ip saddr { 10.1.0.2, 10.1.0.3 } drop"
	refuses "nft: TCP flags cannot be offloaded" "Operation not supported" \
		nft_chain 1 "$from_to tcp flags fin drop"
	refuses "nft: priority 0 cannot be offloaded" . \
		nft_chain 0 "$from_to udp dport 7100 drop"
	refuses "nft: the NIC refuses priority 20" "Operation not supported" \
		nft_chain 20 "$from_to udp dport 7100 drop"
	has "nft: and says why in its log" "$(refusal call=replace)" \
		"class=tc errno=EOPNOTSUPP why=the priority is beyond"
	refuses "nft: a device of somebody else's" "Operation not supported" \
		nft_chain 1 "$from_to udp dport 7100 fwd to \"lo\""
	has "nft: and says why in its log" "$(refusal call=replace)" \
		"why=the egress device is not on the same switch"
	is "nft: nothing of that is in the NIC" "$(sim_count_entries)" 0
}

nft_flower() {
	refuses "nft, profile flower: accept" "Operation not supported" \
		nft_chain 1 "$from_to udp dport 7100 accept"
	has "nft, profile flower: why" "$(refusal call=replace)" \
		"why=accept is not an action of the hardware"
	ok "nft, profile flower: drop" nft_chain 1 "$from_to udp dport 7100 drop"
	datagrams a 10.2.0.2 7100 5
	became "nft, profile flower: the NIC drops" lan rule_drops=5 \
		host_in_packets=0
	in_ns r nft delete table netdev x
	is "nft, profile flower: nothing stays" "$(sim_count_entries)" 0
}

nft_mtk() {
	refuses "nft, profile mtk: drop" "Operation not supported" \
		nft_chain 1 "$from_to udp dport 7100 drop"
	has "nft, profile mtk: why" "$(refusal call=replace)" \
		"why=the rule does not name its ingress port"
	refuses "nft, profile mtk: with its port" "Operation not supported" \
		nft_chain 1 "iif lan $from_to udp dport 7100 drop"
	has "nft, profile mtk: why" "$(refusal call=replace)" \
		"why=an action that the packet engine does not have"
	refuses "nft, profile mtk: fwd" "Invalid argument" \
		nft_chain 1 "iif lan $from_to udp dport 7100 fwd to \"wan\""
	has "nft, profile mtk: why" "$(refusal call=replace)" \
		"why=a MAC address is missing or not unicast"
	is "nft, profile mtk: nothing is in the NIC" "$(sim_count_entries)" 0
}

# --- all of it ---

ok "the module loads" sim_load

start mlx5-rep
tc_drop
tc_forward "$(sunk)"
tc_refusals
tc_block
tc_switched_off 0
nft_drop
nft_accept
nft_fwd
nft_tcp
nft_refusals
topo_down

start flower
nft_flower
tc_switched_off 1
topo_down

start mtk
nft_mtk
topo_down

start none
tc -n r qdisc add dev lan clsact
refuses "tc, profile none" . flower skip_sw ip_proto udp action drop
refuses "nft, profile none" "Operation not supported" \
	nft_chain 1 "$from_to udp dport 7100 drop"
topo_down

ok "the module goes" rmmod nft_offload_sim
finish
