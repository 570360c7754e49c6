// SPDX-License-Identifier: GPL-2.0
// Questions and answers of a client, over a transport that has a script.
#include <cerrno>

#include <nfto/client.hpp>

#include "catch.hpp"
#include "fake_transport.hpp"
#include "netlink/id_set.hpp"

using namespace nfto;
using bytes::ack;
using bytes::Buffer;
using bytes::done;

namespace {

/// A client whose transport is still at hand.
struct Talk {
    explicit Talk(std::uint32_t abi = NFTO_ABI_VERSION)
    {
        expect_opening(*fake, abi);
    }

    Client open()
    {
        auto client = Client::over(std::move(owned));
        REQUIRE(client);
        fake->sent.clear();
        return std::move(*client);
    }

    Error failure()
    {
        auto client = Client::over(std::move(owned));
        REQUIRE_FALSE(client);
        return client.error();
    }

    /// The script's next answer.
    void expect(Answer answer) { fake->answers.push_back(std::move(answer)); }

    std::unique_ptr<FakeTransport> owned = std::make_unique<FakeTransport>();
    FakeTransport *fake = owned.get();
};

Buffer flow(std::uint64_t id, std::uint16_t flags = 2)
{
    return object(NFTO_CMD_FLOW_GET, samples::full_flow(id), flags);
}

Buffer port_message(std::uint16_t flags = 2)
{
    return object(NFTO_CMD_PORT_GET, samples::port(), flags);
}

/// Of all flows that are shown.
struct Shown {
    std::vector<std::uint64_t> ids;
    std::size_t most = 1000;

    Client::FlowVisitor visitor()
    {
        return [this](const Flow &one) {
            ids.push_back(one.id);
            return ids.size() < most;
        };
    }
};

using Ids = std::vector<std::uint64_t>;

/// What was sent, but for its sequence number.
Buffer request(std::uint16_t type, std::uint16_t flags, std::uint8_t command,
               const Buffer &attrs, std::uint32_t seq)
{
    return bytes::message(type, flags, bytes::genl(command, attrs), seq, 0);
}

constexpr std::uint16_t do_flags = 5;
constexpr std::uint16_t dump_flags = 0x301;

} // namespace

TEST_CASE("a client finds the family and asks for its version")
{
    Talk talk;
    auto client = Client::over(std::move(talk.owned));
    REQUIRE(client);
    CHECK(client->info().version == "0.1.0");
    CHECK(client->info().abi_version == 1);
    REQUIRE(talk.fake->sent.size() == 2);
    CHECK(talk.fake->sent[0] ==
          request(GENL_ID_CTRL, do_flags, CTRL_CMD_GETFAMILY,
                  bytes::str(CTRL_ATTR_FAMILY_NAME, "nfto"), 1));
    CHECK(talk.fake->sent[1] ==
          request(bytes::family, do_flags, NFTO_CMD_INFO_GET, {}, 2));
    Client moved = std::move(*client);
    CHECK(moved.info().abi_version == 1);
}

TEST_CASE("a module that is not loaded")
{
    Talk talk;
    talk.fake->answers = {{ack(ENOENT)}};
    const Error error = talk.failure();
    CHECK(error.code == ENOPROTOOPT);
    CHECK(error.why == "The module nft_offload is not loaded; to load it: "
                       "modprobe nft_offload");
}

TEST_CASE("a controller that fails, or says nothing")
{
    Talk talk;
    talk.fake->answers = {{ack(EPERM)}};
    CHECK(talk.failure().code == EPERM);
    Talk other;
    other.fake->answers = {{ack()}};
    CHECK(other.failure().code == EPROTO);
    Talk third;
    third.fake->answers.front().front() =
        bytes::message(GENL_ID_CTRL, 0, bytes::genl(1, bytes::u32(1, 2), 2));
    CHECK(third.failure().code == EPROTO);
}

