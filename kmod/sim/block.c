// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's side of flow blocks: bind, unbind, and the three commands.
 */
#include <linux/if_macvlan.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <net/pkt_cls.h>
#include "sim.h"

/**
 * struct sim_binding - what a flow_block_cb points to
 * @port: the port
 * @class: TC or FT
 * @dev: the device that was bound: the port's, or one above it; not looked into
 * @ifindex: of that
 * @orphan: node of sim_orphans, when UNBIND was refused
 *
 * Holds a reference of the adapter, and lives as long as the flow_block_cb. One
 * whose UNBIND was refused stays linked in the caller's block for ever, as it
 * does with drivers that do that (W12). So that nothing dangles here, it keeps
 * the adapter's memory and this module; an adapter that was removed meanwhile
 * answers -ENODEV.
 */
struct sim_binding {
	struct sim_port *port;
	enum sim_class class;
	const struct net_device *dev;
	int ifindex;
	struct list_head orphan;
};

/**
 * struct sim_indirect - of a bind for a device above a port
 * @dev: the device
 * @sch: as the core has it
 * @data: likewise
 * @cleanup: for when the adapter goes first
 */
struct sim_indirect {
	struct net_device *dev;
	struct Qdisc *sch;
	void *data;
	void (*cleanup)(struct flow_block_cb *cb);
};

/* Under sim_orphan_lock; never shrinks but by a later, accepted UNBIND. */
static LIST_HEAD(sim_orphans);
static DEFINE_SPINLOCK(sim_orphan_lock);

static void orphan(struct sim_binding *binding)
{
	spin_lock(&sim_orphan_lock);
	if (list_empty(&binding->orphan)) {
		list_add_tail(&binding->orphan, &sim_orphans);
		__module_get(THIS_MODULE);
	}
	spin_unlock(&sim_orphan_lock);
}

static void release(void *cb_priv)
{
	struct sim_binding *binding = cb_priv;
	bool was_orphan;

	spin_lock(&sim_orphan_lock);
	was_orphan = !list_empty(&binding->orphan);
	list_del_init(&binding->orphan);
	spin_unlock(&sim_orphan_lock);

	sim_adapter_put(binding->port->adapter);
	kfree(binding);
	if (was_orphan)
		module_put(THIS_MODULE);
}

/* --- the refusal log --- */

static int refuse(struct sim_port *port, enum sim_class class,
		  const char *what, u64 cookie, int err, const char *why,
		  struct netlink_ext_ack *extack)
{
	struct sim_adapter *ad = port->adapter;
	struct sim_refusal *r;

	lockdep_assert_held(&ad->lock);
	r = &ad->refusals[ad->n_refusals % SIM_REFUSALS];
	r->seq = ad->n_refusals++;
	r->when = get_jiffies_64();
	r->what = what;
	r->port = port->index;
	r->class = class;
	r->cookie = cookie;
	r->err = err;
	r->why = why;
	if (extack && why)
		extack->_msg = why;
	return err;
}

/* --- commands --- */

static int check_offload_on(struct sim_port *port,
			    enum flow_cls_command command)
{
	const struct sim_profile *p = port->adapter->profile;

	if (port->host->features & NETIF_F_HW_TC)
		return 0;
	if (p->off_refuses_all || command == FLOW_CLS_REPLACE)
		return -EOPNOTSUPP;
	return 0;
}

static int check_place(struct sim_build *b)
{
	struct sim_adapter *ad = b->port->adapter;
	const struct sim_profile *p = b->profile;

	if (p->replaces_twin && sim_table_twin(ad, b->rule)) {
		b->why = "another rule has the same match";
		return -EEXIST;
	}
	if (!p->full_silent &&
	    atomic_read(&ad->n_entries) >= READ_ONCE(ad->knob.capacity)) {
		b->why = "the flow table is full";
		return p->err_full ?: -ENOSPC;
	}
	return 0;
}

