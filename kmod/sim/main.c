// SPDX-License-Identifier: GPL-2.0
/*
 * nft_offload_sim: see sim.h.
 */
#include <linux/module.h>
#include "sim.h"

static int __init sim_init(void)
{
	sim_block_init();
	return sim_maker_init();
}

static void __exit sim_exit(void)
{
	/* No file is open, and none opens any more: each would hold the module. */
	sim_adapter_remove_all();
	sim_maker_exit();
	rcu_barrier(); /* entries and masks on their way to be freed */
}

module_init(sim_init);
module_exit(sim_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Simulated NIC that forwards offloaded flows");
