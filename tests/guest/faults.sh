#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every fault of the simulated NIC, seen to act: with the kernel's flowtable or
# with tc.

# shellcheck disable=SC2119,SC2317
# shellcheck source=tests/guest/lib.sh
. "$(dirname "$0")/lib.sh"

udp="protocol ip flower skip_sw ip_proto udp"

# rule PORT: tc drops UDP to it in hardware
rule() {
	# shellcheck disable=SC2086
	in_ns r tc filter add dev lan ingress prio 1 $udp dst_port "$1" action drop
}

no_rules() {
	in_ns r tc qdisc del dev lan ingress 2>/dev/null
	knob reset 1
	in_ns r tc qdisc add dev lan ingress
}

# hit PORT COUNT: so many packets for a rule; they are counted when it returns
hit() {
	local was
	was=$(hits "$1")
	flow_open hit a udp 10.2.0.2 "$1"
	flow_send hit "$2"
	poll 20 hits_are "$1" $((was + $2)) || fail "$2 packets hit the rule of $1"
	flow_close hit
}

hits() {
	sim_entries | sed -n "s/.* packets=\([0-9]*\) .* dport=$1 .*/\1/p"
}

hits_are() {
	[[ $(hits "$1") == "$2" ]]
}

# told: packets of the first rule, as tc knows them
told() {
	in_ns r tc -s filter show dev lan ingress |
		sed -n 's/.*Sent hardware [0-9]* bytes \([0-9]*\) pkt.*/\1/p; $a 0' | head -n1
}

# used: seconds since its last use, likewise; tc leaves 0 out
used() {
	in_ns r tc -s filter show dev lan ingress |
		sed -n 's/.* used \([0-9]*\) sec.*/\1/p; $a 0' | head -n1
}

# older MILLISECONDS: the first entry exists for so long
older() {
	(($(sim_entries | sed -n '1s/.* age_ms=\([0-9]*\).*/\1/p') >= $1))
}

# idle MILLISECONDS: it was not hit for so long
idle() {
	(($(sim_entries | sed -n '1s/.* idle_ms=\([0-9]*\).*/\1/p') >= $1))
}

# lasts TEXT MILLISECONDS COMMAND...: at least so long
lasts() {
	local text=$1 ms=$2 began=${EPOCHREALTIME/./}
	shift 2
	"$@" >/dev/null 2>&1
	num "$text" $(((${EPOCHREALTIME/./} - began) / 1000)) -ge "$ms"
}

blocks() {
	sed 's/.*ft_blocks=//' "$SIM/sim0/ports" | tr '\n' ' '
}

carriers() {
	echo "$(ip -n r -o link show lan | grep -c LOWER_UP)" \
		"$(ip -n a -o link show lanw | grep -c LOWER_UP)" \
		"$(ip -n r -o link show wan | grep -c LOWER_UP)" \
		"$(ip -n b -o link show wanw | grep -c LOWER_UP)"
}

carriers_are() {
	[[ $(carriers) == "$1" ]]
}

refused_stats() {
	[[ $(refusal "call=stats.*class=ft") == *errno=EINVAL* ]]
}

# flow PORT: a flow of the flowtable, as far as the fault lets it
flow() {
	flow_open f a udp 10.2.0.2 "$1"
	flow_step f 3 || fail "packets of the flow to $1 arrive"
}

end() {
	[[ -z ${flow_fd[f]-} ]] || flow_close f
	flows_end
	in_ns r nft flush ruleset
	knob reset 1
}

counter_over() {
	(($(ctr "$1" "$2") >= $3))
}

sim_load
topo_up mlx5-rep || fail "topology"
sink_up

# --- bind ---

knob fail_bind ENOSPC
has "fail_bind: nft is told" "$(ft_rules "" 2>&1)" "No space left on device"
has "the refusal" "$(refusal call=bind)" \
	"call=bind port=[01] class=ft errno=ENOSPC why=a fault was asked for"
is "no ruleset" "$(in_ns r nft list ruleset)" ""
has "tc is told" "$(in_ns r tc qdisc add dev lan ingress 2>&1)" "Driver ndo_setup_tc failed"
for port in 0 1; do
	knob fail_port $port
	has "fail_port: port $port alone" "$(ft_rules "" 2>&1)" "No space left on device"
	is "the other's binding is undone" "$(blocks)" "0 0 "
done
ok "tc is not concerned on the first port" in_ns r tc qdisc add dev lan ingress
in_ns r tc qdisc del dev lan ingress
knob fail_port -1
knob fail_count 1
has "fail_count: once" "$(ft_rules "" 2>&1)" "No space left on device"
ok "and not again" ft_rules ""
is "bound" "$(blocks)" "1 1 "
in_ns r nft flush ruleset
knob fail_bind 0
knob fail_count 0

