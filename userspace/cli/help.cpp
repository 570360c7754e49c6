// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <array>

#include "app.hpp"
#include "verbs.hpp"

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
            text += fmt::format(": {}", enumerate(param.choices(), "or"));
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
        out.print("  {:<20}{}\n",
                  fmt::format("{}, {} {}", option.brief, option.name,
                              option.value),
                  option.help);
}

void print_exits(Output &out)
{
    out.write("\nExit status:\n");
    for (const ExitText &text : exits())
        out.print("  {:<3} {}\n", static_cast<int>(text.exit), text.meaning);
}

void dump_param(Json &json, const Param &param)
{
    constexpr std::array<std::string_view, 5> kinds{
        "operand", "pair", "pair-optional", "flag", "option"};
    const auto object = json.object();
    json.member("kind", kinds.at(static_cast<std::size_t>(param.kind)));
    json.member("name", param.name);
    json.member("value", param.value);
    json.member("help", param.help);
    json.member("required", param.required);
    json.member("repeat", param.repeat);
    if (!param.choices)
        return;
    const auto choices = json.array("choices");
    for (const std::string_view choice : param.choices())
        json.element(choice);
}

void dump_verbs(Json &json)
{
    const auto array = json.array("verbs");
    for (const Verb &verb : verbs()) {
        const auto object = json.object();
        json.member("object", verb.object);
        json.member("command", verb.command);
        json.member("summary", verb.summary);
        json.member("details", verb.details);
        json.member("usage", usage(verb));
        const auto params = json.array("params");
        for (const Param &param : verb.params)
            if (!param.hidden)
                dump_param(json, param);
    }
}

void dump_objects(Json &json)
{
    const auto array = json.array("objects");
    for (const std::string_view name : objects()) {
        const auto object = json.object();
        json.member("name", name);
        json.member("summary", object_summary(name));
    }
}

void dump_options(Json &json)
{
    const auto array = json.array("options");
    for (const GlobalOption &option : global_options()) {
        const auto object = json.object();
        json.member("brief", option.brief);
        json.member("name", option.name);
        json.member("value", option.value);
        json.member("help", option.help);
    }
}

void dump_exits(Json &json)
{
    const auto array = json.array("exits");
    for (const ExitText &text : exits()) {
        const auto object = json.object();
        json.member("exit", static_cast<int>(text.exit));
        json.member("name", text.name);
        json.member("meaning", text.meaning);
    }
}

/// The whole grammar, for the tests and for who writes a completion.
void dump(Json &json)
{
    json.member("version", NFTO_VERSION);
    dump_options(json);
    dump_exits(json);
    dump_objects(json);
    dump_verbs(json);
}

/// On what was asked for; in JSON always all, if there is such a thing.
Outcome help_on(Context &context, std::string_view object,
                std::optional<std::string_view> command)
{
    std::vector<std::string_view> words{object};
    if (command)
        words.push_back(*command);
    std::span<const std::string_view> rest(words);
    const auto verb = find_verb(rest);
    if (!verb)
        return fail(verb.error());
    if (!rest.empty())
        return fail(wrong_usage(fmt::format("'{}' has no commands.", object)));
    if (context.json)
        dump(*context.json);
    else if (command || (*verb)->command.empty())
        print_help(context.text.out(), **verb);
    else
        print_help(context.text.out(), (*verb)->object);
    return Exit::ok;
}

Outcome run(Context &context)
{
    const auto object = context.args.get("object");
    if (context.args.has("--dump") && !context.json) {
        Json json(context.text.out(), false);
        dump(json);
        json.finish();
        return Exit::ok;
    }
    if (object)
        return help_on(context, *object, context.args.get("command"));
    if (context.json) {
        dump(*context.json);
        return Exit::ok;
    }
    print_help(context.text.out());
    return Exit::ok;
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
    out.write("\nObjects and commands may be shortened as long as it is clear "
              "which is meant.\nMore on one: nft-offload help OBJECT "
              "[COMMAND]\n");
}

void print_help(Output &out, std::string_view object)
{
    out.print("{}\n\nCommands:\n", object_summary(object));
    for (const Verb &verb : verbs())
        if (verb.object == object)
            out.print("  {:<12} {}\n", verb.command, verb.summary);
    out.print("\nMore on one: nft-offload help {} COMMAND\n", object);
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

Verb help_verb()
{
    using Kind = Param::Kind;
    return {"help",
            "",
            "This help, or that on an object or command",
            "In JSON: the whole grammar.",
            {{Kind::operand, "object", "OBJECT", "an object"},
             {Kind::operand, "command", "COMMAND", "one of its commands"},
             {.kind = Kind::flag, .name = "--dump", .hidden = true}},
            run};
}

} // namespace nfto::cli
