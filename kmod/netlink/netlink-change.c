// SPDX-License-Identifier: GPL-2.0
/* What is done to flows that a request names: count, end, look anew. */
#include "netlink/internal.h"

/**
 * struct change - a request
 * @filter: which flows
 * @last: no flows of later than this id
 * @act: what is done to one; NULL: it is counted
 * @count: how many there are, by state
 * @flows: how many of them
 * @ended: how many were ended
 * @offered: how many were offered to drivers again
 */
struct change {
	struct nfto_filter filter;
	u64 last;
	void (*act)(struct change *change, struct nfto_flow *flow);
	u32 count[NFTO_FLOW_STATE_MAX + 1];
	u32 flows;
	u32 ended;
	u32 offered;
};

/* --- one flow; below RCU, or with a reference --- */

static void end_one(struct change *change, struct nfto_flow *flow)
{
	nfto_flow_end(flow, NFTO_REASON_DELETED);
	change->ended++;
}

static void revalidate(struct change *change, struct nfto_flow *flow)
{
	bool right;

	rcu_read_lock();
	local_bh_disable();
	right = nfto_nexthop_leads_on(flow->dir[0].nh) &&
		nfto_nexthop_leads_on(flow->dir[1].nh);
	local_bh_enable();
	rcu_read_unlock();
	if (!right) {
		nfto_flow_end(flow, NFTO_REASON_ROUTE_STALE);
		change->ended++;
	} else if (flow->table->hw && nfto_age_offer(flow)) {
		change->offered++;
	}
}

/* --- those that are meant --- */

static int visit_change(struct nfto_flow *flow, void *arg)
{
	struct change *change = arg;

	if (flow->id > change->last || !(READ_ONCE(flow->flags) & NFTO_F_LIVE) ||
	    !nfto_filter_match(&change->filter, flow))
		return 0;
	change->flows++;
	if (change->act)
		change->act(change, flow);
	else
		change->count[nfto_flow_state_of(flow)]++;
	return 0;
}

/*
 * What is ended is taken out of the hash below the walk, which may then miss
 * others, and a table that is resized disturbs it too. So there are more rounds,
 * until one is not disturbed; flows of after the first are none of this.
 */
#define ROUNDS	16

static void walk_changes(struct nfto_net *nn, struct change *change)
{
	struct nfto_walk w;
	int i;

	change->last = nfto_flow_last_id();
	for (i = 0; i < ROUNDS; i++) {
		w = (struct nfto_walk) {
			.nn = nn, .only = change->filter.table,
		};
		/* What was ended is met no more; all else is. */
		change->flows = change->ended;
		change->offered = 0;
		memset(change->count, 0, sizeof(change->count));
		nfto_walk(&w, visit_change, change);
		nfto_walk_end(&w);
		if (!w.disturbed)
			break;
		cond_resched();
	}
}

/* --- requests --- */

/* Which flows: an id, or a filter. */
static int choose_flows(struct change *change, struct genl_info *info, u64 *id)
{
	struct nlattr *filter = info->attrs[NFTO_A_COUNT_FILTER];
	struct nlattr *one = info->attrs[NFTO_A_COUNT_ID];
	int err;

	if (one && filter) {
		NL_SET_ERR_MSG_ATTR(info->extack, filter,
				    "An id needs no filter");
		return -EINVAL;
	}
	if (!one && !filter) {
		NL_SET_ERR_MSG(info->extack,
			       "Which flows: an id, or a filter; an empty one is all");
		return -EINVAL;
	}
	if (one) {
		*id = nla_get_u64(one);
		return 0;
	}
	err = nfto_filter_parse(&change->filter, filter, info->extack);
	if (err)
		return err;
	return nfto_nl_check_table(nfto_net_of(genl_info_net(info)),
				   change->filter.table, info->extack);
}

static int change_one(struct nfto_net *nn, struct change *change, u64 id,
		      struct genl_info *info)
{
	struct nfto_flow *flow = nfto_nl_flow_of(nn, id);

	if (!flow) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[NFTO_A_COUNT_ID],
				    "There is no flow of this id");
		return -ENOENT;
	}
	change->flows = 1;
	change->act(change, flow);
	nfto_flow_put(flow);
	return 0;
}

static int fill_change(struct sk_buff *skb, const void *object)
{
	const struct change *change = object;

	if (nla_put_u32(skb, NFTO_A_COUNT_FLOWS, change->flows) ||
	    nla_put_u32(skb, NFTO_A_COUNT_ENDED, change->ended) ||
	    (change->act == revalidate &&
	     nla_put_u32(skb, NFTO_A_COUNT_OFFERED, change->offered)))
		return -EMSGSIZE;
	return 0;
}

static int change_flows(struct sk_buff *skb, struct genl_info *info,
			void (*act)(struct change *change,
				    struct nfto_flow *flow))
{
	struct nfto_net *nn = nfto_net_of(genl_info_net(info));
	struct change change = { .act = act };
	u64 id = 0;
	int err;

	err = nfto_nl_may_change(skb, info->extack) ?:
	      choose_flows(&change, info, &id);
	if (err)
		return err;
	if (info->attrs[NFTO_A_COUNT_ID])
		err = change_one(nn, &change, id, info);
	else
		walk_changes(nn, &change);
	return err ?: nfto_nl_answer(info, fill_change, &change);
}

int nfto_nl_flow_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_flows(skb, info, end_one);
}

int nfto_nl_flow_revalidate_doit(struct sk_buff *skb, struct genl_info *info)
{
	return change_flows(skb, info, revalidate);
}

static int fill_count(struct sk_buff *skb, const void *object)
{
	const struct change *change = object;
	const u32 *count = change->count;

	if (nla_put_u32(skb, NFTO_A_COUNT_FLOWS, change->flows) ||
	    nla_put_u32(skb, NFTO_A_COUNT_HARDWARE, count[NFTO_FLOW_STATE_HARDWARE]) ||
	    nla_put_u32(skb, NFTO_A_COUNT_HALF, count[NFTO_FLOW_STATE_HALF]) ||
	    nla_put_u32(skb, NFTO_A_COUNT_WAITING, count[NFTO_FLOW_STATE_WAITING]) ||
	    nla_put_u32(skb, NFTO_A_COUNT_SOFTWARE, count[NFTO_FLOW_STATE_SOFTWARE]))
		return -EMSGSIZE;
	return 0;
}

int nfto_nl_flow_count_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nfto_net *nn = nfto_net_of(genl_info_net(info));
	struct change change = {};
	int err;

	err = nfto_nl_may_see(skb, info->extack) ?:
	      nfto_filter_parse(&change.filter, info->attrs[NFTO_A_COUNT_FILTER],
				info->extack) ?:
	      nfto_nl_check_table(nn, change.filter.table, info->extack);
	if (err)
		return err;
	walk_changes(nn, &change);
	return nfto_nl_answer(info, fill_count, &change);
}