TEST_CASE("an older and a newer interface")
{
    Talk newer(2);
    Error error = newer.failure();
    CHECK(error.code == EPROTONOSUPPORT);
    CHECK(error.why == "The module speaks version 2 of the interface and this "
                       "library 1: upgrade libnfto");
    // There was no version before 1; 0 stands for it.
    static_assert(abi_version == 1);
    Talk older(0);
    error = older.failure();
    CHECK(error.code == EPROTONOSUPPORT);
    CHECK(error.why == "The module speaks version 0 of the interface and this "
                       "library 1: upgrade nft_offload.ko");
}

TEST_CASE("lists")
{
    Talk talk;
    Client client = talk.open();
    talk.expect({bytes::join({port_message(), port_message()}), port_message(),
                 done()});
    const auto ports = client.ports();
    REQUIRE(ports);
    REQUIRE(ports->size() == 3);
    CHECK(ports->at(2).name == "lan");
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, dump_flags, NFTO_CMD_PORT_GET, {}, 3));

    talk.expect({bytes::join(
        {object(NFTO_CMD_FLOWTABLE_GET, samples::module_flowtable()),
         done()})});
    const auto flowtables = client.flowtables();
    REQUIRE(flowtables);
    REQUIRE(flowtables->size() == 1);
    CHECK(flowtables->front().name == "ft");
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, dump_flags, NFTO_CMD_FLOWTABLE_GET, {}, 4));

    talk.expect({object(NFTO_CMD_REFUSAL_GET, samples::refusal()), done()});
    const auto refusals = client.refusals();
    REQUIRE(refusals);
    REQUIRE(refusals->size() == 1);
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, dump_flags, NFTO_CMD_REFUSAL_GET, {}, 5));

    talk.expect({done()});
    const auto helper = client.refusals(Reason::helper);
    REQUIRE(helper);
    CHECK(helper->empty());
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, dump_flags, NFTO_CMD_REFUSAL_GET,
                  bytes::u32(NFTO_A_REFUSAL_REASON, NFTO_REASON_HELPER), 6));
    for (const auto timeout : talk.fake->timeouts)
        CHECK(timeout >= std::chrono::seconds(1));
}

TEST_CASE("one object")
{
    Talk talk;
    Client client = talk.open();
    talk.expect({port_message(0), ack()});
    const auto port = client.port(3);
    REQUIRE(port);
    CHECK(port->name == "lan");
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_PORT_GET,
                  bytes::u32(NFTO_A_PORT_IFINDEX, 3), 3));

    talk.expect({object(NFTO_CMD_STATS_GET, samples::stats(), 0), ack()});
    const auto stats = client.stats();
    REQUIRE(stats);
    CHECK(stats->flows == 3);
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_STATS_GET, {}, 4));

    talk.expect({flow(77, 0), ack()});
    const auto one = client.flow(77);
    REQUIRE(one);
    CHECK(one->id == 77);
    CHECK(one->dir_orig.why == "firmware is busy");
    CHECK(talk.fake->sent.back() == request(bytes::family, do_flags,
                                            NFTO_CMD_FLOW_GET,
                                            bytes::u64(NFTO_A_FLOW_ID, 77), 5));
}

TEST_CASE("what changes something")
{
    Talk talk;
    Client client = talk.open();
    const auto answer = [](std::uint8_t command) {
        return Answer{object(command, samples::changed(), 0), ack()};
    };
    const Buffer empty = bytes::nest(NFTO_A_COUNT_FILTER, {});
    const Buffer id = bytes::u64(NFTO_A_COUNT_ID, 0x123456789a);

    talk.expect(answer(NFTO_CMD_FLOW_DEL));
    auto changed = client.end_flows({});
    REQUIRE(changed);
    CHECK(changed->flows == 10);
    CHECK(changed->ended == 6);
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_FLOW_DEL, empty, 3));

    talk.expect(answer(NFTO_CMD_FLOW_DEL));
    REQUIRE(client.end_flow(0x123456789a));
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_FLOW_DEL, id, 4));

    talk.expect(answer(NFTO_CMD_FLOW_REVALIDATE));
    changed = client.revalidate({});
    REQUIRE(changed);
    CHECK(changed->offered == 5);
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_FLOW_REVALIDATE, empty, 5));

    talk.expect(answer(NFTO_CMD_FLOW_REVALIDATE));
    REQUIRE(client.revalidate_flow(0x123456789a));
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_FLOW_REVALIDATE, id, 6));

    talk.expect({object(NFTO_CMD_FLOW_COUNT, samples::counts(), 0), ack()});
    const auto counts = client.count({});
    REQUIRE(counts);
    CHECK(counts->half == 2);
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_FLOW_COUNT, empty, 7));
}

