/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of fast/ share. */
#ifndef _NFTO_FAST_INTERNAL_H
#define _NFTO_FAST_INTERNAL_H

#include <linux/skbuff.h>
#include "nfto.h"
#include "fast/fast.h"
#include "flow/flow.h"
#include "hw/hw.h"
#include "way/way.h"

/**
 * struct nfto_packet - what the hook knows of a packet
 * @table: the flowtable
 * @flags: of nf_tables' object, which may change "counter"
 * @key: what it is looked up by
 * @offset: of the IP header, behind encapsulations in the packet's data
 * @there: what is there from the IP header on
 * @len: from the IP header on, as it says
 * @thoff: of the L4 header, from the IP header
 * @hdrsize: of the L4 header
 */
struct nfto_packet {
	struct nfto_table *table;
	unsigned int flags;
	struct nfto_key key;
	unsigned int offset;
	unsigned int there;
	unsigned int len;
	unsigned int thoff;
	unsigned int hdrsize;
};

/* encap.c */
__be16 nfto_encap_parse(struct sk_buff *skb, struct nfto_packet *p);
void nfto_encap_pop(struct sk_buff *skb, const struct nfto_packet *p,
		    __be16 proto);

/* nat.c */
void nfto_nat_ip4(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir);
void nfto_nat_ip6(struct sk_buff *skb, const struct nfto_packet *p,
		  const struct nfto_dir *dir);

/* forward.c */
enum nfto_reason nfto_forward_l4(struct sk_buff *skb, struct nfto_packet *p,
				 u8 proto);
struct nfto_dir *nfto_forward_begin(struct sk_buff *skb, struct nfto_packet *p,
				    unsigned int *verdict);
unsigned int nfto_forward_xmit(struct sk_buff *skb, const struct nfto_packet *p,
			       const struct nfto_dir *dir);

/* forward_ip4.c, forward_ip6.c */
unsigned int nfto_ip4_packet(struct sk_buff *skb, struct nfto_packet *p);
unsigned int nfto_ip6_packet(struct sk_buff *skb, struct nfto_packet *p);

#endif
