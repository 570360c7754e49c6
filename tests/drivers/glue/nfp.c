// SPDX-License-Identifier: GPL-2.0
/*
 * Netronome nfp with flower firmware: the driver's flower/offload.c, match.c,
 * action.c, metadata.c. The message that would add a flow to the firmware is read.
 */
#include <net/pkt_cls.h>
#include "flower/main.h"
#include "flower/cmsg.h"
#include "nfp_app.h"
#include "nfp_net_repr.h"
#include "nfp_port.h"
#include "rig.h"

#define PORT_ID(index)	(0x10000001 + (index))
#define CONTEXTS	1024

/* The driver knows its representors by this address. */
const struct net_device_ops nfp_repr_netdev_ops = { RIG_NETDEV_OPS };

static struct nfp_app *app;
static struct nfp_flower_repr_priv repr_priv[RIG_PORTS];

/* The firmware knows two tags. */
static bool qinq = true;
module_param(qinq, bool, 0444);

struct sk_buff *nfp_flower_cmsg_alloc(struct nfp_app *unused, unsigned int size,
				      enum nfp_flower_cmsg_type_port type,
				      gfp_t flag)
{
	struct sk_buff *skb = alloc_skb(size + NFP_FLOWER_CMSG_HLEN, flag);
	struct nfp_flower_cmsg_hdr *ch;

	if (!skb)
		return NULL;
	ch = skb_put_zero(skb, size + NFP_FLOWER_CMSG_HLEN);
	ch->version = NFP_FLOWER_CMSG_VER1;
	ch->type = type;
	return skb;
}

static int index_of(u32 port_id)
{
	return port_id == PORT_ID(0) || port_id == PORT_ID(1) ?
	       (int)(port_id - PORT_ID(0)) : RIG_HOST;
}

/* --- matches --- */

/* A layer of key and mask each; @size bytes further on is the next one. */
struct cursor {
	const u8 *key;
	const u8 *mask;
};

static struct cursor take(struct cursor *c, size_t size)
{
	struct cursor now = *c;

	c->key += size;
	c->mask += size;
	return now;
}

static void read_ip(struct rig_entry *r, const struct nfp_flower_ip_ext *key,
		    const struct nfp_flower_ip_ext *mask)
{
	r->in.proto = key->proto & mask->proto;
	if (mask->ttl == 0xff)
		r->in.ttl = key->ttl;
	else if (mask->ttl)
		r->note = "matches-part-of-the-ttl";
}

static void read_ip4(struct rig_entry *r, struct cursor c)
{
	const struct nfp_flower_ipv4 *key = (const void *)c.key;
	const struct nfp_flower_ipv4 *mask = (const void *)c.mask;

	r->in.family = 4;
	memcpy(r->in.ip.src, &key->ipv4_src, 4);
	memcpy(r->in.ip.dst, &key->ipv4_dst, 4);
	if (~mask->ipv4_src || ~mask->ipv4_dst)
		r->note = "matches-part-of-the-address";
	read_ip(r, &key->ip_ext, &mask->ip_ext);
}

static void read_ip6(struct rig_entry *r, struct cursor c)
{
	const struct nfp_flower_ipv6 *key = (const void *)c.key;
	const struct nfp_flower_ipv6 *mask = (const void *)c.mask;

	r->in.family = 6;
	memcpy(r->in.ip.src, &key->ipv6_src, 16);
	memcpy(r->in.ip.dst, &key->ipv6_dst, 16);
	if (memchr_inv(&mask->ipv6_src, 0xff, 16) ||
	    memchr_inv(&mask->ipv6_dst, 0xff, 16))
		r->note = "matches-part-of-the-address";
	read_ip(r, &key->ip_ext, &mask->ip_ext);
}

