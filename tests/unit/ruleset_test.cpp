// SPDX-License-Identifier: GPL-2.0
// nftables: the text of setups, what is allowed in one, and the requests.
#include <cerrno>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <nfto/ruleset.hpp>

#include "catch.hpp"
#include "fake_transport.hpp"
#include "nftables/reader.hpp"
#include "ruleset_samples.hpp"

using namespace nfto;
using namespace bytes;
using samples::chain;
using samples::flowtable;
using samples::inet;
using samples::nf;
using samples::rule;

namespace {

Answer generation(std::uint32_t number)
{
    return {join({samples::generation(number), ack()})};
}

void expect_ruleset(FakeTransport &fake, std::uint32_t before,
                    std::uint32_t after, std::uint16_t flags = 2)
{
    fake.answers.push_back(generation(before));
    fake.answers.push_back({join({flowtable(), done()})});
    fake.answers.push_back({join({chain(), done(0, {}, flags)})});
    fake.answers.push_back({join({rule("forward"), rule("other"), done()})});
    fake.answers.push_back(generation(after));
}

Setup setup_of(std::vector<std::string> devices)
{
    Setup setup;
    setup.devices = std::move(devices);
    return setup;
}

std::string refused(const Setup &setup)
{
    const auto valid = validate(setup);
    if (valid)
        return "valid";
    CHECK(valid.error().code == EINVAL);
    return valid.error().why;
}

// A message of a batch, by its place; the first one after its beginning is 1.
Datagram verdict_on(std::uint32_t place, int error, std::string_view why = {})
{
    auto datagram = ack(error, why);
    std::memcpy(&datagram[8], &place, sizeof(place));
    return datagram;
}

Buffer table(const Buffer &userdata)
{
    return nf(NFT_MSG_NEWTABLE,
              join({str(NFTA_TABLE_NAME, "nft_offload"),
                    be(NFTA_TABLE_FLAGS, std::uint32_t{0}),
                    attr_of(NFTA_TABLE_USERDATA, userdata)}),
              0);
}

Buffer comment(std::string_view text)
{
    Buffer data;
    data.push_back(std::byte{0});
    data.push_back(static_cast<std::byte>(text.size() + 1));
    for (const char c : text)
        data.push_back(static_cast<std::byte>(c));
    data.push_back(std::byte{0});
    return data;
}

} // namespace

TEST_CASE("a setup has the text that nft -f takes", "[ruleset]")
{
    CHECK(setup_of({"eth0", "eth0.5"}).text() == "# Made by nft-offload. "
                                                 "Replaces a table of this "
                                                 "name.\n"
                                                 "table inet nft_offload\n"
                                                 "delete table inet "
                                                 "nft_offload\n"
                                                 "table inet nft_offload {\n"
                                                 "\tcomment \"made by "
                                                 "nft-offload\"\n"
                                                 "\tflowtable ft {\n"
                                                 "\t\thook ingress priority "
                                                 "filter\n"
                                                 "\t\tdevices = { \"eth0\", "
                                                 "\"eth0.5\" }\n"
                                                 "\t\tflags offload\n"
                                                 "\t\tcounter\n"
                                                 "\t}\n"
                                                 "\n"
                                                 "\tchain forward {\n"
                                                 "\t\ttype filter hook forward "
                                                 "priority filter; policy "
                                                 "accept;\n"
                                                 "\t\tmeta l4proto { tcp, udp "
                                                 "} flow add @ft\n"
                                                 "\t}\n"
                                                 "}\n");
}

TEST_CASE("what is left out is not in the text", "[ruleset]")
{
    auto setup = setup_of({"a"});
    setup.offload = false;
    setup.counter = false;
    setup.protocols = {"gre"};
    const auto text = setup.text();
    CHECK(text.find("flags") == std::string::npos);
    CHECK(text.find("counter") == std::string::npos);
    CHECK(text.find("meta l4proto gre flow add @ft") != std::string::npos);
    setup.protocols = {"gre", "udp", "tcp"};
    CHECK(setup.text().find("{ tcp, udp, gre }") != std::string::npos);
}

