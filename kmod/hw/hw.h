/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What hw/ offers: devices that may take flows (ports), their drivers, what is put
 * in there and what they answer. Which directions are wanted in hardware is told by
 * nfto_engine_kick(), see events.h. Locks, contexts and references: nfto.h.
 */
#ifndef _NFTO_HW_H
#define _NFTO_HW_H

#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/flow_offload.h>
#include "flow/flow.h"

#define NFTO_WORKERS_MAX	4
#define NFTO_DRIVER_LEN		32

struct netlink_ext_ack;
struct nfto_dialect;
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
 * @driver: name of its driver, empty until it was asked; under RTNL
 * @choice: enum nfto_block, what the admin has said; likewise
 * @reason: enum nfto_reason of directions while it is not bound; under RTNL, read
 *	without
 * @block: what drivers link their callbacks to
 * @dialect: how its driver is to be spoken to; under @block_lock
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
 * @ttl: enum nfto_ttl, where the dialect does not know
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
	char driver[NFTO_DRIVER_LEN];
	u8 choice;
	u8 reason;
	struct flow_block block;
	const struct nfto_dialect *dialect;
	struct rw_semaphore block_lock;	/* protects block, dialect */
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

/**
 * nfto_dir_port() - the port whose hardware would forward a direction
 * @dir: the direction
 *
 * Context: any.
 * Return: that of the device where it arrives, which is where the other direction
 * leaves; or NULL. No reference: the flow has one.
 */
static inline struct nfto_port *nfto_dir_port(const struct nfto_dir *dir)
{
	return nfto_dir_other(dir)->nh->port;
}

/* --- port.c --- */

/**
 * nfto_port_use() - a flowtable with hardware offload names a device
 * @nn: the netns
 * @dev: the device; registered, and nf_tables gives it up before it is not
 *
 * Context: control.
 * Return: the port with a reference, to be bound soon; or an ERR_PTR.
 */
struct nfto_port *nfto_port_use(struct nfto_net *nn, struct net_device *dev);

/**
 * nfto_port_unuse() - a flowtable does not name it any more
 * @port: the port; the reference of nfto_port_use() is dropped
 *
 * After the last one a work takes its entries out and unbinds it.
 *
 * Context: control.
 */
void nfto_port_unuse(struct nfto_port *port);

/**
 * nfto_port_put() - drop a reference
 * @port: the port
 *
 * Context: any.
 */
void nfto_port_put(struct nfto_port *port);

/**
 * nfto_port_bind_now() - for strict=1: bind, or say why not
 * @port: the port
 *
 * RTNL's holder may be waiting for nf_tables, so it cannot be waited for.
 * -EAGAIN makes nfnetlink let go of everything and begin the batch again.
 *
 * Context: control.
 * Return: 0 or a negative errno.
 */
int nfto_port_bind_now(struct nfto_port *port);

/**
 * struct nfto_port_told - what the admin is told of a device's driver
 * @driver: its name
 * @harm: what it does with packets now that it may be given them, or NULL
 */
struct nfto_port_told {
	char driver[NFTO_DRIVER_LEN];
	const char *harm;
};

/**
 * nfto_port_allow() - the admin says whether rules of tc flower may be given
 * @nn: the netns
 * @dev: the device; it need not be a port
 * @block: enum nfto_block
 * @told: where the answer goes
 * @extack: why not
 *
 * A port is bound or unbound by that at once. It is remembered for the device's
 * name and driver, until the netns or the module goes.
 *
 * Context: process, RTNL; waits for the driver.
 * Return: 0 or a negative errno.
 */
int nfto_port_allow(struct nfto_net *nn, struct net_device *dev, u8 block,
		    struct nfto_port_told *told, struct netlink_ext_ack *extack);

/**
 * nfto_port_link() - a next hop leaves from a port
 * @port: the port
 * @nh: the next hop, which has a reference of it
 *
 * Context: any.
 */
