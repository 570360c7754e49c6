// SPDX-License-Identifier: GPL-2.0
/// @file
/// SIGINT and SIGTERM as a wish to end.
#pragma once

#include <csignal>

namespace nfto::cli {

/// While there is one, SIGINT and SIGTERM do not kill: wanted() says that one
/// came, and calls that wait are interrupted by it.
class StopSignals {
public:
    StopSignals() noexcept;
    StopSignals(const StopSignals &) = delete;
    StopSignals &operator=(const StopSignals &) = delete;
    ~StopSignals();
    [[nodiscard]] static bool wanted() noexcept;

private:
    struct sigaction old_int_ {};
    struct sigaction old_term_ {};
};

} // namespace nfto::cli
