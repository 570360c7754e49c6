// SPDX-License-Identifier: GPL-2.0
/*
 * Routes change below flows, even when the hardware forwards all their packets.
 *
 * The kernel tells of each change of a route, a rule or a nexthop object,
 * mostly before packets can see the change, and with locks held. So the
 * notifiers only write down which destinations the change is about, in bounded
 * memory. A work waits until the change can be seen. Then it looks up the route
 * of each direction to these destinations and ends the flow if the route leads
 * elsewhere: the connection's next packet makes a new flow. And it gives a
 * fresh route to next hops whose route is not valid any more; after a change of
 * IPv4 these are all next hops of the netns.
 */
#include <linux/inetdevice.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <net/addrconf.h>
#include <net/fib_rules.h>
#include <net/ip6_fib.h>
#include <net/ip_fib.h>
#include <net/l3mdev.h>
#include <net/nexthop.h>
#include <net/sock.h>
#include "compat/rt6.h"
#include "way/internal.h"

#define ALL_DELAY	HZ	/* between two looks at everything */
#define SHARE		10	/* of time that is left to others, to one for us */
#define LISTEN_DELAY	HZ	/* until another attempt to be told of changes */

#define IPV4		BIT(0)
#define IPV6		BIT(1)

static u8 bit_of(int family)
{
	return family == NFPROTO_IPV6 ? IPV6 : IPV4;
}

/* --- what has changed: any context, bottom halves off or not --- */

/* Queues the work; it may find that it has to wait. */
static void wake_routes(struct nfto_routes *routes)
{
	lockdep_assert_held(&routes->lock);
	if (!routes->off)
		mod_delayed_work(nfto_control_wq, &routes->work, 0);
}

static u64 growth_by(const struct nfto_route_change *a,
		     const struct nfto_route_change *b)
{
	return max(a->last, b->last) - min(a->first, b->first) -
	       (a->last - a->first);
}

/*
 * If there is no room for another change, the one that grows least is made to
 * cover it.
 */
static bool widen_change(struct nfto_routes *routes, const struct nfto_route_change *by)
{
	struct nfto_route_change *c, *best = NULL;
	unsigned int i;

	for (i = 0; i < routes->n; i++) {
		c = &routes->change[i];
		if (c->table == by->table && c->family == by->family &&
		    (!best || growth_by(c, by) < growth_by(best, by)))
			best = c;
	}
	if (!best)
		return false;
	best->last = max(best->last, by->last);
	best->first = min(best->first, by->first);
	best->unclear |= by->unclear;
	return true;
}

static void note_change(struct nfto_routes *routes,
			struct nfto_route_change *change, unsigned int plen,
			unsigned int bits)
{
	u64 inside = plen ? (plen < bits ? BIT_ULL(bits - plen) - 1 : 0) :
		     GENMASK_ULL(bits - 1, 0);

	change->first &= ~inside;
	change->last = change->first | inside;
	spin_lock_bh(&routes->lock);
	if (routes->n < NFTO_ROUTE_CHANGES)
		routes->change[routes->n++] = *change;
	else if (!widen_change(routes, change))
		routes->all |= bit_of(change->family);
	wake_routes(routes);
	spin_unlock_bh(&routes->lock);
}

static void note_all_changed(struct nfto_routes *routes, u8 all, u8 unclear)
{
	spin_lock_bh(&routes->lock);
	routes->all |= all;
	routes->unclear |= unclear;
	wake_routes(routes);
	spin_unlock_bh(&routes->lock);
}

static void note_route4(struct nfto_routes *routes, struct fib_notifier_info *info)
{
	const struct fib_entry_notifier_info *e =
		container_of(info, struct fib_entry_notifier_info, info);
	struct nfto_route_change change = {
		.first = e->dst,
		.table = e->tb_id,
		.family = NFPROTO_IPV4,
		.unclear = e->dscp,
	};

	note_change(routes, &change, e->dst_len, 32);
}

/*
 * Note that the kernel only tells of the first route to a prefix and of the
 * routes that share it with equal metric (siblings).
 */
