// SPDX-License-Identifier: GPL-2.0
/*
 * The two seams to nf_tables: the flowtable type, and the expression behind
 * "flow add @ft".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/netfilter/nf_tables.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_extend.h>
#include <net/netfilter/nf_tables.h>
#include <net/netfilter/nf_tables_core.h>
#include "compat/flowtable-lookup.h"
#include "compat/nft-expr.h"
#include "nft/internal.h"

/* --- the flowtable type --- */

static int type_init(struct nf_flowtable *ft)
{
	return nfto_flowtable_make(ft);
}

static int type_setup(struct nf_flowtable *ft, struct net_device *dev,
		      enum flow_block_command cmd)
{
	struct nfto_table *table = nfto_table_of(ft);

	/*
	 * nf_tables before upstream 13210fc63f35 (6.1.127, 6.6.74, 6.12.11) frees
	 * a flowtable and then takes it off its devices. nfto_flowtable_detach()
	 * has done that.
	 */
	if (!table)
		return cmd == FLOW_BLOCK_BIND ? -EINVAL : 0;
	/* nf_tables fills in the priority after it has called init(). */
	table->prio = ft->priority;
	if (cmd == FLOW_BLOCK_BIND)
		return nfto_flowtable_add_dev(table, dev);
	nfto_flowtable_del_dev(table, dev);
	return 0;
}

/* The kernel's own hardware path would call this, and never sees our tables. */
static int type_action(struct net *net, struct flow_offload *flow,
		       enum flow_offload_tuple_dir dir,
		       struct nf_flow_rule *rule)
{
	return -EOPNOTSUPP;
}

static void type_free(struct nf_flowtable *ft)
{
	nfto_flowtable_detach(nfto_table_of(ft));
}

#define FLOWTABLE_TYPE(fam, fn) {							\
	.family = fam,							\
	.init = type_init,						\
	.setup = type_setup,						\
	.action = type_action,						\
	.free = type_free,						\
	.hook = fn,							\
	.owner = THIS_MODULE,						\
}

static struct nf_flowtable_type flowtable_types[] = {
	FLOWTABLE_TYPE(NFPROTO_INET, nfto_forward_inet),
	FLOWTABLE_TYPE(NFPROTO_IPV4, nfto_forward_ip4),
	FLOWTABLE_TYPE(NFPROTO_IPV6, nfto_forward_ip6),
};

static bool is_ours(const struct nf_flowtable *ft)
{
	return ft->type >= flowtable_types &&
	       ft->type < flowtable_types + ARRAY_SIZE(flowtable_types);
}

/* --- the expression --- */

struct flow_expr {
	struct nft_flowtable *flowtable;
};

static enum nfto_reason check_protocol(const struct nf_conn *ct,
				       const struct nft_pktinfo *pkt)
{
	const struct nf_conntrack_tuple *t;
	struct tcphdr _tcp, *tcp;

	t = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	switch (t->dst.protonum) {
	case IPPROTO_TCP:
		tcp = skb_header_pointer(pkt->skb, nft_thoff(pkt), sizeof(_tcp),
					 &_tcp);
		if (!tcp)
			return NFTO_REASON_TRUNCATED;
		if (tcp->fin || tcp->rst || !nf_conntrack_tcp_established(ct))
			return NFTO_REASON_NOT_ESTABLISHED;
		return NFTO_REASON_NONE;
	case IPPROTO_UDP:
		return NFTO_REASON_NONE;
	case IPPROTO_GRE:
		if (ct->status & IPS_NAT_MASK)
			return NFTO_REASON_GRE_NAT;
		if (t->src.u.gre.key || t->dst.u.gre.key)
			return NFTO_REASON_GRE_VERSION;
		return NFTO_REASON_NONE;
	}
	return NFTO_REASON_PROTOCOL;
}

/* A bridge shows its packets to iptables by a route that is none (br_netfilter). */
static bool is_bridged(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	return dst && dst->flags & DST_FAKE_RTABLE;
}

/* Also broadcast: one packet is not the other end's alone. */
static bool is_multicast(const struct sk_buff *skb, u8 pf)
{
	if (skb->pkt_type == PACKET_MULTICAST || skb->pkt_type == PACKET_BROADCAST)
		return true;
	if (pf == NFPROTO_IPV6)
		return ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
	return ipv4_is_multicast(ip_hdr(skb)->daddr) ||
	       ipv4_is_lbcast(ip_hdr(skb)->daddr);
}

