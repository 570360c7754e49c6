// SPDX-License-Identifier: GPL-2.0
// enable, disable, what they keep, and the words of explain.
#include <cerrno>
#include <netinet/in.h>

#include <nlohmann/json.hpp>

#include "advice.hpp"
#include "app.hpp"
#include "catch.hpp"
#include "persist.hpp"
#include "tree.hpp"
#include "words/endpoint.hpp"

using namespace nfto;
using namespace nfto::cli;

namespace {

// The tool over a system without a module, where what is made is remembered.
struct Tool {
    Tree tree;
    System system = real_system();
    std::vector<Setup> made;
    std::string out;
    std::string err;

    Tool()
    {
        system.files = tree.files();
        system.client = []() -> Result<Client> {
            return Failure({"asking", ENOPROTOOPT, {}});
        };
        system.ruleset = [] { return Result<Ruleset>(); };
        system.create = [this](const Setup &setup) {
            made.push_back(setup);
            return Result<void>();
        };
        system.remove = [](const std::string &) -> Result<void> {
            return Failure({"removing", ENOENT, {}});
        };
    }

    int run(std::vector<std::string_view> words)
    {
        Devices devices;
        Output to(-1);
        Output errors(-1);
        Text text(to, {});
        const int status = cli::run(words, system, devices, text, errors);
        out = to.pending();
        err = errors.pending();
        return status;
    }
};

bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

std::string tuple_error(std::string_view proto, std::string_view src,
                        std::string_view dst)
{
    const auto tuple = parse_tuple(proto, src, dst);
    if (tuple)
        return {};
    CHECK(tuple.error().exit == Exit::usage);
    return tuple.error().error.why;
}

} // namespace

TEST_CASE("every reason has advice", "[explain]")
{
    for (std::uint32_t i = 0; i < reason_count; i++) {
        INFO(name(static_cast<Reason>(i)));
        const auto text = advice(static_cast<Reason>(i));
        CHECK(text.size() > 10);
        CHECK(text.back() == '.');
        CHECK_FALSE(has(text, "older than the module"));
    }
    CHECK(
        has(advice(static_cast<Reason>(reason_count)), "newer than this tool"));
}

TEST_CASE("a connection is typed", "[explain]")
{
    const auto tuple = parse_tuple("tcp", "10.0.0.1:80", "10.0.0.2:65535");
    REQUIRE(tuple);
    CHECK(tuple->l4proto == IPPROTO_TCP);
    CHECK(tuple->src.text() == "10.0.0.1");
    CHECK(tuple->sport == 80);
    CHECK(tuple->dport == 65535);
    const auto six = parse_tuple("udp", "[2001:db8::1]:1", "[::2]:2");
    REQUIRE(six);
    CHECK(six->dst.text() == "::2");
    const auto gre = parse_tuple("gre", "10.0.0.1", "10.0.0.2");
    REQUIRE(gre);
    CHECK_FALSE(gre->sport);
    CHECK(parse_tuple("gre", "2001:db8::1", "[2001:db8::2]"));

    CHECK(has(tuple_error("icmp", "10.0.0.1:1", "10.0.0.2:2"), "not tcp"));
    for (const auto *word : {"", ":", "10.0.0.1", "10.0.0.1:", "10.0.0.1:x",
                             "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0.1:1 ",
                             "10.0.0:1", "::1:1", "[::1]", "[10.0.0.1]:1"}) {
        INFO(word);
        CHECK(has(tuple_error("tcp", word, "10.0.0.2:2"), "is not ADDRESS"));
    }
    CHECK(has(tuple_error("tcp", "10.0.0.1:1", "[::2]:2"), "the other one "
                                                           "IPv6"));
    CHECK(has(tuple_error("gre", "10.0.0.1:1", "10.0.0.2"), "no ports"));
}

TEST_CASE("what is kept is read again", "[persist]")
{
    const Tree tree;
    const auto files = tree.files();
    Setup setup;
    setup.table = "a.b";
    setup.devices = {"eth0", "eth1.5"};
    setup.protocols = {"udp"};
    setup.counter = false;
    REQUIRE(keep(files, setup));
    CHECK(kept_files(files) == std::vector<std::string>{kept_path("a.b")});
    const auto again = read_kept(files, kept_path("a.b"));
    REQUIRE(again);
    CHECK(again->table == "a.b");
    CHECK(again->devices == setup.devices);
    CHECK(again->protocols == setup.protocols);
    CHECK(again->offload);
    CHECK_FALSE(again->counter);
    setup.offload = false;
    REQUIRE(keep(files, setup));
    CHECK_FALSE(read_kept(files, kept_path("a.b"))->offload);
    REQUIRE(forget_kept(files, "a.b"));
    CHECK(forget_kept(files, "a.b").error().code == ENOENT);
    CHECK(kept_files(files).empty());
}

