/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nft_flowtable_lookup() gained the netns. As in forward-path.h, its type decides.
 */
#ifndef _NFTO_COMPAT_FLOWTABLE_LOOKUP_H
#define _NFTO_COMPAT_FLOWTABLE_LOOKUP_H

#include <linux/build_bug.h>
#include <net/netfilter/nf_tables.h>

struct nft_flowtable *nfto_lookup_old(const struct nft_table *table,
				      const struct nlattr *nla, u8 genmask);
struct nft_flowtable *nfto_lookup_new(const struct net *net,
				      const struct nft_table *table,
				      const struct nlattr *nla, u8 genmask);

#define NFTO_LOOKUP_OLD	__same_type(nft_flowtable_lookup, nfto_lookup_old)
#define NFTO_LOOKUP_NEW	__same_type(nft_flowtable_lookup, nfto_lookup_new)
static_assert(NFTO_LOOKUP_OLD + NFTO_LOOKUP_NEW == 1);

static inline struct nft_flowtable *
nfto_flowtable_lookup(const struct nft_ctx *ctx, const struct nlattr *nla)
{
	u8 mask = nft_genmask_next(ctx->net);

	return __builtin_choose_expr(NFTO_LOOKUP_NEW,
		__builtin_choose_expr(NFTO_LOOKUP_NEW, nft_flowtable_lookup,
				      nfto_lookup_new)(ctx->net, ctx->table, nla, mask),
		__builtin_choose_expr(NFTO_LOOKUP_OLD, nft_flowtable_lookup,
				      nfto_lookup_old)(ctx->table, nla, mask));
}

#endif
