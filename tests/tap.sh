# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Results in TAP, for tests that run on this machine. Sourced.

n=0
failed=0

# result TEXT STATUS [WHAT WAS SAID]
result() {
	local said=${3-}
	((++n))
	if (($2 == 0)); then
		echo "ok $n - $1"
	else
		failed=1
		echo "not ok $n - $1"
		echo "# ${said//$'\n'/$'\n'# }"
	fi
}

# try TEXT COMMAND...
try() {
	local text=$1 said status
	shift
	said=$("$@" 2>&1)
	status=$?
	result "$text" $status "$said"
	return $status
}

# has_files TEXT LIST PATTERN...: each matches a line of the list
has_files() {
	local pattern missing=''
	for pattern in "${@:3}"; do
		grep -qxE "$pattern" <<<"$2" || missing+="$pattern "
	done
	[[ -z $missing ]]
	result "$1: has what it should" $? "no $missing among
$2"
}

# is TEXT GOT EXPECTED
is() {
	[[ $2 == "$3" ]]
	result "$1" $? "got '$2', not '$3'"
}

# has TEXT GOT PATTERN: a line of it matches
has() {
	grep -qE -- "$3" <<<"$2"
	result "$1" $? "no '$3' in
$2"
}

# refused TEXT PATTERN COMMAND...: it fails, and says why
refused() {
	local said status
	said=$("${@:3}" 2>&1)
	status=$?
	((status)) && grep -qE -- "$2" <<<"$said"
	result "$1" $? "exit status $status, no '$2' in
$said"
}

# The last line of a test.
finish() {
	echo "1..$n"
	exit "$failed"
}
