// SPDX-License-Identifier: GPL-2.0
/*
 * One flow: made by a packet, ended by anybody, freed when nobody has it.
 *
 * The end of a flow has these phases:
 *  1. NFTO_F_LIVE is cleared under the flow's lock: whoever looks at it from
 *     now on under that lock sees that it is over. One caller gets past this.
 *  2. It is taken out of the hash, the wheel and the lists of the next hops.
 *     Packets that found it before that go on below rcu_read_lock().
 *  3. conntrack gets its entry back.
 *  4. Both directions are queued at their ports. A worker that finds one in the
 *     hardware takes it out; a worker that was just putting it in finds this out
 *     when it is done, because it is told so (NFTO_Q_AGAIN).
 *  5. The live flow's reference is dropped. References of queues, workers and
 *     entries in hardware are dropped when these are done with it.
 *  6. After the last one, and a grace period for the packets of phase 2, the
 *     next hops, the conntrack entry and the table are let go.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_l4proto.h>
#include <net/netfilter/nf_conntrack_timeout.h>
#include "flow/internal.h"

static struct kmem_cache *plain_cache;
static struct kmem_cache *counting_cache;
static atomic64_t last_id;

unsigned int nfto_flow_timeout(const struct nfto_flow *flow)
{
	struct net *net = nf_ct_net(flow->ct);

	switch (flow->dir[0].proto) {
	case IPPROTO_TCP:
		return nf_tcp_pernet(net)->offload_timeout;
	case IPPROTO_UDP:
		return nf_udp_pernet(net)->offload_timeout;
	default:
		return NF_FLOW_TIMEOUT;
	}
}

u64 nfto_flow_last_id(void)
{
	return atomic64_read(&last_id);
}

u64 nfto_flow_new_ids(unsigned int n)
{
	return atomic64_add_return(n, &last_id) - n + 1;
}

/* --- what conntrack has to know --- */

/*
 * conntrack does not see every packet any more: its window check must not
 * mind, and its own time-out must not strike.
 */
static void ct_lend(struct nf_conn *ct)
{
	if (nf_ct_protonum(ct) == IPPROTO_TCP) {
		spin_lock_bh(&ct->lock);
		ct->proto.tcp.seen[0].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
		ct->proto.tcp.seen[1].flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
		spin_unlock_bh(&ct->lock);
	}
	if (nf_ct_expires(ct) < NF_CT_DAY / 2)
		WRITE_ONCE(ct->timeout, nfct_time_stamp + NF_CT_DAY);
}

/* conntrack's time-outs of an entry's protocol, a policy of "ct timeout" first. */
static const unsigned int *ct_timeouts(const struct nf_conn *ct)
{
	const unsigned int *policy = nf_ct_timeout_lookup(ct);

	if (policy)
		return policy;
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_TCP:
		return nf_tcp_pernet(nf_ct_net(ct))->timeouts;
	case IPPROTO_UDP:
		return nf_udp_pernet(nf_ct_net(ct))->timeouts;
#ifdef CONFIG_NF_CT_PROTO_GRE
	case IPPROTO_GRE:
		return nf_gre_pernet(nf_ct_net(ct))->timeouts;
#endif
	default:
		return NULL;
	}
}

/* Jiffies. Return: negative if that is not known. */
static s32 ct_timeout_of(const struct nf_conn *ct)
{
	const unsigned int *timeouts = ct_timeouts(ct);
	bool replied = test_bit(IPS_SEEN_REPLY_BIT, &ct->status);

	if (!timeouts)
		return -1;
	switch (nf_ct_protonum(ct)) {
	case IPPROTO_TCP:
		return timeouts[READ_ONCE(ct->proto.tcp.state)];
	case IPPROTO_UDP:
		return timeouts[replied ? UDP_CT_REPLIED : UDP_CT_UNREPLIED];
#ifdef CONFIG_NF_CT_PROTO_GRE
	case IPPROTO_GRE:
		return timeouts[replied ? GRE_CT_REPLIED : GRE_CT_UNREPLIED];
#endif
	default:
		return -1;
	}
}

/*
 * The entry has the time-out that it would have had without us: it may be idle for
 * as long as conntrack has it, from the last packet on. That is known of a flow that
 * has expired; of one that ends for another reason it is taken as now, because the
 * hardware's last word may be old.
 */
