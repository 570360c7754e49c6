// SPDX-License-Identifier: GPL-2.0
// Numbers and texts for people, and what goes into JSON.
#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "view/json.hpp"
#include "view/text.hpp"

using namespace nfto::cli;

TEST_CASE("numbers on a terminal and elsewhere", "[cli]")
{
    Output out(-1);
    const Text human(out, {true, false});
    const Text raw(out, {});
    CHECK(human.bytes(0) == "0 B");
    CHECK(human.bytes(999) == "999 B");
    CHECK(human.bytes(1000) == "1.00 kB");
    CHECK(human.bytes(9999) == "10.0 kB");
    CHECK(human.bytes(123456) == "123 kB");
    CHECK(human.bytes(999499) == "999 kB");
    CHECK(human.bytes(999500) == "1.00 MB");
    CHECK(human.bytes(UINT64_MAX) == "18447 PB");
    CHECK(raw.bytes(123456) == "123456 B");
    CHECK(human.time(0) == "0.0 s");
    CHECK(human.time(59999) == "59.9 s");
    CHECK(human.time(60000) == "1 min 0 s");
    CHECK(human.time(3600000) == "1 h 0 min");
    CHECK(human.time(90000000) == "1 d 1 h");
    CHECK(raw.time(90000000) == "90000000 ms");
    CHECK(human.bit_rate(125000) == "1.00 Mbit/s");
    CHECK(raw.bit_rate(125000) == "1000000 bit/s");
    CHECK(human.packet_rate(12.3) == "12 pkt/s");
    CHECK(raw.packet_rate(1234.4) == "1234 pkt/s");
}

TEST_CASE("shares", "[cli]")
{
    CHECK(percent(0, 0) == "-");
    CHECK(percent(0, 5) == "0.0 %");
    CHECK(percent(5, 5) == "100.0 %");
    CHECK(percent(1, 3) == "33.3 %");
    // What is nearly all or nearly nothing is not shown as 100 % or 0 %.
    CHECK(percent(999999, 1000000) == "99.9 %");
    CHECK(percent(1, 1000000) == "0.1 %");
}

TEST_CASE("colours only where they are wanted", "[cli]")
{
    Output out(-1);
    CHECK(Text(out, {}).paint(Colour::good, "x") == "x");
    const std::string green = Text(out, {true, true}).paint(Colour::good, "x");
    CHECK(green == "\x1b[32mx\x1b[0m");
    CHECK(width(green) == 1);
    Columns columns({Columns::Align::left, Columns::Align::right});
    columns.row({green, "1"});
    columns.row({"long", "100"});
    columns.row({"alone"});
    columns.print(out, "> ");
    CHECK(out.pending() == "> " + green + "        1\n> long   100\n> alone\n");
}

TEST_CASE("texts of others do no harm", "[cli]")
{
    CHECK(printable("eth0\x1b[2J\n") == "eth0?[2J?");
    CHECK(valid_utf8("\xc3\xa4") == "\xc3\xa4");
    CHECK(valid_utf8("a\xff"
                     "b") == "a\xef\xbf\xbd"
                             "b");
    CHECK(valid_utf8("\xc3") == "\xef\xbf\xbd");
    // Too long a form, a surrogate, beyond the last character.
    for (const char *bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
        CHECK(valid_utf8(bad).starts_with("\xef\xbf\xbd"));
    CHECK(valid_utf8("\xf0\x9f\x99\x82") == "\xf0\x9f\x99\x82");
}

TEST_CASE("JSON is valid whatever is in it", "[cli]")
{
    Output out(-1);
    Json json(out, GENERATE(false, true));
    json.member("text", std::string_view("a\"\\\n\x01\xff\xc3\xa4"));
    json.member("big", UINT64_MAX);
    json.member("small", std::int64_t{-5});
    json.member("half", 0.5);
    json.member("yes", true);
    json.member("absent", std::optional<int>());
    {
        const auto array = json.array("list");
        const auto object = json.object();
        json.null_member("null");
    }
    json.close();
    const auto parsed = nlohmann::json::parse(out.pending());
    CHECK(parsed.at("text") == "a\"\\\n\x01\xef\xbf\xbd\xc3\xa4");
    CHECK(parsed.at("big") == UINT64_MAX);
    CHECK(parsed.at("small") == -5);
    CHECK(parsed.at("half") == 0.5);
    CHECK(parsed.at("yes") == true);
    CHECK_FALSE(parsed.contains("absent"));
    CHECK(parsed.at("list")[0].at("null").is_null());
}

TEST_CASE("an object for each line, and none too many", "[cli]")
{
    Output out(-1);
    Json json(out, false);
    json.member("n", 1);
    json.finish();
    json.member("n", 2);
    json.finish();
    json.close();
    CHECK(out.pending() ==
          "{\"version\":1,\"n\":1}\n{\"version\":1,\"n\":2}\n");
    Output empty(-1);
    Json nothing(empty, false);
    nothing.close();
    CHECK(empty.pending() == "{\"version\":1}\n");
}

TEST_CASE("a write that fails is noticed", "[cli]")
{
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    REQUIRE(full >= 0);
    Output out(full);
    out.write("x");
    CHECK(out.good());
    const auto done = out.finish();
    REQUIRE_FALSE(done);
    CHECK(done.error().code == ENOSPC);
    CHECK_FALSE(out.good());
    CHECK_FALSE(out.finish());
    close(full);

    Output large(open("/dev/full", O_WRONLY | O_CLOEXEC));
    large.write(std::string(100000, 'x'));
    CHECK_FALSE(large.good());
}
