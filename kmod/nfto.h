/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nft_offload: the nouns of the module.
 *
 * Contexts
 *   packet	softirq or bottom halves off, below rcu_read_lock(): the
 *		ingress hook and the flow_offload expression
 *   control	process, nf_tables' commit mutex held, RTNL held or not: the
 *		flowtable type's functions
 *   event	process, RTNL held: the netdevice notifier
 *   worker	process, nothing held
 *   commit	process, nf_tables' commit mutex held: it tells of a commit
 *
 * Locks, in the order in which they are taken
 *   RTNL			a port's device and binding
 *   nfto_net.lock		mutex: tables, their devices, ports and their users.
 *				No driver is called and nobody is waited for below it
 *   nfto_table.nh_lock		the hash of next hops
 *   nfto_nexthop.lock		the directions that use it, @dead, change of @dst
 *   nfto_flow.lock		state of the flow and of its directions
 *   nfto_slot.lock		a slot of the wheel
 *   nfto_port.lock		the queue
 *   nfto_routes.lock		changes of routes that wait
 *   nfto_port.block_lock	rwsem: the driver's callbacks; below RTNL or nothing
 * All but RTNL, nfto_net.lock and block_lock are spinlocks taken with bottom
 * halves off; to turn these off and on costs more than the lock, so some functions
 * want them to be off. RTNL is never taken in control context, where its holder
 * may be waiting for us.
 *
 * References
 *   net	every table and port holds its nfto_net
 *   table	nf_tables holds one, each flow holds one
 *   port	its net's list holds one, each table's device and next hop one
 *   next hop	each of its directions holds one
 *   flow	one while it is live, one for each direction that is queued or
 *		worked on, one for each that is not out of the hardware
 */
#ifndef _NFTO_H
#define _NFTO_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/rwsem.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/fib_notifier.h>
#include <net/flow_offload.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_flow_table.h>
#include <uapi/linux/nfto.h>

#define NFTO_ENCAP_MAX		NF_FLOW_TABLE_ENCAP_MAX
#define NFTO_VIA_MAX		NET_DEVICE_PATH_STACK_MAX
#define NFTO_WORKERS_MAX	4
#define NFTO_ACTIONS_MAX	32

/* --- counters that are written for each packet --- */

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

/* --- one flow --- */

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
 * @reason: why it is not in hardware
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
	u8 reason;
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
 * @reason: why it ended
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
	u8 reason;
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

/* --- where packets go --- */

/**
 * enum nfto_xmit - how a packet is handed on
 * @NFTO_XMIT_NEIGH: Ethernet: with the neighbour's header, through @out
 * @NFTO_XMIT_PLAIN: to a device that writes no link-layer header
 * @NFTO_XMIT_LOOKUP: to one that does, but is not Ethernet
 * @NFTO_XMIT_XFRM: to IPsec
 */
enum nfto_xmit {
	NFTO_XMIT_NEIGH,
	NFTO_XMIT_PLAIN,
	NFTO_XMIT_LOOKUP,
	NFTO_XMIT_XFRM,
};

struct nfto_encap {
	u16 id;
	__be16 proto;
};

