/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What flow/ offers: connections that are forwarded here, their tables, ageing,
 * and what was refused. Nothing here knows how packets are forwarded, where they
 * go or what hardware is; what of that has to be told upwards is in events.h.
 * Locks, contexts and references: nfto.h.
 */
#ifndef _NFTO_FLOW_H
#define _NFTO_FLOW_H

#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <net/netfilter/nf_conntrack.h>
#include <uapi/linux/nfto.h>
#include "flow/nexthop.h"
#include "flow/table.h"

struct nfto_nexthop;
struct nfto_table;
struct nfto_wheel;

/* --- a flow and its directions --- */

/**
 * enum nfto_hw_event - what moves a direction from one state to the next
 * @NFTO_EV_ADD: a worker calls REPLACE
 * @NFTO_EV_ADDED: it was accepted
 * @NFTO_EV_FAILED: it was not
 * @NFTO_EV_REMOVE: a worker calls DESTROY
 * @NFTO_EV_REMOVED: it was accepted, or the driver does not know the entry
 * @NFTO_EV_STUCK: it was refused, the entry may still be there
 * @NFTO_EV_LOST: the driver does not know the entry any more
 */
enum nfto_hw_event {
	NFTO_EV_ADD,
	NFTO_EV_ADDED,
	NFTO_EV_FAILED,
	NFTO_EV_REMOVE,
	NFTO_EV_REMOVED,
	NFTO_EV_STUCK,
	NFTO_EV_LOST,
};

/* nfto_dir.queue, under the port's lock */
#define NFTO_Q_QUEUED	BIT(0)	/* on the port's queue, or among the stuck */
#define NFTO_Q_BUSY	BIT(1)	/* a worker has it */
#define NFTO_Q_AGAIN	BIT(2)	/* something changed while it had */

#define NFTO_TRIES_MAX	15

/**
 * enum nfto_doubt - whether the ruleset still lets a direction through
 * @NFTO_DOUBT_NONE: it did when it was asked last
 * @NFTO_DOUBT_NEW: it has changed since
 * @NFTO_DOUBT_ASKED: and a packet was sent through it
 * @NFTO_DOUBT_REACHED: which reached "flow add"
 */
enum nfto_doubt {
	NFTO_DOUBT_NONE,
	NFTO_DOUBT_NEW,
	NFTO_DOUBT_ASKED,
	NFTO_DOUBT_REACHED,
};

/* nfto_dir.flags, under the flow's lock */
#define NFTO_D_STATS	BIT(0)	/* the driver is to be asked for statistics */
#define NFTO_D_REFUSED	BIT(1)	/* not to be asked again in this epoch */

/**
 * struct nfto_dir - one direction of a flow: what arrives, where it goes
 * @node: in the table's hash
 * @saddr: IPv4 source
 * @daddr: IPv4 destination
 * @digest: IPv6: hash of all that a packet is looked up by but for the
 *	encapsulation; the addresses are in the conntrack tuple
 * @ports: source and destination port as they are on the wire, 0 for GRE
 * @iif: ifindex of the device whose ingress hook sees it
 * @proto: IPPROTO_TCP, IPPROTO_UDP, IPPROTO_GRE
 * @reply: this is IP_CT_DIR_REPLY
 * @ipv6: the addresses are IPv6
 * @doubt: enum nfto_doubt; written under the flow's lock, read without by packets.
 *	Its neighbours in the byte never change
 * @queue: NFTO_Q_*; under the lock of the ingress port
 * @state: enum nfto_hw; this and what follows under the flow's lock
 * @flags: NFTO_D_*
 * @tries: failures in a row, no more than NFTO_TRIES_MAX are counted
 * @out_reason: enum nfto_reason, why it is not in hardware
 * @epoch: the port's when it refused
 * @result: what the driver said last, see nfto_result_get()
 * @nh: where it leaves; never changes
 * @before: in nh->dirs, those with a lower destination; under nh->lock
 * @after: those with a higher one
 * @next: in the ingress port's queue; under the port's lock. Of a flow without
 *	references: one that is freed with it
 *
 * The first 26 bytes and @nh are all that a lookup reads. Which encapsulation it
 * arrives with is that with which the other direction leaves.
 */
struct nfto_dir {
	struct rhash_head node;
	union {
		struct {
			__be32 saddr;
			__be32 daddr;
		};
		u64 digest;
	};
	u32 ports;
	int iif;
	u8 proto;
	u8 reply:1,
	   ipv6:1,
	   doubt:2;
	u8 queue;
	u8 state:2,
	   flags:2,
	   tries:4;
	u8 out_reason;
	u8 epoch;
	u16 result;
	struct nfto_nexthop *nh;
	struct nfto_dir *before;
	struct nfto_dir *after;
	struct nfto_dir *next;
};

/* nfto_flow.flags, under the flow's lock; read without it where that does */
#define NFTO_F_LIVE	BIT(0)
#define NFTO_F_SNAT	BIT(1)	/* these two never change */
#define NFTO_F_DNAT	BIT(2)

