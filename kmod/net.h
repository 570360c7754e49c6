/* SPDX-License-Identifier: GPL-2.0 */
/* A network namespace. Locks and references: nfto.h. */
#ifndef _NFTO_NET_H
#define _NFTO_NET_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/fib_notifier.h>
#include <net/netfilter/nf_conntrack.h>

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

struct nfto_net;

/**
 * struct nfto_listener - hears of what a subsystem announces, see way/listen.c
 * @nn: where
 * @sock: its socket, NULL: it does not listen
 * @closed: @sock may not be used any more
 * @heard: told of each message
 * @end: told when all have been read, or NULL
 * @work: reads from @sock
 */
struct nfto_listener {
	struct nfto_net *nn;
	struct socket *sock;
	bool closed;
	void (*heard)(struct nfto_net *nn, u16 type, u32 len);
	void (*end)(struct nfto_net *nn);
	struct work_struct work;
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
 * @rtnl: told of forwarding and bridges
 * @xfrm: told of policies and states of IPsec
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
	struct nfto_listener rtnl;
	struct nfto_listener xfrm;
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
 * @listener: hears of commits
 * @on: @listener listens and the hooks are there
 * @gen: changes with each commit; a packet is believed in the one it began in
 * @commits: there was one since @listener read last
 * @last: flows up to this id may be of before the last commit
 * @pass_work: puts flows in doubt
 * @began: jiffies when it last did
 */
struct nfto_ruleset {
	struct nfto_listener listener;
	bool on;
	u32 gen;
	bool commits;
	atomic64_t last;
	struct delayed_work pass_work;
	unsigned long began;
};

/**
 * struct nfto_net - a netns
 * @net: the netns; valid until net_exit()
 * @ref: tables, ports, and the netns itself
 * @lock: see the top of this file
 * @tables: all whose memory is there
 * @ports: all
 * @choices: what the admin has said of devices, see hw/dialect.c
 * @quiet: nobody may be told of events any more
 * @recent: totals of some time ago, older ones first; under @lock
 * @check_now: @check_work is on its way, because something has changed
 * @check_work: compares next hops with the world
 * @doubt_work: puts all flows in doubt
 * @doubted_at: jiffies when it last did
 * @rcu: for freeing it; kfree_rcu() wants it in the first 4096 bytes
 * @ruleset: see nft/ruleset.c
 * @routes: changes of routes
 * @wheel: ageing
 * @refusals: the last ones, for each CPU
 */
struct nfto_net {
	struct net *net;
	refcount_t ref;
	struct mutex lock;	/* protects tables, ports, choices, devices */
	struct list_head tables;
	struct list_head ports;
	struct list_head choices;
	bool quiet;
	struct nfto_moment recent[2];
	unsigned long check_now;
	struct delayed_work check_work;
	struct delayed_work doubt_work;
	unsigned long doubted_at;
	struct rcu_head rcu;
	struct nfto_ruleset ruleset;
	struct nfto_routes routes;
	struct nfto_wheel wheel;
	struct nfto_refusals __percpu *refusals;
};

#endif
