// SPDX-License-Identifier: GPL-2.0
// What the controller answers, and the module when it is asked for its version.
#include <cstdint>
#include <memory>

#include <nfto/client.hpp>

#include "fuzz_answers.hpp"

using namespace nfto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    const auto input = std::as_bytes(std::span(data, size));
    const auto client = Client::over(std::make_unique<FuzzTransport>(input));
    if (client)
        (void)client->info();
    else
        (void)client.error().message();
    return 0;
}
