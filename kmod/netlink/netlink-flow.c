// SPDX-License-Identifier: GPL-2.0
/* Flows, by netlink: one, or those that a filter lets through. */
#include <linux/slab.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include "netlink/internal.h"

/* --- what there is to say of a flow --- */

int nfto_nl_put_tuple(struct sk_buff *skb, int attr,
		      const struct nf_conntrack_tuple *t)
{
	unsigned int len = t->src.l3num == NFPROTO_IPV6 ?
			   sizeof(struct in6_addr) : sizeof(struct in_addr);
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest ||
	    nla_put_u8(skb, NFTO_A_TUPLE_L4PROTO, t->dst.protonum) ||
	    nla_put(skb, NFTO_A_TUPLE_SRC, len, &t->src.u3) ||
	    nla_put(skb, NFTO_A_TUPLE_DST, len, &t->dst.u3))
		return -EMSGSIZE;
	switch (t->dst.protonum) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (nla_put_u16(skb, NFTO_A_TUPLE_SPORT, ntohs(t->src.u.all)) ||
		    nla_put_u16(skb, NFTO_A_TUPLE_DPORT, ntohs(t->dst.u.all)))
			return -EMSGSIZE;
		break;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, NFTO_A_DIR_PAD);
}

static int put_mac(struct sk_buff *skb, const struct nfto_nexthop *nh)
{
	u8 ha[MAX_ADDR_LEN];

	if (nh->has_dest)
		return nla_put(skb, NFTO_A_DIR_MAC, ETH_ALEN, nh->h_dest);
	if (nh->xmit != NFTO_XMIT_NEIGH || !nh->neigh ||
	    !(READ_ONCE(nh->neigh->nud_state) & NUD_VALID))
		return 0;
	neigh_ha_snapshot(ha, nh->neigh, nh->neigh->dev);
	return nla_put(skb, NFTO_A_DIR_MAC, ETH_ALEN, ha);
}

static int put_address(struct sk_buff *skb, const struct nfto_nexthop *nh)
{
	if (!nh->neigh)
		return 0;
	return nla_put(skb, NFTO_A_DIR_NEXT_HOP, nh->neigh->tbl->key_len,
		       nh->neigh->primary_key);
}

