// SPDX-License-Identifier: GPL-2.0
/*
 * Finds out what a driver takes, by offering it rules as they are made for
 * flows, for packets that are on no wire, and taking them out again.
 *
 * Each rule is made of a flow that nobody can find: it is in no hash, wheel or
 * list, has no references, and has a conntrack entry of its own that conntrack
 * does not know. What rule.c and worker.c read of these is filled in.
 */
#include <linux/delay.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include "hw/internal.h"

/* After so many calls the port may be unbound in between. */
#define STRIDE		64
#define TRIES		3
#define VLAN_ID		4093
#define SVLAN_ID	4092
#define PPPOE_SESSION	0xfffe

/* One probe at a time: all of them use the same packets. */
static DEFINE_MUTEX(probe_lock);

/**
 * struct offer - a direction to be offered, and all that it points to
 * @ct: its connection's tuples
 * @nh: where its directions leave
 * @flow: whose original direction it is
 * @first: flow->id of the first one
 */
struct offer {
	struct nf_conn ct;
	struct nfto_nexthop nh[IP_CT_DIR_MAX];
	u64 first;
	struct nfto_flow flow;
};

/* --- the flow --- */

/* Addresses for documentation: RFC 5737, RFC 3849. */
static void fill_addresses(union nf_inet_addr *addr, bool ipv6, u8 net, u8 host)
{
	memset(addr, 0, sizeof(*addr));
	if (ipv6) {
		addr->in6.s6_addr[0] = 0x20;
		addr->in6.s6_addr[1] = 0x01;
		addr->in6.s6_addr[2] = 0x0d;
		addr->in6.s6_addr[3] = 0xb8;
		addr->in6.s6_addr[5] = net;
		addr->in6.s6_addr[15] = host;
	} else {
		/* 192.0.2.0, 198.51.100.0, 203.0.113.0 */
		static const u32 nets[] = { 0xc0000200, 0xc6336400, 0xcb007100 };

		addr->ip = htonl(nets[net] | host);
	}
}

static bool is_ipv6(u32 feature)
{
	return feature == NFTO_FEATURE_IPV6_TCP ||
	       feature == NFTO_FEATURE_IPV6_UDP ||
	       feature == NFTO_FEATURE_IPV6_NAT;
}

static u8 probe_l4proto(u32 feature)
{
	switch (feature) {
	case NFTO_FEATURE_IPV4_UDP:
	case NFTO_FEATURE_IPV6_UDP:
		return IPPROTO_UDP;
	case NFTO_FEATURE_IPV4_GRE:
		return IPPROTO_GRE;
	default:
		return IPPROTO_TCP;
	}
}

static void push_tag(struct nfto_nexthop *nh, u16 proto, u16 id)
{
	nh->encap[nh->n_encap].proto = htons(proto);
	nh->encap[nh->n_encap++].id = id;
}

/*
 * A packet arrives with the encapsulation with which the other direction
 * leaves.
 */
static void fill_encap(struct offer *o, u32 feature)
{
	switch (feature) {
	case NFTO_FEATURE_VLAN_IN:
		push_tag(&o->nh[IP_CT_DIR_REPLY], ETH_P_8021Q, VLAN_ID);
		break;
	case NFTO_FEATURE_VLAN_OUT:
		push_tag(&o->nh[IP_CT_DIR_ORIGINAL], ETH_P_8021Q, VLAN_ID);
		break;
	case NFTO_FEATURE_QINQ_OUT:
		push_tag(&o->nh[IP_CT_DIR_ORIGINAL], ETH_P_8021AD, SVLAN_ID);
		push_tag(&o->nh[IP_CT_DIR_ORIGINAL], ETH_P_8021Q, VLAN_ID);
		break;
	case NFTO_FEATURE_PPPOE_OUT:
		push_tag(&o->nh[IP_CT_DIR_ORIGINAL], ETH_P_PPP_SES, PPPOE_SESSION);
		break;
	}
}

