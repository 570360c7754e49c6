/* SPDX-License-Identifier: GPL-2.0 */
/* A flowtable, its hash of flows and its devices: a part of flow/flow.h. */
#ifndef _NFTO_TABLE_H
#define _NFTO_TABLE_H

#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/netfilter/nf_conntrack_tuple.h>
#include <net/netfilter/nf_flow_table.h>
#include <uapi/linux/nfto.h>
#include "flow/nexthop.h"

struct nfto_dir;
struct nfto_flow;
struct nfto_net;
struct nfto_port;

/**
 * struct nfto_table_cpu - a table's counters, one set for each CPU
 * @packets: forwarded by the software fast path
 * @bytes: of these, from the network header on
 * @reason: packets left to the slow path, and flows refused or ended, by reason
 *
 * Written with this_cpu_inc() and summed without a lock; a reader on a 32-bit
 * machine may see a torn value.
 */
struct nfto_table_cpu {
	u64 packets;
	u64 bytes;
	u64 reason[NFTO_REASON_MAX + 1];
};

/**
 * struct nfto_table_dev - a device that a table's hook is on
 * @list: in table->devs; RCU, written under net->lock
 * @ifindex: of the device
 * @hooked: the hook was seen there; under net->lock
 * @since: jiffies when it became one of the table's
 * @port: the port, for tables with hardware offload; a reference
 * @rcu: for freeing it
 */
struct nfto_table_dev {
	struct list_head list;
	int ifindex;
	bool hooked;
	unsigned long since;
	struct nfto_port *port;
	struct rcu_head rcu;
};

#define NFTO_NH_BITS	6

/**
 * struct nfto_table - a flowtable
 * @self: the only member of nf_flowtable.list, so that the packet path gets
 *	from nf_tables' object to this one with one load
 * @list: in net->tables; RCU, written under net->lock
 * @net: a reference
 * @ref: nf_tables holds one, each flow and each next hop one
 * @id: of the table, in netlink
 * @ft: nf_tables' object, NULL once it is gone; under net->lock
 * @name: of the flowtable, as far as known
 * @family: NFPROTO_*
 * @prio: of the hook
 * @hw: it has "flags offload"
 * @counter: it has "counter"
 * @flows: the hash, both directions of every live flow
 * @seed: of IPv6's digest
 * @cache: where its flows are allocated
 * @cpu: counters
 * @n_flows: live flows
 * @n_doubted: directions of these that are in doubt
 * @follow: a ruleset that changes puts its flows in doubt
 * @devs: its devices; RCU, written under net->lock
 * @gen: changes when they do; written under @nh_lock
 * @nh_lock: protects @nexthops, @dying and @gen
 * @nexthops: by neighbour, or by device where there is none
 * @dying: there will be no more next hops, so no more flows
 * @end_work: ends all flows
 * @free_work: frees the table
 * @rcu: grace period between the two last
 */
struct nfto_table {
	struct list_head self;
	struct list_head list;
	struct nfto_net *net;
	refcount_t ref;
	u32 id;
	struct nf_flowtable *ft;
	u8 family;
	int prio;
	bool hw;
	bool counter;
	struct rhashtable flows;
	u32 seed;
	struct kmem_cache *cache;
	struct nfto_table_cpu __percpu *cpu;
	atomic_t n_flows;
	atomic_t n_doubted;
	bool follow;
	struct list_head devs;
	u32 gen;
	spinlock_t nh_lock;	/* protects nexthops, dying, gen */
	struct hlist_head nexthops[1 << NFTO_NH_BITS];
	bool dying;
	struct work_struct end_work;
	struct work_struct free_work;
	struct rcu_head rcu;
};

static inline struct nfto_table *nfto_table_of(const struct nf_flowtable *ft)
{
	struct list_head *first = READ_ONCE(ft->list.next);

	/* The table itself, or the head when there is none (any more). */
	return first == &ft->list ? NULL :
	       list_entry(first, struct nfto_table, self);
}

static inline void nfto_table_count(const struct nfto_table *table,
				    enum nfto_reason reason)
{
	this_cpu_inc(table->cpu->reason[reason]);
}

/**
 * struct nfto_key - what a packet is looked up by
 * @ip4: IPv4 addresses, source first
 * @digest: of an IPv6 packet, filled in by nfto_table_lookup()
 * @ip6: IPv6 addresses of the packet, source first, or NULL
 * @ports: as struct nfto_dir has them
 * @iif: as well
 * @proto: as well
 * @n_encap: encapsulations
 * @encap: these, outermost first
 */