/**
 * struct nfto_nexthop - where directions leave, shared by all that go there
 * @node: in the table's hash
 * @ref: each direction holds one
 * @table: the table it is of; a reference
 * @gen: the table's device generation when it was made
 * @family: NFPROTO_* of its packets
 * @dst: the route; a reference. RCU, written under @lock: when routes elsewhere
 *	have changed, route.c replaces it with a fresh one
 * @cookie: of @dst, for dst_check()
 * @stale: route.c has been told that @dst is not valid
 * @pass: of route.c, the last that was here; it alone uses this
 * @neigh: the neighbour, for NFTO_XMIT_NEIGH; a reference
 * @l3dev: the device of the route when it was made; a reference
 * @out: the device that packets are handed to; a reference
 * @lower: the device that they leave from at last; a reference. What comes
 *	back arrives there
 * @n_via: devices on the way
 * @via: their ifindexes, from @l3dev to @lower
 * @port: the port that @lower is, or NULL; a reference
 * @xmit: enum nfto_xmit
 * @mtu: of the route
 * @n_encap: encapsulations put on between @l3dev and @lower
 * @encap: these, outermost first
 * @stripped: those that @lower takes off and puts on by itself, a bit for each
 * @bridged: the path crosses a bridge, ask again for each new flow
 * @known: the neighbour's address was known when it was made
 * @reason: why its hardware rule cannot be built, or none
 * @h_source: link-layer source, in hardware's rules
 * @h_dest: destination, where it is not the neighbour's (PPPoE)
 * @has_dest: it is not
 * @lock: protects @dirs, @n_dirs, @dead, writing of @dst
 * @dirs: the directions that leave here, by destination (dest.c)
 * @n_dirs: how many
 * @dead: no more may come
 * @ha: the neighbour's address when it was made
 * @end_reason: why @end_work ends its flows
 * @end_work: ends its flows, for those who may not wait
 * @port_node: in port->nexthops; under port->lock
 * @rcu: for freeing it
 *
 * Made by a packet, freed after a grace period when the last direction has let
 * go, which a direction does when its flow is freed. Out of the hash it may be
 * earlier: when its devices go away.
 */
struct nfto_nexthop {
	struct hlist_node node;
	refcount_t ref;
	struct nfto_table *table;
	u32 gen;
	u8 family;
	bool stale;
	u32 pass;
	struct dst_entry __rcu *dst;
	u32 cookie;
	struct neighbour *neigh;
	struct net_device *l3dev;
	struct net_device *out;
	struct net_device *lower;
	u8 n_via;
	int via[NFTO_VIA_MAX];
	struct nfto_port *port;
	u8 xmit;
	u16 mtu;
	u8 n_encap;
	struct nfto_encap encap[NFTO_ENCAP_MAX];
	u8 stripped;
	bool bridged;
	bool known;
	u8 reason;
	u8 h_source[ETH_ALEN];
	u8 h_dest[ETH_ALEN];
	bool has_dest;
	u8 ha[ETH_ALEN];
	u8 end_reason;
	struct work_struct end_work;
	spinlock_t lock;	/* protects dirs, n_dirs, dead, changes of dst */
	struct nfto_dir *dirs;
	unsigned int n_dirs;
	bool dead;
	struct list_head port_node;
	struct rcu_head rcu;
};

/* --- a flowtable --- */

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

/* --- a device that may take flows --- */

struct nfto_worker;

/* Whether the driver takes the decrement of the TTL as an action. */
enum nfto_ttl {
	NFTO_TTL_UNKNOWN,
	NFTO_TTL_ACTION,
	NFTO_TTL_UNASKED,
};

/**
 * struct nfto_port_stats - what was asked of a driver and what it answered
 * @adds: REPLACE that were accepted
 * @refused: REPLACE that were not
 * @removes: entries taken out
 * @stuck: DESTROY that were refused
 * @queries: STATS
 * @lost: entries that the driver did not know any more
 * @packets: forwarded by the hardware, as far as the driver told
 * @bytes: of these
 */
struct nfto_port_stats {
	u64 adds;
	u64 refused;
	u64 removes;
	u64 stuck;
	u64 queries;
	u64 lost;
	u64 packets;
	u64 bytes;
};

