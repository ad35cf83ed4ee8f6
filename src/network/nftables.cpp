#include "network/nftables.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>

#include <algorithm>

namespace podium::network {

using kernel::NetlinkBatch;
using kernel::NetlinkSocket;

namespace {

// Of libnftnl's user data: records of type, length, value; 0 is a comment of a rule or an element.
constexpr uint8_t kCommentRecord = 0;
constexpr size_t kMaxComment = 120;
constexpr unsigned kTypeBits = 6;
constexpr size_t kRegister = 4;
// Elements of one message must stay below the 64 KiB of an attribute.
constexpr size_t kElementsAMessage = 200;

uint32_t RegisterOf(uint32_t number) { return NFT_REG32_00 + number; }

size_t SizeOf(NftType type) {
  switch (type) {
    case NftType::kInterface:
    case NftType::kIpv6:
      return 16;
    case NftType::kEther:
      return 8;
    case NftType::kIpv4:
    case NftType::kProtocol:
    case NftType::kPort:
      return kRegister;
  }
  return kRegister;
}

uint32_t TypeNumber(const std::vector<NftType>& types) {
  uint32_t number = 0;
  for (const NftType type : types) number = number << kTypeBits | static_cast<uint32_t>(type);
  return number;
}

uint32_t LengthOf(const std::vector<NftType>& types) {
  size_t length = 0;
  for (const NftType type : types) length += SizeOf(type);
  return static_cast<uint32_t>(length);
}

Bytes CommentRecord(std::string_view comment) {
  comment = comment.substr(0, kMaxComment);
  Bytes record{kCommentRecord, static_cast<uint8_t>(comment.size() + 1)};
  record.insert(record.end(), comment.begin(), comment.end());
  record.push_back(0);
  return record;
}

void PutData(NetlinkBatch* batch, uint16_t type, std::span<const uint8_t> value) {
  const auto data = batch->Nest(type);
  batch->Put(NFTA_DATA_VALUE, value);
}

// An expression of a rule, open while this lives.
class Expression {
 public:
  Expression(NetlinkBatch* batch, const char* name)
      : element_(batch->Nest(NFTA_LIST_ELEM)), data_(Data(batch, name)) {}

 private:
  static NetlinkBatch::Nested Data(NetlinkBatch* batch, const char* name) {
    batch->PutText(NFTA_EXPR_NAME, name);
    return batch->Nest(NFTA_EXPR_DATA);
  }
  NetlinkBatch::Nested element_;
  NetlinkBatch::Nested data_;
};

}  // namespace

uint16_t NftMessage(uint16_t type) {
  return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
}

void PutNftHeader(NetlinkBatch* batch, uint8_t family) {
  nfgenmsg header{};
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
  batch->PutHeader(header);
}

NftData& NftData::Interface(std::string_view name) {
  uint8_t padded[IFNAMSIZ] = {};
  std::copy_n(name.begin(), std::min<size_t>(name.size(), IFNAMSIZ - 1), padded);
  return Raw(padded);
}

NftData& NftData::Raw(std::span<const uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize((bytes_.size() + kRegister - 1) / kRegister * kRegister);
  return *this;
}

NftData& NftData::Ipv4(uint32_t address) {
  const uint8_t bytes[] = {static_cast<uint8_t>(address >> 24), static_cast<uint8_t>(address >> 16),
                           static_cast<uint8_t>(address >> 8), static_cast<uint8_t>(address)};
  return Raw(bytes);
}

NftData& NftData::Port(uint16_t port) {
  const uint8_t bytes[] = {static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port)};
  return Raw(bytes);
}

NftTransaction::NftTransaction() {
  batch_.Begin(NFNL_MSG_BATCH_BEGIN, 0, "nftables", NetlinkBatch::Reply::kNoAck);
  nfgenmsg header{};
  header.version = NFNETLINK_V0;
  header.res_id = htons(NFNL_SUBSYS_NFTABLES);
  batch_.PutHeader(header);
}

