// SPDX-License-Identifier: GPL-2.0
/*
 * NVIDIA mlx5, two VF representors of one eswitch: the driver's en_tc.c,
 * en/tc/act/, en/rep/tc.c, en/mod_hdr.c. What would become firmware commands (a
 * flow table entry, a modify header) is read. Every capability is there.
 */
#include <net/pkt_cls.h>
#include "en.h"
#include "en_rep.h"
#include "eswitch.h"
#include "en_tc.h"
#include "en/tc_priv.h"
#include "en/rep/tc.h"
#include "lib/fs_chains.h"
#include "rig.h"

#define MOD_MAX	32

#ifdef MLX5_DEST_IS_VPORT
#define DEST_VPORT(dest)	((dest).vport)
#else
#define DEST_VPORT(dest)	((dest).rep->vport)
#endif

/* TC_SETUP_BLOCK only, as the uplink has it */
static bool block;
module_param(block, bool, 0444);

static struct mlx5_core_dev *mdev;
static struct mlx5_eswitch *esw;
static struct mlx5_eswitch_rep reps[RIG_PORTS];
static struct mlx5e_rep_priv *rprivs[RIG_PORTS];

/* --- what the eswitch is --- */

u8 mlx5_eswitch_mode(const struct mlx5_core_dev *dev)
{
	return MLX5_ESWITCH_OFFLOADS;
}

bool mlx5_esw_hold(struct mlx5_core_dev *dev)
{
	return true;
}

bool mlx5_chains_prios_supported(struct mlx5_fs_chains *c)
{
	return true;
}

u32 mlx5_chains_get_chain_range(struct mlx5_fs_chains *c)
{
	return 3;
}

u32 mlx5_chains_get_prio_range(struct mlx5_fs_chains *c)
{
	return 16;
}

u32 mlx5_chains_get_nf_ft_chain(struct mlx5_fs_chains *c)
{
	return 4;
}

bool mlx5e_eswitch_vf_rep(const struct net_device *dev)
{
	return dev == rig_host[0] || dev == rig_host[1];
}

bool mlx5e_eswitch_uplink_rep(const struct net_device *dev)
{
	return false;
}

bool mlx5e_is_uplink_rep(MLX5E_CONST struct mlx5e_priv *priv)
{
	return false;
}

void *mlx5_eswitch_uplink_get_proto_dev(struct mlx5_eswitch *e, u8 type)
{
	return rig_host[0];
}

void *mlx5_eswitch_get_uplink_priv(struct mlx5_eswitch *e, u8 type)
{
	return rprivs[0];
}

/* --- modify headers --- */

struct mod {
	u8 n;
	u8 actions[MOD_MAX * MLX5_MH_ACT_SZ];
};

struct mlx5_modify_hdr *mlx5_modify_header_alloc(struct mlx5_core_dev *dev,
						 u8 ns, u8 n, void *actions)
{
	struct mod *mod;

	if (n > MOD_MAX)
		return ERR_PTR(-ENOSPC);
	mod = kzalloc(sizeof(*mod), GFP_KERNEL);
	if (!mod)
		return ERR_PTR(-ENOMEM);
	mod->n = n;
	memcpy(mod->actions, actions, n * MLX5_MH_ACT_SZ);
	return (void *)mod;
}

void mlx5_modify_header_dealloc(struct mlx5_core_dev *dev,
				struct mlx5_modify_hdr *hdr)
{
	kfree(hdr);
}

/* Four bytes each, from the highest. */
static u8 *place_in_ip6(struct rig_packet *p, u32 field)
{
	u32 src = field - MLX5_ACTION_IN_FIELD_OUT_SIPV6_127_96;
	u32 dst = field - MLX5_ACTION_IN_FIELD_OUT_DIPV6_127_96;

	if (src < 4)
		return p->ip.src + src * 4;
	return dst < 4 ? p->ip.dst + dst * 4 : NULL;
}

/* The field's bytes in a packet; NULL: none that is known here. */
static u8 *place_of(struct rig_packet *p, u32 field, int *size)
{
	*size = 4;
	switch (field) {
	case MLX5_ACTION_IN_FIELD_OUT_DMAC_47_16:
		return p->dmac;
	case MLX5_ACTION_IN_FIELD_OUT_SMAC_47_16:
		return p->smac;
	case MLX5_ACTION_IN_FIELD_OUT_SIPV4:
		return p->ip.src;
	case MLX5_ACTION_IN_FIELD_OUT_DIPV4:
		return p->ip.dst;
	}
	*size = 2;
	switch (field) {
	case MLX5_ACTION_IN_FIELD_OUT_DMAC_15_0:
		return p->dmac + 4;
	case MLX5_ACTION_IN_FIELD_OUT_SMAC_15_0:
		return p->smac + 4;
	}
	*size = 4;
	return place_in_ip6(p, field);
}

