/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nft_expr_ops as the kernel at hand has it. Stable releases changed these
 * members, so their types decide, never a version: 6.1.176 and 6.1.192 differ.
 *
 * dump: gained "bool reset" (Linux 6.2, and in stable releases).
 * validate: lost its third argument (Linux 6.12, and in stable releases).
 * reduce: exists as long as NFT_REDUCE_READONLY does (until Linux 6.2).
 *
 * Whoever includes this has nfto_expr_dump() and nfto_expr_validate(), and
 * puts NFTO_EXPR_MEMBERS into the ops.
 */
#ifndef _NFTO_COMPAT_NFT_EXPR_H
#define _NFTO_COMPAT_NFT_EXPR_H

#include <net/netfilter/nf_tables.h>

static int nfto_expr_dump(struct sk_buff *skb, const struct nft_expr *expr);
static int nfto_expr_validate(const struct nft_ctx *ctx);

static int __maybe_unused nfto_dump_old(struct sk_buff *skb,
					const struct nft_expr *expr)
{
	return nfto_expr_dump(skb, expr);
}

static int __maybe_unused nfto_dump_new(struct sk_buff *skb,
					const struct nft_expr *expr, bool reset)
{
	return nfto_expr_dump(skb, expr);
}

static int __maybe_unused nfto_validate_old(const struct nft_ctx *ctx,
					    const struct nft_expr *expr,
					    const struct nft_data **data)
{
	return nfto_expr_validate(ctx);
}

static int __maybe_unused nfto_validate_new(const struct nft_ctx *ctx,
					    const struct nft_expr *expr)
{
	return nfto_expr_validate(ctx);
}

/* If neither fits, the compiler says so. */
#define NFTO_EXPR_DUMP							\
	__builtin_choose_expr(						\
		__same_type(*((const struct nft_expr_ops *)0)->dump,	\
			    nfto_dump_old),				\
		nfto_dump_old, nfto_dump_new)

#define NFTO_EXPR_VALIDATE						\
	__builtin_choose_expr(						\
		__same_type(*((const struct nft_expr_ops *)0)->validate, \
			    nfto_validate_old),				\
		nfto_validate_old, nfto_validate_new)

#ifdef NFT_REDUCE_READONLY
#define NFTO_EXPR_REDUCE	.reduce = NFT_REDUCE_READONLY,
#else
#define NFTO_EXPR_REDUCE
#endif

#define NFTO_EXPR_MEMBERS						\
	.dump = NFTO_EXPR_DUMP,						\
	.validate = NFTO_EXPR_VALIDATE,					\
	NFTO_EXPR_REDUCE

#endif
