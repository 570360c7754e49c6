// SPDX-License-Identifier: GPL-2.0
// Whole runs of the tool: exit status, text, JSON.
#include <cerrno>

#include "catch.hpp"
#include "cli_tool.hpp"

using bytes::ack;
using bytes::done;

namespace {

bool has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

Answer flows(std::initializer_list<std::uint64_t> ids)
{
    Answer answer;
    for (const std::uint64_t id : ids)
        answer.emplace_back(object(NFTO_CMD_FLOW_GET, samples::full_flow(id)));
    answer.emplace_back(done());
    return answer;
}

Answer one(std::uint8_t command, const bytes::Buffer &attrs)
{
    return {object(command, attrs, 0), ack()};
}

Answer all(std::uint8_t command, const bytes::Buffer &attrs)
{
    return {object(command, attrs), done()};
}

} // namespace

TEST_CASE("a command line that makes no sense", "[cli]")
{
    Tool tool;
    const auto [line, says] = GENERATE(table<std::string, std::string>({
        {"bogus", "There is no object 'bogus', only status, flow"},
        {"s", "'s' may be status or stats"},
        {"flow s x", "'flow show' takes no 'x', only state, hw"},
        {"flow bogus", "flow: There is no command 'bogus', only show"},
        {"flow show state", "'state' needs STATE after it"},
        {"flow show state bogus", "There is no state 'bogus', only hardware"},
        {"flow show state half state half", "'state' is there twice"},
        {"flow show reason ttl", "There is no reason 'ttl', only none"},
        {"flow show proto 300", "it is tcp, udp, gre or a number up to 255"},
        {"flow show src 10.0.0.0/33", "'10.0.0.0/33' is no src"},
        {"flow show port 65536", "it is a number from 0 to 65535"},
        {"flow show mark 0x", "'0x' is no mark"},
        {"flow show mark 1/z", "'z' is no mark"},
        {"flow show rate 0", "a number of seconds from 0.1"},
        {"flow show rate nan", "a number of seconds from 0.1"},
        {"flow show id 1 port 2", "'id' names one flow; 'port'"},
        {"flow show --bogus", "'flow show' has no option '--bogus'"},
        {"flow delete", "'flow delete' needs a filter"},
        {"port show a b", "'b' is one word too many for 'port show'"},
        {"version --bogus", "'version' has no option '--bogus'"},
        {"top --plain=1", "'--plain' takes no value"},
        {"top --count", "'--count' needs N after it"},
        {"monitor bogus", "There is no GROUP 'bogus', only flows"},
        {"status -n", "'-n' needs NETNS after it"},
        {"help version x", "'version' has no commands"},
    }));
    CAPTURE(line);
    const Ran ran = tool.run(line);
    CHECK(ran.status == 2);
    CHECK(ran.out.empty());
    CHECK(has(ran.err, "nft-offload: "));
    CAPTURE(ran.err);
    CHECK(has(ran.err, says));
    // What to do next has a line of its own.
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 2);

    const Ran json = tool.run(line + " -j");
    if (line == "status -n")
        return; // -j is the name of the network namespace then
    CHECK(json.status == 2);
    CHECK(json.err.empty());
    const auto error = json.json().at("error");
    CHECK(has(error.at("why"), says));
    CHECK(error.at("exit") == 2);
    CHECK(json.json().at("version") == 1);
    CHECK(error.at("errno") == 0);
    CHECK_FALSE(error.contains("errno_name"));
    CHECK(error.at("hint") != "");
}

TEST_CASE("what is wrong with the system has its exit status", "[cli]")
{
    Tool tool;
    const auto [code, status, hint] = GENERATE(table<int, int, std::string>({
        {ENOPROTOOPT, 3, "modprobe nft_offload"},
        {EPERM, 4, "sudo"},
        {EPROTONOSUPPORT, 5, "same version"},
        {ENOBUFS, 1, ""},
    }));
    tool.open_error = code;
    for (const std::string line :
         {"", "status", "port", "flowtable", "stats", "refusal", "flow",
          "flow count", "flow flush", "flow revalidate", "flow delete port 1",
          "top --count 1"}) {
        CAPTURE(line, code);
        const Ran ran = tool.run(line);
        CHECK(ran.status == status);
        CHECK(ran.out.empty());
        CHECK(has(ran.err, "nft-offload: looking for the module: "));
        CHECK(has(ran.err, hint));
        const Ran json = tool.run("-p " + line);
        CHECK(json.status == status);
        CHECK(json.json().at("error").at("errno") == code);
        CHECK(json.json().at("error").at("exit") == status);
    }
}

