# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the scripts that run in the virtual machine: results in TAP, the
# simulated NIC, and the one topology that most tests use.
#
#     netns a                    netns r (the host under test)          netns b
#     10.1.0.2   lanw <-wire-> lan  10.1.0.1 | 10.2.0.1  wan <-wire-> wanw   10.2.0.2
#     fd01::2                       fd01::1  | fd02::1                       fd02::2
#
# "lan" and "wan" are ports 0 and 1 of the adapter sim0.

set -u
export LC_ALL=C
tap_n=0
tap_failed=0

# --- results ---

pass() {
	echo "ok $((++tap_n)) - $1"
}

# fail TEXT [DETAIL...]
fail() {
	echo "not ok $((++tap_n)) - $1"
	tap_failed=1
	shift
	local line
	for line in "$@"; do
		printf '%s\n' "$line" | sed 's/^/# /'
	done
}

note() {
	printf '# %s\n' "$*"
}

# ok TEXT COMMAND...: the command succeeds
ok() {
	local text=$1 out
	shift
	if out=$("$@" 2>&1); then
		pass "$text"
	else
		fail "$text" "failed: $*" "$out"
	fi
}

# did TEXT COMMAND...: as ok, in this shell, for commands that leave something
did() {
	local text=$1
	shift
	if "$@"; then
		pass "$text"
	else
		fail "$text" "failed: $*"
	fi
}

# is TEXT GOT WANTED
is() {
	if [[ $2 == "$3" ]]; then
		pass "$1"
	else
		fail "$1" "got:    $2" "wanted: $3"
	fi
}

# has TEXT GOT PATTERN: the text contains what the (extended) pattern matches
has() {
	if grep -Eq -- "$3" <<<"$2"; then
		pass "$1"
	else
		fail "$1" "got:    ${2:-(nothing)}" "wanted: $3"
	fi
}

# num TEXT A OP B: a comparison as test(1) makes them
num() {
	if [[ $2 =~ ^-?[0-9]+$ && $4 =~ ^-?[0-9]+$ ]] && test "$2" "$3" "$4"; then
		pass "$1 ($2 $3 $4)"
	else
		fail "$1" "got: $2, wanted: $3 $4"
	fi
}

# poll SECONDS COMMAND...: until it succeeds; false when the time is up
poll() {
	local end=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		read -rt 0.05 <> <(:) || :
	done
}

# eventually TEXT SECONDS COMMAND...
eventually() {
	local text=$1 seconds=$2
	shift 2
	if poll "$seconds" "$@"; then
		pass "$text"
	else
		fail "$text" "not within $seconds s: $*" "$("$@" 2>&1)"
	fi
}

finish() {
	echo "1..$tap_n"
	exit "$tap_failed"
}

# --- the simulated NIC ---

SIM=/sys/kernel/debug/nft_offload_sim
# Where tests/build put them.
NFTO_MODULES=${NFTO_MODULES:-$(dirname "${BASH_SOURCE[0]}")/../../build/$(uname -r)}

sim_load() {
	insmod "$NFTO_MODULES/sim/nft_offload_sim.ko"
}

# path_use kernel|module [PARAMETERS]: whose flowtables the next ruleset gets;
# nothing may use the other's any more
path_use() {
	local path=$1
	shift
	case $path in
	kernel)
		path_drop nft_offload || return
		modprobe -a nf_flow_table_inet nft_flow_offload
		;;
	module)
		path_drop nft_flow_offload nf_flow_table_inet nf_flow_table || return
		modprobe -a nf_tables nf_conntrack &&
			insmod "$NFTO_MODULES/nft_offload.ko" "$@"
		;;
	esac
}

# path_drop MODULE...: those that are loaded; a flowtable is freed by a worker,
# so the module may be in use for a moment after the ruleset is gone
path_drop() {
	local module
	for module in "$@"; do
		poll 30 dropped "$module" || return
	done
}

dropped() {
	[[ ! -d /sys/module/$1 ]] || rmmod "$1"
}

# path_in_use: prints kernel or module, by who has a flowtable now
path_in_use() {
	awk '$1 == "nft_offload" && $3 > 0 { print "module" }
		$1 == "nf_flow_table_inet" && $3 > 0 { print "kernel" }' /proc/modules
}

# path_leave: unloads whatever is loaded
path_leave() {
	path_drop nft_offload nft_flow_offload nf_flow_table_inet nf_flow_table
}

# in_hardware: how many entries the module believes to be in hardware
in_hardware() {
	# shellcheck disable=SC2016 # awk
	in_ns r awk '$1 == "port" && match($0, /in_hardware=[0-9]+/) {
		n += substr($0, RSTART + 12, RLENGTH - 12) }
		END { print n + 0 }' /proc/net/nft_offload
}