static int check_prio(struct sim_build *b)
{
	const struct flow_cls_offload *cls = b->cls;
	u32 range = READ_ONCE(b->port->adapter->knob.prio_range);
	u32 prio = cls->common.prio;
	bool tc = b->rule->class == SIM_CLASS_TC;

	if (cls->common.chain_index) {
		b->why = "only chain 0 is offloaded";
		return -EOPNOTSUPP;
	}
	/* A flowtable's priorities begin at 0, TC's at 1. */
	if (tc && !prio) {
		b->why = "priority 0 is not a priority";
		return -EOPNOTSUPP;
	}
	if (range && prio - tc >= range) {
		b->why = "the priority is beyond the hardware's range";
		return -EOPNOTSUPP;
	}
	return 0;
}

static int translate(struct sim_build *b)
{
	const struct flow_rule *flow = b->cls->rule;
	int err = check_prio(b);

	if (err)
		return err;
	if (!flow_action_has_entries(&flow->action)) {
		b->why = "the rule has no action";
		return -EINVAL;
	}
	if (b->profile->keys &&
	    (u64)flow->match.dissector->used_keys & ~b->profile->keys) {
		b->why = "the match has a key that the hardware does not know";
		return -EOPNOTSUPP;
	}
	err = b->profile->match(b);
	if (err)
		return err;
	err = b->profile->actions(b);
	if (err)
		return err;
	return check_place(b);
}

static int replace(struct sim_binding *binding,
		   struct flow_cls_offload *cls, const char **why)
{
	struct sim_port *port = binding->port;
	struct sim_build b = {
		.profile = port->adapter->profile,
		.port = port,
		.ifindex = binding->ifindex,
		.cls = cls,
	};
	int i, err;

	if (sim_table_find(port, cls->cookie)) {
		*why = "a rule with this cookie is in the table already";
		return -EEXIST;
	}

	b.rule = kzalloc(sizeof(*b.rule), GFP_KERNEL);
	if (!b.rule)
		return -ENOMEM;
	b.rule->class = binding->class;
	b.rule->prio = cls->common.prio;
	err = translate(&b);
	*why = b.why;
	if (!err) {
		u32 *key = (u32 *)&b.rule->key, *mask = (u32 *)&b.rule->mask;

		for (i = 0; i < SIM_KEY_WORDS; i++)
			key[i] &= mask[i];
		err = sim_table_add(port, cls->cookie, b.rule);
	}
	kfree(b.rule);
	return err;
}

