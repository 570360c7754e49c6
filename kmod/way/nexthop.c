// SPDX-License-Identifier: GPL-2.0
/*
 * Next hops. Flows that leave the same way share one, so that a change there
 * can be applied to these flows and to no others.
 */
#include <linux/hash.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/neighbour.h>
#include "compat/forward-path.h"
#include "compat/rt6.h"
#include "way/internal.h"

static void free_nexthop_rcu(struct rcu_head *rcu)
{
	struct nfto_nexthop *nh = container_of(rcu, struct nfto_nexthop, rcu);

	if (nh->neigh)
		neigh_release(nh->neigh);
	dst_release(rcu_dereference_protected(nh->dst, 1));
	dev_put(nh->out);
	dev_put(nh->lower);
	dev_put(nh->l3dev);
	if (nh->port)
		nfto_port_put(nh->port);
	nfto_table_put(nh->table);
	kfree(nh);
}

/*
 * Another CPU may have found the next hop before it left the hash; it fails to
 * get a reference then.
 */
void nfto_event_nexthop_unused(struct nfto_nexthop *nh)
{
	struct nfto_table *table = nh->table;

	spin_lock_bh(&table->nh_lock);
	if (!hlist_unhashed(&nh->node))
		hlist_del_init_rcu(&nh->node);
	spin_unlock_bh(&table->nh_lock);
	if (nh->port)
		nfto_port_unlink(nh->port, nh);
	call_rcu(&nh->rcu, free_nexthop_rcu);
}

/* --- where a route leads --- */

static bool is_ether(const struct net_device *dev)
{
	return dev->type == ARPHRD_ETHER && !(dev->flags & IFF_LOOPBACK) &&
	       dev->addr_len == ETH_ALEN && is_valid_ether_addr(dev->dev_addr);
}

/**
 * struct walk - what the devices below a route's device add up to
 * @lower: the last one
 * @out: the first that does the rest by itself
 * @n: encapsulations
 * @encap: these, innermost first
 * @stripped: those that @lower deals with by itself
 * @bridged: a bridge was crossed
 * @tagged: and it adds a tag
 * @has_dest: there is a PPPoE session, with @dest
 * @dest: its peer
 * @source: address of the first Ethernet device
 * @n_via: devices on the way
 * @via: their ifindexes
 */
struct walk {
	struct net_device *lower;
	struct net_device *out;
	u8 n;
	struct nfto_encap encap[NFTO_ENCAP_MAX];
	u8 stripped;
	bool bridged;
	bool tagged;
	bool has_dest;
	u8 dest[ETH_ALEN];
	u8 source[ETH_ALEN];
	u8 n_via;
	int via[NFTO_VIA_MAX];
};

static bool push_encap(struct walk *w, u16 id, __be16 proto)
{
	if (w->n == NFTO_ENCAP_MAX)
		return false;
	w->encap[w->n].id = id;
	w->encap[w->n++].proto = proto;
	return true;
}

static bool walk_bridge(struct walk *w, const struct net_device_path *p)
{
	w->bridged = true;
	switch (p->bridge.vlan_mode) {
	case DEV_PATH_BR_VLAN_KEEP:
		return true;
	case DEV_PATH_BR_VLAN_UNTAG_HW:
		if (!w->n)
			return false;
		w->stripped |= BIT(w->n - 1);
		return true;
	case DEV_PATH_BR_VLAN_TAG:
		w->tagged = true;
		return push_encap(w, p->bridge.vlan_id, p->bridge.vlan_proto);
	case DEV_PATH_BR_VLAN_UNTAG:
		if (!w->n)
			return false;
		w->n--;
		return true;
	}
	return false;
}

