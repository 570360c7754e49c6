// SPDX-License-Identifier: GPL-2.0
// Netlink messages, built byte by byte and without the library's own builder;
// also what the fuzz targets begin with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bytes {

using Buffer = std::vector<std::byte>;

inline constexpr std::uint16_t nested = 0x8000;
inline constexpr std::uint16_t dump_intr = 0x10;
inline constexpr std::uint16_t capped = 0x100;
inline constexpr std::uint16_t ack_tlvs = 0x200;
inline constexpr std::uint16_t type_error = 2;
inline constexpr std::uint16_t type_done = 3;
/// Of the family nfto, and of the one who asks.
inline constexpr std::uint16_t family = 0x21;
inline constexpr std::uint32_t port_id = 0x0000abcd;
/// Stands for the sequence number of the request, until that is known.
inline constexpr std::uint32_t seq_of_request = 0x5e95e95e;

template <typename T> void put(Buffer &to, T value)
{
    static_assert(std::is_trivially_copyable_v<T>);
    std::array<std::byte, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof(T));
    to.insert(to.end(), raw.begin(), raw.end());
}

inline void put(Buffer &to, const Buffer &what)
{
    to.insert(to.end(), what.begin(), what.end());
}

inline void pad(Buffer &to)
{
    while (to.size() % 4 != 0)
        to.push_back(std::byte{0});
}

inline Buffer join(std::initializer_list<Buffer> parts)
{
    Buffer all;
    for (const Buffer &part : parts)
        put(all, part);
    return all;
}

/// From hexadecimal digits, and blanks between them.
inline Buffer hex(std::string_view text)
{
    Buffer to;
    std::string digits;
    for (const char c : text) {
        if (c == ' ' || c == '\n')
            continue;
        digits += c;
        if (digits.size() < 2)
            continue;
        to.push_back(std::byte(std::stoul(digits, nullptr, 16)));
        digits.clear();
    }
    if (!digits.empty())
        throw std::invalid_argument("half a byte");
    return to;
}

inline Buffer attr_of(std::uint16_t type, const Buffer &payload)
{
    Buffer to;
    put(to, static_cast<std::uint16_t>(4 + payload.size()));
    put(to, type);
    put(to, payload);
    pad(to);
    return to;
}

template <typename T> Buffer attr(std::uint16_t type, T value)
{
    Buffer payload;
    put(payload, value);
    return attr_of(type, payload);
}

inline Buffer u8(int type, std::uint8_t value)
{
    return attr(static_cast<std::uint16_t>(type), value);
}

inline Buffer u16(int type, std::uint16_t value)
{
    return attr(static_cast<std::uint16_t>(type), value);
}

inline Buffer u32(int type, std::uint32_t value)
{
    return attr(static_cast<std::uint16_t>(type), value);
}

inline Buffer u64(int type, std::uint64_t value)
{
    return attr(static_cast<std::uint16_t>(type), value);
}

/// In network order.
template <typename T> Buffer be(int type, T value)
{
    Buffer payload;
    for (std::size_t i = sizeof(T); i-- > 0;)
        payload.push_back(static_cast<std::byte>(value >> (8 * i)));
    return attr_of(static_cast<std::uint16_t>(type), payload);
}

inline Buffer raw(int type, std::initializer_list<unsigned int> values)
{
    Buffer payload;
    for (const unsigned int value : values)
        payload.push_back(static_cast<std::byte>(value));
    return attr_of(static_cast<std::uint16_t>(type), payload);
}

inline Buffer flag(int type)
{
    return raw(type, {});
}

/// With the zero byte at its end.
inline Buffer str(int type, std::string_view text)
{
    Buffer payload;
    for (const char c : text)
        payload.push_back(static_cast<std::byte>(c));
    payload.push_back(std::byte{0});
    return attr_of(static_cast<std::uint16_t>(type), payload);
}

inline Buffer nest(int type, std::initializer_list<Buffer> parts)
{
    return attr_of(static_cast<std::uint16_t>(type | nested), join(parts));
}

inline Buffer message(std::uint16_t type, std::uint16_t flags,
                      const Buffer &payload, std::uint32_t seq = seq_of_request,
                      std::uint32_t port = port_id)
{
    Buffer to;
    put(to, static_cast<std::uint32_t>(16 + payload.size()));
    put(to, type);
    put(to, flags);
    put(to, seq);
    put(to, port);
    put(to, payload);
    pad(to);
    return to;
}

/// Generic netlink's header, and attributes.
inline Buffer genl(std::uint8_t command, const Buffer &attrs,
                   std::uint8_t version = 1)
{
    Buffer to;
    put(to, command);
    put(to, version);
    put(to, std::uint16_t{0});
    put(to, attrs);
    return to;
}

/// The status of an answer, as NLMSG_ERROR with the request's header.
inline Buffer ack(int error = 0, std::string_view sentence = {})
{
    Buffer payload;
    put(payload, -error);
    put(payload, Buffer(16));
    std::uint16_t flags = capped;
    if (!sentence.empty()) {
        put(payload, str(1, sentence));
        flags |= ack_tlvs;
    }
    return message(type_error, flags, payload);
}

/// The end of a dump.
inline Buffer done(int error = 0, std::string_view sentence = {},
                   std::uint16_t flags = 2)
{
    Buffer payload;
    put(payload, -error);
    if (!sentence.empty()) {
        put(payload, str(1, sentence));
        flags |= ack_tlvs;
    }
    return message(type_done, flags, payload);
}

} // namespace bytes
