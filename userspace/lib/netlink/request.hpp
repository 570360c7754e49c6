// SPDX-License-Identifier: GPL-2.0
// Requests: a message with attributes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <nfto/types.hpp>

#include <libmnl/libmnl.h>

namespace nfto::netlink {

/// One message. What is put into it has bounds that are known here: a filter with
/// all that it may have takes about 250 bytes.
class Request {
public:
    /// @param type nlmsg_type
    /// @param flags beside NLM_F_REQUEST
    Request(std::uint16_t type, std::uint16_t flags) noexcept;
    Request(const Request &) = delete;
    Request &operator=(const Request &) = delete;
    ~Request() = default;

    // One of these headers, before attributes.
    void put_genl(std::uint8_t command, std::uint8_t version) noexcept;
    void put_nfnl(std::uint8_t family) noexcept;

    /// Numbers in host byte order, and enumerations.
    template <typename T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
    void put(std::uint16_t type, T value) noexcept
    {
        mnl_attr_put(header_, type, sizeof(value), &value);
    }
    void put(std::uint16_t type, const Address &address) noexcept;
    /// With the zero byte at its end. Short ones of our own.
    void put(std::uint16_t type, const char *text) noexcept;
    /// In network order.
    void put_be(std::uint16_t type, std::uint16_t value) noexcept;

    [[nodiscard]] nlattr *begin_nest(std::uint16_t type) noexcept;
    void end_nest(nlattr *nest) noexcept;

    void set_seq(std::uint32_t seq) noexcept { header_->nlmsg_seq = seq; }
    [[nodiscard]] bool is_dump() const noexcept;
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept;

private:
    alignas(nlmsghdr) std::array<std::byte, 1024> buffer_{};
    nlmsghdr *header_;
};

/// NFTO_A_*_FILTER, a nest also where the filter is empty.
void put_filter(Request &request, std::uint16_t type,
                const Filter &filter) noexcept;

} // namespace nfto::netlink