/**
 * struct nfto_port - a device that may take flows
 * @list: in net->ports; under net->lock
 * @net: a reference
 * @ref: see the top of this file
 * @users: devices of tables that are this one; under net->lock
 * @dev: the device, NULL once it is unregistered; under RTNL
 * @ifindex: its ifindex
 * @name: its name; under RTNL
 * @state: enum nfto_port_state; under RTNL, read without
 * @kind: how it is bound, enum nfto_port_kind; under RTNL, read without
 * @error: negative errno of the last BIND or UNBIND, 0 when it succeeded
 * @result: the same with the driver's sentence, see nfto_result_get(); both
 *	under RTNL, read without
 * @block: what drivers link their callbacks to
 * @block_lock: written below RTNL for BIND and UNBIND, read for calls
 * @bind_work: binds, unbinds, tries again
 * @bind_tries: failures in a row; under RTNL
 * @free_work: frees the port
 * @lock: protects what follows
 * @open: entries may be made
 * @epoch: changes when a refusal of before may be none now
 * @nexthops: those that leave from here
 * @head: the queue
 * @tail: its last
 * @stuck: directions whose DESTROY was refused
 * @n_queued: length of the queue
 * @appended: how many were queued, ever
 * @taken: how many of these workers have taken
 * @n_running: workers that run
 * @n_workers: how many there are
 * @n_usable: how many may run: one, if the driver takes one call after the other
 * @alone_ns: how long a call takes while one worker runs, a decaying average
 * @crowd_ns: while several do
 * @n_crowd: how many calls are in that
 * @worker: the workers
 * @retry_work: puts the stuck back into the queue
 * @lost_work: has all entries asked for, after some in a row were not there
 * @lost_at: jiffies when that was; this and the next three are used without the
 *	lock
 * @n_lost: entries in a row that the driver did not know any more
 * @suspect_at: jiffies since when @n_suspect counts
 * @n_suspect: flows that were asked for because of a packet, out of turn
 * @progress: woken when a worker is done with a direction
 * @n_in: entries in hardware
 * @full_at: how many were in when the driver said ENOSPC, 0: never
 * @probe_at: jiffies from which a full port is asked again
 * @ttl: enum nfto_ttl, what the driver wants to be told
 */
struct nfto_port {
	struct list_head list;
	struct nfto_net *net;
	refcount_t ref;
	unsigned int users;
	struct net_device *dev;
	int ifindex;
	char name[IFNAMSIZ];
	u8 state;
	u8 kind;
	int error;
	u16 result;
	struct flow_block block;
	struct rw_semaphore block_lock;	/* protects block */
	struct delayed_work bind_work;
	unsigned int bind_tries;
	struct work_struct free_work;

	spinlock_t lock;	/* protects all below */
	bool open;
	u8 epoch;
	struct list_head nexthops;
	struct nfto_dir *head;
	struct nfto_dir *tail;
	struct nfto_dir *stuck;
	unsigned int n_queued;
	u64 appended;
	u64 taken;
	unsigned int n_running;
	unsigned int n_workers;
	unsigned int n_usable;
	u32 alone_ns;
	u32 crowd_ns;
	u32 n_crowd;
	struct nfto_worker *worker[NFTO_WORKERS_MAX];
	struct delayed_work retry_work;
	struct work_struct lost_work;
	u32 lost_at;
	atomic_t n_lost;
	u32 suspect_at;
	u32 n_suspect;
	wait_queue_head_t progress;
	atomic_t n_in;
	int full_at;
	unsigned long probe_at;
	u8 ttl;
	struct rcu_head rcu;
};

/*
 * So many answers in a row that an entry is not there mean that none is. A driver
 * that ages its entries by itself loses one now and then.
 */
#define NFTO_LOST_ALL	4

/* The port whose hardware would forward a direction. */
static inline struct nfto_port *nfto_dir_port(const struct nfto_dir *dir)
{
	return nfto_dir_other(dir)->nh->port;
}

/* --- a netns --- */

#define NFTO_SLOTS	256

struct nfto_slot {
	spinlock_t lock;	/* protects flows, and slot of those in it */
	struct hlist_head flows;
};

/**
 * struct nfto_wheel - when to look at which flow
 * @slot: the flows, by when
 * @now: the slot that is due next; only the worker changes it
 * @next: jiffies when it is due
 * @scan: the slot that is searched next for flows whose connection is gone
 * @n_flows: in all slots
 * @work: the hand
 */
struct nfto_wheel {
	struct nfto_slot slot[NFTO_SLOTS];
	unsigned int now;
	unsigned long next;
	unsigned int scan;
	atomic_t n_flows;
	struct delayed_work work;
};

#define NFTO_REFUSALS	64

/**
 * struct nfto_refusal - a flow that was not to be
 * @when: ktime_get_coarse_real_ns() of the last time
 * @count: how often in a row
 * @reason: why
 * @tuple: of the original direction
 * @zone: its conntrack zone
 * @ifindex: where the packet came from
 */
struct nfto_refusal {
	u64 when;
	u32 count;
	u8 reason;
	struct nf_conntrack_tuple tuple;
	u16 zone;
	int ifindex;
};

