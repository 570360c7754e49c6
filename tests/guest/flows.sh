# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh: connections from netns a to netns b, kept open with
# flow.py, and counters over a span of time.

here=${here:?the folder of the tests, set by the script that sources this}
flow_dir=$(mktemp -d)
serve_out=$flow_dir/serve
talk_err=$flow_dir/talk
serve_port=
serve_pid=

# serve_start PROTO ADDRESS PORT: the echo server in netns b; $serve_port,
# where set, is the port it really has (DNAT)
serve_start() {
	local port=${serve_port:-$3}
	: >"$serve_out"
	nsenter --net=/run/netns/b "$here/flow.py" serve "$1" "$2" "$port" >"$serve_out" 2>&1 &
	serve_pid=$!
	poll 20 listening b "$port" "$1"
}

serve_stop() {
	kill "$serve_pid" 2>/dev/null
	wait "$serve_pid" 2>/dev/null
}

# talk_start PROTO ADDRESS PORT [COUNT]: connections from netns a
talk_start() {
	local answer
	coproc TALK { exec nsenter --net=/run/netns/a "$here/flow.py" talk "$@" 2>"$talk_err"; }
	read -rt 60 answer <&"${TALK[0]}" && [[ $answer == ready ]]
}

# talk COMMAND...: prints the answer
talk() {
	local answer
	echo "$*" >&"${TALK[1]}"
	read -rt 120 answer <&"${TALK[0]}"
	echo "$answer"
}

talk_stop() {
	local pid=${TALK_PID-}
	[[ -n $pid ]] || return 0
	talk close >/dev/null
	wait "$pid" 2>/dev/null
}

ct_list() {
	in_ns r conntrack -L -p "$1" --orig-port-dst "$2" 2>/dev/null
}

declare -A ctr_before ctr_now

# ctr_read ARRAY: all counters of both ports, "DEVICE NAME" -> value
ctr_read() {
	local -n into=$1
	local dev name value
	# shellcheck disable=SC2034,SC2004 # a reference to an associative array
	for dev in lan wan; do
		while read -r name value; do
			into[$dev ${name%:}]=$value
		done < <(in_ns r ethtool -S "$dev" | sed -n 's/^ *offload_//p')
	done
}

ctr_snap() {
	ctr_read ctr_before
}

# Reads until no packet is on its way any more. (Calls for statistics go on.)
ctr_settle() {
	local last now=''
	while
		last=$now
		ctr_read ctr_now
		now="${ctr_now[lan wire_in_packets]} ${ctr_now[lan wire_out_packets]}"
		now+=" ${ctr_now[wan wire_in_packets]} ${ctr_now[wan wire_out_packets]}"
		[[ $last != "$now" ]]
	do :; done
}

# ctr_since DEVICE NAME: by how much it grew from ctr_snap to ctr_settle
ctr_since() {
	echo $((${ctr_now[$1 $2]} - ${ctr_before[$1 $2]}))
}

# vlan_up PROFILE [802.1Q|802.1ad]: the topology, with the LAN behind tag 7 and
# netns a reached by it: 10.7.0.2 and the router's 10.7.0.1
vlan_up() {
	local proto=${2:-802.1Q}
	topo_up "$1" || return
	ip -n r link add link lan name lan.7 type vlan proto "$proto" id 7
	ip -n a link add link lanw name lanw.7 type vlan proto "$proto" id 7
	ip -n r addr add 10.7.0.1/24 dev lan.7
	ip -n a addr add 10.7.0.2/24 dev lanw.7
	ip -n r link set lan.7 up
	ip -n a link set lanw.7 up
	ip -n a route add 10.2.0.0/24 via 10.7.0.1 src 10.7.0.2
}