Result<void> NftTransaction::Commit(NetlinkSocket* socket) {
  batch_.Begin(NFNL_MSG_BATCH_END, 0, "nftables", NetlinkBatch::Reply::kNoAck);
  nfgenmsg header{};
  header.version = NFNETLINK_V0;
  header.res_id = htons(NFNL_SUBSYS_NFTABLES);
  batch_.PutHeader(header);
  return socket->Execute(&batch_);
}

void NftTransaction::AddTable(const NftTable& table) {
  batch_.Begin(NftMessage(NFT_MSG_NEWTABLE), NLM_F_CREATE, "adding nftables table " + table.name);
  PutNftHeader(&batch_, table.family);
  batch_.PutText(NFTA_TABLE_NAME, table.name);
}

void NftTransaction::DeleteTable(const NftTable& table) {
  batch_.Begin(NftMessage(NFT_MSG_DELTABLE), 0, "removing nftables table " + table.name);
  PutNftHeader(&batch_, table.family);
  batch_.PutText(NFTA_TABLE_NAME, table.name);
}

void NftTransaction::AddChain(const NftTable& table, const std::string& name, const NftHook& hook) {
  batch_.Begin(NftMessage(NFT_MSG_NEWCHAIN), NLM_F_CREATE,
               "adding nftables chain " + table.name + " " + name);
  PutNftHeader(&batch_, table.family);
  batch_.PutText(NFTA_CHAIN_TABLE, table.name);
  batch_.PutText(NFTA_CHAIN_NAME, name);
  batch_.PutText(NFTA_CHAIN_TYPE, hook.type);
  batch_.PutBe32(NFTA_CHAIN_POLICY, NF_ACCEPT);
  const auto nested = batch_.Nest(NFTA_CHAIN_HOOK);
  batch_.PutBe32(NFTA_HOOK_HOOKNUM, hook.hook);
  batch_.PutBe32(NFTA_HOOK_PRIORITY, static_cast<uint32_t>(hook.priority));
}

void NftTransaction::AddSet(const NftSet& set) {
  batch_.Begin(NftMessage(NFT_MSG_NEWSET), NLM_F_CREATE,
               "adding nftables set " + set.table.name + " " + set.name);
  PutNftHeader(&batch_, set.table.family);
  batch_.PutText(NFTA_SET_TABLE, set.table.name);
  batch_.PutText(NFTA_SET_NAME, set.name);
  batch_.PutBe32(NFTA_SET_ID, NextId());
  batch_.PutBe32(NFTA_SET_FLAGS, set.data.empty() ? 0 : NFT_SET_MAP);
  batch_.PutBe32(NFTA_SET_KEY_TYPE, TypeNumber(set.key));
  batch_.PutBe32(NFTA_SET_KEY_LEN, LengthOf(set.key));
  if (set.data.empty()) return;
  batch_.PutBe32(NFTA_SET_DATA_TYPE, TypeNumber(set.data));
  batch_.PutBe32(NFTA_SET_DATA_LEN, LengthOf(set.data));
}

void NftTransaction::Elements(uint16_t type, uint16_t flags, const NftSet& set,
                              std::span<const NftElement> elements) {
  while (!elements.empty()) {
    const auto some = elements.first(std::min(elements.size(), kElementsAMessage));
    elements = elements.subspan(some.size());
    batch_.Begin(NftMessage(type), flags, "nftables set " + set.table.name + " " + set.name);
    PutNftHeader(&batch_, set.table.family);
    batch_.PutText(NFTA_SET_ELEM_LIST_TABLE, set.table.name);
    batch_.PutText(NFTA_SET_ELEM_LIST_SET, set.name);
    const auto list = batch_.Nest(NFTA_SET_ELEM_LIST_ELEMENTS);
    for (const NftElement& element : some) {
      const auto nested = batch_.Nest(NFTA_LIST_ELEM);
      PutData(&batch_, NFTA_SET_ELEM_KEY, element.key.bytes());
      if (type != NFT_MSG_NEWSETELEM) continue;
      if (element.data) PutData(&batch_, NFTA_SET_ELEM_DATA, element.data->bytes());
      if (!element.comment.empty()) {
        batch_.Put(NFTA_SET_ELEM_USERDATA, CommentRecord(element.comment));
      }
    }
  }
}

