# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/chelsio/cxgb4
objs='cxgb4_tc_flower.o'
