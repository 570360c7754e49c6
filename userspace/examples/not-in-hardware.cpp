// SPDX-License-Identifier: GPL-2.0
// Lists the flows that the NIC does not forward in both directions, and why not.
//
//     g++ -std=c++20 not-in-hardware.cpp $(pkg-config --cflags --libs libnfto)
//     ./a.out [NETNS]        as root, with nft_offload.ko loaded
#include <iostream>

#include <nfto/nfto.hpp>

namespace {

void show(const nfto::Tuple &tuple, const nfto::Direction &direction)
{
    if (direction.hw == nfto::Hw::in)
        return;
    std::cout << tuple.src.text() << ' ' << tuple.sport.value_or(0) << " > "
              << tuple.dst.text() << ' ' << tuple.dport.value_or(0) << ": "
              << nfto::name(direction.reason);
    // What the driver said, where it was the driver that refused.
    if (!direction.why.empty())
        std::cout << " (" << direction.why << ')';
    std::cout << std::endl;
}

int fail(const nfto::Error &error)
{
    std::cerr << error.message() << std::endl;
    return 1;
}

} // namespace

int main(int argc, char **argv)
{
    auto client = nfto::Client::open(argc > 1 ? argv[1] : "");
    if (!client)
        return fail(client.error());
    const auto done = client->flows({}, [](const nfto::Flow &flow) {
        show(flow.orig, flow.dir_orig);
        show(flow.reply, flow.dir_reply);
        return true;
    });
    return done ? 0 : fail(done.error());
}
