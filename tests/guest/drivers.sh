#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which drivers nft_offload.ko gives flows to, which it does not and says so,
# and what the admin can allow by hand.
#
#   drivers.sh [CASE...]   only these
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

nfto=$here/../../build/user/userspace/cli/nft-offload

tool() {
	in_ns r "$nfto" "$@" 2>&1
}

# allow SWITCH: says it of lan and wan; the answer for lan is left in $said
allow() {
	tool port set wan block "$1" >/dev/null
	said=$(tool port set lan block "$1")
}

fresh() {
	topo_down
	did "$1: topology" topo_up "$1"
	ft_rules
}

ports_are() {
	port_is lan state "$1" && port_is wan state "$1"
}

# reasons_are REASON COUNT: that many flows have a direction with it
reasons_are() {
	[[ $(tool flow count reason "$1") == "$2 flow"* ]]
}

# software NAME SENTENCE REASON: bound by nobody, and all say why; the driver is
# given no rule
software() {
	local sport
	eventually "$1: unbound" 10 ports_are unbound
	has "$1: the port says why" "$(tool port show lan)" "EOPNOTSUPP \"$2"
	has "$1: so does check" "$(tool check lan)" "$2"
	has "$1: and status" "$(tool status)" "$2"
	flows_up 2 || fail "$1: connections"
	answered "$1" 10
	eventually "$1: the directions' reason" 10 reasons_are "$3" 2
	sport=$(ct_list udp 5000 | sed 's/^.* sport=\([0-9]*\) dport=5000 .*/\1/' | head -n1)
	has "$1: explain tells it" "$(tool explain udp "10.1.0.2:$sport" 10.2.0.2:5000)" \
		"^->: .*(The driver of the port is not known|The port takes no flows)"
	has "$1: a probe offers nothing" "$(tool probe lan)" \
		"takes no flows: it is unbound.*$2.*Nothing was offered"
	is "$1: no rule has reached the driver" "$(replaces)" 0
	is "$1: nothing is dropped" "$(ctr lan drop_filter)" 0
	talk_stop
	serve_stop
	in_ns r conntrack -D -p udp >/dev/null 2>&1
}

# --- the list ---

known() {
	local profile
	for profile in flower nfp; do
		fresh "$profile"
		eventually "$profile: bound" 10 ports_are bound
		is "$profile: by TC_SETUP_BLOCK" "$(port_get lan kind)" flower
	done
	has "nfp: the tool names the driver" "$(tool port show lan)" "driver nfp$"
	flows_up 1 || fail "nfp: a connection"
	answered nfp 10
	eventually "nfp: it refuses what it does not do" 10 reasons_are refused 1
	has "nfp: for want of another TTL action" "$(refusal call=replace)" \
		"errno=EOPNOTSUPP why=nothing can be added to a field"
	is "nfp: nothing is in hardware" "$(sim_count_entries)" 0
	talk_stop
	serve_stop
	fresh mtk
	eventually "mtk: bound" 10 ports_are bound
	has "mtk: the driver" "$(tool -j port show lan)" '"driver": ?"mtk_soc_eth"'
}

unknown() {
	fresh ice
	software ice "driver ice is not known to carry out flows right: see nft-offload check" \
		driver-unknown
	is "ice: it was not even asked" "$(ctr lan binds)" 0
}

wrong() {
	fresh stmmac
	software stmmac "driver st_gmac has the NIC drop all TCP and UDP packets that no rule takes: see" \
		driver-unknown
	is "stmmac: it was not even asked" "$(ctr lan binds)" 0
	fresh bnxt
	software bnxt "driver bnxt_en writes other addresses and ports than it is told, and leaves the TTL: see" \
		driver-unknown
	is "bnxt: it was not even asked" "$(ctr lan binds)" 0
	fresh cxgb4
	software cxgb4 "driver cxgb4 does not decrement the TTL: see" driver-unknown
	is "cxgb4: it was not even asked" "$(ctr lan binds)" 0
}

strict() {
	fresh stmmac
	echo 1 >/sys/module/nft_offload/parameters/strict
	has "strict: refused" "$(nft_load "flush ruleset
		$(ruleset inet "lan, wan")" 2>&1)" "Operation not supported"
	echo 0 >/sys/module/nft_offload/parameters/strict
}

# --- by hand ---

