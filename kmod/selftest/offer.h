/* SPDX-License-Identifier: GPL-2.0 */
/* Self-tests that run when the module is loaded. Return: whether they pass. */
#ifndef _NFTO_SELFTEST_OFFER_H
#define _NFTO_SELFTEST_OFFER_H

#include <linux/types.h>

bool nfto_table_selftest(void);
bool nfto_flow_selftest(void);
bool nfto_age_selftest(void);
bool nfto_dest_selftest(void);
bool nfto_rule_selftest(void);

#endif
