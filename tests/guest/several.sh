#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs scripts one after another in one virtual machine, each as if the machine had
# just booted; for tests/vm/several, which reads what this prints.
#
#   several.sh SECONDS SCRIPT [ARGUMENT...] [-- SECONDS SCRIPT [ARGUMENT...]]...
#
# A line "@several begin N" comes before what script N prints, and
# "@several end N STATUS SECONDS TROUBLE" after it. TROUBLE says what the script
# left behind, and is empty when it left nothing. After trouble nothing more is
# run: the next script would not know whose fault it sees.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ours='nft_offload|nft_offload_sim|nft_flow_offload|nf_flow_table|nf_flow_table_inet'
# What a module outside of the tree sets: bits 12 and 13.
harmless=$((1 << 12 | 1 << 13))

modules() {
	cut -d' ' -f1 /proc/modules | sort
}
at_boot=$(modules)

# A script may be killed while it has children. Kernel threads have no executable.
kill_others() {
	local dir pid
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		((pid == 1 || pid == $$ || pid == BASHPID)) && continue
		[[ -e $dir/exe && ! ${before[$pid]-} ]] && kill -KILL "$pid" 2>/dev/null
	done
}
declare -A before=()
for dir in /proc/[0-9]*; do
	before[${dir#/proc/}]=1
done

# What was not there at boot goes, with all settings that it has; some modules
# cannot.
unload() {
	local module gone=1
	while ((gone)); do
		gone=0
		while read -r module; do
			rmmod "$module" 2>/dev/null && gone=1
		done < <(comm -13 <(echo "$at_boot") <(modules))
	done
}

# Prints what is left.
trouble() {
	local taint left
	read -r taint </proc/sys/kernel/tainted
	((taint & ~harmless)) && echo -n "the kernel is tainted ($taint); "
	left=$(ip netns list | tr '\n' ' ')
	[[ -z $left ]] || echo -n "network namespaces: $left; "
	left=$(ip -br link | awk '{ print $1 }' | grep -vx lo | tr '\n' ' ')
	[[ -z $left ]] || echo -n "devices: $left; "
	left=$(modules | grep -xE "$ours" | tr '\n' ' ')
	[[ -z $left ]] || echo -n "modules: $left; "
}

n=0
while (($#)); do
	seconds=$1 script=$2
	shift 2
	[[ $script == /* ]] || script=$here/$script
	args=()
	while (($#)) && [[ $1 != -- ]]; do
		args+=("$1")
		shift
	done
	(($# == 0)) || shift
	((++n))
	echo "<4>nfto-vm: several, script $n" >/dev/kmsg
	dmesg -C
	echo "@several begin $n"
	began=$SECONDS
	timeout -k 5 "$seconds" "$script" "${args[@]}" </dev/null 2>&1
	status=$?
	kill_others
	unload
	left=$(trouble)
	echo "@several end $n $status $((SECONDS - began)) ${left% }"
	[[ -z $left ]] || break
done