static bool walk_step(struct walk *w, const struct net_device_path *p)
{
	switch (p->type) {
	case DEV_PATH_ETHERNET:
	case DEV_PATH_DSA:
	case DEV_PATH_VLAN:
	case DEV_PATH_PPPOE:
		w->lower = (struct net_device *)p->dev;
		break;
	case DEV_PATH_BRIDGE:
		break;
	default:
		return false;
	}
	w->via[w->n_via++] = p->dev->ifindex;
	if (is_zero_ether_addr(w->source))
		ether_addr_copy(w->source, p->dev->dev_addr);
	if (p->type == DEV_PATH_BRIDGE)
		return walk_bridge(w, p);
	if (p->type == DEV_PATH_ETHERNET || p->type == DEV_PATH_DSA)
		return true;
	if (!w->out)
		w->out = (struct net_device *)p->dev;
	if (p->type == DEV_PATH_PPPOE) {
		w->has_dest = true;
		ether_addr_copy(w->dest, p->encap.h_dest);
	}
	return push_encap(w, p->encap.id, p->encap.proto);
}

static bool walk_steps(struct walk *w, const struct net_device_path_stack *stack)
{
	int i;

	for (i = 0; i < stack->num_paths; i++) {
		if (!walk_step(w, &stack->path[i]))
			return false;
		if (stack->path[i].type == DEV_PATH_DSA)
			break;
	}
	return true;
}

/* Context: packet. Return: false if there is no way below @dev we know. */
static bool walk_down(struct walk *w, struct net_device *dev, const u8 *ha,
		      struct net_device_path_stack *stack)
{
	bool known;

	memset(w, 0, sizeof(*w));
	if (nfto_fill_forward_path(dev, ha, stack) < 0)
		return false;
	known = walk_steps(w, stack);
	nfto_put_forward_path(stack);
	if (!known)
		return false;
	if (!w->out)
		w->out = w->lower;
	/* A bridge writes its own tags, for which it has the rules. */
	if (w->tagged)
		w->out = dev;
	return w->lower;
}

/* --- making one --- */

static void end_nexthop_work(struct work_struct *work);

static u8 xmit_of(const struct dst_entry *dst)
{
#ifdef CONFIG_XFRM
	if (dst->xfrm)
		return NFTO_XMIT_XFRM;
#endif
	if (is_ether(dst->dev) && !(dst->dev->flags & IFF_NOARP))
		return NFTO_XMIT_NEIGH;
	return dst->dev->header_ops ? NFTO_XMIT_LOOKUP : NFTO_XMIT_PLAIN;
}

u16 nfto_nexthop_mtu(struct dst_entry *dst, int family)
{
	unsigned int mtu;

	mtu = family == NFPROTO_IPV6 ? ip6_dst_mtu_maybe_forward(dst, true) :
				       ip_dst_mtu_maybe_forward(dst, true);
	return min_t(unsigned int, mtu, U16_MAX);
}

static void take_walk(struct nfto_nexthop *nh, const struct walk *w)
{
	int i;

	nh->lower = w->lower;
	nh->out = w->out;
	nh->n_encap = w->n;
	for (i = 0; i < w->n; i++) {
		nh->encap[i] = w->encap[w->n - 1 - i];
		if (w->stripped & BIT(w->n - 1 - i))
			nh->stripped |= BIT(i);
	}
	nh->bridged = w->bridged;
	nh->n_via = w->n_via;
	memcpy(nh->via, w->via, sizeof(nh->via));
	ether_addr_copy(nh->h_source, w->source);
	if (w->has_dest) {
		nh->has_dest = true;
		ether_addr_copy(nh->h_dest, w->dest);
	}
}

/* Whether no device on the way has lost its carrier. Below rcu_read_lock(). */
static bool has_carrier(const struct nfto_nexthop *nh)
{
	const struct net_device *dev;
	int i;

	for (i = 0; i < nh->n_via; i++) {
		dev = dev_get_by_index_rcu(dev_net(nh->l3dev), nh->via[i]);
		if (dev && !netif_carrier_ok(dev))
			return false;
	}
	return true;
}

/*
 * Context: packet, or below rcu_read_lock(). Return: false if the way is
 * unknown.
 */
static bool find_way(const struct nfto_nexthop *nh, const u8 *ha, struct walk *w)
{
	struct net_device_path_stack stack;

	return nh->xmit != NFTO_XMIT_XFRM && ha &&
	       walk_down(w, nh->l3dev, ha, &stack);
}

