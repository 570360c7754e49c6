// SPDX-License-Identifier: GPL-2.0
// A folder that stands for the system's files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "files.hpp"

class Tree {
public:
    Tree()
    {
        std::string name = std::filesystem::temp_directory_path() / "nfto-tree-"
                                                                    "XXXXXX";
        if (mkdtemp(name.data()))
            path_ = name;
    }
    Tree(const Tree &) = delete;
    Tree &operator=(const Tree &) = delete;
    ~Tree()
    {
        std::error_code code;
        if (!path_.empty())
            std::filesystem::remove_all(path_, code);
    }

    Tree &with(const std::string &path, const std::string &content)
    {
        const std::filesystem::path full = path_ + path;
        std::filesystem::create_directories(full.parent_path());
        std::ofstream(full) << content;
        return *this;
    }
    [[nodiscard]] nfto::cli::Files files() const
    {
        return nfto::cli::Files(path_);
    }

private:
    std::string path_;
};