TEST_CASE("flow show", "[cli]")
{
    Tool tool;
    tool.answers = {flows({77, 78, 79})};
    SECTION("as text")
    {
        const Ran ran = tool.run("flow show limit 1");
        CHECK(ran.status == 0);
        CHECK(ran.out ==
              "77: tcp 10.1.0.2:4000 > 10.2.0.2:80  waiting  snat "
              "10.2.0.2:4000  idle 250 ms  expires 29750 ms  mark 0x2a  zone "
              "65535\n"
              "  -> lan > wan route ifindex 9 via 10.2.0.254 at "
              "02:00:00:00:01:fe qinq 100 "
              "vlan 200  adding: busy (EBUSY \"firmware is busy\")  hw 21 pkt "
              "22 B  sw 23 pkt 24 B\n"
              "  <- wan > lan  out: no-port\n");
    }
    SECTION("as JSON")
    {
        const Ran ran = tool.run("flow show -j");
        CHECK(ran.status == 0);
        const auto list = ran.json().at("flows");
        REQUIRE(list.size() == 3);
        CHECK(list[0] == nlohmann::json::parse(R"({
            "id": 77, "flowtable": 5, "zone": 65535, "mark": 42,
            "ct_id": 3735928559, "snat": true, "dnat": false,
            "state": "waiting",
            "orig": {"l4proto": 6, "proto": "tcp", "src": "10.1.0.2",
                     "dst": "10.2.0.2", "sport": 4000, "dport": 80},
            "reply": {"l4proto": 6, "proto": "tcp", "src": "10.1.0.3",
                      "dst": "10.2.0.2", "sport": 80, "dport": 4000},
            "idle_ms": 250, "expires_ms": 29750,
            "dir_orig": {"in_ifindex": 3, "in": "lan", "out_ifindex": 4,
                "out": "wan", "route_ifindex": 9, "mac": "02:00:00:00:01:fe",
                "next_hop": "10.2.0.254",
                "encap": [{"proto": 34984, "name": "802.1ad", "id": 100},
                          {"proto": 33024, "name": "802.1q", "id": 200}],
                "mtu": 1500, "hw": "adding", "reason": "busy",
                "errno": 16, "errno_name": "EBUSY",
                "why": "firmware is busy", "tries": 3,
                "cookie": 4503567549408069, "hw_packets": 21, "hw_bytes": 22,
                "sw_packets": 23, "sw_bytes": 24},
            "dir_reply": {"in_ifindex": 4, "in": "wan", "out_ifindex": 3,
                "out": "lan", "route_ifindex": 3, "route": "lan",
                "mtu": 1400, "hw": "out", "reason": "no-port", "tries": 0}
        })"));
    }
    SECTION("pretty is the same")
    {
        CHECK(tool.run("flow show -j").json() ==
              tool.run("-p flow show").json());
        CHECK(has(tool.run("-p flow show").out, "\n  \"flows\": ["));
    }
    SECTION("sorted, with a limit")
    {
        tool.answers = {flows({79, 77, 78})};
        const auto list = tool.run("flow show sort id limit 2 -j").json();
        REQUIRE(list.at("flows").size() == 2);
        CHECK(list.at("flows")[0].at("id") == 77);
        CHECK(list.at("flows")[1].at("id") == 78);
        CHECK(tool.run("flow show limit 0").out.empty());
    }
    SECTION("with rates")
    {
        tool.answers = {flows({77}), flows({77, 78})};
        const auto list = tool.run("flow show rate 0.1 -j").json().at("flows");
        REQUIRE(list.size() == 2);
        CHECK(list[0].at("dir_orig").at("packet_rate") == 0.0);
        CHECK_FALSE(list[1].at("dir_orig").contains("packet_rate"));
    }
}

TEST_CASE("a dump that fails in the middle is one object", "[cli]")
{
    Tool tool;
    Answer answer{object(NFTO_CMD_FLOW_GET, samples::full_flow(1)),
                  done(ENOMEM, "no room")};
    tool.answers = {answer};
    const Ran ran = tool.run("flow show -j");
    CHECK(ran.status == 1);
    CHECK(ran.json().at("flows").size() == 1);
    CHECK(ran.json().at("error").at("errno_name") == "ENOMEM");
    CHECK(ran.json().at("error").at("why") == "no room");
}

TEST_CASE("the kernel's sentence is said, and what to do", "[cli]")
{
    Tool tool;
    tool.answers = {{ack(EPERM, "Connections are shown to few")}};
    const Ran ran = tool.run("flow count");
    CHECK(ran.status == 4);
    CHECK(has(ran.err, "Connections are shown to few"));
    CHECK(has(ran.err, "\nRun it as root: sudo nft-offload ...\n"));
}

