// SPDX-License-Identifier: GPL-2.0
#include <algorithm>

#include "advice.hpp"
#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"
#include "words/endpoint.hpp"
#include "words/filter.hpp"

namespace nfto::cli {
namespace {

/// All that is known of a connection.
struct Story {
    Tuple asked;
    std::uint16_t zone = 0;
    std::optional<Flow> flow;
    /// Of the flow.
    std::optional<Flowtable> flowtable;
    std::vector<Refusal> refusals;
    std::optional<Connection> connection;
    /// Why conntrack could not be asked.
    std::optional<Error> no_conntrack;
    std::optional<Ruleset> ruleset;
};

/// What it comes to.
struct Verdict {
    /// "hardware", as FlowState has it; "refused", "unseen" or "no-rule".
    std::string_view state;
    std::string text;
    std::string todo;
};

Prefix all_of(const Address &address)
{
    return {address, static_cast<std::uint8_t>(address.size() * 8)};
}

Filter filter_for(const Tuple &tuple, std::uint16_t zone)
{
    Filter filter;
    filter.l4proto = tuple.l4proto;
    filter.src = all_of(tuple.src);
    filter.dst = all_of(tuple.dst);
    filter.sport = tuple.sport;
    filter.dport = tuple.dport;
    filter.zone = zone;
    return filter;
}

// A packet after NAT is one of the other direction, turned round.
Result<std::optional<Flow>> find_flow(Client &client, const Tuple &tuple,
                                      std::uint16_t zone)
{
    std::optional<Flow> found;

    for (const auto &one : {tuple, tuple.reversed()}) {
        auto done = client.flows(filter_for(one, zone), [&](const Flow &flow) {
            found = flow;
            return false;
        });
        if (!done)
            return Failure(done.error());
        if (found)
            break;
    }
    return found;
}

Result<std::optional<Flowtable>> find_flowtable(Client &client,
                                                std::uint32_t id)
{
    auto flowtables = client.flowtables();
    if (!flowtables)
        return Failure(flowtables.error());
    for (auto &flowtable : *flowtables)
        if (flowtable.id == id)
            return std::move(flowtable);
    return std::optional<Flowtable>();
}

Result<std::vector<Refusal>> find_refusals(Client &client, const Story &story)
{
    std::vector<Refusal> found;
    auto refusals = client.refusals();
    if (!refusals)
        return Failure(refusals.error());
    for (const auto &refusal : *refusals) {
        if (!refusal.orig || refusal.zone != story.zone)
            continue;
        const bool same =
            *refusal.orig == story.asked ||
            refusal.orig->reversed() == story.asked ||
            (story.connection && *refusal.orig == story.connection->orig);
        if (same)
            found.push_back(refusal);
    }
    std::sort(found.begin(), found.end(),
              [](const Refusal &a, const Refusal &b) {
                  return a.when_ns < b.when_ns;
              });
    return found;
}

// The flow, or what there is without one.
Result<void> research(System &system, Client &client, Story &story)
{
    auto flow = find_flow(client, story.asked, story.zone);
    if (!flow)
        return Failure(flow.error());
    story.flow = *flow;
    if (story.flow) {
        auto flowtable = find_flowtable(client, story.flow->flowtable);
        if (!flowtable)
            return Failure(flowtable.error());
        story.flowtable = *flowtable;
        return {};
    }
    auto connection = system.connection(story.asked, story.zone);
    if (connection)
        story.connection = *connection;
    else
        story.no_conntrack = connection.error();
    auto refusals = find_refusals(client, story);
    if (!refusals)
        return Failure(refusals.error());
    story.refusals = std::move(*refusals);
    auto ruleset = system.ruleset();
    if (!ruleset)
        return Failure(ruleset.error());
    story.ruleset = std::move(*ruleset);
    return {};
}

// --- what it comes to ---

std::string rules_text(const Ruleset &ruleset)
{
    std::string text;
    for (const auto &rule : ruleset.rules)
        text += fmt::format("{}{} {} {} (handle {})", text.empty() ? "" : ", ",
                            family_name(rule.family), rule.table, rule.chain,
                            rule.handle);
    return text;
}

Verdict of_flow(const Flow &flow)
{
    const auto state = flow.state();
    switch (state) {
    case FlowState::hardware:
        return {name(state), "Both directions are in hardware.", {}};
    case FlowState::half:
        return {name(state), "One direction is in hardware.", {}};
    case FlowState::waiting:
        return {name(state), "The flow is on its way into the hardware.", {}};
    case FlowState::software:
        break;
    }
    return {name(state), "The fast path forwards the flow in software.", {}};
}

Verdict of_refusal(const Refusal &refusal)
{
    return {"refused", std::string(describe(refusal.reason)),
            std::string(advice(refusal.reason))};
}

// The kernel's own path has it, and says so where ours does as well.
Verdict taken_by_kernel()
{
    return {"kernel",
            "The kernel's own flowtable has this connection, not nft_offload.",
            "nft-offload check"};
}

Verdict of_connection(const Connection &connection, const Ruleset &ruleset)
{
    if (connection.offload())
        return taken_by_kernel();
    if (!connection.helper.empty())
        return {"refused", std::string(describe(Reason::helper)),
                std::string(advice(Reason::helper))};
    if (!connection.seen_reply())
        return {"unseen", "No packet of the reply direction was seen yet.",
                "Look whether an answer comes (tcpdump), and whether the "
                "ruleset drops it."};
    if (!connection.tcp_state.empty() && connection.tcp_state != "ESTABLISHED")
        return {
            "unseen",
            fmt::format("TCP is not established: {}.", connection.tcp_state),
            std::string(advice(Reason::not_established))};
    if (ruleset.rules.empty())
        return {"no-rule", "No rule has \"flow add\".",
                "nft-offload enable DEV..."};
    return {
        "unseen",
        "No packet of the connection has reached a rule with \"flow add\" "
        "lately.",
        fmt::format("Look at these rules: {}. Another rule may accept or drop "
                    "the packets earlier, and packets that this machine "
                    "does not forward never reach a forward chain.",
                    rules_text(ruleset))};
}

std::optional<Verdict> verdict_of(const Story &story)
{
    if (story.flow)
        return of_flow(*story.flow);
    if (!story.refusals.empty())
        return of_refusal(story.refusals.back());
    if (story.connection)
        return of_connection(*story.connection, *story.ruleset);
    return std::nullopt;
}

Problem nothing_known(const Story &story)
{
    auto text = fmt::format("Nothing is known of {}: there is no flow, no "
                            "refusal, and {}.",
                            tuple_text(story.asked),
                            story.no_conntrack
                                ? fmt::format("conntrack does not answer ({})",
                                              story.no_conntrack->message())
                                : "no entry in conntrack");
    return no_such(std::move(text),
                   fmt::format("To see which connections there are: conntrack "
                               "-L -p {}",
                               protocol_name(story.asked.l4proto)));
}

// --- as text ---

void print_advice(Text &text, std::string_view which,
                  const Direction &direction)
{
    if (direction.reason == Reason::none)
        return;
    text.print("{}: {}\n", which, describe(direction.reason));
    if (const auto error = error_text(direction.error, direction.why);
        !error.empty())
        text.print("  The driver said: {}\n", error);
    text.print("  {}\n", advice(direction.reason));
}

void print_connection(Text &text, const Connection &connection)
{
    text.print("conntrack: {}  reply {}{}{}{}  expires in {}\n",
               tuple_text(connection.orig), tuple_text(connection.reply),
               connection.tcp_state.empty() ? "" : "  " + connection.tcp_state,
               connection.assured() ? "  assured" : "",
               connection.helper.empty()
                   ? ""
                   : "  helper " + printable(connection.helper),
               text.time(std::uint64_t{connection.timeout_s} * 1000));
}

void print(Context &context, const Story &story, const Verdict &verdict)
{
    auto &text = context.text;
    if (story.flow) {
        print_flow(text, context.devices, *story.flow);
        if (story.flowtable)
            text.print("flowtable: {}\n", flowtable_name(*story.flowtable));
        print_advice(text, "->", story.flow->dir_orig);
        print_advice(text, "<-", story.flow->dir_reply);
    }
    if (story.connection)
        print_connection(text, *story.connection);
    for (const auto &refusal : story.refusals)
        print_refusal(text, context.devices, refusal);
    text.print("{}\n", printable(verdict.text));
    if (!verdict.todo.empty())
        text.print("{}\n", printable(verdict.todo));
}

// --- as JSON ---

void put_advice(Json &json, std::string_view which, const Direction &direction)
{
    if (direction.reason == Reason::none)
        return;
    const auto object = json.object();
    json.member("direction", which);
    json.member("reason", name(direction.reason));
    json.member("text", describe(direction.reason));
    json.member("todo", advice(direction.reason));
}

void put(Json &json, const Connection &connection)
{
    const auto object = json.object("connection");
    json.member("id", connection.id);
    {
        const auto orig = json.object("orig");
        put(json, connection.orig);
    }
    {
        const auto reply = json.object("reply");
        put(json, connection.reply);
    }
    json.member("zone", connection.zone);
    json.member("mark", connection.mark);
    json.member("timeout_s", connection.timeout_s);
    json.member("seen_reply", connection.seen_reply());
    json.member("assured", connection.assured());
    json.member("offload", connection.offload());
    json.member("hw_offload", connection.hw_offload());
    if (!connection.tcp_state.empty())
        json.member("tcp_state", connection.tcp_state);
    if (!connection.helper.empty())
        json.member("helper", connection.helper);
}

void put_rules(Json &json, const Ruleset &ruleset)
{
    const auto array = json.array("rules");
    for (const auto &rule : ruleset.rules) {
        const auto object = json.object();
        json.member("family", family_name(rule.family));
        json.member("table", rule.table);
        json.member("chain", rule.chain);
        json.member("flowtable", rule.flowtable);
        json.member("handle", rule.handle);
    }
}

void put_flow(Json &json, Devices &devices, const Story &story)
{
    {
        const auto object = json.object("flow");
        put(json, devices, *story.flow);
    }
    if (story.flowtable) {
        const auto object = json.object("flowtable");
        put(json, devices, *story.flowtable);
    }
    const auto array = json.array("advice");
    put_advice(json, "orig", story.flow->dir_orig);
    put_advice(json, "reply", story.flow->dir_reply);
}

void put(Context &context, const Story &story, const Verdict &verdict)
{
    auto &json = *context.json;
    {
        const auto object = json.object("asked");
        put(json, story.asked);
    }
    json.member("state", verdict.state);
    json.member("text", verdict.text);
    if (!verdict.todo.empty())
        json.member("todo", verdict.todo);
    if (story.flow)
        put_flow(json, context.devices, story);
    if (story.connection)
        put(json, *story.connection);
    if (!story.refusals.empty()) {
        const auto array = json.array("refusals");
        for (const auto &refusal : story.refusals) {
            const auto object = json.object();
            put(json, context.devices, refusal);
        }
    }
    if (story.ruleset)
        put_rules(json, *story.ruleset);
}

tl::expected<Story, Problem> question(const Arguments &args)
{
    Story story;
    const auto asked =
        parse_tuple(*args.get("proto"), *args.get("src"), *args.get("dst"));
    if (!asked)
        return fail(asked.error());
    story.asked = *asked;
    if (const auto zone = args.get("--zone")) {
        const auto number = parse_number("--zone", *zone, 0xffff);
        if (!number)
            return fail(number.error());
        story.zone = static_cast<std::uint16_t>(*number);
    }
    return story;
}

Outcome run(Context &context)
{
    auto story = question(context.args);
    if (!story)
        return fail(story.error());
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    if (auto done = research(context.system, *client, *story); !done)
        return fail(done.error());
    const auto verdict = verdict_of(*story);
    if (!verdict)
        return fail(nothing_known(*story));
    if (context.json)
        put(context, *story, *verdict);
    else
        print(context, *story, *verdict);
    return Exit::ok;
}

} // namespace

Verb explain_verb()
{
    using Kind = Param::Kind;
    return {
        "explain",
        "",
        "Whether a connection is in hardware, why not, and what to do",
        "Either direction of the connection can be given, before NAT or after "
        "it.\nIPv6 is written [ADDRESS]:PORT. For gre, only addresses are "
        "given.",
        {{.kind = Kind::operand,
          .name = "proto",
          .value = "PROTO",
          .help = "tcp, udp or gre",
          .required = true},
         {.kind = Kind::operand,
          .name = "src",
          .value = "SRC:PORT",
          .help = "where the packets come from",
          .required = true},
         {.kind = Kind::operand,
          .name = "dst",
          .value = "DST:PORT",
          .help = "where the packets go to",
          .required = true},
         {.kind = Kind::option,
          .name = "--zone",
          .value = "ZONE",
          .help = "conntrack zone of the connection, by default 0"}},
        run};
}

} // namespace nfto::cli
