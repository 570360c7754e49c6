// SPDX-License-Identifier: GPL-2.0
// What a kernel has really sent, byte by byte. Numbers are of a little-endian
// machine there.
#include <bit>
#include <cerrno>

#include <nfto/client.hpp>

#include "catch.hpp"
#include "fake_transport.hpp"
#include "netlink/conntrack.hpp"
#include "recordings.hpp"

using namespace nfto;
using bytes::Buffer;

namespace {

/// For whoever asks now, instead of who has asked then.
Buffer recorded(std::string_view text)
{
    Buffer data = bytes::hex(text);
    std::size_t at = 0;
    while (at + 16 <= data.size()) {
        std::uint32_t length = 0;
        std::memcpy(&length, &data[at], sizeof(length));
        std::memcpy(&data[at + 8], &bytes::seq_of_request, 4);
        std::memcpy(&data[at + 12], &bytes::port_id, 4);
        at += (length + 3U) & ~3U;
    }
    return data;
}

/// A client that was opened by recordings.
struct Talk {
    Client open()
    {
        expect(
            {recorded(recordings::family), recorded(recordings::acknowledged)});
        expect(
            {recorded(recordings::info), recorded(recordings::acknowledged)});
        auto client = Client::over(std::move(owned));
        REQUIRE(client);
        return std::move(*client);
    }

    void expect(Answer answer) { fake->answers.push_back(std::move(answer)); }

    std::unique_ptr<FakeTransport> owned = std::make_unique<FakeTransport>();
    FakeTransport *fake = owned.get();
};

bool little_endian()
{
    return std::endian::native == std::endian::little;
}

Tuple some_tuple()
{
    Tuple tuple;
    tuple.l4proto = 17;
    return tuple;
}

} // namespace

TEST_CASE("recorded: the module, its ports, flowtables, totals and refusals")
{
    if (!little_endian())
        return;
    Talk talk;
    Client client = talk.open();
    CHECK(client.info().version == "0.1.0");

    talk.expect({recorded(recordings::ports), recorded(recordings::flows_end)});
    const auto ports = client.ports();
    REQUIRE(ports);
    REQUIRE(ports->size() == 2);
    CHECK(ports->at(0).name == "lan");
    CHECK(ports->at(0).state == PortState::bound);
    CHECK(ports->at(0).kind == PortKind::flowtable);
    CHECK(ports->at(1).name == "wan");
    CHECK(ports->at(1).in_hardware == 4);
    CHECK(ports->at(1).accepted == 4);
    CHECK_FALSE(ports->at(1).full_at);

    talk.expect({recorded(recordings::no_port)});
    CHECK(
        client.port(1).error().message() ==
        "asking the module for a port: No flowtable with \"flags offload\" has "
        "this device (No such device)");

    talk.expect(
        {recorded(recordings::tables), recorded(recordings::flows_end)});
    const auto flowtables = client.flowtables();
    REQUIRE(flowtables);
    REQUIRE(flowtables->size() == 1);
    CHECK(flowtables->at(0).id == 6);
    CHECK(flowtables->at(0).name == "ft");
    CHECK(flowtables->at(0).table == "t");
    CHECK(flowtables->at(0).offload);
    CHECK(flowtables->at(0).counter);
    CHECK(flowtables->at(0).devices == std::vector<std::uint32_t>{4, 2});
    REQUIRE(flowtables->at(0).reasons.size() == 3);
    CHECK(flowtables->at(0).reasons[1].reason == Reason::protocol);
    CHECK(flowtables->at(0).reasons[1].count == 19);

    talk.expect(
        {recorded(recordings::stats), recorded(recordings::acknowledged)});
    const auto stats = client.stats();
    REQUIRE(stats);
    CHECK(stats->flows == 4);
    CHECK(stats->in_hardware == 8);
    CHECK(stats->recent);

    talk.expect(
        {recorded(recordings::refusals), recorded(recordings::flows_end)});
    const auto refusals = client.refusals();
    REQUIRE(refusals);
    REQUIRE(refusals->size() == 1);
    CHECK(refusals->at(0).count == 6);
    CHECK(refusals->at(0).reason == Reason::protocol);
    REQUIRE(refusals->at(0).orig);
    CHECK(refusals->at(0).orig->l4proto == 1);
    CHECK_FALSE(refusals->at(0).orig->sport);
}

TEST_CASE("recorded: flows")
{
    if (!little_endian())
        return;
    Talk talk;
    Client client = talk.open();
    std::vector<Flow> flows;
    talk.expect({recorded(recordings::flows), recorded(recordings::flows_end)});
    REQUIRE(client.flows({}, [&](const Flow &flow) {
        flows.push_back(flow);
        return true;
    }));
    REQUIRE(flows.size() == 4);
    const Flow &marked = flows[0];
    CHECK(marked.id == 3);
    CHECK(marked.mark == 42);
    CHECK(marked.ct_id == 3429882829);
    CHECK(marked.orig.src.text() == "10.1.0.2");
    CHECK(marked.orig.sport == 4003);
    CHECK(marked.orig.dport == 5002);
    CHECK(marked.reply == marked.orig.reversed());
    CHECK(marked.idle_ms == 8452);
    CHECK(marked.expires_ms == 591548);
    CHECK(marked.state() == FlowState::hardware);
    REQUIRE(marked.dir_orig.mac);
    CHECK(text(*marked.dir_orig.mac) == "82:2e:ea:24:dd:38");
    CHECK(marked.dir_orig.cookie == 770);
    CHECK(marked.dir_reply.cookie == 771);
    CHECK(marked.dir_reply.sw_bytes == 29);
    CHECK(flows[2].orig.src.text() == "fd01::2");
    CHECK(flows[2].mark == 0);
    CHECK(flows[3].snat);
    CHECK_FALSE(flows[3].dnat);
    CHECK(flows[3].reply.dst.text() == "10.2.0.1");

    talk.expect({recorded(recordings::no_table)});
    const auto none = client.flows({}, [](const Flow &) { return true; });
    REQUIRE_FALSE(none);
    CHECK(none.error().code == ENOENT);
    CHECK(none.error().why == "There is no table of this id");
}

TEST_CASE("recorded: conntrack")
{
    if (!little_endian())
        return;
    auto fake = std::make_unique<FakeTransport>();
    fake->answers = {{recorded(recordings::no_connection)},
                     {recorded(recordings::connection), bytes::ack()}};
    const auto found =
        netlink::find_connection(std::move(fake), some_tuple(), 0);
    REQUIRE(found);
    REQUIRE(*found);
    CHECK((*found)->id == 3518603148);
    CHECK((*found)->orig.sport == 4002);
    CHECK((*found)->reply.dst.text() == "10.2.0.1");
    CHECK((*found)->snat());
    CHECK((*found)->seen_reply());
    CHECK((*found)->offload());
    CHECK((*found)->hw_offload());
    CHECK((*found)->packets[0] == 3);
    CHECK((*found)->bytes[1] == 87);
}
