// SPDX-License-Identifier: GPL-2.0
/*
 * A flowtable: its flows by what their packets look like, and its devices.
 *
 * nf_tables' object goes when nf_tables wants it to, at a moment when nobody
 * may be waited for. The table lives on until its last flow is gone.
 */
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include "nfto.h"

static u32 last_id;

/* --- the hash --- */

static u32 hash_words(u32 a, u32 b, u32 ports, int iif, u8 proto, u32 seed)
{
	return jhash_3words(a, b, ports, seed + ((u32)iif << 8 | proto));
}

/* The digest of IPv6 is a hash already, of all that the others are made of. */
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

static bool same_addresses(const struct nfto_dir *dir,
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

/* A packet comes with what the other direction's packets leave with. */
static bool same_encap(const struct nfto_dir *dir, const struct nfto_key *key)
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

static int compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct nfto_key *key = arg->key;
	const struct nfto_dir *dir = obj;

	return dir->ports != key->ports || dir->iif != key->iif ||
	       dir->proto != key->proto || !same_addresses(dir, key) ||
	       !same_encap(dir, key);
}

/*
 * It does not shrink, as conntrack's own does not. As many flows as there were
 * will be there again, and shrinking was a quarter of what ending them took.
 */
static const struct rhashtable_params params = {
	.head_offset = offsetof(struct nfto_dir, node),
	.hashfn = hash_key,
	.obj_hashfn = hash_dir,
	.obj_cmpfn = compare,
};

/* What stands for IPv6's packets; ties are told apart by compare(). */
static u32 digest(const struct nfto_table *table, const struct in6_addr pair[2],
		  u32 ports, int iif, u8 proto)
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

	return digest(table, pair, dir->ports, dir->iif, dir->proto);
}

/**
 * nfto_table_lookup() - the direction that a packet belongs to
 * @table: the table
 * @key: of the packet; @digest is filled in for IPv6
 *
 * Context: packet.
 * Return: a direction of a live flow, or NULL.
 */
struct nfto_dir *nfto_table_lookup(struct nfto_table *table,
				   struct nfto_key *key)
{
	if (key->ip6)
		key->digest = digest(table, key->ip6, key->ports, key->iif,
				     key->proto);
	return rhashtable_lookup(&table->flows, key, params);
}

/**
 * nfto_table_key() - what a connection's packets are looked up by
 * @key: the key
 * @pair: where IPv6 addresses go, for the key
 * @t: the tuple of their direction
 * @iif: ifindex of the device where they arrive
 * @back: where the other direction leaves, so that this one comes from there
 */
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
					    params);
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
				       &flow->dir[IP_CT_DIR_REPLY].node, params);
		return err;
	}
	atomic_inc(&table->n_flows);
	return 0;
}

/* Context: any; once for each flow that was inserted. */
void nfto_table_remove(struct nfto_table *table, struct nfto_flow *flow)
{
	rhashtable_remove_fast(&table->flows,
			       &flow->dir[IP_CT_DIR_ORIGINAL].node, params);
	rhashtable_remove_fast(&table->flows,
			       &flow->dir[IP_CT_DIR_REPLY].node, params);
	atomic_dec(&table->n_flows);
}

/* --- devices: written under net->lock --- */

/* Context: net->lock or rcu_read_lock(). */
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

/* Next hops of before are not for new flows any more. */
static void new_generation(struct nfto_table *table)
{
	spin_lock_bh(&table->nh_lock);
	/* Pairs with the acquire in make(): who sees it sees the new devices. */
	smp_store_release(&table->gen, table->gen + 1);
	spin_unlock_bh(&table->nh_lock);
}

/**
 * nfto_table_add_dev() - nf_tables hooks a table to a device
 * @table: the table
 * @dev: the device
 *
 * Context: control.
 * Return: 0, -ENOMEM, or with strict=1 why the device cannot offload.
 */
int nfto_table_add_dev(struct nfto_table *table, struct net_device *dev)
{
	struct nfto_net *nn = table->net;
	struct nfto_table_dev *td;
	struct nfto_port *port;
	int err;

	td = kzalloc(sizeof(*td), GFP_KERNEL);
	if (!td)
		return -ENOMEM;
	td->ifindex = dev->ifindex;
	if (table->hw) {
		port = nfto_port_use(nn, dev);
		if (IS_ERR(port)) {
			kfree(td);
			return PTR_ERR(port);
		}
		td->port = port;
		err = nfto_strict ? nfto_port_bind_now(port) : 0;
		if (err) {
			nfto_port_unuse(port);
			kfree(td);
			return err;
		}
	}
	mutex_lock(&nn->lock);
	list_add_tail_rcu(&td->list, &table->devs);
	new_generation(table);
	mutex_unlock(&nn->lock);
	/* What could not be done without this device may be done now. */
	nfto_nexthop_end_all(table, NFTO_REASON_ROUTE_STALE);
	return 0;
}

