#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The software fast path, of whichever flowtable: what takes it, what does not,
# and what conntrack knows of it.
#
#   software.sh kernel|module [CASE...]   whose flowtable; only these
path=${1:-kernel}
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

# rules DEVICES [TEXT]: a flowtable in software, and a count of what passes the
# forward chain all the same
rules() {
	in_ns r nft -f - <<-END
		flush ruleset
		table inet t {
			flowtable ft {
				hook ingress priority 0
				devices = { $1 }
				counter
			}
			chain forward {
				type filter hook forward priority 0; policy accept
				meta l4proto { tcp, udp, gre } flow add @ft
			}
		}
		table inet watch {
			chain forward {
				type filter hook forward priority 10
				meta l4proto { tcp, udp, gre } counter
			}
		}
		${2-}
	END
}

# slow: packets that have passed the forward chain
slow() {
	in_ns r nft list chain inet watch forward |
		sed -n 's/.*counter packets \([0-9]*\) .*/\1/p'
}

offloaded() {
	ct_list "$1" 5000 | grep -q '\[OFFLOAD\]'
}

# fast NAME PROTO: 200 kB and their echo do not pass the forward chain
fast() {
	local before
	eventually "$1: conntrack says so" 10 offloaded "$2"
	before=$(slow)
	is "$1: payload intact" "$(talk send 200)" "sent 200 ok"
	num "$1: packets by the slow path" $(($(slow) - before)) -le 3
}

# one NAME PROTO SERVER ADDRESS [PEER]: a connection from begin to end
one() {
	serve_start "$2" "$3" 5000
	if talk_start "$2" "$4" 5000; then
		[[ -z ${5-} ]] || has "$1: the peer" "$(<"$serve_out")" "peer $5"
		fast "$1, $2" "$2"
	else
		fail "$1, $2: connects" "$(<"$talk_err")"
	fi
	talk_stop
	serve_stop
	in_ns r conntrack -F >/dev/null 2>&1
}

both() {
	local name=$1
	shift
	one "$name" tcp "$@"
	one "$name" udp "$@"
}

# --- what takes it ---

routed() {
	rules "lan, wan"
	is "the $path's flowtable is in use" "$(path_in_use)" "$path"
	both "routed, IPv4" 10.2.0.2 10.2.0.2
	both "routed, IPv6" fd02::2 fd02::2
}

nat() {
	rules "lan, wan" 'table inet nat {
		chain pre {
			type nat hook prerouting priority dstnat
			meta l4proto { tcp, udp } ip daddr 10.9.9.9 th dport 5000 dnat ip to 10.2.0.2:5001
			meta l4proto { tcp, udp } ip6 daddr fd09::9 th dport 5000 dnat ip6 to [fd02::2]:5001
		}
		chain post {
			type nat hook postrouting priority srcnat
			meta l4proto { tcp, udp } th dport 5001 oifname wan snat ip to 10.2.0.1:6000-6999
			meta l4proto { tcp, udp } th dport 5001 oifname wan snat ip6 to fd02::1
			oifname wan masquerade
		}
	}'
	serve_port=5001
	both "SNAT and DNAT, IPv4" 10.2.0.2 10.9.9.9 '10\.2\.0\.1 6[0-9]*$'
	both "SNAT and DNAT, IPv6" fd02::2 fd09::9 'fd02::1'
	serve_port=
	both "masquerade" 10.2.0.2 10.2.0.2 '10\.2\.0\.1'
}

vlan() {
	topo_down
	did "VLAN: topology" vlan_up mlx5-rep
	rules "lan, wan"
	both VLAN 10.2.0.2 10.2.0.2 '10\.7\.0\.2'
	ip -n r link add link lan.7 name q8 type vlan id 8
	ip -n a link add link lanw.7 name q8 type vlan id 8
	ip -n r link set q8 up
	ip -n a link set q8 up
	ip -n r addr add 10.78.0.1/24 dev q8
	ip -n a addr add 10.78.0.2/24 dev q8
	ip -n a route replace 10.2.0.0/24 via 10.78.0.1 src 10.78.0.2
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	rules "lan, wan"
	both QinQ 10.2.0.2 10.2.0.2 '10\.78\.0\.2'
}

