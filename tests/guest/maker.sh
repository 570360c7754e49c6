#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Making and removing adapters, in every state they can be in, and everything
# that can be written wrongly into the simulated NIC's files.

# shellcheck disable=SC2119,SC2317
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

# What there is; a refused write must not change it.
world() {
	local all=(/sys/class/net/* "$SIM"/*)
	WORLD="${all[*]}"
}

# refused TEXT ERRNO SENTENCE FILE DATA: a write in one piece, backslash escapes
# in DATA, fails and is explained, and nothing changes
refused() {
	local text=$1 errno=$2 sentence=$3 file=$4 data=$5 before why err=""
	local print=(builtin printf)
	# The shell's own printf writes each line by itself.
	[[ $data != *\\n* ]] || print=(env printf)
	world
	before=$WORLD
	if "${print[@]}" %b "$data" 2>"$errors" >"$file"; then
		fail "$text" "was accepted"
		return
	fi
	world
	read -r why <"$SIM/error"
	read -r err <"$errors"
	if [[ $err != *"$errno"* ]]; then
		fail "$text" "got:    $err" "wanted: $errno"
	elif [[ ! $why =~ $sentence ]]; then
		fail "$text" "got:    $why" "wanted: $sentence"
	elif [[ $WORLD != "$before" ]]; then
		fail "$text" "before: $before" "after:  $WORLD"
	else
		pass "$text: $why"
	fi
}

not_made() {
	refused "$1" "$2" "$3" "$SIM/new_adapter" "$4"
}

# devices NETNS [PATTERN]: names, sorted
devices() {
	ip -n "$1" -o link | sed -E 's/^[0-9]+: ([^:@]+).*/\1/' |
		grep -v '^lo$' | sort | tr '\n' ' '
}

devices_here() {
	ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*/\1/' | grep -v '^lo$' |
		sort | tr '\n' ' '
}

sim_load
has "an empty error file at first" "<$(<"$SIM/error")>" '^<>$'
here=$(devices_here)

# --- making ---

ok "an adapter with nothing but a name" sim_make sim1
is "its netdevs" "$(devices_here)" "${here}sim1p0 sim1p1 sim1w0 sim1w1 "
is "its profile and ports" \
	"$(grep -E '^(profile|ports)=' "$SIM/sim1/adapter" | tr '\n' ' ')" \
	"profile=mlx5-rep ports=2 "
is "drivers and buses" \
	"$(ethtool -i sim1p1 | grep -E '^(driver|bus-info)' | tr '\n' ' ')" \
	"driver: mlx5e_rep bus-info: sim1/1/host "
ok "removed" sim_del sim1
is "nothing is left of it" "$(devices_here)" "$here"

ok "one port" sim_make sim1 ports=1
is "its netdevs" "$(devices_here)" "${here}sim1p0 sim1w0 "
sim_del sim1

ok "32 ports, names by pattern" sim_make "sim1 ports=32 host=h%d wire=w%dx"
is "its netdevs" "$(devices_here | wc -w)" $((64 + $(wc -w <<<"$here")))
ok "the last ones" ip link show h31
ok "and theirs" ip link show w31x
is "its port list" "$(wc -l <"$SIM/sim1/ports")" 32
sim_del sim1

ok "names as lists, white space and tabs between the words" \
	sim_make $'  sim1   ports=3\thost=lan,wan,dmz wire=a,b,c  '
is "its netdevs" "$(devices_here)" "$(tr ' ' '\n' <<<"${here}lan wan dmz a b c" | sed '/^$/d' | sort | tr '\n' ' ')"
sim_del sim1

for profile in mlx5-rep mtk airoha flower none; do
	if sim_make sim1 profile=$profile ports=1; then
		is "profile $profile" "$(sed -n 's/^profile=//p' "$SIM/sim1/adapter")" $profile
		is "profile $profile: hw-tc-offload" \
			"$(ethtool -k sim1p0 | sed -n 's/^hw-tc-offload: //p')" \
			"$([[ $profile == none ]] && echo 'off [fixed]' || echo on)"
	else
		fail "profile $profile"
	fi
	sim_del sim1
done
ok "a name of nine characters, one digit" sim_make Sim_-6789 ports=1
ok "removed" sim_del Sim_-6789
ok "a line of 1023 characters" sim_make "$(printf '%-1022s' sim1)"
sim_del sim1

# --- network namespaces ---

ip netns add x
ip netns add y
ip netns exec x sleep 1000 &
in_x=$!
ip netns exec y sleep 1000 &
in_y=$!
is_in() {
	[[ $(ip netns identify "$1") == "$2" ]]
}
poll 10 is_in "$in_x" x
poll 10 is_in "$in_y" y

ok "made in the netns of a process" sim_make "sim1 ports=1 netns=$in_x"
is "host and wire are there" "$(devices x)" "sim1p0 sim1w0 "
sim_del sim1
ok "host and wire in two" sim_make "sim1 ports=1 netns=$in_x wire_netns=$in_y"
is "the host's" "$(devices x)" "sim1p0 "
is "the wire's" "$(devices y)" "sim1w0 "
sim_del sim1
is "nothing is left" "$(devices x)$(devices y)" ""
ok "only the wire elsewhere" sim_make "sim1 ports=1 wire_netns=$in_y"
is "the wire's" "$(devices y)" "sim1w0 "
ok "the host's is here" ip link show sim1p0
sim_del sim1
# With --net alone debugfs stays in sight, as ip netns exec does not leave it.
ok "made from inside another netns" nsenter --net=/run/netns/x \
	bash -c "echo sim1 ports=1 >$SIM/new_adapter"
is "its netdevs are there" "$(devices x)" "sim1p0 sim1w0 "
ok "the same names here do not matter" sim_make "sim2 ports=1 host=sim1p0 wire=sim1w0"
sim_del sim2

# --- what cannot be made ---

world
has "an adapter for comparison" "$WORLD" '/sim1'
not_made "an empty line" "Invalid argument" "needs a name" '\n'
not_made "blanks" "Invalid argument" "needs a name" '   \t '
not_made "ten characters" "File name too long" "at most 9" abcdefghij
not_made "a slash in the name" "Invalid argument" "letters, digits" a/b
not_made "a dot" "Invalid argument" "letters, digits" ..
not_made "a percent sign" "Invalid argument" "letters, digits" 'a%d'
not_made "UTF-8" "Invalid argument" "letters, digits" 'a\0303\0244'
not_made "a Latin-1 letter" "Invalid argument" "letters, digits" 'a\0344'
not_made "the name of a file" "Invalid argument" "cannot be an adapter's name" error
not_made "of the other, which is too long" "File name too long" "at most 9" new_adapter
not_made "an unknown key" "Invalid argument" "'foo' is none of ports, profile" 'x foo=1'
not_made "an unknown word" "Invalid argument" "'foo' is none of" 'x foo'
not_made "no key" "Invalid argument" "'' is none of" 'x =1'
not_made "a missing value" "Invalid argument" "ports needs a value" 'x ports='
not_made "a missing equals sign" "Invalid argument" "profile needs a value" 'x profile'
not_made "a key twice" "Invalid argument" "ports is given twice" 'x ports=1 ports=1'
for n in 0 33 x -1 256 1.5 2x 99999999999999999999; do
	not_made "ports=$n" "Invalid argument" "'$n' is not a number from 1 to 32" "x ports=$n"
done
not_made "an unknown profile" "Invalid argument" \
	"'foo' is none of mlx5-rep, mtk, airoha, flower, nfp, cxgb4, bnxt, stmmac, ice, none" 'x profile=foo'
not_made "too few names" "Invalid argument" "host: 1 names for 2 ports" 'x host=q'
not_made "too many names" "Invalid argument" "wire: 3 names for 2 ports" 'x wire=q,r,s'
not_made "an empty name in a list" "Invalid argument" "host: '' is not a name" 'x host=q,'
not_made "%s" "Invalid argument" "one %d stands for" 'x host=q%s'
not_made "%n" "Invalid argument" "one %d stands for" 'x host=q%n'
not_made "%%d" "Invalid argument" "one %d stands for" 'x host=q%%d'
not_made "two %d" "Invalid argument" "one %d stands for" 'x wire=q%d%d'
not_made "a percent sign at the end" "Invalid argument" "one %d stands for" 'x wire=q%'
not_made "a percent sign in a list" "Invalid argument" "one %d stands for" 'x host=q%d,r'
not_made "a slash in a list" "Invalid argument" "not a name" 'x host=q/1,r'
not_made "a slash in a pattern" "Invalid argument" "not a name" 'x host=q/%d'
not_made "a colon" "Invalid argument" "not a name" 'x host=q:1,r'
not_made "two dots" "Invalid argument" "not a name" 'x host=..,r'
not_made "16 characters" "Invalid argument" "not a name" 'x ports=1 host=abcdefghijklmnop'
not_made "16 characters by pattern" "Invalid argument" "not a name" 'x ports=1 host=abcdefghijklmno%d'
not_made "a long text behind the %d" "Invalid argument" "not a name" \
	'x ports=1 host=%dabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz'
ok "15 characters are a name" sim_make "x ports=1 host=abcdefghijklmno"
sim_del x
not_made "an existing netdev, first port" "File exists" "cannot register 'lo'" 'x host=lo,q'
not_made "second port" "File exists" "cannot register 'lo'" 'x host=q,lo'
not_made "on the wire" "File exists" "cannot register 'lo'" 'x wire=q,lo'
not_made "one name for host and wire" "File exists" "cannot register 'q1'" 'x host=q0,q1 wire=q2,q1'
not_made "one name twice in a list" "File exists" "cannot register 'q'" 'x host=q,q'
not_made "an existing adapter" "File exists" "adapter 'sim1' already" 'sim1'
not_made "a netns of no process" "No such process" "no process 999999" 'x netns=999999'
not_made "likewise for the wire" "No such process" "no process 999999" 'x wire_netns=999999'
sleep 0 &
dead=$!
wait "$dead"
not_made "a dead process" "No such process" "no process $dead" "x netns=$dead"
for n in 0 -1 x 1x 99999999999; do
	not_made "netns=$n" "Invalid argument" "'$n' is not a process number" "x netns=$n"
done
not_made "a zero byte" "Invalid argument" "zero byte" 'x\0000y'
not_made "a zero byte at the end" "Invalid argument" "zero byte" 'x\n\0000'
not_made "two lines" "Invalid argument" "more than one line" 'x\ny\n'
not_made "1024 characters" "Invalid argument" "more than 1023 characters" \
	"$(printf '%-1024s' x)"
not_made "much more" "Invalid argument" "more than 1023 characters" \
	"$(printf '%-4000s' x)"
refused "removing what is not there" "No such file" "no adapter 'sim9'" "$SIM/del_adapter" sim9
refused "removing nothing" "No such file" "no adapter ''" "$SIM/del_adapter" '\n'
refused "removing two" "No such file" "no adapter 'sim1 sim1'" "$SIM/del_adapter" 'sim1 sim1'
refused "removing a file" "No such file" "no adapter 'error'" "$SIM/del_adapter" error
refused "removing two lines" "Invalid argument" "more than one line" "$SIM/del_adapter" 'sim1\nsim1'

world
before=$WORLD
for user in "--reuid=65534 --regid=65534 --clear-groups" \
	    "--bounding-set=-net_admin --inh-caps=-net_admin"; do
	for file in new_adapter del_adapter sim1/capacity sim1/reset; do
		# shellcheck disable=SC2086
		if setpriv $user bash -c "echo sim1 >$SIM/$file" 2>"$errors"; then
			fail "$file with $user"
		else
			has "$file with $user" "$(<"$errors")" \
				"Permission denied|Operation not permitted"
		fi
	done
done
world
is "nothing changed" "$WORLD" "$before"
if setpriv --reuid=65534 --regid=65534 --clear-groups cat "$SIM/sim1/entries" 2>"$errors"; then
	fail "nobody reads the entries"
else
	has "nobody reads the entries" "$(<"$errors")" "Permission denied"
fi
sim_del sim1
kill "$in_x" "$in_y"
wait "$in_x" "$in_y" 2>/dev/null
ip netns del x
ip netns del y
is "no netdev is left of all this" "$(devices_here)" "$here"

# --- knobs ---

sim_make sim0

# knob_takes NAME VALUE[=READ BACK]...
knob_takes() {
	local name=$1 value got bad=()
	shift
	for value; do
		{ echo "${value%=*}" >"$SIM/sim0/$name"; } 2>/dev/null ||
			bad+=("$value is refused: $(<"$SIM/error")")
		read -r got <"$SIM/sim0/$name"
		[[ $got == "${value#*=}" ]] || bad+=("$value is read as $got")
	done
	if ((${#bad[@]})); then
		fail "knob $name takes $*" "${bad[@]}"
	else
		pass "knob $name takes $*"
	fi
}

# knob_refuses NAME SENTENCE VALUE...: each leaves the knob as it was
knob_refuses() {
	local name=$1 sentence=$2 value got why was bad=()
	shift 2
	read -r was <"$SIM/sim0/$name"
	for value in "$@" "" " " "$(printf '%032d' 0)"; do
		if { echo "$value" >"$SIM/sim0/$name"; } 2>"$errors"; then
			bad+=("'$value' is accepted")
			continue
		fi
		read -r got <"$SIM/sim0/$name"
		read -r why <"$SIM/error"
		[[ $got == "$was" ]] || bad+=("'$value' made it $got")
		[[ $(<"$errors") == *"Invalid argument"* ]] ||
			bad+=("'$value': $(<"$errors")")
		[[ $why == *$name* && $why =~ $sentence|"more than 31 characters" ]] ||
			bad+=("'$value': $why")
	done
	if ((${#bad[@]})); then
		fail "knob $name refuses wrong values" "${bad[@]}"
	else
		pass "knob $name refuses wrong values: $why"
	fi
}

number_knob() {
	knob_takes "$1" 0 1 "0x10=16" "$2"
	knob_refuses "$1" "is not a number from 0 to $2" x -1 1.5 "1 2" \
		$(($2 + 1)) 18446744073709551617 1x 0x
}

known="adapter entries ports refusals reset"
number_knob capacity 1000000
number_knob bind_rate 1000000
number_knob prio_range 4294967295
number_knob stats_ms 3600000
number_knob fail_count 4294967295
known+=" capacity bind_rate prio_range stats_ms fail_count"
for what in bind replace destroy stats; do
	number_knob delay_${what}_us 10000000
	known+=" delay_${what}_us"
done
for what in bind unbind replace destroy stats; do
	knob_takes fail_$what EIO "22=EINVAL" ENOSPC "95=EOPNOTSUPP" 4000 0 EBUSY
	knob_refuses fail_$what "is not 0, an error number or a name" \
		x -5 -EIO eio EFOO 4095 5000 4294967296 "EIO EIO"
	known+=" fail_$what"
done
knob_takes stats_lie zero busy double backwards off
knob_refuses stats_lie "none of off, zero, busy, double, backwards" x 0 1 -1 OFF offx
knob_takes link_down "1=0x1" 0x2 "3=0x3" "0=0x0"
knob_refuses link_down "is not a mask of 2 ports" x -1 4 0x4 0xffffffff 4294967297
knob_takes fail_port 0 1 -1
knob_refuses fail_port "is not -1 or a port from 0 to 1" x -2 2 256 4294967295
for what in bind_silent wants_rtnl; do
	knob_takes $what 1 0
	knob_refuses $what "is not 0 or 1" x -1 2 01x
	known+=" $what"
done
for what in pipeline_cpu host_cpu; do
	knob_takes $what 0 -1
	knob_refuses $what "is not -1 or an online CPU" x -2 "$(nproc --all)" 99 4294967295
	known+=" $what"
done
known+=" stats_lie link_down fail_port"
refused "reset wants 1" "Invalid argument" "reset: '0' is not 1" "$SIM/sim0/reset" 0
refused "and nothing longer" "Invalid argument" "reset: more than 31" "$SIM/sim0/reset" \
	"$(printf '%-40s' 1)"
ok "reset" knob reset 1
is "it is counted" "$(sed -n 's/^resets=//p' "$SIM/sim0/adapter")" 1
# shellcheck disable=SC2086
is "every file of the adapter was looked at" "$(cd "$SIM/sim0" && echo *)" \
	"$(tr ' ' '\n' <<<"$known" | sort | tr '\n' ' ' | sed 's/ $//')"
is "owner and mode of files for reading and writing" \
	"$(stat -c '%U %a' "$SIM/sim0/capacity" "$SIM/sim0/reset" "$SIM/sim0/entries" | tr '\n' ' ')" \
	"root 600 root 200 root 400 "
sim_del sim0

# --- state files ---

sim_make "sim0 host=lan,wan"
is "keys of adapter" "$(cut -d= -f1 "$SIM/sim0/adapter" | tr '\n' ' ')" \
	"profile about ports entries entries_bound callback_ns resets refusals "
has "a port's line" "$(head -n1 "$SIM/sim0/ports")" \
	'^port=0 host=lan host_ifindex=[0-9]+ wire=sim0w0 wire_ifindex=[0-9]+ link=down hw_tc_offload=on tc_blocks=0 ft_blocks=0$'
ip link set lan up
ip link set sim0w0 up
has "link up when both ends are" "$(head -n1 "$SIM/sim0/ports")" 'link=up'
is "carrier" "$(cat /sys/class/net/lan/carrier /sys/class/net/sim0w0/carrier | tr '\n' ' ')" "1 1 "
tc qdisc add dev lan ingress
tc filter add dev lan ingress prio 2 protocol ip flower skip_sw ip_proto udp \
	dst_ip 10.0.0.0/8 dst_port 9 action drop
has "a bound block" "$(head -n1 "$SIM/sim0/ports")" 'tc_blocks=1 ft_blocks=0'
has "an entry's line" "$(sim_entries)" \
	'^cookie=0x[0-9a-f]+ port=0 class=tc prio=2 state=bound packets=0 bytes=0 age_ms=[0-9]+ idle_ms=[0-9]+ match: in=0 untagged n_proto=0x0800 ip_proto=17 dst=10.0.0.0/255.0.0.0 dport=9 actions: drop$'
tc filter add dev lan ingress prio 3 protocol ip flower skip_sw \
	action goto chain 1 2>/dev/null
has "a refusal's line" "$(<"$SIM/sim0/refusals")" \
	'^seq=[0-9]+ call=replace port=0 class=tc cookie=0x[0-9a-f]+ errno=EOPNOTSUPP age_ms=[0-9]+ why=an action'
is "numbers of the adapter" "$(grep -E '^(entries|refusals)' "$SIM/sim0/adapter" | tr '\n' ' ')" \
	"entries=1 entries_bound=1 refusals=$(wc -l <"$SIM/sim0/refusals") "

# --- removal in all states ---

ok "removed while up and with a tc rule" sim_del sim0
is "nothing is left" "$(devices_here)" "$here"

# Two adapters, one rule: same priority, same match.
ip netns add x
for n in 1 2; do
	sim_make "sim$n ports=1"
	ip link set sim${n}w0 netns x
	ip link set sim${n}p0 up
	ip -n x link set sim${n}w0 up
	ip addr add 10.$n.0.1/24 dev sim${n}p0
	ip -n x addr add 10.$n.0.2/24 dev sim${n}w0
	ip -n x neigh add 10.$n.0.1 dev sim${n}w0 \
		lladdr "$(cat /sys/class/net/sim${n}p0/address)"
	tc qdisc add dev sim${n}p0 ingress
	ok "the rule in adapter $n" tc filter add dev sim${n}p0 ingress prio 1 \
		protocol ip flower skip_sw ip_proto udp dst_port 9 action drop
done
hits() {
	sed 's/.* packets=\([0-9]*\).*/\1/' "$SIM/$1/entries"
}
hits_are() {
	[[ $(hits "$1") == "$2" ]]
}
is "one entry each" "$(cat "$SIM"/sim[12]/entries | wc -l)" 2
is "two cookies" "$(sed 's/ .*//' "$SIM"/sim[12]/entries | sort -u | wc -l)" 2
flow_open to1 x udp 10.1.0.1 9
flow_send to1 7
eventually "traffic of the first hits its entry" 10 hits_are sim1 7
is "and not the other's" "$(hits sim2)" 0
tc qdisc del dev sim2p0 ingress
is "the second's rule goes" "$(wc -l <"$SIM/sim2/entries")" 0
is "the first's stays" "$(wc -l <"$SIM/sim1/entries")" 1
flow_send to1 7
eventually "and works" 10 hits_are sim1 14
ok "the first is removed" sim_del sim1
world
has "the second is there" "$WORLD" '/sim2p0 .*/sim2$'
flow_close to1
sim_del sim2
ip netns del x

# --- renamed, moved, its netns deleted ---

topo_up || fail "topology"
ft_rules ""
sink_up
flow_open f a udp 10.2.0.2 7001
flow_step f 2
eventually "a flow is in hardware" 10 entries_are 2
ip -n r link set lan down
ip -n r link set lan name inside
has "renamed" "$(<"$SIM/sim0/ports")" '^port=0 host=inside '
ip -n r link set inside netns a
ip -n a link set inside up
has "moved to another netns" "$(devices a)" "inside lanw"
has "the link is up there" "$(<"$SIM/sim0/ports")" '^port=0 host=inside .* link=up'
flow_close f
ip netns pids r | xargs -r kill
ip netns del r
eventually "a port comes back when its netns is deleted" 15 ip link show wan
ip netns del a
eventually "likewise the other's host and wire" 15 ip link show inside
ok "lanw" ip link show lanw
ok "removed from there" sim_del sim0
ip netns del b
is "nothing is left" "$(devices_here)" "$here"

topo_up
ft_rules ""
sink_up
flow_open f a udp 10.2.0.2 7001
flow_step f 2
eventually "live entries of a flowtable" 10 entries_are 2
in_ns r tc qdisc add dev lan ingress
in_ns r tc filter add dev lan ingress prio 1 protocol ip flower skip_sw \
	ip_proto udp dst_port 9 action drop
is "and a tc rule" "$(sim_count_entries)" 3
has "both are bound" "$(head -n1 "$SIM/sim0/ports")" "tc_blocks=1 ft_blocks=1"
ok "removed with all of it, from outside its netns" sim_del sim0
is "no netdev is left" "$(devices r)$(devices a)$(devices b)" ""
ok "the ruleset can still be flushed" in_ns r nft flush ruleset
topo_down

# --- removal under traffic ---

busy() {
	(($(sed -n 's/^entries_bound=//p' "$SIM/sim0/adapter") >= 2 &&
	  $(ctr lan forwarded_packets) > 100))
}

host_busy() {
	(($(ctr lan host_in_packets) > 100))
}

# A process reads every file all the time.
watch_it() {
	while :; do
		cat "$SIM"/sim0/{entries,ports,refusals,adapter}
		ip -n r -s link
		in_ns r ethtool -S lan
	done >/dev/null 2>&1
}

traffic_round() {
	local way=$1 removal=$2 reader sender
	topo_up "${3:-mlx5-rep}" || fail "topology"
	in_ns b iperf3 -s >/dev/null 2>&1 &
	poll 10 listening b 5201 tcp
	if [[ $way == hardware ]]; then
		ft_rules ""
	fi
	in_ns a timeout 60 iperf3 -P 2 -t 50 -c 10.2.0.2 >/dev/null 2>&1 &
	sender=$!
	watch_it &
	reader=$!
	if [[ $way == hardware ]]; then
		eventually "traffic runs in hardware (${3:-mlx5-rep})" 20 busy
	else
		eventually "traffic runs through the host" 20 host_busy
	fi
	if [[ $removal == rmmod ]]; then
		# A process that reads a file holds the module.
		kill "$reader"
		wait "$reader" 2>/dev/null
		ok "the module is removed meanwhile" rmmod nft_offload_sim
	else
		ok "the adapter is removed meanwhile" sim_del sim0
	fi
	is "its netdevs are gone" "$(devices r)$(devices a)$(devices b)" ""
	kill "$reader" 2>/dev/null
	kill "$sender"
	wait "$reader" "$sender" 2>/dev/null
	topo_down
}

traffic_round hardware del
traffic_round host del
traffic_round hardware del mtk
traffic_round hardware rmmod
sim_load
traffic_round host rmmod
sim_load

# --- many times ---

rounds() {
	local i
	for ((i = 0; i < 50; i++)); do
		sim_make "sim0 ports=1" && sim_del sim0 || return
	done
}
ok "50 times made and removed" rounds
is "nothing is left" "$(devices_here)" "$here"
world
is "no adapter is left" "$(tr ' ' '\n' <<<"$WORLD" | grep -c "^$SIM")" 3

sim_make sim1 ports=1
sim_make sim2 ports=2 profile=airoha
tc qdisc add dev sim1p0 ingress
ip link set sim2p1 up
exec 5<"$SIM/sim1/entries"
if rmmod nft_offload_sim 2>"$errors"; then
	fail "an open file holds the module"
else
	has "an open file holds the module" "$(<"$errors")" "is in use"
fi
sim_del sim1
read -r line <&5 2>/dev/null
is "an open file of a removed adapter has nothing to say" "${line:-}" ""
exec 5<&-
ok "the module is removed with an adapter in it" rmmod nft_offload_sim
is "nothing is left" "$(devices_here)" "$here"
ok "nor in debugfs" test ! -e "$SIM"
finish