/**
 * struct nfto_count - what the hardware counted for a direction
 * @packets: packets
 * @bytes: bytes, as the driver counts them
 */
struct nfto_count {
	u64 packets;
	u64 bytes;
};

/**
 * struct nfto_flow - a connection that is forwarded here
 * @dir: its directions, indexed by enum ip_conntrack_dir
 * @ct: its conntrack entry; a reference
 * @table: its table; a reference
 * @id: unique while the module is loaded, part of the cookies
 * @wheel: in a slot of the wheel; under the slot's lock
 * @rcu: for freeing it
 * @lock: see the flags
 * @ref: see the top of this file
 * @last_used: jiffies of the last packet known, here or in hardware
 * @asked: jiffies of the last answer with statistics; or of the first packet of
 *	a direction in doubt, which has none in hardware to be asked for
 * @flags: NFTO_F_*
 * @slot: of the wheel; written under that slot's lock
 * @gen: how often each direction was put into hardware; the cookie's low bits
 * @end_reason: enum nfto_reason, why it ended
 * @count: of the hardware, for each direction; only where the table counts
 *
 * Freed after a grace period once @ref is zero: it was taken out of the hash
 * before the reference of a live flow was dropped, so that no packet finds it
 * after that; no port's queue and no driver has it, because these hold
 * references; the wheel and the next hops' lists do not have it, because
 * nfto_flow_end() took it out of them.
 */
struct nfto_flow {
	struct nfto_dir dir[IP_CT_DIR_MAX];
	struct nf_conn *ct;
	struct nfto_table *table;
	u64 id;
	union {
		struct hlist_node wheel;
		struct rcu_head rcu;
	};
	spinlock_t lock;	/* protects flags, and state of the directions */
	refcount_t ref;
	u32 last_used;
	u32 asked;
	u8 flags;
	u8 slot;
	u8 gen[IP_CT_DIR_MAX];
	u8 end_reason;
	struct nfto_count count[];
};

#define NFTO_GEN_BITS	7
#define NFTO_GEN_MAX	(BIT(NFTO_GEN_BITS) - 1)

static inline struct nfto_flow *nfto_flow_of(const struct nfto_dir *dir)
{
	return (struct nfto_flow *)container_of(dir - dir->reply,
						struct nfto_flow, dir[0]);
}

static inline struct nfto_dir *nfto_dir_other(const struct nfto_dir *dir)
{
	return (struct nfto_dir *)(dir->reply ? dir - 1 : dir + 1);
}

static inline unsigned long nfto_dir_cookie(const struct nfto_dir *dir)
{
	const struct nfto_flow *flow = nfto_flow_of(dir);

	return flow->id << (NFTO_GEN_BITS + 1) |
	       flow->gen[dir->reply] << 1 | dir->reply;
}

/* --- flow.c --- */

/**
 * nfto_flow_init() - make the caches that flows are allocated from
 *
 * Context: the module's init.
 * Return: 0 or -ENOMEM.
 */
int nfto_flow_init(void);

/**
 * nfto_flow_exit() - give the caches back
 *
 * Context: the module's exit, after rcu_barrier(); there is no flow any more.
 */
void nfto_flow_exit(void);

/**
 * nfto_flow_add() - a connection becomes a flow
 * @table: its table
 * @ct: its conntrack entry; the caller has set IPS_OFFLOAD
 * @nh: where its directions leave; the references are taken over, in any case
 *
 * Context: packet.
 * Return: 0 or a negative errno; -EEXIST if another flow has the same packets.
 */
int nfto_flow_add(struct nfto_table *table, struct nf_conn *ct,
		  struct nfto_nexthop *nh[IP_CT_DIR_MAX]);

/**
 * nfto_flow_end() - a flow is no more
 * @flow: the flow; the caller has a reference, or found it below RCU
 * @reason: why
 *
 * Packets do not find it any more when this returns. Its entries leave the
 * hardware later, see the phases at the top of flow.c. Only the first of several
 * callers has an effect.
 *
 * Context: any.
 */
void nfto_flow_end(struct nfto_flow *flow, enum nfto_reason reason);

/**
 * nfto_flow_get() - take a reference
 * @flow: the flow, found below rcu_read_lock() or in a list
 *
 * Context: any.
 * Return: false if it is about to be freed.
 */
bool nfto_flow_get(struct nfto_flow *flow);

/**
 * nfto_flow_put() - drop a reference
 * @flow: the flow
 *
 * Context: any.
 */
void nfto_flow_put(struct nfto_flow *flow);

/**
 * nfto_flow_put_all() - drop a reference of each of these
 * @dirs: directions of the flows; a flow may be there twice
 * @n: how many
 *
 * Those that are to be freed wait for the same grace period together: no queue
 * has them any more, so that the queue's link is free for their chain.
 *
 * Context: any.
 */
