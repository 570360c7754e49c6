# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh: many flows, by the kernel's packet generator, and wires
# whose ends count what comes and answer nothing.

mac_of() {
	ip -n "$1" -br link show "$2" | awk '{ print $3 }'
}

# still DEVICE NETNS ADDRESS...: the neighbours are known for ever, and what
# comes to them is counted and answered by nobody
still() {
	local dev=$1 ns=$2 address mac
	mac=$(mac_of "$ns" "${dev}w")
	for address in "${@:3}"; do
		ip -n r neigh replace "$address" dev "$dev" lladdr "$mac" nud permanent
	done
	drop_at "$ns" ingress "${dev}w"
}

# drop_at NETNS HOOK DEVICE: UDP, and count it
drop_at() {
	in_ns "$1" nft -f - <<-END
		table netdev bin {
			chain c {
				type filter hook $2 device $3 priority -500
				meta l4proto udp counter drop
			}
		}
	END
}

# counted NETNS CHAIN...: packets, by the first counter in it
counted() {
	in_ns "$1" nft list chain "${@:2}" |
		sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}

# aim out|back FAMILY COUNT FLOWS [DESTINATION]: what the packet generator
# beyond lan or wan sends: UDP, one packet of each flow after the other. Above
# 50,000 flows the server has three ports: prime to 50,000, so all pairs occur.
aim() {
	local ns=a port=lan from=1 to=2 client=src server=dst
	[[ $1 == out ]] || local ns=b port=wan from=2 to=1 client=dst server=src
	local lines=("count $3" "delay 0" "pkt_size 100" "flag UDPCSUM"
		"dst_mac $(mac_of r "$port")"
		"udp_${client}_min 10000"
		"udp_${client}_max $((10000 + ($4 < 50000 ? $4 : 50000)))"
		"udp_${server}_min 5000"
		"udp_${server}_max $(($4 > 50000 ? 5003 : 5000))")
	if [[ $2 == 4 ]]; then
		lines+=("dst ${5-10.$to.0.2}")
	else
		lines+=("dst6 fd0$to::2" "src6 fd0$from::2")
	fi
	# It takes one command with each write.
	# shellcheck disable=SC2016
	printf '%s\n' "${lines[@]}" | in_ns "$ns" bash -ec '
		cd /proc/net/pktgen
		echo rem_device_all >kpktgend_0
		echo "add_device $0" >kpktgend_0
		while read -r line; do
			echo "$line" >"$0"
		done' "${port}w"
}
