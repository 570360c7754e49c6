// SPDX-License-Identifier: GPL-2.0
#include "devices.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "view/text.hpp"

namespace nfto::cli {

std::string Devices::from_system(std::uint32_t ifindex)
{
    std::array<char, IF_NAMESIZE> name{};
    return if_indextoname(ifindex, name.data()) ? name.data() : "";
}

const std::string &Devices::name(std::uint32_t ifindex)
{
    const auto [place, is_new] = names_.try_emplace(ifindex);
    if (is_new && ifindex)
        place->second = lookup_(ifindex);
    return place->second;
}

std::string Devices::shown(std::uint32_t ifindex)
{
    const std::string &found = name(ifindex);
    return found.empty() ? fmt::format("ifindex {}", ifindex)
                         : printable(found);
}

tl::expected<std::uint32_t, Problem> find_device(std::string_view name)
{
    const std::uint32_t ifindex = if_nametoindex(std::string(name).c_str());
    if (!ifindex)
        return fail(no_such(
            fmt::format("There is no network device '{}'.", printable(name)),
            "To see which devices there are: ip -br link"));
    return ifindex;
}

tl::expected<void, Problem> enter_netns(const std::string &netns)
{
    const std::string what =
        fmt::format("entering the network namespace '{}'", printable(netns));
    const std::string path =
        netns.find('/') == std::string::npos ? "/run/netns/" + netns : netns;
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return fail(Problem{Exit::no_such,
                            {what, ENOENT, "There is none of this name."},
                            "To see which there are: ip netns"});
    if (fd < 0)
        return fail(Error{what, errno, {}});
    const int code = setns(fd, CLONE_NEWNET) ? errno : 0;
    close(fd);
    if (code == EINVAL)
        return fail(Problem{Exit::no_such,
                            {what, code, "It is no network namespace."},
                            "To see which there are: ip netns"});
    if (code)
        return fail(Error{what, code, {}});
    return {};
}

} // namespace nfto::cli