void nfto_flow_put_all(struct nfto_dir *const *dirs, unsigned int n);

/**
 * nfto_flow_event() - make a transition of a direction's hardware state
 * @dir: the direction
 * @event: what happened to it
 * @reason: why it is out, where it is out after this
 *
 * Takes or drops the reference that a direction in hardware holds, and keeps
 * IPS_HW_OFFLOAD true: it is set while both directions are in hardware.
 *
 * Context: the flow's lock is held, and the caller has a reference of its own.
 * Return: false if that cannot happen in this state; nothing has changed then.
 */
bool nfto_flow_event(struct nfto_dir *dir, enum nfto_hw_event event,
		     enum nfto_reason reason);

/**
 * nfto_flow_doubt() - the ruleset may forbid a flow now
 * @flow: the flow; the caller has a reference, or found it below RCU
 *
 * Both directions leave the hardware, and the slow path has their packets until
 * nfto_dir_trust(). Where both are in doubt already, that changes nothing, so
 * that the wait of age.c comes to its end.
 *
 * Context: any.
 */
void nfto_flow_doubt(struct nfto_flow *flow);

/**
 * nfto_flow_doubt_all() - the same for the flows of a netns
 * @nn: the netns
 * @last: for those up to this id
 *
 * Tables that do not follow the ruleset are left alone.
 *
 * Context: process.
 */
void nfto_flow_doubt_all(struct nfto_net *nn, u64 last);

/**
 * nfto_dir_reached() - a packet of a direction in doubt has reached "flow add"
 * @dir: the direction; it may be dropped by a later rule yet
 *
 * Context: packet.
 */
void nfto_dir_reached(struct nfto_dir *dir);

/**
 * nfto_dir_trust() - and has got through the rest of the ruleset
 * @dir: the direction; it is not in doubt any more
 *
 * Context: packet.
 */
void nfto_dir_trust(struct nfto_dir *dir);

/**
 * nfto_flow_timeout() - how long a flow may be idle
 * @flow: the flow
 *
 * Context: any.
 * Return: jiffies, from conntrack's nf_flowtable_*_timeout; NF_FLOW_TIMEOUT
 * (30 s) where conntrack has none for the protocol.
 */
unsigned int nfto_flow_timeout(const struct nfto_flow *flow);

/**
 * nfto_flow_last_id() - the highest id that a flow has had so far
 *
 * Context: any.
 * Return: the id; 0 if there was no flow yet.
 */
u64 nfto_flow_last_id(void);

/**
 * nfto_flow_new_ids() - ids that no flow will have
 * @n: how many
 *
 * Context: any.
 * Return: the first of them; the others follow it.
 */
u64 nfto_flow_new_ids(unsigned int n);

/* --- age.c --- */

/**
 * nfto_wheel_init() - an empty wheel
 * @wheel: of a netns that is being made
 *
 * Context: process.
 */
void nfto_wheel_init(struct nfto_wheel *wheel);

/**
 * nfto_wheel_exit() - stop the hand
 * @wheel: of a netns that goes; it has no flows
 *
 * Context: process; waits for the hand.
 */
void nfto_wheel_exit(struct nfto_wheel *wheel);

/**
 * nfto_age_failed() - a direction was not put in, and may be tried again
 * @flow: its flow
 *
 * Context: the flow's lock is held.
 */
void nfto_age_failed(struct nfto_flow *flow);

/**
 * nfto_age_counts() - the first direction of a flow is in hardware
 * @flow: the flow; it is to be asked for counters from now on
 *
 * Context: the flow's lock is held.
 */
void nfto_age_counts(struct nfto_flow *flow);

/**
 * nfto_age_await_verdict() - a packet of a direction in doubt takes the slow path
 * @dir: the direction
 *
 * The first one starts the time in which the ruleset has to let one through.
 *
 * Context: packet.
 */
void nfto_age_await_verdict(struct nfto_dir *dir);

/**
 * nfto_age_suspect() - what the hardware has of a flow may be lost
 * @flow: the flow; live, with a reference or below RCU
 *
 * A packet came by here that the hardware should have had, or others are lost.
 * What has lost one direction will have lost the other, too.
 *
 * Context: any; for packets each two seconds at most.
 */
void nfto_age_suspect(struct nfto_flow *flow);

/**
 * nfto_age_offer() - offer again what a driver has refused
 * @flow: the flow; live, with a reference or below RCU
 *
 * Context: any.
 * Return: whether there was something that may be taken.
 */
bool nfto_age_offer(struct nfto_flow *flow);

/* --- refuse.c --- */

/**
 * nfto_refuse() - no flow is made for a packet
 * @table: the table it was meant for
 * @ct: its conntrack entry, NULL: none
 * @in: where it came from
 * @reason: why; counted, and kept with the tuple where that tells something
 *
 * Context: packet.
 */
void nfto_refuse(struct nfto_table *table, const struct nf_conn *ct,
		 const struct net_device *in, enum nfto_reason reason);

#endif
