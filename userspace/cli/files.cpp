// SPDX-License-Identifier: GPL-2.0
#include "files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace nfto::cli {
namespace {

namespace fs = std::filesystem;

class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(const Descriptor &) = delete;
    Descriptor &operator=(const Descriptor &) = delete;
    ~Descriptor()
    {
        if (fd_ >= 0)
            close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

Failure failure(std::string_view doing, std::string_view path, int code)
{
    return Failure({fmt::format("{} {}", doing, path), code, {}});
}

int write_all(int fd, std::string_view content)
{
    while (!content.empty()) {
        const auto done = ::write(fd, content.data(), content.size());
        if (done < 0 && errno != EINTR)
            return errno;
        if (done > 0)
            content.remove_prefix(static_cast<std::size_t>(done));
    }
    return 0;
}

// Into a new file of its own beside the path; 0 or an errno.
int write_beside(std::string &temporary, std::string_view content)
{
    const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
    if (file.get() < 0)
        return errno;
    const int code = write_all(file.get(), content);
    if (code)
        return code;
    if (fchmod(file.get(), S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH) ||
        fsync(file.get()))
        return errno;
    return 0;
}

std::vector<std::string_view> split(std::string_view text,
                                    std::string_view separators)
{
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(separators), text.size());
        if (end)
            parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

} // namespace

std::string Files::real(std::string_view path) const
{
    return root_ + std::string(path);
}

Result<std::string> Files::read(std::string_view path) const
{
    const Descriptor file(open(real(path).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> buffer{};
    std::string content;

    if (file.get() < 0)
        return failure("reading", path, errno);
    for (;;) {
        const auto got = ::read(file.get(), buffer.data(), buffer.size());
        if (got == 0)
            return content;
        if (got < 0 && errno != EINTR)
            return failure("reading", path, errno);
        if (got > 0)
            content.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::optional<std::string> Files::text(std::string_view path) const
{
    auto content = read(path);
    if (!content)
        return std::nullopt;
    return std::move(*content);
}

bool Files::exists(std::string_view path) const
{
    return access(real(path).c_str(), F_OK) == 0;
}

std::vector<std::string> Files::list(std::string_view folder,
                                     std::string_view ending) const
{
    std::vector<std::string> paths;
    std::error_code code;

    for (fs::directory_iterator it(real(folder), code), end; !code && it != end;
         it.increment(code)) {
        const std::string name = it->path().filename();
        if (name.size() > ending.size() && name.ends_with(ending) &&
            !name.starts_with('.'))
            paths.push_back(fmt::format("{}/{}", folder, name));
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

Result<void> Files::write(std::string_view path, std::string_view content) const
{
    const std::string target = real(path);
    const fs::path parent = fs::path(target).parent_path();
    std::string temporary = fmt::format("{}/.{}.XXXXXX", parent.string(),
                                        fs::path(target).filename().string());
    std::error_code code;

    fs::create_directories(parent, code);
    if (code)
        return failure("making", parent.string(), code.value());
    int error = write_beside(temporary, content);
    if (!error && std::rename(temporary.c_str(), target.c_str()))
        error = errno;
    if (error) {
        unlink(temporary.c_str());
        return failure("writing", path, error);
    }
    return {};
}

Result<void> Files::remove(std::string_view path) const
{
    if (unlink(real(path).c_str()))
        return failure("removing", path, errno);
    return {};
}

std::vector<std::string_view> words_of(std::string_view text)
{
    return split(text, " \t\n");
}

std::vector<std::string_view> lines_of(std::string_view text)
{
    return split(text, "\n");
}

} // namespace nfto::cli
