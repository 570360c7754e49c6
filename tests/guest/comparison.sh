#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where the kernel's flowtable engine and this one differ, shown on the simulated
# NIC: what docs/comparison.md is made of. Lines "@result CASE|QUESTION|ANSWER"
# carry the answers; the tests say that both engines do what the table claims, so
# that a kernel that mends something is noticed.
#
#   comparison.sh kernel|module
path=${1:-kernel}
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

FLOWS=10

# each TEXT GOT KERNEL_OP KERNEL_VALUE MODULE_OP MODULE_VALUE: what is true of
# the path that runs
each() {
	if [[ $path == kernel ]]; then
		num "$1" "$2" "$3" "$4"
	else
		num "$1" "$2" "$5" "$6"
	fi
}

# result CASE QUESTION ANSWER
result() {
	echo "@result $1|$2|$3"
}

# case_is CASE TITLE, and its story on standard input
case_is() {
	echo "@title $1|$2"
	echo "@story $1|$(tr '\n' ' ' | sed 's/ *$//')"
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
	[[ $path == kernel ]] || agrees "$1"
	topo_down
}

is_marked() {
	ct_list udp 5000 | grep -q HW_OFFLOAD
}

# --- W2: nft flush ruleset ---

w2() {
	local before after answer
	case_is W2 "The ruleset is flushed" <<-'END'
		UDP flows are in hardware; `nft flush ruleset`; then a new ruleset
		that drops everything. The kernel unbinds the device first and deletes the
		flows when there is no callback left to tell: the NIC goes on forwarding what
		no rule allows any more.
	END
	begin W2 mlx5-rep
	ft_rules
	did "W2: $FLOWS flows are in hardware" flows_in_hardware "$FLOWS"
	before=$(sim_count_entries)
	ctr_snap
	in_ns r nft flush ruleset
	# The flowtable is freed in a worker; its type's module is unused then.
	eventually "W2: the flowtable is gone" 30 flowtable_gone
	[[ $path == kernel ]] || poll 10 entries_are 0
	ctr_settle
	after=$(sim_count_entries)
	result W2 "entries in hardware before \`nft flush ruleset\`" "$before"
	result W2 "entries in hardware after it" "$after"
	result W2 "DESTROY calls that reached the driver" \
		"$(($(ctr_since lan destroys) + $(ctr_since wan destroys)))"
	each "W2: entries left" "$after" -eq "$before" -eq 0

	in_ns r nft -f - <<-END
		table ip f { chain c {
			type filter hook forward priority 0; policy drop
		}
		}
	END
	answer=$(talk fire 10)
	result W2 "packets answered through a firewall that now drops all, of $((10 * FLOWS))" \
		"${answer##* }"
	each "W2: packets that the NIC forwards past the new ruleset" \
		"${answer##* }" -gt 0 -eq 0
	end W2
}

flowtable_gone() {
	[[ -z $(path_in_use) ]]
}

# --- W5: one direction refused ---

w5() {
	case_is W5 "The driver refuses one direction of a connection" <<-'END'
		The LAN is an 802.1ad VLAN on a NIC that pushes 802.1Q tags only
		(profile mtk): the direction towards the LAN cannot be offloaded. conntrack
		shows the whole connection as offloaded all the same.
	END
	# The PPE pushes 802.1Q only. Towards the LAN the rule is refused; from
	# it there is nothing to push.
	did "W5: topology" vlan_up mtk 802.1ad
	knob bind_rate 0
	ft_rules
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2
	did "W5: a server" serve_start udp 10.2.0.2 5000
	did "W5: a connection" talk_start udp 10.2.0.2 5000 1
	eventually "W5: one direction is in hardware" 10 entries_are 1
	if [[ $path == kernel ]]; then
		eventually "W5: the connection is marked" 10 is_marked
	fi
	ctr_snap
	is "W5: traffic flows" "$(talk send 200)" "sent 200 ok"
	ctr_settle
	result W5 "directions of the connection in hardware, of 2" "$(sim_count_entries)"
	result W5 "conntrack shows it as" \
		"$(ct_list udp 5000 | grep -o '\[[A-Z_]*OFFLOAD\]')"
	result W5 "packets of 400 that crossed the host" \
		"$(($(ctr_since lan host_in_packets) + $(ctr_since wan host_in_packets)))"
	each "W5: connections shown as in hardware" \
		"$(ct_list udp 5000 | grep -c HW_OFFLOAD)" -eq 1 -eq 0
	num "W5: the refused direction crosses the host" \
		"$(ctr_since wan host_in_packets)" -ge 200
	end W5
}

# --- W7: a driver that refuses every flow ---

w7() {
	local calls seconds
	case_is W7 "The driver refuses every flow" <<-'END'
		A driver that answers EOPNOTSUPP to all, one connection with 50
		packets per second. The kernel asks again with every packet that comes more
		than a second after the last attempt, both directions, at every port.
	END
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
	each "W7: how often the driver is asked" "$calls" -ge 20 -le 4
	is "W7: nothing is in hardware" "$(sim_count_entries)" 0
	end W7
}

# --- W27: the rule for a tagged flow does not say that it is tagged ---

w27() {
	case_is W27 "The LAN is a VLAN of a NIC that matches tags" <<-'END'
		nf_flow_rule_match() writes the VLAN keys and never sets their bits
		in `used_keys`: no driver sees them. Hardware that matches the 5-tuple alone
		(profile mtk) does not mind. A NIC that takes a rule without VLAN key as a rule
		for untagged frames (profile mlx5-rep) accepts it, and it never matches.
	END
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
	each "W27: rules for the tagged direction that match untagged frames" \
		"$(sim_entries | grep -c 'match: in=0 untagged .*vlan_pop')" \
		-eq 1 -eq 0
	each "W27: tagged frames that cross the host" \
		"$(ctr_since lan host_in_packets)" -ge 200 -le 10
	end W27
}

sim_load
echo "@path $path"
did "the $path's flowtables" path_use "$path"
result kernel release "$(uname -r)"
w2
w5
w7
w27
finish