static void note_route6(struct nfto_routes *routes, struct fib_notifier_info *info)
{
	const struct fib6_entry_notifier_info *e =
		container_of(info, struct fib6_entry_notifier_info, info);
	const struct in6_addr *addr = &e->rt->fib6_dst.addr;
	struct nfto_route_change change = {
		.first = (u64)ntohl(addr->s6_addr32[0]) << 32 |
			 ntohl(addr->s6_addr32[1]),
		.table = e->rt->fib6_table->tb6_id,
		.family = NFPROTO_IPV6,
	};

	note_change(routes, &change, e->rt->fib6_dst.plen, 64);
}

/* A flow does not know which mark its packets have. */
static bool is_opaque(const struct fib_rule *rule)
{
	return rule->mark_mask || rule->tun_id;
}

/*
 * Context: of routes, RTNL is held (IPv4), or the table's lock with bottom halves
 * off (IPv6); of rules, RTNL. Always below rcu_read_lock().
 */
static int fib_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct nfto_routes *routes = container_of(nb, struct nfto_routes, fib);
	struct fib_notifier_info *info = ptr;
	const struct fib_rule *rule;
	u8 bit;

	/*
	 * The routes that are there already when the notifier is registered are
	 * no changes.
	 */
	if (!READ_ONCE(routes->on) ||
	    (info->family != AF_INET && info->family != AF_INET6))
		return NOTIFY_DONE;
	switch (event) {
	case FIB_EVENT_ENTRY_REPLACE:
	case FIB_EVENT_ENTRY_APPEND:
	case FIB_EVENT_ENTRY_ADD:
	case FIB_EVENT_ENTRY_DEL:
		if (info->family == AF_INET)
			note_route4(routes, info);
		else
			note_route6(routes, info);
		break;
	case FIB_EVENT_RULE_ADD:
	case FIB_EVENT_RULE_DEL:
		rule = container_of(info, struct fib_rule_notifier_info, info)->rule;
		bit = bit_of(info->family);
		note_all_changed(routes, bit, is_opaque(rule) ? bit : 0);
		break;
	}
	return NOTIFY_DONE;
}

/*
 * Routing daemons make many nexthop objects that no route or group uses yet:
 * these concern nobody. When a nexthop object is deleted, the kernel tells of
 * its routes.
 *
 * Context: RTNL is held.
 */
static int nexthop_event(struct notifier_block *nb, unsigned long event,
			 void *ptr)
{
	struct nfto_routes *routes = container_of(nb, struct nfto_routes, nexthop);
	const struct nh_notifier_info *info = ptr;
	const struct nexthop *nh;

	if (!READ_ONCE(routes->on) || event != NEXTHOP_EVENT_REPLACE)
		return NOTIFY_DONE;
	nh = nexthop_find_by_id(info->net, info->id);
	if (!nh || !list_empty(&nh->fi_list) || !list_empty(&nh->f6i_list) ||
	    !list_empty(&nh->grp_list))
		note_all_changed(routes, IPV4 | IPV6, 0);
	return NOTIFY_DONE;
}

/**
 * nfto_routes_carrier() - a device has lost or regained its carrier
 * @nn: its netns
 * @dev: the device
 *
 * With net.*.conf.*.ignore_routes_with_linkdown other routes are used now, and the
 * kernel tells nobody.
 *
 * Context: event.
 */
void nfto_routes_carrier(struct nfto_net *nn, const struct net_device *dev)
{
	u8 all = 0;

	rcu_read_lock();
	if (ip_ignore_linkdown(dev))
		all |= IPV4;
	if (ip6_ignore_linkdown(dev))
		all |= IPV6;
	rcu_read_unlock();
	if (all)
		note_all_changed(&nn->routes, all, 0);
}

bool nfto_routes_stale(struct nfto_nexthop *nh)
{
	struct nfto_routes *routes = &nh->table->net->routes;

	if (!nfto_nexthop_may_renew(nh))
		return false;
	if (!READ_ONCE(nh->stale)) {
		WRITE_ONCE(nh->stale, true);
		spin_lock_bh(&routes->lock);
		wake_routes(routes);
		spin_unlock_bh(&routes->lock);
	}
	return true;
}

/* --- the route that a direction should have: below RCU --- */

