// SPDX-License-Identifier: GPL-2.0
// A stream of events, over a transport that has a script.
#include <cerrno>

#include <nfto/events.hpp>

#include "catch.hpp"
#include "fake_transport.hpp"
#include "netlink/parse.hpp"

using namespace nfto;
using bytes::Buffer;
using std::chrono::milliseconds;

namespace {

constexpr EventGroups all_groups{true, true, true};

struct Stream {
    Stream() { expect_opening(*fake); }

    Events open(EventGroups groups = all_groups)
    {
        auto events = Events::over(std::move(owned), groups);
        REQUIRE(events);
        fake->timeouts.clear();
        return std::move(*events);
    }

    Error failure(EventGroups groups)
    {
        auto events = Events::over(std::move(owned), groups);
        REQUIRE_FALSE(events);
        return events.error();
    }

    std::unique_ptr<FakeTransport> owned = std::make_unique<FakeTransport>();
    FakeTransport *fake = owned.get();
};

/// As the kernel sends to a group.
Buffer event(std::uint8_t command, const Buffer &attrs)
{
    return bytes::message(bytes::family, 0, bytes::genl(command, attrs), 0, 0);
}

template <typename T> T next_of(Events &events)
{
    auto got = events.next(milliseconds(0));
    REQUIRE(got);
    REQUIRE(*got);
    REQUIRE(std::holds_alternative<T>(**got));
    return std::get<T>(std::move(**got));
}

bool nothing_next(Events &events)
{
    const auto got = events.next(milliseconds(0));
    return got && !*got;
}

} // namespace

TEST_CASE("groups are joined by the numbers that the controller knows")
{
    Stream stream;
    const Events events = stream.open();
    CHECK(stream.fake->joined == std::vector<std::uint32_t>{11, 12, 13});
    CHECK(events.fd() == 42);
    Stream other;
    const Events ports = other.open(EventGroups{false, true, false});
    CHECK(other.fake->joined == std::vector<std::uint32_t>{12});
}

TEST_CASE("streams that cannot be opened")
{
    Stream none;
    CHECK(none.failure(EventGroups{}).code == EINVAL);

    Stream forbidden;
    forbidden.fake->join_error = EPERM;
    const Error error = forbidden.failure(all_groups);
    CHECK(error.message() ==
          "joining the group flows: Connections are shown to "
          "those with CAP_NET_ADMIN only (Operation not "
          "permitted)");
    Stream failing;
    failing.fake->join_error = ENOMEM;
    CHECK(failing.failure(all_groups).code == ENOMEM);

    Stream without;
    without.fake->answers.front().front() = bytes::message(
        GENL_ID_CTRL, 0,
        bytes::genl(
            CTRL_CMD_NEWFAMILY,
            bytes::join({bytes::u16(CTRL_ATTR_FAMILY_ID, bytes::family),
                         bytes::nest(CTRL_ATTR_MCAST_GROUPS,
                                     {samples::group(1, "ports", 12)})}),
            2));
    const Error missing = without.failure(all_groups);
    CHECK(missing.code == ENOTSUP);
    CHECK(missing.why.find("kernel") != std::string::npos);

    Stream absent;
    absent.fake->answers = {{bytes::ack(ENOENT)}};
    CHECK(absent.failure(all_groups).code == ENOPROTOOPT);
}

