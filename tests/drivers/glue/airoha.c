// SPDX-License-Identifier: GPL-2.0
/*
 * Airoha EN7581 PPE (Linux 7): the driver's airoha_ppe.c. Registers read as all ones
 * and forget what is written; what is shown are the entries that wait to be bound,
 * which is done when a packet comes by.
 */
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <linux/soc/airoha/airoha_offload.h>
#include <net/pkt_cls.h>
#include "airoha_regs.h"
#include "airoha_eth.h"
#include "rig.h"

static struct airoha_eth *eth;
static struct airoha_eth_soc_data soc = { .num_ppe = 1 };
static struct airoha_gdm_port ports[RIG_PORTS];
static struct airoha_npu npu;
static LIST_HEAD(block_list);

u32 airoha_rr(void __iomem *base, u32 offset)
{
	return ~0;
}

void airoha_wr(void __iomem *base, u32 offset, u32 val)
{
}

u32 airoha_rmw(void __iomem *base, u32 offset, u32 mask, u32 val)
{
	return 0;
}

int airoha_ppe_debugfs_init(struct airoha_ppe *ppe)
{
	return 0;
}

bool airoha_is_valid_gdm_dev(struct airoha_eth *unused,
			     struct airoha_gdm_dev *dev)
{
	int i;

	for (i = 0; i < RIG_PORTS; i++)
		if (ports[i].devs[0] == dev)
			return true;
	return false;
}

/* --- entries --- */

static void read_l2(const struct airoha_foe_entry *e,
		    const struct airoha_foe_mac_info_common *l2, u32 ib2,
		    struct rig_entry *r)
{
	u32 psed = FIELD_GET(AIROHA_FOE_IB2_PSE_PORT, ib2);
	u32 layers = FIELD_GET(AIROHA_FOE_IB1_BIND_VLAN_LAYER, e->ib1);

	put_unaligned_be32(l2->dest_mac_hi, r->out.dmac);
	put_unaligned_be16(l2->dest_mac_lo, r->out.dmac + 4);
	r->has_macs = true;
	r->decrement = e->ib1 & AIROHA_FOE_IB1_BIND_TTL;
	/* vlan1 is the outer one */
	if (layers > 1)
		rig_push(&r->out, ETH_P_8021Q, l2->vlan2);
	if (layers)
		rig_push(&r->out, ETH_P_8021Q, l2->vlan1);
	r->out.port = psed == FE_PSE_PORT_GDM1 ? 0 :
		      psed == FE_PSE_PORT_GDM2 ? 1 : RIG_HOST;
}

static void read_ip4(const struct airoha_foe_entry *e, struct rig_entry *r)
{
	r->in.family = 4;
	rig_v4(r->in.ip.src, e->ipv4.orig_tuple.src_ip);
	rig_v4(r->in.ip.dst, e->ipv4.orig_tuple.dest_ip);
	r->in.sport = e->ipv4.orig_tuple.src_port;
	r->in.dport = e->ipv4.orig_tuple.dest_port;
	r->out = r->in;
	rig_v4(r->out.ip.src, e->ipv4.new_tuple.src_ip);
	rig_v4(r->out.ip.dst, e->ipv4.new_tuple.dest_ip);
	r->out.sport = e->ipv4.new_tuple.src_port;
	r->out.dport = e->ipv4.new_tuple.dest_port;
	read_l2(e, &e->ipv4.l2.common, e->ipv4.ib2, r);
	put_unaligned_be32(e->ipv4.l2.common.src_mac_hi, r->out.smac);
	put_unaligned_be16(e->ipv4.l2.src_mac_lo, r->out.smac + 4);
	if (e->ib1 & AIROHA_FOE_IB1_BIND_PPPOE)
		r->out.pppoe = e->ipv4.l2.pppoe_id;
}

/* Of IPv6 the source MAC is the port's own, by its number. */
static void read_ip6(const struct airoha_foe_entry *e, struct rig_entry *r)
{
	u32 id = FIELD_GET(AIROHA_FOE_MAC_SMAC_ID, e->ipv6.l2.src_mac_hi);
	int i;

	r->in.family = 6;
	rig_v6(r->in.ip.src, e->ipv6.src_ip);
	rig_v6(r->in.ip.dst, e->ipv6.dest_ip);
	r->in.sport = e->ipv6.src_port;
	r->in.dport = e->ipv6.dest_port;
	r->out = r->in;
	read_l2(e, &e->ipv6.l2, e->ipv6.ib2, r);
	for (i = 0; i < RIG_PORTS; i++)
		if (ports[i].id == id)
			ether_addr_copy(r->out.smac, rig_host[i]->perm_addr);
	if (e->ib1 & AIROHA_FOE_IB1_BIND_PPPOE)
		r->out.pppoe = FIELD_GET(AIROHA_FOE_MAC_PPPOE_ID,
					 e->ipv6.l2.src_mac_hi);
}

static void read_entry(struct seq_file *s, const struct airoha_foe_entry *e)
{
	struct rig_entry r = { .any_port = true, .any_tags = true };

	r.in.proto = e->ib1 & AIROHA_FOE_IB1_BIND_UDP ? IPPROTO_UDP :
							IPPROTO_TCP;
	switch (FIELD_GET(AIROHA_FOE_IB1_BIND_PACKET_TYPE, e->ib1)) {
	case PPE_PKT_TYPE_IPV4_HNAPT:
		read_ip4(e, &r);
		break;
	case PPE_PKT_TYPE_IPV6_ROUTE_5T:
		read_ip6(e, &r);
		break;
	default:
		r.note = "other-type";
	}
	rig_show(s, &r);
}

static void show(struct seq_file *s)
{
	u32 i, n = airoha_ppe_get_total_num_entries(eth->ppe);
	struct airoha_flow_table_entry *e;

	for (i = 0; i < n; i++)
		hlist_for_each_entry(e, &eth->ppe->foe_flow[i], list)
			read_entry(s, &e->data);
}

/* --- airoha_eth.c's, which is too large to take along --- */

static int block_cb(enum tc_setup_type type, void *data, void *priv)
{
	if (!tc_can_offload(priv) || type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	return airoha_ppe_setup_tc_block_cb(&eth->ppe->dev, data);
}

static int setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	return flow_block_cb_setup_simple(data, &block_list, block_cb, dev, dev,
					  true);
}

/* --- begin --- */

static int setup(struct net_device *dev, int index)
{
	struct airoha_gdm_dev *gdm = netdev_priv(dev);

	ether_addr_copy(dev->perm_addr, dev->dev_addr);
	ports[index].id = index + 1;
	ports[index].devs[0] = gdm;
	gdm->port = &ports[index];
	gdm->eth = eth;
	eth->ports[index] = &ports[index];
	return 0;
}

static int start(struct device *parent)
{
	dma_coerce_mask_and_coherent(parent, DMA_BIT_MASK(64));
	eth = kzalloc(sizeof(*eth), GFP_KERNEL);
	if (!eth)
		return -ENOMEM;
	eth->dev = parent;
	eth->soc = &soc;
	set_bit(DEV_STATE_REGISTERED, &eth->state);
	RCU_INIT_POINTER(eth->npu, &npu);
	return airoha_ppe_init(eth);
}

const struct rig_driver rig_driver = {
	.name = "airoha_eth",
	.priv_size = sizeof(struct airoha_gdm_dev),
	.start = start,
	.setup = setup,
	.setup_tc = setup_tc,
	.show = show,
};
