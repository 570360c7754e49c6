// SPDX-License-Identifier: GPL-2.0
/*
 * Which drivers are known, by name: whether they may be bound as tc flower's
 * (TC_SETUP_BLOCK), and how a rule has to be written so that they read it right.
 *
 * What a driver answers says nothing of that: some accept a rule and then do
 * something else. So the table holds what the drivers' own code was seen to do
 * with our rules. A driver of flowtables (TC_SETUP_FT) that is not in it gets
 * what nf_flow_table would send, because it was written for that; a driver of
 * tc flower that is not in it gets nothing, unless the admin allows it.
 */
#include <linux/ethtool.h>
#include <linux/module.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/rtnetlink.h>
#include "hw/internal.h"
#include "net.h"

static char *block_drivers = "";
module_param(block_drivers, charp, 0444);
MODULE_PARM_DESC(block_drivers, "drivers, separated by commas, that may be given flows as rules of tc flower although they are not known to carry them out right (see nft-offload port set)");

/* --- the table --- */

#define MLX5					\
	.trust = NFTO_TRUST_RIGHT,		\
	.ttl = NFTO_TTL_ACTION,			\
	.csum = true,				\
	.tcp_flags = true

/* Packet engines: the TTL falls unasked, the session of PPPoE goes unasked. */
#define PACKET_ENGINE				\
	.trust = NFTO_TRUST_RIGHT,		\
	.ttl = NFTO_TTL_UNASKED,		\
	.csum = true,				\
	.meta = true,				\
	.tcp_flags = true,			\
	.outer_first = true,			\
	.decapsulates = true,			\
	.only_8021q = true

#define STMMAC					\
	.trust = NFTO_TRUST_WRONG,		\
	.ttl = NFTO_TTL_ACTION,			\
	.csum = true,				\
	.full = -ENOENT,			\
	.harm = "has the NIC drop all TCP and UDP packets that no rule takes"

static const struct nfto_dialect dialects[] = {
	{ .driver = "mlx5_core", MLX5 },
	{ .driver = "mlx5e_rep", MLX5, .meta = true },
	{ .driver = "mtk_soc_eth", PACKET_ENGINE },
	/* Wi-Fi below the same packet engine; for the last one also airoha's. */
	{ .driver = "mt7915e", PACKET_ENGINE },
	{ .driver = "mt798x-wmac", PACKET_ENGINE },
	{ .driver = "mt7996e", PACKET_ENGINE, .ipv6_own_source = true },
	{ .driver = "airoha_eth", PACKET_ENGINE, .ipv6_own_source = true },
	/* Takes the TTL's decrement in a form that is not built: refuses. */
	{
		.driver = "nfp",
		.trust = NFTO_TRUST_RIGHT,
		.ttl = NFTO_TTL_ACTION,
		.csum = true,
		.full = -ENOENT,
	},
	{
		.driver = "sfc_ef100",
		.trust = NFTO_TRUST_RIGHT,
		.ttl = NFTO_TTL_ACTION,
	},
	{
		.driver = "cxgb4",
		.trust = NFTO_TRUST_ADMIN,
		.ttl = NFTO_TTL_UNASKED,
		.max_encap = 1,
		.full = -ENOMEM,
		.harm = "does not decrement the TTL",
	},
	{ .driver = "st_gmac", STMMAC },
	{ .driver = "st_xgmac", STMMAC },
	{ .driver = "st_mac100", STMMAC },
	{ .driver = "stmmaceth", STMMAC },
	{ .driver = "dwmac-*", STMMAC },
	{ .driver = "*-dwmac", STMMAC },
	{
		.driver = "bnxt_en",
		.trust = NFTO_TRUST_WRONG,
		.ttl = NFTO_TTL_ACTION,
		.csum = true,
		.gone = -EPERM,
		.harm = "writes other addresses and ports than it is told, and leaves the TTL",
	},
	{
		.driver = "yt921x",
		.trust = NFTO_TRUST_WRONG,
		.ttl = NFTO_TTL_ACTION,
		.csum = true,
		.harm = "sends the packets of rules that it does not understand to the host",
	},
	/* The simulated NIC's own name: a driver of tc flower that is right. */
	{
		.driver = "nft_offload_sim",
		.trust = NFTO_TRUST_RIGHT,
		.ttl = NFTO_TTL_ACTION,
		.csum = true,
	},
};

