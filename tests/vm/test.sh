#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of the virtual-machine harness itself; prints TAP.
#
#   NFTO_TEST_KERNEL=NAME    the kernel to boot (default 6.1)
#   NFTO_DEBUG_KERNEL=1      provoke the checkers of 6.1-debug too (minutes)

set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kernel=${NFTO_TEST_KERNEL:-6.1}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0 failed=0 status=0

ok() {
	((++count))
	echo "ok $count - $1"
}

not_ok() {
	((++count, ++failed))
	echo "not ok $count - $1"
	if [[ -s $dir/out ]]; then
		tail -n 20 "$dir/out" | tr -d '\000' | sed 's/^/# stdout: /'
	fi
	if [[ -s $dir/err ]]; then
		tail -n 20 "$dir/err" | sed 's/^/# stderr: /'
	fi
}

# check TEXT COMMAND...: the command says whether all is well.
check() {
	local text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}

# Runs tests/vm/run and keeps what came of it.
vm() {
	"$here/run" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
}

is() { [[ $status == "$1" ]]; }
said() { is "$1" && [[ $(<"$dir/err") =~ $2 ]]; }
printed() { printed_and 0 "$1"; }
printed_and() { is "$1" && [[ $(<"$dir/out") == "$2" ]]; }
same() { is 0 && cmp -s "$1" "$dir/out"; }

script() {
	{ echo "#!/bin/bash"; cat; } >"$dir/script"
	chmod +x "$dir/script"
}

build() {
	local lines
	lines=$("$here/kernel" --headers "$1") || return
	rm -rf "$dir/crash-$1"
	cp -r "$here/crash" "$dir/crash-$1"
	make -C "$(sed -n 's/^build=//p' <<<"$lines")" M="$dir/crash-$1" \
		modules >"$dir/out" 2>"$dir/err"
}

echo "# usage"
vm
check "no script: 2" is 2
vm -k "$kernel" "$dir/absent"
check "a script that is not there: 2" said 2 "no script"
vm -x /bin/true
check "an unknown option: 2" said 2 "no option -x"
vm -m much /bin/true
check "a memory size that is no number: 2" said 2 "wants a number"
vm -i -s 2 /bin/true
check "counting with two processors: 2" said 2 "one processor"
vm -i -u "$dir/uefi" /bin/true
check "UEFI and counting: 2" said 2 "neither -i nor -I"
vm -k 2.4 /bin/true
check "an unknown kernel: 126" said 126 "unknown kernel '2.4'; known are"
NFTO_CACHE=/dev/null/x vm /bin/true
check "a cache that cannot be made: 126" is 126

echo "# judge"
declare -A quotes=(
	[bad-bug]="BUG: kernel NULL pointer dereference"
	[bad-hung-task]="blocked for more than 2 seconds"
	[bad-int3]="self-detected stall on CPU"
	[bad-int3-oops]="Oops: int3: "
	[bad-int3-warn]="WARNING: CPU: "
	[bad-kasan]="BUG: KASAN: use-after-free in crash_use_after_free"
	[bad-kmemleak]="16 new suspected memory leaks"
	[bad-kmemleak-stopped]="memory leak detector disabled"
	[bad-lockdep]="possible circular locking dependency detected"
	[bad-netdevice]="unregister_netdevice: waiting for veth0"
	[bad-oom]="Out of memory: Killed process"
	[bad-panic]="Kernel panic - not syncing"
	[bad-rcu]="WARNING: suspicious RCU usage"
	[bad-rcu-stall]="self-detected stall on CPU"
	[bad-refcount]="refcount_t: addition on 0"
	[bad-refs]="leaked reference."
	[bad-sleep]="sleeping function called from invalid context"
	[bad-taint]="tainted 12353 by a proprietary module, a user"
	[bad-ubsan]="UBSAN: shift-out-of-bounds"
	[bad-warn]="WARNING: CPU: "
)
for sample in "$here"/judge-samples/*.txt; do
	name=${sample##*/}
	"$here/judge" "$sample" >"$dir/out" 2>"$dir/err"
	status=$?
	case $name in
	good-*) check "$name passes in silence" printed "" ;;
	qemu-*) check "$name is QEMU's" is 3 ;;
	bad-*)
		check "$name fails" is 1
		# The telling line must be shown, not only its surroundings.
		quote=${quotes[${name%.txt}]-$'\n'}
		check "$name is quoted" grep -qF -- "$quote" "$dir/out"
		;;
	esac
