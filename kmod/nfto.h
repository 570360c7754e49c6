/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nft_offload: what holds in the whole module. Its parts are folders; each has one
 * header that says what it offers to others, and calls only those below it:
 *
 *   netlink/	how it is asked, and what it tells
 *   nft/	nf_tables' seams: flowtable, "flow add", commits
 *   fast/	packets in software
 *   way/	where packets go, and what changes that
 *   hw/	ports, drivers, rules
 *   flow/	flows, tables, ageing
 *
 * What a folder needs of a higher one is in events.h. tests/rooms checks that.
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

#include <linux/types.h>
#include "net.h"

struct workqueue_struct;

/*
 * Two queues, because what waits for RTNL or for the engine's workers must not
 * fill the queue that these run on.
 */
extern struct workqueue_struct *nfto_wq;
extern struct workqueue_struct *nfto_control_wq;
extern bool nfto_strict;

/**
 * nfto_net_of() - what belongs to a netns
 * @net: the netns
 *
 * Context: any.
 * Return: no reference; NULL before it was made and after it was let go.
 */
struct nfto_net *nfto_net_of(const struct net *net);

/**
 * nfto_net_put() - drop a reference
 * @nn: the netns
 *
 * Context: any.
 */
void nfto_net_put(struct nfto_net *nn);

/**
 * nfto_account() - a table or a port is there, or was freed
 * @change: 1 or -1; the module does not go before there is none
 *
 * Context: any; -1 from a work of nfto_control_wq, which nfto_exit() flushes.
 */
void nfto_account(int change);

#endif