static bool is_leg_alive(const struct fib_nh_common *leg)
{
	if (leg->nhc_flags & RTNH_F_DEAD)
		return false;
	if (!(leg->nhc_flags & RTNH_F_LINKDOWN))
		return true;
	return leg->nhc_family == AF_INET6 ? !ip6_ignore_linkdown(leg->nhc_dev) :
					     !ip_ignore_linkdown(leg->nhc_dev);
}

/* Whether one of the legs of a route leads to the next hop. */
static bool leg_leads_to(const struct fib_nh_common *leg,
			 const struct nfto_nexthop *nh, const void *daddr)
{
	const struct neighbour *n = nh->neigh;
	const void *gw = daddr;
	int family = nh->family;

	if (!is_leg_alive(leg) || leg->nhc_dev != nh->l3dev || leg->nhc_lwtstate)
		return false;
	if (!n)
		return true;
	if (leg->nhc_gw_family && (leg->nhc_family == AF_INET6 ||
				   leg->nhc_scope == RT_SCOPE_LINK)) {
		gw = &leg->nhc_gw;
		family = leg->nhc_gw_family;
	}
	return n->tbl->family == family &&
	       !memcmp(n->primary_key, gw, n->tbl->key_len);
}

/**
 * struct way - one direction of a connection
 * @net: the netns
 * @in: its tuple
 * @back: the other's: its packets go to where those come from
 * @from: where the other's packets leave, and its own come in
 * @nh: where its own should leave
 * @table: the routing table where its route was found
 * @mtu: of its route
 */
struct way {
	struct net *net;
	const struct nf_conntrack_tuple *in;
	const struct nf_conntrack_tuple *back;
	const struct nfto_nexthop *from;
	const struct nfto_nexthop *nh;
	u32 table;
	u32 mtu;
};

/* The device that the route's lookup is made for. */
static int way_iif(const struct way *way)
{
	const struct net_device *dev = way->from->l3dev;

	return l3mdev_master_ifindex_rcu(dev) ?: dev->ifindex;
}

/*
 * Looks up as ip_route_input() does, except for what differs between the
 * packets of a connection (mark, TOS). Any leg is right: each packet has taken
 * one of them.
 */
static bool way4_is_right(struct way *way)
{
	struct flowi4 fl = {
		.flowi4_iif = way_iif(way),
		.flowi4_scope = RT_SCOPE_UNIVERSE,
		.flowi4_proto = way->in->dst.protonum,
		.flowi4_uid = sock_net_uid(way->net, NULL),
		.saddr = way->in->src.u3.ip,
		.daddr = way->back->src.u3.ip,
		.fl4_sport = way->in->src.u.all,
		.fl4_dport = way->back->src.u.all,
	};
	struct fib_result res = {};
	int i;

	if (fib_lookup(way->net, &fl, &res, 0) || res.type != RTN_UNICAST)
		return false;
	way->table = res.table->tb_id;
	way->mtu = res.fi->fib_mtu ?: READ_ONCE(way->nh->l3dev->mtu);
	for (i = 0; i < fib_info_num_path(res.fi); i++)
		if (leg_leads_to(fib_info_nhc(res.fi, i), way->nh, &fl.daddr))
			return true;
	return false;
}

struct legs6 {
	const struct nfto_nexthop *nh;
	const struct in6_addr *daddr;
};

static int leg6_leads(struct fib6_nh *leg, void *arg)
{
	const struct legs6 *legs = arg;

	return leg_leads_to(&leg->nh_common, legs->nh, legs->daddr);
}

static bool any_leg6_leads(struct fib6_info *f6i, struct legs6 *legs)
{
	struct fib6_info *sibling;

	if (f6i->nh)
		return nexthop_for_each_fib6_nh(f6i->nh, leg6_leads, legs);
	if (leg6_leads(f6i->fib6_nh, legs))
		return true;
	if (!READ_ONCE(f6i->fib6_nsiblings))
		return false;
	list_for_each_entry_rcu(sibling, &f6i->fib6_siblings, fib6_siblings) {
		if (leg6_leads(sibling->fib6_nh, legs))
			return true;
		/*
		 * The entry may have been taken out of the list meanwhile: then
		 * the list does not lead back to its beginning.
		 */
		if (!READ_ONCE(f6i->fib6_nsiblings))
			break;
	}
	return false;
}