/*
 * Fills in what the devices below the route's device say. If the lowest of them
 * is none of the table's devices, packets are taken from and handed to the
 * route's device instead, as the kernel's flowtable does.
 */
static void look_below(struct nfto_nexthop *nh, const u8 *ha)
{
	struct nfto_table_dev *td = NULL;
	struct walk w;

	if (find_way(nh, ha, &w))
		td = nfto_table_find_dev(nh->table, w.lower->ifindex);
	if (td) {
		take_walk(nh, &w);
		if (!is_ether(nh->lower))
			nh->no_rule = NFTO_REASON_NO_ETHERNET;
	} else {
		nh->lower = nh->l3dev;
		nh->out = nh->l3dev;
		nh->via[nh->n_via++] = nh->l3dev->ifindex;
		td = nfto_table_find_dev(nh->table, nh->lower->ifindex);
		nh->no_rule = nh->xmit == NFTO_XMIT_NEIGH && !ha ?
			     NFTO_REASON_NEIGHBOUR : NFTO_REASON_NO_ETHERNET;
	}
	if (!has_carrier(nh))
		nh->no_rule = NFTO_REASON_NO_CARRIER;
	/* The device may be about to leave the table, and its port with it. */
	if (td && td->port && refcount_inc_not_zero(&td->port->ref))
		nh->port = td->port;
}

/* The neighbour's address, or NULL while it has none. */
static const u8 *address_of(struct neighbour *n, u8 ha[ETH_ALEN])
{
	if (!(READ_ONCE(n->nud_state) & NUD_VALID))
		return NULL;
	neigh_ha_snapshot(ha, n, n->dev);
	return ha;
}

static u32 cookie_of(const struct dst_entry *dst, int family)
{
	return family == NFPROTO_IPV6 ? rt6_get_cookie(dst_rt6_info(dst)) : 0;
}

static struct nfto_nexthop *make_nexthop(struct nfto_table *table,
					 struct dst_entry *dst,
					 struct neighbour *neigh, int family)
{
	u8 ha[MAX_ADDR_LEN] = {};
	struct nfto_nexthop *nh;
	const u8 *address = ha;

	nh = kzalloc(sizeof(*nh), GFP_ATOMIC);
	if (!nh)
		return NULL;
	refcount_set(&nh->ref, 1);
	spin_lock_init(&nh->lock);
	INIT_LIST_HEAD(&nh->port_node);
	INIT_WORK(&nh->end_work, end_nexthop_work);
	refcount_inc(&table->ref);
	nh->table = table;
	/*
	 * This is read before the devices are looked up, see publish_nexthop().
	 */
	nh->gen = smp_load_acquire(&table->gen);
	nh->xmit = xmit_of(dst);
	nh->family = family;
	nh->mtu = nfto_nexthop_mtu(dst, family);
	nh->l3dev = dst->dev;
	nh->cookie = cookie_of(dst, family);
	RCU_INIT_POINTER(nh->dst, dst_clone(dst));
	if (neigh) {
		nh->neigh = neigh_clone(neigh);
		address = address_of(neigh, ha);
	}
	look_below(nh, address);
	nh->known = address;
	ether_addr_copy(nh->ha, ha);
	dev_hold(nh->l3dev);
	dev_hold(nh->out);
	dev_hold(nh->lower);
	return nh;
}

/* --- finding one --- */

static struct hlist_head *nexthop_bucket(struct nfto_table *table,
					 const struct net_device *l3dev,
					 const struct neighbour *neigh)
{
	return &table->nexthops[hash_ptr(neigh ?: (const void *)l3dev,
					 NFTO_NH_BITS)];
}

/*
 * Whether only the device, the neighbour, the MTU and the validity of its route
 * are used. Then any route that has the same ones will do. Next hops of the
 * other kinds hand the route itself to each packet.
 */
