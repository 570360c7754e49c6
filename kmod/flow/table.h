/* SPDX-License-Identifier: GPL-2.0 */
/* A flowtable. Locks and references: nfto.h. */
#ifndef _NFTO_TABLE_H
#define _NFTO_TABLE_H

#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/netfilter/nf_flow_table.h>
#include <uapi/linux/nfto.h>

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
 * @port: the port, for tables with hardware offload; a reference
 * @rcu: for freeing it
 */
struct nfto_table_dev {
	struct list_head list;
	int ifindex;
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

#endif
