// SPDX-License-Identifier: GPL-2.0
#include <nfto/types.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace nfto {
namespace {

bool convert(const std::string &text, Address &to) noexcept
{
    to = Address{};
    to.v6 = text.find(':') != std::string::npos;
    return inet_pton(to.v6 ? AF_INET6 : AF_INET, text.c_str(),
                     to.bytes.data()) == 1;
}

std::string dotted(const std::array<std::uint8_t, 16> &bytes)
{
    std::array<char, INET_ADDRSTRLEN> buffer{};
    char *at = buffer.data();
    for (std::size_t i = 0; i < 4; ++i) {
        if (i)
            *at++ = '.';
        at = std::to_chars(at, buffer.data() + buffer.size(), bytes.at(i)).ptr;
    }
    return {buffer.data(), at};
}

/// Decimal digits alone, up to a maximum.
std::optional<std::uint8_t> small_number(std::string_view text,
                                         std::size_t max) noexcept
{
    std::uint8_t value = 0;
    const char *end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || at != end || value > max)
        return std::nullopt;
    return value;
}

Failure no_prefix(std::string_view text, std::string why)
{
    return Failure(Error{fmt::format("reading the prefix \"{}\"", text), EINVAL,
                         std::move(why)});
}

bool is_waiting(const Direction &direction) noexcept
{
    return direction.hw == Hw::adding ||
           (direction.hw != Hw::in && direction.reason == Reason::waiting);
}

} // namespace

// Lists of flows consist of these two: they are written without a format.

std::string Address::text() const
{
    if (!v6)
        return dotted(bytes);
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (!inet_ntop(AF_INET6, bytes.data(), buffer.data(),
                   static_cast<socklen_t>(buffer.size())))
        return {};
    return buffer.data();
}

Result<Address> Address::parse(std::string_view text)
{
    Address address;
    // inet_pton() would take what is before a zero byte for all of it.
    if (text.find('\0') == std::string_view::npos &&
        convert(std::string(text), address))
        return address;
    return Failure(Error{fmt::format("reading the address \"{}\"", text),
                         EINVAL, "That is no IPv4 or IPv6 address"});
}

std::string Prefix::text() const
{
    if (length == 8 * address.size())
        return address.text();
    return fmt::format("{}/{}", address.text(), length);
}

Result<Prefix> Prefix::parse(std::string_view text)
{
    const std::size_t slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address)
        return no_prefix(text, address.error().why);
    const std::size_t bits = 8 * address->size();
    if (slash == std::string_view::npos)
        return Prefix{*address, static_cast<std::uint8_t>(bits)};
    const auto length = small_number(text.substr(slash + 1), bits);
    if (!length)
        return no_prefix(
            text,
            fmt::format("After the slash comes a number from 0 to {}", bits));
    return Prefix{*address, *length};
}

std::string text(const Mac &mac)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(3 * mac.size());
    for (const unsigned byte : mac) {
        if (!out.empty())
            out += ':';
        out += digits[byte >> 4U];
        out += digits[byte & 0xfU];
    }
    return out;
}

Tuple Tuple::reversed() const
{
    Tuple other = *this;
    std::swap(other.src, other.dst);
    std::swap(other.sport, other.dport);
    return other;
}

FlowState Flow::state() const noexcept
{
    const bool one = dir_orig.hw == Hw::in;
    const bool other = dir_reply.hw == Hw::in;
    if (one && other)
        return FlowState::hardware;
    if (one || other)
        return FlowState::half;
    if (is_waiting(dir_orig) || is_waiting(dir_reply))
        return FlowState::waiting;
    return FlowState::software;
}

} // namespace nfto
