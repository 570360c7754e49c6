// SPDX-License-Identifier: GPL-2.0
/*
 * A port's two netdevs: "host" for the machine under test, "wire" for the
 * other end of the cable.
 */
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <net/gso.h>
#include "sim.h"

#define SIM_MAX_MTU	9600
#define SIM_SPEED	SPEED_25000
#define SIM_FEATURES	(NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | \
			 NETIF_F_ALL_TSO | NETIF_F_HIGHDMA)

/* What netdev_priv() of either netdev holds. */
struct sim_priv {
	struct sim_port *port;
};

static const char counter_names[][ETH_GSTRING_LEN] = {
	[SIM_CTR_WIRE_IN_PACKETS] = "offload_wire_in_packets",
	[SIM_CTR_WIRE_IN_BYTES] = "offload_wire_in_bytes",
	[SIM_CTR_WIRE_OUT_PACKETS] = "offload_wire_out_packets",
	[SIM_CTR_WIRE_OUT_BYTES] = "offload_wire_out_bytes",
	[SIM_CTR_HOST_IN_PACKETS] = "offload_host_in_packets",
	[SIM_CTR_HOST_IN_BYTES] = "offload_host_in_bytes",
	[SIM_CTR_HOST_OUT_PACKETS] = "offload_host_out_packets",
	[SIM_CTR_HOST_OUT_BYTES] = "offload_host_out_bytes",
	[SIM_CTR_HITS] = "offload_hits",
	[SIM_CTR_MISSES] = "offload_misses",
	[SIM_CTR_FORWARDED_PACKETS] = "offload_forwarded_packets",
	[SIM_CTR_FORWARDED_BYTES] = "offload_forwarded_bytes",
	[SIM_CTR_RULE_DROPS] = "offload_rule_drops",
	[SIM_CTR_RULE_ACCEPTS] = "offload_rule_accepts",
	[SIM_CTR_MIRRORED] = "offload_mirrored",
	[SIM_CTR_PUNT_UNBOUND] = "offload_punt_unbound",
	[SIM_CTR_PUNT_FRAGMENT] = "offload_punt_fragment",
	[SIM_CTR_PUNT_OPTIONS] = "offload_punt_options",
	[SIM_CTR_PUNT_MALFORMED] = "offload_punt_malformed",
	[SIM_CTR_PUNT_TTL] = "offload_punt_ttl",
	[SIM_CTR_PUNT_MTU] = "offload_punt_mtu",
	[SIM_CTR_DROP_LINK] = "offload_drop_link",
	[SIM_CTR_DROP_OVERRUN] = "offload_drop_overrun",
	[SIM_CTR_DROP_ERROR] = "offload_drop_error",
	[SIM_CTR_BINDS] = "offload_binds",
	[SIM_CTR_UNBINDS] = "offload_unbinds",
	[SIM_CTR_BINDS_REFUSED] = "offload_binds_refused",
	[SIM_CTR_REPLACES] = "offload_replaces",
	[SIM_CTR_DESTROYS] = "offload_destroys",
	[SIM_CTR_STATS] = "offload_stats",
	[SIM_CTR_REFUSED] = "offload_refused",
	[SIM_CTR_CALLBACK_NS] = "offload_callback_ns",
	[SIM_CTR_AGED] = "offload_aged",
	[SIM_CTR_DROP_FILTER] = "offload_drop_filter",
	[SIM_CTR_UNLOCKED_CALLS] = "offload_unlocked_calls",
	"offload_entries",
	"offload_entries_bound",
};

static struct sim_port *port_of(const struct net_device *dev)
{
	return ((struct sim_priv *)netdev_priv(dev))->port;
}

/* --- link --- */

/* Both ends are up, and the cable is plugged in. */
bool sim_port_is_up(const struct sim_port *port)
{
	return netif_running(port->host) && netif_running(port->wire) &&
	       !(READ_ONCE(port->adapter->knob.link_down) & BIT(port->index));
}

static void set_carrier(struct net_device *dev, bool on)
{
	if (!netif_running(dev))
		return;
	if (on)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}

/* Under RTNL: no netdev of the port opens or closes meanwhile. */
void sim_port_link(struct sim_port *port)
{
	bool up = sim_port_is_up(port);

	ASSERT_RTNL();
	set_carrier(port->host, up);
	set_carrier(port->wire, up);
}

/* --- receive --- */