/* Whether the decrement is an action is found out, see worker.c. */
static const struct nfto_dialect unknown_flowtable = {
	.driver = "",
	.trust = NFTO_TRUST_UNKNOWN,
	.ttl = NFTO_TTL_UNKNOWN,
	.csum = true,
	.meta = true,
	.tcp_flags = true,
	.outer_first = true,
};

static const struct nfto_dialect unknown_flower = {
	.driver = "",
	.trust = NFTO_TRUST_UNKNOWN,
	.ttl = NFTO_TTL_ACTION,
	.csum = true,
	.harm = "is not known to carry out flows right",
};

static bool is_named(const char *pattern, const char *name)
{
	size_t len = strlen(pattern), name_len = strlen(name);

	if (pattern[0] == '*')
		return name_len >= len - 1 &&
		       !strcmp(name + name_len - (len - 1), pattern + 1);
	if (pattern[len - 1] == '*')
		return !strncmp(name, pattern, len - 1);
	return !strcmp(name, pattern);
}

static const struct nfto_dialect *find_dialect(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(dialects); i++)
		if (is_named(dialects[i].driver, name))
			return &dialects[i];
	return NULL;
}

/* --- a device's driver --- */

/*
 * A driver can be called by several names, and none of them alone will do. What
 * it tells of itself (ethtool -i) distinguishes mlx5's representors, mlx5e_rep,
 * from the NIC; the bus says mlx5_core of both. It is also the one name that all
 * of stmmac's bus drivers, some 30, have in common. But sfc says "sfc" for NICs
 * of which only one kind, on the bus sfc_ef100, knows flows; and ports of a DSA
 * switch all say "dsa". So the driver's own word is looked up first, then the
 * bus's, then the kind of a virtual device.
 */
static void tell_name(struct net_device *dev, char name[NFTO_DRIVER_LEN])
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	struct ethtool_drvinfo info = {};

	ASSERT_RTNL();
	if (!ops || !ops->get_drvinfo)
		return;
	info.cmd = ETHTOOL_GDRVINFO;
	ops->get_drvinfo(dev, &info);
	strscpy(name, info.driver, NFTO_DRIVER_LEN);
}

static const char *bus_name(const struct net_device *dev)
{
	const struct device *parent = dev->dev.parent;

	return parent && parent->driver ? parent->driver->name : "";
}

static const char *kind_name(const struct net_device *dev)
{
	return dev->rtnl_link_ops ? dev->rtnl_link_ops->kind : "";
}

/* A DSA port's flowtables, unlike its rules of tc, go to the device below. */
static struct net_device *dsa_conduit(struct net_device *dev, const char *name)
{
	int ifindex = dev_get_iflink(dev);

	if (strcmp(name, "dsa") || ifindex == dev->ifindex)
		return NULL;
	return __dev_get_by_index(dev_net(dev), ifindex);
}

/*
 * Finds the dialect of a device's driver, or NULL; @name becomes the driver's
 * name: that in the table, or the one that an admin knows it by.
 */
static const struct nfto_dialect *look_up(struct net_device *dev,
					  char name[NFTO_DRIVER_LEN])
{
	const char *other = bus_name(dev);
	const struct nfto_dialect *d;

	name[0] = '\0';
	tell_name(dev, name);
	d = find_dialect(name);
	if (d)
		return d;
	if (!other[0])
		other = kind_name(dev);
	d = find_dialect(other);
	if (d || !name[0])
		strscpy(name, other, NFTO_DRIVER_LEN);
	return d;
}

/**
 * nfto_dialect_of() - how a device's driver is to be spoken to
 * @dev: the device
 * @kind: how it is, or would be, bound
 * @name: where the driver's name goes; empty if it has none
 *
 * Context: RTNL.
 * Return: never NULL.
 */