static void read_ports(struct rig_entry *r, struct cursor c)
{
	const struct nfp_flower_tp_ports *key = (const void *)c.key;
	const struct nfp_flower_tp_ports *mask = (const void *)c.mask;

	r->in.sport = ntohs(key->port_src);
	r->in.dport = ntohs(key->port_dst);
	r->any_ports = mask->port_src != htons(0xffff) ||
		       mask->port_dst != htons(0xffff);
}

/* Firmware without QinQ matches the outer tag in the first word. */
static void read_tci(struct rig_entry *r, struct cursor c)
{
	const struct nfp_flower_meta_tci *key = (const void *)c.key;
	const struct nfp_flower_meta_tci *mask = (const void *)c.mask;
	u16 tci = ntohs(key->tci), used = ntohs(mask->tci);

	if (!(used & NFP_FLOWER_MASK_VLAN_PRESENT))
		r->any_tags = true;
	else if (tci & NFP_FLOWER_MASK_VLAN_PRESENT)
		r->in.tag[r->in.n_tags++] = (struct rig_tag){
			ETH_P_8021Q, tci & VLAN_VID_MASK };
}

static void read_qinq(struct rig_entry *r, struct cursor c)
{
	const struct nfp_flower_vlan *key = (const void *)c.key;
	const struct nfp_flower_vlan *mask = (const void *)c.mask;
	const u16 present = NFP_FLOWER_MASK_VLAN_PRESENT;

	r->in.n_tags = 0;
	r->any_tags = !(ntohs(mask->outer_tci) & present);
	if (ntohs(key->outer_tci) & present)
		r->in.tag[r->in.n_tags++] = (struct rig_tag){
			ntohs(key->outer_tpid),
			ntohs(key->outer_tci) & VLAN_VID_MASK };
	if (ntohs(key->inner_tci) & present)
		r->in.tag[r->in.n_tags++] = (struct rig_tag){
			ntohs(key->inner_tpid),
			ntohs(key->inner_tci) & VLAN_VID_MASK };
}

static void read_match(struct rig_entry *r, struct cursor c)
{
	u8 layers = c.key[0];
	u32 more = 0;
	__be32 port;

	read_tci(r, take(&c, sizeof(struct nfp_flower_meta_tci)));
	if (layers & NFP_FLOWER_LAYER_EXT_META)
		more = get_unaligned_be32(take(&c, 4).key);
	memcpy(&port, take(&c, sizeof(struct nfp_flower_in_port)).key, 4);
	r->in.port = index_of(ntohl(port));
	if (layers & NFP_FLOWER_LAYER_MAC)
		take(&c, sizeof(struct nfp_flower_mac_mpls));
	r->any_ports = true;
	if (layers & NFP_FLOWER_LAYER_TP)
		read_ports(r, take(&c, sizeof(struct nfp_flower_tp_ports)));
	if (layers & NFP_FLOWER_LAYER_IPV4)
		read_ip4(r, take(&c, sizeof(struct nfp_flower_ipv4)));
	if (layers & NFP_FLOWER_LAYER_IPV6)
		read_ip6(r, take(&c, sizeof(struct nfp_flower_ipv6)));
	if (more & NFP_FLOWER_LAYER2_QINQ)
		read_qinq(r, take(&c, sizeof(struct nfp_flower_vlan)));
}

/* --- actions --- */

static void set_ip6(u8 *to, const struct nfp_fl_set_ipv6_addr *a)
{
	int i;

	for (i = 0; i < 4; i++) {
		u32 mask = ntohl(a->ipv6[i].mask);
		u32 old = get_unaligned_be32(to + i * 4);

		old = (old & ~mask) | (ntohl(a->ipv6[i].exact) & mask);
		put_unaligned_be32(old, to + i * 4);
	}
}

static void set_word(u8 *to, __be32 value, __be32 mask)
{
	u32 old = get_unaligned_be32(to);

	put_unaligned_be32((old & ~ntohl(mask)) | ntohl(value & mask), to);
}

