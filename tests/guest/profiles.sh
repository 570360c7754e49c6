#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What each driver family takes and refuses, with its errnos, and how its
# hardware behaves: late binding, ageing, statistics, TTL.

# shellcheck disable=SC2119,SC2317
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# --- tc ---

rule() {
	local dev=$1
	shift
	in_ns r tc filter add dev "$dev" ingress "$@"
}

# In the shell itself, without a process: this is called a hundred times.
entry_count() {
	local key value
	while IFS="=" read -r key value; do
		[[ $key != entries ]] || REPLY=$value
	done <"$SIM/sim0/adapter"
}

# takes TEXT DEVICE RULE...
takes() {
	local text=$1 before out
	shift
	entry_count
	before=$REPLY
	if ! out=$(rule "$@" 2>&1); then
		fail "takes $text" "failed: $*" "$out"
		return
	fi
	entry_count
	if ((REPLY == before + 1)); then
		pass "takes $text"
	else
		fail "takes $text" "entries: $before, then $REPLY" "$(sim_entries)"
	fi
}

# refuses TEXT ERRNO SENTENCE DEVICE RULE...: skip_sw, so that tc says it too
refuses() {
	local text=$1 errno=$2 why=$3 old new out i last=none
	local wanted="call=replace port=[0-9]+ class=tc .*errno=$errno .*why=$3\$"
	shift 3
	mapfile -t old <"$SIM/sim0/refusals"
	((${#old[@]} == 0)) || last=${old[-1]%% *}
	if out=$(rule "$@" 2>&1); then
		fail "refuses $text" "was accepted: $*"
		return
	fi
	if [[ $out != *"Error: $why."* ]]; then
		fail "refuses $text" "tc says: $out" "wanted: $why"
		return
	fi
	mapfile -t new <"$SIM/sim0/refusals"
	for ((i = ${#new[@]} - 1; i >= 0; i--)); do
		[[ ${new[i]} != "$last "* ]] || break
		if [[ ${new[i]} =~ $wanted ]]; then
			pass "refuses $text: $errno, $why"
			return
		fi
	done
	fail "refuses $text" "wanted: $errno $why" "${new[@]: -5}"
}

no_rules() {
	in_ns r tc qdisc del dev "$1" ingress
	in_ns r tc qdisc add dev "$1" ingress
}

# told DEVICE: what the hardware has told tc, packets of the first rule
told() {
	in_ns r tc -s filter show dev "$1" ingress |
		sed -n 's/.*Sent hardware [0-9]* bytes \([0-9]*\) pkt.*/\1/p; $a 0' | head -n1
}

told_is() {
	[[ $(told "$1") == "$2" ]]
}

# in_entry PATTERN KEY: of the first entry that matches the pattern
in_entry() {
	sim_entries | grep -E -- "$1" | head -n1 | sed "s/.* $2=\([^ ]*\).*/\1/"
}

entry_is() {
	[[ $(in_entry "$1" "$2") == "$3" ]]
}

# second_flowtable: on a device that has one
second_flowtable() {
	in_ns r nft 'add table inet t2; add flowtable inet t2 f {
		hook ingress priority 0; devices = { lan }; flags offload; }'
}

# unknown_cookies ERRNO: of a rule that is in software only
unknown_cookies() {
	ok "a rule that hardware refuses is kept in software" \
		rule lan prio 9 protocol all flower action goto chain 2
	has "it is not in hardware" \
		"$(in_ns r tc filter show dev lan ingress prio 9)" not_in_hw
	has "STATS of an unknown cookie: $1" "$(refusal call=stats)" \
		"call=stats port=0 class=tc errno=$1 "
	in_ns r tc filter del dev lan ingress prio 9
	has "DESTROY of one: $1" "$(refusal call=destroy)" \
		"call=destroy port=0 class=tc errno=$1 "
}

# shared_block RULE...: both ports are offered one cookie
shared_block() {
	in_ns r tc qdisc del dev lan ingress
	in_ns r tc qdisc del dev wan ingress 2>/dev/null
	in_ns r tc qdisc add dev lan ingress_block 7 ingress
	in_ns r tc qdisc add dev wan ingress_block 7 ingress
	in_ns r tc filter add block 7 prio 1 "$@"
}

unshare_block() {
	in_ns r tc qdisc del dev lan ingress_block 7 ingress
	in_ns r tc qdisc del dev wan ingress_block 7 ingress
	in_ns r tc qdisc add dev lan ingress
}

sim_load

# --- mlx5-rep ---

note "mlx5-rep"
topo_up mlx5-rep || fail "topology"
sink_up
in_ns r ip link add dummy0 type dummy
drop="action drop"
udp="protocol ip flower skip_sw ip_proto udp"
tcp="protocol ip flower skip_sw ip_proto tcp"

ok "mlx5-rep takes a flowtable" ft_rules "table inet count {
	counter fin { }
	chain f { type filter hook forward priority -10
		tcp flags & fin == fin counter name fin
	}
}"
has "and no second one on the same port" "$(second_flowtable 2>&1)" "Device or resource busy"
is "its refusal" "$(refusal call=bind)" \
	"call=bind port=0 class=ft errno=EBUSY why=the port is bound to a block already"
has "blocks" "$(head -n1 "$SIM/sim0/ports")" "tc_blocks=0 ft_blocks=1"

flow_open f a udp 10.2.0.2 7001
flow_step f 2
eventually "two packets through the host offload a flow" 10 entries_are 2
is "bound at once" "$(sim_entries | grep -c state=bound)" 2
eventually "the packets arrived" 10 sunk_is 2
is "with the TTL that a router leaves" "$(sunk ttl63)" 2
flow_send f 10
eventually "ten through hardware arrive" 10 sunk_is 12
is "with the TTL they were sent with" "$(sunk ttl64)" 10
is "hits" "$(ctr lan hits)" 10
has "the other port refused it" "$(refusal "call=replace port=1")" \
	"call=replace port=1 class=ft errno=EOPNOTSUPP why=the ingress port is not the one asked"
flow_close f

in_ns b socat -u TCP4-LISTEN:5000,fork,reuseaddr OPEN:/dev/null &
poll 10 listening b 5000 tcp
flow_open t a tcp 10.2.0.2 5000
flow_send t 3
eventually "a TCP flow is offloaded" 10 entries_are 4
has "its FIN and RST are matched" "$(sim_entries | grep ip_proto=6)" "tcp_flags=0x0/0x5"
fin_seen() {
	in_ns r nft list counter inet count fin | grep -q 'packets [1-9]'
}
flow_close t
eventually "FIN comes to the host" 10 fin_seen
ok "the flows end" flows_end
has "DESTROY at the other port" "$(refusal "call=destroy port=1")" \
	"call=destroy port=1 class=ft errno=EINVAL"
in_ns r nft flush ruleset

in_ns r tc qdisc add dev lan clsact 2>/dev/null
has "tc's block is taken" "$(head -n1 "$SIM/sim0/ports")" "tc_blocks=1 ft_blocks=0"
has "its egress is not" "$(refusal call=bind)" \
	"call=bind port=0 class=tc errno=EOPNOTSUPP why=only ingress blocks are offloaded"
in_ns r tc qdisc del dev lan clsact
in_ns r tc qdisc add dev lan ingress
# shellcheck disable=SC2086
{
	takes "drop" lan prio 1 $udp dst_port 7100 $drop
	takes "accept" lan prio 1 $udp dst_port 7101 action ok
	takes "TCP flags" lan prio 2 $tcp tcp_flags 0x0/0x5 $drop
	takes "its own port by name" lan prio 3 $udp indev lan dst_port 7100 $drop
	takes "priority 16" lan prio 16 $udp dst_port 7102 $drop
	takes "an ARP rule" lan prio 4 protocol arp flower skip_sw $drop
	takes "everything" lan prio 5 protocol all flower skip_sw $drop
	takes "a redirect with rewrites" lan prio 6 $udp dst_port 7103 \
		action pedit ex munge ip src set 1.2.3.4 munge udp dport set 9 pipe \
		action csum ip and udp pipe action mirred egress redirect dev wan
	takes "two tags" lan prio 7 $udp dst_port 7104 \
		action vlan push id 5 pipe action vlan push id 6 protocol 802.1ad pipe \
		action mirred egress redirect dev wan
	takes "IPv6 rewrites" lan prio 8 protocol ipv6 flower skip_sw ip_proto udp \
		action pedit ex munge ip6 dst set fd09::1 pipe \
		action mirred egress redirect dev wan

	refuses "another ingress port" EOPNOTSUPP "the ingress port is not the one asked" \
		lan prio 3 $udp indev wan dst_port 7100 $drop
	refuses "tc's default priority" EOPNOTSUPP \
		"the priority is beyond the hardware's range" lan $udp dst_port 7105 $drop
	refuses "priority 17" EOPNOTSUPP \
		"the priority is beyond the hardware's range" lan prio 17 $udp dst_port 7105 $drop
	refuses "chain 1" EOPNOTSUPP "only chain 0 is offloaded" \
		lan prio 1 chain 1 $udp dst_port 7105 $drop
	refuses "the same match twice" EEXIST "another rule has the same match" \
		lan prio 1 $udp indev lan dst_port 7100 $drop
	key="the match has a key that the hardware does not know"
	refuses "a tunnel key" EOPNOTSUPP "$key" lan prio 9 protocol ip flower skip_sw enc_key_id 5 $drop
	refuses "ct_state" EOPNOTSUPP "$key" lan prio 10 protocol ip flower skip_sw ct_state +trk $drop
	refuses "fragments" EOPNOTSUPP "fragment flags cannot be matched" \
		lan prio 9 protocol ip flower skip_sw ip_flags frag $drop
	refuses "ports of SCTP" EINVAL "ports can be matched for TCP and UDP only" \
		lan prio 9 protocol ip flower skip_sw ip_proto sctp dst_port 5 $drop
	refuses "goto" EOPNOTSUPP "an action that the hardware does not have" \
		lan prio 9 $udp dst_port 7105 action goto chain 2
	refuses "a foreign device" EOPNOTSUPP "the egress device is not on the same switch" \
		lan prio 9 $udp dst_port 7105 action mirred egress redirect dev dummy0
	refuses "itself" EOPNOTSUPP "a port cannot forward to itself" \
		lan prio 9 $udp dst_port 7105 action mirred egress redirect dev lan
	refuses "a mirror to elsewhere" EOPNOTSUPP "the mirror's device is not on the same switch" \
		lan prio 9 $udp dst_port 7105 action mirred egress mirror dev dummy0 pipe $drop
	refuses "no destination" EOPNOTSUPP "the rule has no destination" \
		lan prio 9 $udp dst_port 7105 action pedit ex munge udp dport set 9 pipe
	refuses "a checksum alone" EOPNOTSUPP "checksums are updated with rewrites only" \
		lan prio 9 $udp dst_port 7105 action csum ip pipe $drop
	refuses "three tags" EOPNOTSUPP "more than two tags" lan prio 9 $udp dst_port 7105 \
		action vlan push id 5 pipe action vlan push id 6 pipe action vlan push id 7 pipe $drop
	refuses "a rewrite twice" EOPNOTSUPP "a field is rewritten twice" lan prio 9 $udp dst_port 7105 \
		action pedit ex munge ip src set 1.2.3.4 munge ip src set 1.2.3.5 pipe $drop
	refuses "another field" EOPNOTSUPP "a field that cannot be rewritten" lan prio 9 $udp dst_port 7105 \
		action pedit ex munge ip protocol set 6 pipe $drop
	refuses "rewriting GRE" EOPNOTSUPP "IP can be rewritten for TCP, UDP and ICMP only" \
		lan prio 9 protocol ip flower skip_sw ip_proto 47 \
		action pedit ex munge ip src set 1.2.3.4 pipe $drop
	refuses "no statistics" EOPNOTSUPP "this type of hardware statistics is not supported" \
		lan prio 9 $udp dst_port 7105 $drop hw_stats disabled
	knob prio_range 2
	refuses "priority 3 of 2" EOPNOTSUPP \
		"the priority is beyond the hardware's range" lan prio 3 $udp dst_port 7105 $drop
	knob prio_range 0
	takes "any priority when there is no range" lan prio 60000 $udp dst_port 7105 $drop
	no_rules lan
	is "no rules, no entries" "$(sim_count_entries)" 0

	knob capacity 2
	takes "one" lan prio 1 $udp dst_port 7110 $drop
	takes "two" lan prio 1 $udp dst_port 7111 $drop
	refuses "a third" ENOSPC "the flow table is full" lan prio 1 $udp dst_port 7112 $drop
	in_ns r tc filter del dev lan ingress prio 1
	takes "one in a table that was full" lan prio 1 $udp dst_port 7112 $drop
	knob capacity 1000
	no_rules lan
	unknown_cookies EINVAL

	takes "a rule to lose" lan prio 1 $udp dst_port 7110 $drop
	knob reset 1
	is "reset loses the table" "$(sim_count_entries)" 0
	in_ns r tc filter del dev lan ingress prio 1
	has "DESTROY of what was lost" "$(refusal call=destroy)" \
		"call=destroy port=0 class=tc errno=EINVAL why=$"

	takes "a rule before offload goes off" lan prio 1 $udp dst_port 7110 $drop
	in_ns r ethtool -K lan hw-tc-offload off
	refuses "any with offload off" EOPNOTSUPP "hw-tc-offload is off" \
		lan prio 2 $udp dst_port 7111 $drop
	in_ns r tc filter del dev lan ingress prio 1
	is "DESTROY is taken" "$(sim_count_entries)" 0
	in_ns r ethtool -K lan hw-tc-offload on

	ok "one cookie for two ports" shared_block $udp dst_port 7110 $drop
	is "is two entries" "$(sim_count_entries)" 2
	is "of one cookie" "$(sim_entries | sed 's/ .*//' | sort -u | wc -l)" 1
	unshare_block

	# Statistics come from a cache that is filled once a second.
	takes "a rule to count" lan prio 1 $udp dst_port 7120 $drop
	flow_open f a udp 10.2.0.2 7120
	knob stats_ms 3600000
	flow_send f 5
	eventually "five hits" 10 entry_is dport=7120 packets 5
	is "not told yet" "$(told lan)" 0
	knob stats_ms 1000
	flow_send f 5
	eventually "told within the next second" 10 told_is lan 10
	knob stats_ms 0
	flow_send f 5
	eventually "five more" 10 entry_is dport=7120 packets 15
	is "told at once without the cache" "$(told lan)" 15
	knob stats_ms 1000

	# Without a VLAN key only untagged frames match.
	in_ns a ip link add link lanw name v5 type vlan id 5
	in_ns a ip addr add 10.5.0.2/24 dev v5
	in_ns a ip link set v5 up
	in_ns a ip neigh add 10.5.0.1 dev v5 lladdr "$(in_ns r cat /sys/class/net/lan/address 2>/dev/null ||
		in_ns r ip -o link show lan | sed 's/.*ether \([^ ]*\).*/\1/')"
	takes "one with a VLAN key" lan prio 2 protocol 802.1q flower skip_sw vlan_id 5 \
		vlan_ethtype ip ip_proto udp dst_port 7121 $drop
	flow_open v20 a udp 10.5.0.1 7120
	flow_open v21 a udp 10.5.0.1 7121
	misses=$(ctr lan misses)
	flow_send v20 4
	flow_send v21 6
	eventually "tagged frames hit the rule with the tag" 10 \
		entry_is vlan_tci=5 packets 6
	missed() {
		(($(ctr lan misses) >= misses + 4))
	}
	eventually "others go to the host" 10 missed
	is "and not to the rule without" "$(in_entry untagged packets)" 15
	no_rules lan
}
topo_down

# --- the packet engines ---

macs="action pedit ex munge eth dst set 02:00:00:00:00:01 munge eth src set 02:00:00:00:00:02 pipe"
flow4="protocol ip flower skip_sw indev lan ip_proto udp src_ip 10.1.0.2 dst_ip 10.2.0.2"
flow6="protocol ipv6 flower skip_sw indev lan ip_proto udp src_ip fd01::2 dst_ip fd02::2"
out="action mirred egress redirect dev wan"

# engine ERRNO SENTENCE: whatever the two engines have in common. The errno is
# that of a foreign device, the sentence that of one in a rule without ports.
# Leaves an entry behind.
# shellcheck disable=SC2086
engine() {
	knob bind_rate 30
	ok "takes a flowtable" ft_rules ""
	ok "and a second one on the same device" second_flowtable
	has "two blocks" "$(head -n1 "$SIM/sim0/ports")" "ft_blocks=2"
	in_ns r nft delete table inet t2
	has "one is left" "$(head -n1 "$SIM/sim0/ports")" "ft_blocks=1"
	in_ns r nft flush ruleset

	in_ns r ip link add dummy0 type dummy
	takes "a 5-tuple" lan prio 1 $flow4 src_port 1 dst_port 2 $macs $out
	takes "any priority" lan $flow4 src_port 1 dst_port 3 $macs $out
	takes "IPv4 NAT" lan prio 1 $flow4 src_port 1 dst_port 4 $macs \
		action pedit ex munge ip src set 1.2.3.4 munge udp sport set 9 pipe $out
	takes "IPv6" lan prio 2 $flow6 src_port 1 dst_port 2 $macs $out
	takes "two tags" lan prio 1 $flow4 src_port 1 dst_port 5 $macs \
		action vlan push id 5 pipe action vlan push id 6 pipe $out
	takes "keys it does not look at" lan prio 3 $flow4 ct_state +trk \
		src_port 1 dst_port 6 $macs $out
	is "nothing is bound" "$(sim_entries | grep -c state=unbound)" 6

	refuses "no ingress port" EOPNOTSUPP "the rule does not name its ingress port" \
		lan prio 1 ${flow4/indev lan/} src_port 1 dst_port 9 $macs $out
	refuses "no addresses" EOPNOTSUPP "only IPv4 and IPv6 flows are offloaded" \
		lan prio 4 $udp indev lan dst_port 9 $macs $out
	refuses "fragments" EOPNOTSUPP "fragment flags cannot be matched" \
		lan prio 4 $flow4 ip_flags nofrag src_port 1 dst_port 9 $macs $out
	refuses "no MAC addresses" EINVAL "a MAC address is missing or not unicast" \
		lan prio 1 $flow4 src_port 1 dst_port 9 $out
	refuses "a multicast MAC address" EINVAL "a MAC address is missing or not unicast" \
		lan prio 1 $flow4 src_port 1 dst_port 9 ${macs/set 02/set 03} $out
	refuses "no ports" EOPNOTSUPP "the rule has no ports" lan prio 5 $flow4 $macs $out
	refuses "GRE" EOPNOTSUPP "the rule has no ports" \
		lan prio 5 ${flow4/udp/47} $macs $out
	refuses "IPv6 NAT" EOPNOTSUPP "IPv6 headers cannot be rewritten" \
		lan prio 2 $flow6 src_port 1 dst_port 9 $macs \
		action pedit ex munge ip6 src set fd09::1 pipe $out
	refuses "the DSCP field" EINVAL "of IPv4 only addresses can be rewritten" \
		lan prio 1 $flow4 src_port 1 dst_port 9 $macs \
		action pedit ex munge ip tos set 8 pipe $out
	refuses "the TCP flags" EINVAL "only the ports of L4 can be rewritten" \
		lan prio 6 ${flow4/udp/tcp} src_port 1 dst_port 9 $macs \
		action pedit ex munge tcp flags set 1 pipe $out
	refuses "802.1ad" EOPNOTSUPP "only 802.1Q tags can be pushed" \
		lan prio 1 $flow4 src_port 1 dst_port 9 $macs \
		action vlan push id 5 protocol 802.1ad pipe $out
	refuses "three tags" EOPNOTSUPP "more than two tags" \
		lan prio 1 $flow4 src_port 1 dst_port 9 $macs action vlan push id 5 pipe \
		action vlan push id 6 pipe action vlan push id 7 pipe $out
	for what in drop ok "mirred egress mirror dev wan"; do
		refuses "$what" EOPNOTSUPP "an action that the packet engine does not have" \
			lan prio 1 $flow4 src_port 1 dst_port 9 $macs action $what
	done
	refuses "a foreign device" "$1" "the egress device is not a port of this adapter" \
		lan prio 1 $flow4 src_port 1 dst_port 9 $macs \
		action mirred egress redirect dev dummy0
	refuses "a foreign device without ports" "$1" "$2" \
		lan prio 5 $flow4 $macs action mirred egress redirect dev dummy0
	no_rules lan
	unknown_cookies ENOENT

	if shared_block $flow4 src_port 1 dst_port 2 $macs $out 2>/dev/null; then
		fail "one cookie for two ports"
	else
		has "one cookie for two ports" "$(refusal call=replace)" \
			"call=replace port=[01] class=tc errno=EEXIST why=a rule with this cookie is in the table already"
	fi
	is "leaves nothing" "$(sim_count_entries)" 0
	unshare_block

	takes "a rule before offload goes off" lan prio 1 $flow4 src_port 1 dst_port 2 $macs $out
	in_ns r ethtool -K lan hw-tc-offload off
	refuses "any with offload off" EOPNOTSUPP "hw-tc-offload is off" \
		lan prio 1 $flow4 src_port 1 dst_port 3 $macs $out
	in_ns r tc -s filter show dev lan ingress >/dev/null
	has "STATS too" "$(refusal call=stats)" "errno=EOPNOTSUPP why=hw-tc-offload is off"
	in_ns r tc filter del dev lan ingress prio 1
	has "DESTROY too" "$(refusal call=destroy)" "errno=EOPNOTSUPP why=hw-tc-offload is off"
	is "the entry stays" "$(sim_count_entries)" 1
	in_ns r ethtool -K lan hw-tc-offload on
}

# counted WANTED: hits before and after a reset, as tc adds them up
# shellcheck disable=SC2086
counted() {
	local dst src
	dst=$(ip -n b -o link show wanw | sed 's/.*ether \([^ ]*\).*/\1/')
	src=$(ip -n r -o link show wan | sed 's/.*ether \([^ ]*\).*/\1/')
	knob bind_rate 0
	takes "a rule for traffic" lan prio 1 $flow4 dst_port 7400 \
		action pedit ex munge eth dst set $dst munge eth src set $src pipe $out
	is "bound at once when there is no rate" "$(in_entry dport=7400 state)" bound
	flow_open c a udp 10.2.0.2 7400
	flow_send c 10
	eventually "ten hits" 10 entry_is dport=7400 packets 10
	eventually "they arrive" 10 sunk_is 10
	is "with the TTL decremented by the hardware" "$(sunk ttl63)" 10
	is "told at once" "$(told lan)" 10
	knob reset 1
	is "unbound by a reset" "$(in_entry dport=7400 state)" unbound
	flow_send c 1
	eventually "a packet binds it again, and is the host's" 10 \
		entry_is dport=7400 state bound
	flow_send c 3
	eventually "three hits" 10 entry_is dport=7400 packets 3
	is "told after the reset" "$(told lan)" "$1"
	flow_close c
	no_rules lan
}

for profile in airoha mtk; do
	note "$profile"
	topo_up $profile || fail "topology"
	sink_up
	in_ns r tc qdisc add dev lan ingress
	# Airoha's driver remembers what it told before the entry was bound anew.
	if [[ $profile == airoha ]]; then
		counted 3
		engine EINVAL "the egress device is not a port of this adapter"
		topo_down
	else
		counted 13
	fi
done

# --- late binding and ageing, with the kernel's flowtable (mtk) ---

note "late binding"
knob bind_rate 30
ft_rules ""
before=$(sunk)
arrived() {
	sunk_is $((before + $1))
}
punted=$(ctr lan punt_unbound)
punts_are() {
	(($(ctr lan punt_unbound) - punted == $1))
}
flow_open f a udp 10.2.0.2 7001
flow_step f 2
eventually "a flow is accepted" 10 entries_are 2
is "and not bound" "$(sim_entries | grep -c state=unbound)" 2
same_cookie() {
	[[ $(refusal "call=replace.*class=ft") == *"$1" ]]
}
eventually "its second offer is the same cookie" 10 same_cookie \
	"class=ft errno=EEXIST why=a rule with this cookie is in the table already"
flow_send f 20
eventually "twenty packets go to the host" 10 punts_are 20
eventually "and arrive" 10 arrived 22
is "still not bound" "$(in_entry dport=7001 state)" unbound
fast() {
	flow_send f 100
	poll 1 entry_is dport=7001 state bound
}
eventually "a fast flow binds" 15 fast
is "its other direction does not" "$(in_entry sport=7001 state)" unbound
settled() {
	local was
	was=$(ctr lan wire_in_packets)
	poll 1 false || [[ $(ctr lan wire_in_packets) == "$was" ]]
}
poll 10 settled
punted=$(ctr lan punt_unbound) hits=$(ctr lan hits)
flow_send f 10
more_hits() {
	(($(ctr lan hits) - hits == 10))
}
eventually "then packets are the hardware's" 10 more_hits
ok "and not the host's" punts_are 0

knob capacity 1
flow_open g a udp 10.2.0.2 7002
flow_step g 2
eventually "a flow too many is accepted" 10 entries_are 4
flow_send g 200
all_punted() {
	(($(ctr lan punt_unbound) - punted >= 200))
}
eventually "its packets go to the host" 10 all_punted
is "it never binds" "$(in_entry dport=7002 state)" unbound
is "nobody is told" "$(grep -c ENOSPC "$SIM/sim0/refusals")" 0
knob capacity 1000
flow_close g

knob reset 1
is "a reset keeps the entries" "$(sim_count_entries)" 4
is "unbound" "$(sim_entries | grep -c state=unbound)" 4
eventually "and they bind again" 15 fast
flow_close f

# More than a second between bursts below the rate; the loop only makes sure of it.
flow_open s a udp 10.2.0.2 7003
flow_step s 2
eventually "a slow flow is accepted" 10 entries_are 6
for i in 1 2 3; do
	punted=$(ctr lan punt_unbound)
	flow_send s 20
	eventually "burst $i goes to the host" 10 punts_are 20
	poll 1 false
	poll 1 false
done
is "the slow flow is not bound" "$(in_entry dport=7003 state)" unbound
flow_close s

idle=$(in_entry dport=7001 idle_ms)
eventually "the fast one ages by itself after 12 s (idle now: $idle ms)" 20 \
	entry_is dport=7001 state unbound
num "not earlier" "$(in_entry dport=7001 idle_ms)" -ge 12000
num "it is counted" "$(ctr lan aged)" -ge 1
ok "the flows end" flows_end
has "DESTROY is offered twice" "$(refusal "call=destroy")" "class=ft errno=ENOENT"
in_ns r nft flush ruleset

note "mtk's rules"
engine EOPNOTSUPP "the rule has no ports"
topo_down

# --- flower ---

note "flower"
topo_up flower || fail "topology"
sink_up
has "flower takes no flowtable" "$(ft_rules "" 2>&1)" "Operation not supported"
has "nor a part of one" "$(<"$SIM/sim0/ports")" "ft_blocks=0"
in_ns r ip link add dummy0 type dummy
in_ns r tc qdisc add dev lan ingress
dst=$(ip -n b -o link show wanw | sed 's/.*ether \([^ ]*\).*/\1/')
# shellcheck disable=SC2086
{
	takes "drop" lan $udp dst_port 7100 $drop
	takes "a redirect with MAC, TTL and checksum" lan prio 1 $udp dst_port 7101 \
		action pedit ex munge eth dst set $dst munge ip ttl add 255 pipe \
		action csum ip pipe action mirred egress redirect dev wan
	takes "a tagged packet's tag" lan prio 2 protocol 802.1q flower skip_sw vlan_id 5 \
		vlan_ethtype ip $drop
	flow_open f a udp 10.2.0.2 7101
	flow_open d a udp 10.2.0.2 7100
	flow_send f 8
	flow_send d 8
	eventually "redirected packets arrive" 10 sunk_is 8
	is "with the TTL decremented by the rule" "$(sunk ttl63)" 8
	eventually "others are dropped" 10 entry_is dport=7100 packets 8
	is "in hardware" "$(ctr lan rule_drops)" 8
	is "none arrived" "$(sunk)" 8

	refuses "an ingress port" EOPNOTSUPP "$key" lan prio 3 $udp indev lan dst_port 9 $drop
	refuses "TCP flags" EOPNOTSUPP "$key" lan prio 3 $tcp tcp_flags 0x0/0x5 $drop
	refuses "accept" EOPNOTSUPP "accept is not an action of the hardware" \
		lan prio 3 $udp dst_port 9 action ok
	refuses "all protocols" EOPNOTSUPP "the EtherType must be matched exactly" \
		lan prio 4 protocol all flower skip_sw $drop
	refuses "another addition" EOPNOTSUPP "only -1 can be added, and only to the TTL" \
		lan prio 3 $udp dst_port 9 action pedit ex munge ip ttl add 254 pipe \
		action mirred egress redirect dev wan
	refuses "a foreign device" EOPNOTSUPP "the egress device is not on the same switch" \
		lan prio 3 $udp dst_port 9 action mirred egress redirect dev dummy0
	no_rules lan
	unknown_cookies EINVAL

	takes "a rule before offload goes off" lan prio 1 $udp dst_port 7110 $drop
	in_ns r ethtool -K lan hw-tc-offload off
	in_ns r tc filter del dev lan ingress prio 1
	has "then it refuses DESTROY" "$(refusal call=destroy)" "errno=EOPNOTSUPP why=hw-tc-offload is off"
	is "the entry stays" "$(sim_count_entries)" 1
}
topo_down

# --- NICs of tc flower that are not right ---

# flower_up PROFILE: lan has its rules, $dst is where wan leads to, $out the rest
# of a rule that sends packets there
flower_up() {
	note "$1"
	topo_up "$1" || fail "topology"
	sink_up
	in_ns r tc qdisc add dev lan ingress
	dst=$(mac_at b wanw)
	out="action mirred egress redirect dev wan"
}

mac_at() {
	ip -n "$1" -br link show "$2" | awk '{ print $3 }'
}

ttl_add="action pedit ex munge ip ttl add 255 pipe action csum ip pipe"
# shellcheck disable=SC2086
{
	flower_up nfp
	is "nfp: the driver's name" "$(in_ns r ethtool -i lan | sed -n 's/^driver: //p')" nfp
	refuses "adding to the TTL" EOPNOTSUPP "nothing can be added to a field" \
		lan prio 1 $udp dst_port 7100 $ttl_add $out
	refuses "setting the TTL unseen" EOPNOTSUPP "the TTL can be set only where it is matched" \
		lan prio 1 $udp dst_port 7100 action pedit ex munge ip ttl set 63 pipe \
		action csum ip pipe $out
	takes "setting it where it is matched" lan prio 1 $udp ip_ttl 64 dst_port 7100 \
		action pedit ex munge eth dst set $dst munge ip ttl set 63 pipe \
		action csum ip pipe $out
	refuses "a rewrite without its checksums" EOPNOTSUPP \
		"the checksums to update are not those that change" \
		lan prio 2 $udp dst_port 7101 action pedit ex munge ip dst set 10.2.0.2 pipe \
		action csum ip pipe $out
	takes "a rewrite with them" lan prio 2 $udp dst_port 7101 \
		action pedit ex munge ip dst set 10.2.0.2 pipe action csum ip and udp pipe $out
	flow_open n a udp 10.2.0.2 7100
	flow_send n 4
	eventually "its packets arrive" 10 sunk_is 4
	is "with the TTL that was set" "$(sunk ttl63)" 4
	is "by the hardware" "$(ctr lan hits)" 4
	knob capacity 2
	refuses "more than there is room for" ENOENT "the flow table is full" \
		lan prio 3 $udp dst_port 7102 $drop
	flow_close n
	topo_down

	flower_up cxgb4
	refuses "adding to the TTL" EOPNOTSUPP "the filter has no such action" \
		lan prio 1 $udp dst_port 7100 $ttl_add $out
	takes "MAC and address without checksums" lan prio 1 $udp dst_port 7100 \
		action pedit ex munge eth dst set $dst munge ip dst set 10.2.0.2 pipe $out
	takes "two tags" lan prio 2 $udp dst_port 7101 \
		action vlan push id 8 pipe action vlan push id 7 pipe $out
	is "of which the last one is pushed" \
		"$(sim_entries | grep dport=7101 | grep -o 'vlan_push=[^ ]*' | tr '\n' ' ')" \
		"vlan_push=0x8100/7 "
	refuses "MAC addresses in the match" EOPNOTSUPP "$key" \
		lan prio 3 $udp dst_mac $dst dst_port 9 $drop
	knob capacity 2
	refuses "more than there is room for" ENOMEM "the flow table is full" \
		lan prio 3 $udp dst_port 7102 $drop
	is "tc calls with RTNL" "$(ctr lan unlocked_calls)" 0
	topo_down

	flower_up bnxt
	takes "what it does otherwise" lan prio 1 $udp dst_port 7100 \
		action pedit ex munge eth dst set $dst munge ip ttl add 255 \
		munge ip src set 10.9.0.1 munge ip dst set 10.2.0.2 munge udp dport set 7999 pipe \
		action csum ip and udp pipe $out
	is "the last address is rewritten, no port, the MAC becomes 0" \
		"$(sim_entries | sed 's/.*dport=7100//' | grep -cE 'ttl|l4')" 0
	flow_open b a udp 10.2.0.2 7100
	flow_send b 4
	hits_are() {
		[[ $(ctr lan hits) == "$1" ]]
	}
	eventually "it forwards packets" 10 hits_are 4
	is "which arrive nowhere" "$(sunk)" 0
	flow_close b
	unknown_cookies EPERM
	topo_down

	flower_up stmmac
	flow_open s a udp 10.2.0.2 7101
	flow_step s 3 && pass "without rules packets come through"
	takes "a redirect" lan prio 1 $udp dst_port 7100 $out
	flow_send s 3
	filtered() {
		[[ $(ctr lan drop_filter) == "$1" ]]
	}
	eventually "then what no rule takes is dropped" 10 filtered 3
	is "and none of it comes through" "$(sunk)" 3
	flow_open t a udp 10.2.0.2 7100
	flow_send t 3
	eventually "what the rule takes goes to the host" 10 sunk_is 6
	ok "what has no ports comes through" in_ns a ping -qc1 -W5 10.2.0.2
	refuses "IPv6" EOPNOTSUPP "only IPv4 can be filtered" \
		lan prio 2 protocol ipv6 flower skip_sw ip_proto udp dst_port 9 $drop
	in_ns r tc filter del dev lan ingress prio 1
	flow_step s 2 && pass "without the rule they come through again"
	flow_close s
	flow_close t
	topo_down

	flower_up ice
	refuses "a rewrite" EOPNOTSUPP "packets cannot be rewritten" \
		lan prio 1 $udp dst_port 7100 action pedit ex munge eth dst set $dst pipe $out
	refuses "a tag" EOPNOTSUPP "packets cannot be rewritten" \
		lan prio 1 $udp dst_port 7100 action vlan push id 8 pipe $out
	takes "a redirect as it is" lan prio 1 $udp dst_port 7100 $out
	takes "drop" lan prio 2 $udp dst_port 7101 $drop
	is "tc calls with RTNL" "$(ctr lan unlocked_calls)" 0
	topo_down
}

# --- none ---

note "none"
sim_make "sim0 profile=none host=lan,wan"
nft 'add table inet t'
has "none takes no flowtable" "$(nft 'add flowtable inet t f {
	hook ingress priority 0; devices = { lan }; flags offload; }' 2>&1)" \
	"Operation not supported"
is "and says why where it can be read" "$(refusal 'call=bind .*class=ft')" \
	"call=bind port=0 class=ft errno=EOPNOTSUPP why=the driver does not take this kind of block"
ok "one in software is not its business" nft 'add flowtable inet t f {
	hook ingress priority 0; devices = { lan }; }'
nft flush ruleset
tc qdisc add dev lan ingress
# shellcheck disable=SC2086
has "nor a rule" "$(tc filter add dev lan ingress $udp dst_port 9 $drop 2>&1)" \
	"Operation not supported|Invalid argument"
# shellcheck disable=SC2086
ok "one in software likewise" tc filter add dev lan ingress ${udp/skip_sw/} dst_port 9 $drop
is "no driver call came" "$(ethtool -S lan | grep -cE 'offload_(binds|replaces|refused): [1-9]')" 0
is "nothing is in the table" "$(sim_count_entries)" 0
has "hw-tc-offload cannot be switched on" "$(ethtool -K lan hw-tc-offload on 2>&1)" \
	"Could not change|Operation not supported"
sim_del sim0
ok "the module is removed" rmmod nft_offload_sim
finish
