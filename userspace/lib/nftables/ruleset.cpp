// SPDX-License-Identifier: GPL-2.0
// Reads flowtables, and the rules that put connections into them.
#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include <arpa/inet.h>
#include <endian.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <nfto/ruleset.hpp>

#include "netlink/socket.hpp"
#include "nftables/reader.hpp"
#include "nftables/talk.hpp"

namespace nfto {
namespace nftables {
namespace {

// Rulesets that change with each attempt are not worth more.
constexpr int attempts = 10;

using ChainKey = std::tuple<std::uint32_t, std::string, std::string>;
using Hooks = std::map<ChainKey, std::uint32_t>;

Result<Answer> dump(Transport &transport, std::uint16_t type,
                    std::string_view what, const Visitor &visit)
{
    alignas(nlmsghdr) std::array<char, 256> buffer{};
    const auto *request = nftnl_nlmsg_build_hdr(
        buffer.data(), type, NFPROTO_UNSPEC, NLM_F_DUMP, type + 1U);

    return ask(transport, *request, what, visit);
}

// The ruleset is read without libnftnl: that gives up a whole rule when it does
// not know one of its expressions, and ends the program when an attribute has
// another length than it expects.
std::string text_of(const nlattr *attribute)
{
    if (mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0)
        return {};
    return mnl_attr_get_str(attribute);
}

std::uint32_t number_of(const nlattr *attribute)
{
    if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
        return 0;
    return ntohl(mnl_attr_get_u32(attribute));
}

// Nothing when the message is too short to say.
std::optional<std::uint32_t> family_of(const nlmsghdr &message)
{
    if (mnl_nlmsg_get_payload_len(&message) < sizeof(nfgenmsg))
        return {};
    return static_cast<const nfgenmsg *>(mnl_nlmsg_get_payload(&message))
        ->nfgen_family;
}

void read_hook(const nlattr *hook, RulesetFlowtable &flowtable)
{
    in_nest(hook, [&](const nlattr *attribute) {
        switch (mnl_attr_get_type(attribute)) {
        case NFTA_FLOWTABLE_HOOK_PRIORITY:
            flowtable.priority =
                static_cast<std::int32_t>(number_of(attribute));
            break;
        case NFTA_FLOWTABLE_HOOK_DEVS:
            in_nest(attribute, [&](const nlattr *device) {
                flowtable.devices.push_back(text_of(device));
            });
            break;
        default:
            break;
        }
    });
}

void add_flowtable(const nlmsghdr &message, Ruleset &ruleset)
{
    const auto family = family_of(message);
    RulesetFlowtable found;

    if (!family)
        return;
    found.family = *family;
    in_message(message, [&](const nlattr *attribute) {
        switch (mnl_attr_get_type(attribute)) {
        case NFTA_FLOWTABLE_TABLE:
            found.table = text_of(attribute);
            break;
        case NFTA_FLOWTABLE_NAME:
            found.name = text_of(attribute);
            break;
        case NFTA_FLOWTABLE_HOOK:
            read_hook(attribute, found);
            break;
        case NFTA_FLOWTABLE_FLAGS: {
            const auto flags = number_of(attribute);
            found.offload = flags & NFT_FLOWTABLE_HW_OFFLOAD;
            found.counter = flags & NFT_FLOWTABLE_COUNTER;
            break;
        }
        default:
            break;
        }
    });
    ruleset.flowtables.push_back(std::move(found));
}

std::optional<std::uint32_t> hook_number(const nlattr *hook)
{
    std::optional<std::uint32_t> number;

    in_nest(hook, [&](const nlattr *attribute) {
        if (mnl_attr_get_type(attribute) == NFTA_HOOK_HOOKNUM)
            number = number_of(attribute);
    });
    return number;
}

void add_hook(const nlmsghdr &message, Hooks &hooks)
{
    const auto family = family_of(message);
    std::optional<std::uint32_t> number;
    std::string table;
    std::string chain;

    if (!family)
        return;
    in_message(message, [&](const nlattr *attribute) {
        switch (mnl_attr_get_type(attribute)) {
        case NFTA_CHAIN_TABLE:
            table = text_of(attribute);
            break;
        case NFTA_CHAIN_NAME:
            chain = text_of(attribute);
            break;
        case NFTA_CHAIN_HOOK:
            number = hook_number(attribute);
            break;
        default:
            break;
        }
    });
    if (number)
        hooks.emplace(ChainKey{*family, std::move(table), std::move(chain)},
                      *number);
}

// The flowtable that an expression adds to, or nothing.
std::string flowtable_of(const nlattr *expression)
{
    const nlattr *data = nullptr;
    std::string name;
    std::string flowtable;

    in_nest(expression, [&](const nlattr *attribute) {
        if (mnl_attr_get_type(attribute) == NFTA_EXPR_NAME)
            name = text_of(attribute);
        else if (mnl_attr_get_type(attribute) == NFTA_EXPR_DATA)
            data = attribute;
    });
    if (name != "flow_offload" || !data)
        return {};
    in_nest(data, [&](const nlattr *attribute) {
        if (mnl_attr_get_type(attribute) == NFTA_FLOW_TABLE_NAME)
            flowtable = text_of(attribute);
    });
    return flowtable;
}

// What a rule has besides its expressions, which are returned.
const nlattr *read_rule(const nlmsghdr &message, FlowRule &rule)
{
    const nlattr *expressions = nullptr;

    in_message(message, [&](const nlattr *attribute) {
        switch (mnl_attr_get_type(attribute)) {
        case NFTA_RULE_TABLE:
            rule.table = text_of(attribute);
            break;
        case NFTA_RULE_CHAIN:
            rule.chain = text_of(attribute);
            break;
        case NFTA_RULE_HANDLE:
            if (mnl_attr_validate(attribute, MNL_TYPE_U64) >= 0)
                rule.handle = be64toh(mnl_attr_get_u64(attribute));
            break;
        case NFTA_RULE_EXPRESSIONS:
            expressions = attribute;
            break;
        default:
            break;
        }
    });
    return expressions;
}

void add_rule(const nlmsghdr &message, Ruleset &ruleset)
{
    FlowRule rule;

    const auto family = family_of(message);
    if (!family)
        return;
    rule.family = *family;
    const auto *expressions = read_rule(message, rule);
    if (!expressions)
        return;
    in_nest(expressions, [&](const nlattr *expression) {
        rule.flowtable = flowtable_of(expression);
        if (!rule.flowtable.empty())
            ruleset.rules.push_back(rule);
    });
}

void set_hooks(Ruleset &ruleset, const Hooks &hooks)
{
    for (auto &rule : ruleset.rules) {
        auto found = hooks.find({rule.family, rule.table, rule.chain});
        if (found != hooks.end())
            rule.hook = found->second;
    }
}

// Nothing when it changed meanwhile.
Result<std::optional<Ruleset>> read_once(Transport &transport)
{
    bool disturbed = false;
    Ruleset ruleset;
    Hooks hooks;

    auto before = generation(transport);
    if (!before)
        return Failure(before.error());
    const auto read = [&](std::uint16_t type, const char *what,
                          const Visitor &visit) -> Result<void> {
        auto answer = dump(transport, type, what, visit);
        if (!answer)
            return Failure(answer.error());
        disturbed = disturbed || answer->interrupted;
        return {};
    };
    auto done =
        read(NFT_MSG_GETFLOWTABLE, "reading the flowtables",
             [&](const nlmsghdr &m) { add_flowtable(m, ruleset); })
            .and_then([&] {
                return read(NFT_MSG_GETCHAIN, "reading the chains",
                            [&](const nlmsghdr &m) { add_hook(m, hooks); });
            })
            .and_then([&] {
                return read(NFT_MSG_GETRULE, "reading the rules",
                            [&](const nlmsghdr &m) { add_rule(m, ruleset); });
            });
    if (!done)
        return Failure(done.error());
    auto after = generation(transport);
    if (!after)
        return Failure(after.error());
    if (disturbed || *before != *after)
        return std::optional<Ruleset>();
    set_hooks(ruleset, hooks);
    return ruleset;
}

} // namespace

Result<Ruleset> read_over(Transport &transport)
{
    for (int i = 0; i < attempts; i++) {
        auto ruleset = read_once(transport);
        if (!ruleset && ruleset.error().code != EINTR)
            return Failure(ruleset.error());
        if (ruleset && *ruleset)
            return std::move(**ruleset);
    }
    return Failure({"reading the ruleset", EAGAIN,
                    "It changes all the time; try again later"});
}

} // namespace nftables

Result<Ruleset> read_ruleset(const std::string &netns)
{
    auto transport = netlink::open_socket(NETLINK_NETFILTER, netns);

    if (!transport)
        return Failure(transport.error());
    return nftables::read_over(**transport);
}

} // namespace nfto
