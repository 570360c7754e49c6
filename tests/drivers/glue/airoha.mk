# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/airoha
objs='airoha_ppe.o'
flags='-DCONFIG_NET_AIROHA=1 -DCONFIG_NET_AIROHA_NPU=1 -include linux/kconfig.h'
