# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/stmicro/stmmac
objs='stmmac_tc.o dwmac4_core.o'
