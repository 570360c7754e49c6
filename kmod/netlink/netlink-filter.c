// SPDX-License-Identifier: GPL-2.0
/* Which flows a request means. */
#include <linux/inetdevice.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include "netlink/internal.h"

/* --- from attributes --- */

static int parse_prefix(struct nfto_prefix *p, const struct nlattr *address,
			const struct nlattr *len,
			struct netlink_ext_ack *extack)
{
	if (!address) {
		if (!len)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, len,
				    "A prefix length needs an address");
		return -EINVAL;
	}
	switch (nla_len(address)) {
	case sizeof(struct in_addr):
		p->family = NFPROTO_IPV4;
		break;
	case sizeof(struct in6_addr):
		p->family = NFPROTO_IPV6;
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, address,
				    "An address has 4 bytes, or 16");
		return -EINVAL;
	}
	nla_memcpy(&p->addr, address, sizeof(p->addr));
	p->len = 8 * nla_len(address);
	if (!len)
		return 0;
	if (nla_get_u32(len) > p->len) {
		NL_SET_ERR_MSG_ATTR(extack, len,
				    "The prefix is longer than the address");
		return -EINVAL;
	}
	p->len = nla_get_u32(len);
	return 0;
}

static int parse_prefixes(struct nfto_filter *f, struct nlattr *tb[],
			  struct netlink_ext_ack *extack)
{
	return parse_prefix(&f->address, tb[NFTO_A_FILTER_ADDRESS],
			    tb[NFTO_A_FILTER_PREFIX_LEN], extack) ?:
	       parse_prefix(&f->end[0].address, tb[NFTO_A_FILTER_SRC],
			    tb[NFTO_A_FILTER_SRC_LEN], extack) ?:
	       parse_prefix(&f->end[1].address, tb[NFTO_A_FILTER_DST],
			    tb[NFTO_A_FILTER_DST_LEN], extack);
}

static int parse_mark(struct nfto_filter *f, struct nlattr *tb[],
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *mask = tb[NFTO_A_FILTER_MARK_MASK];

	if (tb[NFTO_A_FILTER_MARK]) {
		f->mark = nla_get_u32(tb[NFTO_A_FILTER_MARK]);
		f->mark_mask = mask ? nla_get_u32(mask) : U32_MAX;
	} else if (mask) {
		NL_SET_ERR_MSG_ATTR(extack, mask, "A mask needs a mark");
		return -EINVAL;
	}
	return 0;
}

static void parse_numbers(struct nfto_filter *f, struct nlattr *tb[])
{
	if (tb[NFTO_A_FILTER_FLOWTABLE])
		f->table = nla_get_u32(tb[NFTO_A_FILTER_FLOWTABLE]);
	if (tb[NFTO_A_FILTER_IFINDEX])
		f->ifindex = nla_get_u32(tb[NFTO_A_FILTER_IFINDEX]);
	if (tb[NFTO_A_FILTER_IN_IFINDEX])
		f->in_ifindex = nla_get_u32(tb[NFTO_A_FILTER_IN_IFINDEX]);
	if (tb[NFTO_A_FILTER_HW])
		f->hw = nla_get_u32(tb[NFTO_A_FILTER_HW]);
	if (tb[NFTO_A_FILTER_REASON])
		f->reason = nla_get_u32(tb[NFTO_A_FILTER_REASON]);
	if (tb[NFTO_A_FILTER_PORT])
		f->port = nla_get_u16(tb[NFTO_A_FILTER_PORT]);
	if (tb[NFTO_A_FILTER_L4PROTO])
		f->l4proto = nla_get_u8(tb[NFTO_A_FILTER_L4PROTO]);
	if (tb[NFTO_A_FILTER_ZONE])
		f->zone = nla_get_u16(tb[NFTO_A_FILTER_ZONE]);
	if (tb[NFTO_A_FILTER_STATE])
		f->state = nla_get_u32(tb[NFTO_A_FILTER_STATE]);
	if (tb[NFTO_A_FILTER_SPORT])
		f->end[0].port = nla_get_u16(tb[NFTO_A_FILTER_SPORT]);
	if (tb[NFTO_A_FILTER_DPORT])
		f->end[1].port = nla_get_u16(tb[NFTO_A_FILTER_DPORT]);
}

/**
 * nfto_filter_parse() - takes a filter from a request
 * @filter: the filter
 * @nest: the attribute, NULL: every flow
 * @extack: where the sentence goes
 *
 * Return: 0 or a negative errno.
 */
