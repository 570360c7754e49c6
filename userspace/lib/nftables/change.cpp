// SPDX-License-Identifier: GPL-2.0
// Makes and removes the table of a setup.
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <nfto/ruleset.hpp>

#include "netlink/socket.hpp"
#include "nftables/batch.hpp"
#include "nftables/object.hpp"
#include "nftables/reader.hpp"
#include "nftables/setup.hpp"
#include "nftables/talk.hpp"

namespace nfto {
namespace nftables {
namespace {

// Others may change the ruleset at the same time; it is tried so often.
constexpr int attempts = 10;
constexpr std::uint32_t set_id = 1;
constexpr const char *set_name = "__set%d";
// nft's number of the type inet_proto.
constexpr std::uint32_t type_inet_proto = 12;

enum class Owner { nobody, us, other };

int note_comment(const nftnl_udata *attribute, void *data)
{
    if (nftnl_udata_type(attribute) == NFTNL_UDATA_TABLE_COMMENT &&
        nftnl_udata_len(attribute) == std::strlen(owner_comment) + 1)
        *static_cast<bool *>(data) =
            !std::memcmp(nftnl_udata_get(attribute), owner_comment,
                         std::strlen(owner_comment) + 1);
    return 0;
}

bool is_ours(const nlmsghdr &message)
{
    const auto object = make_table();
    std::uint32_t size = 0;
    bool ours = false;

    if (!object || nftnl_table_nlmsg_parse(&message, object.get()) < 0)
        return false;
    const void *data =
        nftnl_table_get_data(object.get(), NFTNL_TABLE_USERDATA, &size);
    if (data)
        nftnl_udata_parse(data, size, note_comment, &ours);
    return ours;
}

Result<Owner> owner_of(Transport &transport, const std::string &table)
{
    alignas(nlmsghdr) std::array<char, 1024> buffer{};
    auto owner = Owner::nobody;
    auto *request = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_GETTABLE,
                                          NFPROTO_INET, NLM_F_ACK, 1);

    mnl_attr_put_strz(request, NFTA_TABLE_NAME, table.c_str());
    auto answer =
        ask(transport, *request, fmt::format("asking for table inet {}", table),
            [&owner](const nlmsghdr &message) {
                owner = is_ours(message) ? Owner::us : Owner::other;
            });
    if (!answer && answer.error().code != ENOENT)
        return Failure(answer.error());
    return owner;
}

Failure not_ours(const std::string &table, std::string_view doing)
{
    return Failure({fmt::format("{} table inet {}", doing, table), EEXIST,
                    "There is a table of this name that nft-offload has not "
                    "made"});
}

void put_table(nlmsghdr *message, const Setup &setup)
{
    const auto object = make_table();
    const UserData comment(nftnl_udata_buf_alloc(256));

    nftnl_udata_put_strz(comment.get(), NFTNL_UDATA_TABLE_COMMENT,
                         owner_comment);
    nftnl_table_set_str(object.get(), NFTNL_TABLE_NAME, setup.table.c_str());
    nftnl_table_set_data(object.get(), NFTNL_TABLE_USERDATA,
                         nftnl_udata_buf_data(comment.get()),
                         nftnl_udata_buf_len(comment.get()));
    nftnl_table_nlmsg_build_payload(message, object.get());
}

void put_flowtable(nlmsghdr *message, const Setup &setup)
{
    const auto object = make_flowtable();
    std::vector<const char *> devices;
    std::uint32_t flags = 0;

    for (const auto &device : setup.devices)
        devices.push_back(device.c_str());
    devices.push_back(nullptr);
    if (setup.offload)
        flags |= NFT_FLOWTABLE_HW_OFFLOAD;
    if (setup.counter)
        flags |= NFT_FLOWTABLE_COUNTER;
    nftnl_flowtable_set_str(object.get(), NFTNL_FLOWTABLE_TABLE,
                            setup.table.c_str());
    nftnl_flowtable_set_str(object.get(), NFTNL_FLOWTABLE_NAME, flowtable_name);
    nftnl_flowtable_set_u32(object.get(), NFTNL_FLOWTABLE_HOOKNUM,
                            NF_NETDEV_INGRESS);
    nftnl_flowtable_set_s32(object.get(), NFTNL_FLOWTABLE_PRIO, 0);
    nftnl_flowtable_set_array(object.get(), NFTNL_FLOWTABLE_DEVICES,
                              devices.data());
    nftnl_flowtable_set_u32(object.get(), NFTNL_FLOWTABLE_FLAGS, flags);
    nftnl_flowtable_nlmsg_build_payload(message, object.get());
}

void put_chain(nlmsghdr *message, const Setup &setup)
{
    const auto object = make_chain();

    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TABLE, setup.table.c_str());
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_NAME, chain_name);
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TYPE, "filter");
    nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_HOOKNUM, NF_INET_FORWARD);
    nftnl_chain_set_s32(object.get(), NFTNL_CHAIN_PRIO, 0);
    nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_POLICY, NF_ACCEPT);
    nftnl_chain_nlmsg_build_payload(message, object.get());
}