/* As ip6_route_input(). */
static bool way6_is_right(struct way *way)
{
	struct flowi6 fl = {
		.flowi6_iif = way_iif(way),
		.flowi6_proto = way->in->dst.protonum,
		.flowi6_uid = sock_net_uid(way->net, NULL),
		.saddr = way->in->src.u3.in6,
		.daddr = way->back->src.u3.in6,
		.fl6_sport = way->in->src.u.all,
		.fl6_dport = way->back->src.u.all,
		.mp_hash = 1,
	};
	struct legs6 legs = { .nh = way->nh, .daddr = &fl.daddr };
	struct fib6_info *from;
	struct dst_entry *dst;
	bool leads = false;

	dst = ip6_route_input_lookup(way->net, way->from->l3dev, &fl, NULL,
				     RT6_LOOKUP_F_HAS_SADDR);
	from = rcu_dereference(dst_rt6_info(dst)->from);
	if (!dst->error && from && from->fib6_type == RTN_UNICAST) {
		way->table = from->fib6_table->tb6_id;
		way->mtu = nfto_nexthop_mtu(dst, NFPROTO_IPV6);
		leads = any_leg6_leads(from, &legs);
	}
	dst_release(dst);
	return leads;
}

static bool way_is_right(struct way *way)
{
	return way->in->src.l3num == NFPROTO_IPV6 ? way6_is_right(way) : way4_is_right(way);
}

#ifdef CONFIG_IP_MULTIPLE_TABLES
/* Whether there are rules whose outcome a flow cannot know. */
static bool has_opaque_rule(const struct fib_rules_ops *ops)
{
	const struct fib_rule *rule;

	if (!ops)
		return false;
	list_for_each_entry_rcu(rule, &ops->rules_list, list)
		if (is_opaque(rule))
			return true;
	return false;
}
#endif

static u8 opaque_families(const struct net *net)
{
	u8 found = 0;

	rcu_read_lock();
#ifdef CONFIG_IP_MULTIPLE_TABLES
	if (has_opaque_rule(net->ipv4.rules_ops))
		found |= IPV4;
#endif
#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	if (has_opaque_rule(net->ipv6.fib6_rules_ops))
		found |= IPV6;
#endif
	rcu_read_unlock();
	return found;
}

/**
 * nfto_routes_agree() - whether routing would have packets leave there
 * @net: the netns
 * @ct: a connection
 * @dir: one of its directions
 * @nh: where its directions leave
 *
 * Context: packet.
 * Return: false if it would not. It is also true if rules decide by what a flow
 * cannot know, such as the mark of a packet.
 */
bool nfto_routes_agree(struct net *net, const struct nf_conn *ct,
		       enum ip_conntrack_dir dir,
		       struct nfto_nexthop *const nh[IP_CT_DIR_MAX])
{
	struct way way = {
		.net = net,
		.in = &ct->tuplehash[dir].tuple,
		.back = &ct->tuplehash[!dir].tuple,
		.from = nh[!dir],
		.nh = nh[dir],
	};

	return !nfto_nexthop_is_plain(nh[dir]) || way_is_right(&way) ||
	       opaque_families(net) & bit_of(nh[dir]->family);
}

/* --- the work --- */

/**
 * struct pass - one run of the work
 * @net: the netns
 * @all: families of which everything is looked at
 * @unclear: of these, in a way that cannot be known
 * @opaque: families with rules of which a flow cannot know the outcome
 * @n: changes
 * @change: these
 * @seen: what it came to
 */
struct pass {
	struct net *net;
	u8 all;
	u8 unclear;
	u8 opaque;
	unsigned int n;
	struct nfto_route_change change[NFTO_ROUTE_CHANGES];
	struct nfto_routes_seen seen;
};

/*
 * A flow cannot know what an opaque rule says about its packets. But if the
 * change is in the table in which the direction's route was found, the opaque
 * rules have not changed what they say.
 */
