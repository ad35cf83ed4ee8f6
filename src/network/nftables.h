// The language of nftables, as messages: tables, chains, rules and sets, and the few expressions
// that this room's rules are made of. What they mean: nft(8). Sets carry the numbers of nft's own
// types, so that `nft list ruleset` shows them in words.
//
// Why not a library: libnftables parses text and costs megabytes; libnftnl builds the same messages
// as these two hundred lines, which stand on linux/netlink_socket.h.
#pragma once

// clang-format off: netinet/in.h first, so that the kernel's headers leave its names alone
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
// clang-format on

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "linux/netlink_socket.h"

namespace podium::network {

using Bytes = std::vector<uint8_t>;

// A table by its family (NFPROTO_INET, NFPROTO_BRIDGE) and name.
struct NftTable {
  uint8_t family = NFPROTO_INET;
  std::string name;
};

// The registers of an expression are 4 bytes each, 16 of them; values lie in as many as they need.
enum class NftType : uint8_t {  // as in nft's own table of data types
  kIpv4 = 7,
  kIpv6 = 8,
  kEther = 9,
  kProtocol = 12,
  kPort = 13,
  kInterface = 41,
};

// A key or value of a set: parts one after the other, each padded to a register.
class NftData {
 public:
  NftData& Interface(std::string_view name);
  NftData& Raw(std::span<const uint8_t> bytes);
  NftData& Ipv4(uint32_t address);
  NftData& Protocol(uint8_t number) { return Raw({&number, 1}); }
  NftData& Port(uint16_t port);
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

struct NftElement {
  NftData key;
  std::optional<NftData> data;
  std::string comment;  // shown by nft; cut to 120 bytes
};

struct NftSet {
  NftTable table;
  std::string name;
  std::vector<NftType> key;
  std::vector<NftType> data;  // empty: a set, else a map
};

struct NftHook {
  const char* type;  // "filter", "nat"
  uint32_t hook;
  int32_t priority;
};

// What is to be done in one transaction. Nothing of it is done when one part fails.
class NftTransaction {
 public:
  NftTransaction();

  void AddTable(const NftTable& table);
  // The table must exist: add it first.
  void DeleteTable(const NftTable& table);
  void AddChain(const NftTable& table, const std::string& name, const NftHook& hook);
  void AddSet(const NftSet& set);
  void AddElements(const NftSet& set, std::span<const NftElement> elements);
  void DeleteElements(const NftSet& set, std::span<const NftElement> elements);
  void DeleteRule(const NftTable& table, const std::string& chain, uint64_t handle);

  // The transaction's messages, for NftRule.
  kernel::NetlinkBatch* batch() { return &batch_; }
  uint32_t NextId() { return ++id_; }

  // For one use. To close a socket by which something was removed waits for the kernel to have
  // freed it, some ten milliseconds: whoever removes often keeps the socket.
  Result<void> Commit(kernel::NetlinkSocket* socket);

 private:
  void Elements(uint16_t type, uint16_t flags, const NftSet& set,
                std::span<const NftElement> elements);

  kernel::NetlinkBatch batch_;
  uint32_t id_ = 0;
};

// One rule, added when this goes out of scope:
//
//   NftRule(&transaction, table, "forward").Interface(NFT_META_IIFNAME, "br0").Verdict(NF_ACCEPT);
//
// Values are loaded into registers counted from 0 and compared or looked up there.
class NftRule {
 public:
  enum class Place { kEnd, kStart };
  NftRule(NftTransaction* transaction, const NftTable& table, const std::string& chain,
          std::string_view comment = {}, Place place = Place::kEnd);
  NftRule(const NftRule&) = delete;
  NftRule& operator=(const NftRule&) = delete;
  ~NftRule() = default;

  // Loads.
  NftRule& LoadMeta(uint32_t key, uint32_t reg = 0);
  NftRule& LoadPayload(uint32_t base, uint32_t offset, uint32_t length, uint32_t reg = 0);
  NftRule& LoadFib(uint32_t result, uint32_t flags, uint32_t reg = 0);

  // The rule ends here unless this holds of register 0.
  NftRule& Is(std::span<const uint8_t> value) { return Compare(NFT_CMP_EQ, value); }
  NftRule& IsNot(std::span<const uint8_t> value) { return Compare(NFT_CMP_NEQ, value); }
  NftRule& Is(std::initializer_list<uint8_t> value) { return Is({value.begin(), value.size()}); }
  NftRule& And(std::span<const uint8_t> mask);

  // Whole conditions. Prefix "veth*" style: the name starts with this.
  NftRule& Interface(uint32_t key, std::string_view name, bool equal = true);
  NftRule& InterfacePrefix(uint32_t key, std::string_view prefix, bool equal = true);
  NftRule& Family(uint8_t family);  // NFPROTO_IPV4; for tables of family inet
  NftRule& EtherType(uint16_t type);
  NftRule& Network(std::span<const uint8_t> first, unsigned bits, uint32_t offset,
                   bool equal = true);

  // In the set, from register 0 on.
  NftRule& In(const std::string& set);
  // The rule ends here unless the map has the key; its value is then in register 0.
  NftRule& Map(const std::string& map);

  NftRule& Counter();
  NftRule& Verdict(int32_t verdict);
  // To the address and port in registers 0 (or 0 to 3) and the next.
  NftRule& Dnat(uint8_t family);
  NftRule& Masquerade();

 private:
  static kernel::NetlinkBatch::Nested Begin(NftTransaction* transaction, const NftTable& table,
                                            const std::string& chain, std::string_view comment,
                                            Place place);
  NftRule& Compare(uint32_t op, std::span<const uint8_t> value);
  NftRule& Lookup(const std::string& set, bool map);

  kernel::NetlinkBatch* batch_;
  kernel::NetlinkBatch::Nested expressions_;
};

// The header of a question about tables, chains or rules.
void PutNftHeader(kernel::NetlinkBatch* batch, uint8_t family);
uint16_t NftMessage(uint16_t type);

}  // namespace podium::network