const struct nfto_dialect *nfto_dialect_of(struct net_device *dev,
					   enum nfto_port_kind kind,
					   char name[NFTO_DRIVER_LEN])
{
	const struct nfto_dialect *d = look_up(dev, name);
	char below[NFTO_DRIVER_LEN];
	struct net_device *conduit;

	switch (kind) {
	case NFTO_PORT_KIND_FLOWER:
		return d ?: &unknown_flower;
	case NFTO_PORT_KIND_INDIRECT:
		/* Nobody else takes flowtables indirectly. */
		return find_dialect("mlx5e_rep");
	default:
		conduit = d ? NULL : dsa_conduit(dev, name);
		if (conduit)
			d = look_up(conduit, below);
		return d ?: &unknown_flowtable;
	}
}

/* --- what the admin has said --- */

/**
 * struct choice - of a device, whether it may be bound by TC_SETUP_BLOCK
 * @list: in net->choices; under net->lock
 * @dev: the device's name
 * @driver: its driver's
 * @block: enum nfto_block
 *
 * Of the name and not the device, because a driver that is loaded anew makes new
 * devices. It is for that driver only: another NIC may have the name next time.
 */
struct choice {
	struct list_head list;
	char dev[IFNAMSIZ];
	char driver[NFTO_DRIVER_LEN];
	u8 block;
};

static struct choice *find_choice(struct nfto_net *nn,
				  const struct net_device *dev, const char *driver)
{
	struct choice *c;

	lockdep_assert_held(&nn->lock);
	list_for_each_entry(c, &nn->choices, list)
		if (!strcmp(c->dev, dev->name) && !strcmp(c->driver, driver))
			return c;
	return NULL;
}

/* Context: process, RTNL. Return: enum nfto_block. */
u8 nfto_choice_get(struct nfto_net *nn, const struct net_device *dev,
		   const char *driver)
{
	const struct choice *c;
	u8 block;

	mutex_lock(&nn->lock);
	c = find_choice(nn, dev, driver);
	block = c ? c->block : NFTO_BLOCK_DEFAULT;
	mutex_unlock(&nn->lock);
	return block;
}

/* Context: process, RTNL. Return: 0 or -ENOMEM. */
int nfto_choice_set(struct nfto_net *nn, const struct net_device *dev,
		    const char *driver, u8 block)
{
	struct choice *c;
	int err = 0;

	mutex_lock(&nn->lock);
	c = find_choice(nn, dev, driver);
	if (!c && block != NFTO_BLOCK_DEFAULT) {
		c = kzalloc(sizeof(*c), GFP_KERNEL);
		if (!c) {
			err = -ENOMEM;
			goto unlock;
		}
		strscpy(c->dev, dev->name, sizeof(c->dev));
		strscpy(c->driver, driver, sizeof(c->driver));
		list_add_tail(&c->list, &nn->choices);
	}
	if (c && block == NFTO_BLOCK_DEFAULT) {
		list_del(&c->list);
		kfree(c);
	} else if (c) {
		c->block = block;
	}
unlock:
	mutex_unlock(&nn->lock);
	return err;
}

void nfto_choices_free(struct nfto_net *nn)
{
	struct choice *c, *tmp;

	list_for_each_entry_safe(c, tmp, &nn->choices, list) {
		list_del(&c->list);
		kfree(c);
	}
}

static bool is_in_parameter(const char *driver)
{
	size_t len = strlen(driver);
	const char *at = block_drivers;

	while (len && at) {
		if (!strncmp(at, driver, len) && (!at[len] || at[len] == ','))
			return true;
		at = strchr(at, ',');
		if (at)
			at++;
	}
	return false;
}

/**
 * nfto_dialect_may_block() - whether a driver may be bound by TC_SETUP_BLOCK
 * @d: what is known of it
 * @driver: its name
 * @block: enum nfto_block, what the admin has said of the device
 *
 * Context: any.
 * Return: true if it may.
 */
bool nfto_dialect_may_block(const struct nfto_dialect *d, const char *driver,
			    u8 block)
{
	if (block == NFTO_BLOCK_OFF)
		return false;
	switch (d->trust) {
	case NFTO_TRUST_RIGHT:
		return true;
	case NFTO_TRUST_WRONG:
		return block == NFTO_BLOCK_FORCE;
	default:
		return block == NFTO_BLOCK_ON || block == NFTO_BLOCK_FORCE ||
		       is_in_parameter(driver);
	}
}
