// SPDX-License-Identifier: GPL-2.0
#include "words/filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <netinet/in.h>

#include <fmt/format.h>
#include <nfto/ruleset.hpp>

#include "view/text.hpp"
#include "view/view.hpp"

namespace nfto::cli {
namespace {

using Kind = Param::Kind;

/// The hardware's counters are read each 10 seconds, so rates are of no less.
constexpr std::chrono::milliseconds default_rate{10000};
constexpr std::array<std::string_view, 6> sort_names{
    "packets", "bytes", "rate", "idle", "expires", "id"};

std::vector<std::string_view> sorts()
{
    return {sort_names.begin(), sort_names.end()};
}

/// Turns words into a query, one after the other until one is wrong.
class QueryParser {
public:
    QueryParser(const Arguments &args, const FilterNames &names)
        : args_(args), names_(names)
    {}

    tl::expected<FlowQuery, Problem> parse()
    {
        named("state", query_.filter.state);
        named("hw", query_.filter.hw);
        named("reason", query_.filter.reason);
        device("dev", query_.filter.ifindex);
        device("in", query_.filter.in_ifindex);
        protocol();
        prefix("src", query_.filter.src);
        prefix("dst", query_.filter.dst);
        prefix("addr", query_.filter.address);
        number("sport", query_.filter.sport);
        number("dport", query_.filter.dport);
        number("port", query_.filter.port);
        number("zone", query_.filter.zone);
        mark();
        flowtable();
        id();
        display();
        if (problem_)
            return fail(std::move(*problem_));
        return query_;
    }

private:
    void wrong(Problem problem)
    {
        if (!problem_)
            problem_ = std::move(problem);
    }

    template <typename T, typename Value>
    void take(tl::expected<Value, Problem> value, std::optional<T> &to)
    {
        if (value)
            to = static_cast<T>(*value);
        else
            wrong(std::move(value.error()));
    }

    template <typename Enum>
    void named(std::string_view word, std::optional<Enum> &to)
    {
        // The parser has let only names through.
        if (const auto text = args_.get(word))
            to = from_name<Enum>(*text);
    }

    void device(std::string_view word, std::optional<std::uint32_t> &to)
    {
        if (const auto text = args_.get(word))
            take(names_.device(*text), to);
    }

    template <typename T>
    void number(std::string_view word, std::optional<T> &to)
    {
        if (const auto text = args_.get(word))
            take(parse_number(word, *text, std::numeric_limits<T>::max()), to);
    }

    void prefix(std::string_view word, std::optional<Prefix> &to)
    {
        const auto text = args_.get(word);
        if (!text)
            return;
        const auto parsed = Prefix::parse(*text);
        if (parsed)
            to = *parsed;
        else
            wrong(wrong_usage(fmt::format(
                "'{}' is no {}; it is an address or prefix, as 192.0.2.1, "
                "10.0.0.0/8 or 2001:db8::/32.",
                *text, word)));
    }

    void protocol()
    {
        const auto text = args_.get("proto");
        if (!text)
            return;
        if (*text == "tcp")
            query_.filter.l4proto = IPPROTO_TCP;
        else if (*text == "udp")
            query_.filter.l4proto = IPPROTO_UDP;
        else if (*text == "gre")
            query_.filter.l4proto = IPPROTO_GRE;
        else if (auto value = parse_number("proto", *text, 255))
            query_.filter.l4proto = static_cast<std::uint8_t>(*value);
        else
            wrong(wrong_usage(fmt::format(
                "'{}' is no proto; it is tcp, udp, gre or a number up to 255.",
                *text)));
    }

    void mark()
    {
        const auto text = args_.get("mark");
        if (!text)
            return;
        constexpr std::uint32_t max = std::numeric_limits<std::uint32_t>::max();
        const auto slash = text->find('/');
        take(parse_number("mark", text->substr(0, slash), max),
             query_.filter.mark);
        if (slash == std::string_view::npos)
            return;
        std::optional<std::uint32_t> mask;
        take(parse_number("mark", text->substr(slash + 1), max), mask);
        query_.filter.mark_mask = mask.value_or(max);
    }

    void flowtable()
    {
        if (!args_.has("flowtable"))
            return;
        const auto flowtables = names_.flowtables();
        if (!flowtables) {
            wrong(problem_of(flowtables.error()));
            return;
        }
        take(find_flowtable(args_.all("flowtable"), *flowtables),
             query_.filter.flowtable);
    }

    void id()
    {
        const auto text = args_.get("id");
        if (!text)
            return;
        take(parse_number("id", *text,
                          std::numeric_limits<std::uint64_t>::max()),
             query_.id);
        for (const Param &param : filter_params())
            if (param.name != "id" && args_.has(param.name))
                wrong(wrong_usage(fmt::format(
                    "'id' names one flow; '{}' has no meaning beside it.",
                    param.name)));
    }

    void display()
    {
        if (const auto text = args_.get("sort"))
            query_.sort = static_cast<Sort>(
                std::find(sort_names.begin(), sort_names.end(), *text) -
                sort_names.begin());
        if (const auto text = args_.get("limit"))
            take(parse_number("limit", *text,
                              std::numeric_limits<std::uint32_t>::max()),
                 query_.limit);
        if (const auto text = args_.get("rate"))
            take(parse_seconds("rate", *text), query_.rate);
        else if (args_.has("rate") || query_.sort == Sort::rate)
            query_.rate = default_rate;
    }

