// SPDX-License-Identifier: GPL-2.0
/*
 * MediaTek PPE: the driver's mtk_ppe.c and mtk_ppe_offload.c. Registers are
 * ordinary memory, and so is the table of entries, which is what is shown. The
 * hardware's part of binding an entry (an UNBIND entry with the packet's tuple,
 * a packet with its hash) is played in bind().
 */
#include <linux/dma-mapping.h>
#include "mtk_eth_soc.h"
#include "rig.h"

/* NETSYS 2, as in MT7986 */
static bool v2;
module_param(v2, bool, 0444);

static struct mtk_eth *eth;
static struct mtk_soc_data soc;

#ifdef MTK_HAS_VERSION
#define PPE_INIT(base)	mtk_ppe_init(eth, base, 0)
#define OFFLOAD_INIT()	mtk_eth_offload_init(eth, 0)

static void set_version(void)
{
	soc.version = v2 ? 2 : 1;
	soc.ppe_num = 1;
	soc.foe_entry_size = v2 ? MTK_FOE_ENTRY_V2_SIZE : MTK_FOE_ENTRY_V1_SIZE;
}
#else
#define PPE_INIT(base)	mtk_ppe_init(eth, base, 2, 0)
#define OFFLOAD_INIT()	mtk_eth_offload_init(eth)

static void set_version(void)
{
	soc.caps = v2 ? MTK_NETSYS_V2 : 0;
	soc.foe_entry_size = sizeof(struct mtk_foe_entry) - (v2 ? 0 : 16);
}
#endif

int mtk_ppe_debugfs_init(struct mtk_ppe *ppe, int index)
{
	return 0;
}

/* The PPE's clock, in seconds. */
u32 mtk_r32(struct mtk_eth *unused, unsigned int reg)
{
	return jiffies / HZ & 0xff;
}

static struct mtk_foe_entry *slot(u32 hash)
{
	return eth->ppe[0]->foe_table + hash * soc.foe_entry_size;
}

static void read_l2(const struct mtk_foe_entry *e,
		    const struct mtk_foe_mac_info *l2, u32 ib2,
		    struct rig_entry *r)
{
	u32 ttl = v2 ? MTK_FOE_IB1_BIND_TTL_V2 : MTK_FOE_IB1_BIND_TTL;
	u32 layers = mtk_get_ib1_vlan_layer(eth, e->ib1);
	u32 psed = v2 ? FIELD_GET(MTK_FOE_IB2_DEST_PORT_V2, ib2) :
			FIELD_GET(MTK_FOE_IB2_DEST_PORT, ib2);

	put_unaligned_be32(l2->dest_mac_hi, r->out.dmac);
	put_unaligned_be16(l2->dest_mac_lo, r->out.dmac + 4);
	put_unaligned_be32(l2->src_mac_hi, r->out.smac);
	put_unaligned_be16(l2->src_mac_lo, r->out.smac + 4);
	r->has_macs = true;
	r->decrement = e->ib1 & ttl;
	/* vlan1 is the outer one; a DSA tag would stand in etype */
	if (layers > 1)
		rig_push(&r->out, ETH_P_8021Q, l2->vlan2);
	if (layers)
		rig_push(&r->out, ETH_P_8021Q, l2->vlan1);
	if (e->ib1 & mtk_get_ib1_ppoe_mask(eth))
		r->out.pppoe = l2->pppoe_id;
	/* PSE_GDM1_PORT is 1, PSE_GDM2_PORT 2 */
	r->out.port = psed == 1 || psed == 2 ? psed - 1 : RIG_HOST;
}

static void read_ip4(const struct mtk_foe_entry *e, struct rig_entry *r)
{
	r->in.family = 4;
	rig_v4(r->in.ip.src, e->ipv4.orig.src_ip);
	rig_v4(r->in.ip.dst, e->ipv4.orig.dest_ip);
	r->in.sport = e->ipv4.orig.src_port;
	r->in.dport = e->ipv4.orig.dest_port;
	r->out = r->in;
	rig_v4(r->out.ip.src, e->ipv4.new.src_ip);
	rig_v4(r->out.ip.dst, e->ipv4.new.dest_ip);
	r->out.sport = e->ipv4.new.src_port;
	r->out.dport = e->ipv4.new.dest_port;
	read_l2(e, &e->ipv4.l2, e->ipv4.ib2, r);
}

static void read_ip6(const struct mtk_foe_entry *e, struct rig_entry *r)
{
	r->in.family = 6;
	rig_v6(r->in.ip.src, e->ipv6.src_ip);
	rig_v6(r->in.ip.dst, e->ipv6.dest_ip);
	r->in.sport = e->ipv6.src_port;
	r->in.dport = e->ipv6.dest_port;
	r->out = r->in;
	read_l2(e, &e->ipv6.l2, e->ipv6.ib2, r);
}

