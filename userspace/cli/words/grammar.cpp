// SPDX-License-Identifier: GPL-2.0
#include "words/grammar.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace nfto::cli {
namespace {

using Names = std::vector<std::string_view>;

constexpr std::array<std::string_view, 3> families{"inet", "ip", "ip6"};

bool contains(std::span<const std::string_view> names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_pair(const Param &param)
{
    return param.kind == Param::Kind::pair ||
           param.kind == Param::Kind::pair_optional;
}

bool is_option(const Param &param)
{
    return param.kind == Param::Kind::flag || param.kind == Param::Kind::option;
}

} // namespace

std::string enumerate(std::span<const std::string_view> names,
                      std::string_view last)
{
    std::string text;
    for (std::size_t at = 0; at < names.size(); ++at) {
        if (at)
            text += at + 1 == names.size() ? fmt::format(" {} ", last) : ", ";
        text += names[at];
    }
    return text;
}

/// The words of one command line, one after the other.
struct Arguments::Parser {
    const Verb &verb;
    std::span<const std::string_view> words;
    Arguments found{};
    bool only_operands = false;

    using Done = tl::expected<void, Problem>;

    std::optional<std::string_view> take()
    {
        if (words.empty())
            return std::nullopt;
        const std::string_view word = words.front();
        words = words.subspan(1);
        return word;
    }

    const Param *find(bool (*kind)(const Param &), std::string_view name) const
    {
        for (const Param &param : verb.params)
            if (kind(param) && param.name == name)
                return &param;
        return nullptr;
    }

    /// The operand that the next word is for.
    [[nodiscard]] const Param *next_operand() const
    {
        for (const Param &param : verb.params)
            if (param.kind == Param::Kind::operand &&
                (param.repeat || !found.has(param.name)))
                return &param;
        return nullptr;
    }

    Names names(bool (*kind)(const Param &)) const
    {
        Names all;
        for (const Param &param : verb.params)
            if (kind(param))
                all.push_back(param.name);
        return all;
    }

    [[nodiscard]] tl::unexpected<Problem> unknown(std::string_view word) const
    {
        const Names all = names(word.starts_with('-') ? is_option : is_pair);
        if (!all.empty())
            return fail(wrong_usage(fmt::format("'{}' takes no '{}', only {}.",
                                                verb_name(verb), word,
                                                enumerate(all))));
        if (word.starts_with('-'))
            return fail(wrong_usage(fmt::format("'{}' has no option '{}'.",
                                                verb_name(verb), word)));
        return fail(wrong_usage(fmt::format(
            "'{}' is one word too many for '{}'.", word, verb_name(verb))));
    }

    Done add(const Param &param, std::optional<std::string_view> value)
    {
        if (!param.repeat && found.has(param.name))
            return fail(
                wrong_usage(fmt::format("'{}' is there twice.", param.name)));
        if (value && param.choices && !contains(param.choices(), *value))
            return fail(wrong_usage(fmt::format(
                "There is no {} '{}', only {}.",
                param.kind == Param::Kind::operand ? param.value : param.name,
                *value, enumerate(param.choices()))));
        found.given_.emplace_back(param.name, value);
        return param.families && value && contains(families, *value)
                   ? two_more(param, *value)
                   : Done();
    }

    Done two_more(const Param &param, std::string_view family)
    {
        for (int more = 0; more < 2; ++more) {
            const auto value = take();
            if (!value || value->empty())
                return fail(wrong_usage(
                    fmt::format("'{} {}' needs TABLE and NAME after it.",
                                param.name, family)));
            found.given_.emplace_back(param.name, value);
        }
        return {};
    }

    Done with_value(const Param &param, std::string_view shown)
    {
        const auto value = take();
        if (!value || value->empty())
            return fail(wrong_usage(
                fmt::format("'{}' needs {} after it.", shown, param.value)));
        return add(param, value);
    }

    Done option(std::string_view word)
    {
        const auto equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        const Param *param = find(is_option, name);
        if (!param)
            return unknown(name);
        if (param->kind == Param::Kind::option)
            return equals == std::string_view::npos
                       ? with_value(*param, name)
                       : add(*param, word.substr(equals + 1));
        if (equals != std::string_view::npos)
            return fail(wrong_usage(fmt::format("'{}' takes no value.", name)));
        return add(*param, std::nullopt);
    }

