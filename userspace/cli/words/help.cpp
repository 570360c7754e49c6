// SPDX-License-Identifier: GPL-2.0
#include "words/help.hpp"

#include <algorithm>

#include "app.hpp"
#include "verbs/verbs.hpp"

namespace nfto::cli {
namespace {

constexpr std::size_t line_end = 79;

/// "dev DEV", "--table NAME", "DEV"
std::string shown(const Param &param)
{
    switch (param.kind) {
    case Param::Kind::operand:
        return std::string(param.value);
    case Param::Kind::pair:
    case Param::Kind::option:
        return fmt::format("{} {}", param.name, param.value);
    case Param::Kind::pair_optional:
        return fmt::format("{} [{}]", param.name, param.value);
    case Param::Kind::flag:
        break;
    }
    return std::string(param.name);
}

/// Stands for a blank that no line ends at.
constexpr char firm_blank = '\x1f';

std::string in_usage(const Param &param)
{
    std::string text = shown(param) + (param.repeat ? "..." : "");
    if (!param.required)
        text = fmt::format("[{}]", text);
    std::replace(text.begin(), text.end(), ' ', firm_blank);
    return text;
}

/// The text in lines of limited length, all but the first indented.
std::string wrap(std::string_view text, std::size_t indent, std::size_t at)
{
    std::string lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        if (at > indent && at + 1 + word.size() > line_end) {
            lines += fmt::format("\n{:{}}", "", indent);
            at = indent;
        } else if (at > indent) {
            lines += ' ';
            ++at;
        }
        lines += word;
        at += word.size();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

void print_params(Output &out, const Verb &verb)
{
    constexpr std::size_t indent = 22;
    for (const Param &param : verb.params) {
        if (param.hidden)
            continue;
        std::string text(param.help);
        if (param.choices)
            text += fmt::format(" ({})", enumerate(param.choices(), "or"));
        const std::string name = shown(param);
        out.print("  {:<{}}", name, indent - 2);
        if (name.size() + 3 > indent)
            out.print("\n{:{}}", "", indent);
        out.print("{}\n", wrap(text, indent, indent));
    }
}

void print_globals(Output &out)
{
    out.write("\nOptions, before or after the command:\n");
    for (const GlobalOption &option : global_options())
        out.print(
            "  {:<20}{}\n",
            fmt::format("{}, {} {}", option.brief, option.name, option.value),
            option.help);
}

void print_exits(Output &out)
{
    out.write("\nExit status:\n");
    for (const ExitText &text : exits())
        out.print("  {:<3} {}\n", static_cast<int>(text.exit), text.meaning);
}

} // namespace

std::string usage(const Verb &verb)
{
    std::string text = fmt::format("nft-offload {}", verb_name(verb));
    const std::size_t indent = text.size() + 1;
    std::string params;
    for (const Param &param : verb.params)
        if (!param.hidden)
            params += (params.empty() ? "" : " ") + in_usage(param);
    if (!params.empty())
        text += " " + wrap(params, indent + 7, indent + 7);
    std::replace(text.begin(), text.end(), firm_blank, ' ');
    return text;
}

void print_help(Output &out)
{
    out.write("usage: nft-offload [-j|-p] [-n NETNS] OBJECT [COMMAND] "
              "[ARGUMENTS]\n\n"
              "Shows and explains which connections the network hardware "
              "forwards.\n\nObjects:\n");
    for (const std::string_view object : objects())
        out.print("  {:<12} {}\n", object, object_summary(object));
    print_globals(out);
    print_exits(out);
    out.write("\nObjects and commands may be shortened while only one begins "
              "that way.\nFor more on one of them: nft-offload help OBJECT "
              "[COMMAND]\n");
}

void print_help(Output &out, std::string_view object)
{
    out.print("{}\n\nCommands:\n", object_summary(object));
    for (const Verb &verb : verbs())
        if (verb.object == object)
            out.print("  {:<12} {}\n", verb.command, verb.summary);
    out.print("\nFor more on one of them: nft-offload help {} COMMAND\n",
              object);
}

void print_help(Output &out, const Verb &verb)
{
    out.print("usage: {}\n\n{}.\n", usage(verb), verb.summary);
    if (!verb.details.empty())
        out.print("{}\n", verb.details);
    const bool any = std::any_of(verb.params.begin(), verb.params.end(),
                                 [](const Param &one) { return !one.hidden; });
    if (any)
        out.write("\n");
    print_params(out, verb);
}

} // namespace nfto::cli