static u32 key_len(u32 type)
{
	return (type > MTK_PPE_PKT_TYPE_IPV4_DSLITE ?
		offsetof(struct mtk_foe_entry, ipv6._rsv) :
		offsetof(struct mtk_foe_entry, ipv4.ib2)) - 4;
}

/*
 * When one entry of a bucket is bound, the driver forgets where the others of
 * that bucket are, and does not take these out: they age.
 */
static bool is_aged(const struct mtk_foe_entry *e, u32 hash)
{
	u32 len = key_len(mtk_get_ib1_pkt_type(eth, e->ib1));
	const struct mtk_flow_entry *entry;

	hlist_for_each_entry(entry, &eth->ppe[0]->foe_flow[hash / soc.hash_offset],
			     list)
		if (!memcmp(entry->data.data, e->data, len))
			return false;
	return true;
}

static void show(struct seq_file *s)
{
	u32 hash;

	for (hash = 0; hash < MTK_PPE_ENTRIES; hash++) {
		const struct mtk_foe_entry *e = slot(hash);
		struct rig_entry r = { .any_port = true, .any_tags = true };

		if (FIELD_GET(MTK_FOE_IB1_STATE, e->ib1) != MTK_FOE_STATE_BIND ||
		    is_aged(e, hash))
			continue;
		r.in.proto = e->ib1 & MTK_FOE_IB1_UDP ? IPPROTO_UDP :
							IPPROTO_TCP;
		switch (mtk_get_ib1_pkt_type(eth, e->ib1)) {
		case MTK_PPE_PKT_TYPE_IPV4_HNAPT:
			read_ip4(e, &r);
			break;
		case MTK_PPE_PKT_TYPE_IPV6_ROUTE_5T:
			read_ip6(e, &r);
			break;
		default:
			r.note = "other-type";
		}
		rig_show(s, &r);
	}
}

/* --- the hardware's part --- */

/* A packet comes by that the entry is for: hardware makes an UNBIND entry. */
static void packet(struct mtk_flow_entry *entry, u32 hash)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);
	struct mtk_foe_entry *e = slot(hash);

	if (!skb)
		return;
	memset(e, 0, soc.foe_entry_size);
	memcpy(e->data, entry->data.data,
	       key_len(mtk_get_ib1_pkt_type(eth, entry->data.ib1)));
	e->ib1 = (entry->data.ib1 & ~MTK_FOE_IB1_STATE) |
		 FIELD_PREP(MTK_FOE_IB1_STATE, MTK_FOE_STATE_UNBIND);
	skb_reset_mac_header(skb);
	skb_put_zero(skb, 60);
	__mtk_ppe_check_skb(eth->ppe[0], skb, hash);
	kfree_skb(skb);
}

static void bind_in(struct mtk_flow_entry *entry, u32 bucket)
{
	u32 hash = bucket * soc.hash_offset, i;

	for (i = 0; i < soc.hash_offset; i++, hash++) {
		if (FIELD_GET(MTK_FOE_IB1_STATE, slot(hash)->ib1) !=
		    MTK_FOE_STATE_BIND) {
			packet(entry, hash);
			return;
		}
	}
}

static void bind(unsigned long cookie)
{
	struct mtk_flow_entry *entry;
	u32 i;

	for (i = 0; i < MTK_PPE_ENTRIES / soc.hash_offset; i++) {
		hlist_for_each_entry(entry, &eth->ppe[0]->foe_flow[i], list) {
			if (entry->cookie == cookie) {
				bind_in(entry, i);
				return;
			}
		}
	}
}

/* --- begin --- */

static int setup(struct net_device *dev, int index)
{
	struct mtk_mac *mac = netdev_priv(dev);

	mac->id = index;
	mac->hw = eth;
	eth->mac[index] = mac;
	eth->netdev[index] = dev;
	return 0;
}

static int start(struct device *parent)
{
	void *regs;
	int err;

	dma_coerce_mask_and_coherent(parent, DMA_BIT_MASK(64));
	eth = kzalloc(sizeof(*eth), GFP_KERNEL);
	regs = kzalloc(0x40000, GFP_KERNEL);
	if (!eth || !regs)
		return -ENOMEM;
	set_version();
	soc.offload_version = 2;
	soc.hash_offset = v2 ? 4 : 2;
	eth->soc = &soc;
	eth->dev = parent;
	eth->dma_dev = parent;
	eth->base = (void __iomem *)regs;
	eth->ppe[0] = PPE_INIT(eth->base + 0x2000);
	if (!eth->ppe[0])
		return -ENOMEM;
	err = OFFLOAD_INIT();
	if (!err)
		mtk_ppe_start(eth->ppe[0]);
	return err;
}

const struct rig_driver rig_driver = {
	.name = "mtk_soc_eth",
	.priv_size = sizeof(struct mtk_mac),
	.start = start,
	.setup = setup,
	.setup_tc = mtk_eth_setup_tc,
	.bind = bind,
	.show = show,
};