bool nfto_nexthop_is_plain(const struct nfto_nexthop *nh)
{
	return nh->xmit == NFTO_XMIT_NEIGH || nh->xmit == NFTO_XMIT_PLAIN;
}

/* Context: below RCU. */
bool nfto_nexthop_is_fresh(struct nfto_nexthop *nh)
{
	return dst_check(rcu_dereference(nh->dst), READ_ONCE(nh->cookie));
}

/*
 * Whether a route that is not valid any more may be replaced by a fresh one. It
 * may not if ICMP has made it invalid (redirect, MTU): that is different for
 * each destination, so that each flow ends with its next packet and the
 * connection's next flow asks for a route of its own.
 *
 * Context: below RCU.
 */
bool nfto_nexthop_may_renew(struct nfto_nexthop *nh)
{
	return nfto_nexthop_is_plain(nh) &&
	       READ_ONCE(rcu_dereference(nh->dst)->obsolete) != DST_OBSOLETE_KILL;
}

static bool is_equivalent_route(struct nfto_nexthop *nh, struct dst_entry *dst)
{
	return nfto_nexthop_is_plain(nh) && dst->dev == nh->l3dev &&
	       !dst->lwtstate && xmit_of(dst) == nh->xmit &&
	       dst->ops->family == nh->family &&
	       nfto_nexthop_mtu(dst, nh->family) == nh->mtu;
}

/**
 * nfto_nexthop_renew() - replace the route by another to the same place
 * @nh: the next hop
 * @dst: the route, whose reference is taken over
 *
 * Who has found the old one below RCU may go on with it: dst_release() frees
 * after a grace period. Who reads the new cookie with the old route, or the
 * other way round, leaves one packet to the slow path at worst.
 *
 * Context: process.
 * Return: false if it does not lead to the same place.
 */
bool nfto_nexthop_renew(struct nfto_nexthop *nh, struct dst_entry *dst)
{
	struct dst_entry *old = dst;
	bool like = is_equivalent_route(nh, dst);

	if (like) {
		spin_lock_bh(&nh->lock);
		old = rcu_dereference_protected(nh->dst,
						lockdep_is_held(&nh->lock));
		WRITE_ONCE(nh->cookie, cookie_of(dst, nh->family));
		rcu_assign_pointer(nh->dst, dst);
		spin_unlock_bh(&nh->lock);
	}
	dst_release(old);
	return like;
}

/* Whether it is what the next hop was made of, all that is known of it. */
static bool walk_is(const struct nfto_nexthop *nh, const struct walk *w)
{
	struct nfto_nexthop now = {};

	if (!nfto_table_find_dev(nh->table, w->lower->ifindex))
		return nh->lower == nh->l3dev && nh->out == nh->l3dev;
	take_walk(&now, w);
	return now.lower == nh->lower && now.out == nh->out &&
	       now.n_encap == nh->n_encap && now.stripped == nh->stripped &&
	       now.has_dest == nh->has_dest &&
	       ether_addr_equal(now.h_dest, nh->h_dest) &&
	       ether_addr_equal(now.h_source, nh->h_source) &&
	       !memcmp(now.encap, nh->encap, sizeof(now.encap));
}

/*
 * Whether a new flow may use it, because what it was made of still holds. A
 * bridge may have learned something else without telling: so it is asked for
 * each flow, as the kernel's own path does.
 */
static bool is_still_right(const struct nfto_nexthop *nh)
{
	struct net_device_path_stack stack;
	u8 ha[MAX_ADDR_LEN] = {};
	struct walk w;

	if (nh->gen != READ_ONCE(nh->table->gen) ||
	    nh->no_rule == NFTO_REASON_NEIGHBOUR)
		return false;
	if (!nh->bridged)
		return true;
	return address_of(nh->neigh, ha) &&
	       walk_down(&w, nh->l3dev, ha, &stack) && walk_is(nh, &w);
}

