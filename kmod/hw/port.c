// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that may take flows. A driver is bound once, however many flowtables
 * name its device, and only a work binds and unbinds: so a ruleset that is
 * loaded again finds the device bound, and a slow driver does not hold up nft.
 */
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/pkt_cls.h>
#include "hw/internal.h"

/* A device that cannot be bound is tried again after 1, 2, 4, ... 64 s. */
#define RETRY_MAX_SHIFT	6

/* --- references --- */

static void free_port_work(struct work_struct *work)
{
	struct nfto_port *port = container_of(work, struct nfto_port,
					      free_work);
	struct nfto_net *nn = port->net;

	nfto_engine_free(port);
	kfree_rcu(port, rcu);
	nfto_net_put(nn);
	nfto_account(-1);
}

void nfto_port_put(struct nfto_port *port)
{
	if (refcount_dec_and_test(&port->ref))
		queue_work(nfto_control_wq, &port->free_work);
}

static void schedule_bind(struct nfto_port *port, unsigned long delay)
{
	refcount_inc(&port->ref);
	if (mod_delayed_work(nfto_control_wq, &port->bind_work, delay))
		nfto_port_put(port);
}

/* --- what drivers are asked --- */

static bool is_switched_off(const struct net_device *dev)
{
	return dev->hw_features & NETIF_F_HW_TC &&
	       !(dev->features & NETIF_F_HW_TC);
}

static void prepare_block(struct nfto_port *port, struct flow_block_offload *bo,
			  enum flow_block_command command,
			  struct netlink_ext_ack *extack)
{
	memset(bo, 0, sizeof(*bo));
	bo->command = command;
	bo->binder_type = FLOW_BLOCK_BINDER_TYPE_CLSACT_INGRESS;
	bo->net = dev_net(port->dev);
	bo->block = &port->block;
	bo->cb_list_head = &port->block.cb_list;
	bo->extack = extack;
	INIT_LIST_HEAD(&bo->cb_list);
	extack->_msg = NULL;
}

/* A driver of indirect blocks is unloaded. Context: process, RTNL or not. */
static void indirect_cleanup(struct flow_block_cb *cb)
{
	struct nfto_port *port = cb->indr.data;

	WRITE_ONCE(port->open, false);
	nfto_engine_drain(port);
	down_write(&port->block_lock);
	list_del(&cb->list);
	list_del(&cb->driver_list);
	flow_block_cb_free(cb);
	up_write(&port->block_lock);
	schedule_bind(port, HZ);
}

static int ask_indirect(struct nfto_port *port, struct flow_block_offload *bo)
{
	int err;

	err = flow_indr_dev_setup_offload(port->dev, NULL, TC_SETUP_FT, port,
					  bo, indirect_cleanup);
	return min(err, 0);
}

static int ask_driver(struct nfto_port *port, enum nfto_port_kind kind,
		      struct flow_block_offload *bo)
{
	const struct net_device_ops *ops = port->dev->netdev_ops;
	int err;

	ASSERT_RTNL();
	switch (kind) {
	case NFTO_PORT_KIND_FLOWTABLE:
		err = ops->ndo_setup_tc(port->dev, TC_SETUP_FT, bo);
		break;
	case NFTO_PORT_KIND_FLOWER:
		err = ops->ndo_setup_tc(port->dev, TC_SETUP_BLOCK, bo);
		break;
	default:
		err = ask_indirect(port, bo);
		break;
	}
	return min(err, 0);
}

/* The port's block_lock is held. */
static int ask_to_let_go(struct nfto_port *port, struct netlink_ext_ack *extack)
{
	struct flow_block_cb *cb, *tmp;
	struct flow_block_offload bo;
	int err;

	prepare_block(port, &bo, FLOW_BLOCK_UNBIND, extack);
	err = ask_driver(port, port->kind, &bo);
	list_for_each_entry_safe(cb, tmp, &bo.cb_list, list) {
		list_del(&cb->list);
		flow_block_cb_free(cb);
	}
	return err;
}

/*
 * A driver of TC_SETUP_BLOCK answers BIND with whether its callbacks may be
 * called without RTNL. Workers do not have it, so that one that wants it is let
 * go again. (nf_flow_table does not ask, and calls those of TC_SETUP_FT without.)
 *
 * The port's block_lock is held.
 */
