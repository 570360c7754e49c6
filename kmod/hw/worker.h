/* SPDX-License-Identifier: GPL-2.0 */
/* What works on a port's queue: of engine.c and worker.c. */
#ifndef NFTO_WORKER_H
#define NFTO_WORKER_H

#include <net/pkt_cls.h>
#include "nfto.h"

/* A worker takes and gives back that many at once. */
#define BATCH	16

enum op {
	OP_NONE,
	OP_ADD,
	OP_REMOVE,
	OP_STATS,
	OP_STUCK,	/* nothing, until it is tried again */
	OP_END,		/* the flow has no numbers left */
};

/**
 * struct nfto_worker - one of a port's workers
 * @work: runs while there is something in the queue
 * @port: the port
 * @rule: where it builds rules
 * @cls: where it builds commands
 * @extack: what the driver says
 * @stats: what it was asked; only this worker writes
 * @batch: what it works on
 * @op: what is to be done with each of them; at the end OP_NONE or OP_STUCK
 * @n: how many
 * @n_adds: how many of them are to be put in, and are not yet
 * @item: number of the first of them, 0: none; under the port's lock
 * @calls: how many it has made
 * @running: it is queued or runs; under the port's lock
 */
struct nfto_worker {
	struct delayed_work work;
	struct nfto_port *port;
	struct nfto_rule *rule;
	struct flow_cls_offload cls;
	struct netlink_ext_ack extack;
	struct nfto_port_stats stats;
	struct nfto_dir *batch[BATCH];
	enum op op[BATCH];
	unsigned int n;
	unsigned int n_adds;
	u64 item;
	u32 calls;
	bool running;
};

void nfto_worker_batch(struct nfto_worker *w);

#endif