done
"$here/judge" "$dir/absent" >"$dir/out" 2>"$dir/err"
status=$?
check "a console log that is not there: 2" is 2

echo "# again"
script <<END
echo "\$1" >>$dir/times
echo "\${3-}"
exit \$((\$(wc -l <$dir/times) < \$1 ? 123 : \$2))
END
again() {
	: >"$dir/times"
	NFTO_RUN=$dir/script "$here/again" "$@" >"$dir/out" 2>"$dir/err"
	status=$?
}
times() { is "$1" && [[ $(wc -l <"$dir/times") == "$2" ]]; }
again 1 0
check "what passes is run once" times 0 1
again 1 125
check "and so is what fails" times 125 1
again 3 125
check "where QEMU has failed it is run again" times 125 3
again 9 0
check "and not for ever" times 123 3
again 3 0 "not ok 1 - a test"
check "but not where a test had failed" times 123 1
script <<END
trap 'echo ended >>$dir/times; exit 143' TERM
echo before
echo started >>$dir/times
while :; do sleep 0.1; done
END
: >"$dir/times"
NFTO_RUN=$dir/script "$here/again" >"$dir/out" 2>"$dir/err" &
pid=$!
for ((i = 0; i < 600; i++)); do
	[[ ! -s $dir/times ]] || break
	sleep 0.1
done
kill -TERM "$pid"
wait "$pid"
status=$?
check "TERM: 143, with what was printed" printed_and 143 before
check "and what it ran has ended" grep -qx ended "$dir/times"

echo "# several scripts in one boot"
job() {
	{ echo "#!/bin/bash"; cat; } >"$dir/$1"
	chmod +x "$dir/$1"
}
job good.sh <<'END'
echo "# $*"
printf 'ok 1 - a\377b\n'
echo "1..1"
END
job bad.sh <<'END'
modprobe dummy
echo "ok 1 - a"
echo "not ok 2 - b"
echo "1..2"
exit 1
END
job leaves.sh <<'END'
ip netns add left
echo "ok 1 - a"
echo "1..1"
END
job hangs.sh <<'END'
echo "ok 1 - a"
sleep 1000
END
job warns.sh <<'END'
echo "<4>WARNING: a test" >/dev/kmsg
echo "ok 1 - a"
echo "1..1"
END
odd=$'a\377b'
several() {
	"$here/several" -k "$kernel" -c "$dir/console" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	fault=$(grep -aE '^# \[' "$dir/out")
	grep -avE '^# (good|bad|leaves|hangs|warns): [0-9]+ s$|^# \[' "$dir/out" >"$dir/rest"
	mv "$dir/rest" "$dir/out"
}
boots() { [[ $(grep -c 'nfto-vm: tainted' "$dir/console") == "$1" ]]; }
several -n 3 60 "$dir/good.sh" 1 2 -- 60 "$dir/good.sh"
check "two that pass: their names, one numbering" printed_and 0 "# 1 2
ok 4 - good: $odd
# 
ok 5 - good: $odd
1..5"
check "in one boot" boots 1
several 60 "$dir/bad.sh" -- 60 "$dir/leaves.sh" -- 60 "$dir/good.sh" x
check "one that fails, one that leaves something behind, and one after them" \
	printed_and 1 "ok 1 - bad: a
not ok 2 - bad: b
ok 3 - leaves: a
not ok 4 - leaves: it leaves nothing behind
# network namespaces: left ;
# x
ok 5 - good: $odd
1..5"
check "which has another boot" boots 1
several 3 "$dir/hangs.sh" -- 60 "$dir/warns.sh"
check "one that hangs, and one that the kernel complains of" printed_and 1 "ok 1 - hangs: a
not ok 2 - hangs: it ends within 3 s
ok 3 - warns: a
not ok 4 - warns: the kernel has not complained
1..4"
check "with what it said" grep -q 'WARNING: a test' <<<"$fault"