by_hand() {
	fresh ice
	knob wants_rtnl 0
	allow on
	has "by hand: what may happen is said" "$said" \
		"^The driver ice is not known to carry out flows right: .* lost"
	has "by hand: bound at once" "$said" "^lan: bound \(flower\) .* driver ice  block on$"
	flows_up 1 || fail "by hand: a connection"
	answered "by hand" 10
	eventually "by hand: rules reach the driver, which refuses them" 10 reasons_are refused 1
	num "by hand: seen by the driver" "$(replaces)" -ge 2
	ft_rules
	eventually "by hand: remembered for the next ruleset" 10 ports_are bound
	allow off
	has "off: says so" "$said" "switched off by nft-offload port set"
	is "off: nothing to warn of" "$(grep -c "^The driver" <<<"$said")" 0
	eventually "off: the port is unbound" 10 ports_are unbound
	allow default
	has "default: as before" "$said" "driver ice is not known"
	talk_stop
	serve_stop

	allow on
	in_ns r nft flush ruleset
	eventually "by hand: no ports any more" 20 no_ports
	has "by hand: of a device that is no port" "$(tool port set lan block on)" \
		"^lan:  used by 0 flowtables  driver ice  block on"
	sim_del sim0
	nic_up stmmac
	ft_rules
	eventually "by hand: not for another driver of that name" 10 ports_are unbound
	has "by hand: which has the default" "$(tool -j port show lan)" '"block": ?"default"'
	has "by hand: a wrong switch" "$(tool port set lan block maybe)" "default, on, off"
	has "by hand: a wrong device" "$(tool port set nowhere block on)" "nowhere"
}

no_ports() {
	! in_ns r grep -q ^port /proc/net/nft_offload
}

# What the list saves the admin from.
forced() {
	fresh stmmac
	knob wants_rtnl 0
	has "forced: \"on\" is refused" "$(tool port set lan block on)" \
		"The driver is known to do harm"
	is "forced: and changes nothing" "$(port_get lan state)" unbound
	allow force
	has "forced: what will happen is said" "$said" \
		"^The driver st_gmac has the NIC drop all TCP and UDP packets"
	eventually "forced: bound" 10 ports_are bound
	flows_up 1 || fail "forced: a connection"
	eventually "forced: the driver accepts" 10 entries_are 2
	sink_up
	flow_open f a udp 10.2.0.2 7001
	flow_send f 5
	dropped_some() {
		(($(ctr lan drop_filter) >= 5))
	}
	eventually "forced: other packets are lost" 10 dropped_some
	allow default
	eventually "forced: taken back" 10 ports_are unbound
	eventually "forced: the rules go" 10 entries_are 0
	flow_step f 3 && pass "forced: and packets come through"
	flow_close f
	talk_stop
	serve_stop

	fresh bnxt
	knob wants_rtnl 0
	allow force
	eventually "forced, bnxt: bound" 10 ports_are bound
	sink_up
	flow_open f a udp 10.2.0.2 7001
	flow_step f 2 || fail "forced, bnxt: the first packets arrive"
	eventually "forced, bnxt: the driver accepts" 10 entries_are 2
	ctr_snap
	flow_send f 5
	hit() {
		ctr_settle
		(($(ctr_since lan hits) >= 5))
	}
	eventually "forced, bnxt: the hardware forwards" 10 hit
	is "forced, bnxt: to a wrong address" "$(sunk)" 2
	flow_close f
	in_ns b nft delete table inet sink
	allow default
	eventually "forced, bnxt: taken out, for its own errno as well" 10 entries_are 0
	in_ns r conntrack -D -p udp >/dev/null 2>&1
}

parameter() {
	topo_down
	did "parameter: the module goes" path_leave
	did "parameter: the module" path_use module block_drivers=st_gmac,ice
	fresh ice
	knob wants_rtnl 0
	eventually "parameter: a driver that it names is bound" 70 ports_are bound
	fresh stmmac
	software "parameter, wrong" "driver st_gmac has the NIC drop" driver-unknown
	topo_down
	did "parameter: the module goes again" path_leave
	did "parameter: the module without it" path_use module
}

# --- RTNL ---

unlocked_calls() {
	echo $(($(ctr lan unlocked_calls) + $(ctr wan unlocked_calls)))
}