void NftTransaction::AddElements(const NftSet& set, std::span<const NftElement> elements) {
  Elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, set, elements);
}

void NftTransaction::DeleteElements(const NftSet& set, std::span<const NftElement> elements) {
  Elements(NFT_MSG_DELSETELEM, 0, set, elements);
}

void NftTransaction::DeleteRule(const NftTable& table, const std::string& chain, uint64_t handle) {
  batch_.Begin(NftMessage(NFT_MSG_DELRULE), 0, "removing a rule of " + table.name + " " + chain);
  PutNftHeader(&batch_, table.family);
  batch_.PutText(NFTA_RULE_TABLE, table.name);
  batch_.PutText(NFTA_RULE_CHAIN, chain);
  batch_.PutBe64(NFTA_RULE_HANDLE, handle);
}

NftRule::NftRule(NftTransaction* transaction, const NftTable& table, const std::string& chain,
                 std::string_view comment, Place place)
    : batch_(transaction->batch()),
      expressions_(Begin(transaction, table, chain, comment, place)) {}

NetlinkBatch::Nested NftRule::Begin(NftTransaction* transaction, const NftTable& table,
                                    const std::string& chain, std::string_view comment,
                                    Place place) {
  NetlinkBatch* batch = transaction->batch();
  const int append = place == Place::kEnd ? NLM_F_APPEND : 0;
  batch->Begin(NftMessage(NFT_MSG_NEWRULE), static_cast<uint16_t>(NLM_F_CREATE | append),
               "adding a rule to " + table.name + " " + chain);
  PutNftHeader(batch, table.family);
  batch->PutText(NFTA_RULE_TABLE, table.name);
  batch->PutText(NFTA_RULE_CHAIN, chain);
  if (!comment.empty()) batch->Put(NFTA_RULE_USERDATA, CommentRecord(comment));
  return batch->Nest(NFTA_RULE_EXPRESSIONS);
}

NftRule& NftRule::LoadMeta(uint32_t key, uint32_t reg) {
  const Expression expression(batch_, "meta");
  batch_->PutBe32(NFTA_META_KEY, key);
  batch_->PutBe32(NFTA_META_DREG, RegisterOf(reg));
  return *this;
}

NftRule& NftRule::LoadPayload(uint32_t base, uint32_t offset, uint32_t length, uint32_t reg) {
  const Expression expression(batch_, "payload");
  batch_->PutBe32(NFTA_PAYLOAD_DREG, RegisterOf(reg));
  batch_->PutBe32(NFTA_PAYLOAD_BASE, base);
  batch_->PutBe32(NFTA_PAYLOAD_OFFSET, offset);
  batch_->PutBe32(NFTA_PAYLOAD_LEN, length);
  return *this;
}

NftRule& NftRule::LoadFib(uint32_t result, uint32_t flags, uint32_t reg) {
  const Expression expression(batch_, "fib");
  batch_->PutBe32(NFTA_FIB_RESULT, result);
  batch_->PutBe32(NFTA_FIB_FLAGS, flags);
  batch_->PutBe32(NFTA_FIB_DREG, RegisterOf(reg));
  return *this;
}

NftRule& NftRule::Compare(uint32_t op, std::span<const uint8_t> value) {
  const Expression expression(batch_, "cmp");
  batch_->PutBe32(NFTA_CMP_SREG, RegisterOf(0));
  batch_->PutBe32(NFTA_CMP_OP, op);
  PutData(batch_, NFTA_CMP_DATA, value);
  return *this;
}