int nfto_filter_parse(struct nfto_filter *filter, struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NFTO_A_FILTER_MAX + 1];
	int err;

	*filter = (struct nfto_filter) {
		.hw = -1, .reason = -1, .port = -1, .l4proto = -1, .zone = -1,
		.state = -1, .end = { { .port = -1 }, { .port = -1 } },
	};
	if (!nest)
		return 0;
	err = nla_parse_nested(tb, NFTO_A_FILTER_MAX, nest,
			       nfto_filter_nl_policy, extack);
	if (err)
		return err;
	parse_numbers(filter, tb);
	return parse_prefixes(filter, tb, extack) ?:
	       parse_mark(filter, tb, extack);
}

/* --- against flows --- */

static bool by_device(const struct nfto_filter *f, const struct nfto_dir *dir)
{
	const struct nfto_nexthop *nh = dir->nh;

	if (f->in_ifindex && f->in_ifindex != dir->iif)
		return false;
	return !f->ifindex || f->ifindex == dir->iif ||
	       f->ifindex == nh->lower->ifindex ||
	       f->ifindex == nh->l3dev->ifindex;
}

/* Without the flow's lock: what changes now may be shown, or not. */
static bool match_dir(const struct nfto_filter *f, const struct nfto_dir *dir)
{
	if (f->hw >= 0 && f->hw != dir->state)
		return false;
	if (f->reason >= 0 && f->reason != dir->out_reason)
		return false;
	return by_device(f, dir);
}

static bool covers(const struct nfto_prefix *p, const union nf_inet_addr *addr)
{
	if (p->family == NFPROTO_IPV6)
		return ipv6_prefix_equal(&addr->in6, &p->addr.in6, p->len);
	return !((addr->ip ^ p->addr.ip) & inet_make_mask(p->len));
}

static bool has_address(const struct nfto_filter *f,
			const struct nf_conntrack_tuple *t)
{
	return f->address.family == t->src.l3num &&
	       (covers(&f->address, &t->src.u3) ||
		covers(&f->address, &t->dst.u3));
}

static bool has_port(const struct nfto_filter *f,
		     const struct nf_conntrack_tuple *t)
{
	return f->port == ntohs(t->src.u.all) || f->port == ntohs(t->dst.u.all);
}

static bool ends_match(const struct nfto_filter *f,
		       const struct nf_conntrack_tuple *t)
{
	const struct nfto_prefix *src = &f->end[0].address;
	const struct nfto_prefix *dst = &f->end[1].address;

	if (f->end[0].port >= 0 && f->end[0].port != ntohs(t->src.u.all))
		return false;
	if (f->end[1].port >= 0 && f->end[1].port != ntohs(t->dst.u.all))
		return false;
	if (src->family &&
	    (src->family != t->src.l3num || !covers(src, &t->src.u3)))
		return false;
	return !dst->family ||
	       (dst->family == t->src.l3num && covers(dst, &t->dst.u3));
}

/* With NAT, one tuple may have the address and the other one the port. */
static bool match_tuples(const struct nfto_filter *f, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig, *reply;

	orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	if (!ends_match(f, orig) && !ends_match(f, reply))
		return false;
	if (f->address.family && !has_address(f, orig) && !has_address(f, reply))
		return false;
	return f->port < 0 || has_port(f, orig) || has_port(f, reply);
}

static bool match_ct(const struct nfto_filter *f, const struct nf_conn *ct)
{
	if (f->l4proto >= 0 && f->l4proto != nf_ct_protonum(ct))
		return false;
	if (f->zone >= 0 && f->zone != nf_ct_zone(ct)->id)
		return false;
#ifdef CONFIG_NF_CONNTRACK_MARK
	if ((READ_ONCE(ct->mark) ^ f->mark) & f->mark_mask)
		return false;
#endif
	return match_tuples(f, ct);
}

/* Without the flow's lock, so of two moments. Context: a reference, or RCU. */
enum nfto_flow_state nfto_flow_state_of(const struct nfto_flow *flow)
{
	const struct nfto_dir *dir = flow->dir;
	int n = (dir[0].state == NFTO_HW_IN) + (dir[1].state == NFTO_HW_IN);

	if (n)
		return n == 2 ? NFTO_FLOW_STATE_HARDWARE : NFTO_FLOW_STATE_HALF;
	if (dir[0].state == NFTO_HW_ADDING || dir[1].state == NFTO_HW_ADDING ||
	    dir[0].out_reason == NFTO_REASON_WAITING ||
	    dir[1].out_reason == NFTO_REASON_WAITING)
		return NFTO_FLOW_STATE_WAITING;
	return NFTO_FLOW_STATE_SOFTWARE;
}

/* Context: a reference of the flow, or RCU. */
bool nfto_filter_match(const struct nfto_filter *filter,
		       const struct nfto_flow *flow)
{
	if (filter->state >= 0 && filter->state != nfto_flow_state_of(flow))
		return false;
	return (match_dir(filter, &flow->dir[IP_CT_DIR_ORIGINAL]) ||
		match_dir(filter, &flow->dir[IP_CT_DIR_REPLY])) &&
	       match_ct(filter, flow->ct);
}
