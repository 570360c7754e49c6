// SPDX-License-Identifier: GPL-2.0
// What conntrack answers.
#include <cstdint>
#include <memory>

#include "fuzz_answers.hpp"
#include "netlink/conntrack.hpp"

using namespace nfto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    const auto input = std::as_bytes(std::span(data, size));
    Tuple tuple;
    tuple.l4proto = 6;
    const auto found = netlink::find_connection(
        std::make_unique<FuzzTransport>(input), tuple, 0);
    if (found && *found)
        (void)(*found)->orig.src.text();
    return 0;
}
