// SPDX-License-Identifier: GPL-2.0
/// @file
/// What can be typed: objects, their commands, and what these take. All of it is
/// data, because help, the parser, "help --dump" and with it the tests of man
/// page and completion walk through the same table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "problem.hpp"

namespace nfto::cli {

struct Context;

/// One thing that a command takes.
struct Param {
    enum class Kind {
        /// Stands for itself: DEV.
        operand,
        /// Two words, as iproute2 has them: dev DEV.
        pair,
        /// One word, as sort's "rate" may have none behind it: rate [SECONDS].
        pair_optional,
        /// --dry-run
        flag,
        /// --table NAME or --table=NAME
        option,
    };
    /// Possible values, for help, errors and completion.
    using Choices = std::vector<std::string_view> (*)();

    Kind kind = Kind::operand;
    /// "dev", "--table"; of an operand what args.get() knows it by.
    std::string_view name = {};
    /// What stands for the value: "DEV"; empty for a flag.
    std::string_view value = {};
    std::string_view help = {};
    /// The parser takes no others; null where any text is taken.
    Choices choices = nullptr;
    bool required = false;
    /// May come more than once; of operands, only the last.
    bool repeat = false;
    /// Left out of help, man page and completion.
    bool hidden = false;
    /// Behind inet, ip or ip6 two more words belong to it, as nft names things:
    /// args.all() has all three.
    bool families = false;
};

/// The names of an enumeration as a Param has its choices.
template <typename Enum, unsigned int count>
std::vector<std::string_view> names_of()
{
    std::vector<std::string_view> names;
    for (unsigned int value = 0; value < count; ++value)
        names.push_back(name(static_cast<Enum>(value)));
    return names;
}

/// A command of an object, or an object that has no commands.
struct Verb {
    /// "flow"
    std::string_view object;
    /// "show"; empty where the object is all: "top".
    std::string_view command;
    /// One line, no full stop.
    std::string_view summary;
    /// More of it, for help; lines of up to 78 columns, or empty.
    std::string_view details;
    std::vector<Param> params;
    Outcome (*run)(Context &context) = nullptr;
};

/// What was typed for the Params of a verb.
class Arguments {
public:
    /// @return a usage problem that names the word, and what there is instead.
    static tl::expected<Arguments, Problem>
    parse(const Verb &verb, std::span<const std::string_view> words);

    /// Whether it was given, with or without a value.
    [[nodiscard]] bool has(std::string_view name) const noexcept;
    /// Its (last) value, nothing if it was not given or has none.
    [[nodiscard]] std::optional<std::string_view>
    get(std::string_view name) const noexcept;
    /// All values, in the order they were given in.
    [[nodiscard]] std::vector<std::string_view>
    all(std::string_view name) const;

private:
    struct Parser;
    /// Name of the Param and value.
    std::vector<std::pair<std::string_view, std::optional<std::string_view>>>
        given_;
};

/// The table of all verbs, in the order of help. One that is called first of its
/// object is what the object alone means.
[[nodiscard]] std::span<const Verb> verbs();
/// What an object is; one line.
[[nodiscard]] std::string_view object_summary(std::string_view object) noexcept;
/// Names of all objects, in the order of help.
[[nodiscard]] std::vector<std::string_view> objects();

/// The one that a word means: it is its name, or the beginning of no other's.
/// @return a usage problem that names the candidates.
[[nodiscard]] tl::expected<std::string_view, Problem>
complete(std::string_view word, std::span<const std::string_view> names,
         std::string_view what);

/// Finds the verb and takes its words away from @a words.
[[nodiscard]] tl::expected<const Verb *, Problem>
find_verb(std::span<const std::string_view> &words);

/// "flow show"
[[nodiscard]] std::string verb_name(const Verb &verb);
/// "a, b and c", or "a, b or c".
[[nodiscard]] std::string enumerate(std::span<const std::string_view> names,
                                    std::string_view last = "and");

} // namespace nfto::cli
