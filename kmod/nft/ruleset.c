// SPDX-License-Identifier: GPL-2.0
/*
 * Follows changes of the ruleset: are flows still allowed?
 *
 * nf_tables has no notifier for modules, but it announces each commit on a
 * netlink group. Once a netns has a table, a socket of the kernel's own listens
 * there. After a commit all flows that were there before it are in doubt: they
 * leave the hardware, and their packets take the slow path, through the whole
 * ruleset. When a packet of a direction reaches "flow add" again and then gets
 * to the end of the postrouting hook, the direction is trusted again and goes
 * back into the hardware. flow/age.c ends the flows of which no packet does.
 *
 * Nobody looks at which rules a commit has changed: a set, a map or a chain
 * that is jumped to may concern any flow. Changes of the ruleset without a
 * commit are not noticed: elements that expire or that packets add.
 */
#include <linux/module.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <net/netfilter/nf_conntrack_core.h>
#include "nft/internal.h"

/*
 * The time from the beginning of one pass over all flows to that of the next.
 */
#define PASS_INTERVAL	HZ
/*
 * A pass is begun again that often if flows that come and go have disturbed it.
 */
#define ROUNDS		16

bool nfto_follow_ruleset = true;
module_param_named(follow_ruleset, nfto_follow_ruleset, bool, 0644);
MODULE_PARM_DESC(follow_ruleset, "new flowtables have their flows checked against a ruleset that has changed (default: yes)");

/* --- commits are heard of, and put flows in doubt --- */

static void doubt_pass(struct work_struct *work)
{
	struct nfto_ruleset *rs = container_of(to_delayed_work(work),
					       struct nfto_ruleset, pass_work);

	WRITE_ONCE(rs->began, jiffies);
	nfto_flow_doubt_all(container_of(rs, struct nfto_net, ruleset),
			    atomic64_read(&rs->last));
}

static void heard_of_nftables(struct nfto_net *nn, u16 type, u32 len)
{
	if (!type || type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		nn->ruleset.commits = true;
}

/*
 * Packets that are on their way through the old ruleset may still begin flows or have
 * them trusted. That is over after a grace period, and flows that begin after it were
 * allowed by the new ruleset. A packet that was in a queue of user space meanwhile is
 * known by the generation.
 */
static void heard_all(struct nfto_net *nn)
{
	struct nfto_ruleset *rs = &nn->ruleset;
	unsigned long next = READ_ONCE(rs->began) + PASS_INTERVAL, now;

	if (!rs->commits)
		return;
	rs->commits = false;
	WRITE_ONCE(rs->gen, rs->gen + 1);
	nfto_flowtable_committed(nn);
	synchronize_rcu();
	atomic64_set(&rs->last, nfto_flow_last_id());
	now = jiffies;
	queue_delayed_work(nfto_wq, &rs->pass_work,
			   time_before(now, next) ? next - now : 0);
}

/* --- packets get through --- */

/**
 * struct reached - the last packet in doubt that reached "flow add"
 * @skb: the packet, compared only; NULL: none
 * @ct: its connection, compared only
 * @gen: the ruleset's generation
 * @dir: its direction
 * @table: the flowtable, compared only
 * @key: what its direction is found by
 * @pair: IPv6 addresses for @key
 */
struct reached {
	const struct sk_buff *skb;
	const struct nf_conn *ct;
	u32 gen;
	u8 dir;
	const struct nfto_table *table;
	struct nfto_key key;
	struct in6_addr pair[2];
};

/* One for each CPU, used with bottom halves off. */
static DEFINE_PER_CPU(struct reached, last_reached);

static struct nfto_dir *find_reached_dir(struct nfto_table *table,
					 const struct nf_conn *ct,
					 struct reached *r)
{
	struct nfto_dir *dir = nfto_table_lookup(table, &r->key);

	return dir && nfto_flow_of(dir)->ct == ct ? dir : NULL;
}

/**
 * nfto_ruleset_flow_add_again() - a packet of a connection that has a flow reached "flow add"
 * @table: the flowtable
 * @ct: the connection
 * @skb: the packet
 * @state: of the forward hook
 * @dir: the packet's direction
 *
 * Other rules may still drop it, so its direction is in doubt until ruleset_postrouting().
 * If it does not go where the flow does, the flow ends here.
 *
 * Context: packet.
 */
void nfto_ruleset_flow_add_again(struct nfto_table *table,
				 const struct nf_conn *ct, struct sk_buff *skb,
				 const struct nf_hook_state *state,
				 enum ip_conntrack_dir dir)
{
	struct reached *r = this_cpu_ptr(&last_reached);
	struct nfto_nexthop *nh[IP_CT_DIR_MAX];
	struct nfto_dir *found;

	if (nfto_path_resolve(table, ct, skb, state, dir, nh))
		return;
	r->skb = NULL;
	r->table = table;
	nfto_table_key(&r->key, r->pair, &ct->tuplehash[dir].tuple,
		       nh[!dir]->lower->ifindex, nh[!dir]);
	found = find_reached_dir(table, ct, r);
	if (found && found->doubt && nfto_nexthop_same_way(found->nh, nh[dir])) {
		nfto_dir_reached(found);
		r->ct = ct;
		r->dir = dir;
		r->gen = READ_ONCE(table->net->ruleset.gen);
		r->skb = skb;
	} else if (found && found->doubt) {
		nfto_flow_end(nfto_flow_of(found), NFTO_REASON_ROUTE_CHANGED);
	}
	nfto_nexthop_put(nh[0]);
	nfto_nexthop_put(nh[1]);
}

/* Below RCU. Return: a reference, or NULL when it is not there any more. */
static struct nfto_table *table_reached(const struct nfto_net *nn,
					const struct reached *r)
{
	struct nfto_table *table;

	list_for_each_entry_rcu(table, &nn->tables, list)
		if (table == r->table)
			return refcount_inc_not_zero(&table->ref) ? table : NULL;
	return NULL;
}

/*
 * The note may be of a packet that was dropped, and @skb another packet in the
 * same memory. So it has to be one of the same connection and direction, in the
 * same generation of the ruleset: that one was at "flow add" as well, after the
 * note was made. A packet that was in a queue of user space during a commit finds
 * another generation. The direction is looked up again before it is used.
 */
static void got_through(struct sk_buff *skb, const struct net *net)
{
	struct reached *r = this_cpu_ptr(&last_reached);
	struct nfto_net *nn = nfto_net_of(net);
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);
	struct nfto_table *table;
	struct nfto_dir *dir;

	r->skb = NULL;
	if (!nn || !ct || ct != r->ct || CTINFO2DIR(ctinfo) != r->dir ||
	    r->gen != READ_ONCE(nn->ruleset.gen))
		return;
	table = table_reached(nn, r);
	if (!table)
		return;
	dir = find_reached_dir(table, ct, r);
	if (dir)
		nfto_dir_trust(dir);
	nfto_table_put(table);
}