/* Whether a new flow with that route may use it. */
static bool serves_route(struct nfto_nexthop *nh, struct dst_entry *dst)
{
	if (rcu_dereference(nh->dst) == dst)
		return nfto_nexthop_is_fresh(nh) &&
		       nh->mtu == nfto_nexthop_mtu(dst, nh->family);
	return is_equivalent_route(nh, dst) && nfto_nexthop_may_renew(nh);
}

static struct nfto_nexthop *find_nexthop(struct nfto_table *table,
					 struct dst_entry *dst,
					 const struct neighbour *neigh)
{
	struct nfto_nexthop *nh;

	hlist_for_each_entry_rcu(nh, nexthop_bucket(table, dst->dev, neigh), node) {
		if (nh->neigh != neigh || READ_ONCE(nh->dead) || !serves_route(nh, dst))
			continue;
		if (is_still_right(nh) && refcount_inc_not_zero(&nh->ref))
			return nh;
	}
	return NULL;
}

/*
 * A next hop that was made with a device which has left the table since is not
 * published: nobody would end its flows.
 *
 * Two packets may make the same one at the same time. Both are used then, and
 * the next flow finds the newer one; that costs nothing but memory.
 */
static bool publish_nexthop(struct nfto_nexthop *nh)
{
	struct nfto_table *table = nh->table;
	bool ok;

	spin_lock_bh(&table->nh_lock);
	ok = !table->dying && nh->gen == table->gen;
	if (ok)
		hlist_add_head_rcu(&nh->node,
				   nexthop_bucket(table, nh->l3dev, nh->neigh));
	spin_unlock_bh(&table->nh_lock);
	if (nh->port)
		nfto_port_link(nh->port, nh);
	return ok;
}

/**
 * nfto_nexthop_get() - the next hop of a route
 * @table: the table
 * @dst: the route
 * @daddr: where the packets go, network order
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: packet.
 * Return: a reference; NULL without memory, or when the table goes.
 */
struct nfto_nexthop *nfto_nexthop_get(struct nfto_table *table,
				      struct dst_entry *dst, const void *daddr,
				      int family)
{
	struct neighbour *neigh = NULL;
	struct nfto_nexthop *nh;

	if (xmit_of(dst) == NFTO_XMIT_NEIGH) {
		neigh = dst_neigh_lookup(dst, daddr);
		if (IS_ERR_OR_NULL(neigh))
			return NULL;
	}
	nh = find_nexthop(table, dst, neigh);
	if (!nh) {
		nh = make_nexthop(table, dst, neigh, family);
		if (nh && !publish_nexthop(nh)) {
			nfto_nexthop_put(nh);
			nh = NULL;
		} else if (nh && neigh) {
			/*
			 * The neighbour may have changed before the next hop
			 * was in the hash.
			 */
			nfto_nexthop_neigh(table, neigh);
		}
	}
	if (neigh)
		neigh_release(neigh);
	return nh;
}

/* --- the directions that use it --- */

bool nfto_nexthop_leads_on(struct nfto_nexthop *nh)
{
	return is_still_right(nh) && !(nh->neigh && READ_ONCE(nh->neigh->dead)) &&
	       (nfto_nexthop_is_fresh(nh) || nfto_routes_stale(nh));
}

bool nfto_nexthop_same_way(const struct nfto_nexthop *a,
			   const struct nfto_nexthop *b)
{
	if (a == b)
		return true;
	return a->neigh == b->neigh && a->l3dev == b->l3dev &&
	       a->out == b->out && a->lower == b->lower && a->mtu == b->mtu &&
	       a->xmit == b->xmit && dst_xfrm(rcu_dereference(a->dst)) ==
	       dst_xfrm(rcu_dereference(b->dst)) &&
	       ether_addr_equal(a->ha, b->ha) &&
	       a->n_encap == b->n_encap && a->stripped == b->stripped &&
	       !memcmp(a->encap, b->encap, a->n_encap * sizeof(*a->encap));
}

static void end_nexthop_work(struct work_struct *work)
{
	struct nfto_nexthop *nh = container_of(work, struct nfto_nexthop,
					       end_work);

	nfto_nexthop_end(nh, READ_ONCE(nh->end_reason));
	nfto_nexthop_put(nh);
}

