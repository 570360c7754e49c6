// SPDX-License-Identifier: GPL-2.0
/// @file
/// The system's files, below a root that tests choose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nfto/result.hpp>

namespace nfto::cli {

class Files {
public:
    /// @param root goes before each path; empty: the system's own.
    explicit Files(std::string root = {}) : root_(std::move(root)) {}

    /// All of a file. Files of /proc have no size; they are read to the end.
    [[nodiscard]] Result<std::string> read(std::string_view path) const;
    /// The same where it does not matter why it cannot be read.
    [[nodiscard]] std::optional<std::string> text(std::string_view path) const;
    [[nodiscard]] bool exists(std::string_view path) const;
    /// Paths of the files of a folder whose names end so, sorted; empty if
    /// there is no such folder.
    [[nodiscard]] std::vector<std::string> list(std::string_view folder,
                                                std::string_view ending) const;

    /// All or nothing: readers see the old file or the new one. Makes the
    /// folder that it is in.
    [[nodiscard]] Result<void> write(std::string_view path,
                                     std::string_view content) const;
    /// ENOENT if there is none.
    [[nodiscard]] Result<void> remove(std::string_view path) const;

private:
    [[nodiscard]] std::string real(std::string_view path) const;

    std::string root_;
};

/// The words of a text, with blanks and line breaks between them.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text);
/// Its lines, without their ends.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

} // namespace nfto::cli
