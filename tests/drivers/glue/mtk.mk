# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/mediatek
objs='mtk_ppe.o mtk_ppe_offload.o'
# From 6.5 on versions are numbers, and several engines have an index.
! grep -q 'int mtk_eth_offload_init(struct mtk_eth \*eth, u8 id)' \
	"$source/$dir/mtk_eth_soc.h" || flags='-DMTK_HAS_VERSION=1'
