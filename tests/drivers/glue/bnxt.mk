# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/broadcom/bnxt
objs='bnxt_tc.o'
flags='-DCONFIG_BNXT_FLOWER_OFFLOAD=1 -DCONFIG_BNXT_SRIOV=1'