static unsigned int ruleset_postrouting(void *priv, struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	if (unlikely(this_cpu_read(last_reached.skb) == skb)) {
		local_bh_disable();
		/*
		 * A packet that was in a queue of user space may be on another
		 * CPU by now.
		 */
		if (this_cpu_read(last_reached.skb) == skb)
			got_through(skb, state->net);
		local_bh_enable();
	}
	return NF_ACCEPT;
}

static const struct nf_hook_ops hook_ops = {
	.hook = ruleset_postrouting,
	.pf = NFPROTO_INET,
	.hooknum = NF_INET_POST_ROUTING,
	.priority = NF_IP_PRI_LAST,
};

/* --- begin and end --- */

/**
 * nfto_ruleset_open() - a netns gets a table
 * @nn: the netns
 *
 * Not before: to be listened to costs nf_tables something with each change.
 *
 * Context: control; nf_tables' commit mutex lets one at a time in here.
 * Return: 0 or a negative errno.
 */
int nfto_ruleset_open(struct nfto_net *nn)
{
	struct nfto_ruleset *rs = &nn->ruleset;
	int err;

	if (rs->on)
		return 0;
	err = nfto_listen_open(&rs->listener, NETLINK_NETFILTER,
			       BIT(NFNLGRP_NFTABLES - 1)) ?:
	      nf_register_net_hook(nn->net, &hook_ops);
	if (err)
		nfto_listen_close(&rs->listener);
	else
		rs->on = true;
	return err;
}

void nfto_ruleset_init(struct nfto_net *nn)
{
	nfto_listen_init(&nn->ruleset.listener, nn, heard_of_nftables, heard_all);
	INIT_DELAYED_WORK(&nn->ruleset.pass_work, doubt_pass);
	nn->ruleset.began = jiffies - PASS_INTERVAL;
}

void nfto_ruleset_pre_exit(struct nfto_net *nn)
{
	if (nn->ruleset.on)
		nf_unregister_net_hook(nn->net, &hook_ops);
}

void nfto_ruleset_exit(struct nfto_net *nn)
{
	struct nfto_ruleset *rs = &nn->ruleset;

	nfto_listen_close(&rs->listener);
	cancel_delayed_work_sync(&rs->pass_work);
	rs->on = false;
}
