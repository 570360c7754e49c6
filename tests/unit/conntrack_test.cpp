// SPDX-License-Identifier: GPL-2.0
// Asking conntrack for a connection, over a transport that has a script.
#include <cerrno>

#include <linux/netfilter/nfnetlink.h>

#include "catch.hpp"
#include "fake_transport.hpp"
#include "netlink/conntrack.hpp"

using namespace nfto;
using bytes::ack;
using bytes::Buffer;

namespace {

constexpr std::uint16_t ct_new = 0x100;
constexpr std::uint16_t ct_get = 0x101;
constexpr std::uint16_t ct_stats = 0x105;

Buffer nfnl(std::uint8_t family, const Buffer &attrs)
{
    return bytes::join({bytes::hex(family == 10  ? "0a000000"
                                   : family == 2 ? "02000000"
                                                 : "00000000"),
                        attrs});
}

Tuple tuple(std::string_view src, std::string_view dst, std::uint8_t proto = 6)
{
    Tuple one;
    one.l4proto = proto;
    one.src = *Address::parse(src);
    one.dst = *Address::parse(dst);
    one.sport = 4000;
    one.dport = 80;
    return one;
}

Buffer request(std::uint8_t family, const Buffer &attrs, std::uint32_t seq)
{
    return bytes::message(ct_get, 5, nfnl(family, attrs), seq, 0);
}

Answer answer(const Buffer &attrs = samples::connection())
{
    return {bytes::message(ct_new, 0, nfnl(2, attrs)), ack()};
}

/// The transport ends with the question: what it was sent is kept here.
class Recorder final : public FakeTransport {
public:
    Recorder(std::deque<Answer> script, std::vector<Buffer> &to) : to_(to)
    {
        answers = std::move(script);
    }
    Result<void> send(std::span<const std::byte> data) override
    {
        to_.emplace_back(data.begin(), data.end());
        return FakeTransport::send(data);
    }

private:
    std::vector<Buffer> &to_;
};

struct Question {
    explicit Question(std::deque<Answer> script) : answers(std::move(script)) {}

    Result<std::optional<Connection>> ask(const Tuple &what,
                                          std::uint16_t zone = 0)
    {
        return netlink::find_connection(
            std::make_unique<Recorder>(std::move(answers), sent), what, zone);
    }

    std::deque<Answer> answers;
    std::vector<Buffer> sent;
};

} // namespace

TEST_CASE("a connection is found by its tuple")
{
    Question question({answer()});
    const auto found = question.ask(tuple("10.1.0.2", "10.2.0.3"));
    REQUIRE(found);
    REQUIRE(*found);
    CHECK((*found)->id == 0xdeadbeef);
    REQUIRE(question.sent.size() == 1);
    CHECK(question.sent[0] ==
          request(2, samples::ct_tuple(CTA_TUPLE_ORIG, 2, 3, 4000, 80), 1));
}

TEST_CASE("or by that of the packet as it leaves, turned round")
{
    Question question({{ack(ENOENT)}, answer()});
    const auto found = question.ask(tuple("10.1.0.2", "10.2.0.3"), 7);
    REQUIRE(found);
    REQUIRE(*found);
    REQUIRE(question.sent.size() == 2);
    const Buffer zone = bytes::be(CTA_ZONE, std::uint16_t{7});
    CHECK(
        question.sent[0] ==
        request(2,
                bytes::join(
                    {samples::ct_tuple(CTA_TUPLE_ORIG, 2, 3, 4000, 80), zone}),
                1));
    const Buffer reversed = bytes::nest(
        CTA_TUPLE_ORIG,
        {bytes::nest(CTA_TUPLE_IP, {bytes::raw(CTA_IP_V4_SRC, {10, 2, 0, 3}),
                                    bytes::raw(CTA_IP_V4_DST, {10, 1, 0, 2})}),
         bytes::nest(CTA_TUPLE_PROTO,
                     {bytes::u8(CTA_PROTO_NUM, 6),
                      bytes::be(CTA_PROTO_SRC_PORT, std::uint16_t{80}),
                      bytes::be(CTA_PROTO_DST_PORT, std::uint16_t{4000})})});
    CHECK(question.sent[1] == request(2, bytes::join({reversed, zone}), 2));
}

