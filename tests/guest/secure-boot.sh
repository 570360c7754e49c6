#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On a machine with Secure Boot, systemd and kmod-nft-offload (tests/machine): what
# happens and what is said before the firmware knows DKMS's key, and afterwards.
#
#   secure-boot.sh unknown PASSWORD | enrolled
here=$(dirname "$0")
# shellcheck source=tests/guest/lib.sh
. "$here/lib.sh"

# Killed while the kernel tests the algorithms of a module that it loads, udev makes
# the kernel warn (crypto_wait_for_test()).
udevadm settle

key=/var/lib/dkms/mok.pub
import="mokutil --import $key"
name=$(dkms status 2>/dev/null | grep -oE 'nft-offload/[^,]+' | sort -u)

# What an admin sees who installs the package now: the module is built already.
installed() {
	dkms uninstall "$name" -k "$(uname -r)" >/dev/null 2>&1 &&
		dkms install "$name" -k "$(uname -r)" 2>&1
}

ruleset() {
	nft -f - <<-END
		table inet t {
			flowtable ft {
				hook ingress priority 0
				devices = { d0, d1 }
			}
		}
	END
}

has "Secure Boot is on" "$(mokutil --sb-state)" "SecureBoot enabled"
has "the kernel is locked down" "$(</sys/kernel/security/lockdown)" '\[integrity\]'
ip link add d0 type dummy
ip link add d1 type dummy
case $1 in
unknown)
	has "DKMS says how to enrol the key" "$(installed)" "$import"
	has "modprobe is refused" "$(modprobe nft_offload 2>&1)" \
		"Key was rejected by service"
	has "nft-offload check says what to type" "$(nft-offload check 2>&1)" "$import"
	has "in JSON, too" "$(nft-offload -j check 2>&1)" "$import"
	ok "flowtables go on to work" ruleset
	is "they are the kernel's own" "$(path_in_use)" kernel
	mokutil --generate-hash="$2" >/run/hash
	ok "the key is given to the firmware" mokutil --import $key --hash-file /run/hash
	;;
enrolled)
	has "the key is known" "$(mokutil --test-key $key)" "already enrolled"
	is "the module was loaded at boot" "$(cat /sys/module/nft_offload/version)" \
		"${name#*/}"
	ok "flowtables" ruleset
	is "are ours" "$(path_in_use)" module
	said=$(installed)
	has "DKMS installs it again" "$said" "nft_offload"
	is "and says nothing of the key" "$(grep mokutil <<<"$said")" ""
	is "nor does nft-offload check" "$(nft-offload check 2>&1 | grep mokutil)" ""
	;;
esac
finish
