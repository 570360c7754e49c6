// SPDX-License-Identifier: GPL-2.0
/*
 * Broadcom bnxt: the driver's bnxt_tc.c. Requests to the firmware are read and
 * answered with success.
 */
#include <linux/bitfield.h>
#include <linux/pci.h>
#include <net/pkt_cls.h>
#include "bnxt_hsi.h"
#include "bnxt.h"
#include "bnxt_hwrm.h"
#include "bnxt_tc.h"
#include "rig.h"

LIST_HEAD(bnxt_block_cb_list);

#define FLAG(name)	CFA_FLOW_ALLOC_REQ_ACTION_FLAGS_##name

/* --- requests --- */

static struct bnxt *ports[RIG_PORTS];
static u8 response[512];

int __hwrm_req_init(struct bnxt *bp, void **req, u16 req_type, u32 req_len)
{
	struct input *in = kzalloc(req_len + 8, GFP_KERNEL);

	if (!in)
		return -ENOMEM;
	in->req_type = cpu_to_le16(req_type);
	*req = in;
	return 0;
}

void *hwrm_req_hold(struct bnxt *bp, void *req)
{
	memset(response, 0, sizeof(response));
	return response;
}

/* What is held is not freed when it is sent. */
void hwrm_req_drop(struct bnxt *bp, void *req)
{
	kfree(req);
}

static void read_match(struct rig_entry *r,
		       const struct hwrm_cfa_flow_alloc_input *q)
{
	u16 flags = le16_to_cpu(q->flags);
	int tags = FIELD_GET(CFA_FLOW_ALLOC_REQ_FLAGS_NUM_VLAN_MASK, flags);

	r->in.port = le16_to_cpu(q->src_fid) - 1;
	r->in.family = q->ethertype == htons(ETH_P_IPV6) ? 6 : 4;
	r->in.proto = q->ip_proto;
	memcpy(r->in.ip.src, q->ip_src, 16);
	memcpy(r->in.ip.dst, q->ip_dst, 16);
	r->in.sport = ntohs(q->l4_src_port);
	r->in.dport = ntohs(q->l4_dst_port);
	r->any_ports = q->l4_src_port_mask != htons(0xffff) ||
		       q->l4_dst_port_mask != htons(0xffff);
	r->any_tags = !tags;
	r->in.n_tags = min(tags, RIG_TAGS);
	if (tags == 1) {
		r->in.tag[0].tpid = ETH_P_8021Q;
		r->in.tag[0].vid = ntohs(q->outer_vlan_tci) & VLAN_VID_MASK;
	} else if (tags) {
		r->in.tag[0].tpid = ETH_P_8021AD;
		r->in.tag[0].vid = ntohs(q->outer_vlan_tci) & VLAN_VID_MASK;
		r->in.tag[1].tpid = ETH_P_8021Q;
		r->in.tag[1].vid = ntohs(q->inner_vlan_tci) & VLAN_VID_MASK;
	}
}

/*
 * "FW expects dmac to be in u16 array format", says the driver, and swaps the bytes
 * of what it is to write, of addresses and ports likewise. So does the firmware.
 */
static void read_mac(u8 *to, const __be16 *words)
{
	int i;

	for (i = 0; i < 3; i++)
		put_unaligned_be16(le16_to_cpu((__force __le16)words[i]), to + i * 2);
}

static void read_address(u8 *to, const __be32 *words, int size)
{
	int i;

	for (i = 0; i < size / 4; i++)
		put_unaligned_be32(le32_to_cpu((__force __le32)words[i]), to + i * 4);
}

