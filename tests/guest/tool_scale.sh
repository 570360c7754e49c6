#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nft-offload with 100,000 flows: that its list is complete, and what that takes,
# beside conntrack's list of the same connections. Judged where instructions are
# counted (tests/vm/run -i); time depends on the machine.

here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/pktgen.sh
. "$here/pktgen.sh"

PATH=$(cd "$here/../.." && pwd)/build/user/userspace/cli:$PATH
flows=${NFTO_SCALE_FLOWS:-100000}
list=$(mktemp) other=$(mktemp)
cpu=0 peak=0 own=0 elapsed=0

# use FILE COMMAND...: in the router's netns; sets $cpu, $peak, $own, $elapsed
use() {
	local status
	read -r status cpu peak own elapsed < <(in_ns r "$here/usage.py" "$@")
	is "${*:2}, exit status" "$status" 0
	note "$cpu us of CPU, $peak KiB, $own of them its own, $elapsed us"
}

# judged TEXT A OPERATOR B
judged() {
	if [[ -n ${NFTO_COUNTING-} ]]; then
		num "$@"
	else
		note "not judged: $*"
	fi
}

in_flows() {
	[[ $(in_ns r nft-offload -j flow count state hardware 2>/dev/null |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["count"]["flows"])') == "$flows" ]]
}

sim_load
did "the module, the packet generator" path_use module
modprobe pktgen
sysctl -qw net.netfilter.nf_conntrack_max=262144
did "topology" topo_up mlx5-rep
still lan a 10.1.0.2
still wan b 10.2.0.2
knob capacity 1000000
in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=36000 \
	net.netfilter.nf_conntrack_udp_timeout=36000 \
	net.netfilter.nf_conntrack_udp_timeout_stream=36000 \
	net.netfilter.nf_conntrack_acct=1
in_ns r conntrack -F >/dev/null 2>&1
# Above 50,000 flows, each of the client's ports has several.
ft_rules "table ip marks {
	chain c {
		type filter hook forward priority -10
		udp sport 10000-$((flows > 50000 ? 10004 : 10009)) ct mark set 7
	}
}"
aim out 4 "$flows" "$flows"
aim back 4 "$flows" "$flows"
"$here/meter.py" --send a b --until $((2 * flows)) >/dev/null ||
	fail "not all are in hardware"
eventually "all $flows flows are in hardware" 60 in_flows

# Twice: the first run reads both programs from the disk.
for _ in 1 2; do
	use "$other" conntrack -L -o extended
	conntrack_cpu=$cpu
	use "$list" nft-offload -j flow show
	full_cpu=$cpu full_own=$own
done
is "the list has every connection once, as conntrack has them" \
	"$("$here/tool_scale.py" "$list" "$other")" "$flows"
judged "no more CPU than conntrack -L -o extended" \
	"$full_cpu" -le "$conntrack_cpu"

use "$list" nft-offload -j flow show mark 7
is "a filter lets ten through" "$("$here/tool_scale.py" "$list")" 10
judged "in a tenth of the time" $((cpu * 10)) -le "$full_cpu"
# libstdc++ alone is larger than conntrack with all of its libraries: so it is the
# flows' memory that is judged, of which there is to be next to none.
judged "memory does not grow with the flows, in KiB" $((full_own - own)) -le 200
use "$list" nft-offload -j flow count
use "$list" nft-offload -j status

use "$list" nft-offload top --plain --count 40
judged "top uses less than 5 % of a CPU" $((cpu * 20)) -lt "$elapsed"
did "flush" in_ns r nft-offload flow flush
eventually "nothing is left in hardware" 60 entries_are 0
in_ns r nft flush ruleset
topo_down
finish