/* The last refusals of one CPU; @lock is taken by others for reading only. */
struct nfto_refusals {
	spinlock_t lock;	/* protects the others */
	u32 n;
	struct nfto_refusal ring[NFTO_REFUSALS];
};

/**
 * struct nfto_moment - what had been forwarded by then
 * @at: jiffies, 0: never
 * @packets: by the software fast path
 * @bytes: of these
 * @hw_packets: by the hardware
 * @hw_bytes: of these
 */
struct nfto_moment {
	unsigned long at;
	u64 packets;
	u64 bytes;
	u64 hw_packets;
	u64 hw_bytes;
};

#define NFTO_ROUTE_CHANGES	16

/**
 * struct nfto_route_change - destinations whose routes may have changed
 * @first: the first, as dest.c has them
 * @last: the last
 * @table: in this routing table
 * @family: NFPROTO_*
 * @unclear: not for all packets to there (TOS)
 */
struct nfto_route_change {
	u64 first;
	u64 last;
	u32 table;
	u8 family;
	bool unclear;
};

/**
 * struct nfto_routes - what has changed in a netns' routes
 * @fib: told of routes and rules
 * @nexthop: told of nexthop objects
 * @work: sees to it; it alone uses @on, @pass, @next and @next_all
 * @on: @fib and @nexthop are registered
 * @pass: its number
 * @next: jiffies before which it does not run again
 * @next_all: jiffies before which it does not look at everything again
 * @lock: protects what follows
 * @off: the netns is going
 * @all: families of which everything may have changed
 * @unclear: of these, in a way that cannot be known
 * @n: changes
 * @change: these
 */
struct nfto_routes {
	struct notifier_block fib;
	struct notifier_block nexthop;
	struct delayed_work work;
	bool on;
	u32 pass;
	unsigned long next;
	unsigned long next_all;
	spinlock_t lock;	/* protects all below */
	bool off;
	u8 all;
	u8 unclear;
	unsigned int n;
	struct nfto_route_change change[NFTO_ROUTE_CHANGES];
};

/**
 * struct nfto_ruleset - what is known of changes of a netns' ruleset
 * @sock: hears of commits; NULL until the first table
 * @closed: @sock may not be used any more
 * @heard_work: reads from @sock
 * @last: flows up to this id may be of before the last commit
 * @pass_work: puts flows in doubt
 * @began: jiffies when it last did
 */
struct nfto_ruleset {
	struct socket *sock;
	bool closed;
	struct work_struct heard_work;
	atomic64_t last;
	struct delayed_work pass_work;
	unsigned long began;
};

/**
 * struct nfto_net - a netns
 * @net: the netns; valid until @dead
 * @ref: tables, ports, and the netns itself
 * @lock: see the top of this file
 * @tables: all whose memory is there
 * @ports: all
 * @dead: the netns is going
 * @quiet: nobody may be told of events any more
 * @recent: totals of some time ago, older ones first; under @lock
 * @check_now: @check_work is on its way, because something has changed
 * @check_work: compares next hops with the world
 * @ruleset: see ruleset.c
 * @rcu: for freeing it; kfree_rcu() wants it in the first 4096 bytes
 * @routes: changes of routes
 * @wheel: ageing
 * @refusals: the last ones, for each CPU
 */
struct nfto_net {
	struct net *net;
	refcount_t ref;
	struct mutex lock;	/* protects tables, ports, devices */
	struct list_head tables;
	struct list_head ports;
	bool dead;
	bool quiet;
	struct nfto_moment recent[2];
	unsigned long check_now;
	struct delayed_work check_work;
	struct nfto_ruleset ruleset;
	struct rcu_head rcu;
	struct nfto_routes routes;
	struct nfto_wheel wheel;
	struct nfto_refusals __percpu *refusals;
};

/*
 * Two queues, because what waits for RTNL or for the engine's workers must not
 * fill the queue that these run on.
 */
extern struct workqueue_struct *nfto_wq;
extern struct workqueue_struct *nfto_control_wq;
extern bool nfto_strict;