TEST_CASE("a setup that makes no sense is refused with a sentence", "[ruleset]")
{
    CHECK(refused(setup_of({"eth0", "br-lan", "veth@0", "\xc3\xa4"})) == "vali"
                                                                         "d");
    CHECK(refused(setup_of({})).find("at least one") != std::string::npos);
    CHECK(refused(setup_of({"a", "b", "a"})) == "A device is named twice");
    for (const auto *name : {"", ".", "..", "a/b", "a b", "a:1", "a*", "a\"b",
                             "a\n", "abcdefghijklmnop"})
        CHECK(refused(setup_of({name})).find("no name of a device") !=
              std::string::npos);
    CHECK(refused(setup_of(std::vector<std::string>(257, "x")))
              .starts_with("257 devices"));
    auto setup = setup_of({"a"});
    for (const auto *name : {"", "1a", "a b", "a/b", "-a", "a;b", "\xc3\xa4"}) {
        setup.table = name;
        CHECK(refused(setup).find("no name for a table") != std::string::npos);
    }
    setup.table = std::string(256, 'a');
    CHECK(refused(setup).find("no name for a table") != std::string::npos);
    setup.table = "_a.b-1";
    CHECK(refused(setup) == "valid");
    setup.protocols = {"tcp", "sctp"};
    CHECK(refused(setup).starts_with("\"sctp\" is no protocol"));
    setup.protocols = {"tcp", "tcp"};
    CHECK(refused(setup) == "A protocol is named twice");
}

TEST_CASE("families have names", "[ruleset]")
{
    CHECK(family_name(1) == "inet");
    CHECK(family_name(2) == "ip");
    CHECK(family_name(10) == "ip6");
    CHECK(family_name(7) == "family 7");
}

TEST_CASE("a ruleset is read", "[ruleset]")
{
    FakeTransport fake;
    expect_ruleset(fake, 5, 5);
    const auto ruleset = nftables::read_over(fake);
    REQUIRE(ruleset);
    REQUIRE(ruleset->flowtables.size() == 1);
    const auto &found = ruleset->flowtables[0];
    CHECK(found.family == inet);
    CHECK(found.table == "t");
    CHECK(found.name == "ft");
    CHECK(found.priority == -5);
    CHECK(found.offload);
    CHECK(found.counter);
    CHECK(found.devices == std::vector<std::string>{"eth0", "eth1"});
    REQUIRE(ruleset->rules.size() == 2);
    CHECK(ruleset->rules[0].flowtable == "ft");
    CHECK(ruleset->rules[0].handle == 7);
    CHECK(ruleset->rules[0].hook == 2U);
    CHECK(ruleset->rules[1].chain == "other");
    CHECK_FALSE(ruleset->rules[1].hook);
}

TEST_CASE("a ruleset that changes meanwhile is read again", "[ruleset]")
{
    FakeTransport fake;
    expect_ruleset(fake, 5, 6);
    expect_ruleset(fake, 6, 6, 2 | dump_intr);
    expect_ruleset(fake, 6, 6);
    const auto ruleset = nftables::read_over(fake);
    REQUIRE(ruleset);
    CHECK(ruleset->flowtables.size() == 1);
    CHECK(ruleset->rules.size() == 2);
    CHECK(fake.answers.empty());

    for (std::uint32_t i = 0; i < 10; i++)
        expect_ruleset(fake, i, i + 1);
    const auto never = nftables::read_over(fake);
    REQUIRE_FALSE(never);
    CHECK(never.error().code == EAGAIN);
}