// The anonymous set of protocols.
SetObject protocol_set(const Setup &setup)
{
    auto object = make_set();

    nftnl_set_set_str(object.get(), NFTNL_SET_TABLE, setup.table.c_str());
    nftnl_set_set_str(object.get(), NFTNL_SET_NAME, set_name);
    nftnl_set_set_u32(object.get(), NFTNL_SET_ID, set_id);
    nftnl_set_set_u32(object.get(), NFTNL_SET_FLAGS,
                      NFT_SET_ANONYMOUS | NFT_SET_CONSTANT);
    nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_TYPE, type_inet_proto);
    nftnl_set_set_u32(object.get(), NFTNL_SET_KEY_LEN, sizeof(std::uint8_t));
    nftnl_set_set_u32(object.get(), NFTNL_SET_DESC_SIZE,
                      static_cast<std::uint32_t>(protocols_of(setup).size()));
    return object;
}

void put_elements(nlmsghdr *message, const Setup &setup)
{
    const auto object = make_set();

    nftnl_set_set_str(object.get(), NFTNL_SET_TABLE, setup.table.c_str());
    nftnl_set_set_str(object.get(), NFTNL_SET_NAME, set_name);
    nftnl_set_set_u32(object.get(), NFTNL_SET_ID, set_id);
    for (const auto &protocol : protocols_of(setup)) {
        const auto number = protocol_number(protocol).value_or(0);
        auto *element = nftnl_set_elem_alloc();
        nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, &number,
                           sizeof(number));
        nftnl_set_elem_add(object.get(), element);
    }
    nftnl_set_elems_nlmsg_build_payload(message, object.get());
}

nftnl_expr *protocol_of_packet()
{
    auto *meta = nftnl_expr_alloc("meta");

    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_KEY, NFT_META_L4PROTO);
    nftnl_expr_set_u32(meta, NFTNL_EXPR_META_DREG, NFT_REG_1);
    return meta;
}

nftnl_expr *is_protocol(const std::vector<std::string> &protocols)
{
    if (protocols.size() == 1) {
        const auto number = protocol_number(protocols[0]).value_or(0);
        auto *cmp = nftnl_expr_alloc("cmp");
        nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
        nftnl_expr_set_u32(cmp, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
        nftnl_expr_set(cmp, NFTNL_EXPR_CMP_DATA, &number, sizeof(number));
        return cmp;
    }
    auto *lookup = nftnl_expr_alloc("lookup");
    nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
    nftnl_expr_set_str(lookup, NFTNL_EXPR_LOOKUP_SET, set_name);
    nftnl_expr_set_u32(lookup, NFTNL_EXPR_LOOKUP_SET_ID, set_id);
    return lookup;
}

void put_rule(nlmsghdr *message, const Setup &setup)
{
    const auto object = make_rule();
    auto *flow = nftnl_expr_alloc("flow_offload");

    nftnl_expr_set_str(flow, NFTNL_EXPR_FLOW_TABLE_NAME, flowtable_name);
    nftnl_rule_set_u32(object.get(), NFTNL_RULE_FAMILY, NFPROTO_INET);
    nftnl_rule_set_str(object.get(), NFTNL_RULE_TABLE, setup.table.c_str());
    nftnl_rule_set_str(object.get(), NFTNL_RULE_CHAIN, chain_name);
    nftnl_rule_add_expr(object.get(), protocol_of_packet());
    nftnl_rule_add_expr(object.get(), is_protocol(protocols_of(setup)));
    nftnl_rule_add_expr(object.get(), flow);
    nftnl_rule_nlmsg_build_payload(message, object.get());
}

void add_removal(Batch &batch, const std::string &table)
{
    auto *message = batch.add(NFT_MSG_DELTABLE, 0,
                              fmt::format("removing table inet {}", table));

    mnl_attr_put_strz(message, NFTA_TABLE_NAME, table.c_str());
}

void add_setup(Batch &batch, const Setup &setup)
{
    constexpr std::uint16_t create = NLM_F_CREATE | NLM_F_EXCL;

    put_table(batch.add(NFT_MSG_NEWTABLE, create,
                        fmt::format("creating table inet {}", setup.table)),
              setup);
    put_flowtable(batch.add(NFT_MSG_NEWFLOWTABLE, create,
                            fmt::format("creating a flowtable of {}",
                                        fmt::join(setup.devices, ", "))),
                  setup);
    put_chain(batch.add(NFT_MSG_NEWCHAIN, create,
                        "creating a chain in the forward hook"),
              setup);
    if (protocols_of(setup).size() > 1) {
        nftnl_set_nlmsg_build_payload(
            batch.add(NFT_MSG_NEWSET, create, "creating the set of protocols"),
            protocol_set(setup).get());
        put_elements(batch.add(NFT_MSG_NEWSETELEM, create,
                               "filling the set of protocols"),
                     setup);
    }
    put_rule(batch.add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
                       "creating the rule \"flow add\""),
             setup);
}

