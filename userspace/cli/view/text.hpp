// SPDX-License-Identifier: GPL-2.0
/// @file
/// Text for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "output.hpp"

namespace nfto::cli {

/// How text looks.
struct Style {
    /// Bytes and times as "1.2 MB" and "3.4 s", for a terminal; otherwise
    /// numbers that programs read, "1234567 B" and "3400 ms".
    bool human = false;
    bool colour = false;
};

/// As it suits what the descriptor leads to, and NO_COLOR.
[[nodiscard]] Style style_for(int fd) noexcept;

enum class Colour { plain, good, middling, bad, faint, strong };

/// Numbers and colours in one style, into one output.
class Text {
public:
    Text(Output &out, Style style) noexcept : out_(out), style_(style) {}

    [[nodiscard]] Output &out() noexcept { return out_; }
    [[nodiscard]] Style style() const noexcept { return style_; }

    /// "1.2 MB", or "1234567 B".
    [[nodiscard]] std::string bytes(std::uint64_t count) const;
    /// "3.4 s", "5 min", "2 h 10 min", or "3400 ms".
    [[nodiscard]] std::string time(std::uint64_t ms) const;
    /// "1.2 Mbit/s", of bytes per second; or "1234567 bit/s".
    [[nodiscard]] std::string bit_rate(double bytes_per_s) const;
    /// "1.2 kpkt/s", or "1234 pkt/s".
    [[nodiscard]] std::string packet_rate(double per_s) const;
    /// The text in a colour, or as it is.
    [[nodiscard]] std::string paint(Colour colour, std::string_view text) const;

    template <typename... Args>
    void print(fmt::format_string<Args...> format, Args &&...args)
    {
        out_.print(format, std::forward<Args>(args)...);
    }

private:
    Output &out_;
    Style style_;
};

/// Rows of cells, which are printed with their columns aligned, two blanks
/// apart. A cell may have colours.
class Columns {
public:
    enum class Align { left, right };

    explicit Columns(std::vector<Align> aligns = {})
        : aligns_(std::move(aligns))
    {}
    void row(std::vector<std::string> cells);
    void print(Output &out, std::string_view indent = {}) const;

private:
    std::vector<Align> aligns_;
    std::vector<std::vector<std::string>> rows_;
};

/// "97.2 %" of part in whole, or "-" when there is nothing to have a part of.
[[nodiscard]] std::string percent(std::uint64_t part, std::uint64_t whole);
/// How many columns of a terminal it takes, colours left out.
[[nodiscard]] std::size_t width(std::string_view text) noexcept;
/// What is no UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);
/// Also without control characters: names come from others, and a terminal must
/// not obey them.
[[nodiscard]] std::string printable(std::string_view text);
/// "3 flows", "1 flow"
[[nodiscard]] std::string plural(std::uint64_t count, std::string_view one);

} // namespace nfto::cli
