// SPDX-License-Identifier: GPL-2.0
// Datagrams with their lengths, and what a client is answered when it is opened.
#pragma once

#include "fuzz_transport.hpp"
#include "samples.hpp"

namespace fuzz {

inline bytes::Buffer datagram(const bytes::Buffer &data)
{
    bytes::Buffer to;
    bytes::put(to, static_cast<std::uint16_t>(data.size()));
    bytes::put(to, data);
    return to;
}

inline bytes::Buffer family_answer()
{
    return bytes::join({bytes::message(GENL_ID_CTRL, 0,
                                       bytes::genl(CTRL_CMD_NEWFAMILY,
                                                   samples::family_attrs(), 2)),
                        bytes::ack()});
}

inline bytes::Buffer info_answer()
{
    return bytes::join(
        {bytes::message(bytes::family, 0,
                        bytes::genl(NFTO_CMD_INFO_GET, samples::info())),
         bytes::ack()});
}

/// What comes after a client was opened.
inline bytes::Buffer opened(nfto::netlink::Bytes input)
{
    bytes::Buffer all =
        bytes::join({datagram(family_answer()), datagram(info_answer())});
    all.insert(all.end(), input.begin(), input.end());
    return all;
}

} // namespace fuzz
