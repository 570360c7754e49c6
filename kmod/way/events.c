// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to devices, neighbours and bridges.
 *
 * When a device is removed or set down, RTNL is held, and the notifier returns
 * only when no flow uses the device and no entry leads to or from it any more.
 * Every other change has a check run soon, which compares what each next hop
 * was made of with what is there now.
 */
#include <linux/netdevice.h>
#include <net/neighbour.h>
#include <net/netevent.h>
#include <net/switchdev.h>
#include "way/internal.h"

/* --- the check --- */

#define CHECK_INTERVAL	(2 * HZ)
/* A bridge that learns all its hosts tells of many changes at once. */
#define CHECK_DELAY	(HZ / 50)

/*
 * Looks at each next hop in use, however many flows it has. A packet may make a
 * next hop of what was there before, while the world changes: the next check
 * finds that one.
 */
static void check_nexthops_work(struct work_struct *work)
{
	struct nfto_net *nn = container_of(to_delayed_work(work),
					   struct nfto_net, check_work);
	struct nfto_table *table;

	/* A change that comes after this asks for another check. */
	clear_bit(0, &nn->check_now);
	/*
	 * Pairs with test_and_set_bit(): what was changed before it is seen by
	 * this check.
	 */
	smp_mb__after_atomic();
	mutex_lock(&nn->lock);
	list_for_each_entry(table, &nn->tables, list)
		nfto_nexthop_check(table);
	mutex_unlock(&nn->lock);
}

/*
 * What has changed may forbid any flow, or want its packets encrypted: forwarding was
 * switched off, IPsec has other policies. All take the slow path, and those that it
 * lets through come back. Packets that were looked at before the change may still
 * have a direction trusted: that is over after a grace period.
 */
static void doubt_work(struct work_struct *work)
{
	struct nfto_net *nn = container_of(to_delayed_work(work),
					   struct nfto_net, doubt_work);

	synchronize_rcu();
	nn->doubted_at = jiffies;
	nfto_flow_doubt_all(nn, nfto_flow_last_id());
}

/* At once, and once a second at most. Context: the works of listeners. */
void nfto_doubt_soon(struct nfto_net *nn)
{
	unsigned long next = nn->doubted_at + HZ, now = jiffies;

	queue_delayed_work(nfto_wq, &nn->doubt_work,
			   time_before(now, next) ? next - now : 0);
}

void nfto_check_init(struct nfto_net *nn)
{
	INIT_DELAYED_WORK(&nn->doubt_work, doubt_work);
	nn->doubted_at = jiffies - HZ;
	INIT_DELAYED_WORK(&nn->check_work, check_nexthops_work);
}

void nfto_check_exit(struct nfto_net *nn)
{
	cancel_delayed_work_sync(&nn->check_work);
	cancel_delayed_work_sync(&nn->doubt_work);
}

void nfto_check_later(struct nfto_net *nn)
{
	queue_delayed_work(nfto_wq, &nn->check_work, CHECK_INTERVAL);
}

/* Context: any, below RTNL or rcu_read_lock(). */
void nfto_check_soon(struct nfto_net *nn)
{
	if (!test_and_set_bit(0, &nn->check_now))
		mod_delayed_work(nfto_wq, &nn->check_work, CHECK_DELAY);
}

/* --- devices --- */

static void end_flows_by_dev(struct nfto_net *nn, const struct net_device *dev,
			     enum nfto_reason reason)
{
	struct nfto_table *table;

	mutex_lock(&nn->lock);
	list_for_each_entry(table, &nn->tables, list)
		nfto_nexthop_end_dev(table, dev, reason);
	mutex_unlock(&nn->lock);
}

static int netdev_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct nfto_net *nn = nfto_net_of(dev_net(dev));

	if (!nn)
		return NOTIFY_DONE;

	switch (event) {
	case NETDEV_CHANGE:
		nfto_routes_carrier(nn, dev);
		nfto_check_soon(nn);
		break;
	case NETDEV_CHANGEADDR:
	case NETDEV_CHANGEMTU:
		nfto_check_soon(nn);
		break;
	case NETDEV_CHANGEUPPER:
		if (((struct netdev_notifier_changeupper_info *)ptr)->master)
			end_flows_by_dev(nn, dev, NFTO_REASON_DEVICE_CHANGED);
		break;
	case NETDEV_GOING_DOWN:
	case NETDEV_DOWN:
		end_flows_by_dev(nn, dev, NFTO_REASON_DEVICE_DOWN);
		nfto_port_flush(nn, dev);
		break;
	case NETDEV_UNREGISTER:
		end_flows_by_dev(nn, dev, NFTO_REASON_DEVICE_GONE);
		nfto_port_flush(nn, dev);
		nfto_port_gone(nn, dev);
		break;
	case NETDEV_UP:
	case NETDEV_FEAT_CHANGE:
		nfto_port_check(nn, dev);
		break;
	case NETDEV_CHANGENAME:
		nfto_port_rename(nn, dev);
		break;
	}
	return NOTIFY_DONE;
}

/*
 * This runs after the kernel has removed the routes by that device: otherwise
 * packets would make new flows meanwhile.
 */
static struct notifier_block netdev_notifier = {
	.notifier_call = netdev_event,
	.priority = -100,
};

/* --- neighbours --- */

static int neigh_event(struct notifier_block *nb, unsigned long event,
		       void *ptr)
{
	const struct neighbour *neigh = ptr;
	struct nfto_table *table;
	struct nfto_net *nn;

	if (event != NETEVENT_NEIGH_UPDATE)
		return NOTIFY_DONE;
	rcu_read_lock();
	nn = nfto_net_of(dev_net(neigh->dev));
	if (nn)
		list_for_each_entry_rcu(table, &nn->tables, list)
			nfto_nexthop_neigh(table, neigh);
	rcu_read_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block neigh_notifier = {
	.notifier_call = neigh_event,
};

/* --- bridges --- */

/*
 * A bridge has learned, or was told, where a host is. The entry says so
 * already. When a host moves, the bridge tells that the old entry was deleted
 * and a new one added, with the new port in both. An entry that was forgotten
 * says nothing: the host may still be where it was.
 *
 * Context: softirq or process, below rcu_read_lock().
 */
static int fdb_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = switchdev_notifier_info_to_dev(ptr);
	struct nfto_net *nn;

	if (event != SWITCHDEV_FDB_ADD_TO_DEVICE)
		return NOTIFY_DONE;
	nn = nfto_net_of(dev_net(dev));
	if (nn && atomic_read(&nn->wheel.n_flows))
		nfto_check_soon(nn);
	return NOTIFY_DONE;
}

/*
 * A kernel without switchdev tells nobody: there the bridges are asked by each
 * check.
 */
static struct notifier_block fdb_notifier = {
	.notifier_call = fdb_event,
};

int nfto_events_init(void)
{
	int err;

	err = register_netevent_notifier(&neigh_notifier);
	if (err)
		return err;
	err = register_switchdev_notifier(&fdb_notifier);
	if (err)
		goto err_neigh;
	err = register_netdevice_notifier(&netdev_notifier);
	if (err)
		goto err_fdb;
	return 0;

err_fdb:
	unregister_switchdev_notifier(&fdb_notifier);
err_neigh:
	unregister_netevent_notifier(&neigh_notifier);
	return err;
}

void nfto_events_exit(void)
{
	unregister_netdevice_notifier(&netdev_notifier);
	unregister_switchdev_notifier(&fdb_notifier);
	unregister_netevent_notifier(&neigh_notifier);
}