/*
 * Ends its flows from a work, for callers that may not take the time. If it is
 * called twice with different reasons, one of them is told. Below
 * rcu_read_lock().
 */
static void end_nexthop_later(struct nfto_nexthop *nh, enum nfto_reason reason)
{
	if (!refcount_inc_not_zero(&nh->ref))
		return;
	WRITE_ONCE(nh->end_reason, reason);
	WRITE_ONCE(nh->dead, true);
	if (!queue_work(nfto_wq, &nh->end_work))
		nfto_nexthop_put(nh);
}

/* A neighbour that is being probed is valid: nothing ends because of that. */
static enum nfto_reason why_changed(const struct nfto_nexthop *nh,
				    const struct neighbour *neigh)
{
	u8 ha[MAX_ADDR_LEN];

	if (!(READ_ONCE(neigh->nud_state) & NUD_VALID))
		return nh->known ? NFTO_REASON_NEIGHBOUR_LOST : NFTO_REASON_NONE;
	if (!nh->known)
		return NFTO_REASON_NEIGHBOUR;
	neigh_ha_snapshot(ha, neigh, neigh->dev);
	return ether_addr_equal(ha, nh->ha) ? NFTO_REASON_NONE :
					      NFTO_REASON_NEIGHBOUR_CHANGED;
}

/**
 * nfto_nexthop_neigh() - something about a neighbour has changed
 * @table: the table
 * @neigh: the neighbour
 *
 * If it is its address, or it does not answer any more, or for the first time,
 * the flows to it end: their next packets take the slow path and make new ones.
 *
 * Context: softirq or process, below rcu_read_lock().
 */
void nfto_nexthop_neigh(struct nfto_table *table, const struct neighbour *neigh)
{
	enum nfto_reason reason;
	struct nfto_nexthop *nh;

	hlist_for_each_entry_rcu(nh, nexthop_bucket(table, NULL, neigh), node) {
		if (nh->neigh != neigh || READ_ONCE(nh->dead))
			continue;
		reason = why_changed(nh, neigh);
		if (reason)
			end_nexthop_later(nh, reason);
	}
}

/*
 * Why a next hop made now would be another one, or none. If the way is unknown,
 * as when a bridge has forgotten a host, the next hop stays as it is. Below
 * rcu_read_lock().
 */
static enum nfto_reason why_wrong(const struct nfto_nexthop *nh)
{
	bool had_none = nh->no_rule == NFTO_REASON_NO_CARRIER;
	u8 ha[MAX_ADDR_LEN] = {};
	struct walk w;

	if (has_carrier(nh) == had_none)
		return NFTO_REASON_NO_CARRIER;
	if (nh->mtu != nfto_nexthop_mtu(rcu_dereference(nh->dst), nh->family))
		return NFTO_REASON_DEVICE_CHANGED;
	if (find_way(nh, nh->neigh ? address_of(nh->neigh, ha) : ha, &w) &&
	    !walk_is(nh, &w))
		return w.lower == nh->lower ? NFTO_REASON_DEVICE_CHANGED :
					      NFTO_REASON_BRIDGE_MOVED;
	return nh->neigh && READ_ONCE(nh->neigh->dead) ?
	       NFTO_REASON_ROUTE_STALE : NFTO_REASON_NONE;
}

/*
 * If the hardware forwards all packets, nobody sends to the neighbour, and the
 * kernel would never ask whether it is still there. So this does what sending
 * would do.
 */
static void check_nexthop(struct nfto_nexthop *nh)
{
	enum nfto_reason reason;

	if (READ_ONCE(nh->dead) || !READ_ONCE(nh->n_dirs))
		return;
	reason = why_wrong(nh);
	if (reason)
		end_nexthop_later(nh, reason);
	else if (nh->neigh && READ_ONCE(nh->neigh->nud_state) & NUD_VALID)
		neigh_event_send(nh->neigh, NULL);
}

