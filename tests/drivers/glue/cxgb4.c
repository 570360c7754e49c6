// SPDX-License-Identifier: GPL-2.0
/*
 * Chelsio cxgb4: the driver's cxgb4_tc_flower.c; the filter specification that it
 * makes is read where cxgb4_filter.c would write it to the chip, by what
 * set_nat_params() there does with it.
 */
#include <net/pkt_cls.h>
#include "cxgb4.h"
#include "cxgb4_filter.h"
#include "cxgb4_tc_flower.h"
#include "rig.h"

static struct adapter *adap;
static LIST_HEAD(block_list);

/* --- filters --- */

static void read_match(struct rig_entry *r,
		       const struct ch_filter_specification *fs)
{
	int size = fs->type ? 16 : 4;

	r->in.port = fs->val.iport;
	r->in.family = fs->type ? 6 : 4;
	r->in.proto = fs->val.proto;
	/* "foreign" is the source, "local" the destination */
	memcpy(r->in.ip.src, fs->val.fip, size);
	memcpy(r->in.ip.dst, fs->val.lip, size);
	if (memchr_inv(fs->mask.fip, 0xff, size) ||
	    memchr_inv(fs->mask.lip, 0xff, size))
		r->note = "matches-part-of-the-address";
	r->in.sport = fs->val.fport;
	r->in.dport = fs->val.lport;
	r->any_ports = fs->mask.fport != 0xffff || fs->mask.lport != 0xffff;
	if (!fs->mask.ivlan_vld) {
		r->any_tags = true;
	} else if (fs->val.ivlan_vld) {
		r->in.n_tags = 1;
		r->in.tag[0].tpid = fs->mask.ethtype ? fs->val.ethtype :
						       ETH_P_8021Q;
		r->in.tag[0].vid = fs->val.ivlan & fs->mask.ivlan;
		/* The chip takes the tag's type for granted. */
		if (r->in.tag[0].tpid == ETH_P_IP ||
		    r->in.tag[0].tpid == ETH_P_IPV6)
			r->in.tag[0].tpid = ETH_P_8021Q;
	}
}

static void rewrite(struct rig_entry *r,
		    const struct ch_filter_specification *fs, bool dip,
		    bool sip, bool dp, bool sp)
{
	int size = fs->type ? 16 : 4;

	if (dip)
		memcpy(r->out.ip.dst, fs->nat_lip, size);
	if (sip)
		memcpy(r->out.ip.src, fs->nat_fip, size);
	/* Bytes, in the order of the packet. */
	if (dp)
		r->out.dport = get_unaligned_be16(&fs->nat_lport);
	if (sp)
		r->out.sport = get_unaligned_be16(&fs->nat_fport);
}

static void read_nat(struct rig_entry *r,
		     const struct ch_filter_specification *fs)
{
	switch (fs->nat_mode) {
	case NAT_MODE_NONE:
		break;
	case NAT_MODE_DIP:
		rewrite(r, fs, true, false, false, false);
		break;
	case NAT_MODE_DIP_DP:
		rewrite(r, fs, true, false, true, false);
		break;
	case NAT_MODE_DIP_DP_SIP:
		rewrite(r, fs, true, true, true, false);
		break;
	case NAT_MODE_DIP_DP_SP:
		rewrite(r, fs, true, false, true, true);
		break;
	case NAT_MODE_SIP_SP:
		rewrite(r, fs, false, true, false, true);
		break;
	case NAT_MODE_DIP_SIP_SP:
		rewrite(r, fs, true, true, false, true);
		break;
	case NAT_MODE_ALL:
		rewrite(r, fs, true, true, true, true);
		break;
	default:
		r->note = "unknown-nat-mode";
	}
}