static bool is_wrong(const struct pass *pass, const struct nfto_dir *dir,
		     const struct nfto_route_change *change)
{
	const struct nf_conntrack_tuple_hash *h = nfto_flow_of(dir)->ct->tuplehash;
	struct way way = {
		.net = pass->net,
		.in = &h[dir->reply].tuple,
		.back = &h[!dir->reply].tuple,
		.from = nfto_dir_other(dir)->nh,
		.nh = dir->nh,
		.table = RT_TABLE_UNSPEC,
	};
	bool right;

	if (change->unclear || !nfto_nexthop_is_plain(dir->nh))
		return true;
	rcu_read_lock();
	right = way_is_right(&way) && min_t(u32, way.mtu, U16_MAX) == dir->nh->mtu;
	rcu_read_unlock();
	return !right || (pass->opaque & bit_of(change->family) &&
			  change->table != way.table);
}

static void check_change(struct pass *pass, struct nfto_nexthop *nh,
			 const struct nfto_route_change *change)
{
	struct nfto_range range = { .at = change->first, .last = change->last };
	struct nfto_flow *flow;

	while ((flow = nfto_nexthop_next(nh, &range))) {
		pass->seen.walked++;
		if (is_wrong(pass, range.dir, change)) {
			pass->seen.ended++;
			nfto_flow_end(flow, NFTO_REASON_ROUTE_CHANGED);
		}
		nfto_flow_put(flow);
		cond_resched();
	}
}

/*
 * Finds a route of a direction by the next hop's device: any will do, see
 * is_equivalent_route(). "strict" is for IPv6, which would otherwise prefer the
 * route of another rule to that of the device.
 */
static struct dst_entry *find_route(struct net *net, const struct nfto_dir *dir)
{
	const struct nf_conntrack_tuple_hash *h = nfto_flow_of(dir)->ct->tuplehash;
	const union nf_inet_addr *to = &h[!dir->reply].tuple.src.u3;
	const union nf_inet_addr *from = &h[dir->reply].tuple.src.u3;
	struct dst_entry *dst = NULL;
	struct flowi fl = {};

	if (dir->ipv6) {
		fl.u.ip6.daddr = to->in6;
		fl.u.ip6.saddr = from->in6;
		fl.u.ip6.flowi6_oif = dir->nh->l3dev->ifindex;
		fl.u.ip6.flowi6_flags = FLOWI_FLAG_ANYSRC;
	} else {
		fl.u.ip4.daddr = to->ip;
		fl.u.ip4.saddr = from->ip;
		fl.u.ip4.flowi4_oif = dir->nh->l3dev->ifindex;
		fl.u.ip4.flowi4_flags = FLOWI_FLAG_ANYSRC;
	}
	/* nf_get_ipv6_ops() needs this where IPv6 is a module. */
	rcu_read_lock();
	nf_route(net, &dst, &fl, true, dir->ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	rcu_read_unlock();
	return dst;
}

static bool renew_by(struct nfto_nexthop *nh, const struct nfto_dir *dir,
		     struct net *net)
{
	struct dst_entry *dst = find_route(net, dir);

	return dst && nfto_nexthop_renew(nh, dst);
}

/*
 * A flow may have another route by now that was not looked at yet: then this
 * flow ends. That says nothing about the other flows of the next hop.
 */
static void renew_nexthop(struct pass *pass, struct nfto_nexthop *nh)
{
	struct nfto_range range = NFTO_RANGE_ALL;
	struct nfto_flow *flow;
	bool done;

	WRITE_ONCE(nh->stale, false);
	rcu_read_lock();
	done = nfto_nexthop_is_fresh(nh) || !nfto_nexthop_may_renew(nh);
	rcu_read_unlock();
	while (!done && (flow = nfto_nexthop_next(nh, &range))) {
		done = renew_by(nh, range.dir, pass->net);
		if (done)
			pass->seen.renewed++;
		else
			nfto_flow_end(flow, NFTO_REASON_ROUTE_STALE);
		nfto_flow_put(flow);
		cond_resched();
	}
}

static void look_at_nexthop(struct pass *pass, struct nfto_nexthop *nh)
{
	const u8 bit = bit_of(nh->family);
	const struct nfto_route_change all = {
		.last = U64_MAX,
		.family = nh->family,
		.unclear = pass->unclear & bit,
	};
	unsigned int i;

	pass->seen.nexthops++;
	if (pass->all & bit)
		check_change(pass, nh, &all);
	else
		for (i = 0; i < pass->n; i++)
			if (pass->change[i].family == nh->family)
				check_change(pass, nh, &pass->change[i]);
	renew_nexthop(pass, nh);
}

/* The table after that of the last call, with a reference. */
static struct nfto_table *next_table(struct nfto_net *nn, u32 last)
{
	struct nfto_table *table, *found = NULL;