static void ct_give_back(const struct nfto_flow *flow)
{
	struct nf_conn *ct = flow->ct;
	s32 timeout, idle = 0;

	clear_bit(IPS_HW_OFFLOAD_BIT, &ct->status);
	clear_bit(IPS_OFFLOAD_BIT, &ct->status);

	/* The window is learned anew. */
	if (nf_ct_protonum(ct) == IPPROTO_TCP) {
		ct->proto.tcp.seen[0].td_maxwin = 0;
		ct->proto.tcp.seen[1].td_maxwin = 0;
	}
	timeout = ct_timeout_of(ct);
	if (timeout < 0)
		return;
	if (flow->end_reason == NFTO_REASON_EXPIRED)
		idle = (u32)jiffies - READ_ONCE(flow->last_used);
	timeout = max(timeout - idle, 0);
	if ((s32)(READ_ONCE(ct->timeout) - nfct_time_stamp) > timeout)
		WRITE_ONCE(ct->timeout, nfct_time_stamp + timeout);
}

/* --- references --- */

static void free_flow(struct nfto_flow *flow)
{
	struct nfto_table *table = flow->table;

	nfto_nexthop_put(flow->dir[0].nh);
	nfto_nexthop_put(flow->dir[1].nh);
	nf_ct_put(flow->ct);
	kmem_cache_free(table->cache, flow);
	nfto_table_put(table);
}

/* One, and those that nfto_flow_put_all() has chained to it. */
static void free_flows_rcu(struct rcu_head *rcu)
{
	struct nfto_flow *flow = container_of(rcu, struct nfto_flow, rcu);
	struct nfto_dir *next;

	for (;;) {
		next = flow->dir[0].next;
		free_flow(flow);
		if (!next)
			return;
		flow = nfto_flow_of(next);
	}
}

void nfto_flow_put(struct nfto_flow *flow)
{
	if (!refcount_dec_and_test(&flow->ref))
		return;
	flow->dir[0].next = NULL;
	call_rcu(&flow->rcu, free_flows_rcu);
}

void nfto_flow_put_all(struct nfto_dir *const *dirs, unsigned int n)
{
	struct nfto_dir *chain = NULL;
	struct nfto_flow *flow;

	while (n--) {
		flow = nfto_flow_of(dirs[n]);
		if (!refcount_dec_and_test(&flow->ref))
			continue;
		flow->dir[0].next = chain;
		chain = &flow->dir[0];
	}
	if (chain)
		call_rcu(&nfto_flow_of(chain)->rcu, free_flows_rcu);
}

bool nfto_flow_get(struct nfto_flow *flow)
{
	return refcount_inc_not_zero(&flow->ref);
}

/* --- the one transition function --- */

#define ILLEGAL		0xff

static const u8 next_state[][NFTO_EV_LOST + 1] = {
	[NFTO_HW_OUT] = {
		[NFTO_EV_ADD] = NFTO_HW_ADDING,
		[NFTO_EV_ADDED] = ILLEGAL, [NFTO_EV_FAILED] = ILLEGAL,
		[NFTO_EV_REMOVE] = ILLEGAL, [NFTO_EV_REMOVED] = ILLEGAL,
		[NFTO_EV_STUCK] = ILLEGAL, [NFTO_EV_LOST] = ILLEGAL,
	},
	[NFTO_HW_ADDING] = {
		[NFTO_EV_ADDED] = NFTO_HW_IN, [NFTO_EV_FAILED] = NFTO_HW_OUT,
		[NFTO_EV_ADD] = ILLEGAL, [NFTO_EV_REMOVE] = ILLEGAL,
		[NFTO_EV_REMOVED] = ILLEGAL, [NFTO_EV_STUCK] = ILLEGAL,
		[NFTO_EV_LOST] = ILLEGAL,
	},
	[NFTO_HW_IN] = {
		[NFTO_EV_REMOVE] = NFTO_HW_REMOVING,
		[NFTO_EV_LOST] = NFTO_HW_OUT,
		[NFTO_EV_ADD] = ILLEGAL, [NFTO_EV_ADDED] = ILLEGAL,
		[NFTO_EV_FAILED] = ILLEGAL, [NFTO_EV_REMOVED] = ILLEGAL,
		[NFTO_EV_STUCK] = ILLEGAL,
	},
	[NFTO_HW_REMOVING] = {
		[NFTO_EV_REMOVED] = NFTO_HW_OUT, [NFTO_EV_STUCK] = NFTO_HW_IN,
		[NFTO_EV_ADD] = ILLEGAL, [NFTO_EV_ADDED] = ILLEGAL,
		[NFTO_EV_FAILED] = ILLEGAL, [NFTO_EV_REMOVE] = ILLEGAL,
		[NFTO_EV_LOST] = ILLEGAL,
	},
};

