// SPDX-License-Identifier: GPL-2.0
#include "persist.hpp"

#include <cerrno>
#include <set>

#include <fmt/format.h>

namespace nfto::cli {
namespace {

constexpr std::string_view folder = "/etc/nft-offload";
constexpr std::string_view ending = ".conf";
constexpr std::string_view first_line = "# Written by nft-offload enable "
                                        "--persist.";

Failure wrong(const std::string &path, std::string why)
{
    return Failure({"reading " + path, EINVAL, std::move(why)});
}

std::string table_of(std::string_view path)
{
    path.remove_prefix(folder.size() + 1);
    path.remove_suffix(ending.size());
    return std::string(path);
}

std::vector<std::string> strings(std::string_view text)
{
    const auto words = words_of(text);
    return {words.begin(), words.end()};
}

std::string_view yes_or_no(bool value)
{
    return value ? "yes" : "no";
}

bool set_flag(std::string_view value, bool &flag)
{
    const auto words = words_of(value);
    if (words.size() != 1 || (words[0] != "yes" && words[0] != "no"))
        return false;
    flag = words[0] == "yes";
    return true;
}

bool set(Setup &setup, std::string_view key, std::string_view value)
{
    if (key == "hardware")
        return set_flag(value, setup.offload);
    if (key == "counter")
        return set_flag(value, setup.counter);
    if (key == "devices")
        setup.devices = strings(value);
    else if (key == "protocols")
        setup.protocols = strings(value);
    else
        return false;
    return true;
}

// Nothing is written over that has another beginning.
Result<void> is_ours(const Files &files, const std::string &path)
{
    const auto content = files.read(path);
    if (!content)
        return Failure(content.error());
    if (!content->starts_with(first_line))
        return Failure({"replacing " + path, EEXIST,
                        "nft-offload has not written this file"});
    return {};
}

} // namespace

std::string kept_path(std::string_view table)
{
    return fmt::format("{}/{}{}", folder, table, ending);
}

std::vector<std::string> kept_files(const Files &files)
{
    return files.list(folder, ending);
}

std::string kept_text(const Setup &setup)
{
    const std::vector<std::string> usual{"tcp", "udp"};
    return fmt::format(
        "{}\n"
        "# nft-offload.service makes the table \"{}\" of it, with those of "
        "the\n"
        "# devices that are there. Change it with the same command.\n"
        "devices = {}\nprotocols = {}\nhardware = {}\ncounter = {}\n",
        first_line, setup.table, fmt::join(setup.devices, " "),
        fmt::join(setup.protocols.empty() ? usual : setup.protocols, " "),
        yes_or_no(setup.offload), yes_or_no(setup.counter));
}

Result<Setup> read_kept(const Files &files, const std::string &path)
{
    const auto content = files.read(path);
    std::set<std::string, std::less<>> seen;
    Setup setup;

    if (!content)
        return Failure(content.error());
    setup.table = table_of(path);
    for (const auto line : lines_of(*content)) {
        const auto words = words_of(line);
        if (words.empty() || words[0].starts_with('#'))
            continue;
        const auto equals = line.find('=');
        const bool good = words.size() > 2 && words[1] == "=" &&
                          seen.insert(std::string(words[0])).second &&
                          set(setup, words[0], line.substr(equals + 1));
        if (!good)
            return wrong(path, fmt::format("\"{}\" is not understood", line));
    }
    if (auto valid = validate(setup); !valid)
        return wrong(path, valid.error().why);
    return setup;
}

Result<void> may_keep(const Files &files, std::string_view table)
{
    auto ours = is_ours(files, kept_path(table));
    if (!ours && ours.error().code == ENOENT)
        return {};
    return ours;
}

Result<void> keep(const Files &files, const Setup &setup)
{
    if (auto may = may_keep(files, setup.table); !may)
        return may;
    return files.write(kept_path(setup.table), kept_text(setup));
}

Result<void> forget_kept(const Files &files, std::string_view table)
{
    const auto path = kept_path(table);
    if (auto ours = is_ours(files, path); !ours)
        return ours;
    return files.remove(path);
}

} // namespace nfto::cli