TEST_CASE("a flowtable is changed")
{
    Talk talk;
    Client client = talk.open();
    talk.expect({object(NFTO_CMD_FLOWTABLE_SET, samples::module_flowtable(), 0),
                 ack()});
    const auto flowtable = client.set_flowtable(5, {.follow_ruleset = false});
    REQUIRE(flowtable);
    CHECK(flowtable->follow_ruleset == false);
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_FLOWTABLE_SET,
                  bytes::join({bytes::u32(NFTO_A_FLOWTABLE_ID, 5),
                               bytes::u8(NFTO_A_FLOWTABLE_FOLLOW_RULESET, 0)}),
                  3));
}

TEST_CASE("a port is set")
{
    Talk talk;
    Client client = talk.open();
    talk.expect({object(NFTO_CMD_PORT_SET, samples::port(), 0), ack()});
    const auto port = client.set_port(3, {.block = Block::off});
    REQUIRE(port);
    CHECK(port->name == "lan");
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_PORT_SET,
                  bytes::join({bytes::u32(NFTO_A_PORT_IFINDEX, 3),
                               bytes::u32(NFTO_A_PORT_BLOCK, NFTO_BLOCK_OFF)}),
                  3));
}

TEST_CASE("a probe")
{
    Talk talk;
    Client client = talk.open();
    ProbeRequest probe;
    probe.ifindex = 3;
    probe.feature = Feature::pppoe_out;
    talk.expect(
        {object(NFTO_CMD_PORT_PROBE, samples::probe_answer(), 0), ack()});
    const auto answer = client.probe(probe);
    REQUIRE(answer);
    CHECK(answer->accepted == 31);
    CHECK(answer->counts);
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_PORT_PROBE,
                  bytes::join(
                      {bytes::u32(NFTO_A_PROBE_IFINDEX, 3),
                       bytes::u32(NFTO_A_PROBE_FEATURE, NFTO_FEATURE_PPPOE_OUT),
                       bytes::u32(NFTO_A_PROBE_COUNT, 1)}),
                  3));
    probe.out_ifindex = 4;
    probe.count = 1000;
    talk.expect({ack(ENODEV, "There is no such device")});
    CHECK(
        client.probe(probe).error().message() ==
        "offering a rule to a driver: There is no such device (No such device)");
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, do_flags, NFTO_CMD_PORT_PROBE,
                  bytes::join(
                      {bytes::u32(NFTO_A_PROBE_IFINDEX, 3),
                       bytes::u32(NFTO_A_PROBE_OUT_IFINDEX, 4),
                       bytes::u32(NFTO_A_PROBE_FEATURE, NFTO_FEATURE_PPPOE_OUT),
                       bytes::u32(NFTO_A_PROBE_COUNT, 1000)}),
                  4));
}