knob bind_silent 1
ok "bind_silent: nft is content" ft_rules ""
is "nothing is bound" "$(blocks)" "0 0 "
flow 7001
is "nothing is ever offered" "$(ctr lan replaces) $(ctr wan replaces)" "0 0"
is "nothing is in the table" "$(sim_count_entries)" 0
knob bind_silent 0
end

# --- commands ---

ft_rules ""
knob fail_replace ENOMEM
flow 7002
offered() {
	grep -q "call=replace port=$1 class=ft.*errno=ENOMEM" "$SIM/sim0/refusals"
}
eventually "fail_replace: refused at the first port" 10 offered 0
eventually "and at the second" 10 offered 1
is "nothing is in the table" "$(sim_count_entries)" 0
flow_close f
knob fail_port 0
flow 7003
eventually "fail_port: one direction is in the table" 10 entries_are 1
has "that of the other port" "$(sim_entries)" "port=1 class=ft .* sport=7003 "
knob fail_port -1
knob fail_replace 0
end

in_ns r tc qdisc add dev lan ingress
knob fail_count 2
knob fail_replace EIO
has "fail_replace: tc is told" "$(rule 7100 2>&1)" "a fault was asked for"
has "fail_count: twice" "$(rule 7100 2>&1)" "a fault was asked for"
ok "not three times" rule 7100
is "the errno asked for" "$(grep -c 'call=replace.*class=tc.*errno=EIO' "$SIM/sim0/refusals")" 2
knob fail_replace EIO
has "it counts from when it was written" "$(rule 7101 2>&1)" "a fault was asked for"
knob fail_replace 0
knob fail_count 0

knob fail_destroy EIO
in_ns r tc filter del dev lan ingress prio 1
is "fail_destroy: tc's rule is gone" "$(in_ns r tc filter show dev lan ingress)" ""
is "the entry is not" "$(sim_count_entries)" 1
has "the refusal" "$(refusal call=destroy)" \
	"call=destroy port=0 class=tc errno=EIO why=a fault was asked for"
knob fail_destroy 0
no_rules

knob stats_ms 0
rule 7110
hit 7110 3
is "statistics" "$(told)" 3
knob fail_stats EIO
hit 7110 3
is "fail_stats: tc knows nothing new" "$(told)" 3
has "the refusal" "$(refusal call=stats)" \
	"call=stats port=0 class=tc errno=EIO why=a fault was asked for"
knob fail_stats 0
is "afterwards it does" "$(told)" 6
no_rules

# --- delays: lower bounds ---

knob delay_replace_us 400000
lasts "delay_replace_us" 400 rule 7120
knob delay_stats_us 400000
lasts "delay_stats_us" 400 told
knob delay_destroy_us 400000
lasts "delay_destroy_us" 400 in_ns r tc filter del dev lan ingress prio 1
in_ns r tc qdisc del dev lan ingress
knob delay_bind_us 400000
lasts "delay_bind_us: tc" 400 in_ns r tc qdisc add dev lan ingress
lasts "nft, once for each port" 800 ft_rules ""
lasts "unbind likewise" 800 in_ns r nft flush ruleset
for what in bind replace destroy stats; do
	knob delay_${what}_us 0
done

# --- lies ---

rule 7130
knob stats_lie zero
poll 10 older 3000
hit 7130 4
is "stats_lie zero: no packets" "$(told)" 0
num "and no use since it was made" "$(used)" -ge 3
knob stats_lie backwards
hit 7130 4
is "backwards: packets" "$(told)" 4
num "but no use" "$(used)" -ge 3
knob stats_lie double
hit 7130 4
is "double: eight for four" "$(told)" 12
knob stats_lie busy
poll 10 idle 4000
num "busy: used just now though idle" "$(used)" -le 2
is "packets are not invented" "$(told)" 12
knob stats_lie off
no_rules

# The kernel's flowtable ends an idle flow after four seconds here.
in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=4
ft_rules ""
knob stats_lie busy
flow 7004
eventually "a flow" 10 entries_are 2
poll 15 idle 8000
is "busy: an idle flow never ends" "$(sim_count_entries)" 2
knob stats_lie zero
# Packets all the time, all in hardware.
hits=$(ctr lan hits)
ends_in_use() {
	flow_send f 1
	(($(ctr lan destroys) > destroys))
}
destroys=$(ctr lan destroys)
eventually "zero: a flow in use ends" 20 ends_in_use
num "it was in use in hardware" "$(ctr lan hits)" -gt "$hits"
knob stats_lie off
end
in_ns r sysctl -qw net.netfilter.nf_flowtable_udp_timeout=30

# --- capacity, reset ---

