// SPDX-License-Identifier: GPL-2.0
// Numbers that were seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nfto::netlink {

/// A set of numbers, for many of them that are near each other, as the ids of
/// flows are: 64 neighbours share a slot. Open addressing, at most half full, and
/// no allocation for each.
class IdSet {
public:
    /// False if it was there already.
    bool insert(std::uint64_t id)
    {
        if (2 * (count_ + 1) > slots_.size())
            grow();
        Slot &slot = find(id / width);
        const std::uint64_t bit = std::uint64_t{1} << (id % width);
        if (slot.bits & bit)
            return false;
        count_ += slot.bits == 0;
        slot.key = id / width;
        slot.bits |= bit;
        return true;
    }

private:
    static constexpr std::uint64_t width = 64;
    static constexpr std::size_t first_size = 256;

    /// Empty without bits.
    struct Slot {
        std::uint64_t key = 0;
        std::uint64_t bits = 0;
    };

    /// Where it is, or would be. Neighbours are to be far from each other.
    Slot &find(std::uint64_t key) noexcept
    {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = (key * 0x9e3779b97f4a7c15U) >> 32U;
        while (slots_[at & mask].bits != 0 && slots_[at & mask].key != key)
            ++at;
        return slots_[at & mask];
    }

    void grow()
    {
        const std::size_t size =
            slots_.empty() ? first_size : 2 * slots_.size();
        const auto old = std::exchange(slots_, std::vector<Slot>(size));
        for (const Slot &slot : old) {
            if (slot.bits != 0)
                find(slot.key) = slot;
        }
    }

    std::vector<Slot> slots_;
    std::size_t count_ = 0;
};

} // namespace nfto::netlink
