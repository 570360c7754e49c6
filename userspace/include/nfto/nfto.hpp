// SPDX-License-Identifier: GPL-2.0
/// @file
/// All of the library.
#pragma once

#include <nfto/client.hpp>
#include <nfto/conntrack.hpp>
#include <nfto/enums.hpp>
#include <nfto/events.hpp>
#include <nfto/result.hpp>
#include <nfto/ruleset.hpp>
#include <nfto/transport.hpp>
#include <nfto/types.hpp>

/// @page libnfto libnfto
/// @brief what nft_offload.ko forwards and the NIC has, for programs
///
/// libnfto asks the kernel module nft_offload.ko which connections it forwards,
/// which of them the NIC has, and why it does not have the others. It also sets
/// up a table of nftables for the module. The tool nft-offload(8) is built on it.
///
/// - nfto::Client asks for flows, ports, tables, totals and refusals, ends flows,
///   and has a driver tried out.
/// - nfto::Events is the stream of what happens.
/// - nfto::read_ruleset(), nfto::create_setup() and nfto::remove_setup() read and
///   write nftables' flowtables.
/// - nfto::find_connection() asks conntrack for a connection.
///
/// A call that can fail returns an nfto::Result, which is a tl::expected: either
/// the answer or an nfto::Error with what was being done, the errno, and the
/// kernel's sentence. No call throws anything but std::bad_alloc.
///
/// @section example An example
///
/// This program lists the flows that are not in hardware, and the reasons.
///
/// @include not-in-hardware.cpp
///
/// @section stable What is stable
///
/// - *The binary interface.* libnfto.so.N has the soname N. A program goes on
///   running with every later library of the same N; N grows when something is
///   taken away or changes its size or place. Until version 1.0 this is not
///   promised: rebuild programs together with the library. Each change is seen,
///   because the tests compare the library with a description of its interface.
/// - *The netlink interface* to the module has a number, nfto::abi_version. It
///   changes when something that exists is changed, not when something is added.
///   nfto::Client::open() refuses a module of another number and says which side
///   to upgrade. Within one number, an older library works with a newer module
///   and the other way round; what one of them does not know is absent. The
///   name of a nfto::Reason that the library does not know is "unknown".
/// - *The JSON output* of nft-offload has a member `version`, see
///   nft-offload-json(5). Programs that are no C++ should use that one.
/// - What is not in the folder `nfto` of the headers may change at any time, and
///   so may the texts of errors.

/// @mainpage libnfto
/// @copydetails libnfto

/// Everything that libnfto offers.
namespace nfto {}