TEST_CASE("counting and changing flows", "[cli]")
{
    Tool tool;
    tool.answers = {one(NFTO_CMD_FLOW_COUNT, samples::counts())};
    CHECK(tool.run("flow c").out ==
          "10 flows: 1 in hardware, 2 half, 3 waiting, 4 in software\n");
    CHECK(tool.run("flow c -j").json().at("count") ==
          nlohmann::json::parse(R"({"flows": 10, "hardware": 1, "half": 2,
                                    "waiting": 3, "software": 4})"));
    tool.answers = {one(NFTO_CMD_FLOW_DEL,
                        bytes::join({bytes::u32(NFTO_A_COUNT_FLOWS, 1),
                                     bytes::u32(NFTO_A_COUNT_ENDED, 1)}))};
    CHECK(tool.run("flow flush").out == "1 flow: 1 ended\n");
    CHECK(tool.run("flow delete port 1").out == "1 flow: 1 ended\n");
    CHECK(tool.run("flow delete id 9 -j").json().at("changed").at("ended") ==
          1);
}

TEST_CASE("what everybody may see", "[cli]")
{
    Tool tool;
    tool.answers = {all(NFTO_CMD_PORT_GET, samples::port())};
    const Ran port = tool.run("po");
    CHECK(port.out ==
          "lan: bound (flower)  used by 2 flowtables\n"
          "  EOPNOTSUPP \"no offload here\"\n"
          "  in hardware 100 (full at 4096)  queued 7  workers 4\n"
          "  accepted 1000  refused 1001  removed 1002  stuck 1003  queries "
          "1004  lost 1005\n"
          "  forwarded 4294967297 pkt 8589934594 B\n");
    CHECK(tool.run("port -j").json().at("ports")[0].at("errno_name") ==
          "EOPNOTSUPP");
    tool.answers = {
        one(NFTO_CMD_PORT_SET,
            bytes::join({bytes::u32(NFTO_A_PORT_IFINDEX, 1),
                         bytes::str(NFTO_A_PORT_NAME, "lo"),
                         bytes::str(NFTO_A_PORT_DRIVER, "bnxt_en"),
                         bytes::u32(NFTO_A_PORT_BLOCK, NFTO_BLOCK_FORCE),
                         bytes::str(NFTO_A_PORT_HARM, "does harm")}))};
    CHECK(tool.run("port set lo block force").out ==
          "lo:  used by 0 flowtables  driver bnxt_en  block force\n"
          "The driver bnxt_en does harm: packets of its flows may be sent to "
          "wrong places or be lost. To take them out of the NIC again: "
          "nft-offload port set lo block default\n");
    CHECK(has(
        tool.run("port set lo block force -j").json().at("port").at("warning"),
        "bnxt_en does harm"));
    tool.answers = {all(NFTO_CMD_FLOWTABLE_GET, samples::module_flowtable())};
    CHECK(tool.run("flowtable").out ==
          "5: inet filter ft  priority -10  offload  counter  "
          "follow-ruleset off\n"
          "  devices lan wan\n"
          "  50 flows  in software 51 pkt 52 B\n"
          "  left to the slow path: no-flow 9\n"
          "  ended: expired 10\n");
    CHECK(
        tool.run("flowtable -j").json().at("flowtables")[0].at("devices")[1] ==
        nlohmann::json::parse(R"({"ifindex": 4, "name": "wan"})"));
    tool.answers = {all(NFTO_CMD_FLOWTABLE_GET, samples::module_flowtable()),
                    one(NFTO_CMD_FLOWTABLE_SET, samples::module_flowtable())};
    CHECK(tool.run("flowtable set ft follow-ruleset off -j")
              .json()
              .at("flowtable")
              .at("follow_ruleset") == false);
    CHECK(tool.run("flowtable set inet filter ft follow-ruleset off -j")
              .json()
              .at("version") == 1);
    CHECK(has(tool.run("flowtable set other follow-ruleset on").err,
              "The module provides no flowtable 'other'."));
    tool.answers = {one(NFTO_CMD_STATS_GET, samples::stats())};
    CHECK(tool.run("stats -j").json().at("stats").at("recent").at("ms") ==
          12000);
    CHECK(has(tool.run("stats").out, "hardware, in the last 12000 ms"));
    tool.answers = {all(NFTO_CMD_REFUSAL_GET, samples::refusal())};
    CHECK(has(tool.run("refusal show reason helper").out,
              "helper  tcp 10.1.0.9:5060 > 10.2.0.2:5061  zone 7  from lan  "
              "8 times\n"));
    CHECK(tool.run("refusal -j").json().at("refusals")[0].at("dev") == "lan");
}