TEST_CASE("events of every kind")
{
    Stream stream;
    Events events = stream.open();
    stream.fake->queue = {
        event(NFTO_CMD_FLOW_NEW, samples::full_flow(77)),
        event(NFTO_CMD_FLOW_HW, samples::flow_hw(NFTO_A_FLOW_DIR_ORIG)),
        event(NFTO_CMD_FLOW_HW, samples::flow_hw(NFTO_A_FLOW_DIR_REPLY)),
        event(NFTO_CMD_FLOW_END,
              bytes::join(
                  {samples::full_flow(78),
                   bytes::u32(NFTO_A_FLOW_END_REASON, NFTO_REASON_TCP_CLOSE)})),
        event(NFTO_CMD_PORT_CHANGE, samples::port()),
        event(NFTO_CMD_REFUSAL_NEW, samples::refusal())};
    const auto begun = next_of<FlowNew>(events);
    CHECK(begun.flow.id == 77);
    CHECK_FALSE(begun.flow.end_reason);
    const auto refused = next_of<FlowHw>(events);
    CHECK(refused.id == 77);
    CHECK(refused.flowtable == 5);
    CHECK(refused.orig.sport == 4000);
    CHECK_FALSE(refused.reply);
    CHECK(refused.direction.in_ifindex == 3);
    CHECK(refused.direction.hw == Hw::out);
    CHECK(refused.direction.reason == Reason::refused);
    CHECK(refused.direction.error == 95);
    CHECK(refused.direction.why == "no such action");
    CHECK(next_of<FlowHw>(events).reply);
    const auto ended = next_of<FlowEnd>(events);
    CHECK(ended.flow.id == 78);
    CHECK(ended.flow.end_reason == Reason::tcp_close);
    CHECK(next_of<PortChange>(events).port.name == "lan");
    CHECK(next_of<RefusalNew>(events).refusal.count == 8);
    CHECK(nothing_next(events));
}

TEST_CASE("several events of a datagram, and what is no event")
{
    Stream stream;
    Events events = stream.open();
    const Buffer port = event(NFTO_CMD_PORT_CHANGE, samples::port());
    stream.fake->queue = {
        // Nothing, an event of a newer module, another family's, an old answer.
        Buffer(),
        event(99, samples::port()),
        bytes::message(GENL_ID_CTRL, 0, bytes::genl(1, {}), 0, 0),
        bytes::ack(),
        event(NFTO_CMD_PORT_GET, samples::port()),
        bytes::join({port, event(99, {}), port})};
    next_of<PortChange>(events);
    next_of<PortChange>(events);
    CHECK(nothing_next(events));
    CHECK(stream.fake->timeouts.size() == 7);
}

TEST_CASE("events that were lost are told of")
{
    Stream stream;
    Events events = stream.open();
    const Buffer port = event(NFTO_CMD_PORT_CHANGE, samples::port());
    stream.fake->queue = {port, ENOBUFS, port};
    next_of<PortChange>(events);
    next_of<Missed>(events);
    next_of<PortChange>(events);
}

TEST_CASE("a stream that fails goes on")
{
    Stream stream;
    Events events = stream.open();
    const Buffer port = event(NFTO_CMD_PORT_CHANGE, samples::port());
    const auto code = [&] {
        const auto got = events.next(milliseconds(0));
        REQUIRE_FALSE(got);
        return got.error().code;
    };
    stream.fake->queue = {
        EINTR,
        event(NFTO_CMD_FLOW_NEW, bytes::u8(NFTO_A_FLOW_ID, 1)),
        bytes::message(bytes::family, 0, Buffer(2), 0, 0),
        bytes::join({event(NFTO_CMD_PORT_CHANGE, {}), port}),
        bytes::join({port, Buffer(8)}),
        port};
    CHECK(code() == EINTR);
    CHECK(code() == EPROTO);
    CHECK(code() == EPROTO);
    CHECK(code() == EPROTO);
    next_of<PortChange>(events);
    next_of<PortChange>(events);
    CHECK(code() == EPROTO);
    next_of<PortChange>(events);
    CHECK(nothing_next(events));
}

TEST_CASE("how long a stream waits")
{
    Stream stream;
    Events events = stream.open();
    const auto asked = [&](milliseconds timeout) {
        stream.fake->timeouts.clear();
        REQUIRE(events.next(timeout));
        return stream.fake->timeouts.back();
    };
    CHECK(asked(milliseconds(-1)) < milliseconds(0));
    CHECK(asked(milliseconds(0)) == milliseconds(0));
    const auto second = asked(milliseconds(1000));
    CHECK(second <= milliseconds(1000));
    CHECK(second > milliseconds(500));
    // What is of no interest does not make it wait for longer.
    for (int i = 0; i < 3; ++i)
        stream.fake->queue.push_back(Buffer());
    CHECK(asked(milliseconds(1000)) <= milliseconds(1000));
    CHECK(stream.fake->timeouts.size() == 4);
}
