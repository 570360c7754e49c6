#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What flows cost: with no flowtable, with the kernel's and with the module's,
# in turn, on one simulated NIC, in instructions (tests/vm/run -i).
#
# "@sample ROUND|FIGURE|PATH|VALUE|CALLBACKS" carries a measurement: what the
# path costs above the same without a flowtable, and how much of it is spent in
# the simulated NIC's callbacks. PATH "none" is what it is above of. tests/bench
# makes the table. Flows that are not where they should be fail the run.

here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/pktgen.sh
. "$here/pktgen.sh"

rounds=${NFTO_BENCH_ROUNDS:-3} sizes=(2000 20000) aged=20000 steady=(100000 10000) steady_seconds=64
kinds=("IPv4" "IPv6" "IPv4 SNAT") packets=20000
# A number of flows that fills 61 % of a hash table with two nodes for each.
stored=40000 stores=("4 " "4 counter" "6 " "6 counter")
if [[ -n ${NFTO_BENCH_QUICK-} ]]; then
	rounds=2 sizes=(5000) aged=5000 steady=(10000)
	kinds=("IPv4") packets=10000 stored=10000 stores=("4 ")
fi
life=30		# seconds: of an idle UDP flow, the kernel's default

paths=(none kernel)
[[ ! -e $NFTO_MODULES/nft_offload.ko ]] || paths+=(module)
round=0 path=none
declare -A plain rate sender
busy=0 elapsed=0 callbacks=0

# --- measuring ---

# meter ARGUMENTS...: of meter.py; sets $busy, $elapsed and $callbacks
meter() {
	local answer
	if ! answer=$("$here/meter.py" "$@" 2>&1); then
		fail "$path: meter $*" "$answer"
		return 1
	fi
	read -r busy elapsed callbacks <<<"$answer"
}

# tell FIGURE UNITS BUSY: what is above BUSY, for each of the units
tell() {
	echo "@sample $round|$1|$path|$(((busy - $3) / $2))|$((callbacks / $2))"
}

# above_plain FIGURE UNITS: above what it took without a flowtable
above_plain() {
	[[ $path != none ]] || plain[$1]=0
	tell "$1" "$2" "${plain[$1]}"
	[[ $path != none ]] || plain[$1]=$busy
}

# above_rate FIGURE UNITS: likewise for what goes on as long as it is waited for
above_rate() {
	[[ $path != none ]] || rate[$1]=0
	tell "$1" "$2" $((rate[$1] * (elapsed / 1000000) / 1000))
	[[ $path != none ]] || rate[$1]=$((busy * 1000 / (elapsed / 1000000)))
}

# lives SECONDS: an idle UDP flow
lives() {
	in_ns r sysctl -qw "net.netfilter.nf_flowtable_udp_timeout=$1"
}

# --- the rules ---

# rules [FLAGS [NAT RULE]]: $path's flowtable, or none, and nothing else
rules() {
	local table='' add=accept
	if [[ $path != none ]]; then
		table="flowtable ft {
			hook ingress priority 0
			devices = { lan, wan }
			${1-flags offload}
		}"
		add='flow add @ft'
	fi
	in_ns r nft flush ruleset
	in_ns r nft -f - <<-END
		table inet t {
			$table
			chain forward {
				type filter hook forward priority 0; policy accept
				counter
				ct state invalid drop
				meta l4proto { tcp, udp } $add
			}
		}
		${2-}
	END
	# Nobody's flowtable is in use on the path "none".
	is "$path: whose flowtable it is" "$(path_in_use)" "${path#none}"
}

# --- traffic ---

connections() {
	in_ns r conntrack -C
}

connections_are() {
	[[ $(connections) == "$1" ]]
}