void nfto_port_link(struct nfto_port *port, struct nfto_nexthop *nh);

/**
 * nfto_port_unlink() - it does not any more
 * @port: the port
 * @nh: the next hop; it has no references, but is not freed yet
 *
 * Context: any.
 */
void nfto_port_unlink(struct nfto_port *port, struct nfto_nexthop *nh);

/**
 * nfto_port_flush() - wait until no hardware knows of a device
 * @nn: the netns; any of its ports may have entries that lead to the device
 * @dev: the device; its flows have ended
 *
 * Ports that have no such entries are not waited for. RTNL is held: after two
 * seconds this returns, and what is left is taken out later.
 *
 * Context: event.
 */
void nfto_port_flush(struct nfto_net *nn, const struct net_device *dev);

/**
 * nfto_port_gone() - a device goes
 * @nn: its netns
 * @dev: the device
 *
 * When this returns, its driver is not called any more.
 *
 * Context: event; waits for the driver.
 */
void nfto_port_gone(struct nfto_net *nn, struct net_device *dev);

/**
 * nfto_port_check() - something that binding depends on has changed
 * @nn: the netns
 * @dev: the device; it is up now, or its features are others
 *
 * Context: event; waits for the driver if hw-tc-offload is off now.
 */
void nfto_port_check(struct nfto_net *nn, struct net_device *dev);

/**
 * nfto_port_rename() - a device has another name
 * @nn: the netns
 * @dev: the device
 *
 * Context: event.
 */
void nfto_port_rename(struct nfto_net *nn, const struct net_device *dev);

/* --- dialect.c --- */

/**
 * nfto_choices_free() - forget what the admin has said of devices
 * @nn: the netns; nobody else has it
 *
 * Context: any.
 */
void nfto_choices_free(struct nfto_net *nn);

/* --- engine.c --- */

/**
 * nfto_engine_stats() - what a port's workers have counted together
 * @port: the port
 * @sum: where that goes
 *
 * Context: any.
 */
void nfto_engine_stats(const struct nfto_port *port,
		       struct nfto_port_stats *sum);

/* --- probe.c --- */

/**
 * struct nfto_probe - rules offered to a driver, and what it made of them
 * @dev: the device that packets would arrive at
 * @out: the one that they would leave from
 * @feature: enum nfto_feature
 * @count: how many at most
 * @accepted: how many it took
 * @left: how many it did not take out again
 * @state: of the port
 * @kind: likewise
 * @result: why not more, see nfto_result_text(); 0: all were taken
 * @reason: why no such rule can be made, or none
 * @counts: the driver knows what they have counted
 */
struct nfto_probe {
	struct net_device *dev;
	struct net_device *out;
	u32 feature;
	u32 count;
	u32 accepted;
	u32 left;
	u8 state;
	u8 kind;
	u16 result;
	u8 reason;
	bool counts;
};

/**
 * nfto_probe() - offer rules to a device's driver, and take them out
 * @nn: the netns
 * @probe: what; the answers go there. The caller holds the devices
 *
 * The device is a port for that time, if it is none, and is bound. What is in
 * counts as the port's, so that it is not unbound below it.
 *
 * Context: process.
 * Return: 0, or -ENODEV, -ENOMEM, -EINTR.
 */
int nfto_probe(struct nfto_net *nn, struct nfto_probe *probe);

/* --- result.c --- */

/**
 * nfto_result_text() - the answer of a driver behind a number
 * @result: the number, of a direction, a port or a probe
 * @err: where its errno goes, negative; 0 if there is none
 *
 * Context: any.
 * Return: the driver's sentence or NULL; valid while the module is loaded.
 */
const char *nfto_result_text(u16 result, int *err);

/**
 * nfto_result_exit() - forget all answers
 *
 * Context: the module's exit; nobody has a number any more.
 */
void nfto_result_exit(void);

#endif
