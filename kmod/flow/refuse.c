// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that did not become flows: counted by reason, and the last ones
 * are kept, so that "why not" has an answer for them, too.
 */
#include <linux/ktime.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include "flow/internal.h"

/*
 * Every connection passes these reasons at its beginning and its end, so that
 * they are not worth keeping.
 */
static bool is_worth_keeping(enum nfto_reason reason)
{
	return reason != NFTO_REASON_NOT_ESTABLISHED &&
	       reason != NFTO_REASON_NOT_CONFIRMED;
}

static bool is_same_refusal(const struct nfto_refusal *r,
			    const struct nf_conn *ct, enum nfto_reason reason)
{
	return r->reason == reason &&
	       nf_ct_tuple_equal(&r->tuple, &ct->tuplehash[0].tuple);
}

/*
 * Under @all->lock. Return: the refusal, if it is not the same as the last one.
 */
static const struct nfto_refusal *keep_refusal(struct nfto_refusals *all,
					       const struct nf_conn *ct,
					       const struct net_device *in,
					       enum nfto_reason reason)
{
	struct nfto_refusal *r = &all->ring[(all->n - 1) % NFTO_REFUSALS];

	if (!all->n || !is_same_refusal(r, ct, reason)) {
		r = &all->ring[all->n++ % NFTO_REFUSALS];
		r->count = 0;
		r->reason = reason;
		r->tuple = ct->tuplehash[0].tuple;
		r->zone = nf_ct_zone(ct)->id;
		r->ifindex = in ? in->ifindex : 0;
	}
	r->count++;
	r->when = ktime_get_coarse_real_ns();
	return r->count == 1 ? r : NULL;
}

void nfto_refuse(struct nfto_table *table, const struct nf_conn *ct,
		 const struct net_device *in, enum nfto_reason reason)
{
	const struct nfto_refusal *fresh;
	struct nfto_refusals *all;

	nfto_table_count(table, reason);
	if (!ct || !is_worth_keeping(reason))
		return;
	all = this_cpu_ptr(table->net->refusals);
	spin_lock(&all->lock);
	fresh = keep_refusal(all, ct, in, reason);
	nfto_event_refusal(table->net, ct, reason, fresh);
	spin_unlock(&all->lock);
}
