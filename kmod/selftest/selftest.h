/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Self-tests, run when the module is loaded, in builds for debug kernels. Each
 * is included at the end of the file it tests, compares that with a model too
 * simple to be wrong, and has the load fail if they differ.
 */
#ifndef _NFTO_SELFTEST_H
#define _NFTO_SELFTEST_H

#include <linux/prandom.h>
#include <linux/slab.h>
#include "nfto.h"
#include "selftest/offer.h"

/* The same numbers at every load. */
static struct rnd_state selftest_rnd;

static u32 __init pick(u32 n)
{
	return prandom_u32_state(&selftest_rnd) % n;
}

#define EXPECT(cond) ({							\
	bool ok = (cond);						\
									\
	if (!ok)							\
		pr_err("nft_offload: self-test %s, line %d: %s\n",	\
		       __func__, __LINE__, #cond);			\
	ok;								\
})

/**
 * struct fake - a flow that no packet has made
 * @flow: the flow
 * @ct: its conntrack entry, of which only tuples and status are there
 * @nh: its next hops
 */
struct fake {
	struct nfto_flow flow;
	struct nfto_count count[IP_CT_DIR_MAX];
	struct nf_conn ct;
	struct nfto_nexthop nh[IP_CT_DIR_MAX];
};

/* Few different values, so that flows have much in common. */
static void __init fake_tuple(struct nf_conntrack_tuple *t, bool ipv6)
{
	int i;

	t->src.l3num = ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	for (i = 0; i < (ipv6 ? 4 : 1); i++) {
		t->src.u3.all[i] = pick(3);
		t->dst.u3.all[i] = pick(3);
	}
	t->dst.protonum = pick(2) ? IPPROTO_TCP : IPPROTO_UDP;
	t->src.u.all = htons(pick(3));
	t->dst.u.all = htons(pick(3));
}

static struct fake *__init fake_flow(struct nfto_table *table)
{
	struct fake *f = kzalloc(sizeof(*f), GFP_KERNEL);
	bool ipv6 = pick(2);
	int i, k;

	if (!f)
		return NULL;
	spin_lock_init(&f->flow.lock);
	refcount_set(&f->flow.ref, 1);
	f->flow.ct = &f->ct;
	f->flow.table = table;
	f->flow.flags = NFTO_F_LIVE;
	f->flow.dir[1].reply = 1;
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		struct nf_conntrack_tuple *t = &f->ct.tuplehash[i].tuple;
		struct nfto_dir *dir = &f->flow.dir[i];

		fake_tuple(t, ipv6);
		t->dst.protonum = f->ct.tuplehash[0].tuple.dst.protonum;
		dir->nh = &f->nh[i];
		dir->ipv6 = ipv6;
		dir->proto = t->dst.protonum;
		dir->iif = 1 + pick(2);
		memcpy(&dir->ports, &t->src.u.all, sizeof(__be16));
		memcpy((u8 *)&dir->ports + 2, &t->dst.u.all, sizeof(__be16));
		if (!ipv6) {
			dir->saddr = t->src.u3.ip;
			dir->daddr = t->dst.u3.ip;
		}
		f->nh[i].n_encap = pick(NFTO_ENCAP_MAX + 1);
		for (k = 0; k < f->nh[i].n_encap; k++) {
			f->nh[i].encap[k].id = 1 + pick(3);
			f->nh[i].encap[k].proto = htons(ETH_P_8021Q);
		}
	}
	return f;
}

#endif
