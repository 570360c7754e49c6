// SPDX-License-Identifier: GPL-2.0
/// @file
/// The command line from the program's name to its exit status.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "context.hpp"

namespace nfto::cli {

/// Options that are there for every command, before or after it.
struct GlobalOption {
    /// "-j"
    std::string_view brief;
    /// "--json"
    std::string_view name;
    /// "NETNS", or empty.
    std::string_view value;
    std::string_view help;
};
[[nodiscard]] std::span<const GlobalOption> global_options() noexcept;

/// @param words without the program's name.
/// @param out stdout: answers, and in JSON errors too.
/// @param err stderr: errors in text.
/// @return the exit status. Nothing is flushed yet.
[[nodiscard]] int run(std::span<const std::string_view> words, System &system,
                      Devices &devices, Text &out, Output &err);

} // namespace nfto::cli