static bool set_number(struct rig_entry *r, u32 field, u32 data)
{
	switch (field) {
	case MLX5_ACTION_IN_FIELD_OUT_TCP_SPORT:
	case MLX5_ACTION_IN_FIELD_OUT_UDP_SPORT:
		r->out.sport = data;
		return true;
	case MLX5_ACTION_IN_FIELD_OUT_TCP_DPORT:
	case MLX5_ACTION_IN_FIELD_OUT_UDP_DPORT:
		r->out.dport = data;
		return true;
	case MLX5_ACTION_IN_FIELD_OUT_FIRST_VID:
		r->out.tag[0].vid = data;
		return r->out.n_tags;
	case MLX5_ACTION_IN_FIELD_OUT_IP_TTL:
	case MLX5_ACTION_IN_FIELD_OUT_IPV6_HOPLIMIT:
		r->out.ttl = data;
		return true;
	}
	return false;
}

static bool is_ttl(u32 field)
{
	return field == MLX5_ACTION_IN_FIELD_OUT_IP_TTL ||
	       field == MLX5_ACTION_IN_FIELD_OUT_IPV6_HOPLIMIT;
}

static u32 macs_of(u32 field)
{
	switch (field) {
	case MLX5_ACTION_IN_FIELD_OUT_DMAC_47_16:
		return 1;
	case MLX5_ACTION_IN_FIELD_OUT_DMAC_15_0:
		return 2;
	case MLX5_ACTION_IN_FIELD_OUT_SMAC_47_16:
		return 4;
	case MLX5_ACTION_IN_FIELD_OUT_SMAC_15_0:
		return 8;
	}
	return 0;
}

/* Offset and length are in bits, from the field's lowest; 0 are all of 32. */
static void set_bits(struct rig_entry *r, const void *a, u32 field, u32 data)
{
	u32 offset = MLX5_GET(set_action_in, a, offset);
	u32 length = MLX5_GET(set_action_in, a, length) ?: 32;
	u32 mask = length == 32 ? ~0 : (BIT(length) - 1) << offset;
	int size;
	u8 *at = place_of(&r->out, field, &size);
	u32 old;

	if (!at) {
		if (offset || !set_number(r, field, data))
			r->note = "sets-something-else";
		return;
	}
	old = size == 4 ? get_unaligned_be32(at) : get_unaligned_be16(at);
	old = (old & ~mask) | (data << offset & mask);
	if (size == 4)
		put_unaligned_be32(old, at);
	else
		put_unaligned_be16(old, at);
}

static void read_mod(struct rig_entry *r, const struct mod *mod)
{
	u32 macs = 0;
	int i;

	for (i = 0; i < mod->n; i++) {
		const void *a = mod->actions + i * MLX5_MH_ACT_SZ;
		u32 field = MLX5_GET(set_action_in, a, field);
		u32 data = MLX5_GET(set_action_in, a, data);

		macs |= macs_of(field);
		switch (MLX5_GET(set_action_in, a, action_type)) {
		case MLX5_ACTION_TYPE_SET:
			set_bits(r, a, field, data);
			break;
		case MLX5_ACTION_TYPE_ADD:
			if (is_ttl(field) && data == 0xff)
				r->decrement = true;
			else
				r->note = "adds-something-else";
			break;
		default:
			r->note = "modifies-something-else";
		}
	}
	r->has_macs = macs == 0xf;
}

/* --- flow table entries --- */

static bool read_tag(struct rig_packet *p, u32 cvlan, u32 svlan, u32 vid)
{
	if (!cvlan && !svlan)
		return false;
	p->tag[p->n_tags].tpid = svlan ? ETH_P_8021AD : ETH_P_8021Q;
	p->tag[p->n_tags++].vid = vid;
	return true;
}

static void read_tags(struct rig_entry *r, const struct mlx5_flow_spec *spec)
{
	const void *c = MLX5_ADDR_OF(fte_match_param, spec->match_criteria,
				     outer_headers);
	const void *v = MLX5_ADDR_OF(fte_match_param, spec->match_value,
				     outer_headers);
	const void *v2 = MLX5_ADDR_OF(fte_match_param, spec->match_value,
				      misc_parameters);

	if (!MLX5_GET(fte_match_set_lyr_2_4, c, cvlan_tag) &&
	    !MLX5_GET(fte_match_set_lyr_2_4, c, svlan_tag)) {
		r->any_tags = true;
		return;
	}
	if (!read_tag(&r->in, MLX5_GET(fte_match_set_lyr_2_4, v, cvlan_tag),
		      MLX5_GET(fte_match_set_lyr_2_4, v, svlan_tag),
		      MLX5_GET(fte_match_set_lyr_2_4, v, first_vid)))
		return;
	read_tag(&r->in, MLX5_GET(fte_match_set_misc, v2, outer_second_cvlan_tag),
		 MLX5_GET(fte_match_set_misc, v2, outer_second_svlan_tag),
		 MLX5_GET(fte_match_set_misc, v2, outer_second_vid));
}

