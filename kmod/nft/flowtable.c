// SPDX-License-Identifier: GPL-2.0
/*
 * A flowtable of nf_tables and its devices. nf_tables' object goes when nf_tables
 * wants it to, at a moment when nobody may be waited for: all that may have to wait
 * is left to a work, and the table lives on until its last flow is gone.
 */
#include <linux/slab.h>
#include "nft/internal.h"

/**
 * nfto_flowtable_add_dev() - nf_tables hooks a table to a device
 * @table: the table
 * @dev: the device
 *
 * The commit may fail yet, or be a check (nft -c): flows that are there go on until
 * nfto_flowtable_committed().
 *
 * Context: control.
 * Return: 0, -ENOMEM, or with strict=1 why the device cannot offload.
 */
int nfto_flowtable_add_dev(struct nfto_table *table, struct net_device *dev)
{
	struct nfto_table_dev *td;
	struct nfto_port *port;
	int err;

	td = kzalloc(sizeof(*td), GFP_KERNEL);
	if (!td)
		return -ENOMEM;
	td->ifindex = dev->ifindex;
	td->since = jiffies;
	if (table->hw) {
		port = nfto_port_use(table->net, dev);
		if (IS_ERR(port)) {
			kfree(td);
			return PTR_ERR(port);
		}
		td->port = port;
		err = nfto_strict ? nfto_port_bind_now(port) : 0;
		if (err) {
			nfto_port_unuse(port);
			kfree(td);
			return err;
		}
	}
	nfto_table_attach_dev(table, td);
	return 0;
}

static void release_dev(struct nfto_table_dev *td)
{
	if (td->port)
		nfto_port_unuse(td->port);
	kfree_rcu(td, rcu);
}

/**
 * nfto_flowtable_del_dev() - nf_tables takes a table's hook off a device
 * @table: the table
 * @dev: the device
 *
 * Flows by this device end. Their entries leave the hardware, and then the port
 * is unbound, in a worker.
 *
 * Context: control.
 */
void nfto_flowtable_del_dev(struct nfto_table *table, struct net_device *dev)
{
	struct nfto_table_dev *td = nfto_table_detach_dev(table, dev->ifindex);

	if (!td)
		return;

	/* What was never committed concerns no flow. */
	if (td->hooked)
		nfto_nexthop_end_dev(table, dev, NFTO_REASON_DEVICE_GONE);
	release_dev(td);
}

/* Below rcu_read_lock(). */
static bool is_hooked(const struct nf_flowtable *ft, const struct net_device *dev)
{
	const struct nf_hook_entries *on;
	unsigned int i;

	on = rcu_dereference(dev->nf_hooks_ingress);
	for (i = 0; on && i < on->num_hook_entries; i++)
		if (on->hooks[i].priv == ft &&
		    on->hooks[i].hook == ft->type->hook)
			return true;
	return false;
}

/*
 * Whether nf_tables has taken a table's hook off a device without telling. While
 * a commit is being prepared, a device is told of before its hook is on, so that
 * only what was seen on before can be off; or what is not on for so long.
 *
 * net->lock is held. @came: set if it is one that was not on when this looked last.
 */
#define HOOK_AFTER	(10 * HZ)

static bool has_left(const struct nfto_table *table, struct nfto_table_dev *td,
		     bool *came)
{
	const struct net_device *dev;
	bool on = false, left = false;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(table->net->net, td->ifindex);
	if (dev) {
		on = is_hooked(table->ft, dev);
		left = !on && (td->hooked || time_after(jiffies, td->since + HOOK_AFTER));
	}
	rcu_read_unlock();
	*came |= on && !td->hooked;
	td->hooked |= on;
	return left;
}

/*
 * Return: a table, a reference, and the device that has left it, 0: devices have
 * come; or NULL.
 */
static struct nfto_table *find_changed(struct nfto_net *nn, int *ifindex)
{
	struct nfto_table *table;
	struct nfto_table_dev *td;
	bool came = false;

	mutex_lock(&nn->lock);
	list_for_each_entry(table, &nn->tables, list) {
		if (!table->ft)
			continue;
		*ifindex = 0;
		list_for_each_entry(td, &table->devs, list)
			if (has_left(table, td, &came))
				*ifindex = td->ifindex;
		if (!came && !*ifindex)
			continue;
		/* nf_tables holds one: its object is there. */
		refcount_inc(&table->ref);
		mutex_unlock(&nn->lock);
		return table;
	}
	mutex_unlock(&nn->lock);
	return NULL;
}

/**
 * nfto_flowtable_committed() - tables are on other devices now
 * @nn: where nf_tables has committed something
 *
 * Where devices have come, next hops that were made without them are not used any
 * more: what could not be done then may be done now.
 *
 * nf_tables before upstream 13210fc63f35 does not tell of a device that is taken
 * out of a flowtable, nor of one that was to be added by a commit that failed.
 *
 * Context: worker.
 */
void nfto_flowtable_committed(struct nfto_net *nn)
{
	struct nfto_table *table;
	struct net_device *dev;
	int ifindex;

	while ((table = find_changed(nn, &ifindex))) {
		/* Those that were made with the devices stay. */
		nfto_nexthop_end_old(table, NFTO_REASON_ROUTE_STALE);
		dev = ifindex ? dev_get_by_index(nn->net, ifindex) : NULL;
		if (dev) {
			nfto_flowtable_del_dev(table, dev);
			dev_put(dev);
		}
		nfto_table_put(table);
		cond_resched();
	}
}

void nfto_flowtable_end_flows(struct nfto_table *table, enum nfto_reason reason)
{
	spin_lock_bh(&table->nh_lock);
	table->dying = true;
	spin_unlock_bh(&table->nh_lock);
	nfto_nexthop_end_all(table, reason);
}

static void end_table_work(struct work_struct *work)
{
	struct nfto_table *table = container_of(work, struct nfto_table,
						end_work);

	nfto_flowtable_end_flows(table, NFTO_REASON_FLOWTABLE_GONE);
	nfto_table_put(table);
}

int nfto_flowtable_make(struct nf_flowtable *ft)
{
	struct nfto_net *nn = nfto_net_of(read_pnet(&ft->net));
	struct nfto_table *table;
	int err;

	err = nfto_ruleset_open(nn);
	if (err)
		return err;
	table = nfto_table_alloc(nn, ft);
	if (IS_ERR(table))
		return PTR_ERR(table);
	table->follow = READ_ONCE(nfto_follow_ruleset);
	INIT_WORK(&table->end_work, end_table_work);
	nfto_routes_begin(nn);
	INIT_LIST_HEAD(&ft->list);
	list_add(&table->self, &ft->list);
	return 0;
}

/**
 * nfto_flowtable_detach() - nf_tables' object goes
 * @table: its table
 *
 * No hook runs any more: nf_tables has waited for a grace period after it took
 * them off, or never put them on. Older kernels have not told of each device that
 * they took it off: they do so after this, or never. So what is left is let go here.
 *
 * Context: control.
 */
void nfto_flowtable_detach(struct nfto_table *table)
{
	struct nfto_net *nn = table->net;
	struct nfto_table_dev *td;

	mutex_lock(&nn->lock);
	list_del_init(&table->self);
	table->ft = NULL;
	mutex_unlock(&nn->lock);
	while ((td = nfto_table_detach_dev(table, 0)))
		release_dev(td);
	queue_work(nfto_control_wq, &table->end_work);
}
