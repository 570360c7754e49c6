// SPDX-License-Identifier: GPL-2.0
#include <array>

#include "app.hpp"
#include "verbs/verbs.hpp"
#include "words/help.hpp"

namespace nfto::cli {
namespace {

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
    json.member("tool_version", NFTO_VERSION);
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

Verb help_verb()
{
    using Kind = Param::Kind;
    return {"help",
            "",
            "Help on everything, on an object or on a command",
            "In JSON, it is the whole grammar.",
            {{Kind::operand, "object", "OBJECT", "an object"},
             {Kind::operand, "command", "COMMAND", "one of its commands"},
             {.kind = Kind::flag, .name = "--dump", .hidden = true}},
            run};
}

} // namespace nfto::cli