echo "# a terminal"
script <<'END'
[[ -t 0 && -t 1 ]] && tty
echo ready
read -r line
echo "got $line"
exit 3
END
# What is written before somebody reads is lost, as with any serial line.
mkfifo "$dir/keys"
exec 8<>"$dir/keys"
(
	for ((i = 0; i < 600; i++)); do
		grep -q ready "$dir/out" && break
		sleep 0.1
	done
	echo hello >&8
) &
"$here/run" -k "$kernel" -I "$dir/script" <"$dir/keys" >"$dir/out" 2>"$dir/err"
status=$?
wait
exec 8>&-
check "with -I, the script's status" is 3
check "its terminal" grep -q /dev/ttyS2 "$dir/out"
check "what is typed there" grep -q "got hello" "$dir/out"

echo "# status and output"
vm -k "$kernel" /bin/true
check "status 0" is 0
# shellcheck disable=SC2016
script <<'END'
printf '<%s>' "$@"
echo " $(id -u) $HOME $(hostname) ${NFTO_SEEN-} ${CHOSEN-} ${OTHER-}"
pwd
exit 7
END
export NFTO_SEEN="a 'quoted' word" CHOSEN="two
lines" OTHER=no
# shellcheck disable=SC2016
vm -k "$kernel" -e CHOSEN -- "$dir/script" -x "a b" "c'd" '' '$(e)' $'f\ng'
check "status 7" is 7
status=0
check "arguments, environment and directory" printed \
	"<-x><a b><c'd><><\$(e)><f
g> 0 /root vm a 'quoted' word two
lines 
$PWD"
unset NFTO_SEEN CHOSEN OTHER

cat >"$dir/script" <<'END'
for ((i = 0; i < 256; i++)); do
	printf "\\$(printf %o "$i")"
done
printf 'crlf\r\n\036no mark\n\033[0m'
echo "to stderr" >&2
head -c 200000 /dev/zero | tr '\0' x
printf '\nno newline at the end\036'
END
chmod -x "$dir/script"
bash "$dir/script" >"$dir/expected" 2>&1
vm -k "$kernel" "$dir/script"
check "the output arrives unchanged" same "$dir/expected"

script <<'END'
tail -f /dev/null &
echo finished
END
vm -k "$kernel" "$dir/script"
check "a process left behind does not hold the run up" printed finished

"$here/run" -k "$kernel" /bin/true >"$dir/out" 2>"$dir/err" <&-
status=$?
check "stdin closed" is 0

echo "# machine"
script <<'END'
nproc
awk '/MemTotal/ { print ($2 > 600000 && $2 < 717000) }' /proc/meminfo
END
vm -k "$kernel" -s 3 -m 700 "$dir/script"
check "-s and -m are seen in the guest" printed "3
1"

mark=/etc/nfto-vm-test-$$
cat >"$dir/script" <<END
set -e
echo written >$mark
cat $mark
rm /etc/passwd
mkdir /srv/again
mount -t virtiofs nfto /srv/again
if touch /srv/again$mark 2>/dev/null; then echo "the machine can be written"; fi
END
vm -k "$kernel" "$dir/script"
check "the guest writes to /" printed written
check "and the machine has none of it" \
	test ! -e "$mark" -a -e /etc/passwd -a ! -e /srv/again

# shellcheck disable=SC2016
script <<'END'
set -e
modules=/lib/modules/$(uname -r)
modprobe veth
cp "$modules"/kernel/drivers/net/dummy.ko* /tmp
mkdir "$modules/updates"
mv /tmp/dummy.ko* "$modules/updates"
depmod
modinfo -n dummy | sed "s,$modules,,; s/\.xz$//"
grep -c ' /sys/kernel/debug \| /sys/kernel/tracing \| /dev/pts \| /dev/shm \| /run ' /proc/mounts
ip -br link show lo | grep -c UP
END
# depmod takes a minute and more on a loaded machine without KVM.
vm -k "$kernel" -t 600 "$dir/script"
check "modules can be loaded and installed; mounts; lo" \
	printed "/updates/dummy.ko
5
1"

script <<'END'
echo "$1"
END
"$here/run" -k "$kernel" "$dir/script" one >"$dir/one" 2>"$dir/err" </dev/null &
pid=$!
vm -k "$kernel" "$dir/script" two
check "two at once: the second" printed two
wait "$pid"
status=$?
cp "$dir/one" "$dir/out"
check "two at once: the first" printed one

