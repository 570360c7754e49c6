// SPDX-License-Identifier: GPL-2.0
// Addresses, prefixes, errors, names: what has a text.
#include <cerrno>
#include <string>

#include <nfto/result.hpp>
#include <nfto/types.hpp>

#include "catch.hpp"

using namespace nfto;

namespace {

std::string address_again(std::string_view text)
{
    const auto address = Address::parse(text);
    return address ? address->text() : "error: " + address.error().why;
}

std::string prefix_again(std::string_view text)
{
    const auto prefix = Prefix::parse(text);
    return prefix ? prefix->text() : "error: " + prefix.error().why;
}

template <typename Enum> void check_names(std::uint32_t count)
{
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto value = static_cast<Enum>(i);
        INFO(i << " " << name(value));
        CHECK(name(value) != "unknown");
        CHECK_FALSE(describe(value).empty());
        CHECK(from_name<Enum>(name(value)) == value);
    }
    CHECK(name(static_cast<Enum>(count)) == "unknown");
    CHECK(describe(static_cast<Enum>(count)).empty());
    CHECK(name(static_cast<Enum>(0xffffffff)) == "unknown");
    CHECK_FALSE(from_name<Enum>("unknown"));
    CHECK_FALSE(from_name<Enum>(""));
}

Direction direction(Hw hw, Reason reason = Reason::none)
{
    Direction dir;
    dir.hw = hw;
    dir.reason = reason;
    return dir;
}

FlowState state_of(const Direction &orig, const Direction &reply)
{
    Flow one;
    one.dir_orig = orig;
    one.dir_reply = reply;
    Flow other;
    other.dir_orig = reply;
    other.dir_reply = orig;
    REQUIRE(one.state() == other.state());
    return one.state();
}

} // namespace

TEST_CASE("addresses are read and written")
{
    const std::string no = "error: That is no IPv4 or IPv6 address";
    CHECK(address_again("10.0.0.1") == "10.0.0.1");
    CHECK(address_again("255.255.255.255") == "255.255.255.255");
    CHECK(address_again("2001:db8::1") == "2001:db8::1");
    CHECK(address_again("2001:0DB8:0:0::1") == "2001:db8::1");
    CHECK(address_again("::ffff:10.0.0.1") == "::ffff:10.0.0.1");
    for (const char *text :
         {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "::g", "fe80::1%eth0",
          "1.2.3.4.5", "host", "010.0.0.1"}) {
        INFO(text);
        CHECK(address_again(text) == no);
    }
    CHECK(address_again(std::string_view("10.0.0.1\0x", 10)) == no);

    const auto v4 = Address::parse("10.1.2.3");
    REQUIRE(v4);
    CHECK(v4->size() == 4);
    CHECK(v4->bytes == std::array<std::uint8_t, 16>{10, 1, 2, 3});
    const auto v6 = Address::parse("2001:db8::10");
    REQUIRE(v6);
    CHECK(v6->size() == 16);
    CHECK(v6->bytes[0] == 0x20);
    CHECK(v6->bytes[15] == 0x10);
    CHECK_FALSE(*v4 == *v6);
    CHECK(Address::parse("x").error().code == EINVAL);
    CHECK(Address::parse("x").error().what == "reading the address \"x\"");
}

TEST_CASE("prefixes are read and written")
{
    CHECK(prefix_again("10.0.0.0/8") == "10.0.0.0/8");
    CHECK(prefix_again("10.0.0.1/0") == "10.0.0.1/0");
    CHECK(prefix_again("10.0.0.1/32") == "10.0.0.1");
    CHECK(prefix_again("10.0.0.1") == "10.0.0.1");
    CHECK(prefix_again("2001:db8::/32") == "2001:db8::/32");
    CHECK(prefix_again("::1/128") == "::1");
    CHECK(prefix_again("::1") == "::1");
    for (const char *text :
         {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8",
          "10.0.0.0/8x", "10.0.0.0/ 8", "10.0.0.0/300", "10.0.0.0/8/8"}) {
        INFO(text);
        CHECK(prefix_again(text) ==
              "error: After the slash comes a number from 0 to 32");
    }
    CHECK(prefix_again("::/129") ==
          "error: After the slash comes a number from 0 to 128");
    CHECK(prefix_again("/8") == "error: That is no IPv4 or IPv6 address");
    CHECK(Prefix::parse("10/8").error().code == EINVAL);
    CHECK(Prefix::parse("10/8").error().what == "reading the prefix \"10/8\"");
    CHECK(Prefix::parse("10.0.0.0/8")->length == 8);
    CHECK(Prefix::parse("10.0.0.0")->length == 32);
    CHECK(Prefix::parse("::")->length == 128);
}