believes() {
	[[ $(in_hardware) == "$(sim_count_entries)" ]]
}

# agrees NAME: what the module believes is what the simulated NIC has
agrees() {
	[[ ! -e /proc/net/nft_offload ]] ||
		eventually "$1: the module knows what is in hardware" 10 believes
}

# Writes a line to a file; on refusal prints the module's own sentence.
sim_write() {
	if ! echo "$2" 2>/dev/null >"$1"; then
		cat "$SIM/error"
		return 1
	fi
}

sim_make() {
	sim_write "$SIM/new_adapter" "$*"
}

sim_del() {
	sim_write "$SIM/del_adapter" "$1"
}

# knob NAME [VALUE]: of sim0
knob() {
	if (($# > 1)); then
		sim_write "$SIM/sim0/$1" "$2"
	else
		cat "$SIM/sim0/$1"
	fi
}

sim_entries() {
	cat "$SIM/sim0/entries"
}

sim_count_entries() {
	sim_entries | wc -l
}

# ctr DEVICE NAME: a counter of ethtool -S, "offload_" left out
ctr() {
	in_ns r ethtool -S "$1" | sed -n "s/^ *offload_$2: //p"
}

# --- the topology ---

# in_ns NETNS COMMAND...: nsenter, because "ip netns exec" mounts another /sys,
# where debugfs is missing
in_ns() {
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

topo_up() {
	local profile=${1:-mlx5-rep} ns
	for ns in a r b; do
		ip netns add "$ns" || return
		ip -n "$ns" link set lo up
		in_ns "$ns" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.all.accept_dad=0
	done
	nic_up "$profile" || return
	# Neighbours resolved, so that the first packets of a test are its own.
	poll 10 in_ns a ping -qc1 -W1 10.2.0.2 &&
		poll 10 in_ns a ping -qc1 -W1 fd02::2
}

# nic_up PROFILE: the adapter and all that is on it
nic_up() {
	local profile=$1
	sim_make "sim0 profile=$profile host=lan,wan wire=lanw,wanw" || return
	ip link set lan netns r && ip link set wan netns r &&
		ip link set lanw netns a && ip link set wanw netns b || return

	in_ns r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n r addr add 10.1.0.1/24 dev lan
	ip -n r addr add 10.2.0.1/24 dev wan
	ip -n r addr add fd01::1/64 dev lan nodad
	ip -n r addr add fd02::1/64 dev wan nodad
	ip -n a addr add 10.1.0.2/24 dev lanw
	ip -n b addr add 10.2.0.2/24 dev wanw
	ip -n a addr add fd01::2/64 dev lanw nodad
	ip -n b addr add fd02::2/64 dev wanw nodad
	ip -n r link set lan up
	ip -n r link set wan up
	ip -n a link set lanw up
	ip -n b link set wanw up
	ip -n a route add default via 10.1.0.1
	ip -n b route add default via 10.2.0.1
	ip -n a route add default via fd01::1
	ip -n b route add default via fd02::1
}

topo_down() {
	local ns pids
	for ns in a r b; do
		pids=$(ip netns pids "$ns" 2>/dev/null)
		# shellcheck disable=SC2086 # one word for each process
		[[ -z $pids ]] || kill $pids 2>/dev/null
	done
	[[ ! -d $SIM/sim0 ]] || sim_del sim0
	for ns in a r b; do
		ip netns del "$ns" 2>/dev/null
	done
	return 0
}

# ft_rules [NFT TEXT FOR THE SAME FILE]: the flowtable of the kernel's
# documentation, with hardware offload; $ft_flags='' leaves it in software
ft_rules() {
	# Not in one transaction: where the driver binds exclusively, the kernel's
	# flowtable would find its devices busy with the old one.
	in_ns r nft flush ruleset
	in_ns r nft -f - <<-END
		table inet t {
			flowtable ft {
				hook ingress priority 0
				devices = { lan, wan }
				${ft_flags-flags offload}
				counter
			}
			chain forward {
				type filter hook forward priority 0; policy accept
				meta l4proto { tcp, udp } flow add @ft
			}
		}
		${1:-}
	END
}

# listening NETNS PORT PROTO: something is bound to it
listening() {
	in_ns "$1" ss -Hln "--$3" "sport = :$2" | grep -q .
}

# --- flows at a pace of the test's choosing ---

declare -A flow_fd=()

# flow_open NAME NETNS udp|tcp ADDRESS PORT: a socket that sends when told to
flow_open() {
	local fd
	# shellcheck disable=SC2016
	exec {fd}> >(exec ip netns exec "$2" bash -c '
		exec 3<>"/dev/$0/$1/$2" || exit
		while read -r n; do
			for ((; n > 0; n--)); do
				printf x >&3
			done
		done' "$3" "$4" "$5" 2>/dev/null)
	flow_fd[$1]=$fd
}

# flow_send NAME COUNT: that many packets, at once, of one byte
flow_send() {
	echo "$2" >&"${flow_fd[$1]}"
}

flow_close() {
	local fd=${flow_fd[$1]}
	exec {fd}>&-
	unset "flow_fd[$1]"
}

# sink_up: netns b counts UDP to the ports from 7000 to 7999 and answers nothing
sink_up() {
	in_ns b nft -f - <<-END
		table inet sink {
			chain input {
				type filter hook input priority 0
				meta l4proto != udp accept
				udp dport != 7000-7999 accept
				ip ttl 64 counter
				ip ttl 63 counter
				counter drop
			}
		}
	END
}

# sunk [ttl64|ttl63]: packets that the sink has counted, all or those
sunk() {
	local rule='counter.*drop'
	(($# == 0)) || rule="ttl ${1#ttl} counter"
	in_ns b nft list chain inet sink input |
		sed -n "/$rule/s/.*packets \([0-9]*\).*/\1/p"
}

# sunk_is COUNT
sunk_is() {
	[[ $(sunk) == "$1" ]]
}

# entries_are COUNT
entries_are() {
	[[ $(sim_count_entries) == "$1" ]]
}

# refusal PATTERN: the last one of sim0 that matches, without number and age
refusal() {
	grep -E -- "$1" "$SIM/sim0/refusals" | tail -n1 |
		sed -E 's/^seq=[0-9]+ //; s/ cookie=[^ ]+//; s/ age_ms=[0-9]+//'
}

# flows_end: all flows of the kernel's flowtable end as they should
flows_end() {
	in_ns r conntrack -F >/dev/null 2>&1
	poll 15 entries_are 0
}

# flow_step NAME COUNT: packets one by one, each waited for at the sink. A flow
# has to begin so: packets that the host receives together make a conntrack
# entry each, and all but one of these are given up, sometimes with the packet.
flow_step() {
	local i before
	for ((i = 0; i < $2; i++)); do
		before=$(sunk)
		flow_send "$1" 1
		poll 10 sunk_is $((before + 1)) || return
	done
}

# --- nft_offload's own figures ---

# port_get DEVICE KEY: of its line in /proc/net/nft_offload
port_get() {
	in_ns r sed -n "s/^port .* name=$1\( .*\)\? $2=\([^ ]*\).*/\2/p" /proc/net/nft_offload
}

port_is() {
	[[ $(port_get "$1" "$2") == "$3" ]]
}

# flowtable_get KEY: the sum over all flowtables
flowtable_get() {
	# shellcheck disable=SC2016 # awk
	in_ns r awk -v key=" $1=" '$1 == "flowtable" && (at = index($0, key)) {
		n += substr($0, at + length(key)) + 0 } END { print n + 0 }' /proc/net/nft_offload
}

# reason_get NAME: how often
reason_get() {
	# shellcheck disable=SC2016 # awk
	in_ns r awk -v name="$1" '$1 == "reason" && $2 == name { n = $3 }
		END { print n + 0 }' /proc/net/nft_offload
}

# strays: entries of sim0 that belong to no offloaded connection, and cookies
# that are there twice at one port
strays() {
	{
		in_ns r conntrack -L 2>/dev/null
		in_ns r conntrack -L -f ipv6 2>/dev/null
		echo entries
		sim_entries
	} | awk '
		function key(src, dst, sport, dport) {
			return src " " dst " " sport " " dport
		}
		$1 == "entries" { entries = 1; next }
		{
			n = split($0, word, " ")
			tuple = 0
			delete v
			for (i = 1; i <= n; i++) {
				if (!(eq = index(word[i], "=")))
					continue
				name = substr(word[i], 1, eq - 1)
				if (name == "src")
					tuple++
				if (entries || name ~ /^(src|dst|sport|dport)$/)
					v[entries ? 1 : tuple, name] = substr(word[i], eq + 1)
			}
			if (!entries) {
				if (/OFFLOAD\]/)
					for (t = 1; t <= 2; t++)
						live[key(v[t, "src"], v[t, "dst"],
							 v[t, "sport"], v[t, "dport"])] = 1
				next
			}
			if (!(key(v[1, "src"], v[1, "dst"], v[1, "sport"], v[1, "dport"]) in live) ||
			    seen[v[1, "cookie"], v[1, "port"]]++)
				print
		}'
}

no_strays() {
	local out
	out=$(strays)
	echo "$out"
	[[ -z $out ]]
}

# sound NAME: every entry in the simulated NIC is one that the module believes
# in, and belongs to a live flow
sound() {
	agrees "$1"
	eventually "$1: each entry is of a live flow" 10 no_strays
}