bool nfto_flow_event(struct nfto_dir *dir, enum nfto_hw_event event,
		     enum nfto_reason reason)
{
	struct nfto_flow *flow = nfto_flow_of(dir);
	u8 was = dir->state, now = next_state[was][event];

	lockdep_assert_held(&flow->lock);
	if (WARN_ONCE(now == ILLEGAL, "nfto: event %u in state %u\n", event, was))
		return false;

	dir->state = now;
	dir->out_reason = now == NFTO_HW_IN ? NFTO_REASON_NONE : reason;
	if (event == NFTO_EV_ADD)
		refcount_inc(&flow->ref);
	else if (now == NFTO_HW_OUT)
		refcount_dec(&flow->ref);

	if (now == NFTO_HW_IN &&
	    nfto_dir_other(dir)->state == NFTO_HW_IN &&
	    flow->flags & NFTO_F_LIVE)
		set_bit(IPS_HW_OFFLOAD_BIT, &flow->ct->status);
	else if (test_bit(IPS_HW_OFFLOAD_BIT, &flow->ct->status) &&
		 flow->flags & NFTO_F_LIVE)
		clear_bit(IPS_HW_OFFLOAD_BIT, &flow->ct->status);
	nfto_event_dir(dir, was, event);
	return true;
}

/* --- doubt --- */

/* The flow's lock is held, and it is live. */
static void set_doubt(struct nfto_dir *dir, enum nfto_doubt doubt)
{
	struct nfto_table *table = nfto_flow_of(dir)->table;

	atomic_add(!!doubt - !!dir->doubt, &table->n_doubted);
	dir->doubt = doubt;
	nfto_engine_kick(dir);
}

void nfto_flow_doubt(struct nfto_flow *flow)
{
	struct nfto_dir *dir = flow->dir;

	spin_lock_bh(&flow->lock);
	if (flow->flags & NFTO_F_LIVE && !(dir[0].doubt && dir[1].doubt)) {
		set_doubt(&dir[0], NFTO_DOUBT_NEW);
		set_doubt(&dir[1], NFTO_DOUBT_NEW);
	}
	spin_unlock_bh(&flow->lock);
}

void nfto_dir_reached(struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);

	spin_lock_bh(&flow->lock);
	if (dir->doubt)
		dir->doubt = NFTO_DOUBT_REACHED;
	spin_unlock_bh(&flow->lock);
}

void nfto_dir_trust(struct nfto_dir *dir)
{
	struct nfto_flow *flow = nfto_flow_of(dir);

	spin_lock_bh(&flow->lock);
	if (dir->doubt && flow->flags & NFTO_F_LIVE)
		set_doubt(dir, NFTO_DOUBT_NONE);
	spin_unlock_bh(&flow->lock);
}

/* --- begin and end --- */

static void init_dir(struct nfto_dir *dir, const struct nfto_table *table,
		     const struct nf_conntrack_tuple *t,
		     struct nfto_nexthop *out, const struct nfto_nexthop *back)
{
	dir->proto = t->dst.protonum;
	if (dir->proto != IPPROTO_GRE) {
		__be16 ports[2] = { t->src.u.all, t->dst.u.all };

		memcpy(&dir->ports, ports, sizeof(dir->ports));
	}
	dir->iif = back->lower->ifindex;
	if (t->src.l3num == NFPROTO_IPV6) {
		dir->ipv6 = 1;
		dir->digest = nfto_table_digest(table, dir, t);
	} else {
		dir->saddr = t->src.u3.ip;
		dir->daddr = t->dst.u3.ip;
	}
	dir->nh = out;
	if (!table->hw)
		dir->out_reason = NFTO_REASON_SOFTWARE_FLOWTABLE;
	else if (!back->port)
		dir->out_reason = NFTO_REASON_NO_PORT;
	else
		dir->out_reason = NFTO_REASON_WAITING;
}

static struct nfto_flow *alloc_flow(struct nfto_table *table,
				    struct nf_conn *ct,
				    struct nfto_nexthop *nh[IP_CT_DIR_MAX])
{
	struct nfto_flow *flow;
	int i;

	flow = kmem_cache_zalloc(table->cache, GFP_ATOMIC);
	if (!flow)
		return NULL;
	spin_lock_init(&flow->lock);
	refcount_set(&flow->ref, 1);
	if (ct->status & IPS_SRC_NAT)
		flow->flags |= NFTO_F_SNAT;
	if (ct->status & IPS_DST_NAT)
		flow->flags |= NFTO_F_DNAT;
	flow->id = atomic64_inc_return(&last_id);
	flow->last_used = (u32)jiffies;
	flow->asked = flow->last_used;
	flow->dir[IP_CT_DIR_REPLY].reply = 1;
	for (i = 0; i < IP_CT_DIR_MAX; i++)
		init_dir(&flow->dir[i], table, &ct->tuplehash[i].tuple, nh[i],
			 nh[!i]);

