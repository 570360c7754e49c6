#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages on a machine: apt install kmod-nft-offload, modprobe, the
# ruleset with traffic, remove, and the kernel's own path again.
#
#   package.sh REPOSITORY HEADERS   folders: of apt, and the guest kernel's headers
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"
# shellcheck source=tests/guest/flows.sh
. "$here/flows.sh"

release=$(uname -r)
apt=(-o "Dir::Etc::sourcelist=/tmp/sources.list" -o "Dir::Etc::sourceparts=-"
	-o "APT::Get::List-Cleanup=0" -o "APT::Sandbox::User=root" -qy)
export DEBIAN_FRONTEND=noninteractive

# said COMMAND...: its output is shown if it fails
said() {
	local out
	out=$("$@" 2>&1) || {
		tail -n 25 <<<"$out"
		return 1
	}
}

in_both() {
	talk send 4 >/dev/null
	entries_are 2
}

mkdir -p /tmp
echo "deb [trusted=yes] file:$1 ./" >/tmp/sources.list
ln -sfn "$2" "/lib/modules/$release/build"

ok "apt update" said apt-get "${apt[@]}" update
ok "apt install kmod-nft-offload" said apt-get "${apt[@]}" install kmod-nft-offload
has "DKMS has built and installed it" "$(dkms status)" \
	"nft-offload/[0-9.]+, $release, x86_64: installed"
is "it comes before any other of its name" "$(modinfo -n nft_offload)" \
	"/lib/modules/$release/updates/dkms/nft_offload.ko"
ok "the simulated NIC is there as source only" test -d /usr/src/nft-offload-*/kmod/sim \
	-a ! -e "/lib/modules/$release/updates/dkms/nft_offload_sim.ko"
has "the tool is there" "$(nft-offload version)" "nft-offload"

ok "modprobe nft_flow_offload" modprobe nft_flow_offload
has "our module is loaded, too" "$(lsmod)" "^nft_offload "
ok "the other goes" modprobe -r nft_flow_offload
ok "modprobe nft_offload" modprobe nft_offload
sim_load && topo_up mlx5-rep && ft_rules
is "the README's ruleset has our flowtable" "$(path_in_use)" module
talks package 10.2.0.2
eventually "a connection is in hardware" 20 in_both
agrees package
has "the tool sees it" "$(in_ns r nft-offload flow count)" "1"

# docs/install.md's way back, for now.
talk_stop
serve_stop
ok "the flows end" flows_end
ok "one command: the kernel's own path" bash -c "nsenter --net=/run/netns/r \
	nft flush ruleset && until rmmod nft_offload 2>/dev/null; do sleep 0.1; done &&
	modprobe -ia nf_flow_table_inet nft_flow_offload"
ok "its flowtable" ft_rules
is "is in use" "$(path_in_use)" kernel
is "and ours is not there" "$(lsmod | grep '^nft_offload ')" ""

ok "apt purge" said apt-get "${apt[@]}" purge nft-offload-dkms nft-offload libnfto1
is "DKMS has forgotten it" "$(dkms status | grep nft-offload)" ""
is "nothing of it is left" "$(find /etc/nft-offload /etc/modprobe.d /usr/src \
	/var/lib/dkms "/lib/modules/$release/updates" -name '*nft*offload*' 2>/dev/null)" ""
ok "modprobe finds the kernel's own alone" bash -c \
	'! modprobe -n nft_offload 2>/dev/null && modprobe -n nft_flow_offload'
talks afterwards 10.2.0.2
is "traffic goes on" "$(talk send 20)" "sent 20 ok"
talk_stop
serve_stop
ok "its flows end" flows_end
in_ns r nft flush ruleset
path_leave
topo_down
finish
