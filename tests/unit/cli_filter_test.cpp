// SPDX-License-Identifier: GPL-2.0
// Words of a filter, as a filter.
#include <sstream>

#include "catch.hpp"
#include "words/filter.hpp"

using namespace nfto;
using namespace nfto::cli;

namespace {

Problem no_device(std::string_view name)
{
    return no_such("no " + std::string(name));
}

tl::expected<FlowQuery, Problem> parse(const std::string &line)
{
    static const Verb verb{"test", "", {}, {}, show_params(), nullptr};
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    const std::vector<std::string_view> views(words.begin(), words.end());
    const auto args = Arguments::parse(verb, views);
    if (!args)
        return fail(args.error());
    Flowtable ft;
    ft.id = 5;
    ft.family = 1;
    ft.table = "t";
    ft.name = "ft";
    Flowtable twin = ft;
    twin.id = 6;
    twin.table = "t2";
    Flowtable other;
    other.id = 7;
    other.family = 2;
    other.table = "t";
    other.name = "other";
    Flowtable deleted;
    deleted.id = 8;
    return parse_query(
        *args,
        {[](std::string_view name) -> tl::expected<std::uint32_t, Problem> {
             if (name == "lan")
                 return 3;
             return fail(no_device(name));
         },
         [=]() -> Result<std::vector<Flowtable>> {
             return std::vector<Flowtable>{ft, twin, other, deleted};
         }});
}

} // namespace

TEST_CASE("no word is no filter", "[cli]")
{
    const auto query = parse("");
    REQUIRE(query);
    CHECK_FALSE(query->filter.ifindex);
    CHECK_FALSE(query->filter.state);
    CHECK(query->filter.mark_mask == 0xffffffff);
    CHECK_FALSE(query->rate);
}

TEST_CASE("each word says its part", "[cli]")
{
    const auto query = parse(
        "state half hw in reason refused dev lan in lan proto tcp "
        "src 10.0.0.0/8 dst 2001:db8::1 addr 192.0.2.1 sport 1 dport 2 "
        "port 3 mark 0x10/0xf0 zone 4 flowtable other sort bytes limit 9");
    REQUIRE(query);
    const Filter &filter = query->filter;
    CHECK(filter.state == FlowState::half);
    CHECK(filter.hw == Hw::in);
    CHECK(filter.reason == Reason::refused);
    CHECK(filter.ifindex == 3U);
    CHECK(filter.in_ifindex == 3U);
    CHECK(filter.l4proto == std::uint8_t{6});
    CHECK(filter.src == Prefix::parse("10.0.0.0/8").value());
    CHECK(filter.dst->length == 128);
    CHECK(filter.address->length == 32);
    CHECK(filter.sport == std::uint16_t{1});
    CHECK(filter.dport == std::uint16_t{2});
    CHECK(filter.port == std::uint16_t{3});
    CHECK(filter.mark == 0x10U);
    CHECK(filter.mark_mask == 0xf0U);
    CHECK(filter.zone == std::uint16_t{4});
    CHECK(filter.flowtable == 7U);
    CHECK(query->sort == Sort::bytes);
    CHECK(query->limit == 9U);
}

TEST_CASE("protocols by name and number", "[cli]")
{
    CHECK(parse("proto udp")->filter.l4proto == std::uint8_t{17});
    CHECK(parse("proto gre")->filter.l4proto == std::uint8_t{47});
    CHECK(parse("proto 132")->filter.l4proto == std::uint8_t{132});
}

TEST_CASE("flowtables by name and id", "[cli]")
{
    CHECK(parse("flowtable 6")->filter.flowtable == 6U);
    CHECK(parse("flowtable 8")->filter.flowtable == 8U);
    CHECK(parse("flowtable other")->filter.flowtable == 7U);
    CHECK(parse("flowtable t2/ft")->filter.flowtable == 6U);
    const auto three = parse("flowtable inet t2 ft proto tcp");
    REQUIRE(three);
    CHECK(three->filter.flowtable == 6U);
    CHECK(three->filter.l4proto == std::uint8_t{6});
    const auto twins = parse("flowtable ft");
    REQUIRE_FALSE(twins);
    CHECK(twins.error().exit == Exit::usage);
    CHECK(twins.error().error.why ==
          "'ft' may be several flowtables: inet t ft, inet t2 ft.");
    for (const std::string words :
         {"none", "t/none", "none/ft", "ip t ft", "inet t other"}) {
        CAPTURE(words);
        const auto none = parse("flowtable " + words);
        REQUIRE_FALSE(none);
        CHECK(none.error().exit == Exit::no_such);
    }
    for (const std::string words : {"inet", "inet t", "ft flowtable ft"}) {
        CAPTURE(words);
        const auto wrong = parse("flowtable " + words);
        REQUIRE_FALSE(wrong);
        CHECK(wrong.error().exit == Exit::usage);
    }
}

TEST_CASE("a device that there is none of", "[cli]")
{
    const auto query = parse("dev eth9");
    REQUIRE_FALSE(query);
    CHECK(query.error().exit == Exit::no_such);
}

TEST_CASE("rates", "[cli]")
{
    using std::chrono::milliseconds;
    CHECK(parse("rate")->rate == milliseconds(10000));
    CHECK(parse("sort rate")->rate == milliseconds(10000));
    CHECK(parse("sort rate rate 0.5")->rate == milliseconds(500));
    CHECK(parse("rate 2 port 80")->filter.port == std::uint16_t{80});
    // The word behind "rate" may be the next pair.
    const auto query = parse("rate port 80");
    REQUIRE(query);
    CHECK(query->filter.port == std::uint16_t{80});
    CHECK(query->rate == milliseconds(10000));
}

TEST_CASE("numbers", "[cli]")
{
    CHECK(parse_number("x", "0x1F", 100) == 31U);
    for (const char *bad : {"", "0x", "-1", "+1", " 1", "1 ", "1e3", "101",
                            "99999999999999999999999"})
        CHECK_FALSE(parse_number("x", bad, 100));
    for (const char *bad : {"", "0", "inf", "nan", "-1", "1s", "86401"})
        CHECK_FALSE(parse_seconds("x", bad));
}
