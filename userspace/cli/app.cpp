// SPDX-License-Identifier: GPL-2.0
#include "app.hpp"

#include <array>
#include <cstring>

#include "words/help.hpp"

namespace nfto::cli {
namespace {

constexpr std::array<GlobalOption, 5> options{{
    {"-j", "--json", "", "print JSON, also for errors"},
    {"-p", "--pretty", "", "print JSON with line breaks"},
    {"-n", "--netns", "NETNS",
     "work in this network namespace (a name or path)"},
    {"-h", "--help", "", "help on the command"},
    {"-V", "--version", "", "the version of this tool"},
}};

/// The global options, and the words that are left.
struct Line {
    bool json = false;
    bool pretty = false;
    bool help = false;
    bool version = false;
    std::optional<std::string> netns;
    std::vector<std::string_view> words;
    /// What is wrong with them; kept for later, so that -j behind it counts.
    std::optional<Problem> problem;
};

class LineParser {
public:
    explicit LineParser(std::span<const std::string_view> words) : words_(words)
    {}

    Line parse()
    {
        while (!words_.empty() && words_.front() != "--")
            word(take());
        line_.words.insert(line_.words.end(), words_.begin(), words_.end());
        return std::move(line_);
    }

private:
    std::string_view take()
    {
        const std::string_view word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }

    void word(std::string_view word)
    {
        if (word == "-j" || word == "--json")
            line_.json = true;
        else if (word == "-p" || word == "--pretty")
            line_.json = line_.pretty = true;
        else if (word == "-h" || word == "--help")
            line_.help = true;
        else if (word == "-V" || word == "--version")
            line_.version = true;
        else if (word == "-n" || word == "--netns")
            netns(words_.empty() ? "" : take());
        else if (word.starts_with("--netns="))
            netns(word.substr(std::strlen("--netns=")));
        else
            line_.words.push_back(word);
    }

    void netns(std::string_view name)
    {
        if (name.empty())
            line_.problem = wrong_usage("'-n' needs NETNS after it.",
                                        "To see which there are: ip netns");
        line_.netns = name;
    }

    std::span<const std::string_view> words_;
    Line line_;
};

std::string why_of(const Problem &problem)
{
    const Error &error = problem.error;
    // What the errno of a missing module is called helps nobody.
    if (!error.code || problem.exit == Exit::no_module)
        return error.why;
    const std::string text = std::strerror(error.code);
    return error.why.empty() ? text : fmt::format("{} ({})", error.why, text);
}

void report(const Problem &problem, Json &json)
{
    const Error &error = problem.error;
    const auto object = json.object("error");
    json.member("what", error.what);
    json.member("errno", error.code);
    if (const std::string name = errno_name(error.code); !name.empty())
        json.member("errno_name", name);
    json.member("why", error.why);
    json.member("hint", problem.hint);
    json.member("exit", static_cast<int>(problem.exit));
}

void report(const Problem &problem, Output &err)
{
    const std::string &what = problem.error.what;
    err.print("nft-offload: {}{}{}\n", printable(what),
              what.empty() ? "" : ": ", printable(why_of(problem)));
    if (!problem.hint.empty())
        err.print("{}\n", problem.hint);
}

/// One run of the program.
class App {
public:
    App(Line line, System &system, Devices &devices, Text &out, Output &err)
        : line_(std::move(line)), system_(system), devices_(devices), out_(out),
          err_(err)
    {
        if (line_.json)
            json_.emplace(out_.out(), line_.pretty);
    }

    int run()
    {
        const Outcome outcome = dispatch();
        if (!outcome)
            json_ ? report(outcome.error(), *json_)
                  : report(outcome.error(), err_);
        if (json_)
            json_->close();
        return static_cast<int>(outcome ? *outcome : outcome.error().exit);
    }

private:
    Outcome dispatch()
    {
        if (line_.problem)
            return fail(*line_.problem);
        if (line_.version)
            line_.words = {"version"};
        std::span<const std::string_view> words(line_.words);
        if (line_.help && words.empty())
            return help();
        const auto verb = find_verb(words);
        if (!verb)
            return fail(hinted(verb.error(), "nft-offload help"));
        if (line_.help)
            return help_on(**verb);
        return run_verb(**verb, words);
    }

    Outcome run_verb(const Verb &verb, std::span<const std::string_view> words)
    {
        const auto args = Arguments::parse(verb, words);
        if (!args)
            return fail(
                hinted(args.error(), "nft-offload help " + verb_name(verb)));
        if (line_.netns)
            if (auto entered = enter_netns(*line_.netns); !entered)
                return fail(entered.error());
        Context context{*args, system_, devices_, out_,
                        json_ ? &*json_ : nullptr};
        Outcome outcome = verb.run(context);
        if (!outcome)
            return fail(
                hinted(outcome.error(), "nft-offload help " + verb_name(verb)));
        return outcome;
    }

    Outcome help()
    {
        line_.words = {"help"};
        line_.help = false;
        return dispatch();
    }

    /// -h after an object that has commands is about all of these.
    Outcome help_on(const Verb &verb)
    {
        if (json_)
            return help();
        if (line_.words.size() == 1 && !verb.command.empty())
            print_help(out_.out(), verb.object);
        else
            print_help(out_.out(), verb);
        return Exit::ok;
    }

    static Problem hinted(Problem problem, const std::string &help)
    {
        if (problem.exit == Exit::usage && problem.hint.empty())
            problem.hint = "For help: " + help;
        return problem;
    }

    Line line_;
    System &system_;
    Devices &devices_;
    Text &out_;
    Output &err_;
    std::optional<Json> json_;
};

} // namespace

std::span<const GlobalOption> global_options() noexcept
{
    return options;
}

int run(std::span<const std::string_view> words, System &system,
        Devices &devices, Text &out, Output &err)
{
    return App(LineParser(words).parse(), system, devices, out, err).run();
}

} // namespace nfto::cli