TEST_CASE("errors of a ruleset have the kernel's sentence", "[ruleset]")
{
    FakeTransport fake;
    fake.answers.push_back({ack(EPERM)});
    CHECK(nftables::read_over(fake).error().code == EPERM);
    fake.answers.push_back(generation(1));
    fake.answers.push_back({done(ENOMEM, "no room")});
    const auto ruleset = nftables::read_over(fake);
    REQUIRE_FALSE(ruleset);
    CHECK(ruleset.error().code == ENOMEM);
    CHECK(ruleset.error().why == "no room");
    CHECK(ruleset.error().what == "reading the flowtables");
    fake.answers.push_back({Silence{}});
    CHECK(nftables::read_over(fake).error().code == EIO);
    fake.answers.push_back({message(type_error, 0, hex("00"))});
    CHECK(nftables::read_over(fake).error().code == EPROTO);
}

TEST_CASE("a table is made in one transaction", "[ruleset]")
{
    FakeTransport fake;
    fake.answers.push_back(generation(9));
    fake.answers.push_back({ack(ENOENT)});
    fake.answers.push_back({verdict_on(6, 0)});
    REQUIRE(nftables::create_over(fake, setup_of({"eth0"})));
    CHECK(fake.sent.size() == 3);

    // One protocol needs no set. A table of ours is deleted first.
    auto setup = setup_of({"eth0"});
    setup.protocols = {"udp"};
    fake.answers.push_back(generation(9));
    fake.answers.push_back(
        {join({table(comment("made by nft-offload")), ack()})});
    fake.answers.push_back({verdict_on(5, 0)});
    CHECK(nftables::create_over(fake, setup));
}

TEST_CASE("a ruleset that others change is looked at again", "[ruleset]")
{
    FakeTransport fake;
    for (int i = 0; i < 2; i++) {
        fake.answers.push_back(generation(9));
        fake.answers.push_back({ack(ENOENT)});
        fake.answers.push_back(
            {i ? verdict_on(6, 0) : verdict_on(0, ERESTART)});
    }
    CHECK(nftables::create_over(fake, setup_of({"eth0"})));
    CHECK(fake.answers.empty());
}

TEST_CASE("a table of others is left alone", "[ruleset]")
{
    for (const auto *text : {"mine", "made by nft-offload2", ""}) {
        FakeTransport fake;
        fake.answers.push_back(generation(9));
        fake.answers.push_back({join({table(comment(text)), ack()})});
        const auto made = nftables::create_over(fake, setup_of({"eth0"}));
        REQUIRE_FALSE(made);
        CHECK(made.error().code == EEXIST);
        CHECK(fake.sent.size() == 2);
    }
    FakeTransport fake;
    fake.answers.push_back(generation(9));
    fake.answers.push_back({join({table(comment("mine")), ack()})});
    CHECK(nftables::remove_over(fake, "nft_offload").error().code == EEXIST);
    fake.answers.push_back(generation(9));
    fake.answers.push_back({ack(ENOENT)});
    CHECK(nftables::remove_over(fake, "nft_offload").error().code == ENOENT);
}

TEST_CASE("what the kernel refuses is said with what was being done", "[ruleset"
                                                                      "]")
{
    FakeTransport fake;
    fake.answers.push_back(generation(9));
    fake.answers.push_back({ack(ENOENT)});
    fake.answers.push_back({verdict_on(2, EBUSY, "it is taken")});
    auto made = nftables::create_over(fake, setup_of({"eth0", "eth1"}));
    REQUIRE_FALSE(made);
    CHECK(made.error().code == EBUSY);
    CHECK(made.error().why == "it is taken");
    CHECK(made.error().what == "creating a flowtable of eth0, eth1");

    fake.answers.push_back(generation(9));
    fake.answers.push_back({ack(ENOENT)});
    fake.answers.push_back({verdict_on(2, EOPNOTSUPP)});
    made = nftables::create_over(fake, setup_of({"eth0"}));
    REQUIRE_FALSE(made);
    CHECK(made.error().why.find("nft_offload") != std::string::npos);

    fake.answers.push_back(generation(9));
    fake.answers.push_back({ack(ENOENT)});
    fake.answers.push_back({Silence{}});
    CHECK(nftables::create_over(fake, setup_of({"eth0"})).error().code == EIO);
}
