#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Both modules load, nft_offload.ko runs its self-tests (it must be built with
# NFTO_SELFTEST=1), and both can be removed.
#
#     load.sh [RELEASE]      what uname -r is to say

# shellcheck source=tests/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

self_tests() {
	dmesg | grep -c 'nft_offload: self-tests pass$'
}

is "the kernel that was asked for" "$(uname -r)" "${1:-$(uname -r)}"
is "no self-test has run yet" "$(self_tests)" 0
ok "the simulated NIC loads" sim_load
ok "the module loads" path_use module
is "its self-tests have run, and pass" "$(self_tests)" 1
ok "the module can be removed" path_drop nft_offload
ok "the simulated NIC can be removed" rmmod nft_offload_sim
is "none of them is there any more" \
	"$(awk '/^nft_offload/ { print $1 }' /proc/modules)" ""
finish