static void set_ports(struct rig_packet *p, const struct nfp_fl_set_tport *a)
{
	u8 port[4];

	put_unaligned_be16(p->sport, port);
	put_unaligned_be16(p->dport, port + 2);
	set_word(port, *(const __be32 *)a->tp_port_val,
		 *(const __be32 *)a->tp_port_mask);
	p->sport = get_unaligned_be16(port);
	p->dport = get_unaligned_be16(port + 2);
}

static void set_eth(struct rig_entry *r, const struct nfp_fl_set_eth *a)
{
	memcpy(r->out.dmac, a->eth_addr_val, ETH_ALEN);
	memcpy(r->out.smac, a->eth_addr_val + ETH_ALEN, ETH_ALEN);
	r->has_macs = !memchr_inv(a->eth_addr_mask, 0xff, 2 * ETH_ALEN);
}

static void read_action(struct rig_entry *r, const void *a, u8 opcode)
{
	switch (opcode) {
	case NFP_FL_ACTION_OPCODE_OUTPUT:
		r->out.port = index_of(ntohl(((struct nfp_fl_output *)a)->port));
		break;
	case NFP_FL_ACTION_OPCODE_SET_ETHERNET:
		set_eth(r, a);
		break;
	case NFP_FL_ACTION_OPCODE_SET_IPV4_ADDRS: {
		const struct nfp_fl_set_ip4_addrs *ip = a;

		set_word(r->out.ip.src, ip->ipv4_src, ip->ipv4_src_mask);
		set_word(r->out.ip.dst, ip->ipv4_dst, ip->ipv4_dst_mask);
		break;
	}
	case NFP_FL_ACTION_OPCODE_SET_IPV4_TTL_TOS: {
		const struct nfp_fl_set_ip4_ttl_tos *ip = a;

		if (ip->ipv4_ttl_mask == 0xff)
			r->out.ttl = ip->ipv4_ttl;
		break;
	}
	case NFP_FL_ACTION_OPCODE_SET_IPV6_TC_HL_FL: {
		const struct nfp_fl_set_ipv6_tc_hl_fl *ip = a;

		if (ip->ipv6_hop_limit_mask == 0xff)
			r->out.ttl = ip->ipv6_hop_limit;
		break;
	}
	case NFP_FL_ACTION_OPCODE_SET_IPV6_SRC:
		set_ip6(r->out.ip.src, a);
		break;
	case NFP_FL_ACTION_OPCODE_SET_IPV6_DST:
		set_ip6(r->out.ip.dst, a);
		break;
	case NFP_FL_ACTION_OPCODE_SET_UDP:
	case NFP_FL_ACTION_OPCODE_SET_TCP:
		set_ports(&r->out, a);
		break;
	case NFP_FL_ACTION_OPCODE_PUSH_VLAN: {
		const struct nfp_fl_push_vlan *vlan = a;

		rig_push(&r->out, ntohs(vlan->vlan_tpid),
			 ntohs(vlan->vlan_tci) & VLAN_VID_MASK);
		break;
	}
	case NFP_FL_ACTION_OPCODE_POP_VLAN:
		rig_pop(&r->out);
		break;
	default:
		r->note = "does-something-else";
	}
}

static void read_actions(struct rig_entry *r, const u8 *at, u32 left)
{
	r->out.port = RIG_HOST;
	while (left >= sizeof(struct nfp_fl_act_head)) {
		const struct nfp_fl_act_head *head = (const void *)at;
		u32 size = head->len_lw << NFP_FL_LW_SIZ;

		if (!size || size > left) {
			r->note = "actions-of-broken-length";
			return;
		}
		read_action(r, at, head->jump_id);
		at += size;
		left -= size;
	}
}

/* --- the firmware's end --- */

static void add_flow(const struct nfp_fl_rule_metadata *m)
{
	u32 key = m->key_len << NFP_FL_LW_SIZ;
	u32 mask = m->mask_len << NFP_FL_LW_SIZ;
	const u8 *at = (const void *)(m + 1);
	struct rig_entry r = { .handle = ntohl(m->host_ctx_id) };

	read_match(&r, (struct cursor){ at, at + key });
	r.out = r.in;
	r.out.ttl = 0;
	read_actions(&r, at + key + mask, m->act_len << NFP_FL_LW_SIZ);
	rig_add(&r);
}

