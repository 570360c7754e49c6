// SPDX-License-Identifier: GPL-2.0
/* The hash, against a search through all flows. */
#include "selftest/selftest.h"

#define FLOWS	200

static bool __init same_packet(const struct nfto_dir *a,
			       const struct nfto_dir *b)
{
	const struct nf_conntrack_tuple *s, *t;
	const struct nfto_nexthop *m, *n;

	s = &nfto_flow_of(a)->ct->tuplehash[a->reply].tuple;
	t = &nfto_flow_of(b)->ct->tuplehash[b->reply].tuple;
	m = nfto_dir_other(a)->nh;
	n = nfto_dir_other(b)->nh;
	return a->ipv6 == b->ipv6 && a->proto == b->proto &&
	       a->iif == b->iif && a->ports == b->ports &&
	       !memcmp(&s->src.u3, &t->src.u3, sizeof(s->src.u3)) &&
	       !memcmp(&s->dst.u3, &t->dst.u3, sizeof(s->dst.u3)) &&
	       m->n_encap == n->n_encap &&
	       !memcmp(m->encap, n->encap, m->n_encap * sizeof(m->encap[0]));
}

static struct nfto_dir *__init naive_lookup(struct fake *all[FLOWS],
					    const bool in[FLOWS],
					    const struct nfto_dir *like)
{
	int i, d;

	for (i = 0; i < FLOWS; i++)
		for (d = 0; in[i] && d < IP_CT_DIR_MAX; d++)
			if (same_packet(&all[i]->flow.dir[d], like))
				return &all[i]->flow.dir[d];
	return NULL;
}

static struct nfto_dir *__init real_lookup(struct nfto_table *table,
					   const struct nfto_dir *like)
{
	const struct nf_conntrack_tuple *t;
	struct in6_addr pair[2];
	struct nfto_dir *found;
	struct nfto_key key;

	t = &nfto_flow_of(like)->ct->tuplehash[like->reply].tuple;
	nfto_table_key(&key, pair, t, like->iif, nfto_dir_other(like)->nh);
	rcu_read_lock();
	found = nfto_table_lookup(table, &key);
	rcu_read_unlock();
	return found;
}

static bool __init run_hash(struct nfto_table *table, struct fake *all[FLOWS],
			    bool in[FLOWS])
{
	struct nfto_dir *dir;
	int round, i, err;
	bool taken, ok = true;

	for (round = 0; round < 4000 && ok; round++) {
		i = pick(FLOWS);
		dir = &all[i]->flow.dir[pick(2)];
		ok = EXPECT(real_lookup(table, dir) ==
			    naive_lookup(all, in, dir));
		if (in[i]) {
			nfto_table_remove(table, &all[i]->flow);
			in[i] = false;
			continue;
		}
		taken = naive_lookup(all, in, &all[i]->flow.dir[0]) ||
			naive_lookup(all, in, &all[i]->flow.dir[1]) ||
			same_packet(&all[i]->flow.dir[0], &all[i]->flow.dir[1]);
		err = nfto_table_insert(table, &all[i]->flow);
		in[i] = !err;
		ok = ok && EXPECT(err == (taken ? -EEXIST : 0));
	}
	for (i = 0; i < FLOWS; i++)
		if (in[i])
			nfto_table_remove(table, &all[i]->flow);
	return ok && EXPECT(!atomic_read(&table->n_flows)) &&
	       EXPECT(!atomic_read(&table->flows.nelems));
}

bool __init nfto_table_selftest(void)
{
	static struct fake *all[FLOWS] __initdata;
	static bool in[FLOWS] __initdata;
	struct nfto_table *table;
	bool ok = true;
	int i, d;

	prandom_seed_state(&selftest_rnd, 1);
	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table || rhashtable_init(&table->flows, &flow_hash_params)) {
		kfree(table);
		return false;
	}
	for (i = 0; i < FLOWS && ok; i++) {
		all[i] = fake_flow(table);
		ok = all[i];
		for (d = 0; ok && d < IP_CT_DIR_MAX; d++) {
			struct nfto_dir *dir = &all[i]->flow.dir[d];

			if (dir->ipv6)
				dir->digest = nfto_table_digest(table, dir,
								&all[i]->ct.tuplehash[d].tuple);
		}
	}
	ok = ok && run_hash(table, all, in);
	for (i = 0; i < FLOWS; i++)
		kfree(all[i]);
	rhashtable_destroy(&table->flows);
	kfree(table);
	return ok;
}