/* A unicast address for documentation (RFC 7042). */
static const u8 far_address[ETH_ALEN] = { 0x00, 0x00, 0x5e, 0x00, 0x53, 0x01 };

/* RTNL is held, so that the address does not change. */
static void fill_nexthop(struct nfto_nexthop *nh, struct net_device *dev)
{
	nh->lower = dev;
	nh->l3dev = dev;
	nh->out = dev;
	nh->has_dest = true;
	memcpy(nh->h_dest, far_address, ETH_ALEN);
	if (dev->type == ARPHRD_ETHER && dev->addr_len == ETH_ALEN)
		memcpy(nh->h_source, dev->dev_addr, ETH_ALEN);
	else
		nh->no_rule = NFTO_REASON_NO_ETHERNET;
}

static void fill_tuples(struct offer *o, u32 feature)
{
	bool nat = feature == NFTO_FEATURE_IPV4_NAT ||
		   feature == NFTO_FEATURE_IPV6_NAT;
	struct nf_conntrack_tuple *orig = &o->ct.tuplehash[0].tuple;
	struct nf_conntrack_tuple *reply = &o->ct.tuplehash[1].tuple;
	bool ipv6 = is_ipv6(feature);

	orig->src.l3num = ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	orig->dst.protonum = probe_l4proto(feature);
	fill_addresses(&orig->dst.u3, ipv6, 1, 1);
	reply->src.l3num = orig->src.l3num;
	reply->dst.protonum = orig->dst.protonum;
	fill_addresses(&reply->src.u3, ipv6, 1, 1);
	fill_addresses(&reply->dst.u3, ipv6, nat ? 2 : 0, 1);
	if (orig->dst.protonum != IPPROTO_GRE) {
		orig->dst.u.all = htons(9);
		reply->src.u.all = htons(9);
	}
	if (nat)
		o->flow.flags |= NFTO_F_SNAT;
}

/* Makes one of many offers; they differ in their source. */
static const struct nfto_dir *nth_offer(struct offer *o, u32 n)
{
	struct nf_conntrack_tuple *orig = &o->ct.tuplehash[0].tuple;
	struct nf_conntrack_tuple *reply = &o->ct.tuplehash[1].tuple;
	struct nfto_dir *dir = &o->flow.dir[0];
	bool gre = dir->proto == IPPROTO_GRE;

	o->flow.id = o->first + n;
	fill_addresses(&orig->src.u3, dir->ipv6, 0, gre ? n : n >> 16);
	if (!(o->flow.flags & NFTO_F_SNAT))
		reply->dst.u3 = orig->src.u3;
	if (!gre) {
		__be16 ports[2] = { htons(n), orig->dst.u.all };

		orig->src.u.all = ports[0];
		reply->dst.u.all = ports[0];
		memcpy(&dir->ports, ports, sizeof(dir->ports));
	}
	dir->saddr = orig->src.u3.ip;
	dir->daddr = orig->dst.u3.ip;
	return dir;
}

static struct offer *offer_alloc(const struct nfto_probe *probe)
{
	struct offer *o = kzalloc(sizeof(*o), GFP_KERNEL);
	struct nfto_dir *dir;
	int i;

	if (!o)
		return NULL;
	o->flow.ct = &o->ct;
	o->first = nfto_flow_new_ids(probe->count);
	fill_nexthop(&o->nh[IP_CT_DIR_ORIGINAL], probe->out);
	fill_nexthop(&o->nh[IP_CT_DIR_REPLY], probe->dev);
	fill_encap(o, probe->feature);
	for (i = 0; i < IP_CT_DIR_MAX; i++) {
		dir = &o->flow.dir[i];
		dir->reply = i;
		dir->nh = &o->nh[i];
		dir->proto = probe_l4proto(probe->feature);
		dir->ipv6 = is_ipv6(probe->feature);
		dir->iif = o->nh[!i].lower->ifindex;
	}
	fill_tuples(o, probe->feature);
	return o;
}

/* --- the driver --- */