    const Arguments &args_;
    const FilterNames &names_;
    FlowQuery query_;
    std::optional<Problem> problem_;
};

/// Whether the words name this one. Names of nftables may have a slash in them.
bool is_named(const Flowtable &flowtable,
              const std::vector<std::string_view> &words)
{
    if (flowtable.name.empty() && words.size() > 1)
        return false;
    if (words.size() == 3)
        return words[0] == family_name(flowtable.family) &&
               words[1] == flowtable.table && words[2] == flowtable.name;
    const std::string_view text = words.front();
    const auto number = parse_number("flowtable", text,
                                     std::numeric_limits<std::uint32_t>::max());
    return (number && flowtable.id == *number) ||
           (!flowtable.name.empty() &&
            (flowtable.name == text ||
             flowtable.table + "/" + flowtable.name == text));
}

} // namespace

std::string_view name(Sort sort) noexcept
{
    return sort_names.at(static_cast<std::size_t>(sort));
}

std::vector<Param> filter_params()
{
    return {
        {Kind::pair, "state", "STATE",
         "where the flow is; half means one direction in hardware",
         names_of<FlowState, flow_state_count>},
        {Kind::pair, "hw", "HW", "where a direction is, seen from the hardware",
         names_of<Hw, hw_count>},
        {Kind::pair, "reason", "REASON",
         "why a direction is not in hardware; hw, dev and in are then of the "
         "same direction",
         direction_reasons},
        {Kind::pair, "dev", "DEV", "a direction uses this device"},
        {Kind::pair, "in", "DEV", "a direction arrives at this device"},
        {Kind::pair, "proto", "PROTO", "tcp, udp, gre or a number"},
        {Kind::pair, "src", "PREFIX",
         "source of a direction; src, dst, sport and dport are of the same "
         "direction"},
        {Kind::pair, "dst", "PREFIX", "destination of a direction"},
        {Kind::pair, "addr", "PREFIX",
         "any address of the connection, before or after NAT"},
        {Kind::pair, "sport", "PORT", "source port of a direction"},
        {Kind::pair, "dport", "PORT", "destination port of a direction"},
        {Kind::pair, "port", "PORT",
         "any port of the connection, before or after NAT"},
        {Kind::pair, "mark", "MARK[/MASK]", "the connection's mark"},
        {Kind::pair, "zone", "ZONE", "the conntrack zone"},
        flowtable_param(Kind::pair),
        {Kind::pair, "id", "ID", "the one flow that has this id"},
    };
}

std::vector<Param> show_params()
{
    std::vector<Param> params = filter_params();
    params.push_back({Kind::pair, "sort", "KEY",
                      "what comes first: the most packets, bytes or rate, the "
                      "longest idle, the soonest to expire, or the oldest",
                      sorts});
    params.push_back({Kind::pair, "limit", "N", "show no more than N flows"});
    params.push_back({Kind::pair_optional, "rate", "SECONDS",
                      "look twice and show rates; SECONDS is the time between, "
                      "by default 10, as the hardware's counters are read each "
                      "10 seconds"});
    return params;
}

tl::expected<FlowQuery, Problem> parse_query(const Arguments &args,
                                             const FilterNames &names)
{
    return QueryParser(args, names).parse();
}

tl::expected<std::uint64_t, Problem>
parse_number(std::string_view word, std::string_view text, std::uint64_t max)
{
    std::uint64_t value = 0;
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    const std::string_view digits = text.substr(hex ? 2 : 0);
    const char *end = digits.data() + digits.size();
    const auto [stop, code] =
        std::from_chars(digits.data(), end, value, hex ? 16 : 10);
    if (code != std::errc() || stop != end || digits.empty() || value > max)
        return fail(wrong_usage(fmt::format(
            "'{}' is no {}; it is a number from 0 to {}.", text, word, max)));
    return value;
}

Param flowtable_param(Kind kind, bool required)
{
    return {.kind = kind,
            .name = "flowtable",
            .value = "FLOWTABLE",
            .help =
                "the flowtable: NAME, TABLE/NAME, FAMILY TABLE NAME, or its "
                "id in the module",
            .required = required,
            .families = true};
}

tl::expected<std::uint32_t, Problem>
find_flowtable(const std::vector<std::string_view> &words,
               const std::vector<Flowtable> &flowtables)
{
    std::vector<const Flowtable *> found;
    std::string list;
    for (const Flowtable &one : flowtables)
        if (is_named(one, words)) {
            found.push_back(&one);
            list += (list.empty() ? "" : ", ") + flowtable_name(one);
        }
    if (found.size() == 1)
        return found.front()->id;
    const std::string text =
        printable(fmt::format("{}", fmt::join(words, " ")));
    if (found.empty())
        return fail(
            no_such(fmt::format("The module provides no flowtable '{}'.", text),
                    "To see which there are: nft-offload flowtable show"));
    return fail(wrong_usage(
        fmt::format("'{}' may be several flowtables: {}.", text, list),
        "Name one of them as TABLE/NAME or as FAMILY TABLE NAME."));
}

tl::expected<std::chrono::milliseconds, Problem>
parse_seconds(std::string_view word, std::string_view text)
{
    double value = 0;
    const char *end = text.data() + text.size();
    const auto [stop, code] =
        std::from_chars(text.data(), end, value, std::chars_format::fixed);
    // Not a number is none of these either.
    if (code != std::errc() || stop != end || !(value >= 0.1 && value <= 86400))
        return fail(wrong_usage(fmt::format(
            "'{}' is no {}; it is a number of seconds from 0.1 to 86400.", text,
            word)));
    return std::chrono::milliseconds(std::llround(value * 1000));
}

} // namespace nfto::cli