	mutex_lock(&nn->lock);
	list_for_each_entry(table, &nn->tables, list) {
		if (table->id > last && refcount_inc_not_zero(&table->ref)) {
			found = table;
			break;
		}
	}
	mutex_unlock(&nn->lock);
	return found;
}

static void look_at_nexthops(struct nfto_net *nn, struct pass *pass)
{
	struct nfto_nexthop *nh;
	struct nfto_table *table;
	unsigned int bucket;
	u32 last = 0;

	nn->routes.pass++;
	while ((table = next_table(nn, last))) {
		bucket = 0;
		while ((nh = nfto_nexthop_each(table, &bucket, nn->routes.pass))) {
			look_at_nexthop(pass, nh);
			nfto_nexthop_put(nh);
			cond_resched();
		}
		last = table->id;
		nfto_table_put(table);
	}
}

/*
 * Waits until the change can be seen by packets, and until packets that were
 * routed before it have made their flows, so that these flows are found.
 *
 * IPv6 tells of a change below a spinlock with bottom halves off: a grace
 * period waits for that. All others tell below RTNL. A packet is below
 * rcu_read_lock() from the lookup of its route until its flow is made, except
 * for one that waits in a queue of user space.
 */
static void wait_for_change(const struct pass *pass)
{
	bool ipv6 = pass->all & IPV6;
	unsigned int i;

	for (i = 0; i < pass->n; i++)
		ipv6 |= pass->change[i].family == NFPROTO_IPV6;
	if (ipv6)
		synchronize_rcu();
	rtnl_lock();
	rtnl_unlock();
	synchronize_rcu();
}

static long jiffies_until(unsigned long then)
{
	long wait = then - jiffies;

	/* A time that is long past looks like one in the future. */
	return wait > HZ ? 0 : wait;
}

/* Everything is looked at once a second at most. */
static void take_changes(struct nfto_routes *routes, struct pass *pass)
{
	spin_lock_bh(&routes->lock);
	pass->n = routes->n;
	memcpy(pass->change, routes->change, routes->n * sizeof(pass->change[0]));
	routes->n = 0;
	if (routes->all && jiffies_until(routes->next_all) <= 0) {
		pass->all = routes->all;
		pass->unclear = routes->unclear;
		routes->all = 0;
		routes->unclear = 0;
	}
	spin_unlock_bh(&routes->lock);
}

static void run_routes_again(struct nfto_routes *routes, long delay)
{
	spin_lock_bh(&routes->lock);
	if (!routes->off)
		queue_delayed_work(nfto_control_wq, &routes->work, max(delay, 1L));
	spin_unlock_bh(&routes->lock);
}

/*
 * A message about one value that was changed, forwarding mostly, has two attributes.
 * Longer ones tell of devices that are new.
 */
#define ONE_VALUE	(NLMSG_LENGTH(NLMSG_ALIGN(sizeof(struct netconfmsg))) + \
			 2 * NLA_HDRLEN + 2 * sizeof(u32))

static void heard_of_rtnl(struct nfto_net *nn, u16 type, u32 len)
{
	if (type == RTM_NEWLINK || type == RTM_DELLINK)
		nfto_check_soon(nn);
	else if (!type || (type == RTM_NEWNETCONF && len <= ONE_VALUE))
		nfto_doubt_soon(nn);
}

/* A policy may forbid what a route allows, or want it encrypted. */
static void heard_of_xfrm(struct nfto_net *nn, u16 type, u32 len)
{
	nfto_doubt_soon(nn);
}

/* Where there is no IPsec, there is nothing to be heard of it. */
static int listen_to_groups(struct nfto_routes *routes)
{
	int err;

	err = nfto_listen_open(&routes->rtnl, NETLINK_ROUTE,
			       BIT(RTNLGRP_LINK - 1) | BIT(RTNLGRP_IPV4_NETCONF - 1) |
			       BIT(RTNLGRP_IPV6_NETCONF - 1));
	if (!err)
		err = nfto_listen_open(&routes->xfrm, NETLINK_XFRM,
				       BIT(XFRMNLGRP_EXPIRE - 1) |
				       BIT(XFRMNLGRP_POLICY - 1));
	return err == -EPROTONOSUPPORT ? 0 : err;
}

