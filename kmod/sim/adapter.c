// SPDX-License-Identifier: GPL-2.0
/*
 * Adapters: making and removing them.
 */
#include <linux/debugfs.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include "sim.h"

static DEFINE_MUTEX(sim_lock);	/* sim_adapters, making and removing */
static LIST_HEAD(sim_adapters);

static void adapter_free(struct kref *ref)
{
	struct sim_adapter *ad = container_of(ref, struct sim_adapter, ref);

	mutex_destroy(&ad->serial);
	mutex_destroy(&ad->lock);
	kvfree(ad->port);
	kvfree(ad);
}

void sim_adapter_get(struct sim_adapter *ad)
{
	kref_get(&ad->ref);
}

void sim_adapter_put(struct sim_adapter *ad)
{
	kref_put(&ad->ref, adapter_free);
}

static struct sim_adapter *find(const char *name)
{
	struct sim_adapter *ad;

	lockdep_assert_held(&sim_lock);
	list_for_each_entry(ad, &sim_adapters, list)
		if (!strcmp(ad->name, name))
			return ad;
	return NULL;
}

static struct sim_adapter *adapter_alloc(const struct sim_spec *spec)
{
	struct sim_adapter *ad;
	int i;

	ad = kvzalloc(sizeof(*ad), GFP_KERNEL);
	if (!ad)
		return NULL;
	ad->port = kvcalloc(spec->n_ports, sizeof(*ad->port), GFP_KERNEL);
	if (!ad->port) {
		kvfree(ad);
		return NULL;
	}
	kref_init(&ad->ref);
	mutex_init(&ad->serial);
	mutex_init(&ad->lock);
	strscpy(ad->name, spec->name, sizeof(ad->name));
	ad->profile = spec->profile;
	ad->n_ports = spec->n_ports;
	for (i = 0; i < ad->n_ports; i++) {
		ad->port[i].adapter = ad;
		ad->port[i].index = i;
	}
	sim_knobs_init(ad);
	return ad;
}

static int register_ports(struct sim_adapter *ad, const struct sim_spec *spec)
{
	int i, err = 0;

	rtnl_lock();
	for (i = 0; i < ad->n_ports && !err; i++)
		err = sim_port_register(&ad->port[i], spec);
	rtnl_unlock();
	return err;
}

/*
 * No new driver call begins work once @dying is set, and none is inside when
 * the lock was taken and released. Unregistering the netdevs makes the owners
 * of flow blocks unbind (flowtables from their netdevice notifier, TC when the
 * qdisc goes), and waits for every packet. What may still hold the adapter's
 * memory then is a binding whose UNBIND was refused earlier; see block.c.
 */
static void unregister_ports(struct sim_adapter *ad)
{
	LIST_HEAD(head);
	int i;

	rtnl_lock();
	for (i = 0; i < ad->n_ports; i++)
		sim_port_unregister(&ad->port[i], &head);
	unregister_netdevice_many(&head);
	rtnl_unlock();

	for (i = 0; i < ad->n_ports; i++)
		sim_port_free(&ad->port[i]);
}

static void adapter_remove(struct sim_adapter *ad)
{
	debugfs_remove(ad->dir);
	sim_block_unregister(ad);
	mutex_lock(&ad->lock);
	ad->dying = true;
	mutex_unlock(&ad->lock);
	unregister_ports(ad);
	sim_table_destroy(ad);
	sim_adapter_put(ad);
}

/**
 * sim_adapter_make() - make an adapter
 * @spec: what is wanted; checked by the maker
 *
 * Return: 0, or a negative errno explained by sim_error(); then nothing is
 * left of it.
 */
int sim_adapter_make(const struct sim_spec *spec)
{
	struct sim_adapter *ad;
	int err;

	mutex_lock(&sim_lock);
	if (find(spec->name)) {
		sim_error("there is an adapter '%s' already", spec->name);
		err = -EEXIST;
		goto unlock;
	}
	ad = adapter_alloc(spec);
	err = ad ? sim_table_init(ad) : -ENOMEM;
	if (err) {
		sim_error("no memory for adapter '%s'", spec->name);
		if (ad)
			sim_adapter_put(ad);
		goto unlock;
	}
	err = register_ports(ad, spec);
	if (!err)
		err = sim_block_register(ad);
	if (err) {
		adapter_remove(ad);
		goto unlock;
	}
	ad->dir = debugfs_create_dir(ad->name, sim_dir);
	sim_knobs_add(ad);
	sim_state_add(ad);
	list_add_tail(&ad->list, &sim_adapters);
unlock:
	mutex_unlock(&sim_lock);
	return err;
}

/**
 * sim_adapter_remove() - remove an adapter, with all that is in it
 * @name: of the adapter
 *
 * Return: 0, or -ENOENT explained by sim_error().
 */
int sim_adapter_remove(const char *name)
{
	struct sim_adapter *ad;
	int err = 0;

	mutex_lock(&sim_lock);
	ad = find(name);
	if (ad) {
		list_del(&ad->list);
		adapter_remove(ad);
	} else {
		sim_error("there is no adapter '%s'", name);
		err = -ENOENT;
	}
	mutex_unlock(&sim_lock);
	return err;
}

void sim_adapter_remove_all(void)
{
	struct sim_adapter *ad, *next;

	mutex_lock(&sim_lock);
	list_for_each_entry_safe(ad, next, &sim_adapters, list) {
		list_del(&ad->list);
		adapter_remove(ad);
	}
	mutex_unlock(&sim_lock);
}