static void read_actions(struct rig_entry *r,
			 const struct ch_filter_specification *fs)
{
	r->out.port = fs->action == FILTER_SWITCH ? fs->eport : RIG_HOST;
	memcpy(r->out.dmac, fs->dmac, ETH_ALEN);
	memcpy(r->out.smac, fs->smac, ETH_ALEN);
	r->has_macs = fs->newdmac && fs->newsmac;
	read_nat(r, fs);
	switch (fs->newvlan) {
	case VLAN_REMOVE:
		rig_pop(&r->out);
		break;
	case VLAN_INSERT:
		rig_push(&r->out, ETH_P_8021Q, fs->vlan & VLAN_VID_MASK);
		break;
	case VLAN_REWRITE:
		rig_pop(&r->out);
		rig_push(&r->out, ETH_P_8021Q, fs->vlan & VLAN_VID_MASK);
		break;
	}
}

bool is_filter_exact_match(struct adapter *unused,
			   struct ch_filter_specification *fs)
{
	return false;
}

int cxgb4_get_free_ftid(struct net_device *dev, u8 family, bool hash_en,
			u32 tc_prio)
{
	static int last;

	return rig_is_full() ? -ENOMEM : ++last;
}

int __cxgb4_set_filter(struct net_device *dev, int filter_id,
		       struct ch_filter_specification *fs,
		       struct filter_ctx *ctx)
{
	struct rig_entry r = { .handle = filter_id };

	read_match(&r, fs);
	r.out = r.in;
	read_actions(&r, fs);
	ctx->result = rig_add(&r);
	ctx->tid = filter_id;
	complete(&ctx->completion);
	return 0;
}

int __cxgb4_del_filter(struct net_device *dev, int filter_id,
		       struct ch_filter_specification *fs,
		       struct filter_ctx *ctx)
{
	rig_del(filter_id);
	if (ctx) {
		ctx->result = 0;
		complete(&ctx->completion);
	}
	return 0;
}

int cxgb4_del_filter(struct net_device *dev, int filter_id,
		     struct ch_filter_specification *fs)
{
	return __cxgb4_del_filter(dev, filter_id, fs, NULL);
}

int cxgb4_get_filter_counters(struct net_device *dev, unsigned int fidx,
			      u64 *hitcnt, u64 *bytecnt, bool hash)
{
	*hitcnt = rig_seen(fidx);
	*bytecnt = *hitcnt * 100;
	return 0;
}

/* --- cxgb4_main.c's, which is too large to take along --- */

static int block_cb(enum tc_setup_type type, void *data, void *cb_priv)
{
	struct net_device *dev = cb_priv;
	struct flow_cls_offload *cls = data;

	if (!tc_cls_can_offload_and_chain0(dev, data) ||
	    type != TC_SETUP_CLSFLOWER)
		return -EOPNOTSUPP;
	switch (cls->command) {
	case FLOW_CLS_REPLACE:
		return cxgb4_tc_flower_replace(dev, cls);
	case FLOW_CLS_DESTROY:
		return cxgb4_tc_flower_destroy(dev, cls);
	case FLOW_CLS_STATS:
		return cxgb4_tc_flower_stats(dev, cls);
	default:
		return -EOPNOTSUPP;
	}
}

static int setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	if (type != TC_SETUP_BLOCK)
		return -EOPNOTSUPP;
	return flow_block_cb_setup_simple(data, &block_list, block_cb, dev, dev,
					  true);
}

/* --- begin --- */

static int setup(struct net_device *dev, int index)
{
	struct port_info *pi = netdev_priv(dev);

	pi->adapter = adap;
	pi->port_id = index;
	adap->port[index] = dev;
	adap->params.nports = RIG_PORTS;
	return 0;
}

static int start(struct device *parent)
{
	/* A table of filters follows it. */
	adap = vzalloc(sizeof(*adap) + PAGE_SIZE);
	if (!adap)
		return -ENOMEM;
	spin_lock_init(&adap->tids.ftid_lock);
	adap->pdev_dev = parent;
	adap->params.chip = CHELSIO_CHIP_CODE(CHELSIO_T6, 0);
	return cxgb4_init_tc_flower(adap);
}

static void stop(void)
{
	cxgb4_cleanup_tc_flower(adap);
}

const struct rig_driver rig_driver = {
	.name = "cxgb4",
	.priv_size = sizeof(struct port_info),
	.start = start,
	.setup = setup,
	.setup_tc = setup_tc,
	.stop = stop,
};