# bridge_up [OPTIONS]: lan becomes a port of br0, which has its addresses
bridge_up() {
	topo_down
	topo_up mlx5-rep || return
	# shellcheck disable=SC2086 # words
	ip -n r link add br0 type bridge forward_delay 0 ${1-}
	ip -n r addr flush dev lan
	ip -n r link set lan master br0
	ip -n r link set br0 up
	ip -n r addr add 10.1.0.1/24 dev br0
	ip -n r addr add fd01::1/64 dev br0 nodad
	ip -n a neigh flush dev lanw
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
}

bridge() {
	did "bridge: topology" bridge_up
	rules "lan, wan"
	both bridge 10.2.0.2 10.2.0.2
	both "bridge, IPv6" fd02::2 fd02::2
	did "bridge with VLANs: topology" bridge_up "vlan_filtering 1 vlan_default_pvid 5"
	rules "lan, wan"
	both "bridge, untagged with a PVID" 10.2.0.2 10.2.0.2

	# The LAN is tagged on its way to the bridge, and a VLAN device is above.
	in_ns r bridge vlan add dev lan vid 7
	in_ns r bridge vlan add dev br0 vid 7 self
	ip -n r link add link br0 name br0.7 type vlan id 7
	ip -n a link add link lanw name lanw.7 type vlan id 7
	ip -n r link set br0.7 up
	ip -n a link set lanw.7 up
	ip -n r addr add 10.7.0.1/24 dev br0.7
	ip -n a addr add 10.7.0.2/24 dev lanw.7
	ip -n a route replace 10.2.0.0/24 via 10.7.0.1 src 10.7.0.2
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	rules "lan, wan"
	both "bridge, tagged" 10.2.0.2 10.2.0.2 '10\.7\.0\.2'
}

pppoe() {
	topo_down
	did "PPPoE: topology" topo_up mlx5-rep
	did "PPPoE: a session" pppoe_up
	rules "lan, wan"
	poll 10 in_ns a ping -qc1 -W1 10.8.0.2
	both PPPoE 10.8.0.2 10.8.0.2
	topo_down
	did "topology" topo_up mlx5-rep
}

# gre_up NETNS LOCAL REMOTE ADDRESS
gre_up() {
	ip -n "$1" link add g0 type gre local "$2" remote "$3"
	ip -n "$1" addr add "$4/24" dev g0
	ip -n "$1" link set g0 up
}

gre() {
	local before
	rules "lan, wan"
	gre_up a 10.1.0.2 10.2.0.2 10.77.0.1
	gre_up b 10.2.0.2 10.1.0.2 10.77.0.2
	serve_start udp 10.77.0.2 5000
	talk_start udp 10.77.0.2 5000 || fail "GRE: connects"
	has "GRE: offloaded" "$(in_ns r conntrack -L -p gre 2>/dev/null)" '\[OFFLOAD\]'
	before=$(slow)
	is "GRE: payload intact" "$(talk send 100)" "sent 100 ok"
	num "GRE: packets by the slow path" $(($(slow) - before)) -le 3
	talk_stop
	serve_stop
	ip -n a link del g0
	ip -n b link del g0
	in_ns r conntrack -F >/dev/null 2>&1
}

# Segments that the sender's NIC would cut, over a link that takes less.
mtu() {
	local before
	rules "lan, wan"
	ip -n r link set wan mtu 1400
	ip -n b link set wanw mtu 1400
	serve_start tcp 10.2.0.2 5000
	talk_start tcp 10.2.0.2 5000 || fail "MTU: connects"
	# The first packets are too long, and are answered with ICMP.
	is "MTU: payload intact" "$(talk send 100)" "sent 100 ok"
	before=$(slow)
	is "MTU: and again" "$(talk send 1000)" "sent 1000 ok"
	num "MTU: known now, all is fast" $(($(slow) - before)) -le 3
	talk_stop
	serve_stop
	ip -n r link set wan mtu 1500
	ip -n b link set wanw mtu 1500
	in_ns a ip route flush cache
}