    /// "rate" may be the last word, or be followed by another pair.
    Done with_optional_value(const Param &param)
    {
        if (words.empty() || find(is_pair, words.front()))
            return add(param, std::nullopt);
        return with_value(param, param.name);
    }

    Done word(std::string_view word)
    {
        if (!only_operands && word == "--") {
            only_operands = true;
            return {};
        }
        if (!only_operands && word.size() > 1 && word.starts_with('-'))
            return option(word);
        const Param *pair = only_operands ? nullptr : find(is_pair, word);
        if (pair)
            return pair->kind == Param::Kind::pair ? with_value(*pair, word)
                                                   : with_optional_value(*pair);
        const Param *operand = next_operand();
        return operand ? add(*operand, word) : Done(unknown(word));
    }

    [[nodiscard]] Done complete() const
    {
        for (const Param &param : verb.params)
            if (param.required && !found.has(param.name))
                return fail(wrong_usage(fmt::format(
                    "'{}' needs {}.", verb_name(verb),
                    is_pair(param) || is_option(param) ? param.name
                                                       : param.value)));
        return {};
    }
};

tl::expected<Arguments, Problem>
Arguments::parse(const Verb &verb, std::span<const std::string_view> words)
{
    Parser parser{verb, words};
    while (const auto word = parser.take())
        if (auto done = parser.word(*word); !done)
            return fail(std::move(done.error()));
    if (auto done = parser.complete(); !done)
        return fail(std::move(done.error()));
    return std::move(parser.found);
}

bool Arguments::has(std::string_view name) const noexcept
{
    return std::any_of(given_.begin(), given_.end(),
                       [&](const auto &one) { return one.first == name; });
}

std::optional<std::string_view>
Arguments::get(std::string_view name) const noexcept
{
    const auto found =
        std::find_if(given_.rbegin(), given_.rend(),
                     [&](const auto &one) { return one.first == name; });
    return found == given_.rend() ? std::nullopt : found->second;
}

std::vector<std::string_view> Arguments::all(std::string_view name) const
{
    Names values;
    for (const auto &[given, value] : given_)
        if (given == name && value)
            values.push_back(*value);
    return values;
}

std::vector<std::string_view> objects()
{
    Names names;
    for (const Verb &verb : verbs())
        if (!contains(names, verb.object))
            names.push_back(verb.object);
    return names;
}

tl::expected<std::string_view, Problem>
complete(std::string_view word, std::span<const std::string_view> names,
         std::string_view what)
{
    Names found;
    for (const std::string_view name : names) {
        if (name == word)
            return name;
        if (!word.empty() && name.starts_with(word))
            found.push_back(name);
    }
    if (found.size() == 1)
        return found.front();
    if (found.empty())
        return fail(wrong_usage(fmt::format("There is no {} '{}', only {}.",
                                            what, word, enumerate(names))));
    return fail(wrong_usage(
        fmt::format("'{}' may be {}.", word, enumerate(found, "or"))));
}

tl::expected<const Verb *, Problem>
find_verb(std::span<const std::string_view> &words)
{
    const std::string_view first = words.empty() ? "status" : words.front();
    const auto object = complete(first, objects(), "object");
    if (!object)
        return fail(object.error());
    if (!words.empty())
        words = words.subspan(1);

    std::vector<const Verb *> candidates;
    Names commands;
    for (const Verb &verb : verbs()) {
        if (verb.object != *object)
            continue;
        candidates.push_back(&verb);
        commands.push_back(verb.command);
    }
    // The first is what the object alone means.
    if (words.empty() || candidates.front()->command.empty())
        return candidates.front();
    const auto command = complete(words.front(), commands, "command");
    if (!command)
        return fail(wrong_usage(
            fmt::format("{}: {}", *object, command.error().error.why)));
    words = words.subspan(1);
    return candidates[static_cast<std::size_t>(
        std::find(commands.begin(), commands.end(), *command) -
        commands.begin())];
}

std::string verb_name(const Verb &verb)
{
    return verb.command.empty()
               ? std::string(verb.object)
               : fmt::format("{} {}", verb.object, verb.command);
}

} // namespace nfto::cli
