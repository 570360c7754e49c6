// SPDX-License-Identifier: GPL-2.0
/*
 * The module: init in the order of dependence, exit in the reverse.
 */
#include <linux/module.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "flow/flow.h"
#include "hw/hw.h"
#include "netlink/netlink.h"
#include "nft/nft.h"
#include "nfto.h"
#include "selftest/offer.h"
#include "way/way.h"

struct workqueue_struct *nfto_wq;
struct workqueue_struct *nfto_control_wq;

bool nfto_strict;
module_param_named(strict, nfto_strict, bool, 0644);
MODULE_PARM_DESC(strict, "refuse flowtables with 'flags offload' on devices that cannot offload, as the kernel does (default: their flows are forwarded in software)");

static unsigned int net_id;

/* Tables and ports; the module does not go before they do. */
static atomic_t n_objects;
static DECLARE_WAIT_QUEUE_HEAD(nothing_left);

void nfto_account(int change)
{
	if (!atomic_add_return(change, &n_objects))
		wake_up_all(&nothing_left);
}

/* --- a netns --- */

struct nfto_net *nfto_net_of(const struct net *net)
{
	struct nfto_net **nn = net_generic(net, net_id);

	return nn ? READ_ONCE(*nn) : NULL;
}

static void net_free(struct nfto_net *nn)
{
	nfto_choices_free(nn);
	free_percpu(nn->refusals);
	kfree_rcu(nn, rcu);
}

void nfto_net_put(struct nfto_net *nn)
{
	if (refcount_dec_and_test(&nn->ref))
		net_free(nn);
}

static struct nfto_net *net_alloc(struct net *net)
{
	struct nfto_net *nn;
	int cpu;

	nn = kzalloc(sizeof(*nn), GFP_KERNEL);
	if (!nn)
		return NULL;
	nn->refusals = alloc_percpu(struct nfto_refusals);
	if (!nn->refusals) {
		kfree(nn);
		return NULL;
	}
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(nn->refusals, cpu)->lock);
	refcount_set(&nn->ref, 1);
	mutex_init(&nn->lock);
	INIT_LIST_HEAD(&nn->tables);
	INIT_LIST_HEAD(&nn->ports);
	INIT_LIST_HEAD(&nn->choices);
	nfto_routes_init(nn);
	nfto_wheel_init(&nn->wheel);
	nfto_check_init(nn);
	nfto_ruleset_init(nn);
	nn->net = net;
	return nn;
}

static int __net_init net_init(struct net *net)
{
	struct nfto_net **slot = net_generic(net, net_id);
	struct nfto_net *nn = net_alloc(net);
	int err;

	if (!nn)
		return -ENOMEM;
	WRITE_ONCE(*slot, nn);
	err = nfto_proc_init(net);
	if (err) {
		WRITE_ONCE(*slot, NULL);
		nfto_net_put(nn);
	}
	return err;
}

/*
 * nf_tables was there before us, so its exit comes after this one and will free
 * the tables then. Its hooks are off already, and its grace period is over: no
 * packet makes a flow any more. conntrack's exit may come between and waits for
 * its entries, so the flows have to go now. The devices have left: their
 * notifications have taken every entry out of the hardware.
 */
static void __net_exit net_exit(struct net *net)
{
	struct nfto_net **slot = net_generic(net, net_id);
	struct nfto_net *nn = *slot;
	struct nfto_table *table;

	nfto_proc_exit(net);
	nfto_ruleset_exit(nn);
	mutex_lock(&nn->lock);
	list_for_each_entry(table, &nn->tables, list)
		nfto_flowtable_end_flows(table, NFTO_REASON_FLOWTABLE_GONE);
	mutex_unlock(&nn->lock);
	nfto_routes_exit(nn);
	nfto_wheel_exit(&nn->wheel);
	nfto_check_exit(nn);
	WRITE_ONCE(*slot, NULL);
	nfto_net_put(nn);
}

/* A grace period follows before net_exit() and generic netlink's. */
static void __net_exit net_pre_exit(struct net *net)
{
	struct nfto_net *nn = nfto_net_of(net);

	WRITE_ONCE(nn->quiet, true);
	nfto_ruleset_pre_exit(nn);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.pre_exit = net_pre_exit,
	.exit = net_exit,
	.id = &net_id,
	.size = sizeof(struct nfto_net *),
};

/* --- the module --- */

static bool __init selftests_pass(void)
{
#ifdef NFTO_SELFTEST
	if (!nfto_table_selftest() || !nfto_flow_selftest() ||
	    !nfto_age_selftest() || !nfto_dest_selftest() ||
	    !nfto_rule_selftest())
		return false;
	pr_info("nft_offload: self-tests pass\n");
#endif
	return true;
}

static int __init nfto_init(void)
{
	int err;

	if (!selftests_pass())
		return -EBADMSG;
	nfto_wq = alloc_workqueue("nft_offload", WQ_UNBOUND, 0);
	if (!nfto_wq)
		return -ENOMEM;
	nfto_control_wq = alloc_workqueue("nft_offload_control", WQ_UNBOUND, 0);
	if (!nfto_control_wq) {
		destroy_workqueue(nfto_wq);
		return -ENOMEM;
	}
	err = nfto_flow_init();
	if (err)
		goto err_wq;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto err_flow;
	err = nfto_events_init();
	if (err)
		goto err_net;
	err = nfto_netlink_init();
	if (err)
		goto err_events;
	err = nfto_provider_init();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	nfto_netlink_exit();
err_events:
	nfto_events_exit();
err_net:
	unregister_pernet_subsys(&net_ops);
err_flow:
	nfto_flow_exit();
err_wq:
	destroy_workqueue(nfto_control_wq);
	destroy_workqueue(nfto_wq);
	return err;
}

/*
 * Nobody has a flowtable of ours any more: each held a reference of the module.
 * What they left behind is on its way out: tables wait for their flows, flows
 * for the hardware, ports for RTNL. A port whose driver does not let go is given
 * up when the notifier is unregistered: it is told then that all devices go.
 */
static void __exit nfto_exit(void)
{
	nfto_provider_exit();
	nfto_netlink_exit();
	nfto_events_exit();
	wait_event(nothing_left, !atomic_read(&n_objects));
	unregister_pernet_subsys(&net_ops);
	destroy_workqueue(nfto_control_wq);
	destroy_workqueue(nfto_wq);
	rcu_barrier();
	nfto_flow_exit();
	nfto_result_exit();
}

module_init(nfto_init);
module_exit(nfto_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("nftables flowtables: software fast path and hardware offload");
MODULE_VERSION(NFTO_VERSION);
/*
 * No aliases: modprobe would load nf_flow_table_inet, which has the same, first,
 * and then this module too late. Softdeps put it in front (packaging/modprobe.d).
 */