/* With rx-checksum off the NIC vouches for nothing: complete the checksum. */
static struct sk_buff *finish_checksum(struct net_device *dev,
				       struct sk_buff *skb)
{
	struct sk_buff *segs;

	if (dev->features & NETIF_F_RXCSUM || skb->ip_summed != CHECKSUM_PARTIAL)
		return skb;
	if (skb_is_gso(skb)) {
		segs = skb_gso_segment(skb, NETIF_F_SG);
		if (!IS_ERR_OR_NULL(segs)) {
			consume_skb(skb);
			return segs;
		}
	} else if (!skb_checksum_help(skb)) {
		skb->ip_summed = CHECKSUM_NONE;
		return skb;
	}
	kfree_skb(skb);
	return NULL;
}

static void receive(struct napi_struct *napi, struct net_device *dev,
		    struct sk_buff *skb)
{
	struct sk_buff *next;

	skb_reset_mac_header(skb);
	skb->protocol = eth_hdr(skb)->h_proto; /* tags may have come or gone */
	for (skb = finish_checksum(dev, skb); skb; skb = next) {
		next = skb->next;
		skb_mark_not_on_list(skb);
		skb->protocol = eth_type_trans(skb, dev);
		napi_gro_receive(napi, skb);
	}
}

/*
 * No look at the ring after the completion: a producer appends first and
 * schedules then, and that is remembered while the poll runs.
 */
static int poll_end(struct napi_struct *napi, int done, int budget)
{
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

static int poll_host(struct napi_struct *napi, int budget)
{
	struct sim_port *port = container_of(napi, struct sim_port,
					     to_host.napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = sim_ring_get(&port->to_host))) {
		receive(napi, port->host, skb);
		done++;
	}
	return poll_end(napi, done, budget);
}

static int poll_wire(struct napi_struct *napi, int budget)
{
	struct sim_port *port = container_of(napi, struct sim_port,
					     to_wire.napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = sim_ring_get(&port->to_wire))) {
		done++;
		skb_reset_mac_header(skb);
		sim_count(port, SIM_CTR_WIRE_OUT_PACKETS, sim_wire_packets(skb));
		sim_count(port, SIM_CTR_WIRE_OUT_BYTES, sim_wire_bytes(skb));
		/* GRO writes into what the host may keep to send it again. */
		if (skb_unclone(skb, GFP_ATOMIC)) {
			sim_count(port, SIM_CTR_DROP_ERROR, 1);
			kfree_skb(skb);
			continue;
		}
		receive(napi, port->wire, skb);
	}
	return poll_end(napi, done, budget);
}

static int poll_pipe(struct napi_struct *napi, int budget)
{
	struct sim_port *port = container_of(napi, struct sim_port,
					     to_pipe.napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = sim_ring_get(&port->to_pipe))) {
		sim_pipeline_run(port, skb);
		done++;
	}
	return poll_end(napi, done, budget);
}

/* --- transmit --- */

/* A cable carries bytes: what the sender's stack noted on the packet goes. */
static bool forget_sender(struct sk_buff *skb)
{
	skb_tx_timestamp(skb);
	if (skb_orphan_frags_rx(skb, GFP_ATOMIC))
		return false;
	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	skb->priority = 0;
	skb_reset_redirect(skb);
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return true;
}

static netdev_tx_t wire_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct sim_port *port = port_of(dev);

	if (!forget_sender(skb)) {
		sim_count(port, SIM_CTR_DROP_ERROR, 1);
		kfree_skb(skb);
	} else if (!sim_ring_put(&port->to_pipe, skb)) {
		sim_count(port, SIM_CTR_DROP_OVERRUN, 1);
	}
	return NETDEV_TX_OK;
}

static netdev_tx_t host_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct sim_port *port = port_of(dev);
	unsigned int packets = sim_wire_packets(skb);
	u64 bytes = sim_wire_bytes(skb);

	if (!sim_port_is_up(port)) {
		sim_count(port, SIM_CTR_DROP_LINK, packets);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}
	if (!forget_sender(skb)) {
		sim_count(port, SIM_CTR_DROP_ERROR, packets);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}
	if (skb_vlan_tag_present(skb)) {
		skb = __vlan_hwaccel_push_inside(skb);
		if (!skb) {
			sim_count(port, SIM_CTR_DROP_ERROR, packets);
			return NETDEV_TX_OK;
		}
	}
	sim_count(port, SIM_CTR_HOST_OUT_PACKETS, packets);
	sim_count(port, SIM_CTR_HOST_OUT_BYTES, bytes);
	if (!sim_ring_put(&port->to_wire, skb))
		sim_count(port, SIM_CTR_DROP_OVERRUN, packets);
	return NETDEV_TX_OK;
}