// The kernel says nothing but an errno about a flowtable that it cannot make.
Error with_advice(Error error, const Setup &setup)
{
    if (!error.why.empty())
        return error;
    if (error.code == EOPNOTSUPP && setup.offload)
        error.why = "A device cannot take flows the way the kernel's own "
                    "flowtable offers them; load nft_offload before any "
                    "flowtable exists, or leave out the hardware";
    else if (error.code == EOPNOTSUPP || error.code == ENOENT)
        error.why = "The device is gone, or this kernel has no flowtables of "
                    "family inet; modprobe nft_offload";
    else if (error.code == EBUSY)
        error.why = "A device is taken by another flowtable, or its driver "
                    "takes no second one";
    return error;
}

// What change() puts into a batch is carried out, and tried again when the
// ruleset was changed by others since it was looked at.
template <typename Change>
Result<void> transact(Transport &transport, const Change &change)
{
    Result<void> done;

    for (int i = 0; i < attempts; i++) {
        auto number = generation(transport);
        if (!number)
            return Failure(number.error());
        Batch batch(*number);
        if (auto good = change(batch); !good)
            return Failure(good.error());
        done = batch.commit(transport);
        if (done || done.error().code != ERESTART)
            return done;
    }
    return done;
}

} // namespace

Result<void> create_over(Transport &transport, const Setup &setup)
{
    auto done = transact(transport, [&](Batch &batch) -> Result<void> {
        auto owner = owner_of(transport, setup.table);
        if (!owner)
            return Failure(owner.error());
        if (*owner == Owner::other)
            return not_ours(setup.table, "creating");
        if (*owner == Owner::us)
            add_removal(batch, setup.table);
        add_setup(batch, setup);
        return {};
    });
    return done.map_error(
        [&](const Error &error) { return with_advice(error, setup); });
}

Result<void> remove_over(Transport &transport, const std::string &table)
{
    return transact(transport, [&](Batch &batch) -> Result<void> {
        auto owner = owner_of(transport, table);
        if (!owner)
            return Failure(owner.error());
        if (*owner == Owner::nobody)
            return Failure({fmt::format("removing table inet {}", table),
                            ENOENT, "There is no table of this name"});
        if (*owner == Owner::other)
            return not_ours(table, "removing");
        add_removal(batch, table);
        return {};
    });
}

} // namespace nftables

Result<void> create_setup(const Setup &setup, const std::string &netns)
{
    if (auto good = validate(setup); !good)
        return good;
    auto transport = netlink::open_socket(NETLINK_NETFILTER, netns);
    if (!transport)
        return Failure(transport.error());
    return nftables::create_over(**transport, setup);
}

Result<void> remove_setup(const std::string &table, const std::string &netns)
{
    auto transport = netlink::open_socket(NETLINK_NETFILTER, netns);

    if (!transport)
        return Failure(transport.error());
    return nftables::remove_over(**transport, table);
}

} // namespace nfto