TEST_CASE("a filter with all that it may have")
{
    Talk talk;
    Client client = talk.open();
    Filter filter;
    filter.flowtable = 5;
    filter.ifindex = 3;
    filter.in_ifindex = 4;
    filter.state = FlowState::half;
    filter.hw = Hw::in;
    filter.reason = Reason::full;
    filter.address = *Prefix::parse("10.1.0.0/16");
    filter.port = 80;
    filter.src = *Prefix::parse("fd01::/64");
    filter.dst = *Prefix::parse("fd02::2");
    filter.sport = 4000;
    filter.dport = 443;
    filter.l4proto = 17;
    filter.mark = 42;
    filter.mark_mask = 0xff;
    filter.zone = 7;
    talk.expect({done()});
    Shown shown;
    REQUIRE(client.flows(filter, shown.visitor()));
    const Buffer wanted = bytes::nest(
        NFTO_A_FLOW_FILTER,
        {bytes::u32(NFTO_A_FILTER_FLOWTABLE, 5),
         bytes::u32(NFTO_A_FILTER_IFINDEX, 3),
         bytes::u32(NFTO_A_FILTER_IN_IFINDEX, 4),
         bytes::u32(NFTO_A_FILTER_HW, NFTO_HW_IN),
         bytes::u32(NFTO_A_FILTER_REASON, NFTO_REASON_FULL),
         bytes::raw(NFTO_A_FILTER_ADDRESS, {10, 1, 0, 0}),
         bytes::u32(NFTO_A_FILTER_PREFIX_LEN, 16),
         bytes::u16(NFTO_A_FILTER_PORT, 80),
         bytes::u8(NFTO_A_FILTER_L4PROTO, 17),
         bytes::u32(NFTO_A_FILTER_MARK, 42),
         bytes::u32(NFTO_A_FILTER_MARK_MASK, 0xff),
         bytes::u16(NFTO_A_FILTER_ZONE, 7),
         bytes::u32(NFTO_A_FILTER_STATE, NFTO_FLOW_STATE_HALF),
         bytes::raw(NFTO_A_FILTER_SRC,
                    {0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
         bytes::u32(NFTO_A_FILTER_SRC_LEN, 64),
         bytes::raw(NFTO_A_FILTER_DST,
                    {0xfd, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}),
         bytes::u32(NFTO_A_FILTER_DST_LEN, 128),
         bytes::u16(NFTO_A_FILTER_SPORT, 4000),
         bytes::u16(NFTO_A_FILTER_DPORT, 443)});
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, dump_flags, NFTO_CMD_FLOW_GET, wanted, 3));

    // Zeroes are asked for too, and a mask alone is nothing to ask for.
    filter = Filter{};
    filter.zone = 0;
    filter.hw = Hw::out;
    filter.mark_mask = 1;
    talk.expect({done()});
    REQUIRE(client.flows(filter, shown.visitor()));
    CHECK(talk.fake->sent.back() ==
          request(bytes::family, dump_flags, NFTO_CMD_FLOW_GET,
                  bytes::nest(NFTO_A_FLOW_FILTER,
                              {bytes::u32(NFTO_A_FILTER_HW, NFTO_HW_OUT),
                               bytes::u16(NFTO_A_FILTER_ZONE, 0)}),
                  4));
}

TEST_CASE("errors come with the kernel's sentence")
{
    Talk talk;
    Client client = talk.open();
    talk.expect({ack(ENODEV, "No flowtable has this device")});
    const auto port = client.port(9);
    REQUIRE_FALSE(port);
    CHECK(port.error().code == ENODEV);
    CHECK(port.error().why == "No flowtable has this device");
    CHECK(port.error().what == "asking the module for a port");

    // An error of a dump comes at once, or at the end of the dump.
    Shown shown;
    talk.expect({ack(EPERM, "For those with CAP_NET_ADMIN only")});
    CHECK(client.flows({}, shown.visitor()).error().code == EPERM);
    talk.expect({flow(1), done(ENOENT, "There is no flowtable of this id")});
    const auto flows = client.flows({}, shown.visitor());
    REQUIRE_FALSE(flows);
    CHECK(flows.error().code == ENOENT);
    CHECK(flows.error().why == "There is no flowtable of this id");
    CHECK(shown.ids == Ids{1});
    talk.expect({port_message(), done(EMSGSIZE)});
    CHECK(client.ports().error().code == EMSGSIZE);
    // The next question is answered all the same.
    talk.expect({port_message(), done()});
    CHECK(client.ports()->size() == 1);
}

