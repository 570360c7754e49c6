// SPDX-License-Identifier: GPL-2.0
/// @file
/// Where all output goes through.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nfto/result.hpp>
#include <rapidjson/stringbuffer.h>

namespace nfto::cli {

/// Collects what is printed and writes it 64 KB at a time. A write that fails is
/// remembered: nothing more is written, and finish() says so.
class Output {
public:
    /// @param fd -1: keeps everything, for tests and for screens.
    explicit Output(int fd) noexcept : fd_(fd) {}
    Output(const Output &) = delete;
    Output &operator=(const Output &) = delete;
    ~Output() = default;

    void write(std::string_view text);
    template <typename... Args>
    void print(fmt::format_string<Args...> format, Args &&...args)
    {
        line_.clear();
        fmt::format_to(fmt::appender(line_), format,
                       std::forward<Args>(args)...);
        write({line_.data(), line_.size()});
    }
    /// Writes what there is if that is much. To be called after each line or
    /// object by who fills buffer().
    void settle();
    /// Writes what there is.
    void flush();
    /// False when a write has failed: going on is of no use.
    [[nodiscard]] bool good() const noexcept { return code_ == 0; }
    /// Flushes. The error that a write had, now or before.
    [[nodiscard]] Result<void> finish();

    /// What was not written yet.
    [[nodiscard]] std::string_view pending() const noexcept
    {
        return {buffer_.GetString(), buffer_.GetSize()};
    }
    [[nodiscard]] rapidjson::StringBuffer &buffer() noexcept { return buffer_; }

private:
    static constexpr std::size_t much = std::size_t{64} * 1024;

    int fd_;
    int code_ = 0;
    rapidjson::StringBuffer buffer_{nullptr, much + 4096};
    fmt::memory_buffer line_;
};

} // namespace nfto::cli
