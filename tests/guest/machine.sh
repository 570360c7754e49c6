#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On a machine of its own with systemd, where kmod-nft-offload was installed before
# it booted (tests/machine): what was loaded at boot, whose flowtables there are, a
# device that comes late, a higher version, the way back, and what is left.
#
#   machine.sh first|second|upgrade VERSION HIGHER
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

version=$2
higher=$3
release=$(uname -r)
export DEBIAN_FRONTEND=noninteractive

apt_get() {
	apt-get -qy -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root \
		-o Dir::Etc::sourcelist=/etc/apt/sources.list.d/kmod-nft-offload.sources "$@"
}

in_both() {
	talk send 4 >/dev/null
	entries_are 2
}

state_of() {
	systemctl show -p ActiveState,SubState --value "$1" | paste -sd' '
}

state_is() {
	[[ $(state_of "$1") == "$2" ]]
}

has_table() {
	grep -q "^flowtable .* table=$1 " /proc/net/nft_offload
}

has_devices() {
	nft -j list flowtables | grep -q "\"dev\": *\[\"$1\", *\"$2\"\]"
}

at_boot() {
	eventually "nftables.service has run" 60 state_is nftables "active exited"
	is "the ruleset of the boot has our flowtable" "$(path_in_use)" module
	ok "the module knows it" has_table t
	# Not by unit: journald knows no unit of a process that ended before it looked.
	has "it was loaded at boot, by its name" \
		"$(journalctl -b -o cat -t systemd-modules-load)" "'nft_offload'"
	is "both devices are bound" "$(grep -c '^port .* state=bound' \
		/proc/net/nft_offload)" 2
	is "systemd: nothing has failed" "$(systemctl list-units --failed --plain \
		--no-legend | awk '{ print $1 }')" ""
}

in_use() {
	talks "$1" 10.2.0.2
	eventually "$1: a connection is in hardware" 20 in_both
	agrees "$1"
	has "$1: the tool sees it" "$(nft-offload flow count)" "1"
}

kept() {
	/srv/nic late
	ok "enable --persist" nft-offload enable far0 far1 --table far --persist
	ok "its table is there" has_table far
	echo "@kept $(tar -cz -C /etc/nft-offload --exclude build-simulator . | base64 -w0)"
	# Loading the ruleset takes it away, and the service makes it again.
	sim_del sim1
	ok "nftables' ruleset loaded again, without its devices" systemctl restart nftables
	eventually "no failure" 30 state_is nft-offload "active exited"
	/srv/nic late
	eventually "the devices have come: its table has them" 60 has_devices far0 far1
	ok "it is ours" has_table far
	ok "disable" nft-offload disable --table far
}

# The tool's and the module's way to a higher version, with packets all the while.
upgraded() {
	local apt rounds=0 bad=0
	# There is a new version in the repository.
	rm -r /srv/repo && mv /srv/higher /srv/repo
	ok "apt-get update" apt_get update
	in_use before
	# Waiting for one of the modules is enough.
	rm /etc/nft-offload/build-simulator
	apt_get upgrade &
	apt=$!
	while kill -0 $apt 2>/dev/null; do
		[[ $(talk send 5) == "sent 5 ok" ]] || ((++bad))
		((++rounds))
		# The compiler has these two processors, too: again after a second,
		# or when apt has ended.
		timeout 1 tail --pid="$apt" -f /dev/null
	done
	did "apt-get upgrade" wait $apt
	is "all of $rounds rounds of packets arrived meanwhile" "$bad" 0
	num "which were some" "$rounds" -ge 10
	ok "the connection is in hardware" entries_are 2
	is "the module that is loaded goes on" "$(</sys/module/nft_offload/version)" "$version"
	is "the new one is installed" "$(modinfo -F version nft_offload)" "$higher"
	is "DKMS has it alone" "$(dkms status | grep -c nft-offload)" 1
	# docs/install.md, "Upgrade"
	ok "and loaded when the admin wants that" bash -c 'systemctl stop nftables &&
		until rmmod nft_offload 2>/dev/null; do sleep 0.1; done &&
		systemctl start nftables'
	is "which it is" "$(</sys/module/nft_offload/version)" "$higher"
	eventually "the same connection is in hardware" 20 in_both
	is "and loses nothing" "$(talk send 20)" "sent 20 ok"
	talk_stop
	serve_stop
}

removed() {
	# docs/install.md's way back, for now.
	ok "the flows end" flows_end
	ok "one command: the kernel's own path" bash -c 'nft flush ruleset &&
		until rmmod nft_offload 2>/dev/null; do sleep 0.1; done &&
		modprobe -ia nf_flow_table_inet nft_flow_offload'
	ok "the ruleset" nft -f /etc/nftables.conf
	is "has the kernel's flowtable" "$(path_in_use)" kernel
	is "and ours is not there" "$(lsmod | grep '^nft_offload ')" ""
	nft flush ruleset

	ok "apt purge" apt_get purge nft-offload-dkms nft-offload libnfto1
	is "DKMS has forgotten it" "$(dkms status | grep nft-offload)" ""
	is "nothing of it is left" "$(find /etc /usr /var/lib "/lib/modules/$release/updates" \
		/lib/systemd /lib/udev ! -path '/*/apt/*' ! -path '/usr/src/linux-headers-*' \
		-iname '*n[f]*t*offload*' ! -iname 'nft_flow_offload*' 2>/dev/null)" ""
	ok "modprobe finds the kernel's own alone" bash -c \
		'! modprobe -n nft_offload 2>/dev/null && modprobe -n nft_flow_offload'
	ok "the ruleset again" nft -f /etc/nftables.conf
	is "with the kernel's flowtable" "$(path_in_use)" kernel
	talks afterwards 10.2.0.2
	eventually "afterwards: in hardware by the kernel" 20 in_both
	talk_stop
	serve_stop
	ok "its flows end" flows_end
	nft flush ruleset
}

ip netns attach r 1
poll 20 in_ns a ping -qc1 -W1 10.2.0.2
at_boot
case $1 in
first)
	has "DKMS has built and installed it" "$(dkms status 2>/dev/null)" \
		"nft-offload/$version, $release, x86_64: installed"
	is "it comes before any other of its name" "$(modinfo -n nft_offload)" \
		"/lib/modules/$release/updates/dkms/nft_offload.ko"
	is "DKMS has signed it with the machine's key" \
		"$(modinfo -F signer nft_offload)" "DKMS module signing key"
	is "the simulated NIC was asked for" "$(modinfo -n nft_offload_sim)" \
		"/lib/modules/$release/updates/dkms/nft_offload_sim.ko"
	in_use boot
	talk_stop
	serve_stop
	kept
	;;
upgrade)
	upgraded
	removed
	;;
second)
	eventually "the kept table's service, without its devices" 60 \
		state_is nft-offload "active exited"
	in_use second
	talk_stop
	serve_stop
	/srv/nic late
	eventually "they come late: its table has them" 60 has_devices far0 far1
	ok "it is ours" has_table far
	is "and the one of nftables.service is there as well" "$(nft list flowtables |
		grep -c 'flowtable')" 2
	ok "autopkgtest: traffic" /srv/traffic
	;;
esac
finish