TEST_CASE("none is no error")
{
    Question question({{ack(ENOENT)}, {ack(ENOENT)}});
    const auto found = question.ask(tuple("10.1.0.2", "10.2.0.3"));
    REQUIRE(found);
    CHECK_FALSE(*found);
}

TEST_CASE("IPv6, GRE without keys, and what has no ports")
{
    const auto proto_of = [](std::uint8_t number, bool ports) {
        Tuple what = tuple("fd01::2", "fd02::2", number);
        what.sport.reset();
        what.dport.reset();
        Question question({answer()});
        REQUIRE(question.ask(what));
        Buffer proto = bytes::u8(CTA_PROTO_NUM, number);
        if (ports)
            bytes::put(
                proto,
                bytes::join({bytes::be(CTA_PROTO_SRC_PORT, std::uint16_t{0}),
                             bytes::be(CTA_PROTO_DST_PORT, std::uint16_t{0})}));
        const Buffer ip = bytes::nest(
            CTA_TUPLE_IP,
            {bytes::raw(CTA_IP_V6_SRC,
                        {0xfd, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}),
             bytes::raw(CTA_IP_V6_DST,
                        {0xfd, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2})});
        CHECK(question.sent[0] ==
              request(10,
                      bytes::nest(CTA_TUPLE_ORIG,
                                  {ip, bytes::nest(CTA_TUPLE_PROTO, {proto})}),
                      1));
    };
    proto_of(47, true);
    proto_of(50, false);
}

TEST_CASE("why conntrack cannot be asked")
{
    const auto error_of = [](std::deque<Answer> script) {
        Question question(std::move(script));
        const auto found = question.ask(tuple("10.1.0.2", "10.2.0.3"));
        REQUIRE_FALSE(found);
        return found.error();
    };
    Error error = error_of({{ack(EPERM)}});
    CHECK(error.code == EPERM);
    CHECK(error.why == "This needs CAP_NET_ADMIN");

    // nfnetlink says EINVAL of a subsystem that it does not have.
    error = error_of({{ack(EINVAL)}, {ack(EINVAL)}});
    CHECK(error.code == ENOPROTOOPT);
    CHECK(error.why.find("modprobe nf_conntrack_netlink") != std::string::npos);
    error = error_of(
        {{ack(EINVAL)}, {bytes::message(ct_stats, 0, nfnl(0, {})), ack()}});
    CHECK(error.code == EINVAL);
    CHECK(error.why == "It cannot be asked for connections of this protocol");

    error = error_of({{ack(EOPNOTSUPP, "No zones")}});
    CHECK(error.code == EOPNOTSUPP);
    CHECK(error.why == "No zones");
    CHECK(error_of({{ack(ENOENT)}, {ENOBUFS}}).code == ENOBUFS);
}

TEST_CASE("answers of conntrack that make no sense")
{
    const auto fails = [](Answer script) {
        Question question({std::move(script)});
        const auto found = question.ask(tuple("10.1.0.2", "10.2.0.3"));
        return !found && found.error().code == EPROTO;
    };
    CHECK(fails(
        {bytes::message(ct_get, 0, nfnl(2, samples::connection())), ack()}));
    CHECK(fails({bytes::message(ct_new, 0, Buffer(3)), ack()}));
    CHECK(fails({bytes::message(ct_new, 0,
                                nfnl(2, bytes::be(CTA_MARK, std::uint16_t{1}))),
                 ack()}));
    const Buffer good =
        bytes::message(ct_new, 0, nfnl(2, samples::connection()));
    CHECK(fails({good, good, ack()}));
}
