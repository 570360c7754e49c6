// SPDX-License-Identifier: GPL-2.0
/// @file
/// What a call returns that can fail. No exception crosses the library's
/// boundary, but for std::bad_alloc.
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

#include <nfto/export.hpp>

namespace nfto {

/// Why something failed.
struct Error {
    /// What was being done, e.g. "asking the module for its flows".
    std::string what;
    /// The errno, a positive number; 0 where there is none.
    int code = 0;
    /// The sentence of the kernel (NLMSGERR_ATTR_MSG) or, where that has none,
    /// of the library; may be empty.
    std::string why;

    /// All of it in one line: "asking ...: There is no table of this id (No such
    /// file or directory)".
    [[nodiscard]] NFTO_EXPORT std::string message() const;
};

template <typename T> using Result = tl::expected<T, Error>;
using Failure = tl::unexpected<Error>;

} // namespace nfto