TEST_CASE("flows are shown one after the other")
{
    Talk talk;
    Client client = talk.open();
    Shown shown;
    talk.expect({bytes::join({flow(3), flow(1)}), flow(2), done()});
    REQUIRE(client.flows({}, shown.visitor()));
    CHECK(shown.ids == Ids{3, 1, 2});
}

TEST_CASE("a dump that was disturbed is repeated, and nothing shown twice")
{
    Talk talk;
    Client client = talk.open();
    Shown shown;
    // Told of in the middle, and with the last message; a flow twice in one.
    talk.expect({flow(1), flow(2, 2 | bytes::dump_intr), flow(1), done()});
    talk.expect({flow(2), flow(3), done(0, {}, 2 | bytes::dump_intr)});
    talk.expect({flow(4), flow(3), flow(2), flow(1), done()});
    REQUIRE(client.flows({}, shown.visitor()));
    CHECK(shown.ids == Ids{1, 2, 3, 4});
    CHECK(talk.fake->sent.size() == 3);
}

TEST_CASE("a dump that is disturbed each time is given up")
{
    Talk talk;
    Client client = talk.open();
    Shown shown;
    for (int i = 0; i < 9; ++i)
        talk.expect({flow(7, 2 | bytes::dump_intr), done()});
    auto flows = client.flows({}, shown.visitor(), 3);
    REQUIRE_FALSE(flows);
    CHECK(flows.error().code == EAGAIN);
    CHECK(shown.ids == Ids{7});
    CHECK(talk.fake->sent.size() == 3);
    CHECK(client.flows({}, shown.visitor(), 0).error().code == EAGAIN);
    CHECK(talk.fake->sent.size() == 4);

    Talk other;
    Client lists = other.open();
    other.expect({port_message(2 | bytes::dump_intr), done()});
    other.expect({port_message(), done()});
    const auto ports = lists.ports();
    REQUIRE(ports);
    CHECK(ports->size() == 1);
    for (int i = 0; i < 8; ++i)
        other.expect({port_message(2 | bytes::dump_intr), done()});
    CHECK(lists.ports().error().code == EAGAIN);
    CHECK(other.fake->sent.size() == 10);
}

TEST_CASE("a dump ends when the visitor has enough")
{
    Talk talk;
    Client client = talk.open();
    Shown shown;
    shown.most = 2;
    talk.expect({bytes::join({flow(1), flow(2), flow(3)}), flow(4), EINTR,
                 flow(5), done()});
    REQUIRE(client.flows({}, shown.visitor()));
    CHECK(shown.ids == Ids{1, 2});
    // The rest is read before the next question, or the kernel would say EBUSY.
    talk.expect({port_message(0), ack()});
    REQUIRE(client.port(3));
    CHECK(talk.fake->queue.empty());
    // Also where it was disturbed: nobody wants the others.
    talk.expect({flow(6, 2 | bytes::dump_intr), flow(7), done()});
    shown = Shown{};
    shown.most = 1;
    REQUIRE(client.flows({}, shown.visitor()));
    CHECK(shown.ids == Ids{6});
}

TEST_CASE("the rest of an answer that does not come is not waited for twice")
{
    Talk talk;
    Client client = talk.open();
    Shown shown;
    shown.most = 1;
    talk.expect({flow(1), Silence{}, flow(9)});
    REQUIRE(client.flows({}, shown.visitor()));
    talk.expect({port_message(0), ack()});
    REQUIRE(client.port(3));
}

TEST_CASE("answers to others are left alone")
{
    Talk talk;
    Client client = talk.open();
    const Buffer attrs = bytes::genl(NFTO_CMD_PORT_GET, samples::port());
    talk.expect(
        {bytes::message(bytes::family, 2, attrs, 99),
         bytes::message(bytes::family, 2, attrs, bytes::seq_of_request,
                        bytes::port_id + 1),
         bytes::message(bytes::type_done, 2, Buffer(4), 1),
         bytes::message(bytes::type_error, 0,
                        bytes::join({bytes::hex("ffffffff"), Buffer(16)}),
                        bytes::seq_of_request, 0),
         // A notification, and a datagram with nothing in it.
         bytes::message(bytes::family, 0, attrs, 0, 0), Buffer(),
         bytes::message(1, 0, {}), EINTR, port_message(), done()});
    const auto ports = client.ports();
    REQUIRE(ports);
    CHECK(ports->size() == 1);
}