# flows N [FAMILY [METER'S ARGUMENTS...]]: connections, each by a packet and an
# answer; with a flowtable, all of them in hardware
flows() {
	local arrived until=(--until $((2 * $1)))
	aim out "${2-4}" "$1" "$1"
	aim back "${2-4}" "$1" "$1"
	arrived=$(counted b netdev bin c)
	[[ $path != none ]] || until=()
	(($# < 3)) || until=("${@:3}")
	meter --send a b "${until[@]}" || return
	is "$path: $1 connections" "$(connections)" "$1"
	is "$path: $1 packets have arrived" \
		"$(($(counted b netdev bin c) - arrived))" "$1"
}

flows_end() {
	in_ns r conntrack -F >/dev/null 2>&1
	eventually "$path: flows have gone" 60 connections_are 0
	is "$path: none is left in hardware" "$(entries)" 0
}

entries() {
	sed -n 's/^entries=//p' "$SIM/sim0/adapter"
}

# --- the figures ---

bench_setup_teardown() {
	local n=$1 before
	rules
	flows "$n" && above_plain "setup, $n flows" "$n"
	if [[ $path != none ]]; then
		# Really there: the next packet of each does not come to the host.
		before=$(ctr lan hits)
		meter --send a
		is "$path: the hardware forwards" $(($(ctr lan hits) - before)) "$n"
	fi
	# The tail: flows and connections are freed some seconds later.
	meter --flush r --until 0 --tail 5 &&
		above_plain "teardown, $n flows" "$n"
	flows_end
}

bench_ageing() {
	local n=$1
	rules
	lives "$life"
	if [[ $path == none ]]; then
		flows "$n" && meter --least "$life"
	else
		# Whether all went in is asked by the meter: time flies.
		flows "$n" 4 --since $((2 * n)) --until 0 --every 100 --tail 5
	fi && above_rate "idle until gone, $n flows" "$n"
	lives 36000
	flows_end
}

bench_steady() {
	local n=$1
	rules
	knob stats_lie busy
	lives "$life"
	# Begin when the flows are older than a time-out.
	flows "$n" && meter --least "$life" && meter --least $steady_seconds &&
		above_rate "steady, $n flows" $((n * steady_seconds))
	if [[ $path != none ]]; then
		num "$path: statistics were asked for" "$callbacks" -gt 0
		is "$path: all are in hardware yet" "$(entries)" $((2 * n))
	fi
	knob stats_lie off
	lives 36000
	flows_end
}

# Bytes that the kernel has allocated. The workers that a burst of work has
# called, with their stacks, live for five minutes: both readings have them.
memory() {
	local file
	# What was freed waits for RCU, and for a hash table to shrink.
	"$here/meter.py" --least 15 >/dev/null
	# What is free, and only kept for later.
	for file in /sys/kernel/slab/*/shrink; do
		echo 1 >"$file"
	done
	awk '/^(Slab|VmallocUsed):/ { kb += $2 } END { print kb * 1024 }' /proc/meminfo
}

bench_memory() {
	local family=$1 counter=$2 n=$stored before
	rules "flags offload; $counter"
	before=$(memory)
	flows "$n" "$family" || return
	# The simulated NIC's entries are not the path's: it loses them, and gets
	# none again from whoever sees that.
	if [[ $path != none ]]; then
		knob fail_replace EOPNOTSUPP
		knob reset 1
	fi
	busy=$(($(memory) - before))
	callbacks=0
	above_plain "memory, IPv$family${counter:+, counter}" "$n"
	is "$path: nothing is in hardware" "$(entries)" 0
	is "$path: connections are all there" "$(connections)" "$n"
	knob fail_replace 0
	flows_end
}

# What is not the host's forwarding: the generator, the NIC, and the stack up to
# the ingress hook, where a rule drops; later the same rule drops at egress.
bench_sender() {
	local family=$1
	[[ -z ${sender[$round $family]-} ]] || return
	in_ns r nft flush ruleset
	drop_at r ingress lan
	aim out "$family" "$packets" 4
	meter --send a
	meter --send a
	is "sender: packets have come" "$(counted r netdev bin c)" $((2 * packets))
	sender[$round $family]=$busy
}

# all_fast: none of the packets that are sent now, or with no flowtable all,
# take the slow path
all_fast() {
	local before
	before=$(counted r inet t forward)
	"$here/meter.py" --send a --least 3 >/dev/null
	[[ $path == none || $(counted r inet t forward) == "$before" ]]
}

# bench_packets KIND FLAGS: of four flows, in software
bench_packets() {
	local figure="packet, $1" family=4 nat='' before slow fast
	[[ $1 != *IPv6* ]] || family=6
	[[ $1 != *SNAT* ]] || nat='table ip n {
			chain post {
				type nat hook postrouting priority 100
				oifname wan snat to 10.2.0.1
			}
		}'
	bench_sender "$family"
	if [[ -n $2 ]]; then
		knob fail_replace EOPNOTSUPP
		figure+=", offload refused"
	fi
	rules "$2" "$nat"
	drop_at r egress wan
	aim out "$family" 4 4
	meter --send a
	aim back "$family" 4 4 ${nat:+10.2.0.1}
	meter --send b
	aim out "$family" "$packets" 4
	# All that a path has to do for new flows, and new rules, comes first.
	eventually "$path: the slow path is not used" 60 all_fast
	before=$(counted r netdev bin c)
	slow=$(counted r inet t forward)
	meter --send a
	slow=$(($(counted r inet t forward) - slow))
	fast=$(in_ns r conntrack -L 2>/dev/null | grep -Fc '[OFFLOAD]')
	is "$path: packets have come to the egress" \
		"$(($(counted r netdev bin c) - before))" "$packets"
	is "$path: packets and flows on the fast path" \
		"$((packets - slow)) $fast" \
		"$([[ $path == none ]] && echo 0 0 || echo "$packets" 4)"
	is "$path: entries in hardware" "$(entries)" 0
	tell "$figure" "$packets" "${sender[$round $family]}"
	[[ $path != none ]] ||
		tell "$figure, offload refused" "$packets" "${sender[$round $family]}"
	knob fail_replace 0
	flows_end
}

# All figures of $path.
bench_path() {
	local n family how
	# The path "none" does with either: it has no flowtable.
	ok "$path: its modules" path_use "${path/none/kernel}"
	did "$path: topology" topo_up mlx5-rep
	still lan a 10.1.0.2 fd01::2
	still wan b 10.2.0.2 fd02::2
	knob capacity 1000000
	# Nothing ages that is not to: while the guest waits for the machine's file
	# system, its clock leaps from timer to timer.
	lives 36000
	in_ns r sysctl -qw net.netfilter.nf_conntrack_udp_timeout=36000 \
		net.netfilter.nf_conntrack_udp_timeout_stream=36000
	in_ns r conntrack -F >/dev/null 2>&1

	for how in "${kinds[@]}"; do
		bench_packets "$how" ''
		[[ $path == none ]] || bench_packets "$how" "flags offload"
	done
	# The most flows first: the NIC's own tables do not grow any more later.
	for n in "${steady[@]}"; do
		bench_steady "$n"
	done
	for n in "${sizes[@]}"; do
		bench_setup_teardown "$n"
	done
	bench_ageing "$aged"
	for how in "${stores[@]}"; do
		bench_memory "${how% *}" "${how#* }"
	done
	in_ns r nft flush ruleset
	topo_down
}

is "instructions are counted (tests/vm/run -i)" "${NFTO_COUNTING-}" 1
((!tap_failed)) || finish
sim_load
did "the packet generator, conntrack" modprobe -a pktgen nf_conntrack
# It comes every ten seconds and works as much as hundreds of flows do.
echo never >/sys/kernel/mm/transparent_hugepage/enabled
sysctl -qw net.netfilter.nf_conntrack_max=262144
for ((round = 1; round <= rounds; round++)); do
	for path in "${paths[@]}"; do
		bench_path
		((!tap_failed)) || [[ $path != none ]] || finish
	done
done
finish
