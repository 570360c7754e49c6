// SPDX-License-Identifier: GPL-2.0
// Netlink attributes, read from bytes of any alignment and any content: what is
// not there is never touched.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include <linux/netlink.h>

namespace nfto::netlink {

using Bytes = std::span<const std::byte>;

/// The first bytes as a T; there have to be so many.
template <typename T> [[nodiscard]] T load(Bytes bytes) noexcept
{
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
}

/// A length, and what it is padded to.
[[nodiscard]] constexpr std::size_t aligned(std::size_t length) noexcept
{
    return (length + NLMSG_ALIGNTO - 1) & ~(std::size_t{NLMSG_ALIGNTO} - 1);
}

struct Attr {
    std::uint16_t type = 0;
    Bytes payload;
};

/// One attribute after the other.
class AttrReader {
public:
    explicit AttrReader(Bytes bytes) noexcept : rest_(bytes) {}

    /// False at the end, and where there is something that is no attribute.
    [[nodiscard]] bool next(Attr &attr) noexcept
    {
        if (rest_.size() < sizeof(nlattr))
            return false;
        const auto header = load<nlattr>(rest_);
        if (header.nla_len < sizeof(nlattr) || header.nla_len > rest_.size())
            return false;
        attr.type = static_cast<std::uint16_t>(
            header.nla_type & ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER));
        attr.payload =
            rest_.subspan(sizeof(nlattr), header.nla_len - sizeof(nlattr));
        // The last one's padding may be missing.
        rest_ = rest_.subspan(std::min(aligned(header.nla_len), rest_.size()));
        return true;
    }

    /// Whether next() has come to the end.
    [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

private:
    Bytes rest_;
};

/// Hands each attribute to take(), which says whether it makes sense; so does
/// this of all of them.
template <typename Take>
[[nodiscard]] bool for_each(Bytes bytes, const Take &take)
{
    AttrReader reader(bytes);
    Attr attr;
    while (reader.next(attr)) {
        if (!take(attr))
            return false;
    }
    return reader.done();
}

// Values. False if the attribute has another length than such a value, or a
// value that its place has no room for.

/// Numbers in host byte order, and enumerations.
template <typename T>
requires std::is_arithmetic_v<T> || std::is_enum_v<T>
[[nodiscard]] bool get(const Attr &attr, T &value) noexcept
{
    if (attr.payload.size() != sizeof(T))
        return false;
    value = load<T>(attr.payload);
    return true;
}

template <typename T>
[[nodiscard]] bool get(const Attr &attr, std::optional<T> &value) noexcept
{
    T number{};
    if (!get(attr, number))
        return false;
    value = number;
    return true;
}

/// In network order.
template <typename T>
requires std::is_unsigned_v<T>
[[nodiscard]] bool get_be(const Attr &attr, T &value) noexcept
{
    if (attr.payload.size() != sizeof(T))
        return false;
    value = 0;
    for (const std::byte byte : attr.payload)
        value = static_cast<T>(value << 8U | std::to_integer<T>(byte));
    return true;
}

/// What is 32 bits long there and shorter here.
template <typename T>
[[nodiscard]] bool get_u32_as(const Attr &attr, T &value, T max) noexcept
{
    std::uint32_t number = 0;
    if (!get(attr, number) || number > static_cast<std::uint32_t>(max))
        return false;
    value = static_cast<T>(number);
    return true;
}

/// Up to the first zero byte, or all of it.
[[nodiscard]] inline bool get(const Attr &attr, std::string &value)
{
    const auto *text = reinterpret_cast<const char *>(attr.payload.data());
    const std::size_t size = attr.payload.size();
    value.assign(text, size == 0 ? 0 : strnlen(text, size));
    return true;
}

/// A flag is there or not, and has nothing in it.
[[nodiscard]] inline bool get_flag(const Attr &attr, bool &value) noexcept
{
    value = true;
    return attr.payload.empty();
}

} // namespace nfto::netlink