/*
 * The notifiers are not registered when the netns is made: most never have a
 * flowtable, and to unregister them costs a grace period. Changes before that
 * may have been missed, so that everything is looked at.
 *
 * Return: false if it has to be tried again, because routes change so fast.
 */
static bool listen_for_routes(struct nfto_net *nn)
{
	struct nfto_routes *routes = &nn->routes;

	if (routes->on)
		return true;
	if (listen_to_groups(routes))
		return false;
	if (register_fib_notifier(nn->net, &routes->fib, NULL, NULL))
		return false;
	if (register_nexthop_notifier(nn->net, &routes->nexthop, NULL)) {
		unregister_fib_notifier(nn->net, &routes->fib);
		return false;
	}
	WRITE_ONCE(routes->on, true);
	note_all_changed(routes, IPV4 | IPV6, 0);
	return true;
}

static void run_routes_pass(struct nfto_net *nn)
{
	struct nfto_routes *routes = &nn->routes;
	struct pass pass = { .net = nn->net };
	unsigned long busy;
	u64 began;

	take_changes(routes, &pass);
	pass.seen.changes = pass.n;
	pass.seen.all = pass.all;
	wait_for_change(&pass);
	began = ktime_get_ns();
	pass.opaque = opaque_families(nn->net);
	pass.unclear |= pass.all & pass.opaque;
	look_at_nexthops(nn, &pass);
	nfto_event_routes(&pass.seen);

	busy = nsecs_to_jiffies(ktime_get_ns() - began);
	routes->next = jiffies + min_t(unsigned long, SHARE * busy, HZ);
	if (pass.all)
		routes->next_all = jiffies + ALL_DELAY;
}

static void routes_work(struct work_struct *work)
{
	struct nfto_net *nn = container_of(to_delayed_work(work), struct nfto_net,
					   routes.work);
	struct nfto_routes *routes = &nn->routes;
	bool listens = listen_for_routes(nn);
	long wait = jiffies_until(routes->next);

	if (wait > 0) {
		run_routes_again(routes, wait);
		return;
	}
	run_routes_pass(nn);
	if (!listens)
		run_routes_again(routes, LISTEN_DELAY);
	else if (READ_ONCE(routes->all))
		run_routes_again(routes, jiffies_until(routes->next_all));
}

/* --- begin and end --- */

void nfto_routes_init(struct nfto_net *nn)
{
	struct nfto_routes *routes = &nn->routes;

	nfto_listen_init(&routes->rtnl, nn, heard_of_rtnl, NULL);
	nfto_listen_init(&routes->xfrm, nn, heard_of_xfrm, NULL);
	spin_lock_init(&routes->lock);
	INIT_DELAYED_WORK(&routes->work, routes_work);
	routes->fib.notifier_call = fib_event;
	routes->nexthop.notifier_call = nexthop_event;
	routes->next = jiffies;
	routes->next_all = jiffies;
}

void nfto_routes_begin(struct nfto_net *nn)
{
	spin_lock_bh(&nn->routes.lock);
	if (!READ_ONCE(nn->routes.on))
		wake_routes(&nn->routes);
	spin_unlock_bh(&nn->routes.lock);
}

/*
 * Nothing queues the work any more, and then nothing calls the notifiers.
 *
 * Context: the netns' exit; there are no packets and no flows.
 */
void nfto_routes_exit(struct nfto_net *nn)
{
	struct nfto_routes *routes = &nn->routes;

	spin_lock_bh(&routes->lock);
	routes->off = true;
	spin_unlock_bh(&routes->lock);
	cancel_delayed_work_sync(&routes->work);
	nfto_listen_close(&routes->rtnl);
	nfto_listen_close(&routes->xfrm);
	if (!routes->on)
		return;
	unregister_nexthop_notifier(nn->net, &routes->nexthop);
	unregister_fib_notifier(nn->net, &routes->fib);
}