static int refuse_locked(struct nfto_port *port, struct netlink_ext_ack *extack)
{
	struct netlink_ext_ack unused = {};

	ask_to_let_go(port, &unused);
	extack->_msg = "the driver wants RTNL to be held around each call, which it is not";
	return -EOPNOTSUPP;
}

/*
 * BIND that returns 0 and adds no callback has bound nothing. The driver's sentence
 * may be in @extack itself, so that it is copied before that goes; it is empty if
 * there is none.
 */
static int bind_as(struct nfto_port *port, enum nfto_port_kind kind,
		   char said[NFTO_TEXT_MAX])
{
	struct netlink_ext_ack extack = {};
	struct flow_block_offload bo;
	int err;

	prepare_block(port, &bo, FLOW_BLOCK_BIND, &extack);
	down_write(&port->block_lock);
	err = ask_driver(port, kind, &bo);
	if (!err && list_empty(&bo.cb_list))
		err = -EOPNOTSUPP;
	if (!err) {
		list_splice(&bo.cb_list, &port->block.cb_list);
		WRITE_ONCE(port->kind, kind);
		port->dialect = nfto_dialect_of(port->dev, kind, port->driver);
		if (kind == NFTO_PORT_KIND_FLOWER && !bo.unlocked_driver_cb)
			err = refuse_locked(port, &extack);
	}
	strscpy(said, extack._msg ?: "", NFTO_TEXT_MAX);
	up_write(&port->block_lock);
	if (err && kind == NFTO_PORT_KIND_INDIRECT) {
		struct netlink_ext_ack unused;

		/*
		 * The kernel has put the port on its list for drivers that come
		 * later, and leaves it there although nobody has bound it: take
		 * it off.
		 */
		prepare_block(port, &bo, FLOW_BLOCK_UNBIND, &unused);
		ask_indirect(port, &bo);
	}
	return err;
}

/* Why a driver is not bound by TC_SETUP_BLOCK, though it may be able to. */
static void say_untrusted(struct nfto_port *port, const struct nfto_dialect *d,
			  char said[NFTO_TEXT_MAX])
{
	if (port->choice == NFTO_BLOCK_OFF) {
		strscpy(said, "switched off by nft-offload port set", NFTO_TEXT_MAX);
		return;
	}
	WRITE_ONCE(port->reason, NFTO_REASON_DRIVER_UNKNOWN);
	snprintf(said, NFTO_TEXT_MAX, "driver %s %s: see nft-offload check",
		 port->driver[0] ? port->driver : "(without a name)", d->harm);
}

static bool may_be_flower(struct nfto_port *port, const struct nfto_dialect *d,
			  char said[NFTO_TEXT_MAX])
{
	if (nfto_dialect_may_block(d, port->driver, port->choice))
		return true;
	/* Nothing is to be said of a driver that has no rules of tc at all. */
	if (port->choice == NFTO_BLOCK_OFF ||
	    (port->dev->features | port->dev->hw_features) & NETIF_F_HW_TC)
		say_untrusted(port, d, said);
	return false;
}

static int bind_any(struct nfto_port *port, char said[NFTO_TEXT_MAX])
{
	const struct nfto_dialect *d;
	char other[NFTO_TEXT_MAX];
	int err, err2;

	d = nfto_dialect_of(port->dev, NFTO_PORT_KIND_FLOWER, port->driver);
	port->choice = nfto_choice_get(port->net, port->dev, port->driver);
	if (!port->dev->netdev_ops->ndo_setup_tc)
		return bind_as(port, NFTO_PORT_KIND_INDIRECT, said);
	err = bind_as(port, NFTO_PORT_KIND_FLOWTABLE, said);
	if (err != -EOPNOTSUPP)
		return err;
	if (!may_be_flower(port, d, said))
		return err;
	err2 = bind_as(port, NFTO_PORT_KIND_FLOWER, other);
	/* Tell of the attempt that came closest. */
	if (!err2 || err2 != -EOPNOTSUPP || !*said) {
		strscpy(said, other, NFTO_TEXT_MAX);
		err = err2;
	}
	return err;
}

/* --- states, under RTNL --- */

static bool is_bound(const struct nfto_port *port)
{
	return !list_empty(&port->block.cb_list);
}

static void set_port_state(struct nfto_port *port, enum nfto_port_state state,
			   int err, const char *text)
{
	ASSERT_RTNL();
	WRITE_ONCE(port->state, state);
	WRITE_ONCE(port->error, err);
	WRITE_ONCE(port->result, err ? nfto_result_get(err, text) : 0);
	nfto_event_port(port);
}

