// SPDX-License-Identifier: GPL-2.0
/*
 * From a packet in the forward chain to the next hops of both its directions.
 */
#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <net/dst.h>
#include <net/flow.h>
#include <net/ip.h>
#include "compat/flowi4.h"
#include "way/internal.h"

/*
 * Looks up the route of the packets that come back: from this packet's
 * destination to its source, in at the device where it leaves and out at the
 * one where it came in.
 *
 * Return: a reference, ERR_PTR(-ENOMEM), or for all other errors -ENOENT.
 */
static struct dst_entry *route_back(const struct nf_conn *ct,
				    const struct sk_buff *skb,
				    const struct nf_hook_state *state,
				    enum ip_conntrack_dir dir, int family)
{
	const struct nf_conntrack_tuple *this = &ct->tuplehash[dir].tuple;
	const struct nf_conntrack_tuple *back = &ct->tuplehash[!dir].tuple;
	struct dst_entry *dst = NULL;
	struct flowi fl = {};
	int err;

	if (family == NFPROTO_IPV4) {
		fl.u.ip4.daddr = this->src.u3.ip;
		fl.u.ip4.saddr = back->src.u3.ip;
		fl.u.ip4.flowi4_oif = state->in->ifindex;
		fl.u.ip4.flowi4_iif = skb_dst(skb)->dev->ifindex;
		nfto_flowi4_set_dscp(&fl.u.ip4, ip_hdr(skb)->tos);
		fl.u.ip4.flowi4_mark = skb->mark;
		fl.u.ip4.flowi4_flags = FLOWI_FLAG_ANYSRC;
	} else {
		fl.u.ip6.daddr = this->src.u3.in6;
		fl.u.ip6.saddr = back->src.u3.in6;
		fl.u.ip6.flowi6_oif = state->in->ifindex;
		fl.u.ip6.flowi6_iif = skb_dst(skb)->dev->ifindex;
		fl.u.ip6.flowlabel = ip6_flowinfo(ipv6_hdr(skb));
		fl.u.ip6.flowi6_mark = skb->mark;
		fl.u.ip6.flowi6_flags = FLOWI_FLAG_ANYSRC;
	}
	err = nf_route(state->net, &dst, &fl, false, family);
	if (dst)
		return dst;
	/* IPv4 says -ENOBUFS. */
	return ERR_PTR(err == -ENOMEM || err == -ENOBUFS ? -ENOMEM : -ENOENT);
}

int nfto_path_resolve(struct nfto_table *table, const struct nf_conn *ct,
		      struct sk_buff *skb, const struct nf_hook_state *state,
		      enum ip_conntrack_dir dir,
		      struct nfto_nexthop *nh[IP_CT_DIR_MAX])
{
	int family = nf_ct_l3num(ct);
	struct dst_entry *here = skb_dst(skb), *back;
	int err;

	if (!here || !dst_hold_safe(here))
		return -ENOENT;
	back = route_back(ct, skb, state, dir, family);
	if (IS_ERR(back)) {
		dst_release(here);
		return PTR_ERR(back);
	}
	/* Only the slow path puts a route's own encapsulation on. */
	if (here->lwtstate || back->lwtstate) {
		dst_release(here);
		dst_release(back);
		return -EPROTONOSUPPORT;
	}
	/* A direction goes to where the other one comes from. */
	nh[dir] = nfto_nexthop_get(table, here,
				   &ct->tuplehash[!dir].tuple.src.u3, family);
	nh[!dir] = nfto_nexthop_get(table, back,
				    &ct->tuplehash[dir].tuple.src.u3, family);
	dst_release(here);
	dst_release(back);
	if (!nh[0] || !nh[1])
		err = -ENOMEM;
	/*
	 * The way back was looked up for the device of this packet. If the
	 * answers leave by another one, a flow would need two ports for one
	 * direction.
	 */
	else if (!nfto_routes_agree(state->net, ct, !dir, nh))
		err = -ENOENT;
	else
		return 0;
	if (nh[0])
		nfto_nexthop_put(nh[0]);
	if (nh[1])
		nfto_nexthop_put(nh[1]);
	return err;
}