/* Return: false if it was refused, or there is no driver any more. */
static bool offer_one(struct nfto_probe *probe, struct nfto_worker *w,
		      struct nfto_port *port, const struct nfto_dir *dir)
{
	const char *why = NULL;
	int err = 0;

	if (!READ_ONCE(port->open)) {
		probe->reason = NFTO_REASON_PORT_UNBOUND;
		return false;
	}
	probe->reason = dir->nh->no_rule ?: nfto_dir_other(dir)->nh->no_rule;
	if (!probe->reason)
		probe->reason = nfto_worker_offer(w, dir, &err, &why);
	if (err)
		probe->result = nfto_result_get(err, why);
	if (probe->reason || err)
		return false;
	if (!probe->accepted++)
		probe->counts = nfto_worker_counts(w, dir);
	return true;
}

static void offer_all(struct nfto_probe *probe, struct nfto_worker *w,
		      struct nfto_port *port, struct offer *o)
{
	bool on = true;

	while (on && probe->accepted < probe->count &&
	       !signal_pending(current)) {
		down_read(&port->block_lock);
		do
			on = offer_one(probe, w, port,
				       nth_offer(o, probe->accepted));
		while (on && probe->accepted < probe->count &&
		       probe->accepted % STRIDE);
		up_read(&port->block_lock);
		cond_resched();
	}
}

/* A driver that is busy is asked again. Return: false if it keeps it. */
static bool withdraw_one(struct nfto_worker *w, struct nfto_port *port,
			 const struct nfto_dir *dir)
{
	bool gone;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (i)
			msleep(20);
		down_read(&port->block_lock);
		gone = nfto_worker_withdraw(w, dir);
		up_read(&port->block_lock);
		if (gone)
			return true;
	}
	return false;
}

static void withdraw_all(struct nfto_probe *probe, struct nfto_worker *w,
			 struct nfto_port *port, struct offer *o)
{
	u32 n;

	for (n = 0; n < probe->accepted; n++) {
		if (!withdraw_one(w, port, nth_offer(o, n)))
			probe->left++;
		cond_resched();
	}
}

static int probe_port(struct nfto_probe *probe, struct nfto_port *port,
		      struct offer *o)
{
	struct nfto_worker *w = nfto_worker_alloc(port);

	if (!w)
		return -ENOMEM;
	offer_all(probe, w, port, o);
	withdraw_all(probe, w, port, o);
	nfto_worker_free(w);
	return signal_pending(current) && probe->accepted < probe->count &&
	       !probe->result && !probe->reason ? -EINTR : 0;
}

/*
 * RTNL is held. Before that the device could have been removed, or have moved
 * to another netns.
 */
static bool is_dev_there(const struct nfto_net *nn, const struct net_device *dev)
{
	return dev->reg_state == NETREG_REGISTERED &&
	       net_eq(dev_net(dev), nn->net);
}

int nfto_probe(struct nfto_net *nn, struct nfto_probe *probe)
{
	struct nfto_port *port;
	struct offer *o;
	int err = 0;

	if (mutex_lock_interruptible(&probe_lock))
		return -EINTR;
	rtnl_lock();
	if (!is_dev_there(nn, probe->dev) || !is_dev_there(nn, probe->out)) {
		rtnl_unlock();
		mutex_unlock(&probe_lock);
		return -ENODEV;
	}
	o = offer_alloc(probe);
	port = o ? nfto_port_use(nn, probe->dev) : ERR_PTR(-ENOMEM);
	if (!IS_ERR(port))
		nfto_port_bind_rtnl(port);
	rtnl_unlock();
	if (IS_ERR(port)) {
		err = PTR_ERR(port);
		goto out;
	}
	probe->state = READ_ONCE(port->state);
	probe->kind = READ_ONCE(port->kind);
	if (probe->state == NFTO_PORT_STATE_BOUND)
		err = probe_port(probe, port, o);
	else
		probe->result = READ_ONCE(port->result);
	nfto_port_unuse(port);
out:
	kfree(o);
	mutex_unlock(&probe_lock);
	return err;
}
