// SPDX-License-Identifier: GPL-2.0
// Addresses and prefixes: what is taken is written so that it is taken again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nfto/types.hpp>

using namespace nfto;

namespace {

template <typename T> void again(std::string_view text)
{
    const auto value = T::parse(text);
    if (!value)
        return (void)value.error().message();
    const auto other = T::parse(value->text());
    if (!other || !(*other == *value))
        std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data,
                                      std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char *>(data), size);
    again<Address>(text);
    again<Prefix>(text);
    (void)from_name<Reason>(text);
    return 0;
}