script <<'END'
perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e '
	sub spin { my $x = 0; $x += $_ for 1 .. 100000 }
	spin();
	my $t = clock_gettime(CLOCK_MONOTONIC);
	spin();
	printf "instructions=%d\n", (clock_gettime(CLOCK_MONOTONIC) - $t) * 1e9'
nproc
END
for i in 1 2; do
	vm -k "$kernel" -i "$dir/script"
	check "counting instructions, run $i" is 0
	sed -n 's/^instructions=/# &/p' "$dir/out"
done

echo "# ends"
script <<'END'
echo before
exec tail -f /dev/null
END
vm -k "$kernel" -t 20 "$dir/script"
check "a script that hangs: 124 with the console's tail" \
	said 124 "Run /init as init process"
check "what it printed before was passed on" grep -qx before "$dir/out"

mkdir "$dir/tmp"
mkfifo "$dir/fifo"
TMPDIR=$dir/tmp "$here/run" -k "$kernel" "$dir/script" \
	>"$dir/fifo" 2>"$dir/err" </dev/null &
pid=$!
read -r line <"$dir/fifo"
check "the output comes while the script runs" test "$line" = before
kill -TERM "$pid"
wait "$pid"
status=$?
check "TERM: 143" is 143
check "and no file is left" test -z "$(ls -A "$dir/tmp")"
for ((i = 0; i < 500; i++)); do
	pgrep -f "$dir/tmp" >/dev/null || break
done
check "and no process" test "$i" -lt 500

script <<'END'
echo c >/proc/sysrq-trigger
exec tail -f /dev/null
END
vm -k "$kernel" "$dir/script"
check "a panic: 125 with the message" said 125 "Kernel panic - not syncing"
script <<'END'
echo o >/proc/sysrq-trigger
exec tail -f /dev/null
END
vm -k "$kernel" "$dir/script"
check "the guest powers off by itself: 125" said 125 "ended before"
script <<'END'
echo 64 >/proc/sys/kernel/tainted
END
vm -k "$kernel" "$dir/script"
check "a taint by force: 125" said 125 "tainted 64 by a user"

echo "# faults"
cat >"$dir/script" <<'END'
case $2 in
hang) echo 2 >/proc/sys/kernel/hung_task_timeout_secs ;;
stall) echo 3 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout ;;
esac
exec insmod "$1" what="$2"
END
chmod +x "$dir/script"

# crash KERNEL WHAT STATUS [PATTERN]
crash() {
	vm -k "$1" -t 600 "$dir/script" "$dir/crash-$1/crash.ko" "$2"
	check "$1, $2: $3" said "$3" "${4-}"
}

if build "$kernel"; then
	ok "crash.ko builds for $kernel"
	crash "$kernel" nothing 0
	crash "$kernel" unknown 1
	crash "$kernel" warn 125 "WARNING: CPU: .* crash_warn"
	crash "$kernel" bug 125 "BUG: kernel NULL pointer dereference"
	crash "$kernel" refcount 125 "refcount_t: addition on 0"
	crash "$kernel" hang 125 "task insmod:[0-9]+ blocked for more than"
	crash "$kernel" stall 125 "self-detected stall on CPU"
	# Of the same length, so that the file stays what it is.
	sed -i 's/license=GPL/license=XYZ/' "$dir/crash-$kernel/crash.ko"
	crash "$kernel" nothing 125 "by a proprietary module"
else
	not_ok "crash.ko builds for $kernel"
fi

if [[ ${NFTO_DEBUG_KERNEL-} == 1 ]]; then
	debug=6.1-debug
	if build "$debug"; then
		ok "crash.ko builds for $debug"
		crash "$debug" nothing 0
		crash "$debug" inversion 125 "possible circular locking"
		crash "$debug" use-after-free 125 "KASAN: use-after-free"
		crash "$debug" leak 125 "new suspected memory leaks"
		crash "$debug" sleep 125 "sleeping function called from invalid"
		crash "$debug" shift 125 "UBSAN: shift-out-of-bounds"
	else
		not_ok "crash.ko builds for $debug"
	fi
else
	echo "# 6.1-debug is left out; NFTO_DEBUG_KERNEL=1 runs it"
fi

echo "1..$count"
((!failed))