TEST_CASE("answers that are lost, or end early")
{
    Talk talk;
    Client client = talk.open();
    talk.expect({port_message(), ENOBUFS});
    auto ports = client.ports();
    REQUIRE_FALSE(ports);
    CHECK(ports.error().code == ENOBUFS);
    CHECK(ports.error().what == "asking the module for its ports");
    CHECK(ports.error().why == "The answer was lost");

    talk.expect({port_message()});
    ports = client.ports();
    REQUIRE_FALSE(ports);
    CHECK(ports.error().code == EIO);
    CHECK(ports.error().why == "The answer ends early");

    // An acknowledgement alone.
    talk.expect({ack()});
    CHECK(client.stats().error().code == EPROTO);

    talk.fake->send_error = ECONNREFUSED;
    ports = client.ports();
    REQUIRE_FALSE(ports);
    CHECK(ports.error().code == ECONNREFUSED);
}

TEST_CASE("answers that make no sense")
{
    Talk talk;
    Client client = talk.open();
    const auto fails = [&](Answer answer) {
        talk.fake->queue.clear();
        talk.expect(std::move(answer));
        const auto ports = client.ports();
        return !ports && ports.error().code == EPROTO;
    };
    const Buffer good = port_message();
    // Another command, another family, no header, wrong attributes.
    CHECK(fails(
        {object(NFTO_CMD_FLOWTABLE_GET, samples::module_flowtable()), done()}));
    CHECK(
        fails({bytes::message(bytes::family + 1, 2,
                              bytes::genl(NFTO_CMD_PORT_GET, samples::port())),
               done()}));
    CHECK(fails({bytes::message(bytes::family, 2, Buffer(3)), done()}));
    CHECK(fails(
        {object(NFTO_CMD_PORT_GET, bytes::u32(NFTO_A_PORT_NAME, 1)), done()}));
    CHECK(fails({object(NFTO_CMD_PORT_GET, bytes::u16(NFTO_A_PORT_IFINDEX, 1)),
                 done()}));
    // Cut off in a message's header, and in its payload.
    CHECK(fails({Buffer(good.begin(), good.begin() + 10), done()}));
    CHECK(fails({Buffer(good.begin(), good.end() - 4), done()}));
    CHECK(fails({bytes::join({good, Buffer(7)}), done()}));
    // An end without a status.
    CHECK(fails({bytes::message(bytes::type_done, 2, Buffer(2))}));
    CHECK(fails({bytes::message(bytes::type_error, 0, Buffer(4))}));
    // Two where there should be one.
    talk.expect({port_message(0), port_message(0), ack()});
    CHECK(client.port(1).error().code == EPROTO);
    talk.expect({good, done()});
    CHECK(client.ports());
}

TEST_CASE("a set of ids knows each of them")
{
    netlink::IdSet set;
    constexpr std::uint64_t many = 20000;
    for (std::uint64_t id = 1; id <= many; ++id)
        REQUIRE(set.insert(id));
    for (std::uint64_t id = 1; id <= many; ++id)
        REQUIRE_FALSE(set.insert(id));
    // Those that share a place with others.
    for (std::uint64_t id = 1; id <= 2000; ++id)
        REQUIRE(set.insert(id << 40U));
    for (std::uint64_t id = 1; id <= 2000; ++id)
        REQUIRE_FALSE(set.insert(id << 40U));
    REQUIRE(set.insert(0xffffffffffffffff));
    REQUIRE_FALSE(set.insert(0xffffffffffffffff));
    REQUIRE(set.insert(many + 1));
}
