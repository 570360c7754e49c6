// SPDX-License-Identifier: GPL-2.0
// What nf_tables answers to who reads the ruleset.
#include <cstdint>

#include "fuzz_answers.hpp"
#include "fuzz_transport.hpp"
#include "nftables/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    FuzzTransport transport(std::as_bytes(std::span(data, size)));
    const auto ruleset = nfto::nftables::read_over(transport);
    if (!ruleset)
        (void)ruleset.error().message();
    return 0;
}