TEST_CASE("status", "[cli]")
{
    Tool tool;
    tool.answers = {all(NFTO_CMD_FLOWTABLE_GET, samples::module_flowtable()),
                    all(NFTO_CMD_PORT_GET, samples::port()),
                    one(NFTO_CMD_STATS_GET, samples::stats()),
                    one(NFTO_CMD_FLOW_COUNT, samples::counts())};
    nfto::Ruleset ruleset;
    ruleset.flowtables.push_back(
        {1, "filter", "ft", -10, true, true, {"lan", "wan"}});
    ruleset.flowtables.push_back({2, "t", "other", 0, false, false, {"eth9"}});
    tool.ruleset = ruleset;
    SECTION("with all rights")
    {
        const Ran ran = tool.run("");
        CHECK(ran.status == 0);
        CHECK(ran.out ==
              "module: nft_offload 0.1.0 (netlink ABI 1)\n"
              "flowtables:\n"
              "  inet filter ft  offload counter  lan wan  nft_offload, 50 "
              "flows\n"
              "  ip t other      software         eth9     nf_flow_table, "
              "the kernel's own\n"
              "ports:\n"
              "  lan  bound  flower  100 in hardware (full at 4096)  7 queued  "
              "EOPNOTSUPP \"no offload here\"\n"
              "flows: 10: 1 in hardware, 2 half, 3 waiting, 4 in software\n"
              "refused: 0 times\n"
              "packets in hardware: now 54.2 %, in total 58.3 %\n");
        const auto json = tool.run("status -j").json();
        CHECK(json.at("version") == 1);
        CHECK(json.at("flowtables")[0].at("family") == "inet");
        const auto &all = json.at("ruleset").at("flowtables");
        CHECK(all[0].at("provider") == "nft_offload");
        CHECK(all[0].at("id") == 5);
        CHECK(all[1].at("provider") == "nf_flow_table");
        CHECK(json.at("hardware_share").at("now") == 0.541);
        CHECK(json.at("count").at("half") == 2);
    }
    SECTION("without")
    {
        tool.answers.back() = {ack(EPERM, "no")};
        tool.ruleset =
            nfto::Failure(nfto::Error{"reading the ruleset", EPERM, {}});
        const Ran ran = tool.run("status");
        CHECK(ran.status == 0);
        CHECK(has(ran.out, "unknown without CAP_NET_ADMIN"));
        CHECK(has(ran.out, "flows: 3, 4 directions in hardware"));
        const auto json = tool.run("status -j").json();
        CHECK(json.at("ruleset").at("errno_name") == "EPERM");
        CHECK(json.at("count") == nlohmann::json::parse(R"({"flows": 3})"));
    }
}

TEST_CASE("top as plain text and JSON", "[cli]")
{
    Tool tool;
    tool.answers = {one(NFTO_CMD_STATS_GET, samples::stats()),
                    all(NFTO_CMD_PORT_GET, samples::port()), flows({77, 78})};
    const Ran ran = tool.run("top --count 1 limit 1");
    CHECK(ran.status == 0);
    CHECK(has(ran.out, "2 flows: 0 in hardware, 0 half, 2 waiting"));
    CHECK(has(ran.out, "44       46 B     250 ms  busy           lan"));
    const auto json = tool.run("top --count 1 -j").json();
    CHECK(json.at("flows").size() == 2);
    CHECK(json.at("flows")[0].at("packets") == 44);
    CHECK(json.at("rate_ms") == 0);
}

TEST_CASE("help is there at every level", "[cli]")
{
    Tool tool;
    for (const auto &verb : nfto::cli::verbs()) {
        const std::string name = nfto::cli::verb_name(verb);
        CAPTURE(name);
        const Ran ran = tool.run(name + " --help");
        CHECK(ran.status == 0);
        CHECK(has(ran.out, "usage: nft-offload " + name));
        CHECK(tool.run("help " + name).out == ran.out);
        CHECK_FALSE(verb.summary.empty());
        std::istringstream lines(ran.out);
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            CHECK(line.size() < 80);
        }
    }
    for (const std::string_view object : nfto::cli::objects())
        CHECK_FALSE(nfto::cli::object_summary(object).empty());
    CHECK(tool.run("help").out == tool.run("-h").out);
    const auto grammar = tool.run("help --dump").json();
    CHECK(grammar.at("verbs").size() == nfto::cli::verbs().size());
    CHECK(grammar == tool.run("-p help").json());
}
