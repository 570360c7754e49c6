// SPDX-License-Identifier: GPL-2.0
/*
 * A flowtable: its flows by what their packets look like, and which devices it is
 * on. It is freed when nobody has a reference any more, flows among them.
 */
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include "flow/internal.h"

static u32 last_table_id;

/* --- the hash --- */

static u32 hash_words(u32 a, u32 b, u32 ports, int iif, u8 proto, u32 seed)
{
	return jhash_3words(a, b, ports, seed + ((u32)iif << 8 | proto));
}

/*
 * The digest of IPv6 is already a hash of everything that the hash of IPv4 is
 * made of.
 */
static u32 hash_key(const void *data, u32 len, u32 seed)
{
	const struct nfto_key *key = data;

	if (key->ip6)
		return (u32)key->digest ^ seed;
	return hash_words((__force u32)key->ip4[0], (__force u32)key->ip4[1],
			  key->ports, key->iif, key->proto, seed);
}

static u32 hash_dir(const void *data, u32 len, u32 seed)
{
	const struct nfto_dir *dir = data;

	if (dir->ipv6)
		return (u32)dir->digest ^ seed;
	return hash_words((__force u32)dir->saddr, (__force u32)dir->daddr,
			  dir->ports, dir->iif, dir->proto, seed);
}

static bool key_has_addresses(const struct nfto_dir *dir,
			      const struct nfto_key *key)
{
	const struct nf_conntrack_tuple *t;

	if (dir->digest != key->digest || dir->ipv6 != !!key->ip6)
		return false;
	if (!key->ip6)
		return true;
	t = &nfto_flow_of(dir)->ct->tuplehash[dir->reply].tuple;
	return ipv6_addr_equal(&t->src.u3.in6, &key->ip6[0]) &&
	       ipv6_addr_equal(&t->dst.u3.in6, &key->ip6[1]);
}

/*
 * A packet arrives with the encapsulation with which the other direction
 * leaves.
 */
static bool key_has_encap(const struct nfto_dir *dir, const struct nfto_key *key)
{
	const struct nfto_nexthop *back = nfto_dir_other(dir)->nh;
	int i;

	if (back->n_encap != key->n_encap)
		return false;
	for (i = 0; i < key->n_encap; i++)
		if (back->encap[i].id != key->encap[i].id ||
		    back->encap[i].proto != key->encap[i].proto)
			return false;
	return true;
}

static int compare_key(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nfto_key *key = arg->key;
	const struct nfto_dir *dir = obj;

	return dir->ports != key->ports || dir->iif != key->iif ||
	       dir->proto != key->proto || !key_has_addresses(dir, key) ||
	       !key_has_encap(dir, key);
}

/*
 * The hash does not shrink, and neither does conntrack's. As many flows as
 * there were will be there again, and shrinking was a quarter of what it took
 * to end them.
 */
static const struct rhashtable_params flow_hash_params = {
	.head_offset = offsetof(struct nfto_dir, node),
	.hashfn = hash_key,
	.obj_hashfn = hash_dir,
	.obj_cmpfn = compare_key,
};

/*
 * Stands for the addresses, ports, device and protocol of IPv6's packets;
 * compare_key() tells those with the same digest apart.
 */
static u32 digest_ip6(const struct nfto_table *table,
		      const struct in6_addr pair[2], u32 ports, int iif,
		      u8 proto)
{
	return jhash2((__force const u32 *)pair, 2 * sizeof(*pair) / sizeof(u32),
		      table->seed + ports + ((u32)iif << 8 | proto));
}

/**
 * nfto_table_digest() - the digest of a direction of IPv6
 * @table: the table
 * @dir: the direction; @ports, @iif and @proto are known
 * @t: conntrack's tuple of it
 *
 * Return: the digest.
 */
u32 nfto_table_digest(const struct nfto_table *table, const struct nfto_dir *dir,
		      const struct nf_conntrack_tuple *t)
{
	const struct in6_addr pair[2] = { t->src.u3.in6, t->dst.u3.in6 };

	return digest_ip6(table, pair, dir->ports, dir->iif, dir->proto);
}

struct nfto_dir *nfto_table_lookup(struct nfto_table *table,
				   struct nfto_key *key)
{
	if (key->ip6)
		key->digest = digest_ip6(table, key->ip6, key->ports, key->iif,
					 key->proto);
	return rhashtable_lookup(&table->flows, key, flow_hash_params);
}

void nfto_table_key(struct nfto_key *key, struct in6_addr pair[2],
		    const struct nf_conntrack_tuple *t, int iif,
		    const struct nfto_nexthop *back)
{
	const __be16 ports[2] = { t->src.u.all, t->dst.u.all };
	int i;

	memset(key, 0, sizeof(*key));
	key->proto = t->dst.protonum;
	if (key->proto != IPPROTO_GRE)
		memcpy(&key->ports, ports, sizeof(key->ports));
	key->iif = iif;
	key->n_encap = back->n_encap;
	for (i = 0; i < back->n_encap; i++)
		key->encap[i] = back->encap[i];
	if (t->src.l3num == NFPROTO_IPV6) {
		pair[0] = t->src.u3.in6;
		pair[1] = t->dst.u3.in6;
		key->ip6 = pair;
	} else {
		key->ip4[0] = t->src.u3.ip;
		key->ip4[1] = t->dst.u3.ip;
	}
}

static int insert_dir(struct nfto_table *table, struct nfto_dir *dir,
		      struct in6_addr pair[2])
{
	const struct nf_conn *ct = nfto_flow_of(dir)->ct;
	struct nfto_key key;

