#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Weaknesses of a flowtable engine, shown on the simulated NIC: what
# docs/comparison.md is made of. Lines "@result CASE|QUESTION|ANSWER" carry the
# answers; the tests say that the kernel's engine does what the table claims,
# so that a kernel that mends it is noticed.
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

FLOWS=10

# result CASE QUESTION ANSWER
result() {
	echo "@result $1|$2|$3"
}

flows_in_hardware() {
	serve_start udp 10.2.0.2 5000 &&
		talk_start udp 10.2.0.2 5000 "$1" &&
		poll 20 entries_are $((2 * $1))
}

# A new adapter for each case: nothing of the last one is left.
begin() {
	ok "$1: topology" topo_up "$2"
}

end() {
	talk_stop
	serve_stop
	topo_down
}

is_marked() {
	ct_list udp 5000 | grep -q HW_OFFLOAD
}

# --- W2: nft flush ruleset ---

w2() {
	local before after answer
	begin W2 mlx5-rep
	ft_rules
	did "W2: $FLOWS flows are in hardware" flows_in_hardware "$FLOWS"
	before=$(sim_count_entries)
	ctr_snap
	in_ns r nft flush ruleset
	# The flowtable is freed in a worker; its type's module is unused then.
	eventually "W2: the flowtable is gone" 30 flowtable_gone
	ctr_settle
	after=$(sim_count_entries)
	result W2 "entries in hardware before \`nft flush ruleset\`" "$before"
	result W2 "entries in hardware after it" "$after"
	result W2 "DESTROY calls that reached the driver" \
		"$(($(ctr_since lan destroys) + $(ctr_since wan destroys)))"
	is "W2: the kernel's path leaves every entry" "$after" "$before"

	in_ns r nft -f - <<-END
		table ip f { chain c {
			type filter hook forward priority 0; policy drop
		}
		}
	END
	answer=$(talk fire 10)
	result W2 "packets answered through a firewall that now drops all, of $((10 * FLOWS))" \
		"${answer##* }"
	num "W2: and the NIC forwards past the new ruleset" "${answer##* }" -gt 0
	end
}

flowtable_gone() {
	[[ $(awk '$1 == "nf_flow_table_inet" { print $3 }' /proc/modules) == 0 ]]
}

# --- W5: one direction refused ---

w5() {
	# The PPE pushes 802.1Q only. Towards the LAN the rule is refused; from
	# it there is nothing to push.
	did "W5: topology" vlan_up mtk 802.1ad
	knob bind_rate 0
	ft_rules
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	did "W5: a server" serve_start udp 10.2.0.2 5000
	did "W5: a connection" talk_start udp 10.2.0.2 5000 1
	eventually "W5: one direction is in hardware" 10 entries_are 1
	eventually "W5: the connection is marked" 10 is_marked
	ctr_snap
	is "W5: traffic flows" "$(talk send 200)" "sent 200 ok"
	ctr_settle
	result W5 "directions of the connection in hardware, of 2" "$(sim_count_entries)"
	result W5 "conntrack shows it as" \
		"$(ct_list udp 5000 | grep -o '\[[A-Z_]*OFFLOAD\]')"
	result W5 "packets of 400 that crossed the host" \
		"$(($(ctr_since lan host_in_packets) + $(ctr_since wan host_in_packets)))"
	num "W5: the refused direction crosses the host" \
		"$(ctr_since wan host_in_packets)" -ge 200
	end
}

# --- W7: a driver that refuses every flow ---

w7() {
	local calls seconds
	begin W7 mlx5-rep
	knob fail_replace EOPNOTSUPP
	ft_rules
	serve_start udp 10.2.0.2 5000
	did "W7: a connection" talk_start udp 10.2.0.2 5000 1
	ctr_snap
	seconds=${EPOCHREALTIME/./}
	talk fire 500 >/dev/null
	seconds=$(((${EPOCHREALTIME/./} - seconds) / 1000))
	ctr_settle
	calls=$(($(ctr_since lan replaces) + $(ctr_since wan replaces)))
	result W7 "REPLACE calls per minute for one refused connection" \
		"$((calls * 60000 / seconds))"
	num "W7: the kernel's path asks again and again" "$calls" -ge 20
	is "W7: nothing is in hardware" "$(sim_count_entries)" 0
	end
}

# --- W11: the next hop gets another MAC address ---

neigh_is() {
	ip -n r neigh show 10.2.0.2 dev wan | grep -q "$1"
}

w11() {
	local mac=02:00:00:00:be:ef answer
	begin W11 mlx5-rep
	ft_rules
	did "W11: a flow in hardware" flows_in_hardware 1
	ctr_snap
	ip -n b link set wanw address "$mac"
	announced() {
		in_ns b arping -qA -c1 -I wanw 10.2.0.2
		neigh_is "$mac"
	}
	eventually "W11: the router has learned the new address" 20 announced
	answer=$(talk fire 48)
	ctr_settle
	result W11 "packets answered after the router learned the new MAC, of 48" \
		"${answer##* }"
	result W11 "packets sent to the old MAC by the hardware" \
		"$(ctr_since lan forwarded_packets)"
	is "W11: the kernel's path sends all to the old address" "${answer##* }" 0
	num "W11: in hardware" "$(ctr_since lan forwarded_packets)" -ge 40
	end
}

# --- W27: the rule for a tagged flow does not say that it is tagged ---

w27() {
	did "W27: topology" vlan_up mlx5-rep
	ft_rules
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	did "W27: a flow in hardware" flows_in_hardware 1
	ctr_snap
	is "W27: traffic flows" "$(talk send 200)" "sent 200 ok"
	ctr_settle
	result W27 "entries in hardware, of 2" "$(sim_count_entries)"
	result W27 "conntrack shows it as" \
		"$(ct_list udp 5000 | grep -o '\[[A-Z_]*OFFLOAD\]')"
	result W27 "packets of the tagged direction that crossed the host, of 200" \
		"$(ctr_since lan host_in_packets)"
	has "W27: the tagged direction's rule is for untagged frames" \
		"$(sim_entries | grep ' in=0 ')" 'match: in=0 untagged .*vlan_pop'
	num "W27: so no tagged frame hits it" \
		"$(ctr_since lan host_in_packets)" -ge 200
	end
}

sim_load
is "the offload module is not loaded" "$(lsmod | grep -c '^nft_offload ')" 0
result kernel release "$(uname -r)"
w2
w5
w7
w11
w27
finish
