#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What nft_offload.ko does with a driver that refuses, is full, is slow, fails,
# or forgets.
#
#   engine.sh [CASE...]   only these
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

refused() {
	local calls before
	knob fail_replace EOPNOTSUPP
	calls=$(replaces)
	flows_up 5 || fail "refused: connections"
	answered refused 20
	calls=$(($(replaces) - calls))
	num "refused: each direction was offered" "$calls" -ge 10
	num "refused: at most twice" "$calls" -le 20
	before=$(replaces)
	answered refused 150
	is "refused: and not again while nothing changes" "$(replaces)" "$before"
	is "refused: conntrack does not say hardware" "$(flags)" "[OFFLOAD]"
	num "refused: software forwards" "$(flowtable_get packets)" -ge 1500
	knob fail_replace 0
	tc_offload off
	tc_offload on
	eventually "refused: when the port is bound anew, they are offered again" 20 entries_are 10
	eventually "refused: conntrack says so" 10 flags_are "[HW_OFFLOAD]"
	flows_down refused
}

# Most of its flows are not even offered while the table is known to be full. They
# are to be tried again as soon as those that were refused, and not only when they
# may expire: that is long after this.
full() {
	local port
	knob capacity 4
	in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=600
	flows_up 5 || fail "full: connections"
	eventually "full: as many entries as there is room for" 10 entries_are 4
	answered full 10
	num "full: it is known" "$(($(port_get lan full_at) + $(port_get wan full_at)))" -ge 1
	sound full
	# When one connection ends, one that waits takes its place.
	port=$(sim_entries | sed -n '1s/.* src=10.1.0.2 dst=10.2.0.2 sport=\([0-9]*\) .*/\1/p
		1s/.* src=10.2.0.2 dst=10.1.0.2 .* dport=\([0-9]*\) .*/\1/p')
	in_ns r conntrack -D -p udp --orig-port-src "$port" >/dev/null 2>&1
	replaced() {
		entries_are 4 && ! sim_entries | grep -q "port=$port "
	}
	eventually "full: one ends, another comes in" 15 replaced
	before=$(replaces)
	poll 6 false
	num "full: the driver is seldom asked in vain" $(($(replaces) - before)) -le 12
	knob capacity 1000
	eventually "full: there is room now, and all come in" 30 entries_are 8
	in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=30
	flows_down full
}

# Others have taken all the room, so nothing of ours can make room.
full_of_others() {
	local before port
	knob capacity 2
	in_ns r tc qdisc add dev lan ingress
	for port in 1 2; do
		in_ns r tc filter add dev lan ingress prio 1 protocol ip flower skip_sw \
			ip_proto udp dst_port "$port" action drop
	done
	is "full of others: it is" "$(sim_count_entries)" 2
	flows_up 5 || fail "full of others: connections"
	before=$(replaces)
	poll 6 false
	num "full of others: the driver is seldom asked in vain" $(($(replaces) - before)) -le 16
	in_ns r tc qdisc del dev lan ingress
	knob capacity 1000
	eventually "full of others: there is room now, and all come in" 30 entries_are 10
	flows_down "full of others"
}

# come_in COUNT: so many entries; traffic keeps the flows alive meanwhile
come_in() {
	talk fire 1 >/dev/null
	entries_are "$1"
}

busy() {
	local errno before
	for errno in EBUSY ENOMEM; do
		knob fail_replace "$errno"
		before=$(replaces)
		flows_up 2 || fail "busy: connections"
		poll 5 false
		num "$errno: asked again, but ever less often" $(($(replaces) - before)) -le 20
		is "$errno: nothing is in hardware" "$(sim_count_entries)" 0
		is "$errno: conntrack does not say so" "$(flags)" "[OFFLOAD]"
		flows_down "$errno, for long"
		# Two calls for each direction fail.
		knob fail_count 8
		knob fail_replace "$errno"
		flows_up 2 || fail "busy: connections"
		eventually "$errno: it passes, they come in" 60 come_in 4
		knob fail_replace 0
		knob fail_count 0
		flows_down "$errno"
	done
}

# lost NAME: the hardware loses its table while there is traffic
lost() {
	flows_up 3 || fail "$1: connections"
	eventually "$1: in hardware" 10 entries_are 6
	knob fail_replace EBUSY
	knob reset 1
	noticed() {
		talk fire 5 >/dev/null
		flags_are "[OFFLOAD]"
	}
	eventually "$1: conntrack does not say hardware any more" 15 noticed
	num "$1: the loss is counted" \
		"$(($(port_get lan lost) + $(port_get wan lost)))" -ge 6
	knob fail_replace 0
	eventually "$1: they are put back" 60 come_in 6
	eventually "$1: conntrack says so" 5 flags_are "[HW_OFFLOAD]"
	answered "$1" 10
	flows_down "$1"
}

stuck() {
	flows_up 2 || fail "stuck: connections"
	eventually "stuck: in hardware" 10 entries_are 4
	knob fail_destroy EBUSY
	in_ns r conntrack -D -p udp >/dev/null 2>&1
	tried() {
		(($(port_get lan stuck) >= 2 && $(port_get wan stuck) >= 2))
	}
	eventually "stuck: the driver does not take them out" 10 tried
	is "stuck: they are in hardware" "$(sim_count_entries)" 4
	agrees stuck
	knob fail_destroy 0
	eventually "stuck: now it does, and they leave" 10 entries_are 0

	answered stuck 3
	eventually "stuck: in hardware" 10 entries_are 4
	knob fail_destroy EBUSY
	tc_offload off
	eventually "stuck: it cannot be switched off" 10 port_is lan state stuck
	knob fail_destroy 0
	eventually "stuck: it can now" 20 port_is lan state switched-off
	eventually "stuck: nothing is in hardware" 20 entries_are 0
	tc_offload on
	eventually "stuck: in hardware" 10 entries_are 4

	knob fail_destroy EBUSY
	ok "stuck: the ruleset goes all the same" in_ns r nft flush ruleset
	eventually "stuck: the port says so" 10 port_is lan state stuck
	knob fail_destroy 0
	eventually "stuck: the entries leave" 10 entries_are 0
	eventually "stuck: and the port is unbound" 20 blocks_are "00 00 "
	ft_rules
	eventually "stuck: bound anew" 10 blocks_are "01 01 "
	knob fail_unbind EBUSY
	ok "unbind refused: the ruleset goes" in_ns r nft flush ruleset
	eventually "unbind refused: the port says so" 10 port_is lan state stuck
	is "unbind refused: nothing is in hardware" "$(sim_count_entries)" 0
	ok "unbind refused: the ruleset comes back" ft_rules
	eventually "unbind refused: the port is as good as before" 10 port_is lan state bound
	answered "unbind refused" 3
	eventually "unbind refused: in hardware" 10 entries_are 4
	ok "unbind refused: and goes again" in_ns r nft flush ruleset
	knob fail_unbind 0
	eventually "unbind refused: in the end it is unbound" 30 blocks_are "00 00 "
	ft_rules
	flows_down stuck
}

slow() {
	local began ms
	knob delay_replace_us 4000000
	knob delay_destroy_us 1000000
	flows_up 3 || fail "slow: connections"
	began=${EPOCHREALTIME/./}
	in_ns r nft flush ruleset
	ms=$(((${EPOCHREALTIME/./} - began) / 1000))
	num "slow: the ruleset's end does not wait for the driver (W22), ms" "$ms" -lt 2000
	answered slow 3
	knob delay_replace_us 0
	knob delay_destroy_us 0
	eventually "slow: nothing is left in hardware" 30 blocks_are "00 00 "
	is "slow: no entry" "$(sim_count_entries)" 0
	ft_rules
	flows_down slow
}

lost_counting() {
	lost "reset"
}

# Without "counter", statistics are not asked for in order to count.
lost_silently() {
	in_ns r nft flush ruleset
	in_ns r nft -f - <<-END
		table inet t {
			flowtable ft {
				hook ingress priority 0
				devices = { lan, wan }
				flags offload
			}
			chain forward {
				type filter hook forward priority 0; policy accept
				meta l4proto { tcp, udp } flow add @ft
			}
		}
	END
	lost "reset, no counters"
	ft_rules
}

# The driver says that it does not know what it has.
mistaken() {
	local before asked
	flows_up 2 || fail "mistaken: connections"
	eventually "mistaken: in hardware" 10 entries_are 4
	before=$(($(port_get lan lost) + $(port_get wan lost)))
	doubted() {
		talk fire 5 >/dev/null
		(($(port_get lan lost) + $(port_get wan lost) - before >= 4))
	}
	# Entries are not given up while the driver does not take them out.
	knob fail_destroy EBUSY
	knob fail_stats ENOENT
	asked=$(($(port_get lan queries) + $(port_get wan queries)))
	asked_again() {
		talk fire 5 >/dev/null
		(($(port_get lan queries) + $(port_get wan queries) - asked >= 4))
	}
	eventually "mistaken: the driver is asked" 30 asked_again
	is "mistaken: what it keeps is believed to be there" \
		"$(($(port_get lan lost) + $(port_get wan lost) - before))" 0
	agrees "mistaken, kept"
	knob fail_destroy 0
	eventually "mistaken: the module takes them for lost" 30 doubted
	knob fail_stats 0
	eventually "mistaken: they are put back" 60 come_in 4
	sound mistaken
	flows_down mistaken
}

# took COMMAND...: prints milliseconds
took() {
	local began=${EPOCHREALTIME//[.,]/}
	"$@" || fail "failed: $*"
	echo $(((${EPOCHREALTIME//[.,]/} - began) / 1000))
}

less_than() {
	(($(sim_count_entries) < $1))
}

# RTNL is held while a device goes down: another device's driver is not waited for,
# and its own not for long.
slow_down() {
	ip -n r link add v8 type veth peer name v9
	ip -n r link set v8 up
	flows_up 20 || fail "slow_down: connections"
	eventually "slow_down: in hardware" 20 entries_are 40
	knob delay_destroy_us 2000000
	talk_stop
	serve_stop
	in_ns r conntrack -D -p udp >/dev/null 2>&1
	eventually "slow_down: the driver takes its time" 20 less_than 40
	num "slow_down: ms until another device is down" \
		"$(took ip -n r link set v8 down)" -le 1500
	num "slow_down: entries meanwhile" "$(sim_count_entries)" -ge 20
	num "slow_down: ms until its own device is down" \
		"$(took ip -n r link set wan down)" -le 8000
	num "slow_down: entries that are left" "$(sim_count_entries)" -ge 1
	knob delay_destroy_us 0
	eventually "slow_down: they are taken out later" 30 entries_are 0
	ip -n r link del v8
	ip -n r link set wan up
	ip -n r addr add fd02::1/64 dev wan nodad
	eventually "slow_down: it is up again" 20 in_ns a ping -qc1 -W1 10.2.0.2
	sound slow_down
}

cases=(refused full full_of_others busy lost_counting lost_silently mistaken stuck
	slow slow_down)

sim_load
did "the module" path_use module
ok "topology" topo_up mlx5-rep
ft_rules
is "its flowtable is in use" "$(path_in_use)" module
run_cases "${@:-${cases[@]}}"
