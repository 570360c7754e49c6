// SPDX-License-Identifier: GPL-2.0
// For tests/abi: each class that programs see the inside of. In the library's
// functions some are within classes of the standard library, where abidiff does
// not look.
#include <nfto/nfto.hpp>

using namespace nfto;

NFTO_EXPORT void nfto_types(Error *, Address *, Prefix *, Tuple *, Encap *,
                            Info *, Port *, ReasonCount *, Flowtable *,
                            Direction *, Flow *, RecentStats *, Stats *,
                            Refusal *, Filter *, Counts *, Changed *,
                            ProbeRequest *, ProbeAnswer *)
{}

NFTO_EXPORT void nfto_others(Client *, Events *, FlowNew *, FlowEnd *, FlowHw *,
                             PortChange *, RefusalNew *, Missed *,
                             EventGroups *, Connection *, Transport *,
                             RulesetFlowtable *, FlowRule *, Ruleset *, Setup *)
{}
