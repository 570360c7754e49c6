#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Checksum, segmentation and receive offloads of the simulated NIC's netdevs:
# what the senders leave undone, the NIC or the receivers do, whichever way the
# packets take. Files go through the kernel's flowtable in hardware and are
# compared.

# shellcheck disable=SC2317
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

trap 'topo_down; rm -rf "$dir"' EXIT
dir=$(mktemp -d)
port=9000
held=
bytes=$((8 << 20))
# What an 8 MB file is at least, in frames of 1,514 bytes.
frames=5700

head -c "$bytes" /dev/urandom >"$dir/file"
mkfifo "$dir/pipe"

declare -A address=([a]=10.1.0.2 [b]=10.2.0.2)
declare -A host_port=([a]=lan [b]=wan)

# --- netdevs ---

# features NETNS DEVICE WORDS...: all on, then as told
features() {
	local ns=$1 dev=$2
	shift 2
	in_ns "$ns" ethtool -K "$dev" sg on tx on rx on tso on gso on gro on &&
		{ (($# == 0)) || in_ns "$ns" ethtool -K "$dev" "$@"; }
} >/dev/null

wires() {
	features a lanw "$@" && features b wanw "$@"
}

hosts() {
	features r lan "$@" && features r wan "$@"
}

# --- transfers ---

# entries_of PORT: both directions of the connection are in the NIC
entries_of() {
	(($(sim_entries | grep -Ec " [sd]port=$1 ") >= 2))
}

bad_checksums() {
	local ns=$1
	# shellcheck disable=SC2016
	in_ns "$ns" awk '
		/^(Tcp|Udp):/ {
			if ($2 !~ /^-?[0-9]/) {
				for (i = 2; i <= NF; i++)
					if ($i == "InCsumErrors")
						at[$1] = i
			} else {
				sum += $at[$1]
			}
		}
		END { print sum }' /proc/net/snmp
}

# transfer TEXT FROM TO hardware|host: a file through one connection; it is
# held back until its entries are in the NIC, which $held shows then
transfer() {
	local text=$1 from=$2 to=$3 way=$4 in=${host_port[$2]} host out receiver
	: $((port++))
	in_ns "$to" socat -u "TCP-LISTEN:$port,reuseaddr" \
		"OPEN:$dir/got,creat,trunc" &
	receiver=$!
	if ! poll 10 listening "$to" "$port" tcp; then
		fail "$text: nobody listens"
		return
	fi
	in_ns "$from" socat -u "OPEN:$dir/pipe" \
		"TCP:${address[$to]}:$port" &
	exec {pipe}>"$dir/pipe"
	head -c 1000 "$dir/file" >&"$pipe"
	if [[ $way == hardware ]] && ! poll 10 entries_of "$port"; then
		fail "$text: the connection is offloaded" "$(sim_entries)"
	fi
	held=$(sim_entries)
	host=$(ctr "$in" host_in_packets)
	out=$(ctr "$in" forwarded_packets)
	tail -c +1001 "$dir/file" >&"$pipe"
	exec {pipe}>&-
	wait "$receiver"
	ok "$text: the file is the same" cmp "$dir/file" "$dir/got"
	host=$(($(ctr "$in" host_in_packets) - host))
	out=$(($(ctr "$in" forwarded_packets) - out))
	if [[ $way == hardware ]]; then
		num "$text: the NIC forwards" "$out" -gt "$frames"
		num "$text: the host sees little of it" "$host" -lt 60
	else
		num "$text: the host forwards" "$host" -gt "$frames"
		is "$text: the NIC does not" "$out" 0
	fi
}

both_ways() {
	transfer "$1, a to b" a b "$2"
	transfer "$1, b to a" b a "$2"
}

# --- the passes ---

all_off=(tx off rx off tso off gso off gro off sg off)

through_hardware() {
	local mode
	ft_rules
	for mode in "" "tso off" "tx off" "rx off" "gro off" "${all_off[*]}"; do
		# shellcheck disable=SC2086
		ok "wires: ${mode:-defaults}" wires $mode
		both_ways "${mode:-defaults}" hardware
	done
	ok "wires: defaults again" wires
	ok "hosts: all off" hosts "${all_off[@]}"
	both_ways "all off at the host" hardware
	ok "hosts: defaults again" hosts
}

# Senders differ from receivers: the NIC is between what was left undone and
# somebody who does not expect that.
mixed() {
	ok "a sends as it likes, b wants it finished" features b wanw \
		"${all_off[@]}"
	both_ways "all off at one end" hardware
	wires
}

# The kernel leaves entries of a flowtable that goes in the NIC (W2), and a later
# flow can be of the same cookie, which is an address: refused for ever.
empty() {
	eventually "$1: the NIC is empty" 30 entries_are 0
}

through_host() {
	empty "classic forwarding"
	in_ns r nft flush ruleset
	both_ways "classic forwarding" host
	hosts "${all_off[@]}"
	both_ways "classic forwarding, all off at the host" host
	wires "${all_off[@]}"
	hosts
	transfer "classic forwarding, all off at the wires" a b host
	wires
}

# The sender has summed up, so nobody vouches for the result: the receiver
# checks what the NIC has made of it.
translated() {
	empty "masquerade"
	ft_rules 'table ip nat {
		chain post {
			type nat hook postrouting priority 100
			oifname "wan" masquerade
		}
	}'
	wires tx off
	transfer "masquerade" a b hardware
	has "masquerade: the NIC translates" "$held" "ip\+12=0a020001/ffffffff"
	has "masquerade: and back" "$held" "ip\+16=0a010002/ffffffff"
	wires
	transfer "masquerade, checksums left to the NIC" a b hardware
}

measured() {
	in_ns b iperf3 -s -1 -D
	poll 10 listening b 5201 tcp
	local out client in
	in=$(ctr lan forwarded_packets)
	in_ns a iperf3 -c "${address[b]}" -t 2 -J >"$dir/iperf" &
	client=$!
	eventually "iperf3: its connections are in the NIC" 20 entries_of 5201
	if wait "$client"; then
		pass "iperf3 ends well"
	else
		fail "iperf3 ends well" "$(cat "$dir/iperf")"
	fi
	out=$(sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[^0-9]*\([0-9]*\).*/\1/p' \
		"$dir/iperf")
	num "iperf3: throughput in bit/s" "$out" -gt 0
	num "iperf3: forwarded by the NIC" \
		$(($(ctr lan forwarded_packets) - in)) -gt 100
}

ok "the module loads" sim_load
ok "the topology" topo_up mlx5-rep

through_hardware
mixed
measured
translated
through_host

for ns in a b; do
	is "netns $ns has met no wrong checksum" "$(bad_checksums $ns)" 0
done
for dev in lan wan; do
	is "$dev has dropped nothing" \
		"$(ctr $dev drop_error) $(ctr $dev drop_link)" "0 0"
done
topo_down
ok "the module goes" rmmod nft_offload_sim
finish