/* Where a direction leaves. */
static int put_nexthop(struct sk_buff *skb, const struct nfto_nexthop *nh)
{
	struct nlattr *nest;
	int i;

	if (nla_put_u32(skb, NFTO_A_DIR_OUT_IFINDEX, nh->lower->ifindex) ||
	    nla_put_u32(skb, NFTO_A_DIR_ROUTE_IFINDEX, nh->l3dev->ifindex) ||
	    nla_put_u32(skb, NFTO_A_DIR_MTU, nh->mtu) || put_mac(skb, nh) ||
	    put_address(skb, nh))
		return -EMSGSIZE;
	for (i = 0; i < nh->n_encap; i++) {
		nest = nla_nest_start(skb, NFTO_A_DIR_ENCAP);
		if (!nest ||
		    nla_put_u16(skb, NFTO_A_ENCAP_PROTO,
				ntohs(nh->encap[i].proto)) ||
		    nla_put_u16(skb, NFTO_A_ENCAP_ID, nh->encap[i].id))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/* Members of struct nfto_dir, and of its flow, that belong together. */
struct moment {
	u8 state;
	u8 reason;
	u8 tries;
	u16 result;
	unsigned long cookie;
	struct nfto_count count;
};

static void read_dir(struct moment *m, struct nfto_flow *flow, int d)
{
	const struct nfto_dir *dir = &flow->dir[d];

	memset(m, 0, sizeof(*m));
	spin_lock_bh(&flow->lock);
	m->state = dir->state;
	m->reason = dir->out_reason;
	m->tries = dir->tries;
	m->result = dir->result;
	m->cookie = nfto_dir_cookie(dir);
	if (flow->table->counter)
		m->count = flow->count[d];
	spin_unlock_bh(&flow->lock);
}

static int put_state(struct sk_buff *skb, u8 state, u8 reason, u16 result)
{
	const char *why;
	int error;

	why = nfto_result_text(result, &error);
	if (nla_put_u32(skb, NFTO_A_DIR_HW, state) ||
	    nla_put_u32(skb, NFTO_A_DIR_REASON, reason) ||
	    (error && nla_put_u32(skb, NFTO_A_DIR_ERRNO, -error)) ||
	    (why && nla_put_string(skb, NFTO_A_DIR_WHY, why)))
		return -EMSGSIZE;
	return 0;
}

/* What an event has of a direction. The flow's lock is held. */
int nfto_nl_put_hardware(struct sk_buff *skb, const struct nfto_dir *dir)
{
	return put_state(skb, dir->state, dir->out_reason, dir->result);
}

static int put_hardware(struct sk_buff *skb, const struct moment *m)
{
	if (put_state(skb, m->state, m->reason, m->result) ||
	    nla_put_u32(skb, NFTO_A_DIR_TRIES, m->tries))
		return -EMSGSIZE;
	if (m->state != NFTO_HW_OUT)
		return put_u64(skb, NFTO_A_DIR_COOKIE, m->cookie);
	return 0;
}

static u64 less(s64 all, u64 part)
{
	return (u64)all > part ? all - part : 0;
}

/*
 * conntrack's account has the hardware's packets too, added by whoever asked
 * the driver, and the two are not read at one moment.
 */
static int put_counters(struct sk_buff *skb, const struct nfto_flow *flow,
			const struct moment *m, int d)
{
	const struct nf_conn_acct *acct = nf_conn_acct_find(flow->ct);
	const struct nf_conn_counter *all;

	if (!flow->table->counter)
		return 0;
	if (put_u64(skb, NFTO_A_DIR_HW_PACKETS, m->count.packets) ||
	    put_u64(skb, NFTO_A_DIR_HW_BYTES, m->count.bytes))
		return -EMSGSIZE;
	if (!acct)
		return 0;
	all = &acct->counter[d];
	if (put_u64(skb, NFTO_A_DIR_SW_PACKETS,
		    less(atomic64_read(&all->packets), m->count.packets)) ||
	    put_u64(skb, NFTO_A_DIR_SW_BYTES,
		    less(atomic64_read(&all->bytes), m->count.bytes)))
		return -EMSGSIZE;
	return 0;
}

static int put_dir(struct sk_buff *skb, int attr, struct nfto_flow *flow, int d)
{
	const struct nfto_dir *dir = &flow->dir[d];
	struct nlattr *nest;
	struct moment m;

	read_dir(&m, flow, d);
	nest = nla_nest_start(skb, attr);
	if (!nest || nla_put_u32(skb, NFTO_A_DIR_IN_IFINDEX, dir->iif) ||
	    put_nexthop(skb, dir->nh) || put_hardware(skb, &m) ||
	    put_counters(skb, flow, &m, d))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_ct(struct sk_buff *skb, const struct nf_conn *ct)
{
	u32 id = ntohl((__force __be32)nf_ct_get_id(ct));
	u16 zone = nf_ct_zone(ct)->id;

#ifdef CONFIG_NF_CONNTRACK_MARK
	u32 mark = READ_ONCE(ct->mark);

	if (mark && nla_put_u32(skb, NFTO_A_FLOW_MARK, mark))
		return -EMSGSIZE;
#endif
	if (nla_put_u32(skb, NFTO_A_FLOW_CT_ID, id) ||
	    (zone && nla_put_u32(skb, NFTO_A_FLOW_ZONE, zone)) ||
	    nfto_nl_put_tuple(skb, NFTO_A_FLOW_ORIG,
			      &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple) ||
	    nfto_nl_put_tuple(skb, NFTO_A_FLOW_REPLY,
			      &ct->tuplehash[IP_CT_DIR_REPLY].tuple))
		return -EMSGSIZE;
	return 0;
}

static int put_age(struct sk_buff *skb, const struct nfto_flow *flow)
{
	u32 timeout = nfto_flow_timeout(flow), idle;

	/* A packet of this moment may be ahead of the clock that was read. */
	idle = max_t(s32, (u32)jiffies - READ_ONCE(flow->last_used), 0);
	if (nla_put_u32(skb, NFTO_A_FLOW_IDLE_MS, jiffies_to_msecs(idle)) ||
	    nla_put_u32(skb, NFTO_A_FLOW_EXPIRES_MS,
			jiffies_to_msecs(timeout - min(idle, timeout))))
		return -EMSGSIZE;
	return 0;
}

/* Context: a reference of the flow, or RCU. */
int nfto_nl_fill_flow(struct sk_buff *skb, const struct nfto_flow *shown)
{
	/* For its lock. */
	struct nfto_flow *flow = (struct nfto_flow *)shown;
	u8 flags = READ_ONCE(flow->flags);
	u32 nat = 0;

	if (flags & NFTO_F_SNAT)
		nat |= NFTO_NAT_SOURCE;
	if (flags & NFTO_F_DNAT)
		nat |= NFTO_NAT_DESTINATION;
	if (nla_put_u64_64bit(skb, NFTO_A_FLOW_ID, flow->id, NFTO_A_FLOW_PAD) ||
	    nla_put_u32(skb, NFTO_A_FLOW_FLOWTABLE, flow->table->id) ||
	    (nat && nla_put_u32(skb, NFTO_A_FLOW_NAT, nat)) ||
	    put_ct(skb, flow->ct) || put_age(skb, flow) ||
	    put_dir(skb, NFTO_A_FLOW_DIR_ORIG, flow, IP_CT_DIR_ORIGINAL) ||
	    put_dir(skb, NFTO_A_FLOW_DIR_REPLY, flow, IP_CT_DIR_REPLY))
		return -EMSGSIZE;
	return 0;
}

static int fill_flow(struct sk_buff *skb, const void *object)
{
	return nfto_nl_fill_flow(skb, object);
}

/* --- one flow --- */

struct wanted {
	u64 id;
	struct nfto_flow *flow;
};

static int find_flow(struct nfto_flow *flow, void *arg)
{
	struct wanted *wanted = arg;

	if (flow->id != wanted->id || !nfto_flow_get(flow))
		return 0;
	wanted->flow = flow;
	return 1;
}

/* Return: the flow with a reference, or NULL. Context: process. */
struct nfto_flow *nfto_nl_flow_of(struct nfto_net *nn, u64 id)
{
	struct nfto_walk w = { .nn = nn };
	struct wanted wanted = { .id = id };

	nfto_walk(&w, find_flow, &wanted);
	nfto_walk_end(&w);
	return wanted.flow;
}

int nfto_nl_flow_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nfto_flow *flow;
	int err;

	err = nfto_nl_may_see(skb, info->extack);
	if (err)
		return err;
	if (info->attrs[NFTO_A_FLOW_FILTER]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFTO_A_FLOW_FILTER],
				    "A filter is for dumps");
		return -EINVAL;
	}
	if (!info->attrs[NFTO_A_FLOW_ID]) {
		NL_SET_ERR_MSG(info->extack, "The flow's id is missing");
		return -EINVAL;
	}
	flow = nfto_nl_flow_of(nfto_net_of(genl_info_net(info)),
			       nla_get_u64(info->attrs[NFTO_A_FLOW_ID]));
	if (!flow) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFTO_A_FLOW_ID],
				    "There is no flow of this id");
		return -ENOENT;
	}
	err = nfto_nl_answer(info, fill_flow, flow);
	nfto_flow_put(flow);
	return err;
}