TEST_CASE("what is not understood is refused", "[persist]")
{
    for (const auto *content :
         {"", "devices = \n", "devices = a a\n", "devices = a/b\n",
          "devices a\n", "devices=a\n", "devices = a\nspeed = 5\n",
          "devices = a\ncounter = maybe\n", "devices = a\ncounter = yes no\n",
          "devices = a\ndevices = b\n", "devices = a\nprotocols = sctp\n",
          "= a\n"}) {
        INFO(content);
        Tree tree;
        tree.with("/etc/nft-offload/x.conf", content);
        const auto setup = read_kept(tree.files(), "/etc/nft-offload/x.conf");
        REQUIRE_FALSE(setup);
        CHECK(setup.error().code == EINVAL);
    }
}

TEST_CASE("a file of others is left alone", "[persist]")
{
    Tree tree;
    tree.with(kept_path("t"), "mine\n");
    Setup setup;
    setup.table = "t";
    setup.devices = {"eth0"};
    CHECK(keep(tree.files(), setup).error().code == EEXIST);
    CHECK(forget_kept(tree.files(), "t").error().code == EEXIST);
    CHECK(tree.files().text(kept_path("t")) == "mine\n");
}

TEST_CASE("enable --dry-run", "[enable]")
{
    Tool tool;
    CHECK(tool.run({"enable", "a", "b", "--dry-run", "--proto", "udp,gre"}) ==
          0);
    CHECK(has(tool.out, "devices = { \"a\", \"b\" }"));
    CHECK(has(tool.out, "{ udp, gre }"));
    CHECK(tool.run({"-j", "enable", "a", "--software", "--no-counter",
                    "--dry-run", "--table=x"}) == 0);
    const auto json = nlohmann::json::parse(tool.out);
    CHECK(json["table"] == "x");
    CHECK(json["offload"] == false);
    CHECK(json["counter"] == false);
    CHECK(json["devices"] == nlohmann::json{"a"});
    CHECK(json["nft"].get<std::string>().find("flags") == std::string::npos);
    CHECK(tool.made.empty());
}

TEST_CASE("enable wants sense, devices and the module", "[enable]")
{
    Tool tool;
    CHECK(tool.run({"enable"}) == 2);
    CHECK(has(tool.err, "needs DEV"));
    CHECK(tool.run({"enable", "lo", "--proto", "sctp"}) == 2);
    CHECK(tool.run({"enable", "lo", "--counter", "--no-counter"}) == 2);
    CHECK(tool.run({"enable", "lo", "--persist", "--dry-run"}) == 2);
    CHECK(tool.run({"enable", "no-such-dev"}) == 6);
    CHECK(tool.run({"enable", "lo"}) == 3);
    CHECK(has(tool.err, "modprobe nft_offload"));
    CHECK(tool.made.empty());
}

TEST_CASE("nothing was kept", "[enable]")
{
    Tool tool;
    CHECK(tool.run({"enable", "--persisted"}) == 0);
    CHECK(has(tool.out, "No setup was saved"));
    tool.tree.with(kept_path("t"), "devices = lo\n");
    CHECK(tool.run({"enable", "--persisted"}) == 3);
}

TEST_CASE("disable", "[disable]")
{
    Tool tool;
    CHECK(tool.run({"disable"}) == 6);
    CHECK(has(tool.err, "nft list tables"));
    CHECK(tool.run({"disable", "--table", "../x"}) == 2);
    Setup setup;
    setup.devices = {"lo"};
    REQUIRE(keep(tool.system.files, setup));
    CHECK(tool.run({"disable", "--persist"}) == 0);
    CHECK(has(tool.out, "nft_offload.conf was removed"));
    CHECK(kept_files(tool.system.files).empty());
    tool.system.remove = [](const std::string &) -> Result<void> {
        return Failure({"removing", EEXIST, {}});
    };
    CHECK(tool.run({"disable"}) == 1);
    CHECK(has(tool.err, "nft delete table inet nft_offload"));
    tool.system.remove = [](const std::string &) { return Result<void>(); };
    REQUIRE(keep(tool.system.files, setup));
    CHECK(tool.run({"-j", "disable"}) == 0);
    const auto json = nlohmann::json::parse(tool.out);
    CHECK(json["removed"] == true);
    CHECK(json["forgotten"] == false);
    CHECK(json["persisted"] == kept_path("nft_offload"));
}
