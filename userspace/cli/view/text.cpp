// SPDX-License-Identifier: GPL-2.0
#include "view/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>

namespace nfto::cli {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// Three digits and a prefix of powers of 1000: "1.23 M", "999 ".
std::string scaled(double value)
{
    constexpr std::array<std::string_view, 6> prefixes{"",  "k", "M",
                                                       "G", "T", "P"};
    std::size_t at = 0;
    // 999.5 would be printed as 1000.
    while (value >= 999.5 && at + 1 < prefixes.size()) {
        value /= 1000;
        ++at;
    }
    const int digits = at == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return fmt::format("{:.{}f} {}", value, digits, prefixes.at(at));
}

std::string_view code(Colour colour)
{
    switch (colour) {
    case Colour::good:
        return "\x1b[32m";
    case Colour::middling:
        return "\x1b[33m";
    case Colour::bad:
        return "\x1b[31m";
    case Colour::faint:
        return "\x1b[2m";
    case Colour::strong:
        return "\x1b[1m";
    case Colour::plain:
        break;
    }
    return {};
}

bool continues(char c)
{
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// How long the UTF-8 character at the beginning is, 0: it is none.
std::size_t character(std::string_view text)
{
    const auto byte = [&](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const unsigned int first = byte(0);
    std::size_t size = 0;
    // The smallest second byte keeps out forms that are longer than needed, the
    // largest one surrogates and what is above U+10FFFF.
    unsigned int low = 0x80;
    unsigned int high = 0xbf;
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        size = 2;
    else if ((first & 0xf0U) == 0xe0)
        size = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        size = 4;
    else
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    if (first == 0xed)
        high = 0x9f;
    if (first == 0xf0)
        low = 0x90;
    if (first == 0xf4)
        high = 0x8f;
    if (byte(1) < low || byte(1) > high || text.size() < size)
        return 0;
    const std::string_view rest = text.substr(2, size - 2);
    return std::all_of(rest.begin(), rest.end(), continues) ? size : 0;
}

} // namespace

Style style_for(int fd) noexcept
{
    if (!isatty(fd))
        return {};
    const char *no_color = std::getenv("NO_COLOR");
    const char *term = std::getenv("TERM");
    return {true, !(no_color && *no_color) && term &&
                      std::string_view(term) != "dumb"};
}

std::string Text::bytes(std::uint64_t count) const
{
    if (!style_.human)
        return fmt::format("{} B", count);
    return scaled(static_cast<double>(count)) + "B";
}

std::string Text::time(std::uint64_t ms) const
{
    if (!style_.human)
        return fmt::format("{} ms", ms);
    const std::uint64_t s = ms / 1000;
    if (s < 60)
        return fmt::format("{}.{} s", s, ms % 1000 / 100);
    if (s < 3600)
        return fmt::format("{} min {} s", s / 60, s % 60);
    if (s < 86400)
        return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
    return fmt::format("{} d {} h", s / 86400, s % 86400 / 3600);
}

std::string Text::bit_rate(double bytes_per_s) const
{
    if (!style_.human)
        return fmt::format("{:.0f} bit/s", bytes_per_s * 8);
    return scaled(bytes_per_s * 8) + "bit/s";
}

std::string Text::packet_rate(double per_s) const
{
    if (!style_.human)
        return fmt::format("{:.0f} pkt/s", per_s);
    return scaled(per_s) + "pkt/s";
}

std::string Text::paint(Colour colour, std::string_view text) const
{
    if (!style_.colour || colour == Colour::plain || text.empty())
        return std::string(text);
    return fmt::format("{}{}\x1b[0m", code(colour), text);
}

void Columns::row(std::vector<std::string> cells)
{
    rows_.push_back(std::move(cells));
}

void Columns::print(Output &out, std::string_view indent) const
{
    std::vector<std::size_t> widths;
    for (const auto &cells : rows_) {
        widths.resize(std::max(widths.size(), cells.size()));
        for (std::size_t at = 0; at < cells.size(); ++at)
            widths[at] = std::max(widths[at], width(cells[at]));
    }
    for (const auto &cells : rows_) {
        std::string line;
        for (std::size_t at = 0; at < cells.size(); ++at) {
            const std::string blanks(widths[at] - width(cells[at]), ' ');
            if (at)
                line += "  ";
            const bool right =
                at < aligns_.size() && aligns_[at] == Align::right;
            line += right ? blanks + cells[at] : cells[at] + blanks;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out.print("{}{}\n", line.empty() ? "" : indent, line);
    }
}

std::string percent(std::uint64_t part, std::uint64_t whole)
{
    if (!whole)
        return "-";
    const double share =
        100.0 * static_cast<double>(part) / static_cast<double>(whole);
    // All is said only of all.
    const double shown = part < whole ? std::min(share, 99.9) : share;
    return fmt::format("{:.1f} %", part ? std::max(shown, 0.1) : shown);
}

std::size_t width(std::string_view text) noexcept
{
    std::size_t columns = 0;
    bool escape = false;
    for (const char c : text) {
        if (c == '\x1b')
            escape = true;
        else if (escape)
            escape = c != 'm';
        else if (!continues(c))
            ++columns;
    }
    return columns;
}

std::string valid_utf8(std::string_view text)
{
    std::string clean;
    while (!text.empty()) {
        const std::size_t size = character(text);
        clean += size ? text.substr(0, size) : replacement;
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return clean;
}

std::string printable(std::string_view text)
{
    std::string clean = valid_utf8(text);
    for (char &c : clean)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    return clean;
}

std::string plural(std::uint64_t count, std::string_view one)
{
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

} // namespace nfto::cli