TEST_CASE("a link-layer address is written")
{
    CHECK(text(Mac{0x02, 0, 0, 0, 0x01, 0xfe}) == "02:00:00:00:01:fe");
}

TEST_CASE("a tuple is turned round")
{
    Tuple tuple;
    tuple.l4proto = 6;
    tuple.src = *Address::parse("10.0.0.1");
    tuple.dst = *Address::parse("10.0.0.2");
    tuple.sport = 1;
    const Tuple back = tuple.reversed();
    CHECK(back.l4proto == 6);
    CHECK(back.src.text() == "10.0.0.2");
    CHECK(back.dst.text() == "10.0.0.1");
    CHECK_FALSE(back.sport);
    CHECK(back.dport == 1);
    CHECK(back.reversed() == tuple);
}

TEST_CASE("an error is one line")
{
    CHECK(Error{"asking", ENOENT, "There is none"}.message() ==
          "asking: There is none (No such file or directory)");
    CHECK(Error{"asking", ENOENT, ""}.message() ==
          "asking: No such file or directory");
    CHECK(Error{"asking", 0, "Why not"}.message() == "asking: Why not");
    CHECK(Error{"asking", 0, ""}.message() == "asking");
    CHECK(Error{"", EPERM, "For root"}.message() ==
          "For root (Operation not permitted)");
    CHECK(Error{}.message().empty());
}

TEST_CASE("every value has a name, a text, and comes back by its name")
{
    check_names<Reason>(reason_count);
    check_names<PortState>(port_state_count);
    check_names<PortKind>(port_kind_count);
    check_names<Hw>(hw_count);
    check_names<FlowState>(flow_state_count);
    check_names<ReasonKind>(reason_kind_count);
    check_names<Feature>(feature_count);
    CHECK(name(Reason::tcp_close) == "tcp-close");
    CHECK(from_name<Feature>("qinq-out") == Feature::qinq_out);
    CHECK_FALSE(from_name<Reason>("tcp_close"));
}

TEST_CASE("a flow is where its directions are")
{
    const auto in = direction(Hw::in);
    const auto refused = direction(Hw::out, Reason::refused);
    const auto queued = direction(Hw::out, Reason::waiting);
    const auto adding = direction(Hw::adding, Reason::waiting);
    const auto leaving = direction(Hw::removing, Reason::leaving);
    CHECK(state_of(in, in) == FlowState::hardware);
    CHECK(state_of(in, refused) == FlowState::half);
    CHECK(state_of(in, queued) == FlowState::half);
    CHECK(state_of(in, adding) == FlowState::half);
    CHECK(state_of(in, leaving) == FlowState::half);
    CHECK(state_of(queued, refused) == FlowState::waiting);
    CHECK(state_of(adding, refused) == FlowState::waiting);
    CHECK(state_of(direction(Hw::adding), refused) == FlowState::waiting);
    CHECK(state_of(refused, refused) == FlowState::software);
    CHECK(state_of(refused, leaving) == FlowState::software);
    CHECK(state_of(leaving, leaving) == FlowState::software);
}

TEST_CASE("what a reason is of")
{
    const auto all = [](Reason reason) {
        const auto found = kinds(reason);
        return std::vector<ReasonKind>(found.begin(), found.end());
    };
    CHECK(all(Reason::none).empty());
    CHECK(all(Reason::expired) == std::vector{ReasonKind::ended});
    // The first one is counted.
    CHECK(all(Reason::no_carrier) ==
          std::vector{ReasonKind::ended, ReasonKind::not_in_hardware});
    CHECK(all(Reason{reason_count}).empty());
    for (std::uint32_t value = 1; value < reason_count; ++value) {
        CAPTURE(name(Reason{value}));
        CHECK_FALSE(all(Reason{value}).empty());
    }
}