	nfto_table_key(&key, pair, &ct->tuplehash[dir->reply].tuple,
		       dir->iif, nfto_dir_other(dir)->nh);
	if (dir->ipv6)
		key.digest = dir->digest;
	return rhashtable_lookup_insert_key(&table->flows, &key, &dir->node,
					    flow_hash_params);
}

/* Context: packet. Return: 0, -EEXIST, or another negative errno. */
int nfto_table_insert(struct nfto_table *table, struct nfto_flow *flow)
{
	struct in6_addr pair[2];
	int err;

	err = insert_dir(table, &flow->dir[IP_CT_DIR_REPLY], pair);
	if (err)
		return err;
	err = insert_dir(table, &flow->dir[IP_CT_DIR_ORIGINAL], pair);
	if (err) {
		rhashtable_remove_fast(&table->flows,
				       &flow->dir[IP_CT_DIR_REPLY].node, flow_hash_params);
		return err;
	}
	atomic_inc(&table->n_flows);
	return 0;
}

/* Context: any; once for each flow that was inserted. */
void nfto_table_remove(struct nfto_table *table, struct nfto_flow *flow)
{
	rhashtable_remove_fast(&table->flows,
			       &flow->dir[IP_CT_DIR_ORIGINAL].node, flow_hash_params);
	rhashtable_remove_fast(&table->flows,
			       &flow->dir[IP_CT_DIR_REPLY].node, flow_hash_params);
	atomic_dec(&table->n_flows);
}

/* --- devices: written under net->lock --- */

struct nfto_table_dev *nfto_table_find_dev(const struct nfto_table *table,
					   int ifindex)
{
	struct nfto_table_dev *td;

	list_for_each_entry_rcu(td, &table->devs, list,
				lockdep_is_held(&table->net->lock))
		if (td->ifindex == ifindex)
			return td;
	return NULL;
}

/* Next hops that were made before this are not for new flows any more. */
static void begin_generation(struct nfto_table *table)
{
	spin_lock_bh(&table->nh_lock);
	/* Pairs with the acquire in make_nexthop(): who sees it sees the new devices. */
	smp_store_release(&table->gen, table->gen + 1);
	spin_unlock_bh(&table->nh_lock);
}

void nfto_table_attach_dev(struct nfto_table *table, struct nfto_table_dev *td)
{
	mutex_lock(&table->net->lock);
	list_add_tail_rcu(&td->list, &table->devs);
	begin_generation(table);
	mutex_unlock(&table->net->lock);
}

struct nfto_table_dev *nfto_table_detach_dev(struct nfto_table *table,
					     int ifindex)
{
	struct nfto_table_dev *td;

	mutex_lock(&table->net->lock);
	if (ifindex)
		td = nfto_table_find_dev(table, ifindex);
	else
		td = list_first_entry_or_null(&table->devs,
					      struct nfto_table_dev, list);
	if (td) {
		list_del_rcu(&td->list);
		begin_generation(table);
	}
	mutex_unlock(&table->net->lock);
	return td;
}

/* --- begin and end --- */

static void free_table_work(struct work_struct *work)
{
	struct nfto_table *table = container_of(work, struct nfto_table,
						free_work);
	struct nfto_net *nn = table->net;

	mutex_lock(&nn->lock);
	list_del_rcu(&table->list);
	mutex_unlock(&nn->lock);
	/*
	 * The hash is empty: each flow held a reference of the table, and was
	 * freed a grace period after it left the hash.
	 */
	rhashtable_destroy(&table->flows);
	free_percpu(table->cpu);
	kfree_rcu(table, rcu);
	nfto_net_put(nn);
	nfto_account(-1);
}

void nfto_table_put(struct nfto_table *table)
{
	if (refcount_dec_and_test(&table->ref))
		queue_work(nfto_control_wq, &table->free_work);
}

static void init_table(struct nfto_table *table, struct nfto_net *nn,
		       struct nf_flowtable *ft)
{
	refcount_set(&table->ref, 1);
	INIT_LIST_HEAD(&table->self);
	INIT_LIST_HEAD(&table->devs);
	spin_lock_init(&table->nh_lock);
	INIT_WORK(&table->free_work, free_table_work);
	table->net = nn;
	table->ft = ft;
	table->family = ft->type->family;
	table->hw = ft->flags & NF_FLOWTABLE_HW_OFFLOAD;
	table->counter = ft->flags & NF_FLOWTABLE_COUNTER;
	table->cache = nfto_flow_cache(table->counter);
	get_random_bytes(&table->seed, sizeof(table->seed));
}

struct nfto_table *nfto_table_alloc(struct nfto_net *nn, struct nf_flowtable *ft)
{
	struct nfto_table *table;
	int err = -ENOMEM;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	init_table(table, nn, ft);
	table->cpu = alloc_percpu(struct nfto_table_cpu);
	if (!table->cpu)
		goto err_table;
	err = rhashtable_init(&table->flows, &flow_hash_params);
	if (err)
		goto err_cpu;

	refcount_inc(&nn->ref);
	nfto_account(1);
	mutex_lock(&nn->lock);
	table->id = ++last_table_id;
	list_add_tail_rcu(&table->list, &nn->tables);
	mutex_unlock(&nn->lock);
	return table;

err_cpu:
	free_percpu(table->cpu);
err_table:
	kfree(table);
	return ERR_PTR(err);
}

struct nfto_table *nfto_table_after(const struct nfto_net *nn, u32 id)
{
	struct nfto_table *table, *next = NULL;

	list_for_each_entry(table, &nn->tables, list)
		if (table->id > id && (!next || table->id < next->id))
			next = table;
	return next;
}

#ifdef NFTO_SELFTEST
#include "selftest/table.c"
#endif