/* --- all, or those that a filter lets through --- */

/**
 * struct dump - a dump of flows, kept from message to message
 * @walk: where it stands
 * @filter: what to show
 * @skb: the message
 * @cb: netlink's part of it
 */
struct dump {
	struct nfto_walk walk;
	struct nfto_filter filter;
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

/* Whether a filter's table is there. Context: process. Return: 0 or -ENOENT. */
int nfto_nl_check_table(struct nfto_net *nn, u32 id,
			struct netlink_ext_ack *extack)
{
	const struct nfto_table *table;
	bool there;

	if (!id)
		return 0;
	mutex_lock(&nn->lock);
	table = nfto_table_after(nn, id - 1);
	there = table && table->id == id;
	mutex_unlock(&nn->lock);
	if (there)
		return 0;
	NL_SET_ERR_MSG(extack, "There is no flowtable of this id");
	return -ENOENT;
}

static int parse_flow(struct netlink_callback *cb, struct nfto_filter *filter)
{
	struct nlattr *tb[NFTO_A_FLOW_FILTER + 1];
	int err;

	err = nfto_nl_parse(cb, tb, NFTO_A_FLOW_FILTER, nfto_flow_get_nl_policy);
	if (err)
		return err;
	if (tb[NFTO_A_FLOW_ID]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, tb[NFTO_A_FLOW_ID],
				    "To get one flow, leave NLM_F_DUMP out");
		return -EINVAL;
	}
	return nfto_filter_parse(filter, tb[NFTO_A_FLOW_FILTER], cb->extack);
}

static int begin_flow_dump(struct netlink_callback *cb)
{
	struct nfto_net *nn = nfto_net_of(sock_net(cb->skb->sk));
	struct dump *dump;
	int err;

	err = nfto_nl_may_see(cb->skb, cb->extack);
	if (err)
		return err;
	dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	if (!dump) {
		NL_SET_ERR_MSG(cb->extack, "No memory for the dump");
		return -ENOMEM;
	}
	err = parse_flow(cb, &dump->filter) ?:
	      nfto_nl_check_table(nn, dump->filter.table, cb->extack);
	if (err) {
		kfree(dump);
		return err;
	}
	dump->walk.nn = nn;
	dump->walk.only = dump->filter.table;
	cb->args[0] = (long)dump;
	/* So that a change of it is seen in the first message too. */
	cb->seq = 1;
	cb->prev_seq = 1;
	return 0;
}

static int show_flow(struct nfto_flow *flow, void *arg)
{
	struct dump *dump = arg;

	if (!nfto_filter_match(&dump->filter, flow))
		return 0;
	/* A dump is told of by the next flow's message, or by its end's. */
	if (dump->walk.disturbed) {
		dump->walk.disturbed = false;
		dump->cb->seq++;
	}
	return nfto_nl_put(dump->skb, dump->cb, fill_flow, flow);
}

int nfto_nl_flow_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump *dump;
	int err;

	if (!cb->args[0]) {
		err = begin_flow_dump(cb);
		if (err)
			return err;
	}
	dump = (struct dump *)cb->args[0];
	dump->skb = skb;
	dump->cb = cb;
	err = nfto_walk(&dump->walk, show_flow, dump);
	if (dump->walk.disturbed) {
		dump->walk.disturbed = false;
		cb->seq++;
	}
	return nfto_nl_dumped(skb, cb, err);
}

int nfto_nl_flow_done(struct netlink_callback *cb)
{
	struct dump *dump = (struct dump *)cb->args[0];

	if (dump)
		nfto_walk_end(&dump->walk);
	kfree(dump);
	return 0;
}