	refcount_inc(&ct->ct_general.use);
	flow->ct = ct;
	refcount_inc(&table->ref);
	flow->table = table;
	return flow;
}

int nfto_flow_add(struct nfto_table *table, struct nf_conn *ct,
		  struct nfto_nexthop *nh[IP_CT_DIR_MAX])
{
	struct nfto_flow *flow;
	int err;

	flow = alloc_flow(table, ct, nh);
	if (!flow) {
		nfto_nexthop_put(nh[0]);
		nfto_nexthop_put(nh[1]);
		return -ENOMEM;
	}
	/*
	 * Packets find it from here on, but nobody can end it before it is
	 * live: so it can be given up without anybody knowing.
	 */
	err = nfto_table_insert(table, flow);
	if (err) {
		nfto_flow_put(flow);
		return err;
	}
	ct_lend(ct);
	nfto_event_flow(flow, NFTO_REASON_NONE);

	/*
	 * From here on others can end it. It is in the hash already, so that
	 * they take it out of everything, and this one's reference keeps it.
	 */
	refcount_inc(&flow->ref);
	spin_lock(&flow->lock);
	flow->flags |= NFTO_F_LIVE;
	spin_unlock(&flow->lock);
	nfto_wheel_add(&table->net->wheel, flow);
	if (!nfto_nexthop_link(nh[0], &flow->dir[0]) ||
	    !nfto_nexthop_link(nh[1], &flow->dir[1])) {
		nfto_flow_end(flow, NFTO_REASON_DEVICE_GONE);
	} else if (table->hw) {
		nfto_engine_kick(&flow->dir[0]);
		nfto_engine_kick(&flow->dir[1]);
	}
	nfto_flow_put(flow);
	return 0;
}

/* Return: false if somebody else has. */
static bool clear_live(struct nfto_flow *flow, enum nfto_reason reason)
{
	bool live;

	spin_lock(&flow->lock);
	live = flow->flags & NFTO_F_LIVE;
	if (live) {
		atomic_sub(!!flow->dir[0].doubt + !!flow->dir[1].doubt,
			   &flow->table->n_doubted);
		flow->flags &= ~NFTO_F_LIVE;
		flow->end_reason = reason;
	}
	spin_unlock(&flow->lock);
	return live;
}

void nfto_flow_end(struct nfto_flow *flow, enum nfto_reason reason)
{
	struct nfto_table *table = flow->table;

	local_bh_disable();
	if (!clear_live(flow, reason)) {
		local_bh_enable();
		return;
	}
	nfto_table_remove(table, flow);
	nfto_wheel_del(&table->net->wheel, flow);
	nfto_nexthop_unlink(flow->dir[0].nh, &flow->dir[0]);
	nfto_nexthop_unlink(flow->dir[1].nh, &flow->dir[1]);
	ct_give_back(flow);
	nfto_table_count(table, reason);
	nfto_event_flow(flow, reason);
	if (table->hw) {
		nfto_engine_kick(&flow->dir[0]);
		nfto_engine_kick(&flow->dir[1]);
	}
	local_bh_enable();
	nfto_flow_put(flow);
}

/* --- the caches --- */

/* The cache for tables with or without "counter". */
struct kmem_cache *nfto_flow_cache(bool counter)
{
	return counter ? counting_cache : plain_cache;
}

int nfto_flow_init(void)
{
	size_t size = sizeof(struct nfto_flow);

#if !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC) && BITS_PER_LONG == 64
	BUILD_BUG_ON(sizeof(struct nfto_dir) != 64);
	BUILD_BUG_ON(sizeof(struct nfto_flow) > 192);
#endif

	plain_cache = kmem_cache_create("nfto_flow", size, 0,
					SLAB_HWCACHE_ALIGN, NULL);
	/* Not a multiple of cache lines, and memory counts more than those. */
	counting_cache = kmem_cache_create("nfto_flow_counter",
					   size + IP_CT_DIR_MAX *
					   sizeof(struct nfto_count), 32, 0,
					   NULL);
	if (plain_cache && counting_cache)
		return 0;
	nfto_flow_exit();
	return -ENOMEM;
}

void nfto_flow_exit(void)
{
	kmem_cache_destroy(plain_cache);
	kmem_cache_destroy(counting_cache);
}

#ifdef NFTO_SELFTEST
#include "selftest/flow.c"
#endif