NftRule& NftRule::And(std::span<const uint8_t> mask) {
  const Expression expression(batch_, "bitwise");
  batch_->PutBe32(NFTA_BITWISE_SREG, RegisterOf(0));
  batch_->PutBe32(NFTA_BITWISE_DREG, RegisterOf(0));
  batch_->PutBe32(NFTA_BITWISE_LEN, static_cast<uint32_t>(mask.size()));
  PutData(batch_, NFTA_BITWISE_MASK, mask);
  PutData(batch_, NFTA_BITWISE_XOR, Bytes(mask.size()));
  return *this;
}

NftRule& NftRule::Interface(uint32_t key, std::string_view name, bool equal) {
  const Bytes value = NftData().Interface(name).bytes();
  return LoadMeta(key).Compare(equal ? NFT_CMP_EQ : NFT_CMP_NEQ, value);
}

NftRule& NftRule::InterfacePrefix(uint32_t key, std::string_view prefix, bool equal) {
  return LoadMeta(key).Compare(equal ? NFT_CMP_EQ : NFT_CMP_NEQ,
                               {reinterpret_cast<const uint8_t*>(prefix.data()), prefix.size()});
}

NftRule& NftRule::Family(uint8_t family) { return LoadMeta(NFT_META_NFPROTO).Is({family}); }

NftRule& NftRule::EtherType(uint16_t type) {
  constexpr uint32_t kOffset = 12;
  return LoadPayload(NFT_PAYLOAD_LL_HEADER, kOffset, 2)
      .Is({static_cast<uint8_t>(type >> 8), static_cast<uint8_t>(type)});
}

NftRule& NftRule::Network(std::span<const uint8_t> first, unsigned bits, uint32_t offset,
                          bool equal) {
  LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, offset, static_cast<uint32_t>(first.size()));
  Bytes mask(first.size());
  for (unsigned bit = 0; bit < bits; ++bit) mask[bit / 8] |= static_cast<uint8_t>(0x80 >> bit % 8);
  return And(mask).Compare(equal ? NFT_CMP_EQ : NFT_CMP_NEQ, first);
}

NftRule& NftRule::Lookup(const std::string& set, bool map) {
  const Expression expression(batch_, "lookup");
  batch_->PutText(NFTA_LOOKUP_SET, set);
  batch_->PutBe32(NFTA_LOOKUP_SREG, RegisterOf(0));
  if (map) batch_->PutBe32(NFTA_LOOKUP_DREG, RegisterOf(0));
  return *this;
}

NftRule& NftRule::In(const std::string& set) { return Lookup(set, false); }
NftRule& NftRule::Map(const std::string& map) { return Lookup(map, true); }

NftRule& NftRule::Counter() {
  const Expression expression(batch_, "counter");
  return *this;
}

NftRule& NftRule::Verdict(int32_t verdict) {
  const Expression expression(batch_, "immediate");
  batch_->PutBe32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
  const auto data = batch_->Nest(NFTA_IMMEDIATE_DATA);
  const auto nested = batch_->Nest(NFTA_DATA_VERDICT);
  batch_->PutBe32(NFTA_VERDICT_CODE, static_cast<uint32_t>(verdict));
  return *this;
}

NftRule& NftRule::Dnat(uint8_t family) {
  const Expression expression(batch_, "nat");
  batch_->PutBe32(NFTA_NAT_TYPE, NFT_NAT_DNAT);
  batch_->PutBe32(NFTA_NAT_FAMILY, family);
  batch_->PutBe32(NFTA_NAT_REG_ADDR_MIN, RegisterOf(0));
  batch_->PutBe32(NFTA_NAT_REG_PROTO_MIN, RegisterOf(family == NFPROTO_IPV4 ? 1 : 4));
  return *this;
}

NftRule& NftRule::Masquerade() {
  const Expression expression(batch_, "masq");
  constexpr uint32_t kRandomFully = 1 << 4;  // NF_NAT_RANGE_PROTO_RANDOM_FULLY
  batch_->PutBe32(NFTA_MASQ_FLAGS, kRandomFully);
  return *this;
}

}  // namespace podium::network
