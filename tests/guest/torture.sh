#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Everything that can happen, at once and for a while: torture.sh [SECONDS
# [CHAOS...]]. Each CHAOS is a loop of its own, whose steps come from the seed
# (NFTO_SEED) alone; all of them by default, or all but one with -CHAOS. From time
# to time they pause, the faults are taken back, and what the module believes is
# compared with what the simulated NIC has, and the connections have to go on.
# After some of that the ruleset goes, nothing may be left, and the module is
# unloaded: a round. There are rounds for SECONDS, and until enough flows have been
# made.

here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"

profiles=(mlx5-rep mtk flower airoha)
# These loops wait after each step, or the others would hardly have a turn.
declare -A pause=([adapter]=12 [links]=4 [tc]=4 [ruleset]=4 [conntrack]=4 [devices]=2)

# --- the world: all of this may be called again and again, in any netns ---

# ip_in NETNS: many commands for ip, of which some may fail
ip_in() {
	ip -n "$1" -force -batch -
}

# Addresses and routes, which go when a link goes down. Behind several
# neighbours, so that there are several next hops.
addresses() {
	local i mac
	ip_in a <<-END
		link set lanw up
		addr replace fd01::2/64 dev lanw nodad
		route replace default via 10.1.0.1
	END
	ip_in b <<-END
		link set wanw up
		addr replace fd02::2/64 dev wanw nodad
		route replace default via 10.2.0.1
	END
	read -r _ _ mac _ < <(ip -n a -br link show lanw)
	{
		cat <<-END
			link set lan up mtu 1500
			link set wan up
			addr replace fd01::1/64 dev lan nodad
			addr replace fd02::1/64 dev wan nodad
			route replace 10.12.0.0/16 via 10.2.0.2
			route replace fd11::/64 via fd01::2
			route replace fd12::/64 via fd02::2
		END
		for i in 0 1 2 3; do
			echo "neigh replace 10.1.0.1$i lladdr $mac dev lan nud permanent"
			echo "route replace 10.11.$((i * 64)).0/18 via 10.1.0.1$i"
		done
	} | ip_in r
}

# Takes back every fault.
mend() {
	local what
	for what in bind unbind replace destroy stats; do
		knob fail_$what 0
		[[ $what == unbind ]] || knob delay_${what}_us 0
	done
	knob capacity 60000
	knob stats_lie off
	knob bind_silent 0
	echo 0 >/sys/module/nft_offload/parameters/strict
	memory 0
}

failslab=/sys/kernel/debug/failslab

# memory PERCENT [TASKS]: of what is allocated in interrupts, or by TASKS=Y by
# tasks that want it, so much is refused; where the kernel can do that
memory() {
	[[ -d $failslab ]] || return 0
	echo 0 >$failslab/probability
	echo "${2-N}" >$failslab/task-filter
	if [[ ${2-N} == Y ]]; then
		echo N >$failslab/ignore-gfp-wait
	else
		echo Y >$failslab/ignore-gfp-wait
	fi
	echo "$1" >$failslab/probability
}

# ft_text TABLE FAMILY [LAN WAN]: a table with a flowtable, flags by chance
ft_text() {
	local flags='flags offload' counter=counter
	((RANDOM % 4)) || flags=
	((RANDOM % 4)) || counter=
	echo "table $2 $1 {
		flowtable ft {
			hook ingress priority $((RANDOM % 3))
			devices = { ${3-lan}, ${4-wan} }
			$flags
			$counter
		}
		chain forward {
			type filter hook forward priority 0; policy accept
			meta l4proto { tcp, udp } flow add @ft
		}
	}"
}

# --- chaos: a step each, in netns r ---

