// SPDX-License-Identifier: GPL-2.0
/*
 * The directions of a next hop, sorted by destination, so that what happens to a
 * prefix finds those inside of it.
 *
 * This is a treap: a tree by destination, and a heap by a rank that looks random.
 * It is as deep as a random tree, wants no balancing that a node would have to
 * remember, and so fits into the room that a list would take; nothing is
 * allocated. The rank is a hash of the address in memory.
 *
 * Context: the next hop's lock is held.
 */
#include "flow/internal.h"

/* Where the packets go, behind NAT. Of IPv6 the upper half. */
static u64 dest_of(const struct nfto_dir *dir)
{
	const struct nf_conntrack_tuple *t;

	if (!dir->ipv6)
		return ntohl(nfto_dir_other(dir)->saddr);
	t = &nfto_flow_of(dir)->ct->tuplehash[!dir->reply].tuple;
	return (u64)ntohl(t->src.u3.ip6[0]) << 32 | ntohl(t->src.u3.ip6[1]);
}

static u64 rank_of(const struct nfto_dir *dir)
{
	u64 x = (uintptr_t)dir;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

/* Of the same destination, the one with the lower address in memory is first. */
static bool is_before(const struct nfto_dir *dir, u64 dest,
		      const struct nfto_dir *than)
{
	u64 other = dest_of(than);

	return dest < other || (dest == other && dir < than);
}

/* A direction that is not in there. */
void nfto_dest_insert(struct nfto_dir **root, struct nfto_dir *dir)
{
	u64 dest = dest_of(dir), rank = rank_of(dir);
	struct nfto_dir **link = root, **before, **after, *at;

	while ((at = *link) && rank_of(at) >= rank)
		link = is_before(dir, dest, at) ? &at->before : &at->after;
	*link = dir;
	/* What was there is split between its two sides. */
	before = &dir->before;
	after = &dir->after;
	while (at) {
		if (is_before(dir, dest, at)) {
			*after = at;
			after = &at->before;
			at = at->before;
		} else {
			*before = at;
			before = &at->after;
			at = at->after;
		}
	}
	*before = NULL;
	*after = NULL;
}

/* Return: whether it was in there. */
bool nfto_dest_remove(struct nfto_dir **root, struct nfto_dir *dir)
{
	struct nfto_dir **link = root, *at, *before, *after;
	u64 dest = dest_of(dir);

	while ((at = *link) && at != dir)
		link = is_before(dir, dest, at) ? &at->before : &at->after;
	if (!at)
		return false;
	/* Its two sides become one. */
	before = dir->before;
	after = dir->after;
	while (before && after) {
		if (rank_of(before) >= rank_of(after)) {
			*link = before;
			link = &before->after;
			before = *link;
		} else {
			*link = after;
			link = &after->before;
			after = *link;
		}
	}
	*link = before ?: after;
	return true;
}

/**
 * nfto_dest_next() - one after the other
 * @root: the tree, which may change between two calls
 * @range: where to go on; on return, at what was found
 *
 * Return: the next direction in the range, or NULL.
 */
struct nfto_dir *nfto_dest_next(struct nfto_dir *root, struct nfto_range *range)
{
	struct nfto_dir *at = root, *found = NULL;

	while (at) {
		if (is_before(range->dir, range->at, at)) {
			found = at;
			at = at->before;
		} else {
			at = at->after;
		}
	}
	if (!found || dest_of(found) > range->last)
		return NULL;
	range->at = dest_of(found);
	range->dir = found;
	return found;
}

#ifdef NFTO_SELFTEST
#include "selftest/dest.c"
#endif
