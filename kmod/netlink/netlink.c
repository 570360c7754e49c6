// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: what all its operations share. Their tables and
 * policies are generated from netlink/nfto.yaml, which says what they do.
 */
#include <linux/module.h>
#include "netlink/internal.h"

static bool is_admin(struct sk_buff *skb)
{
	return netlink_ns_capable(skb, sock_net(skb->sk)->user_ns,
				  CAP_NET_ADMIN);
}

/**
 * nfto_nl_may_see() - whether a request may have what tells of connections
 * @skb: the request
 * @extack: where the sentence goes
 *
 * Asked here rather than by flags of the operations, which give no sentence.
 *
 * Return: 0 or -EPERM.
 */
int nfto_nl_may_see(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (is_admin(skb))
		return 0;
	NL_SET_ERR_MSG(extack, "Connections are shown to those with CAP_NET_ADMIN only");
	return -EPERM;
}

/* The same of what changes something. */
int nfto_nl_may_change(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (is_admin(skb))
		return 0;
	NL_SET_ERR_MSG(extack, "This is for those with CAP_NET_ADMIN only");
	return -EPERM;
}

/**
 * nfto_nl_parse() - the attributes of a dump's request
 * @cb: the dump
 * @tb: where they go
 * @max: the last one of @policy
 * @policy: generated
 *
 * Generic netlink has parsed them already, and keeps them in a place that
 * kernels differ in. Not all kernels let a sentence of start() through, so
 * dumpit() does this in its first call.
 *
 * Return: 0 or a negative errno.
 */
int nfto_nl_parse(struct netlink_callback *cb, struct nlattr *tb[], int max,
		  const struct nla_policy *policy)
{
	return genlmsg_parse(cb->nlh, &nfto_nl_family, tb, max, policy,
			     cb->extack);
}

/* For dumps of all there is. */
int nfto_nl_no_attrs(struct netlink_callback *cb)
{
	if (!nlmsg_attrlen(cb->nlh, GENL_HDRLEN))
		return 0;
	NL_SET_ERR_MSG(cb->extack, "Attributes are for requests without NLM_F_DUMP");
	return -EINVAL;
}

/**
 * nfto_nl_answer() - answers a request for one object
 * @info: the request
 * @fill: puts the object's attributes
 * @object: the object
 *
 * Return: 0 or a negative errno.
 */
int nfto_nl_answer(struct genl_info *info,
		   int (*fill)(struct sk_buff *skb, const void *object),
		   const void *object)
{
	struct sk_buff *skb = genlmsg_new(NFTO_NL_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb) {
		NL_SET_ERR_MSG(info->extack, "No memory for the answer");
		return -ENOMEM;
	}
	hdr = genlmsg_put_reply(skb, info, &nfto_nl_family, 0,
				info->genlhdr->cmd);
	if (!hdr || fill(skb, object)) {
		nlmsg_free(skb);
		NL_SET_ERR_MSG(info->extack, "The answer does not fit a message");
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/**
 * nfto_nl_put() - one more object of a dump
 * @skb: the message
 * @cb: the dump
 * @fill: puts the object's attributes
 * @object: the object
 *
 * Return: 0, or -EMSGSIZE when the message is full.
 */
int nfto_nl_put(struct sk_buff *skb, struct netlink_callback *cb,
		int (*fill)(struct sk_buff *skb, const void *object),
		const void *object)
{
	const struct genlmsghdr *request = nlmsg_data(cb->nlh);
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &nfto_nl_family, NLM_F_MULTI, request->cmd);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (fill(skb, object)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * nfto_nl_dumped() - what a dump returns
 * @skb: the message
 * @cb: the dump
 * @err: -EMSGSIZE when there are more objects
 *
 * Return: for netlink: 0 at the end, more than that to be called again.
 */
int nfto_nl_dumped(const struct sk_buff *skb, struct netlink_callback *cb,
		   int err)
{
	/* One that does not fit an empty message would never fit. */
	if (err == -EMSGSIZE && !skb->len)
		NL_SET_ERR_MSG(cb->extack, "Not one fits a message");
	return skb->len ?: err;
}

/* --- info --- */

static int fill_info(struct sk_buff *skb, const void *object)
{
	if (nla_put_string(skb, NFTO_A_INFO_VERSION, THIS_MODULE->version) ||
	    nla_put_u32(skb, NFTO_A_INFO_ABI_VERSION, NFTO_ABI_VERSION))
		return -EMSGSIZE;
	return 0;
}

int nfto_nl_info_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return nfto_nl_answer(info, fill_info, NULL);
}

/* --- the family --- */

/* A dump's first message can be too small for a table otherwise. */
static int start_large(struct netlink_callback *cb)
{
	cb->min_dump_alloc = NFTO_NL_SIZE;
	return 0;
}

/* The generated table, and what has no place in it. */
static struct genl_ops ops[ARRAY_SIZE(nfto_nl_ops)] __ro_after_init;

static void __init fill_ops(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ops[i] = nfto_nl_ops[i];
		if (ops[i].cmd == NFTO_CMD_FLOW_GET)
			ops[i].done = nfto_nl_flow_done;
		else if (ops[i].cmd == NFTO_CMD_FLOWTABLE_GET)
			ops[i].start = start_large;
	}
}

struct genl_family nfto_nl_family __ro_after_init = {
	.name		= NFTO_FAMILY_NAME,
	.version	= NFTO_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.mcgrps		= nfto_nl_groups,
};

int __init nfto_netlink_init(void)
{
	int err;

	fill_ops();
	nfto_nl_family.n_mcgrps = nfto_nl_n_groups;
	err = genl_register_family(&nfto_nl_family);
	if (!err)
		nfto_nl_events_open();
	return err;
}

void nfto_netlink_exit(void)
{
	nfto_nl_events_close();
	genl_unregister_family(&nfto_nl_family);
}
