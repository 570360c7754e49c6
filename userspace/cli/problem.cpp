// SPDX-License-Identifier: GPL-2.0
#include "problem.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nfto::cli {
namespace {

constexpr std::array<ExitText, 10> exit_texts{{
    {Exit::ok, "ok", "It was done."},
    {Exit::failed, "failed", "The kernel or the system refused it."},
    {Exit::usage, "usage", "The command line makes no sense."},
    {Exit::no_module, "no-module", "The module nft_offload is not loaded."},
    {Exit::not_permitted, "not-permitted",
     "It is not permitted; it needs CAP_NET_ADMIN."},
    {Exit::version, "version",
     "The module and the tool have versions that do not fit together."},
    {Exit::no_such, "no-such",
     "There is no such flow, flowtable, port, device or network namespace."},
    {Exit::warnings, "warnings", "check: it works, with warnings."},
    {Exit::will_not_work, "will-not-work", "check, probe: it will not work."},
    {Exit::unknown, "unknown", "check: it could not find out everything."},
}};

} // namespace

std::span<const ExitText> exits() noexcept
{
    return exit_texts;
}

Problem problem_of(Error error)
{
    Problem problem{Exit::failed, std::move(error), {}};
    switch (problem.error.code) {
    case ENOPROTOOPT:
        problem.exit = Exit::no_module;
        problem.error.why = "The module nft_offload is not loaded.";
        problem.hint = "To load it, before the ruleset: modprobe nft_offload";
        break;
    case EPERM:
    case EACCES:
        problem.exit = Exit::not_permitted;
        problem.hint = "Run it as root: sudo nft-offload ...";
        break;
    case EPROTONOSUPPORT:
        problem.exit = Exit::version;
        problem.hint = "Install module and tool of the same version, then "
                       "reload the module.";
        break;
    case ENOENT:
    case ENODEV:
        problem.exit = Exit::no_such;
        break;
    default:
        break;
    }
    return problem;
}

Problem wrong_usage(std::string why, std::string hint)
{
    return {Exit::usage, {{}, 0, std::move(why)}, std::move(hint)};
}

Problem no_such(std::string what, std::string hint)
{
    return {Exit::no_such, {{}, 0, std::move(what)}, std::move(hint)};
}

tl::unexpected<Problem> fail(Error error)
{
    return tl::unexpected<Problem>(problem_of(std::move(error)));
}

tl::unexpected<Problem> fail(Problem problem)
{
    return tl::unexpected<Problem>(std::move(problem));
}

std::string errno_name(int code)
{
    const char *name = code > 0 ? strerrorname_np(code) : nullptr;
    return name ? name : "";
}

} // namespace nfto::cli