/* main.c */
struct nfto_net *nfto_net_of(const struct net *net);
void nfto_net_put(struct nfto_net *nn);
void nfto_account(int change);

/* provider.c */
int nfto_provider_init(void);
void nfto_provider_exit(void);

/* table.c */
struct nfto_table *nfto_table_alloc(struct nf_flowtable *ft);
void nfto_table_detach(struct nfto_table *table);
void nfto_table_put(struct nfto_table *table);
void nfto_table_end_flows(struct nfto_table *table, enum nfto_reason reason);
int nfto_table_add_dev(struct nfto_table *table, struct net_device *dev);
void nfto_table_del_dev(struct nfto_table *table, struct net_device *dev);
struct nfto_table_dev *nfto_table_find_dev(const struct nfto_table *table,
					   int ifindex);
int nfto_table_insert(struct nfto_table *table, struct nfto_flow *flow);
void nfto_table_remove(struct nfto_table *table, struct nfto_flow *flow);
u32 nfto_table_digest(const struct nfto_table *table, const struct nfto_dir *dir,
		      const struct nf_conntrack_tuple *t);

/**
 * struct nfto_key - what a packet is looked up by
 * @ip4: IPv4 addresses, source first
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

struct nfto_dir *nfto_table_lookup(struct nfto_table *table,
				   struct nfto_key *key);
void nfto_table_key(struct nfto_key *key, struct in6_addr pair[2],
		    const struct nf_conntrack_tuple *t, int iif,
		    const struct nfto_nexthop *back);

/* flow.c */
int nfto_flow_init(void);
void nfto_flow_exit(void);
struct kmem_cache *nfto_flow_cache(bool counter);
int nfto_flow_add(struct nfto_table *table, struct nf_conn *ct,
		  struct nfto_nexthop *nh[IP_CT_DIR_MAX]);
void nfto_flow_end(struct nfto_flow *flow, enum nfto_reason reason);
void nfto_flow_put(struct nfto_flow *flow);
void nfto_flow_put_all(struct nfto_dir *const *dirs, unsigned int n);
bool nfto_flow_get(struct nfto_flow *flow);
bool nfto_flow_event(struct nfto_dir *dir, enum nfto_hw_event event,
		     enum nfto_reason reason);
void nfto_flow_doubt(struct nfto_flow *flow);
void nfto_flow_reached(struct nfto_dir *dir);
void nfto_flow_trust(struct nfto_dir *dir);
unsigned int nfto_flow_timeout(const struct nfto_flow *flow);
u64 nfto_flow_last_id(void);
u64 nfto_flow_new_ids(unsigned int n);

/* path.c */
int nfto_path_resolve(struct nfto_table *table, const struct nf_conn *ct,
		      struct sk_buff *skb, const struct nf_hook_state *state,
		      enum ip_conntrack_dir dir,
		      struct nfto_nexthop *nh[IP_CT_DIR_MAX]);

/* nexthop.c */
struct nfto_nexthop *nfto_nexthop_get(struct nfto_table *table,
				      struct dst_entry *dst, const void *daddr,
				      int family);
void nfto_nexthop_put(struct nfto_nexthop *nh);
bool nfto_nexthop_link(struct nfto_nexthop *nh, struct nfto_dir *dir);
void nfto_nexthop_unlink(struct nfto_nexthop *nh, struct nfto_dir *dir);
void nfto_nexthop_end(struct nfto_nexthop *nh, enum nfto_reason reason);
void nfto_nexthop_end_dev(struct nfto_table *table, const struct net_device *dev,
			  enum nfto_reason reason);
void nfto_nexthop_end_all(struct nfto_table *table, enum nfto_reason reason);
void nfto_nexthop_kick(struct nfto_nexthop *nh);
void nfto_nexthop_suspect(struct nfto_nexthop *nh);
bool nfto_nexthop_leads_on(struct nfto_nexthop *nh);
bool nfto_nexthop_is_plain(const struct nfto_nexthop *nh);
bool nfto_nexthop_is_fresh(struct nfto_nexthop *nh);
bool nfto_nexthop_may_renew(struct nfto_nexthop *nh);
bool nfto_nexthop_renew(struct nfto_nexthop *nh, struct dst_entry *dst);
struct nfto_nexthop *nfto_nexthop_each(struct nfto_table *table,
				       unsigned int *bucket, u32 pass);