static enum nfto_reason check_packet(const struct nft_pktinfo *pkt)
{
	if (is_bridged(pkt->skb))
		return NFTO_REASON_BRIDGED;
	if (is_multicast(pkt->skb, nft_pf(pkt)))
		return NFTO_REASON_MULTICAST;
	if (skb_sec_path(pkt->skb))
		return NFTO_REASON_IPSEC;
	if (nft_pf(pkt) == NFPROTO_IPV4 && IPCB(pkt->skb)->opt.optlen)
		return NFTO_REASON_IP_OPTIONS;
	return NFTO_REASON_NONE;
}

static enum nfto_reason check_ct(const struct nf_conn *ct,
				 const struct nft_pktinfo *pkt)
{
	enum nfto_reason reason = check_protocol(ct, pkt);

	if (reason)
		return reason;
	if (nf_ct_ext_exist(ct, NF_CT_EXT_HELPER))
		return NFTO_REASON_HELPER;
	if (ct->status & IPS_SEQ_ADJUST)
		return NFTO_REASON_SEQ_ADJUST;
	if (ct->status & IPS_NAT_CLASH)
		return NFTO_REASON_NAT_CLASH;
	if (!nf_ct_is_confirmed(ct) || nf_ct_is_dying(ct))
		return NFTO_REASON_NOT_CONFIRMED;
	return NFTO_REASON_NONE;
}

static enum nfto_reason refusal_reason(int err)
{
	switch (err) {
	case 0:
		return NFTO_REASON_NONE;
	case -ENOENT:
		return NFTO_REASON_NO_ROUTE;
	case -EEXIST:
		return NFTO_REASON_EXISTS;
	case -EPROTONOSUPPORT:
		return NFTO_REASON_ENCAPSULATION;
	default:
		return NFTO_REASON_NO_MEMORY;
	}
}

static enum nfto_reason add_flow(struct nfto_table *table, struct nf_conn *ct,
				 const struct nft_pktinfo *pkt,
				 enum ip_conntrack_dir dir)
{
	struct nfto_nexthop *nh[IP_CT_DIR_MAX];
	int err;

	err = nfto_path_resolve(table, ct, pkt->skb, pkt->state, dir, nh);
	if (!err)
		err = nfto_flow_add(table, ct, nh);
	if (err)
		clear_bit(IPS_OFFLOAD_BIT, &ct->status);
	return refusal_reason(err);
}

/* Context: packet. Return: whether this packet has made a flow. */
static bool make_flow(struct nfto_table *table, struct nf_conn *ct,
		      const struct nft_pktinfo *pkt, enum ip_conntrack_dir dir)
{
	enum nfto_reason reason = NFTO_REASON_NO_CONNTRACK;

	if (ct)
		reason = check_packet(pkt) ?: check_ct(ct, pkt);
	if (!reason) {
		/* Another CPU may have made the flow meanwhile. */
		if (test_and_set_bit(IPS_OFFLOAD_BIT, &ct->status))
			return false;
		reason = add_flow(table, ct, pkt, dir);
		if (!reason)
			return true;
	}
	nfto_refuse(table, ct, nft_in(pkt), reason);
	return false;
}

/*
 * A packet of a connection that has a flow came by the slow path, perhaps
 * because the ruleset has changed. It must still fulfil what a new flow has to.
 *
 * Context: packet.
 */
static void reaches_again(struct nfto_table *table, const struct nf_conn *ct,
			  const struct nft_pktinfo *pkt,
			  enum ip_conntrack_dir dir)
{
	if (unlikely(atomic_read(&table->n_doubted)) && !check_packet(pkt) &&
	    !check_ct(ct, pkt))
		nfto_ruleset_flow_add_again(table, ct, pkt->skb, pkt->state, dir);
}

static void expr_eval(const struct nft_expr *expr, struct nft_regs *regs,
		      const struct nft_pktinfo *pkt)
{
	const struct flow_expr *priv = nft_expr_priv(expr);
	struct nfto_table *table = nfto_table_of(&priv->flowtable->data);
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;
	bool made = false;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	/* Without a table the flowtable goes, and this rule with it. */
	if (likely(table)) {
		/*
		 * Bottom halves are on for a packet that was in a queue of user
		 * space.
		 */
		local_bh_disable();
		if (ct && test_bit(IPS_OFFLOAD_BIT, &ct->status))
			reaches_again(table, ct, pkt, CTINFO2DIR(ctinfo));
		/* The flow may have ended in the meantime. */
		if (!ct || !test_bit(IPS_OFFLOAD_BIT, &ct->status))
			made = make_flow(table, ct, pkt, CTINFO2DIR(ctinfo));
		local_bh_enable();
	}
	if (!made)
		regs->verdict.code = NFT_BREAK;
}

