// SPDX-License-Identifier: GPL-2.0
/// @file
/// Setups that are kept for the next boot: a file for each table. No ruleset of
/// nft, because "nft -f" refuses all of a ruleset when one device of a
/// flowtable is not there yet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nfto/ruleset.hpp>

#include "files.hpp"

namespace nfto::cli {

/// "/etc/nft-offload/nft_offload.conf"
[[nodiscard]] std::string kept_path(std::string_view table);
/// All such files.
[[nodiscard]] std::vector<std::string> kept_files(const Files &files);
/// As it is in the file.
[[nodiscard]] std::string kept_text(const Setup &setup);
/// The setup of a file. EINVAL, with a sentence, when there is anything in it
/// that is not understood.
[[nodiscard]] Result<Setup> read_kept(const Files &files,
                                      const std::string &path);
/// EEXIST when there is a file of this table that is not of our making.
[[nodiscard]] Result<void> may_keep(const Files &files, std::string_view table);
/// EEXIST likewise.
[[nodiscard]] Result<void> keep(const Files &files, const Setup &setup);
/// ENOENT, and EEXIST likewise.
[[nodiscard]] Result<void> forget_kept(const Files &files,
                                       std::string_view table);

} // namespace nfto::cli
