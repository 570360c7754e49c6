// SPDX-License-Identifier: GPL-2.0
/// @file
/// How a command ends: its exit status, and what to say when it failed.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <nfto/result.hpp>
#include <tl/expected.hpp>

namespace nfto::cli {

/// The exit status of nft-offload. A value here has its line in exits().
enum class Exit : int {
    ok = 0,
    failed = 1,
    usage = 2,
    no_module = 3,
    not_permitted = 4,
    version = 5,
    no_such = 6,
    /// Of "check".
    warnings = 10,
    will_not_work = 11,
    unknown = 12,
};

struct ExitText {
    Exit exit;
    /// As JSON has it in the grammar (help --dump).
    std::string_view name;
    std::string_view meaning;
};

/// All of them, for help and the man page.
[[nodiscard]] std::span<const ExitText> exits() noexcept;

/// Why a command failed, and what the admin can do.
struct Problem {
    Exit exit = Exit::failed;
    /// The errno is 0 where no system call failed.
    Error error;
    /// What to do or type next; may be empty.
    std::string hint;
};

/// What a verb returns; an exit status other than ok is no error to report
/// ("check" answers with it).
using Outcome = tl::expected<Exit, Problem>;

/// A problem out of the library's error: the exit status and the hint follow
/// from the errno.
[[nodiscard]] Problem problem_of(Error error);
/// A problem with the command line. The frame adds which help to ask for where
/// @a hint is empty.
[[nodiscard]] Problem wrong_usage(std::string why, std::string hint = {});
/// Something that was asked for is not there.
[[nodiscard]] Problem no_such(std::string what, std::string hint = {});

/// To return from a verb: return fail(result.error());
[[nodiscard]] tl::unexpected<Problem> fail(Error error);
[[nodiscard]] tl::unexpected<Problem> fail(Problem problem);

/// "ENODEV", or empty for a number that has none.
[[nodiscard]] std::string errno_name(int code);

} // namespace nfto::cli
