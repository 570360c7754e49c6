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
#include <linux/net.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4.h>
#include <linux/random.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/sock.h>
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

/* --- flows are put in doubt --- */

static int doubt_old_flow(struct nfto_flow *flow, void *arg)
{
	const u64 *last = arg;

	if (flow->id <= *last && READ_ONCE(flow->table->follow))
		nfto_flow_doubt(flow);
	return 0;
}

static void doubt_pass(struct work_struct *work)
{
	struct nfto_ruleset *rs = container_of(to_delayed_work(work),
					       struct nfto_ruleset, pass_work);
	u64 last = atomic64_read(&rs->last);
	struct nfto_walk w;
	int i;

	WRITE_ONCE(rs->began, jiffies);
	for (i = 0; i < ROUNDS; i++) {
		w = (struct nfto_walk) {
			.nn = container_of(rs, struct nfto_net, ruleset),
		};
		nfto_walk(&w, doubt_old_flow, &last);
		nfto_walk_end(&w);
		if (!w.disturbed)
			break;
		cond_resched();
	}
}

/* --- commits are heard of --- */

/*
 * Return: whether a commit was among the messages, or may have been among those
 * that were lost.
 */
static bool commits_read(struct socket *sock)
{
	struct nlmsghdr nlh;
	bool any = false;
	int len;

	for (;;) {
		struct kvec vec = { .iov_base = &nlh, .iov_len = sizeof(nlh) };
		struct msghdr msg = {};

		len = kernel_recvmsg(sock, &msg, &vec, 1, sizeof(nlh),
				     MSG_DONTWAIT);
		if (len == -ENOBUFS)
			any = true;
		else if (len < 0)
			return any;
		else if (len == sizeof(nlh) &&
			 nlh.nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 |
					    NFT_MSG_NEWGEN))
			any = true;
	}
}

/*
 * Packets that are on their way through the old ruleset may still begin flows
 * or have them trusted. That is over after a grace period, and flows that begin
 * after it were allowed by the new ruleset.
 */
static void heard_of_commit(struct work_struct *work)
{
	struct nfto_ruleset *rs = container_of(work, struct nfto_ruleset,
					       heard_work);
	unsigned long next = READ_ONCE(rs->began) + PASS_INTERVAL, now;

	if (READ_ONCE(rs->closed) || !commits_read(rs->sock))
		return;
	nfto_flowtable_committed(container_of(rs, struct nfto_net, ruleset));
	synchronize_rcu();
	atomic64_set(&rs->last, nfto_flow_last_id());
	now = jiffies;
	queue_delayed_work(nfto_wq, &rs->pass_work,
			   time_before(now, next) ? next - now : 0);
}

/* Context: commit, or atomic when messages were lost. */
static void wake_for_commit(struct sock *sk)
{
	struct nfto_net *nn = sk->sk_user_data;

	queue_work(nfto_wq, &nn->ruleset.heard_work);
}

/* --- packets get through --- */

/**
 * struct reached - the last packet in doubt that reached "flow add"
 * @skb: the packet, compared only; NULL: none
 * @table: the flowtable, compared only
 * @key: what its direction is found by
 * @pair: IPv6 addresses for @key
 */
struct reached {
	const struct sk_buff *skb;
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
 * same memory. So everything is looked up again before it is used.
 */
static void got_through(struct sk_buff *skb, const struct net *net)
{
	struct reached *r = this_cpu_ptr(&last_reached);
	struct nfto_net *nn = nfto_net_of(net);
	enum ip_conntrack_info ctinfo;
	struct nfto_table *table;
	struct nfto_dir *dir;

	r->skb = NULL;
	table = nn ? table_reached(nn, r) : NULL;
	if (!table)
		return;
	dir = find_reached_dir(table, nf_ct_get(skb, &ctinfo), r);
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

/*
 * The socket holds no reference of its netns. It is bound to a random port
 * number, because that of the current process may be wanted by the process. It
 * is connected to the kernel, so that nobody else can send to it: then
 * sock_release() waits for everybody who might call wake_for_commit().
 */
static int listen_for_commits(struct nfto_net *nn, struct socket *sock)
{
	struct sockaddr_nl addr = {
		.nl_family = AF_NETLINK,
		.nl_pid = get_random_u32() | BIT(31),
		.nl_groups = BIT(NFNLGRP_NFTABLES - 1),
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	sock->sk->sk_user_data = nn;
	sock->sk->sk_data_ready = wake_for_commit;
	sock->sk->sk_error_report = wake_for_commit;
	/* The type of the address differs between kernels. */
	return kernel_bind(sock, (void *)&addr, sizeof(addr)) ?:
	       kernel_connect(sock, (void *)&kernel, sizeof(kernel), 0);
}

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
	struct socket *sock;
	int err;

	if (nn->ruleset.sock)
		return 0;
	err = sock_create_kern(nn->net, PF_NETLINK, SOCK_RAW, NETLINK_NETFILTER,
			       &sock);
	if (err)
		return err;
	/* The work that hears of a commit reads from this. */
	nn->ruleset.sock = sock;
	err = listen_for_commits(nn, sock) ?: nf_register_net_hook(nn->net, &hook_ops);
	if (err)
		nfto_ruleset_exit(nn);
	return err;
}

void nfto_ruleset_init(struct nfto_net *nn)
{
	INIT_WORK(&nn->ruleset.heard_work, heard_of_commit);
	INIT_DELAYED_WORK(&nn->ruleset.pass_work, doubt_pass);
	nn->ruleset.began = jiffies - PASS_INTERVAL;
}

void nfto_ruleset_pre_exit(struct nfto_net *nn)
{
	if (nn->ruleset.sock)
		nf_unregister_net_hook(nn->net, &hook_ops);
}

/* Context: process; heard_work may be queued, but not touch the socket any more. */
void nfto_ruleset_exit(struct nfto_net *nn)
{
	struct nfto_ruleset *rs = &nn->ruleset;

	if (!rs->sock)
		return;
	WRITE_ONCE(rs->closed, true);
	cancel_work_sync(&rs->heard_work);
	sock_release(rs->sock);
	cancel_work_sync(&rs->heard_work);
	cancel_delayed_work_sync(&rs->pass_work);
	rs->sock = NULL;
	rs->closed = false;
}