static void read_addresses(struct rig_entry *r, const void *c, const void *v)
{
	const u8 *src = MLX5_ADDR_OF(fte_match_set_lyr_2_4, v, src_ipv4_src_ipv6);
	const u8 *dst = MLX5_ADDR_OF(fte_match_set_lyr_2_4, v, dst_ipv4_dst_ipv6);
	const u8 *mask = MLX5_ADDR_OF(fte_match_set_lyr_2_4, c, src_ipv4_src_ipv6);
	bool v4 = MLX5_GET(fte_match_set_lyr_2_4, v, ip_version) == 4 ||
		  MLX5_GET(fte_match_set_lyr_2_4, v, ethertype) == ETH_P_IP;
	int at = v4 ? 12 : 0, size = 16 - at;

	r->in.family = v4 ? 4 : 6;
	memcpy(r->in.ip.src, src + at, size);
	memcpy(r->in.ip.dst, dst + at, size);
	if (memchr_inv(mask + at, 0xff, size))
		r->note = "matches-part-of-the-address";
}

static void read_ports(struct rig_entry *r, const void *c, const void *v)
{
	r->in.proto = MLX5_GET(fte_match_set_lyr_2_4, v, ip_protocol);
	if (MLX5_GET(fte_match_set_lyr_2_4, c, tcp_dport)) {
		r->in.sport = MLX5_GET(fte_match_set_lyr_2_4, v, tcp_sport);
		r->in.dport = MLX5_GET(fte_match_set_lyr_2_4, v, tcp_dport);
	} else if (MLX5_GET(fte_match_set_lyr_2_4, c, udp_dport)) {
		r->in.sport = MLX5_GET(fte_match_set_lyr_2_4, v, udp_sport);
		r->in.dport = MLX5_GET(fte_match_set_lyr_2_4, v, udp_dport);
	} else {
		r->any_ports = true;
	}
}

static void read_actions(struct rig_entry *r, struct mlx5_flow_attr *attr)
{
	const struct mlx5_esw_flow_attr *ea = attr->esw_attr;

	if (attr->action & MLX5_FLOW_CONTEXT_ACTION_VLAN_POP)
		rig_pop(&r->out);
	if (attr->action & MLX5_FLOW_CONTEXT_ACTION_VLAN_POP_2)
		rig_pop(&r->out);
	if (attr->action & MLX5_FLOW_CONTEXT_ACTION_MOD_HDR)
		read_mod(r, (void *)attr->modify_hdr);
	if (attr->action & MLX5_FLOW_CONTEXT_ACTION_VLAN_PUSH)
		rig_push(&r->out, ntohs(ea->vlan_proto[0]), ea->vlan_vid[0]);
	if (attr->action & MLX5_FLOW_CONTEXT_ACTION_VLAN_PUSH_2)
		rig_push(&r->out, ntohs(ea->vlan_proto[1]), ea->vlan_vid[1]);
	r->out.port = RIG_HOST;
	if (attr->action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST &&
	    ea->out_count == 1 && !(attr->flags & MLX5_ATTR_FLAG_SLOW_PATH))
		r->out.port = DEST_VPORT(ea->dests[0]) - 1;
}

struct mlx5_flow_handle *
mlx5_eswitch_add_offloaded_rule(struct mlx5_eswitch *e,
				struct mlx5_flow_spec *spec,
				struct mlx5_flow_attr *attr)
{
	const void *c = MLX5_ADDR_OF(fte_match_param, spec->match_criteria,
				     outer_headers);
	const void *v = MLX5_ADDR_OF(fte_match_param, spec->match_value,
				     outer_headers);
	static unsigned long last = 0x1000;
	struct rig_entry r = {};
	int err;

	if (rig_is_full())
		return ERR_PTR(-ENOSPC);
	last += 16;
	r.handle = last;
	r.in.port = attr->esw_attr->in_rep->vport - 1;
	read_addresses(&r, c, v);
	read_ports(&r, c, v);
	read_tags(&r, spec);
	r.out = r.in;
	read_actions(&r, attr);
	err = rig_add(&r);
	return err ? ERR_PTR(err) : (void *)(unsigned long)r.handle;
}