static void open_port(struct nfto_port *port)
{
	spin_lock_bh(&port->lock);
	port->epoch++;
	port->full_at = 0;
	port->ttl = NFTO_TTL_UNKNOWN;
	port->n_usable = port->n_workers;
	WRITE_ONCE(port->open, true);
	spin_unlock_bh(&port->lock);
	nfto_engine_kick_all(port);
}

/* Return: 0 if it is bound now, else why not. */
static int bind_port(struct nfto_port *port)
{
	char said[NFTO_TEXT_MAX];
	u8 reason = port->reason;
	int err;

	if (!port->dev)
		return -ENODEV;
	WRITE_ONCE(port->reason, NFTO_REASON_PORT_UNBOUND);
	if (is_switched_off(port->dev)) {
		set_port_state(port, NFTO_PORT_STATE_SWITCHED_OFF, -EOPNOTSUPP,
			       "hw-tc-offload is off");
		return -EOPNOTSUPP;
	}
	err = bind_any(port, said);
	if (err) {
		set_port_state(port, is_bound(port) ? NFTO_PORT_STATE_STUCK :
						      NFTO_PORT_STATE_UNBOUND,
			       err, *said ? said : NULL);
		if (port->reason != reason)
			nfto_engine_kick_all(port);
		return err;
	}
	port->bind_tries = 0;
	set_port_state(port, NFTO_PORT_STATE_BOUND, 0, NULL);
	open_port(port);
	return 0;
}

/*
 * Some drivers refuse all commands while hw-tc-offload is off, DESTROY among
 * them, and we are told of the change only after it has happened (W26). While
 * entries are taken out, with RTNL held, the flag says that it is on.
 */
static void close_port(struct nfto_port *port)
{
	bool off = port->dev && is_switched_off(port->dev);

	WRITE_ONCE(port->open, false);
	if (off)
		port->dev->features |= NETIF_F_HW_TC;
	nfto_engine_drain(port);
	if (off)
		port->dev->features &= ~NETIF_F_HW_TC;
}

/*
 * Takes the entries out first, then unbinds. With @force, because the device is
 * being removed, a driver that refuses is never called again, whatever it
 * keeps.
 *
 * Return: 0 if it is not bound any more.
 */
static int unbind_port(struct nfto_port *port, bool force)
{
	struct netlink_ext_ack extack = {};
	struct flow_block_cb *cb, *tmp;
	int err;

	close_port(port);
	if (!is_bound(port))
		return 0;
	if (atomic_read(&port->n_in) && !force) {
		set_port_state(port, NFTO_PORT_STATE_STUCK, -EBUSY,
			       "the driver does not take its entries out");
		return -EBUSY;
	}
	down_write(&port->block_lock);
	err = ask_to_let_go(port, &extack);
	if (force) {
		list_for_each_entry_safe(cb, tmp, &port->block.cb_list, list) {
			list_del_init(&cb->list);
			/*
			 * The driver of an indirect block may be unloaded after
			 * this port and this module are gone, and calls this
			 * function then: it must be a harmless one of the
			 * kernel's.
			 */
			WRITE_ONCE(cb->indr.cleanup, flow_block_cb_incref);
		}
	}
	up_write(&port->block_lock);
	if (is_bound(port)) {
		set_port_state(port, NFTO_PORT_STATE_STUCK, err ?: -EBUSY, extack._msg);
		return -EBUSY;
	}
	set_port_state(port, NFTO_PORT_STATE_UNBOUND, 0, NULL);
	return 0;
}

/* The admin does not want it to be bound as it is. */
static bool is_disallowed(const struct nfto_port *port)
{
	return is_bound(port) && port->kind == NFTO_PORT_KIND_FLOWER &&
	       !nfto_dialect_may_block(port->dialect, port->driver,
				       port->choice);
}

/* Return: 0 if it is not bound any more. */
static int switch_port_off(struct nfto_port *port)
{
	int err = unbind_port(port, false);

	if (!err)
		set_port_state(port, NFTO_PORT_STATE_SWITCHED_OFF, -EOPNOTSUPP,
			       "hw-tc-offload is off");
	return err;
}

/* --- the work --- */