# Each of these leaves the table "t", so that the others have something to break.
chaos_ruleset() {
	case $((RANDOM % 8)) in
	0 | 1) { echo flush ruleset; ft_text t inet; } | nft -f - ;;
	2) nft flush ruleset && ft_text t inet | nft -f - ;;
	3) { echo delete table inet t; ft_text t inet; } | nft -f - ;;
	4) nft delete table inet t; nap; ft_text t inet | nft -f - ;;
	5) ft_text t4 ip | nft -f - ; nap; nft delete table ip t4 ;;
	6)
		{ echo flush ruleset; ft_text t4 ip; ft_text t6 ip6; } | nft -f -
		nap
		{ echo flush ruleset; ft_text t inet; } | nft -f -
		;;
	# A ruleset that is taken back at its end.
	7) { echo flush ruleset; ft_text new inet; ft_text bad ip lan nowhere; } | nft -f - ;;
	esac
}

chaos_devices() {
	local dev=lan
	((RANDOM % 2)) || dev=wan
	nft delete flowtable inet t ft "{ devices = { $dev }; }"
	nap
	# The flowtable is given with the flags that it already has.
	nft add flowtable inet t ft "{ hook ingress priority 0; devices = { $dev }; flags offload; counter; }" ||
		{ echo flush ruleset; ft_text t inet; } | nft -f -
}

chaos_links() {
	case $((RANDOM % 4)) in
	0) ip link set lan down ;;
	1) ip link set wan down ;;
	2) ip -n a link set lanw down ;;
	3) knob link_down $((RANDOM % 4)) ;;
	esac
	nap
	knob link_down 0
	addresses
}

chaos_tc() {
	local dev=lan
	((RANDOM % 2)) || dev=wan
	ethtool -K "$dev" hw-tc-offload off
	nap
	ethtool -K "$dev" hw-tc-offload on
}

chaos_conntrack() {
	case $((RANDOM % 3)) in
	0) conntrack -F ;;
	1) conntrack -D -p udp ;;
	2) conntrack -D -f ipv6 ;;
	esac
}

chaos_adapter() {
	sim_del sim0
	nap
	nic_up "${profiles[RANDOM % ${#profiles[@]}]}"
	addresses
	{ echo flush ruleset; ft_text t inet; } | nft -f -
}

# A netns that lives for a moment and has an adapter and flows of its own.
chaos_netns() {
	ip -force -batch - <<-END
		netns add x
		netns add w
	END
	sim_make "sim1 profile=${profiles[RANDOM % 3]} host=xlan,xwan wire=wlan,wwan" || return
	# The adapter is made in the netns of whoever writes.
	ip -force -batch - <<-END
		link set wlan address 02:00:00:00:01:01 up netns w
		link set wwan address 02:00:00:00:01:02 up netns w
		link set xlan netns x
		link set xwan netns x
	END
	ip_in w <<-END
		link set wlan up
		link set wwan up
	END
	in_ns x sysctl -qw net.ipv4.ip_forward=1
	ip_in x <<-END
		addr add 10.1.0.1/24 dev xlan
		addr add 10.2.0.1/24 dev xwan
		link set xlan up
		link set xwan up
		neigh add 10.1.0.2 lladdr 02:00:00:00:01:01 dev xlan nud permanent
		neigh add 10.2.0.2 lladdr 02:00:00:00:01:02 dev xwan nud permanent
		route add 10.11.0.0/16 via 10.1.0.2
		route add 10.12.0.0/16 via 10.2.0.2
	END
	ft_text t inet xlan xwan | in_ns x nft -f -
	poll 2 grep -q . "$SIM/sim1/entries" && echo >>"$dir/steps-netns:live"
	((RANDOM % 2)) || echo EBUSY >"$SIM/sim1/fail_destroy"
	((RANDOM % 2)) || echo EBUSY >"$SIM/sim1/fail_unbind"
	((RANDOM % 2)) || echo 1000 >"$SIM/sim1/delay_destroy_us"
	case $((RANDOM % 4)) in
	0) in_ns x nft flush ruleset ;;
	1) sim_del sim1 ;;
	2) ip -n x link set xlan down ;;
	esac
	netns_end
}