struct nfto_key {
	union {
		__be32 ip4[2];
		u64 digest;
	};
	const struct in6_addr *ip6;
	u32 ports;
	int iif;
	u8 proto;
	u8 n_encap;
	struct nfto_encap encap[NFTO_ENCAP_MAX];
};

/**
 * nfto_table_alloc() - a table for a flowtable of nf_tables
 * @nn: its netns
 * @ft: nf_tables' object
 *
 * Context: control.
 * Return: a table with one reference, on its netns' list; or an ERR_PTR.
 */
struct nfto_table *nfto_table_alloc(struct nfto_net *nn, struct nf_flowtable *ft);

/**
 * nfto_table_put() - drop a reference
 * @table: the table; a work frees it after the last one
 *
 * Context: any.
 */
void nfto_table_put(struct nfto_table *table);

/**
 * nfto_table_after() - the tables of a netns by id
 * @nn: the netns
 * @id: the last one seen, 0 to begin with
 *
 * Context: net->lock is held.
 * Return: the table of the lowest id above @id, no reference; or NULL.
 */
struct nfto_table *nfto_table_after(const struct nfto_net *nn, u32 id);

/**
 * nfto_table_lookup() - the direction that a packet belongs to
 * @table: the table
 * @key: of the packet; @digest is filled in for IPv6
 *
 * Context: packet.
 * Return: a direction of a live flow, or NULL.
 */
struct nfto_dir *nfto_table_lookup(struct nfto_table *table,
				   struct nfto_key *key);

/**
 * nfto_table_key() - what a connection's packets are looked up by
 * @key: the key
 * @pair: where IPv6 addresses go, for the key
 * @t: the tuple of their direction
 * @iif: ifindex of the device where they arrive
 * @back: where the other direction leaves, so that this one comes from there
 *
 * Context: any.
 */
void nfto_table_key(struct nfto_key *key, struct in6_addr pair[2],
		    const struct nf_conntrack_tuple *t, int iif,
		    const struct nfto_nexthop *back);

/**
 * nfto_table_find_dev() - a device of a table
 * @table: the table
 * @ifindex: of the device
 *
 * Context: net->lock or rcu_read_lock().
 * Return: the table's note of it, or NULL.
 */
struct nfto_table_dev *nfto_table_find_dev(const struct nfto_table *table,
					   int ifindex);

/**
 * nfto_table_attach_dev() - a table has one more device
 * @table: the table
 * @td: its note, which is taken over
 *
 * Next hops that were made before this are not for new flows any more.
 *
 * Context: process.
 */
void nfto_table_attach_dev(struct nfto_table *table, struct nfto_table_dev *td);

/**
 * nfto_table_detach_dev() - a table has one device less
 * @table: the table
 * @ifindex: of the device; 0: of any that it has
 *
 * Next hops that were made before this are not for new flows any more.
 *
 * Context: process.
 * Return: the note, which packets may read until a grace period is over; NULL if
 * the table was not on that device.
 */
struct nfto_table_dev *nfto_table_detach_dev(struct nfto_table *table,
					     int ifindex);

/**
 * struct nfto_walk - all flows of a netns, or of one table
 * @nn: the netns
 * @only: id of the one table, 0: all
 * @last: id of the last table that is done
 * @table: that of @iter, a reference, or NULL
 * @iter: where the walk stands
 * @at: id of the flow that it stands on
 * @disturbed: flows may have been missed, or met twice
 */
struct nfto_walk {
	struct nfto_net *nn;
	u32 only;
	u32 last;
	struct nfto_table *table;
	struct rhashtable_iter iter;
	u64 at;
	bool disturbed;
};

/**
 * nfto_walk() - shows flows, those that are left
 * @w: the walk
 * @visit: called below RCU for each; not 0 ends the walk, and the next one
 *	begins with this flow
 * @arg: handed to it
 *
 * Context: process.
 * Return: what @visit returned last; 0 when there are no more.
 */
int nfto_walk(struct nfto_walk *w,
	      int (*visit)(struct nfto_flow *flow, void *arg), void *arg);

/**
 * nfto_walk_end() - let go of what a walk stands on
 * @w: the walk, at its end or not
 *
 * Context: process.
 */
void nfto_walk_end(struct nfto_walk *w);

#endif