/* Return: true if the port was let go. */
static bool forget_port(struct nfto_port *port)
{
	struct nfto_net *nn = port->net;
	bool gone;

	mutex_lock(&nn->lock);
	gone = !port->users && !list_empty(&port->list);
	if (gone)
		list_del_init(&port->list);
	mutex_unlock(&nn->lock);
	if (gone)
		nfto_port_put(port);
	return gone;
}

static void bring_about_binding(struct nfto_port *port)
{
	unsigned int users;
	int err;

	mutex_lock(&port->net->lock);
	users = port->users;
	mutex_unlock(&port->net->lock);

	if (!users) {
		err = unbind_port(port, false);
		if (!err && forget_port(port))
			return;
	} else if (port->state == NFTO_PORT_STATE_GONE) {
		return;
	} else if (is_disallowed(port)) {
		err = unbind_port(port, false) ?: bind_port(port);
	} else if (is_bound(port) && READ_ONCE(port->open)) {
		return;
	} else if (!is_bound(port)) {
		err = bind_port(port);
	} else if (is_switched_off(port->dev)) {
		err = switch_port_off(port);
	} else {
		/* It was to be unbound, and the driver refused. */
		set_port_state(port, NFTO_PORT_STATE_BOUND, 0, NULL);
		open_port(port);
		err = 0;
	}
	if (err)
		schedule_bind(port, HZ << min_t(unsigned int, port->bind_tries++,
						RETRY_MAX_SHIFT));
}

static void bind_work(struct work_struct *work)
{
	struct nfto_port *port = container_of(to_delayed_work(work),
					      struct nfto_port, bind_work);

	rtnl_lock();
	bring_about_binding(port);
	rtnl_unlock();
	nfto_port_put(port);
}

/* --- users --- */

static struct nfto_port *find_port(struct nfto_net *nn, const struct net_device *dev)
{
	struct nfto_port *port;

	lockdep_assert_held(&nn->lock);
	list_for_each_entry(port, &nn->ports, list)
		if (port->ifindex == dev->ifindex &&
		    READ_ONCE(port->state) != NFTO_PORT_STATE_GONE)
			return port;
	return NULL;
}

static struct nfto_port *get_port(struct nfto_net *nn, const struct net_device *dev)
{
	struct nfto_port *port;

	mutex_lock(&nn->lock);
	port = find_port(nn, dev);
	if (port)
		refcount_inc(&port->ref);
	mutex_unlock(&nn->lock);
	return port;
}

static struct nfto_port *make_port(struct nfto_net *nn, struct net_device *dev)
{
	struct nfto_port *port;

	port = kzalloc(sizeof(*port), GFP_KERNEL);
	if (!port)
		return NULL;
	refcount_set(&port->ref, 1);
	spin_lock_init(&port->lock);
	init_rwsem(&port->block_lock);
	flow_block_init(&port->block);
	INIT_LIST_HEAD(&port->nexthops);
	INIT_DELAYED_WORK(&port->bind_work, bind_work);
	INIT_WORK(&port->free_work, free_port_work);
	port->dev = dev;
	port->ifindex = dev->ifindex;
	strscpy(port->name, dev->name, sizeof(port->name));
	port->net = nn;
	port->reason = NFTO_REASON_PORT_UNBOUND;
	if (nfto_engine_start(port)) {
		nfto_engine_free(port);
		kfree(port);
		return NULL;
	}
	refcount_inc(&nn->ref);
	nfto_account(1);
	return port;
}

struct nfto_port *nfto_port_use(struct nfto_net *nn, struct net_device *dev)
{
	struct nfto_port *port;

	mutex_lock(&nn->lock);
	port = find_port(nn, dev);
	if (!port) {
		port = make_port(nn, dev);
		if (!port) {
			mutex_unlock(&nn->lock);
			return ERR_PTR(-ENOMEM);
		}
		list_add_tail(&port->list, &nn->ports);
	}
	port->users++;
	refcount_inc(&port->ref);
	mutex_unlock(&nn->lock);
	schedule_bind(port, 0);
	return port;
}

void nfto_port_unuse(struct nfto_port *port)
{
	mutex_lock(&port->net->lock);
	port->users--;
	mutex_unlock(&port->net->lock);
	schedule_bind(port, 0);
	nfto_port_put(port);
}

int nfto_port_bind_now(struct nfto_port *port)
{
	int err = 0;

	if (!rtnl_trylock())
		return -EAGAIN;
	if (!is_bound(port))
		err = bind_port(port);
	rtnl_unlock();
	return err;
}

