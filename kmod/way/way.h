/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What way/ offers: where packets of a connection go (next hops and their routes),
 * and that flows follow when devices, neighbours, bridges and routes change.
 * Locks, contexts and references: nfto.h.
 */
#ifndef _NFTO_WAY_H
#define _NFTO_WAY_H

#include <linux/netfilter.h>
#include "flow/flow.h"

struct nfto_listener;
struct nfto_net;

/* --- path.c --- */

/**
 * nfto_path_resolve() - where both directions of a connection leave
 * @table: the table
 * @ct: the connection
 * @skb: one of its packets, in the forward hook
 * @state: of that hook
 * @dir: the packet's direction
 * @nh: where the next hops go, references, indexed by direction
 *
 * Context: packet.
 * Return: 0; -ENOENT without a route, -ENOMEM, -EPROTONOSUPPORT for a route that puts
 * an encapsulation on.
 */
int nfto_path_resolve(struct nfto_table *table, const struct nf_conn *ct,
		      struct sk_buff *skb, const struct nf_hook_state *state,
		      enum ip_conntrack_dir dir,
		      struct nfto_nexthop *nh[IP_CT_DIR_MAX]);

/* --- nexthop.c --- */

/**
 * nfto_nexthop_leads_on() - whether a flow that leaves here may go on
 * @nh: the next hop
 *
 * Context: packet.
 * Return: false if something that it was made of does not hold any more.
 */
bool nfto_nexthop_leads_on(struct nfto_nexthop *nh);

/**
 * nfto_nexthop_same_way() - whether packets go the same way
 * @a: a next hop
 * @b: one of the same table
 *
 * They need not be one object: IPv6 has a route for each CPU, and two packets may
 * make the same next hop at the same time.
 *
 * Context: below RCU.
 * Return: true if they do.
 */
bool nfto_nexthop_same_way(const struct nfto_nexthop *a,
			   const struct nfto_nexthop *b);

/**
 * nfto_nexthop_end_dev() - a device is not to be used any more
 * @table: the table
 * @dev: the device
 * @reason: of the end of the flows that use it
 *
 * Context: process.
 */
void nfto_nexthop_end_dev(struct nfto_table *table, const struct net_device *dev,
			  enum nfto_reason reason);

/**
 * nfto_nexthop_end_old() - a table's devices have changed
 * @table: the table
 * @reason: of the end of the flows of the next hops that were made before that
 *
 * Those that packets make meanwhile stay.
 *
 * Context: process.
 */
void nfto_nexthop_end_old(struct nfto_table *table, enum nfto_reason reason);

/**
 * nfto_nexthop_end_all() - a table has no more flows
 * @table: the table; it is dying, so that no next hop is made any more
 * @reason: of the end of its flows
 *
 * Context: process.
 */
void nfto_nexthop_end_all(struct nfto_table *table, enum nfto_reason reason);

/* --- route.c --- */

/**
 * nfto_routes_init() - what is known of a netns' routes: nothing yet
 * @nn: the netns, which is being made
 *
 * Context: process.
 */
void nfto_routes_init(struct nfto_net *nn);

/**
 * nfto_routes_begin() - there is a flowtable: changes of routes are of interest
 * @nn: its netns
 *
 * Context: control.
 */
void nfto_routes_begin(struct nfto_net *nn);

/**
 * nfto_routes_exit() - a netns goes
 * @nn: the netns; it has no packets and no flows
 *
 * Context: process; waits for the work and for those who call the notifiers.
 */
void nfto_routes_exit(struct nfto_net *nn);

/**
 * nfto_routes_stale() - a next hop's route is not valid any more
 * @nh: the next hop
 *
 * Until the work has replaced the route or ended the flows, which it does one or
 * the other, packets take the slow path.
 *
 * Context: below RCU.
 * Return: false if the route is not to be replaced; then the flow has to end.
 */
bool nfto_routes_stale(struct nfto_nexthop *nh);

/* --- listen.c --- */

/**
 * nfto_listen_init() - prepare to hear of what a subsystem announces
 * @l: the listener, of a netns that is being made
 * @nn: the netns
 * @heard: called by a work for each message, with its type and length; 0: messages
 *	were lost
 * @end: called when all that had come was read; or NULL
 *
 * Context: process.
 */
void nfto_listen_init(struct nfto_listener *l, struct nfto_net *nn,
		      void (*heard)(struct nfto_net *nn, u16 type, u32 len),
		      void (*end)(struct nfto_net *nn));

/**
 * nfto_listen_open() - begin to listen
 * @l: the listener; nothing happens if it does
 * @protocol: NETLINK_*
 * @groups: a bit for each
 *
 * Context: process; one at a time.
 * Return: 0 or a negative errno.
 */
int nfto_listen_open(struct nfto_listener *l, int protocol, u32 groups);

/**
 * nfto_listen_close() - listen no more
 * @l: the listener
 *
 * Context: process; waits for its work.
 */
void nfto_listen_close(struct nfto_listener *l);

/* --- events.c --- */

/**
 * nfto_check_init() - prepare the check of next hops
 * @nn: a netns that is being made
 *
 * Context: process.
 */
void nfto_check_init(struct nfto_net *nn);

/**
 * nfto_check_exit() - stop it
 * @nn: a netns that goes; its devices are gone, and its wheel has stopped
 *
 * Context: process; waits for the check.
 */
void nfto_check_exit(struct nfto_net *nn);

/**
 * nfto_events_init() - hear of devices, neighbours and bridges
 *
 * Context: the module's init.
 * Return: 0 or a negative errno.
 */
int nfto_events_init(void);

/**
 * nfto_events_exit() - hear of them no more
 *
 * Each device that is there is told of as going: no driver is called afterwards.
 *
 * Context: the module's exit.
 */
void nfto_events_exit(void);

#endif