static const struct nla_policy expr_policy[NFTA_FLOW_MAX + 1] = {
	[NFTA_FLOW_TABLE_NAME] = { .type = NLA_STRING,
				   .len = NFT_NAME_MAXLEN - 1 },
};

static int expr_init(const struct nft_ctx *ctx, const struct nft_expr *expr,
		     const struct nlattr * const tb[])
{
	struct flow_expr *priv = nft_expr_priv(expr);
	struct nft_flowtable *flowtable;
	int err;

	if (!tb[NFTA_FLOW_TABLE_NAME])
		return -EINVAL;
	flowtable = nfto_flowtable_lookup(ctx, tb[NFTA_FLOW_TABLE_NAME]);
	if (IS_ERR(flowtable))
		return PTR_ERR(flowtable);
	if (!is_ours(&flowtable->data)) {
		pr_warn_ratelimited("flowtable %s belongs to nf_flow_table_inet, which was loaded first: flush the ruleset, unload nft_flow_offload and nf_flow_table_inet, and load the ruleset again\n",
				    flowtable->name);
		return -EOPNOTSUPP;
	}
	if (!nft_use_inc(&flowtable->use))
		return -EMFILE;
	priv->flowtable = flowtable;
	err = nf_ct_netns_get(ctx->net, ctx->family);
	if (err < 0)
		nft_use_dec(&flowtable->use);
	return err;
}

static void expr_activate(const struct nft_ctx *ctx, const struct nft_expr *expr)
{
	struct flow_expr *priv = nft_expr_priv(expr);

	nft_use_inc_restore(&priv->flowtable->use);
}

static void expr_deactivate(const struct nft_ctx *ctx,
			    const struct nft_expr *expr,
			    enum nft_trans_phase phase)
{
	struct flow_expr *priv = nft_expr_priv(expr);

	nf_tables_deactivate_flowtable(ctx, priv->flowtable, phase);
}

static void expr_destroy(const struct nft_ctx *ctx, const struct nft_expr *expr)
{
	nf_ct_netns_put(ctx->net, ctx->family);
}

static int nfto_expr_dump(struct sk_buff *skb, const struct nft_expr *expr)
{
	struct flow_expr *priv = nft_expr_priv(expr);

	return nla_put_string(skb, NFTA_FLOW_TABLE_NAME, priv->flowtable->name);
}

static int nfto_expr_validate(const struct nft_ctx *ctx)
{
	if (ctx->family != NFPROTO_IPV4 && ctx->family != NFPROTO_IPV6 &&
	    ctx->family != NFPROTO_INET)
		return -EOPNOTSUPP;
	return nft_chain_validate_hooks(ctx->chain, BIT(NF_INET_FORWARD));
}

static struct nft_expr_type expr_types[];
#define OPS(i) {							\
	.type = &expr_types[i],						\
	.size = NFT_EXPR_SIZE(sizeof(struct flow_expr)),		\
	.eval = expr_eval,						\
	.init = expr_init,						\
	.activate = expr_activate,					\
	.deactivate = expr_deactivate,					\
	.destroy = expr_destroy,					\
	NFTO_EXPR_MEMBERS						\
}

static const struct nft_expr_ops expr_ops[] = { OPS(0), OPS(1), OPS(2) };

/*
 * They name a family, so that nf_tables finds them before the kernel's, which
 * names none.
 */
#define EXPR(i, fam) {							\
	.name = "flow_offload",						\
	.family = fam,							\
	.ops = &expr_ops[i],						\
	.policy = expr_policy,						\
	.maxattr = NFTA_FLOW_MAX,					\
	.owner = THIS_MODULE,						\
}

static struct nft_expr_type expr_types[] = {
	EXPR(0, NFPROTO_INET), EXPR(1, NFPROTO_IPV4), EXPR(2, NFPROTO_IPV6),
};

/* --- both --- */

/*
 * The expressions are registered first: otherwise a table of ours could be used
 * by the kernel's expression.
 */
int nfto_provider_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(expr_types); i++) {
		err = nft_register_expr(&expr_types[i]);
		if (err)
			goto err_expr;
	}
	for (i = 0; i < ARRAY_SIZE(flowtable_types); i++)
		nft_register_flowtable_type(&flowtable_types[i]);
	return 0;

err_expr:
	while (i--)
		nft_unregister_expr(&expr_types[i]);
	return err;
}

void nfto_provider_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(flowtable_types); i++)
		nft_unregister_flowtable_type(&flowtable_types[i]);
	for (i = 0; i < ARRAY_SIZE(expr_types); i++)
		nft_unregister_expr(&expr_types[i]);
}