void mlx5_eswitch_del_offloaded_rule(struct mlx5_eswitch *e,
				     struct mlx5_flow_handle *rule,
				     struct mlx5_flow_attr *attr)
{
	rig_del((unsigned long)rule);
}

/* --- counters --- */

struct counter {
	u64 seen;
};

struct mlx5_fc *mlx5_fc_create(struct mlx5_core_dev *dev, bool aging)
{
	struct counter *counter = kzalloc(sizeof(*counter), GFP_KERNEL);

	if (!counter)
		return ERR_PTR(-ENOMEM);
	counter->seen = rig_packets();
	return (void *)counter;
}

void mlx5_fc_destroy(struct mlx5_core_dev *dev, struct mlx5_fc *fc)
{
	kfree(fc);
}

/* What came since it was asked. */
void mlx5_fc_query_cached(struct mlx5_fc *fc, u64 *bytes, u64 *packets,
			  u64 *lastuse)
{
	struct counter *counter = (void *)fc;
	u64 now = rig_packets();

	*packets = now - counter->seen;
	*bytes = *packets * 100;
	*lastuse = rig_last_hit();
	counter->seen = now;
}

/* --- begin --- */

static int setup(struct net_device *dev, int index)
{
	struct mlx5e_priv *priv = netdev_priv(dev);
	struct mlx5e_rep_priv *rpriv = kzalloc(sizeof(*rpriv), GFP_KERNEL);

	if (!rpriv)
		return -ENOMEM;
	rprivs[index] = rpriv;
	rpriv->rep = &reps[index];
	rpriv->netdev = dev;
	reps[index].vport = index + 1;
	reps[index].esw = esw;
	reps[index].rep_data[REP_ETH].priv = rpriv;
	priv->netdev = dev;
	priv->mdev = mdev;
	priv->ppriv = rpriv;
	return mlx5e_tc_ht_init(&rpriv->tc_ht);
}

static int setup_tc(struct net_device *dev, enum tc_setup_type type, void *data)
{
	if (block && type == TC_SETUP_FT)
		return -EOPNOTSUPP;
	return mlx5e_rep_setup_tc(dev, type, data);
}

static int set_caps(void)
{
	struct mlx5_hca_cap *cap;
	void *caps;
	int i;

	for (i = 0; i < MLX5_CAP_NUM; i++) {
		cap = kmalloc(sizeof(*cap), GFP_KERNEL);
		if (!cap)
			return -ENOMEM;
		memset(cap, 0xff, sizeof(*cap));
		mdev->caps.hca[i] = cap;
	}
	caps = MLX5_ADDR_OF(flow_table_eswitch_cap,
			    mdev->caps.hca[MLX5_CAP_ESWITCH_FLOW_TABLE]->cur,
			    flow_table_properties_nic_esw_fdb);
	MLX5_SET(flow_table_prop_layout, caps, max_modify_header_actions,
		 MOD_MAX);
	/* With this one a popped tag becomes a priority tag. */
	MLX5_SET(cmd_hca_cap, mdev->caps.hca[MLX5_CAP_GENERAL]->cur,
		 prio_tag_required, 0);
	return 0;
}

#ifdef MLX5_PEERS
static void init_peers(void)
{
	int i;

	mutex_init(&esw->offloads.peer_mutex);
	for (i = 0; i < MLX5_PEERS; i++)
		INIT_LIST_HEAD(&esw->offloads.peer_flows[i]);
}
#else
static void init_peers(void)
{
	mutex_init(&esw->offloads.peer_mutex);
	INIT_LIST_HEAD(&esw->offloads.peer_flows);
}
#endif

static int start(struct device *parent)
{
	mdev = vzalloc(sizeof(*mdev));
	esw = kvzalloc(sizeof(*esw), GFP_KERNEL);
	if (!mdev || !esw)
		return -ENOMEM;
	mdev->device = parent;
	mdev->priv.eswitch = esw;
	esw->dev = mdev;
	esw->mode = MLX5_ESWITCH_OFFLOADS;
	esw->offloads.inline_mode = MLX5_INLINE_MODE_NONE;
	mutex_init(&esw->offloads.termtbl_mutex);
	mlx5e_mod_hdr_tbl_init(&esw->offloads.mod_hdr);
	hash_init(esw->offloads.encap_tbl);
	mutex_init(&esw->offloads.encap_tbl_lock);
	mutex_init(&esw->offloads.decap_tbl_lock);
	init_peers();
	return set_caps();
}

const struct rig_driver rig_driver = {
	.name = "mlx5_core",
	.info = "mlx5e_rep",
	.priv_size = sizeof(struct mlx5e_priv),
	.start = start,
	.setup = setup,
	.setup_tc = setup_tc,
};
