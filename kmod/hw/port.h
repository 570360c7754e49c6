/* SPDX-License-Identifier: GPL-2.0 */
/* A device that may take flows. Locks and references: nfto.h. */
#ifndef _NFTO_PORT_H
#define _NFTO_PORT_H

#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/flow_offload.h>
#include "flow/flow.h"
#include "way/nexthop.h"

#define NFTO_WORKERS_MAX	4

struct nfto_net;
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

#endif
