// SPDX-License-Identifier: GPL-2.0
/* The last refusals, by netlink. */
#include "netlink/internal.h"

/**
 * struct seen - a refusal, where it was remembered
 * @refusal: a copy
 * @cpu: whose ring
 */
struct seen {
	struct nfto_refusal refusal;
	int cpu;
};

int nfto_nl_fill_refusal(struct sk_buff *skb, const struct nfto_refusal *r,
			 int cpu)
{
	if (nla_put_u64_64bit(skb, NFTO_A_REFUSAL_WHEN_NS, r->when,
			      NFTO_A_REFUSAL_PAD) ||
	    nla_put_u32(skb, NFTO_A_REFUSAL_COUNT, r->count) ||
	    nla_put_u32(skb, NFTO_A_REFUSAL_REASON, r->reason) ||
	    (r->zone && nla_put_u32(skb, NFTO_A_REFUSAL_ZONE, r->zone)) ||
	    nla_put_u32(skb, NFTO_A_REFUSAL_IFINDEX, r->ifindex) ||
	    nla_put_u32(skb, NFTO_A_REFUSAL_CPU, cpu))
		return -EMSGSIZE;
	/* Without a conntrack entry, there is no tuple. */
	if (!r->tuple.src.l3num)
		return 0;
	return nfto_nl_put_tuple(skb, NFTO_A_REFUSAL_ORIG, &r->tuple);
}

static int fill_refusal(struct sk_buff *skb, const void *object)
{
	const struct seen *seen = object;

	return nfto_nl_fill_refusal(skb, &seen->refusal, seen->cpu);
}

/*
 * The refusal of number *@n, or if that was overwritten meanwhile, the oldest
 * that is there, and its number.
 */
static bool read_ring(struct seen *seen, const struct nfto_net *nn, int cpu,
		      u32 *n)
{
	struct nfto_refusals *rs = per_cpu_ptr(nn->refusals, cpu);
	bool found;

	spin_lock_bh(&rs->lock);
	if (rs->n > NFTO_REFUSALS)
		*n = max_t(u32, *n, rs->n - NFTO_REFUSALS);
	found = *n < rs->n;
	if (found)
		seen->refusal = rs->ring[*n % NFTO_REFUSALS];
	spin_unlock_bh(&rs->lock);
	seen->cpu = cpu;
	return found;
}

static bool wanted(const struct seen *seen, int reason)
{
	return reason < 0 || reason == seen->refusal.reason;
}

int nfto_nl_refusal_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[NFTO_A_REFUSAL_REASON];
	const struct nfto_net *nn = nfto_net_of(genl_info_net(info));
	int reason = attr ? (int)nla_get_u32(attr) : -1;
	struct seen seen, last = {};
	int cpu, err;
	u32 n;

	err = nfto_nl_may_see(skb, info->extack);
	if (err)
		return err;
	for_each_possible_cpu(cpu)
		for (n = 0; read_ring(&seen, nn, cpu, &n); n++)
			if (wanted(&seen, reason) &&
			    seen.refusal.when >= last.refusal.when)
				last = seen;
	if (last.refusal.when)
		return nfto_nl_answer(info, fill_refusal, &last);
	if (attr)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "None that is remembered was refused for this");
	else
		NL_SET_ERR_MSG(info->extack, "No connection was refused yet");
	return -ENOENT;
}

/* args[]: processor, number of the next one, reason, whether this was done */
static int begin_refusals(struct netlink_callback *cb)
{
	struct nlattr *tb[NFTO_A_REFUSAL_REASON + 1];
	int err;

	err = nfto_nl_may_see(cb->skb, cb->extack);
	if (err)
		return err;
	err = nfto_nl_parse(cb, tb, NFTO_A_REFUSAL_REASON,
			    nfto_refusal_get_nl_policy);
	if (err)
		return err;
	cb->args[0] = cpumask_first(cpu_possible_mask);
	cb->args[2] = tb[NFTO_A_REFUSAL_REASON] ?
		      nla_get_u32(tb[NFTO_A_REFUSAL_REASON]) : -1;
	cb->args[3] = true;
	return 0;
}

int nfto_nl_refusal_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct nfto_net *nn = nfto_net_of(sock_net(cb->skb->sk));
	struct seen seen;
	int err = cb->args[3] ? 0 : begin_refusals(cb);
	u32 n;

	while (!err && cb->args[0] < nr_cpu_ids) {
		n = cb->args[1];
		if (!read_ring(&seen, nn, cb->args[0], &n)) {
			cb->args[0] = cpumask_next(cb->args[0],
						   cpu_possible_mask);
			cb->args[1] = 0;
			continue;
		}
		if (wanted(&seen, cb->args[2]))
			err = nfto_nl_put(skb, cb, fill_refusal, &seen);
		if (!err)
			cb->args[1] = n + 1;
	}
	return nfto_nl_dumped(skb, cb, err);
}
