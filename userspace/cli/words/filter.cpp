// SPDX-License-Identifier: GPL-2.0
#include "words/filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <netinet/in.h>

#include <fmt/format.h>

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
    {
    }

    tl::expected<FlowQuery, Problem> parse()
    {
        named("state", query_.filter.place);
        named("hw", query_.filter.state);
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
        table();
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

    void table()
    {
        const auto text = args_.get("table");
        if (!text)
            return;
        const auto tables = names_.tables();
        if (!tables) {
            wrong(problem_of(tables.error()));
            return;
        }
        take(find_table(*text, *tables), query_.filter.table);
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

} // namespace

std::string_view name(Sort sort) noexcept
{
    return sort_names.at(static_cast<std::size_t>(sort));
}

std::vector<Param> filter_params()
{
    return {
        {Kind::pair, "state", "STATE",
         "where the flow is; half: one direction in hardware",
         names_of<Place, place_count>},
        {Kind::pair, "hw", "HW", "a direction is there", names_of<Hw, hw_count>},
        {Kind::pair, "reason", "REASON",
         "why a direction is not in hardware; with hw, dev or in, the same "
         "direction",
         direction_reasons},
        {Kind::pair, "dev", "DEV", "a direction uses this device"},
        {Kind::pair, "in", "DEV", "a direction arrives at this device"},
        {Kind::pair, "proto", "PROTO", "tcp, udp, gre or a number"},
        {Kind::pair, "src", "PREFIX",
         "source of a direction; src, dst, sport and dport are those of the "
         "same direction"},
        {Kind::pair, "dst", "PREFIX", "destination of a direction"},
        {Kind::pair, "addr", "PREFIX",
         "one of the addresses, before or after NAT"},
        {Kind::pair, "sport", "PORT", "source port of a direction"},
        {Kind::pair, "dport", "PORT", "destination port of a direction"},
        {Kind::pair, "port", "PORT", "one of the ports, before or after NAT"},
        {Kind::pair, "mark", "MARK[/MASK]", "the connection's mark"},
        {Kind::pair, "zone", "ZONE", "the conntrack zone"},
        {Kind::pair, "table", "TABLE", "name or id of the flowtable"},
        {Kind::pair, "id", "ID", "this one flow"},
    };
}

std::vector<Param> show_params()
{
    std::vector<Param> params = filter_params();
    params.push_back({Kind::pair, "sort", "KEY",
                      "most packets, bytes or rate first, longest idle first, "
                      "soonest to expire first, or oldest first",
                      sorts});
    params.push_back({Kind::pair, "limit", "N", "no more than so many"});
    params.push_back({Kind::pair_optional, "rate", "SECONDS",
                      "look twice, so long apart (10 s), and show rates; the "
                      "hardware's counters are read each 10 s"});
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

tl::expected<std::uint32_t, Problem>
find_table(std::string_view text, const std::vector<Table> &tables)
{
    const auto number =
        parse_number("table", text, std::numeric_limits<std::uint32_t>::max());
    std::vector<const Table *> found;
    for (const Table &one : tables)
        if (one.name == text || (number && one.id == *number))
            found.push_back(&one);
    if (found.size() == 1)
        return found.front()->id;
    if (found.empty())
        return fail(no_such(fmt::format("The module has no flowtable '{}'.",
                                        printable(text)),
                            "To see what there is: nft-offload table show"));
    return fail(wrong_usage(fmt::format("There are {} flowtables '{}'.",
                                        found.size(), printable(text)),
                            "Name it by its id: nft-offload table show"));
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