/* --- netdev operations --- */

static int host_open(struct net_device *dev)
{
	struct sim_port *port = port_of(dev);

	sim_ring_open(&port->to_host);
	netif_start_queue(dev);
	sim_port_link(port);
	return 0;
}

static int host_stop(struct net_device *dev)
{
	struct sim_port *port = port_of(dev);

	netif_stop_queue(dev);
	netif_carrier_off(dev);
	set_carrier(port->wire, false);
	sim_ring_close(&port->to_host);
	return 0;
}

static int wire_open(struct net_device *dev)
{
	struct sim_port *port = port_of(dev);

	sim_ring_open(&port->to_pipe);
	sim_ring_open(&port->to_wire);
	netif_start_queue(dev);
	sim_port_link(port);
	return 0;
}

static int wire_stop(struct net_device *dev)
{
	struct sim_port *port = port_of(dev);

	netif_stop_queue(dev);
	netif_carrier_off(dev);
	set_carrier(port->host, false);
	sim_ring_close(&port->to_pipe);
	sim_ring_close(&port->to_wire);
	/* Nobody empties the ring any more: let the host's packets drop. */
	if (netif_running(port->host))
		netif_wake_queue(port->host);
	return 0;
}

static u64 counter(const struct sim_port *port, enum sim_counter c)
{
	return atomic64_read(&port->ctr[c]);
}

static void host_stats(struct net_device *dev, struct rtnl_link_stats64 *st)
{
	const struct sim_port *port = port_of(dev);

	st->rx_packets = counter(port, SIM_CTR_HOST_IN_PACKETS);
	st->rx_bytes = counter(port, SIM_CTR_HOST_IN_BYTES);
	st->tx_packets = counter(port, SIM_CTR_HOST_OUT_PACKETS);
	st->tx_bytes = counter(port, SIM_CTR_HOST_OUT_BYTES);
}

static void wire_stats(struct net_device *dev, struct rtnl_link_stats64 *st)
{
	const struct sim_port *port = port_of(dev);

	st->rx_packets = counter(port, SIM_CTR_WIRE_OUT_PACKETS);
	st->rx_bytes = counter(port, SIM_CTR_WIRE_OUT_BYTES);
	st->tx_packets = counter(port, SIM_CTR_WIRE_IN_PACKETS);
	st->tx_bytes = counter(port, SIM_CTR_WIRE_IN_BYTES);
}

static int host_setup_tc(struct net_device *dev, enum tc_setup_type type,
			 void *type_data)
{
	struct sim_port *port = port_of(dev);

	switch (type) {
	case TC_SETUP_FT:
		return sim_block_setup(port, SIM_CLASS_FT, type_data);
	case TC_SETUP_BLOCK:
		return sim_block_setup(port, SIM_CLASS_TC, type_data);
	default:
		return -EOPNOTSUPP;
	}
}

static const struct net_device_ops host_ops = {
	.ndo_open = host_open,
	.ndo_stop = host_stop,
	.ndo_start_xmit = host_xmit,
	.ndo_get_stats64 = host_stats,
	.ndo_setup_tc = host_setup_tc,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static const struct net_device_ops wire_ops = {
	.ndo_open = wire_open,
	.ndo_stop = wire_stop,
	.ndo_start_xmit = wire_xmit,
	.ndo_get_stats64 = wire_stats,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

/* The port that a netdev is the host side of, NULL = it is no port of ours. */
struct sim_port *sim_port_of_host(const struct net_device *dev)
{
	return dev && dev->netdev_ops == &host_ops ? port_of(dev) : NULL;
}

/* --- ethtool --- */

static void get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	struct sim_port *port = port_of(dev);
	const char *driver = port->adapter->profile->driver;

	/* The cable's end is nobody's NIC. */
	if (!driver || dev != port->host)
		driver = KBUILD_MODNAME;
	strscpy(info->driver, driver, sizeof(info->driver));
	snprintf(info->bus_info, sizeof(info->bus_info), "%s/%u/%s",
		 port->adapter->name, port->index,
		 dev == port->host ? "host" : "wire");
	strscpy(info->fw_version, port->adapter->profile->name,
		sizeof(info->fw_version));
}

static int get_link_ksettings(struct net_device *dev,
			      struct ethtool_link_ksettings *cmd)
{
	cmd->base.speed = SIM_SPEED;
	cmd->base.duplex = DUPLEX_FULL;
	cmd->base.port = PORT_OTHER;
	cmd->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static int get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? ARRAY_SIZE(counter_names) : -EOPNOTSUPP;
}

static void get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, counter_names, sizeof(counter_names));
}