# --- what conntrack knows ---

closed() {
	ct_list tcp 5000 | grep -Eq "$1.*src=10.1.0.2" && ! offloaded tcp
}

closing() {
	local pid
	rules "lan, wan"
	serve_start tcp 10.2.0.2 5000
	talk_start tcp 10.2.0.2 5000 || fail "FIN: connects"
	eventually "FIN: in the fast path" 10 offloaded tcp
	talk send 20 >/dev/null
	talk_stop
	eventually "FIN: conntrack has seen the end" 10 closed '(TIME_WAIT|LAST_ACK|CLOSE)'
	in_ns r conntrack -F >/dev/null 2>&1
	talk_start tcp 10.2.0.2 5000 || fail "RST: connects"
	eventually "RST: in the fast path" 10 offloaded tcp
	pid=$TALK_PID
	talk abort >/dev/null
	wait "$pid" 2>/dev/null
	# What conntrack makes of an RST after a time of which it knows nothing is
	# its own business.
	eventually "RST: not in the fast path any more" 10 expired tcp
	note "RST: conntrack says $(ct_list tcp 5000 | awk '{ print $4 }')"
	serve_stop
	in_ns r conntrack -F >/dev/null 2>&1
}

# ct_timeout PROTO: seconds that are left
ct_timeout() {
	ct_list "$1" 5000 | awk '{ print $3 }'
}

expired() {
	! offloaded "$1"
}

timeouts() {
	in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=3 \
		net.netfilter.nf_flowtable_tcp_timeout=4 \
		net.netfilter.nf_conntrack_udp_timeout_stream=40 \
		net.netfilter.nf_conntrack_tcp_timeout_established=400
	rules "lan, wan"
	local proto began
	for proto in udp tcp; do
		serve_start "$proto" 10.2.0.2 5000
		talk_start "$proto" 10.2.0.2 5000 || fail "time-out, $proto: connects"
		eventually "time-out, $proto: in the fast path" 10 offloaded "$proto"
		began=$SECONDS
		eventually "time-out, $proto: the flow goes" 15 expired "$proto"
		num "time-out, $proto: seconds" $((SECONDS - began)) -ge 1
		# What would be left of conntrack's time-out if it had run all the time.
		if [[ $proto == udp ]]; then
			num "time-out, udp: is what is left" "$(ct_timeout udp)" -le 37
			num "time-out, udp: not less" "$(ct_timeout udp)" -ge 25
		else
			num "time-out, tcp: is what is left" "$(ct_timeout tcp)" -le 396
			num "time-out, tcp: not less" "$(ct_timeout tcp)" -ge 380
		fi
		is "time-out, $proto: the connection lives" "$(talk send 10)" "sent 10 ok"
		eventually "time-out, $proto: in the fast path again" 10 offloaded "$proto"
		talk_stop
		serve_stop
		in_ns r conntrack -F >/dev/null 2>&1
	done
	in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=30 \
		net.netfilter.nf_flowtable_tcp_timeout=120
}

# counted KEY: packets or bytes, both directions
counted() {
	ct_list udp 5000 | grep -o "$1=[0-9]*" | cut -d= -f2 | paste -sd' '
}

