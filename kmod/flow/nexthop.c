// SPDX-License-Identifier: GPL-2.0
/*
 * The directions that leave by one next hop. What a next hop is made of, and
 * whether that still holds, is way/nexthop.c's.
 */
#include "flow/internal.h"

void nfto_nexthop_put(struct nfto_nexthop *nh)
{
	if (refcount_dec_and_test(&nh->ref))
		nfto_event_nexthop_unused(nh);
}

/*
 * A flow can be ended by another CPU before it is linked. nfto_flow_end() clears
 * NFTO_F_LIVE and takes this lock, so that either it finds the link, or this
 * finds the flow not live.
 *
 * Context: packet.
 * Return: false if the next hop is dead; the flow has to end then.
 */
bool nfto_nexthop_link(struct nfto_nexthop *nh, struct nfto_dir *dir)
{
	bool dead;

	spin_lock(&nh->lock);
	dead = nh->dead;
	if (!dead && READ_ONCE(nfto_flow_of(dir)->flags) & NFTO_F_LIVE) {
		nfto_dest_insert(&nh->dirs, dir);
		nh->n_dirs++;
	}
	spin_unlock(&nh->lock);
	return !dead;
}

/* The flow is not live any more. Context: bottom halves off. */
void nfto_nexthop_unlink(struct nfto_nexthop *nh, struct nfto_dir *dir)
{
	spin_lock(&nh->lock);
	if (nfto_dest_remove(&nh->dirs, dir))
		nh->n_dirs--;
	spin_unlock(&nh->lock);
}

struct nfto_flow *nfto_nexthop_next(struct nfto_nexthop *nh,
				    struct nfto_range *range)
{
	struct nfto_dir *dir;

	spin_lock_bh(&nh->lock);
	do {
		dir = nfto_dest_next(nh->dirs, range);
		/* One without references is on its way out of here. */
	} while (dir && !nfto_flow_get(nfto_flow_of(dir)));
	spin_unlock_bh(&nh->lock);
	return dir ? nfto_flow_of(dir) : NULL;
}

void nfto_nexthop_end(struct nfto_nexthop *nh, enum nfto_reason reason)
{
	struct nfto_range range = NFTO_RANGE_ALL;
	struct nfto_flow *flow;

	spin_lock_bh(&nh->lock);
	nh->dead = true;
	spin_unlock_bh(&nh->lock);
	while ((flow = nfto_nexthop_next(nh, &range))) {
		nfto_flow_end(flow, reason);
		nfto_flow_put(flow);
		cond_resched();
	}
}
