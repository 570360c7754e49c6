// SPDX-License-Identifier: GPL-2.0
/* What a driver takes, by netlink. */
#include "netlink/internal.h"

/* 16 addresses with all their ports. */
#define COUNT_MAX	BIT(20)

static int fill_probe(struct sk_buff *skb, const void *object)
{
	const struct nfto_probe *probe = object;
	const char *why;
	int error;

	why = nfto_result_text(probe->result, &error);
	if (nla_put_u32(skb, NFTO_A_PROBE_ACCEPTED, probe->accepted) ||
	    (probe->left && nla_put_u32(skb, NFTO_A_PROBE_LEFT, probe->left)) ||
	    nla_put_u32(skb, NFTO_A_PROBE_STATE, probe->state) ||
	    nla_put_u32(skb, NFTO_A_PROBE_KIND, probe->kind) ||
	    (error && nla_put_u32(skb, NFTO_A_PROBE_ERRNO, -error)) ||
	    (why && nla_put_string(skb, NFTO_A_PROBE_WHY, why)) ||
	    (probe->reason &&
	     nla_put_u32(skb, NFTO_A_PROBE_REASON, probe->reason)) ||
	    (probe->counts && nla_put_flag(skb, NFTO_A_PROBE_COUNTS)))
		return -EMSGSIZE;
	return 0;
}

static struct net_device *find_dev(struct genl_info *info, int attr)
{
	struct net_device *dev;

	dev = dev_get_by_index(genl_info_net(info),
			       nla_get_u32(info->attrs[attr]));
	if (!dev)
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[attr],
				    "There is no such device");
	return dev;
}

static int probe_and_answer(struct genl_info *info, struct nfto_probe *probe)
{
	int err = nfto_probe(nfto_net_of(genl_info_net(info)), probe);

	switch (err) {
	case 0:
		return nfto_nl_answer(info, fill_probe, probe);
	case -ENODEV:
		NL_SET_ERR_MSG(info->extack,
			       "The device is going, or moved to another netns");
		break;
	case -EINTR:
		NL_SET_ERR_MSG(info->extack,
			       "A signal came; what was in is out again");
		break;
	case -ENOMEM:
		NL_SET_ERR_MSG(info->extack, "No memory for the probe");
		break;
	}
	return err;
}

int nfto_nl_port_probe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs;
	struct nfto_probe probe = { .count = 1 };
	int err;

	err = nfto_nl_may_change(skb, info->extack);
	if (err)
		return err;
	if (!attrs[NFTO_A_PROBE_IFINDEX] || !attrs[NFTO_A_PROBE_FEATURE]) {
		NL_SET_ERR_MSG(info->extack,
			       "The device's ifindex or the feature is missing");
		return -EINVAL;
	}
	probe.feature = nla_get_u32(attrs[NFTO_A_PROBE_FEATURE]);
	if (attrs[NFTO_A_PROBE_COUNT])
		probe.count = nla_get_u32(attrs[NFTO_A_PROBE_COUNT]);
	if (probe.feature == NFTO_FEATURE_IPV4_GRE && probe.count > 256) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFTO_A_PROBE_COUNT],
				    "GRE has no ports: up to 256 of these");
		return -EINVAL;
	}
	if (probe.count > COUNT_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[NFTO_A_PROBE_COUNT],
				    "Up to 1048576 at the same time");
		return -EINVAL;
	}
	probe.dev = find_dev(info, NFTO_A_PROBE_IFINDEX);
	if (!probe.dev)
		return -ENODEV;
	if (attrs[NFTO_A_PROBE_OUT_IFINDEX]) {
		probe.out = find_dev(info, NFTO_A_PROBE_OUT_IFINDEX);
	} else {
		probe.out = probe.dev;
		dev_hold(probe.out);
	}
	err = probe.out ? probe_and_answer(info, &probe) : -ENODEV;
	dev_put(probe.out);
	dev_put(probe.dev);
	return err;
}