netns_end() {
	ip netns del x
	[[ ! -d $SIM/sim1 ]] || sim_del sim1
	ip netns del w
}

chaos_faults() {
	local errors=(EOPNOTSUPP ENOSPC EBUSY ENOMEM EIO EINVAL ENOENT) n=7
	local calls=(bind unbind replace destroy stats)
	local lies=(zero busy double backwards)
	local call=${calls[RANDOM % 5]}
	# The last two would say that the entry is not there, which is a lie.
	[[ $call != destroy ]] || n=5
	case $((RANDOM % 10)) in
	0 | 1 | 2 | 3) knob "fail_$call" "${errors[RANDOM % n]}" ;;
	4) knob "delay_${call/unbind/bind}_us" $((RANDOM % 3000)) ;;
	5) knob capacity $((RANDOM % 200)) ;;
	6) knob reset 1 ;;
	7) knob stats_lie "${lies[RANDOM % 4]}" ;;
	8) knob bind_silent 1 ;;
	9) echo $((RANDOM % 2)) >/sys/module/nft_offload/parameters/strict ;;
	esac
	nap
	((RANDOM % 3 == 0)) || mend
}

chaos_routes() {
	local i=$((RANDOM % 4)) j=$((RANDOM % 4))
	case $((RANDOM % 4)) in
	0) ip route replace 10.11.$((i * 64)).0/18 via "10.1.0.1$j" ;;
	1) ip neigh replace "10.1.0.1$i" lladdr "02:00:00:00:00:0$j" dev lan nud permanent ;;
	2) ip neigh flush all ;;
	3) ip link set lan mtu $((1400 + RANDOM % 100)) ;;
	esac
	nap
	addresses
}

chaos_memory() {
	if ((RANDOM % 2)); then
		memory $((1 + RANDOM % 20))
	else
		memory $((1 + RANDOM % 3)) Y
		{ echo flush ruleset; ft_text t inet; } | refused nft -f -
		refused conntrack -F
		refused cat /proc/net/nft_offload
	fi
	nap
	memory 0
}

# refused COMMAND...: a task that wants it
refused() (
	echo 1 >/proc/self/make-it-fail
	exec "$@"
)

# generate NETNS DEVICE ROUTER'S ADDRESS LINES...: what the packet generator sends
generate() {
	local mac
	read -r _ _ mac _ < <(ip -br link show "$3") || return
	# The file takes one command with each write.
	# shellcheck disable=SC2016
	printf '%s\n' "count $bulk" "delay 0" "pkt_size 64" "dst_mac $mac" "${@:4}" |
		in_ns "$1" bash -c '
			cd /proc/net/pktgen
			echo rem_device_all >kpktgend_0
			echo "add_device $0" >kpktgend_0
			while read -r line; do
				echo "$line" >"$0"
			done
			echo start >pgctrl' "$2"
}

# Ten thousand connections, each answered: some at a time, because it is the
# answer that makes a flow, and others delete the connections.
bulk=2000
chaos_bulk() {
	local from=$((10000 + RANDOM % 20000)) to
	for _ in {1..5}; do
		to=$((from + bulk))
		generate a lanw lan "dst 10.2.0.2" "udp_src_min $from" \
			"udp_src_max $to" "udp_dst_min 5002" "udp_dst_max 5002"
		generate b wanw wan "dst 10.1.0.2" "udp_dst_min $from" \
			"udp_dst_max $to" "udp_src_min 5002" "udp_src_max 5002"
		from=$to
	done
}

chaos_readers() {
	case $((RANDOM % 4)) in
	0) nft list ruleset ;;
	1) conntrack -L ;;
	2) ethtool -S lan ;;
	3) cat "$SIM"/sim0/{entries,refusals,ports,adapter} ;;
	esac
}

# --- how it is run ---

# Up to half a second, in which others have their turn.
nap() {
	read -rt "0.$((100 + RANDOM % 400))" <> <(:) || :
}

