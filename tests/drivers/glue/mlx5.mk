# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
dir=drivers/net/ethernet/mellanox/mlx5/core
objs="en_tc.o en/rep/tc.o en/mod_hdr.o diag/en_tc_tracepoint.o
	$(cd "$source/$dir" && printf '%s\n' en/tc/act/*.c | sed 's/\.c$/.o/')"
flags='-DCONFIG_MLX5_CORE=1'
# The kernel's own mlx5_core is not to be called here.
hide='^mlx5'
grep -q 'mlx5e_is_uplink_rep(const' "$source/$dir/en_rep.h" &&
	flags+=' -DMLX5E_CONST=const' || flags+=' -DMLX5E_CONST='
