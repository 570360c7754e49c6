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
	/* What could not be done without this device may be done now. */
	nfto_nexthop_end_old(table, NFTO_REASON_ROUTE_STALE);
	return 0;
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

	nfto_nexthop_end_dev(table, dev, NFTO_REASON_DEVICE_GONE);
	if (td->port)
		nfto_port_unuse(td->port);
	kfree_rcu(td, rcu);
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
 * them off, or never put them on.
 *
 * Context: control.
 */
void nfto_flowtable_detach(struct nfto_table *table)
{
	struct nfto_net *nn = table->net;

	mutex_lock(&nn->lock);
	list_del_init(&table->self);
	table->ft = NULL;
	mutex_unlock(&nn->lock);
	queue_work(nfto_control_wq, &table->end_work);
}