/* nfp_net_common.c's */
bool nfp_ctrl_tx(struct nfp_net *nn, struct sk_buff *skb)
{
	const struct nfp_flower_cmsg_hdr *ch = (const void *)skb->data;
	const struct nfp_fl_rule_metadata *m =
		(const void *)(skb->data + NFP_FLOWER_CMSG_HLEN);

	switch (ch->type) {
	case NFP_FLOWER_CMSG_TYPE_FLOW_ADD:
	case NFP_FLOWER_CMSG_TYPE_FLOW_MOD:
		add_flow(m);
		break;
	case NFP_FLOWER_CMSG_TYPE_FLOW_DEL:
		rig_del(ntohl(m->host_ctx_id));
		break;
	}
	kfree_skb(skb);
	return false;
}

u32 nfp_flower_get_port_id_from_netdev(struct nfp_app *unused,
				       struct net_device *netdev)
{
	if (netdev != rig_host[0] && netdev != rig_host[1])
		return 0;
	return PORT_ID(rig_index(netdev));
}

/* Firmware tells by itself what it has counted. */
static void traffic(u32 packets)
{
	static u64 handles[CONTEXTS];
	unsigned int i, n = rig_handles(handles, CONTEXTS);
	struct nfp_fl_stats_frame *frame;
	struct sk_buff *skb;

	for (i = 0; i < n; i++) {
		skb = nfp_flower_cmsg_alloc(app, sizeof(*frame),
					    NFP_FLOWER_CMSG_TYPE_FLOW_STATS,
					    GFP_KERNEL);
		if (!skb)
			return;
		frame = nfp_flower_cmsg_get_data(skb);
		frame->stats_con_id = htonl(handles[i]);
		frame->pkt_count = htonl(packets);
		frame->byte_count = cpu_to_be64(packets * 100ULL);
		local_bh_disable();
		nfp_flower_rx_flow_stats(app, skb);
		local_bh_enable();
		kfree_skb(skb);
	}
}

/* --- begin --- */

static int setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	return nfp_flower_setup_tc(app, dev, type, data);
}

static int setup(struct net_device *dev, int index)
{
	struct nfp_repr *repr = netdev_priv(dev);

	repr->netdev = dev;
	repr->app = app;
	repr->app_priv = &repr_priv[index];
	repr_priv[index].nfp_repr = repr;
	repr->dst = metadata_dst_alloc(0, METADATA_HW_PORT_MUX, GFP_KERNEL);
	if (!repr->dst)
		return -ENOMEM;
	repr->dst->u.port_info.port_id = PORT_ID(index);
	return 0;
}

static int start(struct device *parent)
{
	struct nfp_flower_priv *priv;

	app = kzalloc(sizeof(*app), GFP_KERNEL);
	priv = kvzalloc(sizeof(*priv), GFP_KERNEL);
	if (!app || !priv)
		return -ENOMEM;
	app->priv = priv;
	priv->app = app;
	priv->flower_ext_feats = NFP_FL_FEATS_VLAN_PCP |
				 (qinq ? NFP_FL_FEATS_VLAN_QINQ : 0);
	INIT_LIST_HEAD(&priv->indr_block_cb_priv);
	priv->total_mem_units = 1;
	priv->stats_ring_size = CONTEXTS;
	return nfp_flower_metadata_init(app, CONTEXTS, 1);
}

const struct rig_driver rig_driver = {
	.name = "nfp",
	.ops = &nfp_repr_netdev_ops,
	.priv_size = sizeof(struct nfp_repr),
	.start = start,
	.setup = setup,
	.setup_tc = setup_tc,
	.traffic = traffic,
};