static int command(struct sim_binding *binding, struct flow_cls_offload *cls,
		   const char **why)
{
	struct sim_port *port = binding->port;
	const struct sim_profile *p = port->adapter->profile;
	struct sim_entry *e;

	switch (cls->command) {
	case FLOW_CLS_REPLACE:
		return replace(binding, cls, why);
	case FLOW_CLS_DESTROY:
		e = sim_table_find(port, cls->cookie);
		if (!e)
			return p->err_unknown_destroy;
		sim_table_del(port->adapter, e);
		return 0;
	case FLOW_CLS_STATS:
		if (p->no_stats)
			return -EOPNOTSUPP;
		e = sim_table_find(port, cls->cookie);
		if (!e)
			return p->err_unknown_stats;
		sim_table_stats(port->adapter, e, &cls->stats);
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/* What differs between the commands beside what they do. */
struct command_desc {
	const char *name;
	enum sim_counter counter;
	size_t fault;
	size_t delay;
};

#define DESC(cmd, ctr) {						\
	.name = #cmd,							\
	.counter = ctr,							\
	.fault = offsetof(struct sim_knobs, fail_##cmd),		\
	.delay = offsetof(struct sim_knobs, delay_##cmd##_us),		\
}

static const struct command_desc descs[] = {
	[FLOW_CLS_REPLACE] = DESC(replace, SIM_CTR_REPLACES),
	[FLOW_CLS_DESTROY] = DESC(destroy, SIM_CTR_DESTROYS),
	[FLOW_CLS_STATS] = DESC(stats, SIM_CTR_STATS),
};

static int guarded(struct sim_binding *binding, struct flow_cls_offload *cls,
		   const struct command_desc *desc)
{
	struct sim_port *port = binding->port;
	struct sim_adapter *ad = port->adapter;
	const char *why = NULL;
	int err;

	sim_count(port, desc->counter, 1);
	mutex_lock(&ad->lock);
	if (ad->dying) {
		mutex_unlock(&ad->lock);
		return -ENODEV;
	}
	err = sim_knobs_fault(port, (void *)&ad->knob + desc->fault);
	if (err)
		why = "a fault was asked for";
	if (!err) {
		err = check_offload_on(port, cls->command);
		if (err)
			why = "hw-tc-offload is off";
	}
	if (!err)
		err = command(binding, cls, &why);
	if (err) {
		sim_count(port, SIM_CTR_REFUSED, 1);
		refuse(port, binding->class, desc->name, cls->cookie, err, why,
		       cls->common.extack);
	}
	mutex_unlock(&ad->lock);
	return err;
}

/*
 * The CPU time of this task so far. Not the clock: a caller that waits for a
 * lock, or is preempted, has no share in what others do meanwhile.
 */
static u64 cpu_time(void)
{
	const struct sched_entity *se = &current->se;
	unsigned long flags;
	u64 time;

	/* The tick moves what has run since exec_start into the sum. */
	local_irq_save(flags);
	time = se->sum_exec_runtime + local_clock() - se->exec_start;
	local_irq_restore(flags);
	return time;
}

/* Of a callback's two readings one is outside of what they measure. */
static u64 reading;

void __init sim_block_init(void)
{
	u64 began;
	int i;

	reading = U64_MAX;
	for (i = 0; i < 100; i++) {
		began = cpu_time();
		reading = min(reading, cpu_time() - began);
	}
}

/*
 * Whether nobody holds RTNL. Without lockdep somebody else may, so that one call
 * alone proves nothing.
 */
static bool is_unlocked(void)
{
#ifdef CONFIG_PROVE_LOCKING
	return !lockdep_rtnl_is_held();
#else
	return !rtnl_is_locked();
#endif
}

static int call(enum tc_setup_type type, void *type_data, void *cb_priv)
{
	struct sim_binding *binding = cb_priv;
	struct sim_adapter *ad = binding->port->adapter;
	struct flow_cls_offload *cls = type_data;
	const struct command_desc *desc;
	bool serial = ad->profile->serial;
	u64 began = cpu_time();
	int err;

	if (type != TC_SETUP_CLSFLOWER || cls->command >= ARRAY_SIZE(descs))
		return -EOPNOTSUPP;

	if (binding->class == SIM_CLASS_TC &&
	    READ_ONCE(ad->knob.wants_rtnl) && is_unlocked())
		sim_count(binding->port, SIM_CTR_UNLOCKED_CALLS, 1);
	desc = &descs[cls->command];
	if (serial)
		mutex_lock(&ad->serial);
	sim_knobs_delay((void *)&ad->knob + desc->delay);
	err = guarded(binding, cls, desc);
	if (serial)
		mutex_unlock(&ad->serial);
	sim_count(binding->port, SIM_CTR_CALLBACK_NS,
		  cpu_time() - began + reading);
	return err;
}

/* Two functions, because drivers tell their block kinds apart by them. */
static int call_tc(enum tc_setup_type type, void *type_data, void *cb_priv)
{
	return call(type, type_data, cb_priv);
}

static int call_ft(enum tc_setup_type type, void *type_data, void *cb_priv)
{
	return call(type, type_data, cb_priv);
}

static flow_setup_cb_t *cb_of(enum sim_class class)
{
	return class == SIM_CLASS_FT ? call_ft : call_tc;
}

/* --- bind and unbind: under adapter->lock --- */

static struct flow_block_cb *alloc_cb(struct sim_binding *binding,
				      struct flow_block_offload *bo,
				      const struct sim_indirect *above)
{
	struct sim_port *port = binding->port;

	if (!above)
		return flow_block_cb_alloc(cb_of(binding->class), port, binding,
					   release);
	return flow_indr_block_cb_alloc(call_ft, above->dev, binding, release,
					bo, above->dev, above->sch, above->data,
					port->adapter, above->cleanup);
}

static int bind_new(struct sim_port *port, enum sim_class class,
		    struct flow_block_offload *bo,
		    const struct sim_indirect *above)
{
	const struct net_device *dev = above ? above->dev : port->host;
	struct sim_binding *binding;
	struct flow_block_cb *cb;

	binding = kzalloc(sizeof(*binding), GFP_KERNEL);
	if (!binding)
		return -ENOMEM;
	binding->port = port;
	binding->class = class;
	binding->dev = dev;
	binding->ifindex = dev->ifindex;
	INIT_LIST_HEAD(&binding->orphan);

	cb = alloc_cb(binding, bo, above);
	if (IS_ERR(cb)) {
		kfree(binding);
		return PTR_ERR(cb);
	}
	sim_adapter_get(port->adapter);
	flow_block_cb_incref(cb);
	flow_block_cb_add(cb, bo);
	list_add_tail(&cb->driver_list, &port->blocks[class]);
	return 0;
}

static bool takes(const struct sim_profile *p, enum sim_class class)
{
	return class == SIM_CLASS_FT ? p->takes_ft : p->takes_block;
}

static struct flow_block_cb *find_above(struct sim_port *port,
					const struct sim_indirect *above)
{
	const struct sim_binding *binding;
	struct flow_block_cb *cb;

	list_for_each_entry(cb, &port->blocks[SIM_CLASS_FT], driver_list) {
		binding = flow_block_cb_priv(cb);
		if (binding->dev == above->dev && cb->indr.data == above->data)
			return cb;
	}
	return NULL;
}

static int bind_block(struct sim_port *port, enum sim_class class,
		      struct flow_block_offload *bo,
		      const struct sim_indirect *above, const char **why)
{
	const struct sim_profile *p = port->adapter->profile;
	struct list_head *list = &port->blocks[class];
	struct flow_block_cb *cb;
	int err;

	if (!takes(p, class)) {
		*why = "the driver does not take this kind of block";
		return -EOPNOTSUPP;
	}
	if (bo->binder_type != FLOW_BLOCK_BINDER_TYPE_CLSACT_INGRESS) {
		*why = "only ingress blocks are offloaded";
		return -EOPNOTSUPP;
	}
	err = sim_knobs_fault(port, &port->adapter->knob.fail_bind);
	if (err) {
		*why = "a fault was asked for";
		return err;
	}
	if (READ_ONCE(port->adapter->knob.bind_silent))
		return 0;

	bo->unlocked_driver_cb = !READ_ONCE(port->adapter->knob.wants_rtnl);
	bo->driver_block_list = list;
	if (above) {
		if (find_above(port, above)) {
			*why = "the device is bound to this block already";
			return -EEXIST;
		}
	} else if (p->bind_counted) {
		cb = flow_block_cb_lookup(bo->block, cb_of(class), port);
		if (cb) {
			flow_block_cb_incref(cb);
			return 0;
		}
	} else if (flow_block_cb_is_busy(cb_of(class), port, list)) {
		*why = "the port is bound to a block already";
		return -EBUSY;
	}
	return bind_new(port, class, bo, above);
}

static int unbind_block(struct sim_port *port, enum sim_class class,
			struct flow_block_offload *bo,
			const struct sim_indirect *above, const char **why)
{
	struct flow_block_cb *cb;
	int err;

	if (above)
		cb = find_above(port, above);
	else
		cb = flow_block_cb_lookup(bo->block, cb_of(class), port);
	if (!cb) {
		*why = "the port is not bound to this block";
		return -ENOENT;
	}
	err = sim_knobs_fault(port, &port->adapter->knob.fail_unbind);
	if (err) {
		*why = "a fault was asked for";
		orphan(flow_block_cb_priv(cb));
		return err;
	}
	if (flow_block_cb_decref(cb))
		return 0;
	/* The entries stay, as with every driver that takes flowtables (W2). */
	if (above)
		flow_indr_block_cb_remove(cb, bo);
	else
		flow_block_cb_remove(cb, bo);
	list_del(&cb->driver_list);
	return 0;
}

static int setup(struct sim_port *port, enum sim_class class,
		 struct flow_block_offload *bo, const struct sim_indirect *above)
{
	struct sim_adapter *ad = port->adapter;
	bool is_bind = bo->command == FLOW_BLOCK_BIND;
	const char *why = NULL;
	bool told;
	int err;

	if (bo->command != FLOW_BLOCK_BIND && bo->command != FLOW_BLOCK_UNBIND)
		return -EOPNOTSUPP;

	sim_knobs_delay(&ad->knob.delay_bind_us);
	mutex_lock(&ad->lock);
	if (is_bind)
		err = bind_block(port, class, bo, above, &why);
	else
		err = unbind_block(port, class, bo, above, &why);
	if (err) {
		sim_count(port, SIM_CTR_BINDS_REFUSED, 1);
		/*
		 * Every clsact offers both its blocks to every NIC: drivers
		 * that take none of a kind do not warn.
		 */
		told = takes(ad->profile, class) &&
		       bo->binder_type == FLOW_BLOCK_BINDER_TYPE_CLSACT_INGRESS;
		refuse(port, class, is_bind ? "bind" : "unbind", 0, err, why,
		       told ? bo->extack : NULL);
	} else {
		sim_count(port, is_bind ? SIM_CTR_BINDS : SIM_CTR_UNBINDS, 1);
	}
	mutex_unlock(&ad->lock);
	return err;
}

/**
 * sim_block_setup() - TC_SETUP_FT and TC_SETUP_BLOCK
 * @port: the port
 * @class: which of the two
 * @bo: BIND or UNBIND
 *
 * Context: process; nf_tables' commit mutex and the flowtable's block lock, or
 * RTNL, are held.
 * Return: 0 or a negative errno.
 */
int sim_block_setup(struct sim_port *port, enum sim_class class,
		    struct flow_block_offload *bo)
{
	return setup(port, class, bo, NULL);
}

/* --- devices above a port: the indirect block --- */

/**
 * sim_block_below() - the port that a device is on, as mlx5 has it
 * @dev: a device
 *
 * Return: the host device of a macvlan in passthru mode, or NULL.
 */
struct net_device *sim_block_below(const struct net_device *dev)
{
	const struct macvlan_dev *macvlan = netdev_priv(dev);

	if (!IS_ENABLED(CONFIG_MACVLAN) || !netif_is_macvlan(dev) ||
	    macvlan->mode != MACVLAN_MODE_PASSTHRU)
		return NULL;
	return macvlan->lowerdev;
}

/* Context: process; the core's lock of indirect blocks is held. */
static int setup_above(struct net_device *dev, struct Qdisc *sch, void *cb_priv,
		       enum tc_setup_type type, void *type_data, void *data,
		       void (*cleanup)(struct flow_block_cb *cb))
{
	struct sim_indirect above = {
		.dev = dev, .sch = sch, .data = data, .cleanup = cleanup,
	};
	const struct net_device *below;
	struct sim_port *port;

	if (!dev || type != TC_SETUP_FT)
		return -EOPNOTSUPP;
	below = sim_block_below(dev);
	port = below ? sim_port_of_host(below) : NULL;
	if (!port || port->adapter != cb_priv)
		return -EOPNOTSUPP;
	return setup(port, SIM_CLASS_FT, type_data, &above);
}

/* Context: process. Return: 0 or -ENOMEM. */
int sim_block_register(struct sim_adapter *ad)
{
	return ad->profile->takes_above ?
	       flow_indr_dev_register(setup_above, ad) : 0;
}

/* Every owner of a block is told to let go. Context: process. */
void sim_block_unregister(struct sim_adapter *ad)
{
	if (ad->profile->takes_above)
		flow_indr_dev_unregister(setup_above, ad, release);
}

/* How many blocks of TC and of flowtables the port is bound to. */
void sim_block_dump_binds(struct sim_port *port, unsigned int n[2])
{
	struct flow_block_cb *cb;
	int class;

	lockdep_assert_held(&port->adapter->lock);
	for (class = 0; class < 2; class++) {
		n[class] = 0;
		list_for_each_entry(cb, &port->blocks[class], driver_list)
			n[class]++;
	}
}
