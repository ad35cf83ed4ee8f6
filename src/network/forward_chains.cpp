#include "network/forward_chains.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <optional>

#include "linux/netlink_socket.h"
#include "network/legacy_iptables.h"
#include "network/nftables.h"

namespace podium::network {

using kernel::NetlinkAttributes;
using kernel::NetlinkBatch;
using kernel::NetlinkReply;
using kernel::NetlinkSocket;

namespace {

constexpr size_t kHeader = 4;  // of nfgenmsg

struct Chain {
  NftTable table;
  std::string name;
  bool drops = false;
  bool iptables() const {
    return (table.family == NFPROTO_IPV4 || table.family == NFPROTO_IPV6) &&
           table.name == "filter" && name == "FORWARD";
  }
};

std::string CommentFor(const std::string& bridge) { return "podium: pods on " + bridge; }

uint8_t FamilyOf(const NetlinkReply& reply) { return reply.payload.empty() ? 0 : reply.payload[0]; }

std::string TextOf(const NetlinkAttributes& attributes, uint16_t type) {
  const auto found = attributes.Find(type);
  return found ? std::string(found->Text()) : std::string();
}

std::optional<uint32_t> BigNumber(const NetlinkAttributes& attributes, uint16_t type) {
  const auto found = attributes.Find(type);
  const auto value = found ? found->Value<uint32_t>() : std::nullopt;
  if (!value) return std::nullopt;
  return __builtin_bswap32(*value);
}

// The chains that see forwarded packets.
Result<std::vector<Chain>> ForwardChains(NetlinkSocket* socket) {
  NetlinkBatch batch;
  batch.Begin(NftMessage(NFT_MSG_GETCHAIN), NLM_F_DUMP, "listing nftables chains");
  PutNftHeader(&batch, NFPROTO_UNSPEC);
  TRY(const std::vector<NetlinkReply> replies, socket->Dump(&batch));
  std::vector<Chain> chains;
  for (const NetlinkReply& reply : replies) {
    const NetlinkAttributes attributes = reply.Attributes(kHeader);
    const auto hook = attributes.Find(NFTA_CHAIN_HOOK);
    const uint8_t family = FamilyOf(reply);
    if (!hook || (family != NFPROTO_IPV4 && family != NFPROTO_IPV6 && family != NFPROTO_INET)) {
      continue;
    }
    if (BigNumber(hook->Nested(), NFTA_HOOK_HOOKNUM) != NF_INET_FORWARD) continue;
    Chain chain;
    chain.table = {family, TextOf(attributes, NFTA_CHAIN_TABLE)};
    chain.name = TextOf(attributes, NFTA_CHAIN_NAME);
    chain.drops = BigNumber(attributes, NFTA_CHAIN_POLICY) == NF_DROP;
    chains.push_back(std::move(chain));
  }
  return chains;
}

bool HasComment(const NetlinkAttributes& rule, const std::string& comment) {
  const auto data = rule.Find(NFTA_RULE_USERDATA);
  if (!data || data->bytes.size() < 2) return false;
  const std::string_view text(reinterpret_cast<const char*>(data->bytes.data()),
                              data->bytes.size());
  return text.substr(2).starts_with(comment + '\0');
}

// The handles of our rules in the chain.
Result<std::vector<uint64_t>> OurRules(NetlinkSocket* socket, const Chain& chain,
                                       const std::string& comment) {
  NetlinkBatch batch;
  batch.Begin(NftMessage(NFT_MSG_GETRULE), NLM_F_DUMP, "listing rules of " + chain.table.name);
  PutNftHeader(&batch, chain.table.family);
  batch.PutText(NFTA_RULE_TABLE, chain.table.name);
  batch.PutText(NFTA_RULE_CHAIN, chain.name);
  TRY(const std::vector<NetlinkReply> replies, socket->Dump(&batch));
  std::vector<uint64_t> handles;
  for (const NetlinkReply& reply : replies) {
    const NetlinkAttributes attributes = reply.Attributes(kHeader);
    const auto handle = attributes.Find(NFTA_RULE_HANDLE);
    const auto value = handle ? handle->Value<uint64_t>() : std::nullopt;
    if (value && HasComment(attributes, comment)) handles.push_back(__builtin_bswap64(*value));
  }
  return handles;
}

Result<void> AddRules(NetlinkSocket* socket, const Chain& chain, const std::string& bridge) {
  const std::string comment = CommentFor(bridge);
  NftTransaction transaction;
  for (const uint32_t side : {NFT_META_OIFNAME, NFT_META_IIFNAME}) {
    NftRule(&transaction, chain.table, chain.name, comment, NftRule::Place::kStart)
        .Interface(side, bridge)
        .Counter()
        .Verdict(NF_ACCEPT);
  }
  return transaction.Commit(socket);
}

Result<void> RemoveRules(NetlinkSocket* socket, const Chain& chain,
                         const std::vector<uint64_t>& handles) {
  NftTransaction transaction;
  for (const uint64_t handle : handles) {
    transaction.DeleteRule(chain.table, chain.name, handle);
  }
  return transaction.Commit(socket);
}

}  // namespace

Result<std::vector<std::string>> AcceptForwarded(const std::string& bridge) {
  constexpr size_t kRules = 2;
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_NETFILTER));
  TRY(const std::vector<Chain> chains, ForwardChains(&socket));
  std::vector<std::string> warnings;
  for (const Chain& chain : chains) {
    if (chain.iptables()) {
      TRY(const auto handles, OurRules(&socket, chain, CommentFor(bridge)));
      if (handles.size() == kRules) continue;
      if (!handles.empty()) TRY_VOID(RemoveRules(&socket, chain, handles));
      TRY_VOID(AddRules(&socket, chain, bridge));
    } else if (chain.drops) {
      warnings.push_back(
          fmt::format("the nftables chain {} {} has the policy drop: unless it accepts what comes "
                      "from and goes "
                      "to {}, pods reach nobody",
                      chain.table.name, chain.name, bridge));
    }
  }
  if (LegacyForwardDrops()) {
    warnings.push_back(fmt::format(
        "legacy iptables drops what is forwarded: run iptables-legacy -I FORWARD -i {0} "
        "-j ACCEPT and iptables-legacy -I FORWARD -o {0} -j ACCEPT",
        bridge));
  }
  return warnings;
}

Result<void> ForgetForwarded(const std::string& bridge) {
  TRY(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_NETFILTER));
  TRY(const std::vector<Chain> chains, ForwardChains(&socket));
  for (const Chain& chain : chains) {
    if (!chain.iptables()) continue;
    TRY(const auto handles, OurRules(&socket, chain, CommentFor(bridge)));
    if (!handles.empty()) TRY_VOID(RemoveRules(&socket, chain, handles));
  }
  return {};
}

}  // namespace podium::network