# pppoe_end NETNS DEVICE REMOTE_MAC LOCAL PEER: one end of session 77
pppoe_end() {
	local name=$flow_dir/ppp-$1
	nsenter "--net=/run/netns/$1" "$here/pppoe.py" "$2" "$3" 77 >"$name" &
	poll 20 grep -q ppp "$name" || return
	name=$(<"$name")
	ip -n "$1" addr add "$4" peer "$5" dev "$name"
	ip -n "$1" link set "$name" mtu 1492 up
}

mac_of() {
	ip -n "$1" -br link show "$2" | awk '{ print $3 }'
}

# pppoe_up: a session between wan and wanw, 10.8.0.1 and 10.8.0.2 its ends
pppoe_up() {
	modprobe pppoe || return
	pppoe_end r wan "$(mac_of b wanw)" 10.8.0.1 10.8.0.2 &&
		pppoe_end b wanw "$(mac_of r wan)" 10.8.0.2 10.8.0.1 &&
		ip -n b route replace 10.1.0.0/24 via 10.8.0.1
}

# --- UDP connections to port 5000, of the module ---

# flows_up COUNT [ADDRESS]: UDP connections that are answered
flows_up() {
	serve_start udp "${2:-10.2.0.2}" 5000 && talk_start udp "${2:-10.2.0.2}" 5000 "$1"
}

flows_down() {
	talk_stop
	serve_stop
	in_ns r conntrack -D -p udp >/dev/null 2>&1
	eventually "$1: ended, nothing is left in hardware" 20 entries_are 0
	sound "$1"
}

replaces() {
	echo $(($(ctr lan replaces) + $(ctr wan replaces)))
}

# answered NAME COUNT: as many packets on each connection come back
answered() {
	local answer
	answer=$(talk fire "$2")
	is "$1: all packets are answered" "${answer##* }" "$(cut -d' ' -f2 <<<"$answer")"
}

# flags: of the connections in conntrack, each kind once
flags() {
	ct_list udp 5000 | grep -o '\[[A-Z_]*OFFLOAD\]' | sort -u | tr -d '\n'
}

flags_are() {
	[[ $(flags) == "$1" ]]
}

tc_offload() {
	in_ns r ethtool -K lan hw-tc-offload "$1" &&
		in_ns r ethtool -K wan hw-tc-offload "$1"
}

blocks() {
	sed 's/.*tc_blocks=\([0-9]*\) ft_blocks=\([0-9]*\).*/\1\2/' "$SIM/sim0/ports" | tr '\n' ' '
}

blocks_are() {
	[[ $(blocks) == "$1" ]]
}

# --- rulesets, and a UDP connection through them ---

# ruleset FAMILY DEVICES [FLAGS]: text with one flowtable
ruleset() {
	cat <<-END
		table $1 t {
			flowtable ft {
				hook ingress priority 0
				devices = { $2 }
				${3-flags offload}
				counter
			}
			chain forward {
				type filter hook forward priority 0; policy accept
				meta l4proto { tcp, udp } flow add @ft
			}
		}
	END
}

nft_load() {
	in_ns r nft -f - <<<"$1"
}

# talks NAME ADDRESS: a UDP connection by the fast path of whoever has it
talks() {
	{ serve_start udp "$2" 5000 && talk_start udp "$2" 5000; } ||
		fail "$1: a connection" "$(<"$talk_err")"
	is "$1: payload intact" "$(talk send 20)" "sent 20 ok"
}

hangs_up() {
	talk_stop
	serve_stop
	in_ns r conntrack -D -p udp >/dev/null 2>&1
	in_ns r conntrack -D -f ipv6 -p udp >/dev/null 2>&1
	eventually "$1: nothing is left in hardware" 20 entries_are 0
	sound "$1"
}

# run_cases CASE...: and the end of all, where the module leaves
run_cases() {
	local one
	for one; do
		ok "there is a case $one" declare -F "$one"
		"$one"
		note "$one: $SECONDS s"
	done
	topo_down
	did "the module can be removed" path_leave
	ok "the simulated NIC can be removed" rmmod nft_offload_sim
	finish
}