ft_rules ""
knob capacity 1
flow 7005
eventually "capacity: one direction has room" 10 entries_are 1
full() {
	[[ $(refusal errno=ENOSPC) == *"class=ft errno=ENOSPC why=the flow table is full" ]]
}
eventually "the other has not" 10 full
knob capacity 1000
end

ft_rules ""
flow 7006
eventually "a flow in hardware" 10 entries_are 2
knob reset 1
is "reset: the table is lost" "$(sim_count_entries)" 0
eventually "statistics are refused now" 20 refused_stats
has "conntrack still says that it is offloaded" \
	"$(in_ns r conntrack -L -p udp --dport 7006 2>/dev/null)" HW_OFFLOAD
host=$(ctr lan host_in_packets)
ok "traffic goes through the host" flow_step f 1
num "it did" "$(ctr lan host_in_packets)" -gt "$host"
eventually "and the flow is offered again" 10 entries_are 2

# --- links ---

is "carriers of lan, lanw, wan, wanw" "$(carriers)" "1 1 1 1"
knob link_down 1
eventually "link_down: both ends lose the carrier" 10 carriers_are "0 0 1 1"
has "the port says so" "$(head -n1 "$SIM/sim0/ports")" "link=down"
before=$(sunk)
flow_send f 5
poll 1 false
is "no packet comes through" "$(sunk)" "$before"
knob link_down 0
eventually "the link is back" 10 carriers_are "1 1 1 1"
again() {
	flow_send f 1
	poll 1 comes
}
comes() {
	(($(sunk) > before))
}
eventually "and packets" 20 again
eventually "in hardware" 10 entries_are 2

knob link_down 2
eventually "link_down on the way out" 10 carriers_are "1 1 0 0"
drops=$(ctr lan drop_link)
flow_send f 5
eventually "hardware drops what it cannot send" 10 counter_over lan drop_link $((drops + 5))
knob link_down 0
eventually "the link is back" 10 carriers_are "1 1 1 1"
before=$(sunk)
eventually "and packets" 20 again

in_ns b ip link set wanw down
eventually "the other end goes down" 10 carriers_are "1 1 0 0"
in_ns b ip link set wanw up
eventually "and comes up" 10 carriers_are "1 1 1 1"
before=$(sunk)
eventually "packets come again" 20 again
end

# --- processors ---

rx_of_cpu0() {
	awk '/NET_RX:/ { print $2 }' /proc/softirqs
}

# Packets by one CPU to the end: how often did the other receive?
run_on_1() {
	local before
	before=$(sunk)
	rx=$(rx_of_cpu0)
	flow_send f "$1"
	poll 60 sunk_is $((before + $1)) || fail "$1 packets arrive"
	rx=$(($(rx_of_cpu0) - rx))
}

if (($(nproc) < 2)); then
	pass "pipeline_cpu and host_cpu # skip: one CPU"
else
	cpus=$(taskset -cp $$ | sed 's/.*: //')
	taskset -cp 1 $$ >/dev/null
	knob pipeline_cpu 1
	knob host_cpu 0
	flow 7007
	run_on_1 2000
	classic=$rx
	note "NET_RX of CPU 0, 2000 packets through the host: $classic"
	ft_rules ""
	flow_step f 3
	eventually "the flow is in hardware" 10 entries_are 2
	hits=$(ctr lan hits)
	run_on_1 2000
	note "NET_RX of CPU 0, 2000 packets through hardware: $rx"
	num "they were" $(($(ctr lan hits) - hits)) -ge 1990
	num "hardware leaves the host's CPU alone" "$rx" -lt 200
	num "the host's forwarding does not" "$classic" -gt $((rx * 4))
	taskset -cp "$cpus" $$ >/dev/null
	knob pipeline_cpu -1
	end
fi

# --- unbind: last, because the module can never be removed after it ---

ft_rules ""
flow 7008
eventually "a flow in hardware" 10 entries_are 2
knob fail_unbind EBUSY
ok "fail_unbind: the ruleset goes" in_ns r nft flush ruleset
has "the refusal" "$(refusal call=unbind)" \
	"call=unbind port=[01] class=ft errno=EBUSY why=a fault was asked for"
is "the bindings stay" "$(blocks)" "1 1 "
eventually "so that DESTROY, which comes after it, reaches the entries" 10 entries_are 0
knob fail_unbind 0
has "the port cannot be bound again" "$(ft_rules "" 2>&1)" "Device or resource busy"
flow_close f
topo_down
ok "the adapter could be removed" test ! -e "$SIM/sim0"
has "the module cannot" "$(rmmod nft_offload_sim 2>&1)" "is in use"
ok "another adapter can be made" sim_make "sim0 ports=1"
ok "and removed" sim_del sim0
finish
