# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/netronome/nfp
objs='flower/offload.o flower/match.o flower/action.o flower/metadata.o'
flags='-DCONFIG_NFP_APP_FLOWER=1'