rtnl() {
	local rtnl="the driver wants RTNL to be held around each call"
	fresh ice
	allow on
	software RTNL "$rtnl" port-unbound
	num "RTNL: the driver was asked" "$(ctr lan binds)" -ge 1
	is "RTNL: and let go" "$(ctr lan binds)" "$(ctr lan unbinds)"
	is "RTNL: it is bound to nothing" "$(blocks)" "00 00 "
	is "RTNL: no call without it" "$(unlocked_calls)" 0
	in_ns r nft flush ruleset
	eventually "RTNL: no ports any more" 20 no_ports

	in_ns r tc qdisc add dev lan clsact
	ok "RTNL: tc's rule" in_ns r tc filter add dev lan ingress protocol ip flower \
		skip_sw ip_proto udp dst_port 9 action drop
	in_ns r tc -s filter show dev lan ingress >/dev/null
	is "RTNL: is in" "$(sim_count_entries)" 1
	in_ns r tc qdisc del dev lan clsact
	is "RTNL: tc holds it, too" "$(unlocked_calls)" 0
	# nf_tables does not: so it can be seen that the counter counts.
	ok "RTNL: an ingress chain in hardware" in_ns r nft -f - <<-END
		table netdev t {
			chain c {
				type filter hook ingress device lan priority 1
				policy accept
				flags offload
				ip protocol udp ip daddr 10.9.9.9 drop
			}
		}
	END
	num "RTNL: nf_tables calls without" "$(unlocked_calls)" -ge 1
	in_ns r nft flush ruleset

	fresh cxgb4
	allow on
	has "RTNL, cxgb4: what is accepted is said" "$said" \
		"^The driver cxgb4 does not decrement the TTL"
	software "RTNL, cxgb4" "$rtnl" port-unbound
	is "RTNL, cxgb4: no call without it" "$(unlocked_calls)" 0
	knob wants_rtnl 0
	allow on
	eventually "RTNL, cxgb4: otherwise it is bound" 10 ports_are bound
	flows_up 1 || fail "cxgb4: a connection"
	eventually "cxgb4: in hardware" 10 entries_are 2
	has "cxgb4: without a TTL" "$(sim_entries)" "l4=|eth"
	is "cxgb4: none of them decrements it" "$(sim_entries | grep -c ttl)" 0
	answered cxgb4 20
	flows_down cxgb4
}

# --- encapsulations ---

pppoe() {
	fresh mlx5-rep
	did "PPPoE, mlx5: a session" pppoe_up
	ft_rules
	flows_up 1 10.8.0.2 || fail "PPPoE, mlx5: a connection"
	answered "PPPoE, mlx5" 20
	eventually "PPPoE, mlx5: what comes in a session is not asked for" 10 \
		reasons_are encapsulation 1
	is "PPPoE, mlx5: nothing is in hardware" "$(sim_count_entries)" 0
	is "PPPoE, mlx5: wan's driver was given nothing" "$(ctr wan replaces)" 0
	talk_stop
	serve_stop

	fresh mtk
	knob bind_rate 0
	did "PPPoE, mtk: a session" pppoe_up
	ft_rules
	flows_up 1 10.8.0.2 || fail "PPPoE, mtk: a connection"
	eventually "PPPoE, mtk: both directions are in hardware" 10 entries_are 2
	answered "PPPoE, mtk" 20
	talk_stop
	serve_stop
}

# airoha writes its port's own address as source of IPv6 packets.
own_source() {
	topo_down
	did "own source: topology" vlan_up airoha
	knob bind_rate 0
	ip -n r addr add fd07::1/64 dev lan.7 nodad
	ip -n a addr add fd07::2/64 dev lanw.7 nodad
	ip -n a route add fd02::/64 via fd07::1 src fd07::2
	ft_rules
	flows_up 1 fd02::2 || fail "own source: a connection"
	eventually "own source: the port's own, both directions" 10 entries_are 2
	hangs_up "own source"
	ip -n r link set lan.7 address 02:00:00:00:07:77
	poll 10 in_ns a ping -qc1 -W1 fd02::2
	flows_up 1 fd02::2 || fail "another source: a connection"
	eventually "another source: the direction that has it is refused" 10 \
		reasons_are address 1
	eventually "another source: the other one is in hardware" 10 entries_are 1
	answered "another source" 20
	hangs_up "another source"
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	flows_up 1 || fail "another source, IPv4: a connection"
	eventually "another source, IPv4: both directions" 10 entries_are 2
	answered "another source, IPv4" 20
	talk_stop
	serve_stop
}

cases=(known unknown wrong strict by_hand forced parameter rtnl pppoe own_source)

sim_load
did "the module" path_use module
run_cases "${@:-${cases[@]}}"
