// SPDX-License-Identifier: GPL-2.0
#include <cerrno>

#include "context.hpp"
#include "persist.hpp"
#include "verbs/verbs.hpp"

namespace nfto::cli {
namespace {

// What was kept may be there without its table, and the table without it.
Outcome forget(Context &context, const std::string &table, bool &removed)
{
    auto forgotten = forget_kept(context.system.files, table);
    if (!forgotten && forgotten.error().code != ENOENT)
        return fail(forgotten.error());
    removed = forgotten.has_value();
    return Exit::ok;
}

void say(Context &context, const std::string &table, bool removed,
         bool forgotten)
{
    const auto path = kept_path(table);
    const bool still_kept = context.system.files.exists(path);

    if (context.json) {
        context.json->member("family", "inet");
        context.json->member("table", table);
        context.json->member("removed", removed);
        context.json->member("forgotten", forgotten);
        if (still_kept)
            context.json->member("persisted", path);
        return;
    }
    if (removed)
        context.text.print("Table inet {} was removed.\n", table);
    if (forgotten)
        context.text.print("{} was removed.\n", path);
    if (still_kept)
        context.text.print("It will be created again at boot. To prevent that: "
                           "nft-offload disable --table {} --persist\n",
                           table);
}

Problem removal_failed(Error error, const std::string &table)
{
    auto problem = problem_of(std::move(error));
    if (problem.error.code == ENOENT)
        problem.hint = "To see which tables there are: nft list tables";
    else if (problem.error.code == EEXIST)
        problem.hint =
            "To delete it nevertheless: nft delete table inet " + table;
    return problem;
}

Outcome run(Context &context)
{
    const std::string table(
        context.args.get("--table").value_or(Setup().table));
    bool forgotten = false;

    // Its name is in a path too.
    Setup named;
    named.table = table;
    named.devices = {"lo"};
    if (auto valid = validate(named); !valid)
        return fail(wrong_usage(valid.error().why + "."));
    const bool forget_too = context.args.has("--persist");
    if (forget_too)
        if (auto may = may_keep(context.system.files, table); !may)
            return fail(may.error());
    auto removed = context.system.remove(table);
    if (!removed && removed.error().code != ENOENT)
        return fail(removal_failed(removed.error(), table));
    if (forget_too)
        if (auto done = forget(context, table, forgotten); !done)
            return done;
    if (!removed && !forgotten)
        return fail(removal_failed(removed.error(), table));
    say(context, table, removed.has_value(), forgotten);
    return Exit::ok;
}

} // namespace

Verb disable_verb()
{
    using Kind = Param::Kind;
    return {
        "disable",
        "",
        "Remove the table that \"enable\" has created",
        "The connections continue in the slow path. Tables that others have "
        "created are\nnot touched.",
        {{.kind = Kind::option,
          .name = "--table",
          .value = "NAME",
          .help = "the table's name, by default nft_offload"},
         {.kind = Kind::flag,
          .name = "--persist",
          .help = "also remove the saved setup, so that the next boot does "
                  "not create the table again"}},
        run};
}

} // namespace nfto::cli
