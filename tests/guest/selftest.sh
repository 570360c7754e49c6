#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own test of flowtables, nft_flowtable.sh of Linux 6.12, with the
# kernel's modules and then with nft_offload.ko: what the first passes the second
# has to pass as well. tests/selftest says where the test is.
#
#   selftest.sh [kernel|module]...    only these
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"

selftests=${NFTO_SELFTESTS:?the folder tools/testing/selftests/net}
work=$(mktemp -d)
# Its own last case runs itself again with MTUs and a file size out of $RANDOM.
# The same is done here with a seed, so that both paths get the same numbers.
seed=${NFTO_SEED:-$RANDOM}

# watch: as long as there is $work/running, keeps the highest reference counts
# seen: of nft_offload in $work/module, of nf_flow_table_inet in $work/kernel
watch() {
	local name count
	local -A most=([nft_offload]=-1 [nf_flow_table_inet]=-1)
	local -A file=([nft_offload]=module [nf_flow_table_inet]=kernel)
	while [[ -e $work/running ]]; do
		while read -r name _ count _; do
			if [[ $name && ${most[$name]-} ]] && ((count > most[$name])); then
				most[$name]=$count
				echo "$count" >"$work/${file[$name]}"
			fi
		done </proc/modules
		read -rt 0.1 <> <(:) || :
	done
}

# most kernel|module: what watch saw, -1: not loaded at any time
most() {
	cat "$work/$1" 2>/dev/null || echo -1
}

# make_copy: of the test, with more patience. It gives socat a second until it
# listens and a minute for a file, and socat itself ends when one direction is
# done and the other silent for half a second.
make_copy() {
	local test=$work/net/netfilter/nft_flowtable.sh
	mkdir "$work/net" &&
		cp -r "$selftests"/{lib.sh,netfilter} "$work/net/" &&
		sed -i 's/^SOCAT_TIMEOUT=60$/SOCAT_TIMEOUT=600/
			s/busywait 1000 listener_ready/busywait 60000 listener_ready/
			s/socat -4 /socat -t 60 -4 /' "$test" &&
		grep -q '^SOCAT_TIMEOUT=600$' "$test" &&
		grep -q 'busywait 60000 listener_ready' "$test" &&
		grep -q 'socat -t 60 -4 TCP-LISTEN' "$test"
}

# run_test FILE ARGUMENTS...: of nft_flowtable.sh; its verdicts go to the file
run_test() {
	local out=$1 status watcher began=$SECONDS
	shift
	rm -f "$work"/{module,kernel}
	: >"$work/running"
	watch &
	watcher=$!
	(cd "$work/net/netfilter" && bash ./nft_flowtable.sh "$@") >"$work/out" 2>&1
	status=$?
	rm "$work/running"
	wait "$watcher"
	note "nft_flowtable.sh $*: status $status, $((SECONDS - began)) s"
	grep -E '^(PASS|FAIL|SKIP|ERROR)\b' "$work/out" | tee "$out" | sed 's/^/#   /'
}

# In this shell: another one would seed $RANDOM anew.
RANDOM=$seed
random=(-o $((RANDOM % 31000 + 1280)) -l $((RANDOM % 31000 + 1280))
	-r $((RANDOM % 31000 + 1280)) -s $((RANDOM * RANDOM % 8000000 + 2000000)))

# verdicts FILE KINDS: the texts of those kinds, sorted
verdicts() {
	sed -nE "s/^($2): (.*[^ ]) *$/\2/p" "$1" | sort
}

# on_path kernel|module: both runs, and whose flowtables they used
on_path() {
	local path=$1 run
	did "$path: loaded" path_use "$path" || return
	for run in default random; do
		if [[ $run == default ]]; then
			# An argument, so that it does not run itself again.
			run_test "$work/$path-$run" -s $((2 * 1024 * 1024))
		else
			run_test "$work/$path-$run" "${random[@]}"
		fi
		if [[ $path == kernel ]]; then
			num "kernel, $run: nf_flow_table_inet was in use" "$(most kernel)" -gt 0
			is "kernel, $run: nft_offload was not loaded" "$(most module)" -1
			num "kernel, $run: something passes" \
				"$(verdicts "$work/kernel-$run" PASS | wc -l)" -gt 0
		else
			num "module, $run: nft_offload was in use" "$(most module)" -gt 0
			num "module, $run: nf_flow_table_inet was not" "$(most kernel)" -le 0
			compare "$run"
		fi
		is "$path, $run: no network namespace is left" "$(ip netns list)" ''
	done
}

# compare RUN: what passes with the kernel's modules has to pass with ours, as
# often; and nothing may fail that does not fail there
compare() {
	local run=$1 count text before=$tap_failed
	[[ -e $work/kernel-$run ]] || return
	tap_failed=0
	while read -r count text; do
		num "module, $run: passes: $text" \
			"$(verdicts "$work/module-$run" PASS | grep -cxF -- "$text")" -ge "$count"
	done < <(verdicts "$work/kernel-$run" PASS | uniq -c)
	num "module, $run: no more failures than with the kernel's modules" \
		"$(verdicts "$work/module-$run" 'FAIL|ERROR|SKIP' | wc -l)" -le \
		"$(verdicts "$work/kernel-$run" 'FAIL|ERROR|SKIP' | wc -l)"
	if ((tap_failed)); then
		note "the end of what the test said:"
		tail -n 60 "$work/out" | sed 's/^/#   /'
	fi
	((tap_failed = tap_failed || before))
}

note "Linux $(uname -r), NFTO_SEED=$seed"
ok "the test is there" make_copy
(($#)) || set -- kernel module
for path; do
	on_path "$path"
done
finish
