/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a folder needs of those above it: to tell them what has happened, and to
 * have them do their part. Everything else is called downwards only. Who carries a
 * function out is said with it.
 */
#ifndef _NFTO_EVENTS_H
#define _NFTO_EVENTS_H

#include "flow/flow.h"

struct nf_conn;
struct nfto_net;
struct nfto_port;
struct nfto_refusal;

/* --- told to those who listen: netlink/netlink-event.c, trace.h --- */

/**
 * nfto_event_flow() - a flow has begun or ended
 * @flow: the flow
 * @reason: why it has ended; none: it has begun
 *
 * Context: any; the flow's lock is not held.
 */
void nfto_event_flow(const struct nfto_flow *flow, enum nfto_reason reason);

/**
 * nfto_event_dir() - a direction has made a transition
 * @dir: the direction; its state is the new one
 * @was: the state before
 * @event: what happened
 *
 * Context: the flow's lock is held.
 */
void nfto_event_dir(const struct nfto_dir *dir, enum nfto_hw was,
		    enum nfto_hw_event event);

/**
 * nfto_event_port() - a port's state has changed
 * @port: the port
 *
 * Context: RTNL is held.
 */
void nfto_event_port(const struct nfto_port *port);

/**
 * nfto_event_refusal() - a connection did not become a flow
 * @nn: where
 * @ct: the connection
 * @reason: why
 * @fresh: what is kept of it, if it is not the same as the last time; nobody
 *	changes it meanwhile. Or NULL
 *
 * Context: packet.
 */
void nfto_event_refusal(const struct nfto_net *nn, const struct nf_conn *ct,
			enum nfto_reason reason,
			const struct nfto_refusal *fresh);

/**
 * struct nfto_routes_seen - what a look at changed routes came to
 * @changes: changes that were looked at
 * @all: families of which everything was: IPv4 is 1, IPv6 is 2
 * @nexthops: next hops there were
 * @walked: directions whose route was looked up
 * @ended: flows that had another route
 * @renewed: next hops that got a fresh route
 */
struct nfto_routes_seen {
	unsigned int changes;
	unsigned int all;
	unsigned int nexthops;
	unsigned int walked;
	unsigned int ended;
	unsigned int renewed;
};

/**
 * nfto_event_routes() - changed routes have been looked at
 * @seen: what that came to
 *
 * Context: worker.
 */
void nfto_event_routes(const struct nfto_routes_seen *seen);

/* --- done by netlink/netlink-table.c --- */

/**
 * nfto_recent_tick() - the wheel has turned
 * @nn: where
 *
 * Keeps totals of some time ago, for what is told of the last seconds.
 *
 * Context: worker, while there are flows.
 */
void nfto_recent_tick(struct nfto_net *nn);

/* --- done by way/ --- */

/**
 * nfto_check_later() - the wheel has turned
 * @nn: where
 *
 * Next hops are compared with the world from time to time, as long as there are
 * flows. Carried out by way/events.c.
 *
 * Context: worker, while there are flows.
 */
void nfto_check_later(struct nfto_net *nn);

/**
 * nfto_event_nexthop_unused() - the last reference of a next hop was dropped
 * @nh: the next hop
 *
 * It leaves the table's hash and is freed after a grace period. Carried out by
 * way/nexthop.c.
 *
 * Context: any.
 */
void nfto_event_nexthop_unused(struct nfto_nexthop *nh);

/* --- done by hw/engine.c --- */

/**
 * nfto_engine_kick() - have a direction looked at by its port's workers
 * @dir: the direction
 *
 * To be called after what is wanted of a direction has changed: its flow has
 * begun or ended, it is in doubt or trusted, its counters are wanted, it may be
 * tried again, its port takes flows or does not any more. A direction is queued
 * once, however often this is called, and what its worker finds then is what
 * counts.
 *
 * Whoever calls it has a reference of the flow, or the lock of a flow that is
 * live; to have found it below RCU is not enough. Called with the flow's lock
 * held or not, with any lock of nfto.h above nfto_port.lock, in every context.
 *
 * Context: bottom halves off.
 */
void nfto_engine_kick(struct nfto_dir *dir);

/**
 * nfto_engine_may_try() - whether a driver may take a direction some time
 * @dir: the direction
 *
 * Context: the flow's lock is held.
 * Return: false if it is in hardware or in doubt, if its port takes no flows, or
 * if that would be asked for the same thing once more.
 */
bool nfto_engine_may_try(const struct nfto_dir *dir);

#endif
