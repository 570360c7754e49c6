// SPDX-License-Identifier: GPL-2.0
// Datagrams of groups.
#include <cstdint>
#include <memory>

#include <nfto/events.hpp>

#include "fuzz_answers.hpp"

using namespace nfto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    const bytes::Buffer input =
        fuzz::opened(std::as_bytes(std::span(data, size)));
    auto events = Events::over(std::make_unique<FuzzTransport>(input),
                               EventGroups{true, true, true});
    if (!events)
        return 0;
    for (;;) {
        const auto event = events->next(std::chrono::milliseconds(0));
        if (event && !*event)
            return 0;
    }
}