u16 nfto_nexthop_mtu(struct dst_entry *dst, int family);
bool nfto_nexthop_same(const struct nfto_nexthop *a,
		       const struct nfto_nexthop *b);
void nfto_nexthop_neigh(struct nfto_table *table, const struct neighbour *neigh);
void nfto_nexthop_check(struct nfto_table *table);

/**
 * struct nfto_range - a walk over a next hop's directions
 * @at: the destination to begin with, then that of the last one found
 * @dir: NULL to begin with, then the last one found. It may be gone: it is
 *	compared, not followed
 * @last: the last destination that is in it
 */
struct nfto_range {
	u64 at;
	const struct nfto_dir *dir;
	u64 last;
};

#define NFTO_RANGE_ALL	{ .last = U64_MAX }

struct nfto_flow *nfto_nexthop_next(struct nfto_nexthop *nh,
				    struct nfto_range *range);

/* dest.c */
void nfto_dest_insert(struct nfto_dir **root, struct nfto_dir *dir);
bool nfto_dest_remove(struct nfto_dir **root, struct nfto_dir *dir);
struct nfto_dir *nfto_dest_next(struct nfto_dir *root, struct nfto_range *range);

/* route.c */
void nfto_routes_init(struct nfto_routes *routes);
void nfto_routes_begin(struct nfto_net *nn);
void nfto_routes_exit(struct nfto_net *nn);
bool nfto_routes_stale(struct nfto_nexthop *nh);
bool nfto_routes_agree(struct net *net, const struct nf_conn *ct,
		       enum ip_conntrack_dir dir,
		       struct nfto_nexthop *const nh[IP_CT_DIR_MAX]);
void nfto_routes_carrier(struct nfto_net *nn, const struct net_device *dev);

/**
 * struct nfto_packet - what the hook knows of a packet
 * @table: the flowtable
 * @flags: of nf_tables' object, which may change "counter"
 * @key: what it is looked up by
 * @offset: of the IP header, behind encapsulations in the packet's data
 * @there: what is there from the IP header on
 * @len: from the IP header on, as it says
 * @thoff: of the L4 header, from the IP header
 * @hdrsize: of the L4 header
 */
struct nfto_packet {
	struct nfto_table *table;
	unsigned int flags;
	struct nfto_key key;
	unsigned int offset;
	unsigned int there;
	unsigned int len;
	unsigned int thoff;
	unsigned int hdrsize;
};

/* encap.c */
__be16 nfto_encap_parse(struct sk_buff *skb, struct nfto_packet *p);
void nfto_encap_pop(struct sk_buff *skb, const struct nfto_packet *p,
		    __be16 proto);

/* nat.c */
void nfto_nat_ip4(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir);
void nfto_nat_ip6(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir);

/* forward.c */
enum nfto_reason nfto_forward_l4(struct sk_buff *skb, struct nfto_packet *p,
				 u8 proto);
struct nfto_dir *nfto_forward_begin(struct sk_buff *skb, struct nfto_packet *p,
				    unsigned int *verdict);
unsigned int nfto_forward_xmit(struct sk_buff *skb, const struct nfto_packet *p,
			       const struct nfto_dir *dir);
