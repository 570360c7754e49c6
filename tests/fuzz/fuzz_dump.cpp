// SPDX-License-Identifier: GPL-2.0
// The first byte chooses the question, the rest is the answer: every object, and
// errors, ends and disturbances of dumps.
#include <cstdint>
#include <memory>

#include <nfto/client.hpp>

#include "fuzz_answers.hpp"

using namespace nfto;

namespace {

void walk_flows(Client &client)
{
    std::size_t budget = 100;
    (void)client.flows(
        {},
        [&](const Flow &flow) {
            (void)flow.state();
            (void)flow.orig.src.text();
            return --budget > 0;
        },
        3);
}

void ask(Client &client, std::uint8_t question)
{
    switch (question) {
    case 0:
        return walk_flows(client);
    case 1:
        return (void)client.ports();
    case 2:
        return (void)client.flowtables();
    case 3:
        return (void)client.refusals();
    case 4:
        return (void)client.stats();
    case 5:
        return (void)client.flow(1);
    case 6:
        return (void)client.count({});
    case 7:
        return (void)client.end_flows({});
    case 8:
        return (void)client.probe({});
    default:
        return (void)client.port(1);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    if (size == 0)
        return 0;
    const bytes::Buffer input =
        fuzz::opened(std::as_bytes(std::span(data + 1, size - 1)));
    auto client = Client::over(std::make_unique<FuzzTransport>(input));
    if (client) {
        ask(*client, data[0]);
        // Whatever it was, the next question is asked.
        ask(*client, static_cast<std::uint8_t>(data[0] + 1));
    }
    return 0;
}