/*
 * Binds it if it is not bound; port->state says what came of that. RTNL is
 * held.
 */
void nfto_port_bind_rtnl(struct nfto_port *port)
{
	if (!is_bound(port))
		bind_port(port);
}

/* --- what the admin says --- */

static int allow_port(struct nfto_port *port)
{
	int err = 0;

	port->choice = nfto_choice_get(port->net, port->dev, port->driver);
	if (is_disallowed(port))
		err = unbind_port(port, false);
	port->bind_tries = 0;
	if (!err)
		nfto_port_bind_rtnl(port);
	/* What the driver does not do now the work tries again. */
	schedule_bind(port, HZ);
	return err;
}

int nfto_port_allow(struct nfto_net *nn, struct net_device *dev, u8 block,
		    struct nfto_port_told *told, struct netlink_ext_ack *extack)
{
	const struct nfto_dialect *d;
	struct nfto_port *port;
	int err;

	ASSERT_RTNL();
	d = nfto_dialect_of(dev, NFTO_PORT_KIND_FLOWER, told->driver);
	if (block == NFTO_BLOCK_ON && d->trust == NFTO_TRUST_WRONG) {
		NL_SET_ERR_MSG(extack, "The driver is known to do harm; \"force\" allows it");
		return -EOPNOTSUPP;
	}
	err = nfto_choice_set(nn, dev, told->driver, block);
	if (err) {
		NL_SET_ERR_MSG(extack, "No memory to remember it");
		return err;
	}
	told->harm = nfto_dialect_may_block(d, told->driver, block) ? d->harm :
								      NULL;
	port = get_port(nn, dev);
	if (!port)
		return 0;
	strscpy(port->driver, told->driver, sizeof(port->driver));
	err = allow_port(port);
	if (err)
		NL_SET_ERR_MSG(extack, "The driver does not take its entries out");
	nfto_port_put(port);
	return err;
}

/* --- next hops that leave from here --- */

void nfto_port_link(struct nfto_port *port, struct nfto_nexthop *nh)
{
	spin_lock_bh(&port->lock);
	list_add(&nh->port_node, &port->nexthops);
	spin_unlock_bh(&port->lock);
}

void nfto_port_unlink(struct nfto_port *port, struct nfto_nexthop *nh)
{
	spin_lock_bh(&port->lock);
	list_del(&nh->port_node);
	spin_unlock_bh(&port->lock);
}

/* --- events, RTNL held --- */

#define FLUSH_MAX	(2 * HZ)

void nfto_port_flush(struct nfto_net *nn, const struct net_device *dev)
{
	unsigned long until = jiffies + FLUSH_MAX;
	struct nfto_port *port, *last = NULL;

	for (;;) {
		mutex_lock(&nn->lock);
		port = list_prepare_entry(last, &nn->ports, list);
		list_for_each_entry_continue(port, &nn->ports, list) {
			refcount_inc(&port->ref);
			break;
		}
		mutex_unlock(&nn->lock);
		if (last)
			nfto_port_put(last);
		if (list_entry_is_head(port, &nn->ports, list))
			return;
		nfto_engine_flush_dev(port, dev->ifindex, until);
		last = port;
	}
}

void nfto_port_gone(struct nfto_net *nn, struct net_device *dev)
{
	struct nfto_port *port = get_port(nn, dev);

	if (!port)
		return;
	unbind_port(port, true);
	set_port_state(port, NFTO_PORT_STATE_GONE, -ENODEV, NULL);
	/* What the driver refused to take out has gone with the device. */
	nfto_engine_drain(port);
	port->dev = NULL;
	schedule_bind(port, 0);
	nfto_port_put(port);
}

void nfto_port_check(struct nfto_net *nn, struct net_device *dev)
{
	struct nfto_port *port = get_port(nn, dev);

	if (!port)
		return;
	if (is_switched_off(dev) && is_bound(port)) {
		if (switch_port_off(port))
			schedule_bind(port, HZ);
	} else if (!is_switched_off(dev)) {
		port->bind_tries = 0;
		schedule_bind(port, 0);
	}
	nfto_port_put(port);
}

void nfto_port_rename(struct nfto_net *nn, const struct net_device *dev)
{
	struct nfto_port *port = get_port(nn, dev);

	if (!port)
		return;
	strscpy(port->name, dev->name, sizeof(port->name));
	nfto_port_put(port);
}