unsigned int nfto_forward_inet(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);
unsigned int nfto_forward_ip4(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int nfto_forward_ip6(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);

/* forward_ip4.c, forward_ip6.c */
unsigned int nfto_ip4_packet(struct sk_buff *skb, struct nfto_packet *p);
unsigned int nfto_ip6_packet(struct sk_buff *skb, struct nfto_packet *p);

/* port.c */
struct nfto_port *nfto_port_use(struct nfto_net *nn, struct net_device *dev);
void nfto_port_unuse(struct nfto_port *port);
void nfto_port_put(struct nfto_port *port);
int nfto_port_bind_now(struct nfto_port *port);
void nfto_port_bind_rtnl(struct nfto_port *port);
void nfto_port_flush(struct nfto_net *nn);
void nfto_port_gone(struct nfto_net *nn, struct net_device *dev);
void nfto_port_check(struct nfto_net *nn, struct net_device *dev);
void nfto_port_rename(struct nfto_net *nn, const struct net_device *dev);

/* engine.c */
int nfto_engine_start(struct nfto_port *port);
void nfto_engine_free(struct nfto_port *port);
void nfto_engine_kick(struct nfto_dir *dir);
void nfto_engine_kick_all(struct nfto_port *port);
void nfto_engine_flush(struct nfto_port *port);
void nfto_engine_drain(struct nfto_port *port);
void nfto_engine_stats(const struct nfto_port *port,
		       struct nfto_port_stats *sum);

/* worker.c */
struct nfto_worker *nfto_worker_alloc(struct nfto_port *port);
void nfto_worker_free(struct nfto_worker *w);
enum nfto_reason nfto_worker_offer(struct nfto_worker *w,
				   const struct nfto_dir *dir, int *err,
				   const char **why);
bool nfto_worker_counts(struct nfto_worker *w, const struct nfto_dir *dir);
bool nfto_worker_withdraw(struct nfto_worker *w, const struct nfto_dir *dir);

/* rule.c */
struct nfto_rule;
struct nfto_rule *nfto_rule_alloc(void);
void nfto_rule_free(struct nfto_rule *rule);
enum nfto_reason nfto_rule_build(struct nfto_rule *rule,
				 const struct nfto_dir *dir,
				 const struct nfto_port *port, bool ttl);
struct flow_rule *nfto_rule_get(struct nfto_rule *rule);

/* result.c */
u16 nfto_result_get(int err, const char *text);
const char *nfto_result_text(u16 result, int *err);
void nfto_result_exit(void);

/* age.c */
void nfto_wheel_init(struct nfto_wheel *wheel);
void nfto_wheel_exit(struct nfto_wheel *wheel);
void nfto_wheel_add(struct nfto_wheel *wheel, struct nfto_flow *flow);
void nfto_wheel_del(struct nfto_wheel *wheel, struct nfto_flow *flow);
void nfto_age_failed(struct nfto_flow *flow);
void nfto_age_counts(struct nfto_flow *flow);
void nfto_age_suspect(struct nfto_flow *flow);
bool nfto_age_offer(struct nfto_flow *flow);
void nfto_age_doubted(struct nfto_dir *dir);

/* ruleset.c */
extern bool nfto_follow_ruleset;
void nfto_ruleset_init(struct nfto_net *nn);
int nfto_ruleset_open(struct nfto_net *nn);
void nfto_ruleset_pre_exit(struct nfto_net *nn);
void nfto_ruleset_exit(struct nfto_net *nn);
void nfto_ruleset_reached(struct nfto_table *table, const struct nf_conn *ct,
			  struct sk_buff *skb, const struct nf_hook_state *state,
			  enum ip_conntrack_dir dir);

/* events.c */
void nfto_check_init(struct nfto_net *nn);
void nfto_check_exit(struct nfto_net *nn);
void nfto_check_later(struct nfto_net *nn);
int nfto_events_init(void);
void nfto_events_exit(void);

/* refuse.c */
void nfto_refuse(struct nfto_table *table, const struct nf_conn *ct,
		 const struct net_device *in, enum nfto_reason reason);

/* proc.c */
int nfto_proc_init(struct net *net);
void nfto_proc_exit(struct net *net);
const char *nfto_reason_name(unsigned int reason);

/* netlink.c */
int nfto_netlink_init(void);
void nfto_netlink_exit(void);

/* netlink-event.c */
void nfto_event_flow(const struct nfto_flow *flow, enum nfto_reason reason);
void nfto_event_dir(const struct nfto_dir *dir);
void nfto_event_port(const struct nfto_port *port);
void nfto_event_refusal(const struct nfto_net *nn,
			const struct nfto_refusal *refusal);

/* netlink-table.c */
void nfto_recent_tick(struct nfto_net *nn);

/* selftest/: whether it passes */
bool nfto_table_selftest(void);
bool nfto_flow_selftest(void);
bool nfto_age_selftest(void);
bool nfto_dest_selftest(void);
bool nfto_rule_selftest(void);

#endif