counting() {
	in_ns r sysctl -qw net.netfilter.nf_conntrack_acct=1
	rules "lan, wan"
	serve_start udp 10.2.0.2 5000
	talk_start udp 10.2.0.2 5000 || fail "counting: connects"
	is "counting: traffic" "$(talk send 300)" "sent 300 ok"
	# flow.py begins with two datagrams of one byte.
	is "counting: packets" "$(counted packets)" "302 302"
	is "counting: bytes" "$(counted bytes)" \
		"$((2 * 29 + 300 * 1028)) $((2 * 29 + 300 * 1028))"

	in_ns r conntrack -D -p udp >/dev/null 2>&1
	is "conntrack -D: the connection goes on" "$(talk send 20)" "sent 20 ok"
	is "conntrack -D: it is a new one" "$(counted packets)" "20 20"
	is "conntrack -D: which is fast soon" "$(poll 5 offloaded udp; talk send 20)" "sent 20 ok"
	eventually "conntrack -D: offloaded" 5 offloaded udp
	in_ns r conntrack -F >/dev/null 2>&1
	is "conntrack -F: the connection goes on" "$(talk send 20)" "sent 20 ok"
	is "conntrack -F: it is a new one" "$(counted packets)" "20 20"
	talk_stop
	serve_stop
	in_ns r conntrack -F >/dev/null 2>&1
}

# Packets are counted that software forwards, and those that hardware forwards.
counting_hardware() {
	rules "lan, wan"
	in_ns r sysctl -qw net.netfilter.nf_conntrack_acct=1
	knob stats_ms 0
	ft_rules
	serve_start udp 10.2.0.2 5000
	talk_start udp 10.2.0.2 5000 || fail "counting in hardware: connects"
	is "counting in hardware: traffic" "$(talk send 300)" "sent 300 ok"
	all_counted() {
		[[ $(counted packets) == "302 302" ]]
	}
	eventually "counting in hardware: all packets" 20 all_counted
	num "counting in hardware: bytes" "$(counted bytes | cut -d' ' -f1)" -ge 308400
	num "counting in hardware: at most with link-layer headers" \
		"$(counted bytes | cut -d' ' -f1)" -le $((2 * 29 + 300 * 1042 + 28))
	knob stats_ms 1000
	talk_stop
	serve_stop
	in_ns r nft flush ruleset
	in_ns r conntrack -F >/dev/null 2>&1
}

# --- what does not take it ---

# left NAME REASON COMMAND...: the talker's answer, and that it was the slow path
left() {
	local name=$1 reason=$2 wanted=$3 was before
	shift 3
	before=$(slow)
	[[ $path == kernel ]] || was=$(reason_get "$reason")
	is "$name: answer" "$(talk "$@")" "$wanted"
	[[ $wanted == *ok ]] && num "$name: by the slow path" $(($(slow) - before)) -ge 2
	[[ $path == kernel ]] ||
		num "$name: counted as $reason" $(($(reason_get "$reason") - was)) -ge 2
}

exceptions() {
	rules "lan, wan"
	serve_start udp 10.2.0.2 5000
	talk_start udp 10.2.0.2 5000 || fail "exceptions: connects"
	eventually "exceptions: in the fast path" 10 offloaded udp
	left "fragments" fragment "sent 3000 ok" big 3000
	talk ttl 1 >/dev/null
	left "TTL 1" ttl "fired 3 0" fire 3
	talk ttl 64 >/dev/null
	talk options on >/dev/null
	left "IP options" ip-options "sent 10 ok" send 10
	talk options off >/dev/null
	fast "afterwards" udp
	talk_stop
	serve_stop
	in_ns r conntrack -F >/dev/null 2>&1
}

cases=(routed nat gre mtu closing timeouts counting counting_hardware exceptions
	vlan bridge pppoe)

sim_load
did "the $path's flowtables" path_use "$path"
ok "topology" topo_up mlx5-rep
shift
for case in "${@:-${cases[@]}}"; do
	ok "there is a case $case" declare -F "$case"
	"$case"
	note "$case: $SECONDS s"
done
[[ $path == kernel ]] || agrees "at the end"
topo_down
did "the flowtable's modules can be removed" path_leave
ok "the simulated NIC can be removed" rmmod nft_offload_sim
finish
