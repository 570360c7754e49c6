/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where directions leave, and which do: a part of flow/flow.h. Next hops are made
 * and checked by way/.
 */
#ifndef _NFTO_NEXTHOP_H
#define _NFTO_NEXTHOP_H

#include <linux/netdevice.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/netfilter/nf_flow_table.h>
#include <uapi/linux/nfto.h>

#define NFTO_ENCAP_MAX		NF_FLOW_TABLE_ENCAP_MAX
#define NFTO_VIA_MAX		NET_DEVICE_PATH_STACK_MAX

struct nfto_dir;
struct nfto_flow;
struct nfto_port;
struct nfto_table;

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
 *	have changed, way/route.c replaces it with a fresh one
 * @cookie: of @dst, for dst_check()
 * @stale: way/route.c has been told that @dst is not valid
 * @pass: of way/route.c, the last that was here; it alone uses this
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
 * @no_rule: enum nfto_reason, why no hardware rule can lead here; or none
 * @h_source: link-layer source, in hardware's rules
 * @h_dest: destination, where it is not the neighbour's (PPPoE)
 * @has_dest: it is not
 * @lock: protects @dirs, @n_dirs, @dead, writing of @dst
 * @dirs: the directions that leave here, by destination (flow/dest.c)
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
	u8 no_rule;
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

/**
 * nfto_nexthop_next() - a flow that leaves here
 * @nh: the next hop
 * @range: of which destinations; goes on where the last call ended
 *
 * Each call looks at a later place, so that a walk ends however many flows
 * begin and end meanwhile. Those that begin behind it are met.
 *
 * Context: any.
 * Return: the flow of the direction @range->dir, with a reference; or NULL.
 */
struct nfto_flow *nfto_nexthop_next(struct nfto_nexthop *nh,
				    struct nfto_range *range);

/**
 * nfto_nexthop_end() - end the flows of a next hop, and let no new ones use it
 * @nh: the next hop; the caller has a reference
 * @reason: of the end of these flows
 *
 * Context: process.
 */
void nfto_nexthop_end(struct nfto_nexthop *nh, enum nfto_reason reason);

/**
 * nfto_nexthop_put() - drop a reference
 * @nh: the next hop
 *
 * Context: any.
 */
void nfto_nexthop_put(struct nfto_nexthop *nh);

#endif
