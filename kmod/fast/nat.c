// SPDX-License-Identifier: GPL-2.0
/*
 * Address translation. The addresses of a packet that leaves are those of the
 * other direction of its flow, mirrored. Checksums are updated in the same
 * order as in nf_nat, the address first and the port always, so that the two
 * representations of zero come out alike.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include "fast/internal.h"

/* The source and the destination port, as they are on the wire. */
union ports {
	u32 both;
	__be16 port[2];
};

static bool changes_source(const struct nfto_dir *dir)
{
	return nfto_flow_of(dir)->flags &
	       (dir->reply ? NFTO_F_DNAT : NFTO_F_SNAT);
}

static bool changes_dest(const struct nfto_dir *dir)
{
	return nfto_flow_of(dir)->flags &
	       (dir->reply ? NFTO_F_SNAT : NFTO_F_DNAT);
}

/* The L4 checksum, or NULL if there is none to be kept right. */
static __sum16 *checksum_of(struct sk_buff *skb, const struct nfto_packet *p)
{
	void *l4 = skb_network_header(skb) + p->thoff;
	struct udphdr *udp = l4;

	if (p->key.proto == IPPROTO_TCP)
		return &((struct tcphdr *)l4)->check;
	if (p->key.proto == IPPROTO_UDP &&
	    (udp->check || skb->ip_summed == CHECKSUM_PARTIAL))
		return &udp->check;
	return NULL;
}

static void finish_checksum(const struct nfto_packet *p, __sum16 *check)
{
	if (check && p->key.proto == IPPROTO_UDP && !*check)
		*check = CSUM_MANGLED_0;
}

static void set_port(struct sk_buff *skb, const struct nfto_packet *p,
		     __sum16 *check, int which, __be16 to)
{
	__be16 *port = (__be16 *)(skb_network_header(skb) + p->thoff) + which;

	if (check)
		inet_proto_csum_replace2(check, skb, *port, to, false);
	*port = to;
	finish_checksum(p, check);
}

static void set_ip4(struct sk_buff *skb, struct iphdr *iph, __sum16 *check,
		    __be32 *addr, __be32 to)
{
	csum_replace4(&iph->check, *addr, to);
	if (check)
		inet_proto_csum_replace4(check, skb, *addr, to, true);
	*addr = to;
}

/* Context: packet; the headers are writable and without encapsulation. */
void nfto_nat_ip4(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir)
{
	const struct nfto_dir *out = nfto_dir_other(dir);
	__sum16 *check = checksum_of(skb, p);
	union ports ports = { .both = out->ports };
	struct iphdr *iph = ip_hdr(skb);

	if (changes_dest(dir)) {
		set_ip4(skb, iph, check, &iph->daddr, out->saddr);
		set_port(skb, p, check, 1, ports.port[0]);
	}
	if (changes_source(dir)) {
		set_ip4(skb, iph, check, &iph->saddr, out->daddr);
		set_port(skb, p, check, 0, ports.port[1]);
	}
}

static void set_ip6(struct sk_buff *skb, __sum16 *check, struct in6_addr *addr,
		    const struct in6_addr *to)
{
	if (check)
		inet_proto_csum_replace16(check, skb, addr->s6_addr32,
					  to->s6_addr32, true);
	*addr = *to;
}

/* Context: packet; the headers are writable and without encapsulation. */
void nfto_nat_ip6(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir)
{
	const struct nf_conntrack_tuple *out =
		&nfto_flow_of(dir)->ct->tuplehash[!dir->reply].tuple;
	__sum16 *check = checksum_of(skb, p);
	struct ipv6hdr *ip6h = ipv6_hdr(skb);

	if (changes_dest(dir)) {
		set_ip6(skb, check, &ip6h->daddr, &out->src.u3.in6);
		set_port(skb, p, check, 1, out->src.u.all);
	}
	if (changes_source(dir)) {
		set_ip6(skb, check, &ip6h->saddr, &out->dst.u3.in6);
		set_port(skb, p, check, 0, out->dst.u.all);
	}
}