# loop NAME NUMBER: steps, none of which begins while there is to be peace
loop() {
	local n
	RANDOM=$((seed + $2))
	exec 9<"$dir/lock"
	while [[ -e $dir/run ]]; do
		if [[ ! -e $hold ]]; then
			# Making a netns takes long, and does not touch what the others use.
			[[ $1 == netns ]] || flock -s 9
			[[ -e $hold ]] || "chaos_$1" 9<&-
			flock -u 9
			echo >>"$dir/steps-$1"
		fi
		for ((n = 0; n < ${pause[$1]-1}; n++)); do
			nap
		done
	done >/dev/null 2>>"$dir/errors-$1"
}

if [[ ${1-} == loop ]]; then
	# shellcheck disable=SC2154 # from the environment
	loop "$2" "$3"
	exit
fi

everything=(ruleset devices links tc conntrack adapter netns faults routes readers)
[[ ! -d $failslab ]] || everything+=(memory)
! modprobe -q pktgen || everything+=(bulk)
seconds=${1:-120}
if [[ ${2-} == -* ]]; then
	mapfile -t everything < <(printf '%s\n' "${everything[@]}" | grep -vx -- "${2#-}")
elif (($# > 1)); then
	everything=("${@:2}")
fi
# Flows that have to be made; with all checkers a round takes minutes.
least=200
if [[ ${everything[*]} == *bulk* ]]; then
	least=20000
	[[ ! -d $failslab ]] || least=10000
fi
# How long the chaos lasts between two audits; these make a round.
span=${NFTO_SPAN:-8}
audits=2 most=0 made=0
export seed=${NFTO_SEED:-$((EPOCHSECONDS % 30000))}
dir=$(mktemp -d)
export dir hold=$dir/hold
trap 'rm -rf "$dir"' EXIT
: >"$dir/lock"

# When this returns, no step is running and no fault is set.
peace() {
	: >"$hold"
	exec 9<"$dir/lock"
	flock -x 9
	exec 9<&-
	mend
	knob link_down 0
	addresses
	in_ns r ethtool -K lan hw-tc-offload on
	in_ns r ethtool -K wan hw-tc-offload on
} >/dev/null 2>&1

# Steps of each loop, and the module's figures after them.
figures() {
	local file
	for file in "$dir"/steps-*; do
		[[ -e $file ]] || continue
		printf '%s=%s ' "${file##*-}" "$(wc -l <"$file")"
		: >"$file"
	done
	# shellcheck disable=SC2016 # awk
	in_ns r awk '{ for (i = 1; i <= NF; i++)
		if ($i ~ /^(flows|accepted|removed|stuck|lost)=/) {
			split($i, kv, "="); sum[kv[1]] += kv[2] } }
		END { for (k in sum) printf "%s=%s ", k, sum[k] }' /proc/net/nft_offload
	echo "entries=$(sim_count_entries 2>/dev/null)"
}

# TCP waits for up to 120 s (TCP_RTO_MAX) after what kept it from going on; what
# it waits for is shown then.
soak_check() {
	local answer
	echo "check 150" >&"${SOAK[1]}"
	if ! read -rt 30 answer <&"${SOAK[0]}"; then
		in_ns a ss -Htnoi | sed 's/^/# /'
		read -rt 150 answer <&"${SOAK[0]}"
	fi
	is "$1" "${answer-}" ok
}

# To find out what happened.
state() {
	in_ns r cat /proc/net/nft_offload
	cat "$SIM/sim0/ports"
	sim_entries | head -n 5
	tail -n 5 "$SIM/sim0/refusals"
	in_ns r conntrack -L 2>/dev/null | grep OFFLOAD | head -n 5
	grep nft_offload /proc/modules
	tail -n 5 "$dir"/errors-*
}

# check COMMAND TEXT...: one of lib.sh's, with the state if it fails
check() {
	local failed=$tap_failed
	tap_failed=0
	"$@"
	((!tap_failed)) || state 2>&1 | sed 's/^/# /'
	tap_failed=$((tap_failed | failed))
}

# As sound, with patience: flows go on to expire by the thousand.
audit() {
	eventually "$1: the module knows what is in hardware" 120 believes
	eventually "$1: each entry is of a live flow" 120 no_strays
}

no_offload() {
	! in_ns r conntrack -L 2>/dev/null | grep -q OFFLOAD &&
		! in_ns r conntrack -L -f ipv6 2>/dev/null | grep -q OFFLOAD
}

no_lines() {
	! in_ns r grep -E '^(port|flowtable)' /proc/net/nft_offload
}

# round NUMBER
round() {
	local i n=0 name ids=0 pids=()
	: >"$dir/run"
	rm -f "$hold"
	RANDOM=$((seed + $1))
	ft_text t inet | in_ns r nft -f -
	for name in "${everything[@]}"; do
		in_ns r "$0" loop "$name" $(($1 * 100 + n++)) &
		pids+=($!)
		[[ $name == readers ]] || continue
		"$here/torture.py" dump "$seed" "$hold" "$dir/run" 2>"$dir/errors-dump" &
		pids+=($!)
	done
	for ((i = 1; i <= audits; i++)); do
		rm -f "$hold"
		sleep "$span"
		note "round $1, before audit $i: $(figures)"
		peace
		check audit "round $1, audit $i"
		entries=$(sim_count_entries)
		((entries <= most)) || most=$entries
		check soak_check "round $1, audit $i: the connections go on"
		# These connections are among the last ones that were made.
		n=$("$here/torture.py" made r || echo 0)
		((n <= ids)) || ids=$n
	done
	((made += ids))
	rm "$dir/run" "$hold"
	wait "${pids[@]}"

	in_ns r nft flush ruleset
	check eventually "round $1: no entry is left in hardware" 60 entries_are 0
	check eventually "round $1: no connection is offloaded" 60 no_offload
	check eventually "round $1: no table and no port is left" 60 no_lines
	check ok "round $1: the module can be removed" poll 30 rmmod nft_offload
	check soak_check "round $1: the connections go on without it"
	did "round $1: and loaded again" path_use module
}

note "NFTO_SEED=$seed, $seconds s of: ${everything[*]}"
sim_load && topo_up mlx5-rep && path_use module || exit
[[ ! -d $failslab ]] || { echo -1 >$failslab/times && echo 0 >$failslab/verbose; }
addresses >/dev/null
# Short, so that a lost entry of an idle flow is soon asked for.
in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=6 \
	net.netfilter.nf_flowtable_tcp_timeout=4
for name in a b; do
	in_ns "$name" nft -f - <<-END
		table inet bin {
			chain input {
				type filter hook input priority 0
				udp dport 5002 drop
				udp sport 5002 drop
			}
		}
	END
done
in_ns b "$here/flow.py" serve tcp 0.0.0.0 5000 >/dev/null 2>&1 &
in_ns b "$here/flow.py" serve udp 0.0.0.0 5001 >/dev/null 2>&1 &
poll 20 listening b 5000 tcp && poll 20 listening b 5001 udp
coproc SOAK { exec nsenter --net=/run/netns/a "$here/torture.py" soak \
	10.2.0.2 5000 10.2.0.2 5001 3; }
read -rt 60 answer <&"${SOAK[0]}"
is "the connections that are to last" "${answer-}" ready
"$here/torture.py" blast "$seed" "${NFTO_FLOWS:-1000}" "${NFTO_RATE:-1000}" "$hold" \
	a:lanw:r:lan b:wanw:r:wan w:wlan:x:xlan w:wwan:x:xwan &

end=$((SECONDS + seconds))
for ((number = 1; SECONDS < end || made < least || !most; number++)); do
	round $number
done
note "flows made: $made; most entries at an audit: $most"
topo_down
finish
