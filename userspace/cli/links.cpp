// SPDX-License-Identifier: GPL-2.0
// Devices by rtnetlink, what drivers say by ethtool's ioctls: sysfs shows the
// network namespace that it was mounted in, which may be another one.
#include "links.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include <fmt/format.h>

namespace nfto::cli {
namespace {

class Socket {
public:
    Socket(int family, int type, int protocol) noexcept
        : fd_(socket(family, type | SOCK_CLOEXEC, protocol))
    {}
    Socket(const Socket &) = delete;
    Socket &operator=(const Socket &) = delete;
    ~Socket()
    {
        if (fd_ >= 0)
            close(fd_);
    }
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    int fd_;
};

Failure failed(int code)
{
    return Failure({"asking for the network devices", code, {}});
}

using Bytes = std::span<const unsigned char>;

template <typename T> std::optional<T> number(Bytes bytes)
{
    T value{};
    if (bytes.size() < sizeof(T))
        return std::nullopt;
    std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
}

std::string text(Bytes bytes)
{
    const auto end = std::find(bytes.begin(), bytes.end(), 0);
    return {bytes.begin(), end};
}

std::string hex(Bytes bytes)
{
    return fmt::format("{:02x}", fmt::join(bytes, ""));
}

// Calls for each attribute, with its type and content.
template <typename Function> void each_attribute(Bytes bytes, Function function)
{
    while (const auto header = number<rtattr>(bytes)) {
        if (header->rta_len < sizeof(rtattr) || header->rta_len > bytes.size())
            return;
        function(
            header->rta_type & NLA_TYPE_MASK,
            bytes.subspan(sizeof(rtattr), header->rta_len - sizeof(rtattr)));
        const std::size_t step = RTA_ALIGN(std::size_t{header->rta_len});
        bytes = bytes.subspan(std::min(step, bytes.size()));
    }
}

void read_link_info(Bytes bytes, Link &link)
{
    each_attribute(bytes, [&](int type, Bytes content) {
        if (type == IFLA_INFO_KIND)
            link.kind = text(content);
    });
}

Link read_link(const ifinfomsg &header, Bytes attributes)
{
    bool elsewhere = false;
    Link link;

    link.ifindex = static_cast<std::uint32_t>(header.ifi_index);
    link.up = header.ifi_flags & IFF_UP;
    link.ethernet = header.ifi_type == ARPHRD_ETHER;
    each_attribute(attributes, [&](int type, Bytes content) {
        switch (type) {
        case IFLA_IFNAME:
            link.name = text(content);
            break;
        case IFLA_LINK:
            link.below = number<std::uint32_t>(content);
            break;
        case IFLA_LINK_NETNSID:
            elsewhere = true;
            break;
        case IFLA_MASTER:
            link.master = number<std::uint32_t>(content);
            break;
        case IFLA_PHYS_SWITCH_ID:
            link.switch_id = hex(content);
            break;
        case IFLA_PARENT_DEV_NAME:
            link.parent = text(content);
            break;
        case IFLA_LINKINFO:
            read_link_info(content, link);
            break;
        default:
            break;
        }
    });
    // veth's other end is not below it.
    if (elsewhere || link.kind == "veth" || link.below == link.ifindex)
        link.below.reset();
    return link;
}

// True at the end of the dump.
Result<bool> read_datagram(Bytes datagram, std::vector<Link> &links)
{
    while (const auto header = number<nlmsghdr>(datagram)) {
        if (header->nlmsg_len < sizeof(nlmsghdr) ||
            header->nlmsg_len > datagram.size())
            break;
        const auto payload = datagram.subspan(
            sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
        if (header->nlmsg_type == NLMSG_DONE)
            return true;
        if (header->nlmsg_type == NLMSG_ERROR)
            return failed(-number<int>(payload).value_or(-EPROTO));
        const auto info = number<ifinfomsg>(payload);
        if (header->nlmsg_type == RTM_NEWLINK && info)
            links.push_back(
                read_link(*info, payload.subspan(NLMSG_ALIGN(sizeof(*info)))));
        datagram = datagram.subspan(std::min<std::size_t>(
            NLMSG_ALIGN(header->nlmsg_len), datagram.size()));
    }
    return false;
}

Result<std::vector<Link>> dump_links()
{
    struct {
        nlmsghdr header;
        ifinfomsg info;
    } request{};
    const Socket netlink(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    std::vector<unsigned char> buffer(65536);
    std::vector<Link> links;

    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = RTM_GETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    if (netlink.fd() < 0 ||
        send(netlink.fd(), &request, sizeof(request), 0) < 0)
        return failed(errno);
    for (;;) {
        const auto got = recv(netlink.fd(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(errno);
        auto done = read_datagram(
            Bytes(buffer).first(static_cast<std::size_t>(got)), links);
        if (!done)
            return Failure(done.error());
        if (*done)
            return links;
    }
}

// --- ethtool ---

bool ethtool(const Socket &socket, const std::string &name, void *command)
{
    ifreq request{};

    name.copy(static_cast<char *>(request.ifr_name), IFNAMSIZ - 1);
    request.ifr_data = static_cast<char *>(command);
    return ioctl(socket.fd(), SIOCETHTOOL, &request) == 0;
}

// An ethtool command with a tail of 32-bit words behind its header.
template <typename Header> class Command {
public:
    Command(const Header &header, std::size_t tail)
        : words_(sizeof(Header) / sizeof(std::uint32_t) + tail)
    {
        std::memcpy(words_.data(), &header, sizeof(Header));
    }

    bool run(const Socket &socket, const std::string &device)
    {
        return ethtool(socket, device, words_.data());
    }
    [[nodiscard]] Bytes tail() const noexcept
    {
        const auto *bytes =
            reinterpret_cast<const unsigned char *>(words_.data());
        return Bytes(bytes, words_.size() * sizeof(std::uint32_t))
            .subspan(sizeof(Header));
    }

private:
    static_assert(sizeof(Header) % sizeof(std::uint32_t) == 0);
    std::vector<std::uint32_t> words_;
};

std::uint32_t feature_count_of(const Socket &socket, const std::string &device)
{
    ethtool_sset_info info{};
    info.cmd = ETHTOOL_GSSET_INFO;
    info.sset_mask = 1ULL << ETH_SS_FEATURES;
    Command command(info, 1);
    if (!command.run(socket, device))
        return 0;
    return number<std::uint32_t>(command.tail()).value_or(0);
}

// Where hw-tc-offload is among the features, which no number is fixed for.
std::optional<std::uint32_t> tc_feature(const Socket &socket,
                                        const std::string &device)
{
    const auto count = feature_count_of(socket, device);
    ethtool_gstrings header{};
    header.cmd = ETHTOOL_GSTRINGS;
    header.string_set = ETH_SS_FEATURES;
    header.len = count;
    Command command(header, std::size_t{count} * ETH_GSTRING_LEN /
                                sizeof(std::uint32_t));
    if (!count || !command.run(socket, device))
        return std::nullopt;
    for (std::uint32_t i = 0; i < count; i++)
        if (text(command.tail().subspan(std::size_t{i} * ETH_GSTRING_LEN,
                                        ETH_GSTRING_LEN)) == "hw-tc-offload")
            return i;
    return std::nullopt;
}

TcOffload tc_offload(const Socket &socket, const std::string &device,
                     std::uint32_t feature)
{
    using Block = ethtool_get_features_block;
    const std::uint32_t blocks = feature / 32 + 1;
    // As struct ethtool_gfeatures begins.
    const std::array<std::uint32_t, 2> header{ETHTOOL_GFEATURES, blocks};
    Command command(header, blocks * sizeof(Block) / sizeof(std::uint32_t));
    if (!command.run(socket, device))
        return TcOffload::absent;
    const auto block =
        number<Block>(command.tail().subspan((blocks - 1) * sizeof(Block)));
    const std::uint32_t bit = 1U << feature % 32;
    if (block && block->active & bit)
        return TcOffload::on;
    return block && block->available & bit ? TcOffload::off : TcOffload::absent;
}

void ask_driver(const Socket &socket, std::optional<std::uint32_t> feature,
                Link &link)
{
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    if (ethtool(socket, link.name, &info))
        link.driver = static_cast<const char *>(info.driver);
    if (feature)
        link.tc_offload = tc_offload(socket, link.name, *feature);
}

} // namespace

Result<std::vector<Link>> read_links()
{
    auto links = dump_links();
    const Socket socket(AF_INET, SOCK_DGRAM, 0);

    if (!links || links->empty() || socket.fd() < 0)
        return links;
    const auto feature = tc_feature(socket, links->front().name);
    for (auto &link : *links)
        ask_driver(socket, feature, link);
    return links;
}

const Link *find_link(const std::vector<Link> &links,
                      const std::string &name) noexcept
{
    const auto found =
        std::find_if(links.begin(), links.end(),
                     [&](const Link &link) { return link.name == name; });
    return found == links.end() ? nullptr : &*found;
}

const Link *find_link(const std::vector<Link> &links,
                      std::uint32_t ifindex) noexcept
{
    const auto found =
        std::find_if(links.begin(), links.end(),
                     [&](const Link &link) { return link.ifindex == ifindex; });
    return found == links.end() ? nullptr : &*found;
}

} // namespace nfto::cli