/**
 * nfto_nexthop_check() - compare all that are in use with the devices
 * @table: the table
 *
 * The flows of those that are wrong now end, and neighbours are kept verified.
 *
 * Context: process, net->lock held.
 */
void nfto_nexthop_check(struct nfto_table *table)
{
	struct nfto_nexthop *nh;
	int i;

	for (i = 0; i < ARRAY_SIZE(table->nexthops); i++) {
		rcu_read_lock();
		hlist_for_each_entry_rcu(nh, &table->nexthops[i], node)
			check_nexthop(nh);
		rcu_read_unlock();
		cond_resched();
	}
}

/*
 * By ifindex: nobody holds a reference of the devices between the first and the
 * last.
 */
static bool leads_over(const struct nfto_nexthop *nh, const void *dev)
{
	int i;

	for (i = 0; i < nh->n_via; i++)
		if (nh->via[i] == ((const struct net_device *)dev)->ifindex)
			return true;
	return false;
}

static bool is_of_old_devices(const struct nfto_nexthop *nh, const void *unused)
{
	return nh->gen != nh->table->gen;
}

static bool is_any(const struct nfto_nexthop *nh, const void *unused)
{
	return true;
}

#define BATCH	32

typedef bool (*which_nexthops)(const struct nfto_nexthop *nh, const void *arg);

/* Takes them out of the hash, so that the next call finds others. */
static unsigned int take_from_hash(struct nfto_table *table,
				   which_nexthops which, const void *arg,
				   struct nfto_nexthop *some[BATCH])
{
	struct nfto_nexthop *nh;
	struct hlist_node *tmp;
	unsigned int n = 0;
	int i;

	spin_lock_bh(&table->nh_lock);
	for (i = 0; i < ARRAY_SIZE(table->nexthops); i++) {
		hlist_for_each_entry_safe(nh, tmp, &table->nexthops[i], node) {
			if (n == BATCH)
				break;
			if (!which(nh, arg) || !refcount_inc_not_zero(&nh->ref))
				continue;
			hlist_del_init_rcu(&nh->node);
			some[n++] = nh;
		}
	}
	spin_unlock_bh(&table->nh_lock);
	return n;
}

static void end_those(struct nfto_table *table, which_nexthops which,
		      const void *arg, enum nfto_reason reason)
{
	struct nfto_nexthop *some[BATCH];
	unsigned int i, n;

	while ((n = take_from_hash(table, which, arg, some))) {
		for (i = 0; i < n; i++) {
			nfto_nexthop_end(some[i], reason);
			nfto_nexthop_put(some[i]);
			cond_resched();
		}
	}
}

void nfto_nexthop_end_dev(struct nfto_table *table, const struct net_device *dev,
			  enum nfto_reason reason)
{
	end_those(table, leads_over, dev, reason);
}

void nfto_nexthop_end_old(struct nfto_table *table, enum nfto_reason reason)
{
	end_those(table, is_of_old_devices, NULL, reason);
}

void nfto_nexthop_end_all(struct nfto_table *table, enum nfto_reason reason)
{
	end_those(table, is_any, NULL, reason);
}

/**
 * nfto_nexthop_each() - all next hops of a table, one after the other
 * @table: the table
 * @bucket: 0 for the first
 * @pass: a number that no pass before this had
 *
 * Context: the worker of route.c.
 * Return: one that was not returned in this pass, with a reference; or NULL.
 */
struct nfto_nexthop *nfto_nexthop_each(struct nfto_table *table,
				       unsigned int *bucket, u32 pass)
{
	struct nfto_nexthop *nh;

	rcu_read_lock();
	for (; *bucket < ARRAY_SIZE(table->nexthops); ++*bucket) {
		hlist_for_each_entry_rcu(nh, &table->nexthops[*bucket], node) {
			if (nh->pass == pass || !refcount_inc_not_zero(&nh->ref))
				continue;
			nh->pass = pass;
			rcu_read_unlock();
			return nh;
		}
	}
	rcu_read_unlock();
	return NULL;
}