static void get_ethtool_stats(struct net_device *dev,
			      struct ethtool_stats *stats, u64 *data)
{
	struct sim_port *port = port_of(dev);
	int i;

	for (i = 0; i < SIM_CTR_MAX; i++)
		data[i] = counter(port, i);
	data[i++] = atomic_read(&port->adapter->n_entries);
	data[i++] = atomic_read(&port->adapter->n_bound);
}

static const struct ethtool_ops ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_link_ksettings = get_link_ksettings,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_ethtool_stats,
};

/* --- life --- */

static struct net_device *make_netdev(struct sim_port *port, const char *name,
				      struct net *net,
				      const struct net_device_ops *ops)
{
	struct net_device *dev;

	dev = alloc_netdev(sizeof(struct sim_priv), name, NET_NAME_USER,
			   ether_setup);
	if (!dev)
		return NULL;
	((struct sim_priv *)netdev_priv(dev))->port = port;
	dev_net_set(dev, net);
	dev->netdev_ops = ops;
	dev->ethtool_ops = &ethtool_ops;
	dev->features = SIM_FEATURES;
	dev->hw_features = SIM_FEATURES;
	dev->vlan_features = SIM_FEATURES & ~NETIF_F_RXCSUM;
	dev->max_mtu = SIM_MAX_MTU;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	eth_hw_addr_random(dev);
	netif_carrier_off(dev);
	return dev;
}

/**
 * sim_port_register() - make and register a port's netdevs
 * @port: @adapter and @index are set
 * @spec: names and netns
 *
 * Context: RTNL is held.
 * Return: 0 or a negative errno, explained by sim_error(). Whatever it returns,
 * sim_port_unregister() and, after RTNL was released, sim_port_free() undo it.
 */
int sim_port_register(struct sim_port *port, const struct sim_spec *spec)
{
	const char *host = spec->host[port->index];
	const char *wire = spec->wire[port->index];
	const struct sim_adapter *ad = port->adapter;
	const int *nic = &ad->knob.pipeline_cpu;
	int err;

	INIT_LIST_HEAD(&port->blocks[SIM_CLASS_TC]);
	INIT_LIST_HEAD(&port->blocks[SIM_CLASS_FT]);
	port->host = make_netdev(port, host, spec->host_net, &host_ops);
	port->wire = make_netdev(port, wire, spec->wire_net, &wire_ops);
	if (!port->host || !port->wire) {
		sim_error("%s: no memory for port %u", ad->name, port->index);
		return -ENOMEM;
	}
	if (ad->profile->takes_ft || ad->profile->takes_block) {
		port->host->features |= NETIF_F_HW_TC;
		port->host->hw_features |= NETIF_F_HW_TC;
	}
	sim_ring_init(&port->to_pipe, port->wire, port->wire, nic, poll_pipe);
	sim_ring_init(&port->to_wire, port->wire, port->host, nic, poll_wire);
	/* The pipeline is never stopped; a full ring drops, as a NIC's does. */
	sim_ring_init(&port->to_host, port->host, NULL, &ad->knob.host_cpu,
		      poll_host);

	err = register_netdevice(port->host);
	if (err) {
		sim_error("%s: cannot register '%s': %pe", ad->name, host,
			  ERR_PTR(err));
		return err;
	}
	err = register_netdevice(port->wire);
	if (err)
		sim_error("%s: cannot register '%s': %pe", ad->name, wire,
			  ERR_PTR(err));
	return err;
}

static void unregister(struct net_device *dev, struct list_head *head)
{
	if (dev && dev->reg_state == NETREG_REGISTERED)
		unregister_netdevice_queue(dev, head);
}

void sim_port_unregister(struct sim_port *port, struct list_head *head)
{
	unregister(port->host, head);
	unregister(port->wire, head);
}

/* After RTNL was released, so that unregistering has come to its end. */
void sim_port_free(struct sim_port *port)
{
	sim_ring_free(&port->to_pipe);
	sim_ring_free(&port->to_wire);
	sim_ring_free(&port->to_host);
	if (port->host)
		free_netdev(port->host);
	if (port->wire)
		free_netdev(port->wire);
}
