// SPDX-License-Identifier: GPL-2.0
/*
 * Synopsys DWMAC 4.x/5.x: the driver's stmmac_tc.c and dwmac4_core.c. Registers are
 * ordinary memory, and read as the MAC does: it hands packets that one of its
 * filters is for to the host, and drops all other TCP and UDP.
 */
#include <linux/bitfield.h>
#include <net/pkt_cls.h>
#include "stmmac.h"
#include "dwmac4.h"
#include "dwmac5.h"
#include "rig.h"

#define FILTERS	8

static struct device *parent_dev;
static void __iomem *regs[RIG_PORTS];
static LIST_HEAD(block_list);

static void read_filter(struct seq_file *s, int port, int i)
{
	u32 ctrl = readl(regs[port] + GMAC_L3L4_CTRL(i));
	u32 l4 = readl(regs[port] + GMAC_L4_ADDR(i));
	struct rig_entry r = { .note = "drops-all-other-TCP-and-UDP" };

	if (!ctrl)
		return;
	r.in.port = port;
	r.in.family = ctrl & GMAC_L3PEN0 ? 6 : 4;
	r.in.proto = ctrl & GMAC_L4PEN0 ? IPPROTO_UDP : IPPROTO_TCP;
	r.any_tags = true;
	if (ctrl & GMAC_L3SAM0)
		rig_v4(r.in.ip.src, readl(regs[port] + GMAC_L3_ADDR0(i)));
	if (ctrl & GMAC_L3DAM0)
		rig_v4(r.in.ip.dst, readl(regs[port] + GMAC_L3_ADDR1(i)));
	if (ctrl & GMAC_L4SPM0)
		r.in.sport = FIELD_GET(GMAC_L4SP0, l4);
	if (ctrl & GMAC_L4DPM0)
		r.in.dport = FIELD_GET(GMAC_L4DP0, l4);
	r.out = r.in;
	r.out.port = RIG_HOST;
	if (!(readl(regs[port] + GMAC_PACKET_FILTER) & GMAC_PACKET_FILTER_IPFE))
		r.note = "no-filter-is-on";
	rig_show(s, &r);
}

static void show(struct seq_file *s)
{
	int port, i;

	for (port = 0; port < RIG_PORTS; port++)
		for (i = 0; i < FILTERS; i++)
			read_filter(s, port, i);
}

/* stmmac_main.c's, without its queues */
static int block_cb(enum tc_setup_type type, void *data, void *cb_priv)
{
	struct stmmac_priv *priv = cb_priv;

	if (!tc_cls_can_offload_and_chain0(priv->dev, data) ||
	    type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	return stmmac_tc_setup_cls(priv, priv, data);
}

static int setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	struct stmmac_priv *priv = netdev_priv(dev);

	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	return flow_block_cb_setup_simple(data, &block_list, block_cb, priv,
					  priv, true);
}

static int setup(struct net_device *dev, int index)
{
	struct stmmac_priv *priv = netdev_priv(dev);
	void *memory = kzalloc(0x10000, GFP_KERNEL);

	priv->dev = dev;
	priv->device = parent_dev;
	priv->hw = kzalloc(sizeof(*priv->hw), GFP_KERNEL);
	priv->plat = kzalloc(sizeof(*priv->plat), GFP_KERNEL);
	if (!memory || !priv->hw || !priv->plat)
		return -ENOMEM;
	regs[index] = (void __iomem *)memory;
	priv->ioaddr = regs[index];
	priv->hw->pcsr = regs[index];
	priv->hw->mac = &dwmac510_ops;
	priv->hw->tc = &dwmac510_tc_ops;
	priv->dma_cap.l3l4fnum = FILTERS;
	return stmmac_tc_init(priv, priv);
}

static int start(struct device *parent)
{
	parent_dev = parent;
	return 0;
}

const struct rig_driver rig_driver = {
	.name = "dwmac-generic",
	.info = "st_gmac",
	.priv_size = sizeof(struct stmmac_priv),
	.start = start,
	.setup = setup,
	.setup_tc = setup_tc,
	.show = show,
};
