# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# bash completion for nft-offload

# _nft_offload_commands OBJECT: its commands, none for an object that is all
_nft_offload_commands() {
	case $1 in
	flow) echo show count delete flush revalidate ;;
	flowtable) echo show set ;;
	port) echo show set ;;
	stats | refusal) echo show ;;
	esac
}

# _nft_offload_words VERB: what it takes, but for operands
_nft_offload_words() {
	local filter='state hw reason dev in proto src dst addr sport dport port
		mark zone flowtable'

	case $1 in
	'flow show') echo "$filter" id sort limit rate ;;
	'flow count') echo "$filter" ;;
	'flow delete' | 'flow revalidate') echo "$filter" id ;;
	'refusal show') echo reason ;;
	'port set') echo block ;;
	'flowtable set') echo follow-ruleset ;;
	top) echo "$filter" sort limit --interval --count --plain ;;
	probe) echo to capacity ;;
	explain) echo --zone ;;
	enable) echo --table --software --proto --counter --no-counter --dry-run \
		--persist --persisted ;;
	disable) echo --table --persist ;;
	esac
}

_nft_offload_devices() {
	local path

	for path in /sys/class/net/*; do
		echo "${path##*/}"
	done
}

# _nft_offload_values VERB WORD: what may follow the word
_nft_offload_values() {
	case $2 in
	dev | in | to) _nft_offload_devices ;;
	state) echo hardware half waiting software ;;
	hw) echo out adding in removing ;;
	block) echo default on off force ;;
	follow-ruleset) echo on off ;;
	reason) _nft_offload_reasons "$1" ;;
	proto | --proto) echo tcp udp gre ;;
	sort) echo packets bytes rate idle expires id ;;
	-n | --netns) ip netns 2>/dev/null | cut -d' ' -f1 ;;
	src | dst | addr | sport | dport | port | mark | zone | flowtable | id | limit | \
		capacity | --table | --zone | --interval | --count) ;;
	*) return 1 ;;
	esac
}

# _nft_offload_operands VERB: what may stand for itself
_nft_offload_operands() {
	case $1 in
	enable | check | probe | 'port show' | 'port set') _nft_offload_devices ;;
	explain) echo tcp udp gre ;;
	monitor) echo flows ports refusals ;;
	help) _nft_offload_objects ;;
	esac
}

_nft_offload_objects() {
	echo status flow flowtable port stats refusal explain top monitor check probe \
		enable disable help version
}

# _nft_offload_reasons VERB: why a direction is not in hardware, or why there is
# no flow
_nft_offload_reasons() {
	local -a refusals=(
		# reasons: written by netlink/generate, words refused 2
		truncated ip-options protocol gre-version no-conntrack
		not-established not-confirmed helper seq-adjust nat-clash
		gre-nat ipsec no-route no-memory exists multicast bridged
		# reasons: end
	) directions=(
		none
		# reasons: written by netlink/generate, words not-in-hardware 2
		software-flowtable waiting no-port port-unbound no-ethernet
		neighbour encapsulation address refused full busy lost leaving
		no-carrier route-check ruleset-check driver-unknown
		# reasons: end
	)

	case $1 in
	refusal*) echo "${refusals[@]}" ;;
	*) echo "${directions[@]}" ;;
	esac
}

_nft_offload() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options='-j --json -p --pretty -n --netns -h --help -V --version'
	local object='' verb='' word i values

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-n | --netns) ((i++)) ;;
		-*) ;;
		*)
			if [[ ! $object ]]; then
				object=$word
				verb=$word
			elif [[ $verb == "$object" && -n $(_nft_offload_commands "$object") ]]; then
				verb="$object $word"
			fi
			;;
		esac
	done

	# A first word such as "port" is an object, not a filter's.
	if [[ $prev != "$object" || $verb != "$object" ]] &&
		values=$(_nft_offload_values "$verb" "$prev"); then
		:
	elif [[ ! $object ]]; then
		values="$(_nft_offload_objects) $options"
	elif [[ $verb == "$object" && -n $(_nft_offload_commands "$object") ]]; then
		values="$(_nft_offload_commands "$object") $options"
	else
		values="$(_nft_offload_words "$verb") $(_nft_offload_operands "$verb")"
		[[ $cur != -* ]] || values+=" $options"
	fi
	mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
}

complete -F _nft_offload nft-offload