/**
 * nfto_table_del_dev() - nf_tables takes a table's hook off a device
 * @table: the table
 * @dev: the device
 *
 * Flows by this device end. Their entries leave the hardware, and then the port
 * is unbound, in a worker.
 *
 * Context: control.
 */
void nfto_table_del_dev(struct nfto_table *table, struct net_device *dev)
{
	struct nfto_net *nn = table->net;
	struct nfto_table_dev *td;

	mutex_lock(&nn->lock);
	td = nfto_table_find_dev(table, dev->ifindex);
	if (td) {
		list_del_rcu(&td->list);
		new_generation(table);
	}
	mutex_unlock(&nn->lock);
	if (!td)
		return;

	nfto_nexthop_end_dev(table, dev, NFTO_REASON_DEVICE_GONE);
	if (td->port)
		nfto_port_unuse(td->port);
	kfree_rcu(td, rcu);
}

/* --- begin and end --- */

/* Ends all flows. Context: process. */
void nfto_table_end_flows(struct nfto_table *table, enum nfto_reason reason)
{
	spin_lock_bh(&table->nh_lock);
	table->dying = true;
	spin_unlock_bh(&table->nh_lock);
	nfto_nexthop_end_all(table, reason);
}

static void end_work(struct work_struct *work)
{
	struct nfto_table *table = container_of(work, struct nfto_table,
						end_work);

	nfto_table_end_flows(table, NFTO_REASON_FLOWTABLE_GONE);
	nfto_table_put(table);
}

static void free_work(struct work_struct *work)
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

/* Context: any. */
void nfto_table_put(struct nfto_table *table)
{
	if (refcount_dec_and_test(&table->ref))
		queue_work(nfto_control_wq, &table->free_work);
}

static void setup(struct nfto_table *table, struct nf_flowtable *ft,
		  struct nfto_net *nn)
{
	refcount_set(&table->ref, 1);
	INIT_LIST_HEAD(&table->devs);
	spin_lock_init(&table->nh_lock);
	INIT_WORK(&table->end_work, end_work);
	INIT_WORK(&table->free_work, free_work);
	table->net = nn;
	table->ft = ft;
	table->family = ft->type->family;
	table->hw = ft->flags & NF_FLOWTABLE_HW_OFFLOAD;
	table->counter = ft->flags & NF_FLOWTABLE_COUNTER;
	table->follow = READ_ONCE(nfto_follow_ruleset);
	table->cache = nfto_flow_cache(table->counter);
	get_random_bytes(&table->seed, sizeof(table->seed));
}

/**
 * nfto_table_alloc() - nf_tables makes a flowtable
 * @ft: its object; @ft->list becomes the head that only this table is on
 *
 * Context: control.
 * Return: the table, or an ERR_PTR.
 */
struct nfto_table *nfto_table_alloc(struct nf_flowtable *ft)
{
	struct nfto_net *nn = nfto_net_of(read_pnet(&ft->net));
	struct nfto_table *table;
	int err = -ENOMEM;

	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	setup(table, ft, nn);
	table->cpu = alloc_percpu(struct nfto_table_cpu);
	if (!table->cpu)
		goto err_table;
	err = nfto_ruleset_open(nn);
	if (err)
		goto err_cpu;
	err = rhashtable_init(&table->flows, &params);
	if (err)
		goto err_cpu;

	refcount_inc(&nn->ref);
	nfto_account(1);
	mutex_lock(&nn->lock);
	table->id = ++last_id;
	list_add_tail_rcu(&table->list, &nn->tables);
	mutex_unlock(&nn->lock);
	nfto_routes_begin(nn);
	INIT_LIST_HEAD(&ft->list);
	list_add(&table->self, &ft->list);
	return table;

err_cpu:
	free_percpu(table->cpu);
err_table:
	kfree(table);
	return ERR_PTR(err);
}

/**
 * nfto_table_detach() - nf_tables' object goes
 * @table: its table
 *
 * No hook runs any more: nf_tables has waited for a grace period after it took
 * them off, or never put them on.
 *
 * Context: control.
 */
void nfto_table_detach(struct nfto_table *table)
{
	struct nfto_net *nn = table->net;

	mutex_lock(&nn->lock);
	list_del_init(&table->self);
	table->ft = NULL;
	mutex_unlock(&nn->lock);
	queue_work(nfto_control_wq, &table->end_work);
}

#ifdef NFTO_SELFTEST
#include "selftest/table.c"
#endif
