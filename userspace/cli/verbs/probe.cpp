// SPDX-License-Identifier: GPL-2.0
#include <algorithm>

#include "context.hpp"
#include "verbs/verbs.hpp"
#include "view/view.hpp"
#include "words/filter.hpp"

namespace nfto::cli {
namespace {

constexpr std::uint32_t most = 1048576;

struct Row {
    Feature feature;
    ProbeAnswer answer;
};

struct Capacity {
    std::uint32_t asked = 0;
    ProbeAnswer answer;
};

struct Probed {
    std::uint32_t ifindex = 0;
    std::uint32_t out_ifindex = 0;
    std::vector<Row> rows;
    std::optional<Capacity> capacity;
};

bool offered(const ProbeAnswer &answer)
{
    return answer.state == PortState::bound;
}

bool is_nic(const Link &link)
{
    return link.kind.empty() && link.ethernet &&
           link.tc_offload == TcOffload::on;
}

// 2: of the same NIC or switch, 1: perhaps, 0: certainly not.
int closeness(const Link &link, const Link &other)
{
    if (other.ifindex == link.ifindex || !is_nic(other))
        return 0;
    if (!link.switch_id.empty() || !other.switch_id.empty())
        return link.switch_id == other.switch_id ? 2 : 0;
    if (!link.parent.empty() && link.parent == other.parent)
        return 2;
    return link.driver == other.driver ? 1 : 0;
}

// Another port of the same NIC: some drivers refuse to send a packet back to
// where it came from.
std::uint32_t partner_of(const System &system, std::uint32_t ifindex)
{
    const auto links = system.links();
    const auto *link = links ? find_link(*links, ifindex) : nullptr;
    if (!link)
        return ifindex;
    const auto best = std::max_element(
        links->begin(), links->end(), [&](const Link &a, const Link &b) {
            return closeness(*link, a) < closeness(*link, b);
        });
    return closeness(*link, *best) ? best->ifindex : ifindex;
}

ProbeRequest request_of(const Probed &probed, Feature feature,
                        std::uint32_t count)
{
    return {probed.ifindex, probed.out_ifindex, feature, count};
}

Result<void> offer_all(Client &client, Probed &probed)
{
    for (std::uint32_t i = 0; i < feature_count; i++) {
        const auto feature = static_cast<Feature>(i);
        auto answer = client.probe(request_of(probed, feature, 1));
        if (!answer)
            return Failure(answer.error());
        probed.rows.push_back({feature, *answer});
        // The others would be told the same.
        if (!offered(*answer))
            break;
    }
    return {};
}

// More and more, so that a small table is found full with few rules.
Result<void> fill(Client &client, std::uint32_t limit, Probed &probed)
{
    const auto taken =
        std::find_if(probed.rows.begin(), probed.rows.end(),
                     [](const Row &row) { return row.answer.accepted > 0; });
    if (taken == probed.rows.end())
        return {};
    Capacity capacity;
    while (capacity.answer.accepted == capacity.asked &&
           capacity.asked < limit) {
        capacity.asked = std::min(limit, std::max(1U, capacity.asked * 4));
        auto answer =
            client.probe(request_of(probed, taken->feature, capacity.asked));
        if (!answer)
            return Failure(answer.error());
        capacity.answer = *answer;
    }
    probed.capacity = capacity;
    return {};
}

std::uint32_t left_in(const Probed &probed)
{
    std::uint32_t left = probed.capacity ? probed.capacity->answer.left : 0;
    for (const auto &row : probed.rows)
        left += row.answer.left;
    return left;
}

std::string why_not(const ProbeAnswer &answer)
{
    if (answer.reason != Reason::none)
        return std::string(describe(answer.reason));
    return error_text(answer.error, answer.why);
}

// --- as text ---

void print_rows(Text &text, const Probed &probed)
{
    Columns columns;
    columns.row({"feature", "accepted", "counts", "why not"});
    for (const auto &[feature, answer] : probed.rows)
        columns.row({std::string(name(feature)),
                     answer.accepted ? text.paint(Colour::good, "yes")
                                     : text.paint(Colour::bad, "no"),
                     !answer.accepted ? "-"
                     : answer.counts  ? "yes"
                                      : "no",
                     why_not(answer)});
    columns.print(text.out());
}

void print_capacity(Text &text, const Capacity &capacity)
{
    if (capacity.answer.accepted == capacity.asked)
        text.print("The driver accepted all {} rules that it was offered.\n",
                   capacity.asked);
    else
        text.print("The driver accepted {} rules, then it said {}.\n",
                   capacity.answer.accepted,
                   error_text(capacity.answer.error, capacity.answer.why));
}

void print(Context &context, const Probed &probed)
{
    auto &text = context.text;
    const auto device = context.devices.shown(probed.ifindex);
    const auto &first = probed.rows.front().answer;
    if (!offered(first)) {
        text.print("{} takes no flows: it is {}{}{}. Nothing was offered.\n",
                   device, name(first.state), first.error ? ", " : "",
                   error_text(first.error, first.why));
        text.print("To see why: nft-offload check {}\n", device);
        return;
    }
    text.print("From {} to {} ({}):\n", device,
               context.devices.shown(probed.out_ifindex), name(first.kind));
    print_rows(text, probed);
    if (probed.capacity)
        print_capacity(text, *probed.capacity);
    if (probed.out_ifindex == probed.ifindex)
        text.print(
            "Many drivers do not send a packet back to the device that it "
            "came from. Name another port, too: nft-offload probe {} "
            "to DEV2\n",
            device);
    if (const auto left = left_in(probed))
        text.print("The driver did not remove {} of the rules. Set the "
                   "device down and up.\n",
                   left);
}

// --- as JSON ---

void put(Json &json, const ProbeAnswer &answer)
{
    json.member("accepted", answer.accepted);
    json.member("left", answer.left);
    put_error(json, answer.error, answer.why);
    if (answer.reason != Reason::none)
        json.member("reason", name(answer.reason));
}

void put(Context &context, const Probed &probed)
{
    auto &json = *context.json;
    const auto &first = probed.rows.front().answer;
    json.member("ifindex", probed.ifindex);
    json.member("dev", context.devices.shown(probed.ifindex));
    json.member("out_ifindex", probed.out_ifindex);
    json.member("out", context.devices.shown(probed.out_ifindex));
    json.member("state", name(first.state));
    json.member("kind", name(first.kind));
    if (!offered(first))
        put_error(json, first.error, first.why);
    if (probed.capacity) {
        const auto object = json.object("capacity");
        json.member("count", probed.capacity->asked);
        put(json, probed.capacity->answer);
    }
    const auto array = json.array("features");
    for (const auto &[feature, answer] : probed.rows) {
        if (!offered(answer))
            continue;
        const auto object = json.object();
        json.member("feature", name(feature));
        json.member("counts", answer.counts);
        put(json, answer);
    }
}

// --- the question ---

struct Question {
    Probed probed;
    std::optional<std::uint32_t> limit;
};

tl::expected<Question, Problem> question(Context &context)
{
    Question question;
    if (const auto text = context.args.get("capacity")) {
        const auto number = parse_number("capacity", *text, most);
        if (!number)
            return fail(number.error());
        if (!*number)
            return fail(wrong_usage("'capacity' is at least 1."));
        question.limit = static_cast<std::uint32_t>(*number);
    }
    const auto device = find_device(*context.args.get("dev"));
    if (!device)
        return fail(device.error());
    question.probed.ifindex = *device;
    question.probed.out_ifindex = *device;
    if (const auto to = context.args.get("to")) {
        const auto out = find_device(*to);
        if (!out)
            return fail(out.error());
        question.probed.out_ifindex = *out;
    } else {
        question.probed.out_ifindex = partner_of(context.system, *device);
    }
    return question;
}

Outcome run(Context &context)
{
    auto asked = question(context);
    if (!asked)
        return fail(asked.error());
    auto client = context.system.client();
    if (!client)
        return fail(client.error());
    auto &probed = asked->probed;
    if (auto done = offer_all(*client, probed); !done)
        return fail(done.error());
    if (asked->limit)
        if (auto done = fill(*client, *asked->limit, probed); !done)
            return fail(done.error());
    if (context.json)
        put(context, probed);
    else
        print(context, probed);
    const bool any =
        std::any_of(probed.rows.begin(), probed.rows.end(),
                    [](const Row &row) { return row.answer.accepted > 0; });
    return any ? Exit::ok : Exit::will_not_work;
}

} // namespace

Verb probe_verb()
{
    using Kind = Param::Kind;
    return {
        "probe",
        "",
        "What kinds of flows the driver of a device takes",
        "The driver is offered rules for addresses that no network uses, one "
        "kind after\nthe other, and removes them again. The exit status is "
        "0, or 11 when the driver\naccepts none.",
        {{.kind = Kind::operand,
          .name = "dev",
          .value = "DEV",
          .help = "the device that packets would arrive at",
          .required = true},
         {.kind = Kind::pair,
          .name = "to",
          .value = "DEV2",
          .help = "the device that they would leave from; by default "
                  "another port of the same NIC, or DEV"},
         {.kind = Kind::pair,
          .name = "capacity",
          .value = "COUNT",
          .help = "also try how many rules fit in, up to this number"}},
        run};
}

} // namespace nfto::cli
