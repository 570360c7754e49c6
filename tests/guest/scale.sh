#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A table of 100,000 entries: made, listed, used, and deleted.

# shellcheck disable=SC2119,SC2317
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

batches=10
batch=10000
all=$((batches * batch))

# lines NUMBER: the rules of a batch; a destination has 50,000 ports here
lines() {
	awk -v from=$(($1 * batch)) -v n=$batch 'BEGIN {
		for (i = from; i < from + n; i++)
			printf "filter add dev lan ingress prio 1 protocol ip flower " \
			       "skip_sw ip_proto udp dst_ip 10.2.0.%d dst_port %d " \
			       "action drop\n", 2 + int(i / 50000), 1 + i % 50000
	}'
}

# milliseconds COMMAND...: how long it took
milliseconds() {
	local began=${EPOCHREALTIME/./}
	"$@" >&2 || echo failed
	echo $(((${EPOCHREALTIME/./} - began) / 1000))
}

# hits ADDRESS PORT: of that entry
hits() {
	sim_entries | grep -m1 -F " dst=$1 dport=$2 " |
		sed 's/.* packets=\([0-9]*\).*/\1/'
}

hits_are() {
	[[ $(hits "$1" "$2") == "$3" ]]
}

dropped_more() {
	(($(ctr lan rule_drops) >= $1))
}

# pace LAST_PORT: nanoseconds per packet, through a table that drops them all
pace() {
	local count=20000 dir=/proc/net/pktgen mac line before
	mac=$(ip -n r -br link show lan | awk '{ print $3 }')
	before=$(ctr lan rule_drops)
	in_ns a tee $dir/kpktgend_0 <<<"rem_device_all" >/dev/null
	in_ns a tee $dir/kpktgend_0 <<<"add_device lanw" >/dev/null
	for line in "count $count" "pkt_size 60" "dst_mac $mac" "dst 10.2.0.2" \
		    "udp_dst_min 1" "udp_dst_max $1" "flag UDPDST_RND"; do
		in_ns a tee $dir/lanw <<<"$line" >/dev/null
	done
	in_ns a tee $dir/pgctrl <<<start >/dev/null
	poll 30 dropped_more $((before + count - 1000)) || echo lost
	in_ns a cat $dir/lanw |
		awk -v count=$count -F'[ (]+' '/Result: OK/ { print int($3 * 1000 / count) }'
}

gone() {
	[[ $(sed -n 's/^entries=//p' "$SIM/sim0/adapter") == 0 ]]
}

sim_load
topo_up mlx5-rep || fail "topology"
knob capacity $all
in_ns r tc qdisc add dev lan ingress

rules=$(mktemp)
trap 'rm -f "$rules"' EXIT
took=()
ok "the packet generator" modprobe pktgen
lines 0 | head -n 100 >"$rules"
ok "100 rules" in_ns r tc -batch "$rules"
few=$(pace 100)
in_ns r tc qdisc del dev lan ingress
in_ns r tc qdisc add dev lan ingress
for ((i = 0; i < batches; i++)); do
	lines $i >"$rules"
	took+=("$(milliseconds in_ns r tc -batch "$rules")")
done
note "first $batch rules: ${took[0]} ms"
note "last $batch rules: ${took[-1]} ms"
is "all were taken" "$(sed -n 's/^entries=//p' "$SIM/sim0/adapter")" $all
is "none was refused" "$(grep -c call=replace "$SIM/sim0/refusals")" 0
has "one more is not" "$(in_ns r tc filter add dev lan ingress prio 1 protocol ip \
	flower skip_sw ip_proto udp dst_ip 10.2.0.9 dst_port 1 action drop 2>&1)" \
	"the flow table is full"
is "lines, and cookies more than once" \
	"$(sim_entries | awk '{ n++; if (seen[$1]++) twice++ } END { print n, twice + 0 }')" \
	"$all 0"
is "matches more than once" \
	"$(sim_entries | sed 's/.* dst=//' | awk 'seen[$0]++' | wc -l)" 0

many=$(pace 50000)
note "a packet through the table takes $few ns with 100 entries, $many with $all"
# Only instructions can be judged: time depends on the machine and its caches.
[[ -z ${NFTO_COUNTING-} ]] ||
	num "100,000 entries cost what 100 cost, in instructions" \
		"$many" -le $((few * 21 / 20))
num "the generator's packets hit" "$(ctr lan hits)" -ge 38000
hit_before=$(ctr lan hits)
dropped_before=$(ctr lan rule_drops)

for flow in "10.2.0.2 1" "10.2.0.2 25000" "10.2.0.3 1" "10.2.0.3 50000"; do
	read -r address port <<<"$flow"
	flow_open f a udp "$address" "$port"
	had=$(hits "$address" "$port")
	flow_send f 3
	eventually "traffic to $address port $port hits its entry" 20 \
		hits_are "$address" "$port" $((had + 3))
	flow_close f
done
is "and no other" "$(($(ctr lan hits) - hit_before))" 12
is "all were dropped by it" "$(($(ctr lan rule_drops) - dropped_before))" 12

note "deleting all: $(milliseconds in_ns r tc qdisc del dev lan ingress) ms"
eventually "nothing is left in the table" 20 gone
is "nothing is listed" "$(sim_count_entries)" 0
is "DESTROY was refused for none" "$(grep call=destroy "$SIM/sim0/refusals" | grep -vc errno=EINVAL)" 0
topo_down
ok "the module is removed" rmmod nft_offload_sim
finish