static void read_actions(struct rig_entry *r,
			 const struct hwrm_cfa_flow_alloc_input *q)
{
	u16 act = le16_to_cpu(q->action_flags);
	int size = act & FLAG(NAT_IPV4_ADDRESS) ? 4 : 16;
	u16 port = le16_to_cpu((__force __le16)q->nat_port);

	r->out.port = act & FLAG(FWD) ? le16_to_cpu(q->dst_fid) - 1 : RIG_HOST;
	if (act & FLAG(NAT_SRC)) {
		read_address(r->out.ip.src, q->nat_ip_address, size);
		r->out.sport = port;
	}
	if (act & FLAG(NAT_DEST)) {
		read_address(r->out.ip.dst, q->nat_ip_address, size);
		r->out.dport = port;
	}
	if (act & FLAG(L2_HEADER_REWRITE)) {
		read_mac(r->out.dmac, q->l2_rewrite_dmac);
		read_mac(r->out.smac, q->l2_rewrite_smac);
		r->has_macs = true;
		/* The whole header is written, with this tag or none. */
		r->out.n_tags = 0;
		if (q->l2_rewrite_vlan_tpid)
			rig_push(&r->out, ntohs(q->l2_rewrite_vlan_tpid),
				 ntohs(q->l2_rewrite_vlan_tci) & VLAN_VID_MASK);
	}
	r->decrement = act & FLAG(TTL_DECREMENT);
	if (act & FLAG(DROP))
		r->note = "drops";
}

static int alloc_flow(const struct hwrm_cfa_flow_alloc_input *q)
{
	struct hwrm_cfa_flow_alloc_output *out = (void *)response;
	static u16 last;
	struct rig_entry r = { .handle = ++last };

	read_match(&r, q);
	r.out = r.in;
	read_actions(&r, q);
	out->flow_handle = cpu_to_le16(last);
	return rig_add(&r);
}

static void flow_stats(const struct hwrm_cfa_flow_stats_input *q)
{
	struct hwrm_cfa_flow_stats_output *out = (void *)response;
	const __le16 *handles = &q->flow_handle_0;
	__le64 *packets = &out->packet_0, *bytes = &out->byte_0;
	int i;

	for (i = 0; i < le16_to_cpu(q->num_flows); i++) {
		u64 seen = rig_seen(le16_to_cpu(handles[i]));

		packets[i] = cpu_to_le64(seen);
		bytes[i] = cpu_to_le64(seen * 100);
	}
}

static int send(void *req)
{
	struct input *in = req;

	switch (le16_to_cpu(in->req_type)) {
	case HWRM_CFA_FLOW_ALLOC:
		return alloc_flow(req);
	case HWRM_CFA_FLOW_FREE:
		rig_del(le16_to_cpu(((struct hwrm_cfa_flow_free_input *)req)
				    ->flow_handle));
		break;
	case HWRM_CFA_FLOW_STATS:
		flow_stats(req);
		break;
	}
	return 0;
}

int hwrm_req_send(struct bnxt *bp, void *req)
{
	return send(req);
}

int hwrm_req_send_silent(struct bnxt *bp, void *req)
{
	return send(req);
}

bool bnxt_dev_is_vf_rep(struct net_device *dev)
{
	return false;
}

/* The driver asks once a second. */
static void traffic(u32 packets)
{
	int i;

	for (i = 0; i < RIG_PORTS; i++)
		bnxt_tc_flow_stats_work(ports[i]);
}

/* --- bnxt.c's, which is too large to take along --- */

static int block_cb(enum tc_setup_type type, void *type_data, void *cb_priv)
{
	struct bnxt *bp = cb_priv;

	if (!bnxt_tc_flower_enabled(bp) ||
	    !tc_cls_can_offload_and_chain0(bp->dev, type_data) ||
	    type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	return bnxt_tc_setup_flower(bp, bp->pf.fw_fid, type_data);
}

static int setup_tc(struct net_device *dev, enum tc_setup_type type,
		    void *data)
{
	struct bnxt *bp = netdev_priv(dev);

	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	return flow_block_cb_setup_simple(data, &bnxt_block_cb_list, block_cb,
					  bp, bp, true);
}

static int setup(struct net_device *dev, int index)
{
	struct bnxt *bp = netdev_priv(dev);

	ports[index] = bp;
	bp->dev = dev;
	bp->hwrm_spec_code = 0x10a00;
	bp->pf.fw_fid = 1 + index;
	return bnxt_init_tc(bp);
}

static void stop(void)
{
	int i;

	for (i = 0; i < RIG_PORTS; i++)
		if (ports[i])
			bnxt_shutdown_tc(ports[i]);
}

const struct rig_driver rig_driver = {
	.name = "bnxt_en",
	.priv_size = sizeof(struct bnxt),
	.setup = setup,
	.setup_tc = setup_tc,
	.traffic = traffic,
	.stop = stop,
};
