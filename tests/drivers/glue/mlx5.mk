# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/mellanox/mlx5/core
objs="en_tc.o en/rep/tc.o en/mod_hdr.o diag/en_tc_tracepoint.o
	$(cd "$source/$dir" && printf '%s\n' en/tc/act/*.c | sed 's/\.c$/.o/')"
flags='-DCONFIG_MLX5_CORE=1'
# Debian's Linux 7 has no flower in mlx5: what it is made with is switched on.
grep -q '^CONFIG_MLX5_CLS_ACT=y' "$tree$build/.config" ||
	flags+=' -DCONFIG_MLX5_CLS_ACT=1 -DCONFIG_NET_TC_SKB_EXT=1'
# The kernel's own mlx5_core is not to be called here.
hide='^mlx5'
grep -q 'mlx5e_is_uplink_rep(const' "$source/$dir/en_rep.h" &&
	flags+=' -DMLX5E_CONST=const' || flags+=' -DMLX5E_CONST='
# What has changed since 6.1.
! grep -q 'vport_valid;' "$source/$dir/eswitch.h" || flags+=' -DMLX5_DEST_IS_VPORT=1'
! grep -q 'peer_flows\[' "$source/$dir/eswitch.h" || flags+=' -DMLX5_PEERS=MLX5_MAX_PORTS'
